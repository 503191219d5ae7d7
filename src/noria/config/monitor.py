"""[monitors.NAME]: live calls that are scored and watched; [channels.NAME] and [smtp]: who is told, how."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from noria.config.eval import EvalScorerSection
from noria.config.reference import FileReference, Secret
from noria.config.section import Many, Name, Section, Some
from noria.config.units import Duration, Money, seconds
from noria.errors import InvalidRequest
from noria.monitoring.rule import SLOT_S
from noria.tracing.filters import parse

Bound = float | int | str
"""A number; of a latency a duration such as "2s"."""
SpanMeasure = Literal[
    "error_rate",
    "latency_p50",
    "latency_p95",
    "latency_p99",
    "cost_per_call",
    "cost_per_hour",
    "cost_per_day",
    "refusal_rate",
]


def _webhook(value: str) -> str:
    if value.partition(":")[0] in ("env", "file", "enc"):
        return value
    try:
        parts = urlsplit(value)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise ValueError("must be an http:// or https:// URL, or a reference to one such as `env:HOOK_URL`")
    return value


def _address(value: str) -> str:
    name, at, domain = value.rpartition("@")
    if not (name and at and domain) or any(mark in value for mark in " \r\n<>,;"):
        raise ValueError(f"must be a bare e-mail address such as ada@example.com, not {value!r}")
    return value


Webhook = Annotated[FileReference, AfterValidator(_webhook)]
Address = Annotated[str, AfterValidator(_address)]


class SmtpSection(Section):
    """The server that alerts are mailed through."""

    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    """starttls: refuse a server that does not offer it. none: in the clear, for a server on this machine."""
    user: str = ""
    """Left out: no sign-in."""
    password: Secret | None = None
    sender: Address

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.user) != (self.password is not None):
            raise ValueError("has `user` and `password`, or neither")
        return self


class ChannelSection(Section):
    """A way to reach people: one of `webhook` and `email`."""

    webhook: Webhook | None = None
    """A URL, or a reference to one; alerts are sent to it as JSON by POST."""
    secret: Secret | None = None
    """Signs what goes to the webhook."""
    email: Some[Address] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.webhook is None) == (self.email is None):
            raise ValueError("has one of `webhook` and `email`")
        if self.secret is not None and self.webhook is None:
            raise ValueError("has a `secret` without effect: an e-mail is not signed")
        return self


class BoundsSection(Section):
    """Values from which on there is a warning, or an alert."""

    warn: Bound | None = None
    alert: Bound | None = None

    @model_validator(mode="after")
    def _any(self) -> Self:
        if self.warn is None and self.alert is None:
            raise ValueError("states `warn`, `alert` or both")
        return self


class AlertSection(Section):
    """One thing that is watched: a measure of all calls, or a scorer's mean or share."""

    name: Name | None = None
    """Left out: the measure's, or the scorer's."""
    measure: SpanMeasure | None = None
    scorer: str | None = None
    """Instead of `measure`: what one of the monitor's scorers measures, such as "polite" or
    "length.words"."""
    above: BoundsSection | Bound | None = None
    """A table with `warn` and `alert`, or the value of an alert alone."""
    below: BoundsSection | Bound | None = None
    window: Duration = 900.0
    """Over which it is measured. Of five minutes and more it begins with a whole slot of five minutes."""
    least: Annotated[int, Field(ge=0)] | None = None
    """Calls or scores under which there is no data; left out: 20, and for costs by time 0."""
    hold: Duration = 0.0
    """For how long it must be over a bound, or back, before the state follows."""
    margin: Bound = 0
    """How far back within the bound it must be before the state improves."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.measure is None) == (self.scorer is None):
            raise ValueError("names one of `measure` and `scorer`")
        if (self.above is None) == (self.below is None):
            raise ValueError("states one of `above` and `below`")
        if not 1 <= self.window <= 31 * 86_400:
            raise ValueError("has a `window` of one second to 31 days")
        if self.window % (SLOT_S if self.window >= SLOT_S else 1):
            raise ValueError(
                "has a `window` of whole seconds, and from five minutes on of whole five minutes"
            )
        warn, alert = self.bounds()
        worse = 1 if self.above is not None else -1
        if warn is not None and alert is not None and (alert - warn) * worse <= 0:
            raise ValueError("has an `alert` that does not lie beyond its `warn`")
        if self.number(self.margin) < 0:
            raise ValueError("has a `margin` below 0")
        return self

    def bounds(self) -> tuple[float | None, float | None]:
        """Of a warning and of an alert, as numbers: seconds, dollars or shares."""
        stated = self.above if self.above is not None else self.below
        if isinstance(stated, BoundsSection):
            return (
                None if stated.warn is None else self.number(stated.warn),
                None if stated.alert is None else self.number(stated.alert),
            )
        assert stated is not None, "one of the two is stated"
        return None, self.number(stated)

    def number(self, bound: Bound) -> float:
        """Raises ValueError where it is not written as its measure needs it."""
        latency = self.measure is not None and self.measure.startswith("latency")
        if latency and isinstance(bound, str):
            return seconds(bound)
        if isinstance(bound, str | bool) or (latency and bound != 0):
            raise ValueError(
                f'states a latency as a duration such as "2s", not {bound!r}'
                if latency
                else f"states its bounds as numbers, not {bound!r}"
            )
        return float(bound)


def _filter(value: str) -> str:
    try:
        found = parse(value)
    except InvalidRequest as error:
        raise ValueError(f"is not right: {error.message.rstrip('.')}") from None
    for term in found.terms:
        if term.field.startswith("feedback") or (term.field == "has" and "feedback" in term.values):
            raise ValueError(
                f"has `{term.render()}`; a monitor looks at a call when it ends, and feedback comes later"
            )
    return value


class MonitorSection(Section):
    """Live calls that are scored and watched."""

    project: str = "default"
    filter: Annotated[str, AfterValidator(_filter)] = ""
    """Of traces, as on the page; left out: every call of the project."""
    share: Annotated[float | int, Field(gt=0, le=1)] = 1.0
    """Of the traces that are scored, chosen by their ids. Measures of all calls are not sampled."""
    scorers: Many[EvalScorerSection | str] = ()
    """Types as installed, or names of [scorers.NAME] and [judges.NAME]."""
    most_per_minute: Annotated[int, Field(ge=1, le=100_000)] = 60
    """Calls that models judge; those beyond are left out, and counted."""
    budget: Money | None = None
    """US dollars for its judges in any 24 hours, as far as their prices are known."""
    notify: Many[Name] = ()
    """Names of [channels.NAME]; the page shows alerts in any case."""
    alerts: Many[AlertSection] = ()
