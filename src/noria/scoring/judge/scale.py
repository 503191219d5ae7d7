"""In what a judge answers: yes or no, a whole number of a range, or one of some categories."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from noria.errors import ConfigError
from noria.scoring.scorer import Value

_RANGE = re.compile(r"(\d{1,3})-(\d{1,3})")
_YES = {"yes": True, "true": True, "no": False, "false": False}


class Scale(msgspec.Struct, frozen=True):
    """Exactly one of a yes, a range and categories."""

    least: int = 0
    most: int = 0
    categories: tuple[str, ...] = ()

    @property
    def kind(self) -> Literal["share", "mean", "category"]:
        """As in `scorer.Described`."""
        return "category" if self.categories else "mean" if self.most else "share"

    def form(self) -> str:
        """What to answer, in words for the model."""
        if self.categories:
            return "one of " + ", ".join(f'"{one}"' for one in self.categories)
        return f"a whole number from {self.least} to {self.most}" if self.most else '"yes" or "no"'

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the verdict."""
        if self.most:
            return {"type": "integer", "minimum": self.least, "maximum": self.most}
        return {"type": "string", "enum": list(self.categories) or ["yes", "no"]}

    def read(self, given: Any) -> Value | None:
        """A verdict as a model may have written it; None: it is none of this scale."""
        if self.most:
            return self._number(given)
        if isinstance(given, bool) and not self.categories:
            return given
        if not isinstance(given, str | int):
            return None
        word = str(given).strip().strip("\"'`*.[]() ").casefold()
        if self.categories:
            return {one.casefold(): one for one in self.categories}.get(word)
        return _YES.get(word)

    def _number(self, given: Any) -> float | None:
        if isinstance(given, str):
            found = re.fullmatch(r"\D{0,3}(\d+(?:\.\d+)?)(?:\s*(?:/|out of)\s*\d+)?\D{0,3}", given.strip())
            given = float(found[1]) if found else None
        if isinstance(given, bool) or not isinstance(given, int | float):
            return None
        return float(given) if self.least <= given <= self.most and given == int(given) else None


def scale_of(text: str, categories: Sequence[str] = ()) -> Scale:
    """ "yes_no", a range such as "1-5", or "categories". Raises ConfigError."""
    if text == "categories" or categories:
        distinct = {one.strip().casefold() for one in categories}
        if len(distinct) < 2 or len(distinct) != len(categories) or "" in distinct:
            raise ConfigError("A judge of categories needs `categories`: two or more that differ.")
        return Scale(categories=tuple(categories))
    if text == "yes_no":
        return Scale()
    found = _RANGE.fullmatch(text)
    if not found or int(found[1]) >= int(found[2]):
        raise ConfigError(f"`scale` is yes_no, categories or a range such as 1-5, which {text!r} is not.")
    return Scale(least=int(found[1]), most=int(found[2]))


def object_schema(**properties: dict[str, Any]) -> dict[str, Any]:
    """Of an object with all of these and nothing else, as strict structured output wants it."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
