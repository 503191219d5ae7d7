from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.errors import UpstreamError
from noria.gateway.dialects.sse import MAX_EVENT, SseSplitter, data_frame, named_frame

from .generated import examples

payloads = st.lists(
    st.binary(min_size=1, max_size=30).filter(lambda data: b"\r" not in data and not data.startswith(b" ")),
    max_size=6,
)


def in_pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(stream) + 1) for cut in cuts} | {0, len(stream)})
    return [stream[start:end] for start, end in pairwise(places)]


@given(payloads, st.sampled_from([b"\n", b"\r\n", b"\r"]), st.lists(st.integers(0, 10_000), max_size=8))
@examples()
def test_any_split_gives_the_same_events(events: list[bytes], end: bytes, cuts: list[int]) -> None:
    stream = b"".join(
        b": comment" + end + b"event: x" + end
        + b"".join(b"data: " + line + end for line in event.split(b"\n"))
        + end
        for event in events
    )  # fmt: skip
    splitter = SseSplitter()
    found = [event for piece in in_pieces(stream, cuts) for event in splitter.feed(piece)]
    assert found + splitter.close() == events


def test_the_last_event_needs_no_blank_line() -> None:
    splitter = SseSplitter()
    assert splitter.feed(b"data: 1\n\ndata: 2") == [b"1"]
    assert splitter.close() == [b"2"]
    assert splitter.close() == []


def test_frames_are_read_back() -> None:
    splitter = SseSplitter()
    assert splitter.feed(data_frame(b"{}") + named_frame("ping", b"[]")) == [b"{}", b"[]"]


def test_an_endless_event_is_not_kept() -> None:
    splitter = SseSplitter()
    with pytest.raises(UpstreamError):
        for _ in range(MAX_EVENT // 2**20 + 2):
            splitter.feed(b"data: " + b"x" * 2**20)
