"""Money as the API writes it: decimal strings of dollars."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from noria.errors import InvalidRequest


def amount(text: str, *, param: str, most: int = 1_000_000_000) -> Decimal:
    """A non-negative, finite amount of at most `most`. Raises InvalidRequest."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or not 0 <= value <= most:
        raise InvalidRequest(
            f'`{param}` must be a decimal number between 0 and {most}, such as "12.50".', param=param
        )
    return value


def show(value: Decimal) -> str:
    """Without an exponent and without trailing zeros."""
    return f"{value.normalize():f}"
