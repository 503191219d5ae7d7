from typing import Any

import pytest

from noria.testing.schema_value import schema_value

TREE = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#"}}},
    "required": ["name", "children"],
}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "object", "properties": {"a": {"type": "integer", "minimum": 3}}}, {"a": 3}),
        ({"enum": ["x", "y"]}, "x"),
        ({"const": None}, None),
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 2}, [True, True]),
        ({"type": "string", "minLength": 6}, "textxx"),
        ({"type": "string", "format": "date"}, "2026-01-02"),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, None),
        ({"type": ["string", "null"]}, "text"),
        ({"$defs": {"n": {"type": "number"}}, "$ref": "#/$defs/n"}, 1),
        ({"type": "integer", "exclusiveMinimum": 4}, 5),
        ({"type": "integer", "multipleOf": 5, "minimum": 7}, 10),
    ],
)
def test_a_value_of_the_schema(schema: dict[str, Any], value: Any) -> None:
    assert schema_value(schema) == value


def test_a_schema_that_holds_itself_ends() -> None:
    assert schema_value(TREE)["name"] == "text"
