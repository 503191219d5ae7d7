"""Texts of an example: found, replaced, compared, and put back."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from noria.core.example import Example
from noria.datasets.curation.fields import changes, parsed, replaced, rewritten, shown, texts, undone

_CHAT = Example(
    id="a",
    input={
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]},
        ],
        "user": "Ann",
    },
    expected=["Yes", "No"],
    metadata={"n": 1},
)
_NAMES = st.text("xy.\\1", max_size=2)
_JSON = st.recursive(
    st.none() | st.integers(-3, 3) | st.text("ab.\\", max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("xy.\\1", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
_FIELDS = st.dictionaries(_NAMES, _JSON, max_size=3)


@st.composite
def _revisions(draw: st.DrawFn) -> tuple[Example, Example]:
    values: dict[str, Any] = {"input": draw(_FIELDS), "expected": draw(_JSON), "metadata": draw(_FIELDS)}
    before = Example(id="a", **values)
    name = draw(st.sampled_from(["input", "metadata", "expected", "tags"]))
    if name == "tags":
        return before, replace(before, tags=("t",))
    if name == "expected":
        return before, replace(before, expected=draw(_JSON))
    return before, replace(before, **{name: {**getattr(before, name), **draw(_FIELDS)}})


def test_the_strings_of_a_conversation_are_what_people_read() -> None:
    found = {shown(path): text for path, text in texts(_CHAT)}
    assert found == {
        "input.messages.0.content": "Hi",
        "input.messages.1.content.0.text": "Hello",
        "input.user": "Ann",
        "expected.0": "Yes",
        "expected.1": "No",
    }
    assert texts(_CHAT, ("input.user",)) == [(("input", "user"), "Ann")]
    assert texts(_CHAT, ("metadata.none", "tags", "nothing.at.all")) == []


def test_every_text_can_be_rewritten() -> None:
    after = rewritten(_CHAT, ("input", "expected"), str.upper)
    assert [text for _, text in texts(after)] == ["HI", "HELLO", "ANN", "YES", "NO"]
    assert after.input["messages"][0]["role"] == "user"
    assert _CHAT.expected == ["Yes", "No"]
    assert rewritten(_CHAT, ("input",), str) is _CHAT


def test_a_change_names_the_string() -> None:
    path = ("input", "messages", 1, "content", 0, "text")
    made = changes(_CHAT, replaced(_CHAT, {path: "Bye", ("metadata", "k"): 2}))
    assert [(one.field, one.before, one.after, one.added) for one in made] == [
        ("input.messages.1.content.0.text", "Hello", "Bye", False),
        ("metadata.k", None, 2, True),
    ]


@settings(deadline=None, max_examples=300)
@given(_revisions())
def test_changes_can_be_undone(pair: tuple[Example, Example]) -> None:
    before, after = pair
    assert undone(after, changes(before, after)) == before


@given(st.lists(st.text("a.\\", max_size=4), min_size=1, max_size=4))
def test_paths_are_read_back(parts: list[str]) -> None:
    assert parsed(shown(tuple(parts))) == tuple(parts)
