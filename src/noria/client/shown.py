"""Arguments and results as JSON of bounded size, whatever they are.

Nothing is walked beyond its bound, and values under a name that says it is a secret are left out.
"""

from __future__ import annotations

import dataclasses
import re
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite
from pathlib import PurePath
from typing import Any
from uuid import UUID

import msgspec

LIMIT = 32_768
"""Characters of one side of a span."""
_DEPTH = 8
_ITEMS = 1_000
"""Of one list or mapping."""
_REPR = 500
_CUT = "…"
HIDDEN = "[hidden]"
_SECRET = re.compile(
    r"(^|_)(password|passwd|secret|api_?key|authorization|credentials?|token)$", re.IGNORECASE
)
_encode = msgspec.json.Encoder().encode


class _Room:
    """Characters that are left."""

    def __init__(self, limit: int) -> None:
        self.left = limit

    def text(self, value: str) -> str:
        """As much as there is room for."""
        shown = value if len(value) <= self.left else value[: max(self.left, 0)] + _CUT
        self.left -= len(shown)
        return shown


def as_text(value: Any, limit: int = LIMIT) -> str:
    """A text as it is, anything else as JSON; cut at about `limit` characters."""
    room = _Room(limit)
    if isinstance(value, str):
        return room.text(value)
    return _encode(_shown(value, room, 0)).decode()


def _shown(value: Any, room: _Room, depth: int) -> Any:
    try:
        return _plain(value, room, depth)
    except (
        Exception
    ):  # Other people's properties, iterators and __repr__: showing must not break the program.
        return f"<{type(value).__qualname__}>"


def _plain(value: Any, room: _Room, depth: int) -> Any:
    room.left -= 4
    if room.left <= 0 or depth > _DEPTH:
        return _CUT
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return _plain(value.value, room, depth + 1)
    if isinstance(value, int):
        return value if abs(value) < 1 << 63 else room.text(str(value)[:_REPR])
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, str):
        return room.text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if isinstance(value, Decimal | datetime | date | time | timedelta | UUID | PurePath):
        return room.text(str(value))
    if isinstance(value, Mapping):
        return _mapping(((str(name), item) for name, item in value.items()), room, depth)
    if isinstance(value, list | tuple | set | frozenset | deque):
        return _list(value, room, depth)
    fields = _fields(value)
    if fields is not None:
        return _mapping(((name, getattr(value, name, None)) for name in fields), room, depth)
    return room.text(repr(value)[:_REPR])


def _mapping(items: Iterable[tuple[str, Any]], room: _Room, depth: int) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, item in items:
        if room.left <= 0 or len(shown) >= _ITEMS:
            shown[_CUT] = _CUT
            break
        shown[room.text(name)] = HIDDEN if _SECRET.search(name) else _shown(item, room, depth + 1)
    return shown


def _list(items: Iterable[Any], room: _Room, depth: int) -> list[Any]:
    shown: list[Any] = []
    for item in items:
        if room.left <= 0 or len(shown) >= _ITEMS:
            shown.append(_CUT)
            break
        shown.append(_shown(item, room, depth + 1))
    return shown


def _fields(value: Any) -> tuple[str, ...] | None:
    """Names of the fields of dataclasses, msgspec's Structs and pydantic's models."""
    kind = type(value)
    if dataclasses.is_dataclass(value):
        return tuple(field.name for field in dataclasses.fields(value))
    names = getattr(kind, "__struct_fields__", None) or getattr(kind, "__pydantic_fields__", None)
    return tuple(names) if names else None
