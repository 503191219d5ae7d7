"""Money is a Decimal of US dollars; counters hold it as int64 nano-dollars, always rounded up."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

NANO = Decimal(1_000_000_000)


def to_nano(amount: Decimal) -> int:
    """Nano-dollars, rounded up, so that a counter never holds less than what was spent."""
    return int((amount * NANO).to_integral_value(rounding=ROUND_CEILING))


def from_nano(nano: int) -> Decimal:
    """Dollars of a counter's value."""
    return Decimal(nano) / NANO
