"""Which columns of a record become which parts of an Example."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as AnyMapping
from typing import Any

import msgspec

from noria.core.example import Example, Fields
from noria.datasets.chats import Unreadable, chat_of, is_chat
from noria.datasets.columns import example_of_columns, is_columns
from noria.datasets.record import Problem, Record
from noria.errors import InvalidRequest

LINE = "#"
"""Instead of a column of ids: records are told apart by where they stand, also those of equal content."""
_PARTS = frozenset(Example.__struct_fields__)
_LONGEST_ID = 200
_canonical = msgspec.json.Encoder(order="deterministic").encode


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A column is named as it is, or as a path into it: "answers.text.0".

    Without `input`, a record must say itself what it is: Noria's own form, or a chat.
    """

    input: dict[str, str] = {}
    """Name of a variable to column."""
    expected: str = ""
    metadata: dict[str, str] | None = None
    """Name to column; None: every column that is not used otherwise, under its own name."""
    tags: tuple[str, ...] = ()
    """Columns whose values become tags; a list gives several."""
    group: str = ""
    id: str = ""
    """LINE: the file's name and the line's number. Left out, the id is a hash of the content, so that the
    same record is the same example."""

    def __post_init__(self) -> None:
        if not self.input and self.metadata is not None:
            raise ValueError("`metadata` is chosen only together with `input`")

    def example(self, record: Record, *, tags: tuple[str, ...] = ()) -> Example | Problem:
        """`tags` are added to those of the record."""
        try:
            made = self._example(record)
        except Unreadable as error:
            return Problem(record.file, record.line, str(error))
        if self.id == LINE:
            made = msgspec.structs.replace(made, id=f"{record.file}#{record.line:09}")
        all_tags = tuple(dict.fromkeys((*made.tags, *record.tags, *tags)))
        source = made.source or f"file:{record.file}"
        made = msgspec.structs.replace(made, tags=all_tags, source=source)
        return made if made.id else msgspec.structs.replace(made, id=content_id(made))

    def _example(self, record: Record) -> Example:
        values = record.values
        if self.input:
            return self._mapped(values)
        if is_columns(values):
            return _checked(example_of_columns(values))
        if is_chat(values):
            return self._chat(values)
        if isinstance(values.get("input"), dict) and values.keys() <= _PARTS:
            return _own(values)
        columns = ", ".join(list(values)[:20])
        raise Unreadable(f"Say which columns are the input (the record has {columns}).")

    def _mapped(self, values: AnyMapping[str, Any]) -> Example:
        input = {name: _need(values, column) for name, column in self.input.items()}
        used = {*self.input.values(), self.expected, *self.tags, self.group, self.id}
        return Example(
            id=self._id(values),
            input=input,
            expected=_need(values, self.expected) if self.expected else None,
            metadata=self._metadata(values, used),
            tags=self._tags(values),
            group=self._group(values),
        )

    def _chat(self, values: AnyMapping[str, Any]) -> Example:
        chat = chat_of(values)
        used = {*chat.used, *self.tags, self.group, self.id}
        return Example(
            id=self._id(values),
            input=chat.input,
            expected=_need(values, self.expected) if self.expected else chat.expected,
            metadata={**self._metadata(values, used), **chat.metadata},
            tags=self._tags(values),
            group=self._group(values),
        )

    def _metadata(self, values: AnyMapping[str, Any], used: set[str]) -> Fields:
        if self.metadata is None:
            heads = {column if column in values else column.partition(".")[0] for column in used}
            return {name: value for name, value in values.items() if name not in heads}
        found = {name: _find(values, column) for name, column in self.metadata.items()}
        return {name: value for name, value in found.items() if value is not _ABSENT}

    def _tags(self, values: AnyMapping[str, Any]) -> tuple[str, ...]:
        found: list[str] = []
        for column in self.tags:
            value = _find(values, column)
            many = value if isinstance(value, list) else [] if value in (None, _ABSENT, "") else [value]
            found += [_text(one) for one in many]
        return tuple(found)

    def _group(self, values: AnyMapping[str, Any]) -> str:
        return _text(_need(values, self.group)) if self.group else ""

    def _id(self, values: AnyMapping[str, Any]) -> str:
        if self.id in ("", LINE):
            return ""
        id = _text(_need(values, self.id))
        check_id(id)
        return id


def check_id(id: str) -> None:
    """Raises Unreadable."""
    if not id or len(id) > _LONGEST_ID or not id.isprintable():
        raise Unreadable(f"The id must be 1 to {_LONGEST_ID} printable characters.")


def content_id(example: Example) -> str:
    """Of all but the id and the source: 96 bits of a hash."""
    parts = [example.input, example.expected, example.metadata, example.tags, example.group]
    return hashlib.sha256(_canonical(parts)).hexdigest()[:24]


def parse_mapping(text: str) -> Mapping:
    """From JSON. Raises InvalidRequest."""
    try:
        return msgspec.json.decode(text or "{}", type=Mapping)
    except (msgspec.MsgspecError, UnicodeEncodeError) as error:
        raise InvalidRequest(f"The mapping of columns is wrong: {error}.", param="mapping") from None


def _own(values: AnyMapping[str, Any]) -> Example:
    try:
        return _checked(msgspec.convert({"id": "", **values}, Example))
    except msgspec.ValidationError as error:
        raise Unreadable(f"The record is not an Example: {error}.") from None


def _checked(example: Example) -> Example:
    if example.id:
        check_id(example.id)
    return example


_ABSENT = object()


def _need(values: AnyMapping[str, Any], column: str) -> Any:
    found = _find(values, column)
    if found is _ABSENT:
        columns = ", ".join(list(values)[:20])
        raise Unreadable(f"There is no column {column!r} (the record has {columns}).")
    return found


def _find(values: AnyMapping[str, Any], column: str) -> Any:
    if column in values:
        return values[column]
    found: Any = values
    for part in column.split("."):
        if isinstance(found, dict) and part in found:
            found = found[part]
        elif isinstance(found, list) and part.isdecimal() and len(part) < 10 and int(part) < len(found):
            found = found[int(part)]
        else:
            return _ABSENT
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value, order="sorted").decode()
