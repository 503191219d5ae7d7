"""One thing that `noria doctor` found."""

from __future__ import annotations

from typing import Literal

import msgspec

Level = Literal["ok", "note", "wrong"]
"""note: to know, and no fault."""


class Finding(msgspec.Struct, frozen=True):
    """One sentence of what is, one of what to do."""

    check: str
    level: Level
    what: str
    todo: str = ""
    """Empty: nothing."""
    skew_s: float | None = None
    """How far this machine's clock is ahead of a server's, where one was asked."""
