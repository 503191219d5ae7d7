"""Whoever does something that is recorded: an account, a key, a job, the command line."""

from __future__ import annotations

from typing import Protocol


class Author(Protocol):
    """`access.role.Principal` is one."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...
