"""Whether a text occurs in the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from noria.scoring.factory import factory
from noria.scoring.reference import references
from noria.scoring.scorer import Described, Output, Score, Scorer


@factory(Described(name="contains", kind="share"))
def contains(
    *, values: tuple[str, ...] = (), match: Literal["any", "all", "none"] = "any", ignore_case: bool = True
) -> Scorer:
    """Whether any, all or none of `values` occur; left out: those of the example's references."""

    async def score(output: Output) -> Sequence[Score]:
        wanted = values or references(output.example)
        text = output.text.casefold() if ignore_case else output.text
        found = [one for one in wanted if (one.casefold() if ignore_case else one) in text]
        lacking = [one for one in wanted if one not in found]
        held = {"any": bool(found), "all": not lacking, "none": not found}[match]
        shown = found if match == "none" else lacking
        return (Score(name="contains", value=held, reason="" if held else f"{match}: {', '.join(shown)}"),)

    return score
