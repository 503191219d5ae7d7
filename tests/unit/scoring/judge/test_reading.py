"""What a judge says is understood as far as it is clear, and otherwise not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.errors import ConfigError
from noria.scoring.judge.reading import listed, objects, verdict
from noria.scoring.judge.scale import Scale, scale_of

YES_NO, FIVE = scale_of("yes_no"), scale_of("1-5")
PLACES = Scale(categories=("A", "B", "tie"))


@pytest.mark.parametrize(
    ("text", "scale", "value"),
    [
        ('{"reason": "fine", "verdict": "yes"}', YES_NO, True),
        ('{"reason": "fine", "verdict": false}', YES_NO, False),
        ('Here it is:\n```json\n{"reason": "x", "verdict": "No"}\n```\nDone.', YES_NO, False),
        ('{"thought": {"verdict": "no"}} {"verdict": "yes"}', YES_NO, True),
        ("Yes.", YES_NO, True),
        ("No, because it is wrong.", YES_NO, False),
        ("**Verdict:** yes", YES_NO, True),
        ("The verdict is no. Or the verdict is yes.", YES_NO, None),
        ("It depends.", YES_NO, None),
        ("", YES_NO, None),
        ('{"verdict": "perhaps"}', YES_NO, None),
        ('{"verdict": 4}', FIVE, 4.0),
        ('{"score": "4/5"}', FIVE, 4.0),
        ('{"verdict": 7}', FIVE, None),
        ('{"verdict": 3.5}', FIVE, None),
        ('{"verdict": true}', FIVE, None),
        ("Feedback: it is good. [RESULT] 5", FIVE, 5.0),
        ("Rating: [[3]]", FIVE, 3.0),
        ("Score: 2", FIVE, 2.0),
        ("Score: 2.5", FIVE, None),
        ("Score: 2/5", FIVE, 2.0),
        ("Of 5 points I would give it some.", FIVE, None),
        ("My final verdict is: [[B]]", PLACES, "B"),
        ('{"verdict": "TIE"}', PLACES, "tie"),
        ("[[A]] or [[B]]", PLACES, None),
        ("{" * 5000, YES_NO, None),
        ('{"verdict": ' * 3000, YES_NO, None),
    ],
)
def test_verdict(text: str, scale: Scale, value: Any) -> None:
    found = verdict(text, scale)
    assert (None if found is None else found[0]) == value


def test_the_reason_is_kept() -> None:
    assert verdict('{"reason": "too short", "verdict": 2}', FIVE) == (2.0, "too short")


@given(st.text(max_size=300))
def test_nothing_breaks_it(text: str) -> None:
    for scale in (YES_NO, FIVE, PLACES):
        found = verdict(text, scale)
        assert found is None or found[0] is not None
    listed(text)


@given(
    st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=5)),
    st.text("ab \n", max_size=9),
)
def test_an_object_is_found_among_words(value: dict[str, Any], words: str) -> None:
    assert objects(f"{words}{json.dumps(value)}{words}") == [value]


def test_listed() -> None:
    text = '{"items": [{"item": "a", "verdict": "yes"}, {"item": "b", "reason": "not so", "verdict": false}]}'
    assert listed(text) == [("a", True, ""), ("b", False, "not so")]
    assert listed('{"items": []}') == []
    assert listed('{"items": [{"item": "a", "verdict": "perhaps"}]}') is None
    assert listed('{"items": ["a"]}') is None
    assert listed("nothing") is None


@pytest.mark.parametrize(
    ("text", "categories"),
    [("5-1", ()), ("1-1", ()), ("good", ()), ("categories", ("a",)), ("categories", ("a", "A"))],
)
def test_what_is_no_scale(text: str, categories: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError):
        scale_of(text, categories)
