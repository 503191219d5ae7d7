"""The one way that a cost is computed."""

from __future__ import annotations

from decimal import Decimal

from noria.core.usage import Usage
from noria.models.price import Price

_MILLION = Decimal(1_000_000)


def cost(usage: Usage, price: Price | None) -> Decimal | None:
    """Dollars for `usage` at `price`, exact; None where a rate that the usage needs is not known.

    Pure, and used on every path: streamed, cached, batched, failed, aborted. Usage without provenance has no
    cost, since nobody knows what was used.
    """
    if price is None or usage.provenance == "none":
        return None
    rates = _rates(price, usage.input)
    plain_input = usage.input - usage.cached - usage.cache_write - usage.cache_write_1h - usage.audio_input
    plain_output = usage.output - usage.reasoning - usage.audio_output
    total = price.request * usage.requests
    for tokens, rate in (
        (max(plain_input, 0), rates["input"]),
        (usage.cached, rates["cached"]),
        (usage.cache_write, rates["cache_write"]),
        (usage.cache_write_1h, price.cache_write_1h),
        (usage.audio_input, price.audio_input),
        (max(plain_output, 0), rates["output"]),
        (usage.reasoning, price.reasoning if price.reasoning is not None else rates["output"]),
        (usage.audio_output, price.audio_output),
    ):
        if tokens:
            if rate is None:
                return None
            total += rate * tokens / _MILLION
    if usage.images and price.image is not None:
        total += price.image * usage.images
    return total


def _rates(price: Price, input_tokens: int) -> dict[str, Decimal | None]:
    rates = {
        "input": price.input,
        "output": price.output,
        "cached": price.cached,
        "cache_write": price.cache_write,
    }
    for tier in price.tiers:
        if input_tokens > tier.above:
            for name in rates:
                value = getattr(tier, name)
                if value is not None:
                    rates[name] = value
    return rates
