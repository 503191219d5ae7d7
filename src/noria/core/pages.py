"""Lists are read in pages by an opaque cursor."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some items in order, and where to go on; `next` is None on the last page."""

    items: tuple[T, ...]
    next: str | None = None
    total: int | None = None
    """How many match in all, where that is cheap to know."""
