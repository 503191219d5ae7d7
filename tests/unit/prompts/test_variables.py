"""Variables are judged as jsonschema judges them, and are never coerced."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from noria.errors import InvalidRequest
from noria.prompts.variables import check_schema, completed

_VALUES = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 2, -1, 1.0, 1.5, "", "a", "abc", "1"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("xyz"), inner, max_size=3)
    ),
    max_leaves=5,
)
_KINDS = st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"])


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "type": st.one_of(_KINDS, st.lists(_KINDS, min_size=1, max_size=2, unique=True)),
            "properties": st.dictionaries(st.sampled_from("xyz"), inner, max_size=2),
            "required": st.lists(st.sampled_from("xyz"), max_size=2, unique=True),
            "additionalProperties": st.one_of(st.booleans(), inner),
            "items": inner,
            "enum": st.lists(_VALUES, min_size=1, max_size=3),
            "const": _VALUES,
            "minimum": st.integers(-1, 2),
            "exclusiveMaximum": st.integers(-1, 2),
            "minLength": st.integers(0, 2),
            "maxLength": st.integers(0, 2),
            "minItems": st.integers(0, 2),
            "maxItems": st.integers(0, 2),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
        },
    )


_SCHEMAS = st.recursive(st.one_of(st.booleans(), _schemas(st.just({}))), _schemas, max_leaves=5)


@settings(max_examples=300, deadline=None)
@given(_SCHEMAS, _VALUES)
def test_equal_to_jsonschema(schema: Any, value: Any) -> None:
    whole = {"type": "object", "properties": {"v": schema}}
    check_schema(whole)
    theirs = Draft202012Validator(whole).is_valid({"v": value})
    try:
        assert completed(whole, {"v": value}) == {"v": value}
        assert theirs
    except InvalidRequest as error:
        assert not theirs, error.message
        assert error.message.endswith(".") and "v" in error.message


def test_defaults_are_given_and_missing_ones_named() -> None:
    schema = {
        "properties": {"a": {"type": "string"}, "b": {"type": "integer", "default": 3}},
        "required": ["a"], "additionalProperties": False,
    }  # fmt: skip
    assert completed(schema, {"a": "x"}) == {"a": "x", "b": 3}
    for given_, words in (({}, "'a' is missing"), ({"a": 1}, "must be string, not integer"),
                          ({"a": "x", "c": 1}, "no variable 'c'; there are a, b")):  # fmt: skip
        with pytest.raises(InvalidRequest, match=words):
            completed(schema, given_)
    assert completed({}, {"anything": 1}) == {"anything": 1}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array"}, {"properties": 3}, {"properties": {"a": 3}},
        {"properties": {"a": {"pattern": "x"}}},
        {"properties": {"a": {"$ref": "#"}}}, {"properties": {"a": {"type": "text"}}}, {"required": "a"},
        {"properties": {"a": {"minimum": "1"}}}, {"properties": {"a": {"enum": []}}},
        {"properties": {"a": {"anyOf": []}}}, {"properties": {"a": {"items": [1]}}}, {"allOf": []},
    ],
)  # fmt: skip
def test_schemas_that_are_not_understood_are_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=r"variables"):
        check_schema(schema)
