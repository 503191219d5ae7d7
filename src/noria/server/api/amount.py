"""Money as the API writes it: decimal strings of dollars."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from noria.errors import InvalidRequest

_MOST = Decimal(1_000_000_000)


def amount(text: str, *, param: str) -> Decimal:
    """A non-negative, finite amount of at most a billion. Raises InvalidRequest."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or not 0 <= value <= _MOST:
        raise InvalidRequest(
            f'`{param}` must be a decimal number between 0 and {_MOST}, such as "12.50".', param=param
        )
    return value


def show(value: Decimal) -> str:
    """Without an exponent and without trailing zeros."""
    return f"{value.normalize():f}"
