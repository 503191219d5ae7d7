"""What a model must be: from its card, and from what was measured of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

import msgspec

from noria.errors import InvalidRequest
from noria.models.card import Capability, LicenceKind

Unknown = Literal["keep", "exclude"]


class Constraints(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """None, or empty: it does not matter. The first six are of cards, the last two are measured."""

    licence: tuple[LicenceKind, ...] = ()
    """One of these kinds."""
    privacy: Literal["", "local"] = ""
    """local: only what runs on this machine."""
    regions: tuple[str, ...] = ()
    """Only where the provider's region is one of these; what runs on this machine is in all of them."""
    context: int | None = None
    """Tokens, at least."""
    parameters: int | None = None
    """At most."""
    capabilities: tuple[Capability, ...] = ()
    """All of these."""
    fine_tunable: bool = False
    """Its weights, or its provider, let it be trained further."""
    latency_p95_ms: float | None = None
    """At most, of one answer."""
    cost_per_1000: Decimal | None = None
    """US dollars of a thousand calls, at most."""

    def __post_init__(self) -> None:
        numbers = (self.context, self.parameters, self.latency_p95_ms, self.cost_per_1000)
        if any(one is not None and not 0 <= one < 10**15 for one in numbers):
            raise ValueError("its numbers must be at least 0")


NAMES = Constraints.__struct_fields__
SHORT = {"p95": "latency_p95_ms", "latency": "latency_p95_ms", "cost": "cost_per_1000", "region": "regions",
         "capability": "capabilities"}  # fmt: skip
_RULE = re.compile(r"\s*(?P<name>[a-z0-9_]+)\s*(?P<sign>>=|<=|=)\s*(?P<value>.+?)\s*")
_SIGNS = {"context": ">=", "parameters": "<=", "latency_p95_ms": "<=", "cost_per_1000": "<="}
_UNITS = {"k": 10**3, "m": 10**6, "b": 10**9}


def parse_rules(rules: Sequence[str], *, nearest: Callable[[str, Sequence[str]], str]) -> Constraints:
    """Of `licence=permissive,community`, `context>=32k`, `parameters<=8b`, `cost<=0.50`, `p95<=1500`,
    `privacy=local`, `region=eu`, `capability=tools`, `fine_tunable=yes`. Raises InvalidRequest."""
    found: dict[str, Any] = {}
    for rule in rules:
        match = _RULE.fullmatch(rule)
        if match is None:
            raise InvalidRequest(
                f"{rule!r} is no requirement; write one such as context>=32k.", param="require"
            )
        name = SHORT.get(match["name"], match["name"])
        if name not in NAMES:
            guess = nearest(match["name"], (*NAMES, *SHORT))
            raise InvalidRequest(f"There is no requirement {match['name']!r}{guess}", param="require")
        wanted = _SIGNS.get(name, "=")
        if match["sign"] != wanted:
            raise InvalidRequest(f"{rule!r} must be written with {wanted}.", param="require")
        found[name] = _value(name, match["value"], rule)
    try:
        return msgspec.convert(found, Constraints, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"A requirement is not understood: {error}.", param="require") from None


def _value(name: str, text: str, rule: str) -> Any:
    if name in ("licence", "regions", "capabilities"):
        return [part.strip() for part in text.split(",") if part.strip()]
    if name == "fine_tunable":
        if text not in ("yes", "true", "no", "false"):
            raise InvalidRequest(f"{rule!r} must be yes or no.", param="require")
        return text in ("yes", "true")
    if name == "privacy":
        return text
    unit = _UNITS.get(text[-1:].lower(), 1)
    try:
        number = Decimal(text[:-1] if unit > 1 else text.removeprefix("$")) * unit
    except InvalidOperation:
        raise InvalidRequest(f"{rule!r} needs a number, such as 32k or 0.50.", param="require") from None
    if not number.is_finite():
        raise InvalidRequest(f"{rule!r} needs a finite number.", param="require")
    if name in ("context", "parameters"):
        return int(number)
    return number if name == "cost_per_1000" else float(number)
