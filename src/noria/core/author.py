"""Whoever does something that is recorded: an account, a key, a job, the command line."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Author(Protocol):
    """`access.role.Principal` is one."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...


class Recorded(msgspec.Struct, frozen=True):
    """An Author as a record names them, for what is done on their behalf later."""

    id: str
    name: str
