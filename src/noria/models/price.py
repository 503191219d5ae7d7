"""What a model costs. Rates are US dollars for one million tokens unless they say otherwise."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Tier(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Rates that apply to the whole call when its input is longer than `above` tokens."""

    above: int
    input: Decimal | None = None
    output: Decimal | None = None
    cached: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None


class Price(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A dated price. A rate of None is unknown, and a call that needs it has no known cost;
    a rate of 0 is free, and was said to be. `cached` and the cache writes default to the input rate only
    when `cache_rates_known` is true."""

    id: str
    """Identifies this price and its date; is on every span that it priced."""
    input: Decimal | None = None
    output: Decimal | None = None
    cached: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    reasoning: Decimal | None = None
    """None: reasoning is priced as output, as every provider does today."""
    audio_input: Decimal | None = None
    audio_output: Decimal | None = None
    image: Decimal | None = None
    """Dollars an image; None: images are priced as the tokens that they report."""
    request: Decimal = Decimal(0)
    """Dollars a call."""
    tiers: tuple[Tier, ...] = ()
    """Ascending by `above`."""
    date: str | None = None
    """When it was last known to be right, ISO 8601."""
    source: str | None = None


FREE = Price(id="free", input=Decimal(0), output=Decimal(0), cached=Decimal(0), cache_write=Decimal(0))
