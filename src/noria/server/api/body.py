"""What every request body must be, whatever its fields."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

_DEPTH = 50
END_OF_TIME_MS = 253_402_300_799_000
"""The last second of the year 9999, Unix milliseconds."""


class Body(BaseModel):
    """Unknown fields are mistakes, and texts are ones that every store can keep."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        _check(value, _DEPTH)
        return value


def _check(value: Any, depth: int) -> None:
    """Raises ValueError where a text has a NUL or half a character, a number is none, or it is too deep."""
    if depth == 0:
        raise ValueError(f"lists and objects may be {_DEPTH} deep at most")
    if isinstance(value, str):
        if "\0" in value or not _is_text(value):
            raise ValueError("texts must be valid Unicode without NUL characters")
    elif isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise ValueError("numbers must be finite")
    elif isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise ValueError("whole numbers must fit into 64 bits")
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check(name, depth - 1)
            _check(inner, depth - 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth - 1)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
