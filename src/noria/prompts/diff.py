"""What differs between two contents: text by line, tokens by word, everything else by key."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from noria.prompts.tokens import METHOD, estimate
from noria.prompts.version import PromptContent, PromptMessage

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
MOST_PAIRS = 2_000_000
"""Equal pairs of two texts' parts beyond which they are shown as removed and added."""
Change = Literal["same", "added", "removed"]


class Piece(msgspec.Struct, frozen=True):
    """Words that follow one another and were treated alike."""

    change: Change
    text: str


class MessageDiff(msgspec.Struct, frozen=True, kw_only=True):
    """Messages at the same place; a role is "" where one side has none."""

    number: int
    role_before: str
    role_after: str
    change: Literal["same", "changed", "added", "removed"]
    lines: tuple[str, ...]
    """A unified diff without its head; () where nothing changed."""
    words: tuple[Piece, ...]
    tokens_before: int
    tokens_after: int


class FieldDiff(msgspec.Struct, frozen=True, kw_only=True):
    """Anything but messages; None where a side has none."""

    path: str
    before: Any
    after: Any


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    messages: tuple[MessageDiff, ...]
    fields: tuple[FieldDiff, ...]
    tokens_before: int
    tokens_after: int
    method: str = METHOD
    """How tokens were counted."""

    @property
    def same(self) -> bool:
        return not self.fields and all(one.change == "same" for one in self.messages)


def diff(before: PromptContent, after: PromptContent) -> Diff:
    """Messages are compared by place."""
    messages = tuple(
        _message(
            number,
            before.messages[number - 1] if number <= len(before.messages) else None,
            after.messages[number - 1] if number <= len(after.messages) else None,
        )
        for number in range(1, max(len(before.messages), len(after.messages)) + 1)
    )
    return Diff(
        messages=messages,
        fields=tuple(_fields(_rest(before), _rest(after), "")),
        tokens_before=sum(one.tokens_before for one in messages),
        tokens_after=sum(one.tokens_after for one in messages),
    )


def _message(number: int, before: PromptMessage | None, after: PromptMessage | None) -> MessageDiff:
    old = before.template if before is not None else ""
    new = after.template if after is not None else ""
    if before is None or after is None:
        change = "added" if before is None else "removed"
    else:
        change = "same" if before == after else "changed"
    unified = _lines(old.splitlines(), new.splitlines())
    return MessageDiff(
        number=number,
        role_before=before.role if before is not None else "",
        role_after=after.role if after is not None else "",
        change=change,
        lines=unified,
        words=() if old == new else tuple(_words(old, new)),
        tokens_before=estimate(old),
        tokens_after=estimate(new),
    )


def _lines(old: list[str], new: list[str]) -> tuple[str, ...]:
    if _hard(old, new):
        return (*(f"-{line}" for line in old), *(f"+{line}" for line in new))
    return tuple(difflib.unified_diff(old, new, lineterm="", n=3))[2:]


def _hard(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether a comparison could take seconds: difflib looks at every pair of equal parts, again and again,
    but leaves out those that are more than a hundredth of a long text."""
    many = len(new) // 100 + 1 if len(new) >= 200 else len(new)
    counts = {part: count for part, count in Counter(new).items() if count <= many}
    return sum(counts.get(part, 0) for part in old) > MOST_PAIRS


def _words(old: str, new: str) -> Iterator[Piece]:
    left, right = _WORDS.findall(old), _WORDS.findall(new)
    if _hard(left, right):
        yield Piece("removed", old)
        yield Piece("added", new)
        return
    for change, a, b, c, d in difflib.SequenceMatcher(None, left, right, autojunk=True).get_opcodes():
        if change == "equal":
            yield Piece("same", "".join(left[a:b]))
            continue
        if b > a:
            yield Piece("removed", "".join(left[a:b]))
        if d > c:
            yield Piece("added", "".join(right[c:d]))


def _rest(content: PromptContent) -> dict[str, Any]:
    values = msgspec.to_builtins(content)
    del values["messages"]
    return values


def _fields(before: Any, after: Any, path: str) -> Iterator[FieldDiff]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted({*before, *after}):
            below = f"{path}.{name}" if path else name
            yield from _fields(before.get(name), after.get(name), below)
    elif before != after:
        yield FieldDiff(path=path, before=before, after=after)
