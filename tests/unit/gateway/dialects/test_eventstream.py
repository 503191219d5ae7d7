"""Event-stream framing: against botocore's reader, any split, damage."""

from __future__ import annotations

from itertools import pairwise

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.errors import UpstreamError
from noria.gateway.dialects.eventstream import Message, Splitter, encode

values = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=40) | st.binary(max_size=40)
names = st.text(st.characters(codec="ascii"), min_size=1, max_size=20)
messages = st.builds(Message, st.dictionaries(names, values, max_size=4), st.binary(max_size=200))


@settings(deadline=None)
@given(st.lists(messages, max_size=4), st.lists(st.integers(0, 2000), max_size=8))
def test_messages_come_back_from_any_split(sent: list[Message], cuts: list[int]) -> None:
    data = b"".join(map(encode, sent))
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    splitter = Splitter()
    found = [message for start, end in pairwise(edges) for message in splitter.feed(data[start:end])]
    assert found == sent
    assert splitter.empty


@settings(deadline=None)
@given(messages)
def test_botocore_reads_the_same(message: Message) -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(encode(message))
    [theirs] = list(buffer)
    assert (theirs.headers, theirs.payload) == (message.headers, message.payload)


def test_every_type_of_header() -> None:
    # Smithy's types: byte, short, integer, timestamp and uuid come from servers, and are not written here.
    headers = (
        b"\x01b\x02\xff" + b"\x01s\x03\x01\x00" + b"\x01i\x04\x00\x00\x00\x07"
        + b"\x01t\x08\x00\x00\x00\x00\x00\x00\x00\x09" + b"\x01u\x09" + bytes(16)
    )  # fmt: skip
    from struct import pack
    from zlib import crc32

    lengths = pack(">II", 16 + len(headers), len(headers))
    frame = lengths + pack(">I", crc32(lengths)) + headers
    [message] = Splitter().feed(frame + pack(">I", crc32(frame)))
    assert message.headers == {"b": -1, "s": 256, "i": 7, "t": 9, "u": bytes(16)}


@settings(deadline=None)
@given(messages, st.integers(0, 10_000), st.integers(1, 255))
def test_damage_is_noticed(message: Message, place: int, change: int) -> None:
    data = bytearray(encode(message))
    data[place % len(data)] ^= change
    with pytest.raises(UpstreamError) as caught:
        Splitter().feed(bytes(data))
    assert caught.value.kind == "server"
