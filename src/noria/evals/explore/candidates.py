"""Which models are tried, and for which reason others are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from noria.evals.explore.constraints import Constraints, Unknown
from noria.models.card import Capability, LicenceKind


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a model before it is called. None: not known."""

    model: str
    """`provider/name`."""
    licence: str | None = None
    licence_kind: LicenceKind | None = None
    context: int | None = None
    max_output: int | None = None
    parameters: int | None = None
    capabilities: tuple[Capability, ...] = ()
    """Empty: not known."""
    local: bool = False
    """Runs on this machine."""
    region: str = ""
    training: str | None = None
    fine_tuning: str | None = None
    knowledge_cutoff: str | None = None
    price_input: Decimal | None = None
    """US dollars for a million tokens."""
    price_output: Decimal | None = None
    price_date: str | None = None
    price_source: str | None = None
    status: str = "active"


class Candidate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A route or model, with the models that may answer behind it."""

    model: str
    facts: tuple[Facts, ...]
    excluded: tuple[str, ...] = ()
    """Why it is not tried; empty: it is."""
    unknown: tuple[str, ...] = ()
    """Constrained facts that are not known."""


def candidate(model: str, facts: Sequence[Facts], constraints: Constraints, *, unknown: Unknown) -> Candidate:
    """Excluded where one of the models that may answer breaks a constraint."""
    broken: list[str] = []
    open_: list[str] = []
    for one in facts:
        named = "" if len(facts) == 1 else f"{one.model}: "
        for known, reason in _looked(one, constraints):
            (broken if known else open_).append(named + reason)
    if unknown == "exclude":
        broken, open_ = broken + open_, []
    return Candidate(
        model=model,
        facts=tuple(facts),
        excluded=tuple(dict.fromkeys(broken)),
        unknown=tuple(dict.fromkeys(open_)),
    )


def _looked(facts: Facts, wanted: Constraints) -> Iterator[tuple[bool, str]]:
    """(it is known, what is wrong or not known) for each constraint of the card that is not shown to hold."""
    if wanted.licence:
        allowed = " or ".join(wanted.licence)
        if facts.licence_kind is None:
            yield False, f"its licence is not known, and {allowed} is required"
        elif facts.licence_kind not in wanted.licence:
            yield True, f"its licence {facts.licence} is {facts.licence_kind}, and {allowed} is required"
    if wanted.privacy == "local" and not facts.local:
        yield True, "it does not run on this machine, and nothing may leave it"
    if wanted.regions and not facts.local:
        allowed = " or ".join(wanted.regions)
        if not facts.region:
            yield False, f"its provider's region is not stated, and {allowed} is required"
        elif facts.region not in wanted.regions:
            yield True, f"its provider is in {facts.region}, and {allowed} is required"
    if wanted.context is not None:
        if facts.context is None:
            yield False, f"its context is not known, and {wanted.context:,} tokens are required"
        elif facts.context < wanted.context:
            yield True, f"its context is {facts.context:,} tokens, and {wanted.context:,} are required"
    if wanted.parameters is not None:
        if facts.parameters is None:
            yield False, f"its size is not known, and at most {wanted.parameters:,} parameters are allowed"
        elif facts.parameters > wanted.parameters:
            yield True, f"it has {facts.parameters:,} parameters, and {wanted.parameters:,} are allowed"
    lacking = [one for one in wanted.capabilities if one not in facts.capabilities]
    if lacking:
        yield bool(facts.capabilities), f"its card does not say that it can do {', '.join(lacking)}"
    if wanted.fine_tunable and not fine_tunable(facts):
        yield bool(facts.capabilities), "its card does not say that it can be fine-tuned"


def fine_tunable(facts: Facts) -> bool:
    return "fine_tuning" in facts.capabilities or "lora" in facts.capabilities


def chats(capabilities: Sequence[Capability]) -> bool:
    """Whether a model may be a candidate: what is not known to chat is not known to be unable."""
    return not capabilities or "chat" in capabilities or "completion" in capabilities
