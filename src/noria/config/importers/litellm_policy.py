"""What LiteLLM's settings say of all routes: retries, fallbacks, timeouts, cooldown, cache."""

from __future__ import annotations

from typing import Any

from noria.config.importers.draft import Draft, target
from noria.config.importers.litellm_account import plain
from noria.config.importers.litellm_deployment import Deployment
from noria.config.units import duration

_STRATEGIES = {
    "simple-shuffle": "weighted",
    "least-busy": "least_busy",
    "latency-based-routing": "lowest_latency",
}


class Policy:
    """What holds for all routes; takes what it uses out of the settings."""

    def __init__(self, router: dict[str, Any], litellm: dict[str, Any], draft: Draft) -> None:
        def pick(name: str) -> Any:
            below = litellm.pop(name, None)
            above = router.pop(name, None)
            return above if above is not None else below

        self.draft = draft
        strategy = router.pop("routing_strategy", "simple-shuffle")
        if strategy not in _STRATEGIES:
            draft.lose(
                "router_settings.routing_strategy", f"Noria has no {strategy!r}; the least busy is used."
            )
        self.strategy = _STRATEGIES.get(strategy, "least_busy")
        self.retries = pick("num_retries")
        self.total = pick("timeout") or pick("request_timeout")
        self.first_token = pick("stream_timeout")
        self.fails = pick("allowed_fails")
        self.cooldown = pick("cooldown_time")
        self.fallbacks = _pairs(pick("fallbacks"))
        self.refused = _pairs(pick("content_policy_fallbacks"))
        self.default: list[str] = pick("default_fallbacks") or []
        self.cache = _cache(litellm, draft)

    def route(
        self, name: str, members: list[Deployment], groups: dict[str, list[Deployment]]
    ) -> dict[str, Any]:
        """The route of a group and of those that it falls back to."""
        shares = [one.share for one in members]
        weighted = len(members) > 1 and self.strategy == "weighted"
        targets = [
            _with(
                one.target, weight=one.share if weighted and None not in shares and one.share != 1 else None
            )
            for one in members
        ]
        later = [*self.fallbacks.get(name, self.default), *self.refused.get(name, [])]
        for order, group in enumerate(dict.fromkeys(one for one in later if one != name), start=1):
            if group not in groups:
                self.draft.lose(f"fallbacks.{name}", f"{group!r} is no model of this file.")
            targets += [_with(one.target, order=order) for one in groups.get(group, [])]
        route: dict[str, Any] = {"targets": _once(targets)}
        if len(route["targets"]) > 1:
            route["strategy"] = self.strategy
        if name in self.refused:
            route["fallback_on"] = [
                "connect",
                "timeout",
                "rate_limited",
                "server",
                "auth",
                "not_found",
                "refused",
            ]
        retries = next((one.retries for one in members if one.retries is not None), self.retries)
        if retries is not None:
            route["retries"] = min(int(retries), 20)
        timeouts = {"total": self.total, "first_token": self.first_token}
        said = {key: duration(float(value)) for key, value in timeouts.items() if value}
        if said:
            route["timeouts"] = said
        self._breaker(route)
        self._limits(name, route, members)
        if self.cache is not None:
            route["cache"] = self.cache
        return route

    def _breaker(self, route: dict[str, Any]) -> None:
        breaker: dict[str, Any] = {}
        if self.fails is not None:
            breaker |= {"failures": int(self.fails) + 1, "window": "1m"}
        if self.cooldown:
            breaker["cooldown"] = duration(float(self.cooldown))
        if breaker:
            route["breaker"] = breaker

    def _limits(self, name: str, route: dict[str, Any], members: list[Deployment]) -> None:
        limits: list[dict[str, Any]] = []
        for unit, amounts in (
            ("requests", [one.rpm for one in members]),
            ("tokens", [one.tpm for one in members]),
        ):
            known = [amount for amount in amounts if amount is not None]
            if known and len(known) == len(members):
                limits.append({unit: sum(known), "per": "1m"})
            if known and len(members) > 1:
                self.draft.lose(
                    f"model_list[{name}].{'rpm' if unit == 'requests' else 'tpm'}",
                    "Deployments have no limits of their own; if each has one, their sum limits the route.",
                )
        if limits:
            route["limits"] = limits


def _pairs(value: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in value or []:
        for name, later in one.items():
            found[str(name)] = [str(group) for group in later if not isinstance(group, dict)]
    return found


def _with(made: str | dict[str, Any], **settings: Any) -> str | dict[str, Any]:
    if isinstance(made, str):
        return target(made, **settings)
    rest = {key: value for key, value in made.items() if key != "model"}
    return target(
        made["model"], **{**rest, **{key: value for key, value in settings.items() if value is not None}}
    )


def _once(targets: list[str | dict[str, Any]]) -> list[str | dict[str, Any]]:
    """Without targets of a model that an earlier one has."""
    seen: set[str] = set()
    kept: list[str | dict[str, Any]] = []
    for one in targets:
        model = one if isinstance(one, str) else one["model"]
        if model not in seen:
            kept.append(one)
        seen.add(model)
    return kept


def _cache(litellm: dict[str, Any], draft: Draft) -> dict[str, str] | None:
    params = dict(litellm.pop("cache_params", None) or {})
    if not litellm.pop("cache", False):
        return None
    kind, ttl = params.pop("type", "local"), params.pop("ttl", None)
    if kind == "redis" and plain(params.get("host"), draft):
        host, port = plain(params.pop("host"), draft), plain(params.pop("port", 6379), draft)
        if params.pop("password", None) is None:
            draft.section("cache")["valkey"] = f"redis://{host}:{port}"
        else:
            reference = draft.secret(path="litellm_settings.cache_params.password", variable="VALKEY_URL")
            draft.section("cache")["valkey"] = reference
    elif kind != "local":
        draft.lose(
            "litellm_settings.cache_params.type", f"Noria has no {kind} cache; answers are kept in memory."
        )
    for key in params:
        draft.lose(f"litellm_settings.cache_params.{key}", "It has no counterpart.")
    if ttl is None:
        draft.lose(
            "litellm_settings.cache", "A cache rule needs a `ttl`; set `cache = { ttl = … }` on routes."
        )
        return None
    return {"ttl": duration(max(int(ttl), 1))}
