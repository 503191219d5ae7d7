"""A number in the answer against the reference's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from noria.scoring.factory import Unscorable, factory
from noria.scoring.reference import references
from noria.scoring.scorer import Described, Output, Score, Scorer

_NUMBER = re.compile(
    r"(?<![\w.])(?P<sign>[-−+]?)\s?[$€£¥]?\s?(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"(?P<exponent>[eE][-+]?\d{1,3})?(?P<percent>\s?%)?"
)
_MARK = "####"


@factory(Described(name="numeric", kind="share"))
def numeric(
    *, tolerance: float = 0.0, relative: float = 0.0, take: Literal["last", "first", "only"] = "last"
) -> Scorer:
    """Whether the answer's number is the reference's within `tolerance`, or within `relative` of it.

    What follows "####" counts alone, as GSM8K marks a final answer; else the last, first or only number.
    """

    async def score(output: Output) -> Sequence[Score]:
        found = number_in(output.text, take=take)
        wanted = [number_in(text, take="last") for text in references(output.example)]
        numbers = [one for one in wanted if one is not None]
        if not numbers:
            raise Unscorable(f"The expected answer of example {output.example.id} holds no number.")
        if found is None:
            return (Score(name="numeric", value=False, reason="there is no number in the answer"),)
        good = any(
            abs(found - one) <= max(Decimal(str(tolerance)), abs(one) * Decimal(str(relative)))
            for one in numbers
        )
        return (Score(name="numeric", value=good, reason=f"found {found:f}"),)

    return score


def number_in(text: str, *, take: Literal["last", "first", "only"] = "last") -> Decimal | None:
    """Thousands separators, currency signs and per cent are understood ("7 %" is 7); None: no number."""
    if _MARK in text:
        text, take = text.rpartition(_MARK)[2], "first"
    found = [
        Decimal(
            ("-" if match["sign"] in ("-", "−") else "")
            + match["digits"].replace(",", "")
            + (match["exponent"] or "")
        )
        for match in _NUMBER.finditer(text)
    ]
    if not found or (take == "only" and len(found) != 1):
        return None
    return found[0] if take == "first" else found[-1]
