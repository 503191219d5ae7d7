"""What a run may cost, said before it begins."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from statistics import fmean

import msgspec

from noria.core.usage import Usage
from noria.models.cost import cost
from noria.models.price import Price

CHARACTERS = 4
"""Of one token, as a rule of thumb; stated wherever an estimate is shown."""


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """An upper bound where it is known, else the reason why not."""

    answers: int
    input_tokens: int | None = None
    """Of one answer."""
    output_tokens: int | None = None
    """Most of one answer."""
    one: Decimal | None = None
    """Dollars, most that one answer may cost; scores that ask a model are not in it."""
    cost: Decimal | None = None
    """Dollars of all answers at most."""
    unknown: str = ""
    """Why `cost` is not known."""
    judged: bool = False
    """Scorers will ask models, too."""


def estimate(
    lengths: Sequence[int],
    *,
    answers: int,
    most_output: int | None,
    prices: Sequence[Price | None],
    judged: bool,
) -> Estimate:
    """`lengths` are the characters of some rendered inputs; `prices` those of every model that may answer."""
    tokens = round(fmean(lengths) / CHARACTERS) if lengths else 0
    found = Estimate(answers=answers, input_tokens=tokens, output_tokens=most_output, judged=judged)
    if not prices:
        return msgspec.structs.replace(found, unknown="What answers has no price that Noria knows of.")
    rates = [price for price in prices if price is not None]
    if len(rates) < len(prices):
        return msgspec.structs.replace(
            found, unknown="A model that may answer has no known price; give it `price` in noria.toml."
        )
    if all(not price.input and not price.output and not price.request for price in rates):
        return msgspec.structs.replace(found, one=Decimal(0), cost=Decimal(0))
    if most_output is None:
        return msgspec.structs.replace(
            found, unknown="How long an answer may become is not known; give the target `max_tokens`."
        )
    usage = Usage(input=tokens, output=most_output, provenance="estimated")
    costs = [cost(usage, price) for price in rates]
    if any(one is None for one in costs):
        return msgspec.structs.replace(found, unknown="A rate that the calls need is not known.")
    most = max(one for one in costs if one is not None)
    return msgspec.structs.replace(found, one=most, cost=most * answers)
