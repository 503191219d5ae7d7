"""What a revision of an example changed, field by field."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from noria.core.example import Example

_ABSENT = object()
_DEPTH = 6


class FieldChange(msgspec.Struct, frozen=True, kw_only=True):
    """`path` is such as "input.question" or "metadata.choices.2"; None stands for absent, too."""

    path: str
    kind: Literal["added", "changed", "removed"]
    before: Any = None
    after: Any = None


def field_changes(before: Example, after: Example) -> list[FieldChange]:
    """In order of path; empty where nothing but the id differs."""
    found: list[FieldChange] = []
    for name in Example.__struct_fields__:
        if name != "id":
            _compare(name, getattr(before, name), getattr(after, name), _DEPTH, found)
    return sorted(found, key=lambda change: change.path)


def _compare(path: str, before: Any, after: Any, depth: int, found: list[FieldChange]) -> None:
    if _same(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict) and depth:
        for name in {**before, **after}:
            _compare(f"{path}.{name}", before.get(name, _ABSENT), after.get(name, _ABSENT), depth - 1, found)
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple) and len(before) == len(after):
        for number, pair in enumerate(zip(before, after, strict=True)):
            _compare(f"{path}.{number}", *pair, depth - 1, found)
    elif before is _ABSENT:
        found.append(FieldChange(path=path, kind="added", after=after))
    elif after is _ABSENT:
        found.append(FieldChange(path=path, kind="removed", before=before))
    else:
        found.append(FieldChange(path=path, kind="changed", before=before, after=after))


def _same(before: Any, after: Any) -> bool:
    """As JSON tells values apart: 1, 1.0 and true are equal to Python only."""
    if type(before) is not type(after):
        return False
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(_same(before[name], after[name]) for name in before)
    if isinstance(before, list | tuple):
        return len(before) == len(after) and all(map(_same, before, after))
    return before == after
