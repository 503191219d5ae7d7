"""What an attempt used and cost, by how it ended.

    ended                                  billed as
    ok                                     what the upstream reported, else estimated
    no connection, or an error status      nothing, unless the answer reports usage
    error inside a 200, broken, too slow,  what the upstream reported before, else estimated from
    or the caller hung up                  what was sent and received
    exact cache hit                        nothing; the span names what the answer cost when it was made

Estimates: input is a token for four bytes of the body, output a token for each content event of a stream or
for four bytes of an answer, at most what the call allowed. A test holds every estimate below the bound.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from noria.core.usage import Usage
from noria.models.cost import cost
from noria.models.price import Price

BYTES_A_TOKEN = 4


def estimate(*, sent: int, events: int = 0, received: int = 0, max_output: int | None = None) -> Usage:
    """Usage from `sent` body bytes and, of the answer, content `events` or `received` bytes."""
    output = events or received // BYTES_A_TOKEN
    if max_output is not None:
        output = min(output, max_output)
    return Usage(input=max(sent // BYTES_A_TOKEN, 1), output=output, provenance="estimated")


MOST = 1 << 32
"""Tokens; the longest contexts of all are a thousandth of it."""


def credible(usage: Usage | None) -> Usage | None:
    """What an upstream reports; None where it cannot be: a count below zero or beyond all measure."""
    if usage is None:
        return None
    counts = (
        usage.input, usage.output, usage.cached, usage.cache_write, usage.cache_write_1h, usage.reasoning,
        usage.audio_input, usage.audio_output, usage.images,
    )  # fmt: skip
    return usage if min(counts) >= 0 and max(counts) <= MOST else None


def completed(told: Usage, assumed: Usage) -> Usage:
    """What a stream that broke had reported of its input, with an estimate of its output."""
    output = max(told.output, assumed.output)
    return msgspec.structs.replace(told, output=output, provenance="estimated")


NOTHING = Usage(requests=0, provenance="reported")
"""Of an attempt that the upstream did not bill."""


def priced(usage: Usage | None, price: Price | None) -> Decimal | None:
    """Dollars; None where usage or price is unknown. An attempt that used nothing costs nothing."""
    if usage is None:
        return None
    return Decimal(0) if usage is NOTHING else cost(usage, price)
