"""The same number for parts of a run: by tag, by a metadata field, by length of the input."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from noria.evals.metrics import Measure, measure
from noria.evals.sheet import Line, Sheet
from noria.scoring.scorer import Described

LEAST = 5
"""Examples under which a slice is left out."""
MOST = 30
"""Different values over which a metadata field makes no slices."""


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """Some of a run's examples."""

    by: str
    """"tag", "length", or the metadata field."""
    value: str
    examples: int
    measure: Measure


def slices(sheet: Sheet, described: Described, *, level: float = 0.95) -> list[Slice]:
    """Of one scorer. A slice that looks bad among many is a hint, not a finding."""
    found: list[Slice] = []
    for by, value, lines in _parts(sheet.lines):
        if LEAST <= len(lines) < len(sheet.lines):
            found.append(
                Slice(by=by, value=value, examples=len(lines), measure=measure(lines, described, level=level))
            )
    return found


def _parts(lines: tuple[Line, ...]) -> Iterable[tuple[str, str, list[Line]]]:
    tagged: dict[str, list[Line]] = {}
    for line in lines:
        for tag in set(line.tags):
            tagged.setdefault(tag, []).append(line)
    yield from (("tag", tag, tagged[tag]) for tag in sorted(tagged))
    for field in sorted({field for line in lines for field in line.facts}):
        values = sorted({line.facts[field] for line in lines if field in line.facts})
        if len(values) <= MOST:
            for value in values:
                yield field, value, [line for line in lines if line.facts.get(field) == value]
    yield from _lengths(lines)


def _lengths(lines: tuple[Line, ...]) -> Iterable[tuple[str, str, list[Line]]]:
    ordered = sorted(line.length for line in lines)
    bounds = sorted({ordered[len(ordered) * share // 4] for share in (1, 2, 3)}) if ordered else []
    low = 0
    for high in (*bounds, None):
        within = _within(low, high)
        upper = "" if high is None else f" to {high - 1:,}"
        yield "length", f"{low:,}{upper or ' or more'} characters", [one for one in lines if within(one)]
        low = high or 0


def _within(low: int, high: int | None) -> Callable[[Line], bool]:
    return lambda line: line.length >= low and (high is None or line.length < high)
