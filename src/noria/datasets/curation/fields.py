"""The texts of an example: found by field, replaced by path, and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from noria.core.example import Example

Path = tuple[str | int, ...]
TEXTS = ("input", "expected")
"""All strings that a model reads or is to write."""
_QUIET = frozenset(("role", "type", "id", "name", "tool_call_id", "url", "detail", "format"))
"""Keys of a conversation's messages whose strings are no text."""


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """One field before and after; None stands for absent as well as null."""

    field: str
    before: Any = None
    after: Any = None
    added: bool = False
    """It was not there before."""


def texts(example: Example, fields: Sequence[str] = TEXTS) -> list[tuple[Path, str]]:
    """Every non-empty string under `fields`, which are dotted: "input.question", "metadata.context"."""
    found: list[tuple[Path, str]] = []
    for field in fields:
        path = parsed(field)
        value = read(example, path)
        if isinstance(value, str):
            if value:
                found.append((path, value))
        elif value is not None:
            found += _strings(value, path, quiet=False)
    return found


def text_of(example: Example, fields: Sequence[str] = TEXTS) -> str:
    """All texts under `fields`, a line each."""
    found = texts(example, fields)
    return found[0][1] if len(found) == 1 else "\n".join(text for _, text in found)


def replaced(example: Example, new: Mapping[Path, Any]) -> Example:
    """The example with other values at these paths."""
    values: dict[str, Any] = {}
    for path, value in new.items():
        head, *rest = path
        whole = values[str(head)] if head in values else getattr(example, str(head))
        values[str(head)] = _put(whole, rest, value)
    return msgspec.structs.replace(example, **values) if values else example


def rewritten(example: Example, fields: Sequence[str], change: Callable[[str], str]) -> Example:
    """The example with every text under `fields` passed through `change`."""
    new = {path: after for path, text in texts(example, fields) if (after := change(text)) != text}
    return replaced(example, new) if new else example


def noted(example: Example, **values: Any) -> Example:
    """The example with more metadata."""
    return msgspec.structs.replace(example, metadata={**example.metadata, **values})


def read(example: Example, path: Path) -> Any:
    """The value at `path`; None where there is none."""
    value: Any = example
    for part in path:
        if value is example:
            value = getattr(example, str(part)) if part in Example.__struct_fields__ else None
        elif isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list | tuple) and _is_index(part) and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def changes(before: Example, after: Example) -> list[Change]:
    """What differs, down to the single string or number."""
    if before is after:
        return []
    found: list[Change] = []
    for name in Example.__struct_fields__:
        left, right = getattr(before, name), getattr(after, name)
        if left is not right and left != right:
            found += _compare(left, right, name)
    return found


def undone(example: Example, made: Sequence[Change]) -> Example:
    """The example as it was before `made`: the inverse of `changes`."""
    for change in reversed(made):
        path = parsed(change.field)
        if change.added:
            holder = read(example, path[:-1])
            less = {name: value for name, value in holder.items() if name != path[-1]}
            example = replaced(example, {path[:-1]: less})
        else:
            example = replaced(example, {path: change.before})
    return example


def shown(path: Path) -> str:
    """As people read it, and `parsed` reads back: `input.messages.0.content`."""
    return ".".join(str(part).replace("\\", "\\\\").replace(".", "\\.") for part in path)


@lru_cache(maxsize=4096)
def parsed(field: str) -> Path:
    """The path of what `shown` wrote."""
    parts = [""]
    escaped = False
    for letter in field:
        if escaped or letter not in ".\\":
            parts[-1] += letter
            escaped = False
        elif letter == "\\":
            escaped = True
        else:
            parts.append("")
    return tuple(parts)


def _strings(value: Any, path: Path, *, quiet: bool) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        if value:
            yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if not (quiet and name in _QUIET):
                yield from _strings(inner, (*path, name), quiet=quiet or name == "messages")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _strings(inner, (*path, index), quiet=quiet)


def _put(whole: Any, path: Sequence[str | int], value: Any) -> Any:
    if not path:
        return value
    head, *rest = path
    if isinstance(whole, dict):
        return {**whole, head: _put(whole.get(head), rest, value)}
    copy = list(whole)
    copy[int(head)] = _put(copy[int(head)], rest, value)
    return tuple(copy) if isinstance(whole, tuple) else copy


def _compare(left: Any, right: Any, field: str) -> Iterator[Change]:
    if isinstance(left, dict) and isinstance(right, dict) and left.keys() <= right.keys():
        for name in right:
            inner = f"{field}.{shown((name,))}"
            if name not in left:
                yield Change(inner, after=right[name], added=True)
            elif left[name] is not right[name] and left[name] != right[name]:
                yield from _compare(left[name], right[name], inner)
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            if one is not other and one != other:
                yield from _compare(one, other, f"{field}.{index}")
    else:
        yield Change(field, before=left, after=right)


def _is_index(part: str | int) -> bool:
    return isinstance(part, int) or (part.isdecimal() and len(part) < 10)
