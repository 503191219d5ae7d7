"""[routes.NAME]: a public model name, and how its calls find a target."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from noria.config.limit import LimitSection
from noria.config.section import Many, ModelId, Section, Some
from noria.config.units import Duration, Size
from noria.gateway.snapshot import Breaker, CacheRule, Condition, Route, Target, Timeouts

FailureClass = Literal[
    "connect", "timeout", "rate_limited", "server", "auth", "invalid", "not_found", "refused"
]
"""The classes of `errors.UpstreamClass` after which another target may be tried."""


def _target(value: Any) -> Any:
    return {"model": value} if isinstance(value, str) else value


def _capture(value: Any) -> Any:
    if isinstance(value, str) and value in ("full", "metadata"):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return {1.0: "full", 0.0: "metadata"}.get(float(value), repr(float(value)))
    raise ValueError(f'must be "full", "metadata" or a share between 0 and 1 such as 0.1, not {value!r}')


def _write_capture(value: str) -> str | float:
    return value if value in ("full", "metadata") else float(value)


Capture = Annotated[str, BeforeValidator(_capture), PlainSerializer(_write_capture)]
"""Whose payloads are kept: of all calls, of none, or of a share of them."""


class TimeoutsSection(Section):
    """How long to wait; "0s" means without limit."""

    connect: Duration | None = None
    first_token: Duration | None = None
    gap: Duration | None = None
    """Between two chunks of a stream."""
    total: Duration | None = None

    def compiled(self, base: Timeouts) -> Timeouts:
        """`base`, with what the section says instead."""
        return Timeouts(
            connect=base.connect if self.connect is None else self.connect,
            first_token=base.first_token if self.first_token is None else self.first_token,
            gap=base.gap if self.gap is None else self.gap,
            total=base.total if self.total is None else self.total,
        )


class WhenSection(Section):
    """Conditions on a call, all of which must hold."""

    tags: dict[str, str] = {}
    min_input_tokens: Annotated[int, Field(ge=0)] | None = None
    """Estimated, at four bytes of the body a token."""
    max_input_tokens: Annotated[int, Field(ge=0)] | None = None

    def compiled(self) -> Condition:
        """As workers test it."""
        return Condition(
            tags=self.tags,
            min_input_tokens=self.min_input_tokens,
            max_input_tokens=self.max_input_tokens,
        )


class TargetSection(Section):
    """One candidate of a route."""

    model: ModelId
    """`provider/name`."""
    weight: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """Share of the calls among targets of the same order; left out: 1."""
    order: Annotated[int, Field(ge=0)] | None = None
    """Lower is tried first; left out: the place in the list for strategy "ordered", else 0."""
    when: WhenSection | None = None
    timeouts: TimeoutsSection | None = None
    max_concurrency: Annotated[int, Field(ge=1)] | None = None

    def compiled(self, *, place: int, timeouts: Timeouts) -> Target:
        """As workers try it; `place` is its order unless it has one, `timeouts` are the route's."""
        return Target(
            model=self.model,
            weight=1.0 if self.weight is None else self.weight,
            order=place if self.order is None else self.order,
            when=Condition() if self.when is None else self.when.compiled(),
            timeouts=None if self.timeouts is None else self.timeouts.compiled(timeouts),
            max_concurrency=self.max_concurrency or 0,
        )


class BreakerSection(Section):
    """When a failing target is left alone for a while."""

    failures: Annotated[int, Field(ge=1)] = 5
    window: Duration = 30.0
    cooldown: Duration = 15.0

    def compiled(self) -> Breaker:
        """As workers apply it."""
        return Breaker(failures=self.failures, window=self.window, cooldown=self.cooldown)


class CacheRuleSection(Section):
    """Exact repeats are answered from the cache."""

    ttl: Duration
    max_size: Size = 1_048_576
    """Longer answers are not kept."""

    @model_validator(mode="after")
    def _whole_seconds(self) -> CacheRuleSection:
        if self.ttl < 1 or self.ttl != int(self.ttl):
            raise ValueError("must have a `ttl` of whole seconds, at least one")
        return self

    def compiled(self) -> CacheRule:
        """As workers apply it."""
        return CacheRule(ttl=int(self.ttl), max_bytes=self.max_size)


class RouteSection(Section):
    """A public model name, and how its calls find a target."""

    targets: Some[Annotated[TargetSection, BeforeValidator(_target)]]
    """`provider/name`, or tables with `model` and how it takes part."""
    strategy: Literal["ordered", "weighted", "lowest_latency", "least_busy"] = "ordered"
    """ordered: the first that can answer; weighted: by share; the other two: by what was measured."""
    sticky: Literal["user", "session", "episode"] | None = None
    """Whose calls stay with one target, for strategy "weighted"."""
    retries: Annotated[int, Field(ge=0, le=20)] = 2
    """Further attempts at one target."""
    backoff: Duration = 0.25
    """Before the first retry; doubles, and is never shorter than what the provider asks for."""
    fallback_on: Many[FailureClass] | None = None
    """After which failures the next target is tried; an empty list: never."""
    timeouts: TimeoutsSection | None = None
    breaker: BreakerSection | None = None
    max_concurrency: Annotated[int, Field(ge=1)] | None = None
    queue: Annotated[int, Field(ge=0)] = 0
    """How many calls may wait when `max_concurrency` is reached."""
    queue_timeout: Duration = 5.0
    regions: Some[str] | None = None
    """Only targets whose provider's region is one of these; that of an engine is "local"."""
    cache: CacheRuleSection | None = None
    capture: Capture | None = None
    """Left out: as [telemetry] says."""
    limits: Many[LimitSection] = ()
    """Of the route as a whole."""

    def compiled(self, name: str, *, capture: str) -> Route:
        """As workers serve it; `capture` is that of routes that do not say."""
        timeouts = Timeouts() if self.timeouts is None else self.timeouts.compiled(Timeouts())
        ordered = self.strategy == "ordered"
        return Route(
            name=name,
            targets=tuple(
                target.compiled(place=index if ordered else 0, timeouts=timeouts)
                for index, target in enumerate(self.targets)
            ),
            strategy=self.strategy,
            sticky=self.sticky or "",
            retries=self.retries,
            backoff=self.backoff,
            fallback_on=_FALLBACK_ON if self.fallback_on is None else self.fallback_on,
            timeouts=timeouts,
            breaker=Breaker() if self.breaker is None else self.breaker.compiled(),
            max_concurrency=self.max_concurrency or 0,
            queue=self.queue,
            queue_timeout=self.queue_timeout,
            regions=self.regions or (),
            cache=CacheRule() if self.cache is None else self.cache.compiled(),
            capture=capture if self.capture is None else self.capture,
            limits=tuple(limit.compiled() for limit in self.limits),
        )


_FALLBACK_ON = Route(name="", targets=()).fallback_on
