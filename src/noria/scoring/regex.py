"""A regular expression on the answer."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, Literal

from noria.errors import ConfigError, MissingExtra
from noria.scoring.factory import Unscorable, factory
from noria.scoring.reference import references
from noria.scoring.scorer import Described, Output, Score, Scorer

TIMEOUT = 1.0
"""Seconds; a pattern that backtracks for longer is given up."""


@factory(Described(name="regex", kind="share"))
def regex(
    *,
    pattern: str,
    match: Literal["search", "fullmatch", "absent"] = "search",
    group: int | None = None,
    ignore_case: bool = False,
) -> Scorer:
    """Whether the pattern is found; with `group`, whether what that group caught is a reference."""
    try:
        engine: Any = import_module("regex")
    except ImportError as error:
        raise MissingExtra("The scorer regex", "evals") from error
    try:
        compiled = engine.compile(pattern, engine.IGNORECASE if ignore_case else 0)
    except engine.error as error:
        raise ConfigError(f"The pattern {pattern!r} is not a regular expression: {error}.") from None
    if group is not None and not 0 <= group <= compiled.groups:
        raise ConfigError(f"The pattern {pattern!r} has {compiled.groups} groups, so no group {group}.")

    async def score(output: Output) -> Sequence[Score]:
        look = compiled.fullmatch if match == "fullmatch" else compiled.search
        try:
            found = look(output.text, timeout=TIMEOUT)
        except TimeoutError:
            raise Unscorable(f"The pattern took over {TIMEOUT:g} s on this answer.") from None
        if match == "absent" or group is None:
            return (Score(name="regex", value=(found is None) == (match == "absent")),)
        caught = (found[group] or "").strip() if found else ""
        good = found is not None and caught in {one.strip() for one in references(output.example)}
        return (Score(name="regex", value=good, reason=f"caught {caught!r}" if found else "no match"),)

    return score
