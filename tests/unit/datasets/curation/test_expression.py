"""The small language of `filter`."""

from __future__ import annotations

import pytest

from noria.core.example import Example
from noria.datasets.curation.expression import parse
from noria.errors import InvalidRequest

_EXAMPLE = Example(
    id="a",
    input={"question": "Where is it?", "messages": [{"role": "user", "content": "Hi"}]},
    expected="there",
    metadata={"year": 2021, "deep": {"er": None}, "a b": 1},
    tags=("refund", "de"),
)


@pytest.mark.parametrize(
    "source",
    [
        "metadata.year >= 2020",
        "2020 < metadata.year < 2022",
        '"refund" in tags and not ("fr" in tags or expected == "here")',
        "len(input.question) == 12 and words(input.question) == 3",
        'lower(input["question"]) == "where is it?"',
        'input.messages[0].content == "Hi" and input.messages[-1]["role"] == "user"',
        "metadata.none is None and metadata.deep.er.even.deeper is None",
        'metadata["a b"] in (1, 2) and metadata.year == -(-2021)',
        '"there" in text and expected is not None and group == ""',
    ],
)
def test_holds(source: str) -> None:
    assert parse(source).holds(_EXAMPLE)
    assert not parse(f"not ({source})").holds(_EXAMPLE)


@pytest.mark.parametrize(
    "source",
    [
        "__import__('os')", "open('x')", "[x for x in tags]", "lambda: 1", "id := 1", "f'{id}'", "len",
        "2 ** 10", "'a' * 1000000", "len(tags, 1)", "nothing > 1", "input.question.upper()", "tags[0:1]", "",
        "(" * 300 + ")" * 300, "x" * 5000, "b'1'", "a b", "True if id else False", "tags[id]",
    ],
)  # fmt: skip
def test_refused(source: str) -> None:
    with pytest.raises(InvalidRequest):
        parse(source)


def test_attributes_are_values_and_never_pythons() -> None:
    assert parse("input.__class__ is None").holds(_EXAMPLE)
    assert parse("metadata.keys is None and ().__class__ is None").holds(_EXAMPLE)


def test_what_cannot_be_compared_is_said() -> None:
    with pytest.raises(InvalidRequest, match="cannot be answered"):
        parse("metadata.none > 3").holds(_EXAMPLE)
