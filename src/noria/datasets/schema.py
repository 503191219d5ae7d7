"""The JSON Schema of a dataset's examples: inferred from what is there, or declared and then enforced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from noria.core.example import Example
from noria.errors import InvalidRequest

Schema = dict[str, Any]
_DEPTH = 4
"""Objects further down are not looked into."""
_MOST_NAMES = 100
"""An object with more different names than this is one whose names are data."""
_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")


class Shape:
    """What values were seen at one place; `Shape.of(shape.schema())` goes on from there."""

    __slots__ = ("_depth", "_items", "_open", "_properties", "_required", "_types")

    def __init__(self, depth: int = _DEPTH) -> None:
        self._depth = depth
        self._types: set[str] = set()
        self._properties: dict[str, Shape] = {}
        self._required: set[str] | None = None
        """Names that every object had; None: no object was seen."""
        self._open = depth == 0
        self._items: Shape | None = None

    @classmethod
    def of(cls, schema: Schema, depth: int = _DEPTH) -> Shape:
        """The inverse of `schema`."""
        shape = cls(depth)
        types = schema.get("type", [])
        shape._types = {types} if isinstance(types, str) else set(types)
        if "object" in shape._types and depth:
            shape._required = set(schema.get("required", ()))
            shape._open = "properties" not in schema
            shape._properties = {
                name: cls.of(inner, depth - 1) for name, inner in schema.get("properties", {}).items()
            }
        if "items" in schema and depth:
            shape._items = cls.of(schema["items"], depth - 1)
        return shape

    def add(self, value: Any) -> None:
        """Take another value into account."""
        kind = _kind(value)
        self._types.add(kind)
        if kind == "object" and not self._open:
            self._add_names(value)
        elif kind == "array" and self._depth:
            for one in value:
                if self._items is None:
                    self._items = Shape(self._depth - 1)
                self._items.add(one)

    def _add_names(self, value: dict[str, Any]) -> None:
        names = value.keys()
        if self._required is None:
            self._required = set(names)
        elif not self._required <= names:
            self._required &= names
        for name, inner in value.items():
            shape = self._properties.get(name)
            if shape is None:
                shape = self._properties[name] = Shape(self._depth - 1)
            if type(inner) is str:
                # What most values are.
                shape._types.add("string")
            else:
                shape.add(inner)
        if len(self._properties) > _MOST_NAMES:
            self._open = True
            self._properties, self._required = {}, set()

    def schema(self) -> Schema:
        """JSON Schema, as narrow as the values allow."""
        types = [name for name in _TYPES if name in self._types]
        if "integer" in types and "number" in types:
            types.remove("integer")
        found: Schema = {}
        if types:
            found["type"] = types[0] if len(types) == 1 else types
        if "object" in types and self._depth and not self._open:
            found["properties"] = {name: inner.schema() for name, inner in sorted(self._properties.items())}
            if self._required:
                found["required"] = sorted(self._required)
        if self._items is not None:
            found["items"] = self._items.schema()
        return found


class ExampleShape:
    """The Shape of `input`, `expected` and `metadata` together."""

    def __init__(self, schema: Schema | None = None) -> None:
        """Goes on from a schema that was inferred before."""
        self._shape = Shape.of(schema) if schema else Shape()

    def add(self, example: Example) -> None:
        self._shape.add(fields(example))

    def schema(self) -> Schema:
        return self._shape.schema()


def fields(example: Example) -> dict[str, Any]:
    """What the schema is of; `expected` is left out where there is none."""
    found: dict[str, Any] = {"input": example.input, "metadata": example.metadata}
    if example.expected is not None:
        found["expected"] = example.expected
    return found


def checker(schema: Schema) -> Callable[[Example], None]:
    """A function that raises InvalidRequest, naming example and field, where one does not keep to `schema`.

    Raises InvalidRequest at once where `schema` is none.
    """
    import jsonschema_rs

    try:
        validator = jsonschema_rs.validator_for(
            # Schemas come from outside: no address is fetched, no pattern takes exponential time.
            schema,
            retriever=_refuse,
            pattern_options=jsonschema_rs.RegexOptions(),
            # What an example says is nobody's business who reads why a job has failed.
            mask="the value",
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise InvalidRequest(f"This is not a JSON Schema: {_first_line(error)}.", param="schema") from None

    def check(example: Example) -> None:
        values = fields(example)
        if validator.is_valid(values):
            return
        found = next(iter(validator.iter_errors(values)))
        where = ".".join(str(part) for part in found.instance_path) or "the example"
        raise InvalidRequest(
            f"Example {example.id!r} breaks the dataset's schema at {where}: {_first_line(found)}.",
            code="schema",
            param=where,
        )

    return check


def _refuse(address: str) -> Any:
    raise ValueError("references to other documents are not followed")


def _first_line(error: Exception) -> str:
    text = str(getattr(error, "message", error)).partition("\n")[0].rstrip(".")
    return text if len(text) <= 300 else text[:300] + "…"


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "object" if isinstance(value, dict) else "array"
