"""How a version is named: `support@production`, `support@3`, `support@latest`, `support@a-branch`."""

from __future__ import annotations

import re

import msgspec

from noria.errors import InvalidRequest

DEFAULT_LABEL = "production"
LATEST = "latest"
"""Stands for the newest version of the branch `main`; no label or branch may be called so."""
MAIN = "main"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_POINTER = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
LONGEST = 120


class Reference(msgspec.Struct, frozen=True):
    """`at` is a label, a branch, or "latest"; or else `number` is set."""

    name: str
    at: str = ""
    number: int = 0

    def __str__(self) -> str:
        return f"{self.name}@{self.number or self.at}"


def parse_reference(text: str, *, default: str = DEFAULT_LABEL) -> Reference:
    """Without an `@` it is the label `default`. Raises InvalidRequest."""
    name, mark, at = text.partition("@")
    check_name(name)
    if not mark:
        return Reference(name, default)
    if at.isascii() and at.isdigit() and len(at) <= 9 and int(at) > 0:
        return Reference(name, number=int(at))
    if len(at) > LONGEST or not _POINTER.fullmatch(at):
        raise InvalidRequest(
            f"{_shown(text)} names no version; write name@label, name@number or name@latest.", param="prompt"
        )
    return Reference(name, at)


def check_name(name: str) -> None:
    """Raises InvalidRequest where it cannot name a prompt."""
    if len(name) > LONGEST or not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"{_shown(name)} cannot name a prompt: letters, digits, dots, hyphens and underscores, at "
            f"most {LONGEST} characters.",
            param="prompt",
        )


def check_pointer(name: str, *, what: str) -> None:
    """Raises InvalidRequest where it cannot name a label or branch; `what` is one of these words."""
    if len(name) > LONGEST or not _POINTER.fullmatch(name) or name == LATEST:
        raise InvalidRequest(
            f"{_shown(name)} cannot name a {what}: it begins with a letter, goes on with letters, digits, "
            f"dots, hyphens and underscores, and is not {LATEST!r}.",
            param=what,
        )


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:80] + "…")
