import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.core.usage import Usage
from noria.tracing.assemble import attempt_span, call_span, owner_of, to_pico, unconfirmed_attempt
from noria.tracing.critical_path import critical_path
from noria.tracing.frames import whole
from noria.tracing.histogram import bin_of, merge, pack, quantiles, unpack_into, value_of
from noria.tracing.record import Attempt, Begin, Call
from noria.tracing.span import Span
from noria.tracing.words import first_words, words

NOW = 1_795_176_000_000_000_000


def call(**more: object) -> Call:
    fields: dict[str, object] = {
        "trace": b"t" * 16, "span": b"r" * 8, "parent": b"", "start": NOW, "end": NOW + 5,
        "operation": "chat",
        "dialect": "openai", "route": "smart", "model": "smart",
        "target": "openai/gpt-4o", "status": 200,
        "stream": False, "key": "k", "project": "", "team": "t", "user": "u", "session": "s", "episode": "",
        "tags": {}, "cache": "off", "attempts": 1, "usage": None, "cost": None, "first_token": 0,
        "stop_reason": "stop", "error_kind": "", "error": "", "config": "c",
    } | more  # fmt: skip
    return Call(**fields)  # pyright: ignore


def test_a_call_and_its_attempt() -> None:
    whole_call = call(cost="0.0000125", usage=Usage(input=3, output=2, cached=1, provenance="reported"))
    span = call_span(whole_call)
    assert (span.name, span.kind, span.status, span.project) == ("chat smart", "server", "ok", "default")
    assert (span.cost_pico, span.input_tokens, span.cached_tokens, span.usage) == (
        12_500_000,
        3,
        1,
        "reported",
    )
    attempt = Attempt(
        span=b"a" * 8, start=NOW, end=NOW + 4, target="openai/gpt-4o", provider="openai", model="gpt-4o-2024",
        dialect="openai", outcome="abandoned",
    )  # fmt: skip
    below = attempt_span(attempt, trace=b"t" * 16, root=b"r" * 8, owner=owner_of(whole_call))
    assert (below.name, below.kind, below.parent_id, below.status) == (
        "chat gpt-4o-2024",
        "client",
        b"r" * 8,
        "error",
    )
    assert (below.error_kind, below.team, below.cost_pico, below.input_tokens) == (
        "abandoned",
        "t",
        None,
        None,
    )


def test_a_cost_is_right_or_unknown() -> None:
    assert call_span(call()).cost_pico is None
    assert call_span(call(attempts=0, status=400, error_kind="invalid_request")).cost_pico == 0
    begin = Begin(
        trace=b"t" * 16,
        root=b"r" * 8,
        span=b"s" * 8,
        at=NOW,
        key="",
        route="",
        target="a/b",
        price="",
        bound_nano=7,
    )
    assert unconfirmed_attempt(begin, at=NOW).cost_pico == 7_000
    assert to_pico("0.0000000000005") == 0 and to_pico("0.0000000000015") == 2


CHAT = b"".join(
    b"data: %s\n\n" % json.dumps({"choices": [{"index": 0, "delta": d, "finish_reason": s}]}).encode()
    for d, s in [
        ({"role": "assistant", "content": "Hel"}, None), ({"content": "lo"}, None),
        ({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"a"'}}]}, None),
        ({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}, None), ({}, "tool_calls"),
    ]
) + b"data: [DONE]\n\ndata: {bro"  # fmt: skip


def test_a_streamed_answer_reads_as_one_piece() -> None:
    (choice,) = json.loads(whole(CHAT) or "")["choices"]
    assert choice["message"]["content"] == "Hello" and choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"a":1}'}
    span = call_span(call(stream=True, response=CHAT))
    assert "Hello" in words(span.output) and span.attributes["noria.response.frames"] == CHAT.decode()
    anthropic = (
        b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
        b'"content_block":{"type":"text","text":""}}\n\n'
        b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}\n\n'
        b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n'
    )
    assert json.loads(whole(anthropic) or "") == {
        "role": "assistant", "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn",
    }  # fmt: skip
    responses = (
        b'data: {"type":"response.output_text.delta","delta":"x"}\n\n'
        b'data: {"type":"response.completed","response":{"id":"r"}}\n\n'
    )
    assert json.loads(whole(responses) or "") == {"id": "r"}
    assert json.loads(whole(responses[:60]) or "null") == {"output_text": "x"}
    assert whole(b"hello") is None


@given(st.binary(max_size=200))
def test_no_frames_break_it(frames: bytes) -> None:
    whole(b"data: " + frames)


_NAMES = ["choices", "type", "delta", "index", "content", "content_block", "tool_calls", "function", "text"]
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4),
    max_leaves=15,
)


@given(_json)
def test_no_json_in_frames_breaks_it(value: object) -> None:
    frames = (
        b"data: "
        + json.dumps({"choices": value}).encode()
        + b"\ndata: "
        + json.dumps({"type": "content_block_delta", "delta": value}).encode()
    )
    whole(frames)
    words(json.dumps(value))
    first_words(json.dumps(value))


def test_first_words_are_the_last_that_the_user_said() -> None:
    request = json.dumps(
        {
            "model": "m",
            "messages": [
                {"role": "user", "content": "one"},
                {"role": "assistant", "content": "two"},
                {"role": "user", "content": [{"type": "text", "text": "three\nfour"}]},
                {"role": "tool", "content": "t"},
            ],
        }
    )
    assert first_words(request) == "three four"
    assert first_words('{"choices":[{"message":{"content":"answer"}}]}') == "answer"
    assert first_words("plain  text") == "plain text"
    assert first_words(None) == ""
    assert words('{"input":"embed this","model":"m"}') == "embed this"
    assert words('{"data":[{"embedding":[0.5,0.25]}]}') == ""


@given(st.lists(st.integers(1_000, 10**13), min_size=1, max_size=60))
def test_quantiles_are_within_one_percent(durations: list[int]) -> None:
    bins: dict[int, int] = {}
    for duration in durations:
        merge(bins, {bin_of(duration): 1})
    ordered = sorted(durations)
    again: dict[int, int] = {}
    unpack_into(again, pack(bins))
    assert again == bins
    for rank, found in zip((0.0, 0.5, 0.99, 1.0), quantiles(bins, 0.0, 0.5, 0.99, 1.0), strict=True):
        exact = ordered[int(rank * (len(ordered) - 1))]
        assert found == pytest.approx(exact, rel=0.0101)
    assert value_of(bin_of(1)) <= 1_000


def test_no_quantile_of_nothing() -> None:
    assert quantiles({}, 0.5) == [None]


def test_the_critical_path_is_what_was_waited_for() -> None:
    def span(id: int, parent: int, start: int, end: int) -> Span:
        return Span(
            trace_id=b"t" * 16,
            span_id=bytes([id]),
            parent_id=bytes([parent]) if parent else None,
            name="x",
            start=start,
            end=end,
        )

    spans = [
        span(1, 0, 0, 100),
        span(2, 1, 0, 40),  # before 3, waited for
        span(3, 1, 40, 90),
        span(4, 1, 10, 60),  # beside 3
        span(5, 3, 50, 89),
        span(6, 3, 41, 45),
        span(7, 1, 95, 300),  # goes on after its parent
    ]
    assert critical_path(spans) == {bytes([id]) for id in (1, 2, 3, 5, 6, 7)}
    assert critical_path([]) == set()
    circle = [span(1, 2, 0, 9), span(2, 1, 0, 9)]
    assert critical_path(circle) == set()
