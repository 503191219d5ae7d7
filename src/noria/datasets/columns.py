"""Examples as the columns of a table, without loss: "id", "input.question", "metadata.level:json", …

A column holds texts as they are where every example has a text there; else its name ends with ":json" and a
cell is JSON, an empty one nothing at all. Tags are JSON in CSV, whose cells are made safe for spreadsheets,
and a list in Parquet, whose cells are as they are: so the two are told apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from noria.core.example import Example
from noria.datasets.chats import Unreadable
from noria.datasets.schema import Schema

_JSON = ":json"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_LIST = "tags:json"


class Column(msgspec.Struct, frozen=True):
    """Where a cell's value lies in an example."""

    part: str
    """input, expected, metadata, tags, id, group or source."""
    name: str = ""
    text: bool = True

    @property
    def title(self) -> str:
        name = f"{self.part}.{self.name}" if self.name else self.part
        return name if self.text else name + _JSON

    def cell(self, example: Example) -> str:
        """The text of the example's cell."""
        value: Any = getattr(example, self.part)
        if self.name:
            if self.name not in value:
                return ""
            value = value[self.name]
        elif self.part == "expected" and value is None:
            return ""
        return value if self.text else msgspec.json.encode(value).decode()


def columns(schema: Schema) -> list[Column]:
    """Of examples of which this schema was inferred; fields that it does not name share one column."""
    found = [Column("id")]
    for part in ("input", "metadata"):
        inner: Schema = schema.get("properties", {}).get(part, {})
        properties: dict[str, Schema] = inner.get("properties", {})
        closed = bool(properties) or "properties" in inner
        if not closed or any(not name or name.endswith(_JSON) for name in properties):
            found.append(Column(part, text=False))
            continue
        required = set(inner.get("required", ()))
        for name in properties:
            text = name in required and properties[name].get("type") == "string"
            found.append(Column(part, name, text))
    text = "expected" in schema.get("required", ()) and (
        schema.get("properties", {}).get("expected", {}).get("type") == "string"
    )
    found.append(Column("expected", text=text))
    return [*found, Column("tags", text=False), Column("group"), Column("source")]


def safe(cell: str) -> str:
    """A cell that starts as a formula would be run by a spreadsheet: CWE-1236."""
    return "'" + cell if cell.startswith(_FORMULA) or cell.startswith("'") else cell


def is_columns(values: Mapping[str, Any]) -> bool:
    """Whether a record is a row of such a table."""
    tagged = _LIST in values or isinstance(values.get("tags"), list)
    return tagged and ("input:json" in values or any(name.startswith("input.") for name in values))


def example_of_columns(values: Mapping[str, Any]) -> Example:
    """The inverse of `cell`, and of `safe`. Raises Unreadable."""
    made: dict[str, Any] = {"id": "", "input": {}, "metadata": {}}
    escaped = _LIST in values
    for title, cell in values.items():
        if title == "tags":
            made["tags"] = cell
            continue
        if not isinstance(cell, str):
            raise Unreadable(f"The column {title!r} must hold texts.")
        path, text = title.removesuffix(_JSON), not title.endswith(_JSON)
        part, _, name = path.partition(".")
        value: Any = cell.removeprefix("'") if escaped else cell
        if not text:
            if not value:
                continue
            try:
                value = msgspec.json.decode(value)
            except msgspec.DecodeError as error:
                raise Unreadable(f"The column {title!r} must hold JSON ({error}).") from None
        if name and part in ("input", "metadata"):
            made[part][name] = value
        elif not name and part in Example.__struct_fields__:
            made[part] = value
        else:
            raise Unreadable(f"There is no place for the column {title!r}.")
    try:
        return msgspec.convert(made, Example)
    except msgspec.ValidationError as error:
        raise Unreadable(f"The row is not an Example: {error}.") from None
