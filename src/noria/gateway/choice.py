"""Which targets of a route a call may try, and in what order."""

from __future__ import annotations

import hashlib
import math
from random import Random

from noria.errors import Unavailable
from noria.gateway.ask import Context
from noria.gateway.compiled import Candidate, Choice, CompiledRoute

_hash = hashlib.blake2b


def choose(
    route: CompiledRoute, context: Context, *, input_tokens: int, now: float, random: Random
) -> Choice:
    """The order to try, by rule, health, strategy and weight.

    Raises Unavailable when every target is excluded. A target that is unhealthy is tried last rather than
    never: when all are, the least bad is better than none.
    """
    if route.single is not None:
        return route.single
    excluded: dict[str, str] = {}
    able: list[Candidate] = []
    ailing: list[Candidate] = []
    for candidate in route.candidates:
        reason = candidate.excludes(context.tags, input_tokens)
        if reason:
            excluded[candidate.endpoint.model.id] = reason
            continue
        trouble = candidate.health.refuses(now)
        if trouble:
            excluded[candidate.endpoint.model.id] = trouble
            ailing.append(candidate)
        else:
            able.append(candidate)
    if not able and not ailing:
        reasons = "; ".join(f"{model}: {reason}" for model, reason in excluded.items())
        raise Unavailable(
            f"No target of route {route.name!r} may serve this call ({reasons}).", code="no_target"
        )
    first = min((one.order for one in able), default=None)
    front = [one for one in able if one.order == first]
    rest = sorted((one for one in able if one.order != first), key=lambda one: one.order)
    ranked, propensity = _rank(route, front, _sticky(route, context), random)
    return Choice(
        order=[*ranked, *_by_order(rest, route, context, random), *ailing],
        propensity=propensity,
        weights={one.endpoint.model.id: one.weight for one in front},
        excluded=excluded,
    )


def _by_order(
    rest: list[Candidate], route: CompiledRoute, context: Context, random: Random
) -> list[Candidate]:
    ordered: list[Candidate] = []
    while rest:
        order = rest[0].order
        group = [one for one in rest if one.order == order]
        rest = rest[len(group) :]
        ordered += _rank(route, group, _sticky(route, context), random)[0]
    return ordered


def _sticky(route: CompiledRoute, context: Context) -> str:
    if not route.sticky:
        return ""
    return {"user": context.user, "session": context.session, "episode": context.episode}[route.sticky]


def _rank(
    route: CompiledRoute, group: list[Candidate], sticky: str, random: Random
) -> tuple[list[Candidate], float]:
    """The group in order of preference, and the first one's probability."""
    if len(group) < 2:
        return group, 1.0
    if route.strategy == "lowest_latency":
        return sorted(group, key=lambda one: one.health.latency), 1.0
    if route.strategy == "least_busy":
        return sorted(group, key=lambda one: one.health.busy / (one.weight or 1.0)), 1.0
    total = sum(one.weight for one in group)
    if total <= 0:
        return group, 1.0
    ranked = sorted(group, key=lambda one: _score(one, route.name, sticky, random), reverse=True)
    return ranked, ranked[0].weight / total


def _score(candidate: Candidate, route: str, sticky: str, random: Random) -> float:
    """Weighted rendezvous hashing: the highest of -w / ln(u) wins with probability w / sum(w).

    Source: Schindelhauer and Schomaker, "Weighted Distributed Hash Tables", SPAA 2005 (logarithmic method).
    With a sticky value u is a hash, so a caller keeps its target while the others come and go.
    """
    if candidate.weight <= 0:
        return 0.0
    if sticky:
        text = f"{route}\0{sticky}\0{candidate.endpoint.model.id}".encode()
        u = (int.from_bytes(_hash(text, digest_size=7).digest(), "big") + 0.5) / (1 << 56)
    else:
        u = random.random() or 5e-324
    return -candidate.weight / math.log(u) if u < 1.0 else math.inf
