import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.errors import InvalidRequest
from noria.server.engine_logprobs import Token, legacy, of_item
from noria.server.engine_tools import CallFinder, as_plain, call_schema, named, parse_calls

NAMES = {"get_weather", "add"}
CALL = '{"name": "get_weather", "arguments": {"city": "Paris"}}'


@pytest.mark.parametrize(
    "text",
    [
        CALL,
        f"  {CALL}\n",
        f"```json\n{CALL}\n```",
        f"```\n{CALL}",
        f"<tool_call>\n{CALL}\n</tool_call>",
        f"[{CALL}]",
        '{"function": "get_weather", "parameters": {"city": "Paris"}}',
        '{"type": "function", "function": {"name": "get_weather", "arguments": "{\\"city\\": \\"Paris\\"}"}}',
    ],
)
def test_a_call_is_understood_in_each_form_that_small_models_write(text: str) -> None:
    calls = parse_calls(text, NAMES)
    assert calls and [(call.name, json.loads(call.arguments)) for call in calls] == [
        ("get_weather", {"city": "Paris"})
    ]


@pytest.mark.parametrize(
    "text",
    [
     "", "Hello", "{}",
     '{"name": "other", "arguments": {}}', "[1, 2]", f"{CALL} and so on", '{"name": "add"}',
     '{"city": "Paris"}', "{" * 3000],
)  # fmt: skip
def test_what_is_no_call_stays_text(text: str) -> None:
    assert parse_calls(text, NAMES) is None


def test_several_calls_one_after_another() -> None:
    calls = parse_calls(f'{CALL}\n{{"name": "add", "arguments": {{"a": 1}}}}', NAMES)
    assert calls and [call.name for call in calls] == ["get_weather", "add"]


pieces = st.lists(
    st.sampled_from(
        ["Hello", " ", "\n", "`", "``", "```json\n", "{", "}", "[", "<tool", "_call>", CALL, "ä"]
    ),
    max_size=12,
)


@given(pieces, st.integers(1, 5))
def test_streamed_text_is_never_lost_and_calls_are_those_of_the_whole(parts: list[str], step: int) -> None:
    text = "".join(parts)
    streamed, whole = CallFinder(NAMES), CallFinder(NAMES)
    shown = "".join(streamed.feed(text[at : at + step]) for at in range(0, len(text), step))
    rest, calls = streamed.close()
    whole_shown = whole.feed(text)
    whole_rest, whole_calls = whole.close()
    assert [call.name for call in calls] == [call.name for call in whole_calls]
    assert shown + rest == whole_shown + whole_rest
    if not calls:
        assert shown + rest == text


def test_plain_text_is_shown_at_once_and_a_call_after_it_is_found() -> None:
    finder = CallFinder(NAMES)
    assert finder.feed("Sure") == "Sure"
    assert finder.feed(", here:\n") == ", here:\n"
    assert finder.feed("```json\n" + CALL) == ""
    rest, calls = finder.close()
    assert rest == "" and calls[0].name == "get_weather"


def test_history_with_calls_becomes_text() -> None:
    plain = as_plain(
        [
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}]},
            {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "2"}]},
        ]
    )  # fmt: skip
    assert plain[1] == {"role": "assistant", "content": '{"name": "add", "arguments": {"a": 1}}'}
    assert plain[2] == {"role": "user", "content": "The function returned: 2"}


def test_tools_must_be_functions_with_names() -> None:
    with pytest.raises(InvalidRequest):
        named([{"type": "function"}])
    functions = named(
        [{"function": {"name": "a"}}, {"function": {"name": "b", "parameters": {"type": "object"}}}]
    )
    assert len(call_schema(functions)["anyOf"]) == 2


def test_legacy_logprobs_count_characters_and_escape_broken_bytes() -> None:
    smile = "😀".encode()
    tokens = [
        Token(1, b"a"),
        Token(2, smile[:2], -1.0, ((smile[:2], -1.0),)),
        Token(3, smile[2:], -2.0, ((b"x", -0.5),)),
        of_item({"id": 4, "bytes": [98], "logprob": -3.0, "top_logprobs": []}, b""),
    ]
    made = legacy(tokens, 1, offset=5)
    assert made["tokens"] == ["a", "bytes:\\xf0\\x9f", "bytes:\\x98\\x80", "b"]
    assert made["text_offset"] == [5, 6, 6, 7]
    assert made["token_logprobs"] == [None, -1.0, -2.0, -3.0]
    assert made["top_logprobs"][2] == {"x": -0.5, "bytes:\\x98\\x80": -2.0}
    assert made["top_logprobs"][0] is None
    assert legacy(tokens, 0, offset=0)["top_logprobs"] is None
