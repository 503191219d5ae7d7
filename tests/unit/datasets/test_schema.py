"""Schemas that are inferred hold for what they were inferred of; declared ones name example and field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.core.example import Example
from noria.datasets.diff import field_changes
from noria.datasets.reference import Reference, parse
from noria.datasets.schema import ExampleShape, checker
from noria.errors import InvalidRequest

_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e300, 1e300)
    | st.text(st.characters(codec="utf-8"), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
_fields = st.dictionaries(st.sampled_from("abc"), _json, max_size=3)
_examples = st.lists(
    st.builds(Example, id=st.just("e"), input=_fields, expected=_json, metadata=_fields), max_size=5
)


@given(_examples, _examples)
def test_an_inferred_schema_holds_and_goes_on(first: list[Example], more: list[Example]) -> None:
    shape = ExampleShape()
    for example in first:
        shape.add(example)
    again = ExampleShape(shape.schema())
    for example in more:
        shape.add(example)
        again.add(example)
    if first:
        assert again.schema() == shape.schema()
    check = checker(shape.schema())
    for example in first + more:
        check(example)


def test_names_that_are_data_leave_an_object_open() -> None:
    shape = ExampleShape()
    for number in range(200):
        shape.add(Example(id="e", input={"q": "x"}, metadata={f"key {number}": 1}))
    schema = shape.schema()["properties"]
    assert schema["metadata"] == {"type": "object"} and schema["input"]["required"] == ["q"]


def test_a_declared_schema_names_example_and_field() -> None:
    check = checker({"properties": {"input": {"properties": {"q": {"type": "string"}}, "required": ["q"]}}})
    check(Example(id="a", input={"q": "x"}))
    with pytest.raises(
        InvalidRequest, match=r"Example 'b' breaks the dataset's schema at input\.q: the value is not"
    ):
        check(Example(id="b", input={"q": 1}))
    with pytest.raises(InvalidRequest, match='"q" is a required property'):
        check(Example(id="c", input={}))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nope"},
        {"$ref": "http://127.0.0.1:9/x"},
        {"$ref": "file:///etc/passwd"},
        {"pattern": "(?=x)"},
    ],
)
def test_what_is_no_schema_or_reaches_out_is_refused(schema: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest, match="not a JSON Schema"):
        checker(schema)


@given(_examples.filter(bool))
def test_fields_differ_exactly_where_revisions_do(examples: list[Example]) -> None:
    first, last = examples[0], examples[-1]
    assert bool(field_changes(first, last)) == (first.revision != last.revision)
    assert field_changes(first, first) == []


def test_changes_are_told_by_path() -> None:
    before = Example(id="e", input={"m": [{"t": "a"}, {"t": "b"}]}, metadata={"n": 1, "gone": 0}, tags=("x",))
    after = Example(id="e", input={"m": [{"t": "a"}, {"t": "c"}]}, metadata={"n": True}, expected="new")
    assert [(one.path, one.kind, one.before, one.after) for one in field_changes(before, after)] == [
        ("expected", "changed", None, "new"),
        ("input.m.1.t", "changed", "b", "c"),
        ("metadata.gone", "removed", 0, None),
        ("metadata.n", "changed", 1, True),
        ("tags", "changed", ("x",), ()),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a", Reference("a")),
        ("a@latest", Reference("a")),
        ("a@12", Reference("a", 12)),
        ("a.b-c@golden:test", Reference("a.b-c", golden=True, split="test")),
        ("a:train set", Reference("a", split="train set")),
    ],
)
def test_references(text: str, found: Reference) -> None:
    assert parse(text) == found == parse(str(found))


@pytest.mark.parametrize("text", ["", "@1", "a@", "a@x", "a@-1", "a:", "a/b", "a" * 65, "a@1 "])
def test_what_names_no_dataset(text: str) -> None:
    with pytest.raises(InvalidRequest, match="A dataset is named as"):
        parse(text)
