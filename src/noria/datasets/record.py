"""What a file holds before it is an Example: one record by column, or the reason why there is none."""

from __future__ import annotations

from typing import Any

import msgspec

LARGEST = 16 << 20
"""Bytes of one record."""


class Record(msgspec.Struct, frozen=True):
    """JSON values by column."""

    file: str
    line: int
    """From 1; of a file without lines, the number of the record."""
    values: dict[str, Any]
    tags: tuple[str, ...] = ()
    """Such as the split of a folder."""


class Problem(msgspec.Struct, frozen=True):
    """A record that is left out."""

    file: str
    line: int
    reason: str
    """One sentence; never the record's content."""


def too_large() -> str:
    return f"The record is larger than {LARGEST >> 20} MB."
