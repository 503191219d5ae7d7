"""What may be said, and of what."""

from __future__ import annotations

from typing import Any

import pytest

from noria.errors import InvalidRequest
from noria.feedback.giving import Draft, checked

TRACE = "0" * 31 + "1"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"kind": "thumb"}, "true"),
        ({"kind": "thumb", "value": 1}, "true"),
        ({"kind": "score", "value": True}, "finite"),
        ({"kind": "score", "value": float("nan")}, "finite"),
        ({"kind": "score", "value": "4"}, "finite"),
        ({"kind": "choice", "value": " "}, "word"),
        ({"kind": "choice", "value": "x" * 201}, "word"),
        ({"kind": "comment"}, "says something"),
        ({"kind": "correction", "value": ""}, "should have been said"),
        ({"kind": "demonstration", "value": 3}, "should have been said"),
        ({"kind": "vote", "value": True}, "one of thumb"),
        ({"kind": "thumb", "value": True, "trace": "xyz"}, "32 lower-case"),
        ({"kind": "thumb", "value": True, "trace": "", "span": "0" * 15 + "1"}, "together with its trace"),
        ({"kind": "thumb", "value": True, "trace": ""}, "Say what the feedback is about"),
        ({"kind": "comment", "comment": "x", "metadata": {"x": "y" * 200_001}}, "larger"),
    ],
)
def test_what_says_nothing_is_refused_in_a_sentence(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        checked(Draft(**{"trace": TRACE, **fields}))


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "thumb", "value": False, "trace": TRACE, "span": "0" * 15 + "1"},
        {"kind": "score", "value": 4, "session": "s"},
        {"kind": "choice", "value": "refund", "episode": "e"},
        {"kind": "correction", "value": "Paris.", "trace": TRACE},
        {"kind": "demonstration", "value": [{"role": "user", "content": "hi"}], "trace": TRACE},
    ],
)
def test_what_says_something_is_taken(fields: dict[str, Any]) -> None:
    assert checked(Draft(**fields)) == fields["kind"]
