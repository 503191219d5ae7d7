"""From [monitors.NAME] to a Monitor: names looked up, and what cannot be said in a sentence of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from noria.config.eval import EvalScorerSection
from noria.config.monitor import AlertSection, MonitorSection
from noria.errors import ConfigError
from noria.monitoring.monitor import Monitor, unfit
from noria.monitoring.rule import Rule
from noria.scoring.resolve import described
from noria.scoring.scorer import Described, ScorerSpec

if TYPE_CHECKING:
    from noria.config.config import Config

_plain = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_BY_TIME = ("cost_per_hour", "cost_per_day")
LEAST = 20


def monitor_of(name: str, section: MonitorSection, config: Config) -> Monitor:
    """Raises ConfigError with the first thing that is wrong."""
    found = Monitor(
        project=section.project,
        name=name,
        filter=section.filter,
        share=float(section.share),
        scorers=tuple(scorer_of(one, config) for one in section.scorers),
        most_per_minute=section.most_per_minute,
        budget=section.budget,
        channels=section.notify,
    )
    measured = [one for spec in found.scorers for one in described(spec)]
    names = [one.name for one in measured]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"names {twice!r} twice among its `scorers`; give one of them another `name`")
    rules = tuple(_rule(one, found.scorers, measured) for one in section.alerts)
    called = [rule.name for rule in rules]
    if odd := next((name for name in called if not _plain.fullmatch(name)), None):
        raise ConfigError(f"has an alert called {odd!r}; give it a `name` of letters, digits, . _ and -")
    if twice := next((name for name in called if called.count(name) > 1), None):
        raise ConfigError(f"has two alerts called {twice!r}; give one of them another `name`")
    for channel in section.notify:
        if channel not in config.channels:
            raise ConfigError(f"notifies {channel!r}, and there is no [channels.{channel}]")
        if config.channels[channel].email is not None and config.smtp is None:
            raise ConfigError(f"notifies {channel!r} by e-mail, and there is no [smtp]")
    return msgspec.structs.replace(found, rules=rules)


def scorer_of(section: EvalScorerSection | str, config: Config) -> ScorerSpec:
    """Of its type, or of a [scorers.NAME] or [judges.NAME]. Raises ConfigError where it judges no call."""
    if isinstance(section, str):
        section = EvalScorerSection(type=section)
    named = config.judges.get(section.type) or config.scorers.get(section.type)
    if named is None:
        spec = ScorerSpec(type=section.type, name=section.name, arguments=section.arguments)
    else:
        own = named.spec(section.type)
        spec = msgspec.structs.replace(
            own, name=section.name or own.name, arguments={**own.arguments, **section.arguments}
        )
    described(spec)
    if why := unfit(spec):
        raise ConfigError(f"has the scorer {spec.name or spec.type!r}, which {why}")
    return spec


def monitor_mistakes(config: Config) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The path of each monitor that cannot work, and a sentence."""
    for name, section in config.monitors.items():
        try:
            monitor_of(name, section, config)
        except ConfigError as error:
            yield ("monitors", name), f"[monitors.{name}] {str(error).rstrip('.')}."


def _rule(section: AlertSection, specs: tuple[ScorerSpec, ...], measured: list[Described]) -> Rule:
    warn, alert = section.bounds()
    least = LEAST if section.least is None else section.least
    if section.least is None and section.measure in _BY_TIME:
        least = 0
    measure, scorer = section.measure or "score", section.scorer or ""
    if measure == "refusal_rate":
        refusing = next((spec for spec in specs if spec.type == "refusal"), None)
        if refusing is None:
            raise ConfigError('watches `refusal_rate`; add "refusal" to its `scorers`')
        scorer = refusing.name or "refusal"
    elif measure == "score":
        found = next((one for one in measured if one.name == scorer), None)
        if found is None:
            known = ", ".join(one.name for one in measured) or "nothing"
            raise ConfigError(f"watches the scorer {scorer!r}; its `scorers` measure {known}")
        if found.kind not in ("mean", "share"):
            raise ConfigError(f"watches {scorer!r}, whose scores have no mean")
    return Rule(
        name=section.name or section.measure or scorer,
        measure=measure,
        scorer=scorer,
        direction="above" if section.above is not None else "below",
        warn=warn,
        alert=alert,
        window_s=int(section.window),
        least=least,
        hold_s=int(section.hold),
        margin=section.number(section.margin),
    )
