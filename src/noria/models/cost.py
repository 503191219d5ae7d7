"""The one way that a cost is computed."""

from __future__ import annotations

from decimal import Decimal

from noria.core.usage import Usage
from noria.models.price import Price

_MILLION = Decimal(1_000_000)
_ZERO = Decimal(0)


def cost(usage: Usage, price: Price | None) -> Decimal | None:
    """Dollars for `usage` at `price`, exact; None where a rate that the usage needs is not known.

    Pure, and used on every path: streamed, cached, batched, failed, aborted. Usage without provenance has no
    cost, since nobody knows what was used.
    """
    if price is None or usage.provenance == "none":
        return None
    plain_input, cached, output = price.input, price.cached, price.output
    write, write_1h = price.cache_write, price.cache_write_1h
    for tier in price.tiers:
        if usage.input > tier.above:
            plain_input = plain_input if tier.input is None else tier.input
            write = write if tier.cache_write is None else tier.cache_write
            write_1h = write_1h if tier.cache_write_1h is None else tier.cache_write_1h
            cached = cached if tier.cached is None else tier.cached
            output = output if tier.output is None else tier.output
    tokens_in = usage.input - usage.cached - usage.cache_write - usage.cache_write_1h - usage.audio_input
    tokens_out = usage.output - usage.reasoning - usage.audio_output
    total = _ZERO  # A million times the dollars.
    for tokens, rate in (
        (tokens_in, plain_input),
        (usage.cached, cached),
        (usage.cache_write, write),
        (usage.cache_write_1h, write_1h),
        (usage.audio_input, price.audio_input),
        (tokens_out, output),
        (usage.reasoning, output if price.reasoning is None else price.reasoning),
        (usage.audio_output, price.audio_output),
    ):
        if tokens > 0:
            if rate is None:
                return None
            total += rate * tokens
    total /= _MILLION
    if price.request:
        total += price.request * usage.requests
    if usage.images and price.image is not None:
        total += price.image * usage.images
    return total
