from collections import Counter
from random import Random
from typing import Any

import pytest

from noria.errors import Unavailable
from noria.gateway.ask import Context
from noria.gateway.choice import choose
from noria.gateway.compiled import Candidate, CompiledRoute, Endpoint
from noria.gateway.health import Health
from noria.gateway.snapshot import Breaker, Condition, Model, Provider, Route, Target
from noria.models.card import Card


def _route(*targets: Target, regions: dict[str, str] | None = None, **more: Any) -> CompiledRoute:
    route = Route(name="r", targets=targets, **more)
    candidates = []
    for target in targets:
        region = (regions or {}).get(target.model, "")
        provider = Provider(name="p", dialect="openai", base_url="http://127.0.0.1:1", region=region)
        model = Model(
            id=target.model,
            provider="p",
            upstream=target.model,
            card=Card(id=target.model, name=target.model),
        )
        endpoint = Endpoint(
            provider,
            model,
            back=None,
            base_url=provider.base_url,
            secrets={},
            signer=None,
            proxy="",  # type: ignore[arg-type]
        )
        candidates.append(Candidate(target, route, endpoint, Health(Breaker())))
    return CompiledRoute(route, candidates)


def _ids(route: CompiledRoute, *, context: Context | None = None, seed: int = 1) -> list[str]:
    choice = choose(route, context or Context(), input_tokens=10, now=0.0, random=Random(seed))
    return [one.endpoint.model.id for one in choice.order]


def test_weights_are_probabilities_and_the_propensity_says_so() -> None:
    route = _route(Target(model="p/a", weight=3), Target(model="p/b", weight=1))
    random = Random(7)
    seen: Counter[str] = Counter()
    for _ in range(4000):
        choice = choose(route, Context(), input_tokens=1, now=0.0, random=random)
        first = choice.order[0].endpoint.model.id
        seen[first] += 1
        assert choice.propensity == (0.75 if first == "p/a" else 0.25)
        assert choice.weights == {"p/a": 3, "p/b": 1}
    assert 0.72 < seen["p/a"] / 4000 < 0.78


def test_a_sticky_caller_keeps_its_target_and_only_the_leavers_move() -> None:
    both = _route(Target(model="p/a"), Target(model="p/b"), sticky="user")
    three = _route(Target(model="p/a"), Target(model="p/b"), Target(model="p/c"), sticky="user")
    moved = 0
    for number in range(600):
        context = Context(user=f"u{number}")
        first = _ids(both, context=context, seed=number)[0]
        assert first == _ids(both, context=context, seed=number + 1)[0]
        then = _ids(three, context=context)[0]
        assert then in (first, "p/c")
        moved += then == "p/c"
    assert 140 < moved < 260


def test_order_comes_before_weight() -> None:
    route = _route(Target(model="p/late", order=1, weight=100), Target(model="p/soon"))
    assert _ids(route) == ["p/soon", "p/late"]


def test_rules_exclude_with_a_reason() -> None:
    route = _route(
        Target(model="p/long", when=Condition(min_input_tokens=1000)),
        Target(model="p/prod", when=Condition(tags={"env": "prod"})),
        Target(model="p/us"),
    )
    assert _ids(route) == ["p/us"]
    choice = choose(route, Context(tags={"env": "prod"}), input_tokens=2000, now=0.0, random=Random(1))
    assert len(choice.order) == 3


def test_residency_excludes_and_says_so() -> None:
    route = Route(name="r", targets=(Target(model="p/us"),), regions=("eu",))
    provider = Provider(name="p", dialect="openai", base_url="http://127.0.0.1:1", region="us")
    model = Model(id="p/us", provider="p", upstream="us", card=Card(id="us", name="us"))
    endpoint = Endpoint(
        provider,
        model,
        back=None,
        base_url=provider.base_url,
        secrets={},
        signer=None,
        proxy="",  # type: ignore[arg-type]
    )
    compiled = CompiledRoute(route, [Candidate(route.targets[0], route, endpoint, Health(Breaker()))])
    with pytest.raises(Unavailable, match="region"):
        choose(compiled, Context(), input_tokens=1, now=0.0, random=Random(1))


def test_the_ailing_are_tried_last_rather_than_never() -> None:
    route = _route(Target(model="p/a", weight=1000), Target(model="p/b"))
    for _ in range(5):
        route.candidates[0].health.failed(0.0)
    assert _ids(route) == ["p/b", "p/a"]


def test_least_busy_and_lowest_latency() -> None:
    busy = _route(Target(model="p/a"), Target(model="p/b"), strategy="least_busy")
    busy.candidates[0].health.begin()
    assert _ids(busy)[0] == "p/b"
    slow = _route(Target(model="p/a"), Target(model="p/b"), strategy="lowest_latency")
    slow.candidates[0].health.succeeded(2.0)
    slow.candidates[1].health.succeeded(1.0)
    assert _ids(slow)[0] == "p/b"
