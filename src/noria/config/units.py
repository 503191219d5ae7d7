"""Durations, sizes and money, written as people write them and read without loss."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_SECONDS = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86_400),
}
_BYTES = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
    "TiB": 1 << 40,
}
_duration = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_size = re.compile(r"(\d+(?:\.\d+)?)\s*([kKMGT]?i?B)")


def seconds(text: str) -> float:
    """Seconds of "250ms", "30s", "5m", "12h" or "7d". Raises ValueError."""
    match = _duration.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'must be a duration such as "250ms", "30s", "5m", "12h" or "7d", not {text!r}')
    return float(Decimal(match[1]) * _SECONDS[match[2]])


def duration(value: float) -> str:
    """The text that `seconds` reads as `value`, in the largest unit that is whole."""
    exact = Decimal(repr(float(value)))
    if not exact:
        return "0s"
    for unit in ("d", "h", "m", "s"):
        if exact % _SECONDS[unit] == 0:
            return f"{int(exact / _SECONDS[unit])}{unit}"
    text = f"{exact * 1000:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}ms"


def size_in_bytes(text: str) -> int:
    """Bytes of "64kB", "1MiB" or "20GB". Raises ValueError."""
    match = _size.fullmatch(text.strip())
    unit = match[2].replace("KB", "kB").replace("ki", "Ki") if match else ""
    if match is None or unit not in _BYTES:
        raise ValueError(f'must be a size such as "512KiB", "32MiB" or "20GB", not {text!r}')
    found = Decimal(match[1]) * _BYTES[unit]
    if found != int(found):
        raise ValueError(f"must be a whole number of bytes, which {text!r} is not")
    return int(found)


def size(value: int) -> str:
    """The text that `size_in_bytes` reads as `value`, in the largest unit that is whole."""
    if value:
        for unit in sorted(_BYTES, key=_BYTES.__getitem__, reverse=True):
            if value % _BYTES[unit] == 0:
                return f"{value // _BYTES[unit]}{unit}"
    return f"{value}B"


def dollars(value: str | int | float | Decimal) -> Decimal:
    """US dollars of "2.50", 2.5 or 3, as written. Raises ValueError."""
    try:
        found = Decimal(value.strip().removeprefix("$")) if isinstance(value, str) else Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f'must be US dollars such as "2.50", not {value!r}') from None
    if not found.is_finite() or found < 0:
        raise ValueError(f"must be an amount of US dollars of 0 or more, not {value!r}")
    return found


def money(value: Decimal) -> str:
    """The text that `dollars` reads as `value`."""
    if value == 0:
        return "0"
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _written_duration(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError(f'must be a duration with its unit, such as "30s", not {value!r}')
    return seconds(value)


def _written_size(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError(f'must be a size with its unit, such as "32MiB", not {value!r}')
    return size_in_bytes(value)


def _written_money(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError(f'must be US dollars such as "2.50", not {value!r}')
    return dollars(value)


Duration = Annotated[
    float,
    BeforeValidator(_written_duration),
    PlainSerializer(duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?\s*(ms|s|m|h|d)$", "examples": ["30s", "5m"]}),
]
"""Seconds in the program; "250ms", "30s", "5m", "12h", "7d" in the file."""

Size = Annotated[
    int,
    BeforeValidator(_written_size),
    PlainSerializer(size, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?\s*[kKMGT]?i?B$", "examples": ["32MiB"]}),
]
"""Bytes in the program; "512KiB", "32MiB", "20GB" in the file."""

Money = Annotated[
    Decimal,
    BeforeValidator(_written_money),
    PlainSerializer(money, return_type=str),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number", "minimum": 0}], "examples": ["2.50"]}),
]
"""US dollars."""
