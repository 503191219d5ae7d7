"""Files of prompts: what is written is read back the same, and mistakes name their place."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.errors import ConfigError
from noria.prompts.compose import normalised
from noria.prompts.file import PromptFile, full_schema, read, short_schema, write
from noria.prompts.version import PromptContent, PromptMessage

_LINES = st.one_of(
    st.sampled_from(["@user", "@@system", "@assistant ", "+++", "", "  ", "{{ x }}", "é\t", "@other", "@"]),
    st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), max_size=20),
)
_MESSAGES = st.builds(
    PromptMessage,
    role=st.sampled_from(["system", "developer", "user", "assistant"]),
    template=st.lists(_LINES, max_size=5).map("\n".join),
)
_JSON = st.recursive(
    st.one_of(st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=8), st.floats(-1e9, 1e9)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
_NAMES = st.text(st.characters(codec="ascii", categories=["Ll"]), min_size=1, max_size=6)
_KINDS = st.sampled_from(
    [{"type": "string"}, {"type": "integer", "minimum": 1}, {"enum": ["a"]}, {"default": 1}]
)
_SCHEMAS = st.one_of(
    st.just({}),
    st.dictionaries(_NAMES, _KINDS, min_size=1, max_size=3).map(full_schema),
    st.dictionaries(_NAMES, _KINDS, max_size=3).map(lambda one: {"type": "object", "properties": one}),
)
_WORDS = st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=9), max_size=2)
_FILES = st.builds(
    PromptFile,
    content=st.builds(
        PromptContent,
        messages=st.lists(_MESSAGES, min_size=1, max_size=4).map(tuple),
        variables=_SCHEMAS,
        model=st.sampled_from(["", "acme/small"]),
        parameters=st.dictionaries(_NAMES, _JSON, max_size=2),
        tools=st.lists(st.dictionaries(_NAMES, _JSON, min_size=1, max_size=2), max_size=2).map(tuple),
        response_format=st.one_of(st.none(), st.dictionaries(_NAMES, _JSON, min_size=1, max_size=2)),
    ),
    description=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    tags=_WORDS.map(tuple),
    owners=_WORDS.map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(_FILES)
def test_a_file_is_read_as_it_was_written(file: PromptFile) -> None:
    file = PromptFile(
        content=normalised(file.content), description=file.description, tags=file.tags, owners=file.owners
    )
    again = read(write(file), where="x.md")
    assert again == file and again.content.digest == file.content.digest


def test_the_short_form_of_variables() -> None:
    short = {"question": "string", "n": {"type": "integer", "default": 3}}
    full = full_schema(short)
    assert full == {
        "type": "object",
        "properties": {"question": {"type": "string"}, "n": {"type": "integer", "default": 3}},
        "required": ["question"],
        "additionalProperties": False,
    }
    assert short_schema(full) == short and full_schema(full) == full


def test_roles_and_the_lone_user_message() -> None:
    assert read("Hello\n\n", where="x").content.messages == (PromptMessage(role="user", template="Hello"),)
    text = "+++\nmodel = 'm'\n+++\n\n@system\nBe kind.\n\n@user\nHi\n@@user\n"
    found = read(text, where="x").content
    assert [(one.role, one.template) for one in found.messages] == [
        ("system", "Be kind."), ("user", "Hi\n@user"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "x.md: there is no message"),
        ("+++\nmodel = 'm'\n", "has no end"),
        ("+++\nmodel = \n+++\nx", "not valid TOML"),
        ("+++\nmodle = 'm'\n+++\nx", "unknown field `modle`"),
        ("+++\ntags = 'm'\n+++\nx", "Expected `array`"),
        ("@sytem\nx", "x.md:1: @sytem is no role"),
        ("+++\n[variables]\nday = 1979-05-27\n+++\nx", "variables.day is a value that JSON"),
        ("+++\n[parameters]\ntemperature = nan\n+++\nx", "parameters.temperature"),
    ],
)
def test_mistakes_name_their_place(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(text, where="x.md")
    assert words in str(error.value)
