"""What a stream gives to the caller, whatever the upstream does and however its bytes are cut."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.core.usage import Usage
from noria.errors import UpstreamError
from noria.gateway.glance import glance
from noria.gateway.streams import PassStream


def _chunk(**more: object) -> bytes:
    body = {"id": "c1", "object": "chat.completion.chunk", "model": "m", "choices": [], **more}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def _delta(text: str) -> bytes:
    return _chunk(choices=[{"index": 0, "delta": {"content": text}, "finish_reason": None}])


ROLE = _chunk(choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
STOP = _chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
USAGE = _chunk(usage={"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10})
DONE = b"data: [DONE]\n\n"
ERROR = b'data: {"error":{"message":"overloaded","type":"server_error"}}\n\n'
WHOLE = ROLE + _delta("a") + _delta("b") + _delta("c") + STOP + USAGE + DONE


def _run(data: bytes, cuts: list[int], *, hide: bool = False) -> tuple[bytes, PassStream]:
    stream = PassStream("openai", hide_usage=hide)
    out = b""
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in itertools.pairwise(edges):
        if start < end:
            out += stream.feed(data[start:end])
    return out + stream.close(), stream


@given(st.lists(st.integers(0, 5000), max_size=12))
def test_any_cut_gives_the_same_bytes_and_usage(cuts: list[int]) -> None:
    out, stream = _run(WHOLE, cuts)
    assert out + stream.ending == WHOLE
    assert stream.whole
    assert stream.ending.startswith(b"data: [DONE]")
    assert stream.usage() == Usage(input=7, output=3, provenance="reported")
    assert stream.stop_reason == "stop"
    assert stream.id == "c1"


ANTHROPIC: list[dict[str, object]] = [
    {"type": "message_start", "message": {"id": "c1", "usage": {"input_tokens": 7, "output_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
    {"type": "message_stop"},
]
RESPONSES: list[dict[str, object]] = [
    {"type": "response.created", "response": {"id": "c1", "status": "in_progress", "usage": None}},
    {"type": "response.output_text.delta", "delta": 'say "usage":{} twice'},
    {"type": "response.completed", "response": {"usage": {"input_tokens": 7, "output_tokens": 3}}},
]


@pytest.mark.parametrize("ends", [b"\n", b"\r\n", b"\n\r\n"])
@pytest.mark.parametrize(("dialect", "events"), [("anthropic", ANTHROPIC), ("responses", RESPONSES)])
def test_any_cut_and_any_line_ends_give_the_same_usage(
    dialect: str, events: list[dict[str, object]], ends: bytes
) -> None:
    whole = b""
    for number, event in enumerate(events):
        end = ends if len(ends) < 3 else (b"\n", b"\r\n")[number % 2]  # A proxy's frames among others.
        whole += f"event: {event['type']}".encode() + end + b"data: " + json.dumps(event).encode() + end * 2
    for cut in range(len(whole)):
        stream = PassStream(dialect, hide_usage=False)
        out = stream.feed(whole[:cut]) if cut else b""
        out += stream.feed(whole[cut:])
        assert out + stream.close() + stream.ending == whole
        assert stream.usage() == Usage(input=7, output=3, provenance="reported"), cut


def test_usage_that_a_later_frame_does_not_repeat_counts() -> None:
    _, stream = _run(ROLE + _delta("a") + USAGE + _chunk(usage=None) + DONE, [])
    assert stream.usage() == Usage(input=7, output=3, provenance="reported")


@given(st.lists(st.integers(0, 5000), max_size=12))
def test_usage_that_only_noria_asked_for_is_hidden(cuts: list[int]) -> None:
    out, stream = _run(WHOLE, cuts, hide=True)
    assert out + stream.ending == WHOLE.replace(USAGE, b"")
    assert stream.usage() == Usage(input=7, output=3, provenance="reported")


def test_nothing_is_given_away_before_the_first_content() -> None:
    stream = PassStream("openai", hide_usage=False)
    assert stream.feed(b": ping\n\n" + ROLE) == b""
    assert not stream.committed
    assert stream.feed(_delta("a")) == b": ping\n\n" + ROLE + _delta("a")
    assert stream.committed


@pytest.mark.parametrize("before", [b"", ROLE])
def test_an_error_inside_a_200_is_an_error_with_its_own_words(before: bytes) -> None:
    stream = PassStream("openai", hide_usage=False)
    with pytest.raises(UpstreamError, match="overloaded") as error:
        stream.feed(before + ERROR)
    assert error.value.kind == "server"
    assert not stream.committed


@pytest.mark.parametrize(
    ("data", "kind"), [(ROLE, "server"), (ROLE + _delta("a"), "stream"), (b"", "server")]
)
def test_a_stream_that_ends_early_is_not_whole(data: bytes, kind: str) -> None:
    stream = PassStream("openai", hide_usage=False)
    stream.feed(data)
    with pytest.raises(UpstreamError) as error:
        stream.close()
    assert error.value.kind == kind


def test_windows_line_ends_are_understood() -> None:
    out, stream = _run(WHOLE.replace(b"\n\n", b"\r\n\r\n"), [])
    assert stream.whole
    assert out.count(b"data:") + stream.ending.count(b"data:") == 7


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_but_an_upstream_error(data: bytes) -> None:
    for dialect in ("openai", "completions", "anthropic", "responses"):
        stream = PassStream(dialect, hide_usage=True)
        try:
            stream.feed(data)
            stream.close()
        except UpstreamError:
            pass


def test_an_error_in_a_whole_answer_is_an_error() -> None:
    with pytest.raises(UpstreamError, match="no capacity"):
        glance(b'{"error":{"message":"no capacity"}}')
    with pytest.raises(UpstreamError):
        glance(b"<html>")
    assert (
        glance(b'{"id":"a","model":"m","error":null,"choices":[{"finish_reason":"length"}]}').stop_reason
        == "length"
    )


def test_an_event_without_end_is_refused() -> None:
    stream = PassStream("openai", hide_usage=False)
    with pytest.raises(UpstreamError, match="16 MiB"):
        for _ in range(300):
            stream.feed(b"x" * 65_536)


def test_an_error_instead_of_a_stream_is_told_in_its_own_words() -> None:
    stream = PassStream("openai", hide_usage=False)
    assert stream.feed(b'{"error":{"message":"boom","code":500}}') == b""
    with pytest.raises(UpstreamError, match="boom"):
        stream.close()
