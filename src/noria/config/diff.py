"""What would change from one Config to another, and what each change does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from noria.config.config import COLLECTIONS, Config
from noria.config.effect import effect_of
from noria.config.exposure import weakens

Path = tuple[str, ...]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One difference, of a whole entry that comes or goes or of one key in it."""

    kind: Literal["added", "changed", "removed"]
    path: Path
    """Keys from the top: ("routes", "fast", "retries")."""
    before: Any = None
    """As TOML would hold it; None: not there, so the default applied."""
    after: Any = None
    effect: str
    """What it does, in a sentence."""
    weakens: str = ""
    """How it makes Noria less safe, in a sentence; "": it does not."""


def plan(old: Config | None, new: Config) -> list[Change]:
    """The changes that `new` makes, in the order of the sections; `old` None: nothing runs yet.

    What is the same but written otherwise is no change.
    """
    before = {} if old is None else old.written()
    after = new.written()
    found: list[Change] = []
    for section in Config.model_fields:
        base: Path = (section,)
        if section in COLLECTIONS:
            found += _entries(base, before.get(section, {}), after.get(section, {}), old, new)
        else:
            found += _keys(base, before.get(section, {}), after.get(section, {}), old, new)
    return found


def _entries(
    base: Path, before: dict[str, Any], after: dict[str, Any], old: Config | None, new: Config
) -> Iterator[Change]:
    for name in dict.fromkeys([*before, *after]):
        path = (*base, name)
        if name not in before or name not in after:
            yield _change(path, before.get(name), after.get(name), old, new)
        else:
            yield from _keys(path, before[name], after[name], old, new)


def _keys(
    base: Path, before: dict[str, Any], after: dict[str, Any], old: Config | None, new: Config
) -> Iterator[Change]:
    """Of two tables, key by key; arrays are compared whole."""
    for key in dict.fromkeys([*before, *after]):
        path = (*base, key)
        was, will = before.get(key), after.get(key)
        if was == will:
            continue
        if isinstance(was, dict) and isinstance(will, dict):
            yield from _keys(path, was, will, old, new)
        else:
            yield _change(path, was, will, old, new)


def _change(path: Path, before: Any, after: Any, old: Config | None, new: Config) -> Change:
    kind = "added" if before is None else "removed" if after is None else "changed"
    return Change(
        kind=kind,
        path=path,
        before=before,
        after=after,
        effect=effect_of(kind, path, before, after),
        weakens=weakens(path, old, new),
    )
