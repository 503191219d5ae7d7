"""Which process wrote something, told apart from all others that ever had its process id."""

from __future__ import annotations

import os

_drawn: tuple[int, int] = (0, 0)
"""Process id, and the number that was drawn under it."""


def incarnation() -> int:
    """A random number from 1 to 2³²-1, the same while this process lives.

    Process ids come again: after a container starts anew, the next worker often has the id of the one before,
    and what that one left would be taken for its own.
    """
    global _drawn
    process, number = _drawn
    if process != os.getpid():
        number = int.from_bytes(os.urandom(4), "big") or 1
        _drawn = os.getpid(), number
    return number
