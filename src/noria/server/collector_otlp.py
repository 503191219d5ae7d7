"""OTLP over HTTP: what is posted to /v1/traces and /v1/logs, and what is answered.

An answer of 200 means that the spans are durable. Source of statuses and bodies: OTLP specification 1.x,
section OTLP/HTTP: protobuf or JSON in, the same out; errors as google.rpc.Status.
"""

from __future__ import annotations

import asyncio
import zlib

import msgspec
import zstandard

from noria.access.key import Key
from noria.errors import InvalidRequest, RequestError, TooLarge
from noria.gateway.answers import error_headers
from noria.gateway.exchange import Exchange
from noria.runtime.collector import Collector
from noria.tracing import otlp_json, otlp_protobuf
from noria.tracing.otlp import PriceOf, Received, Sender

SIGNALS = {b"/v1/traces": "traces", b"/v1/logs": "logs"}
MAX_UNPACKED = 64 << 20
"""Bytes of a body when unpacked."""
ASIDE = 256 << 10
"""A longer body is decoded beside the event loop."""
PACKED_ASIDE = 4 << 10
"""The same of a compressed one, which may unpack to a thousand times its size."""
_JSON, _PROTOBUF = b"application/json", b"application/x-protobuf"
_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 413: 3, 415: 3, 429: 8, 503: 14}
"""google.rpc.Code by HTTP status."""


def is_long(body: bytes, encoding: bytes) -> bool:
    """Whether taking it apart would hold up the event loop."""
    packed = encoding not in (b"", b"identity")
    return len(body) > (PACKED_ASIDE if packed else ASIDE)


async def receive(exchange: Exchange, key: Key, collector: Collector, price_of: PriceOf) -> None:
    """Take in an export request. Raises RequestError."""
    signal = SIGNALS[exchange.path]
    as_json = is_json(exchange)
    sender = Sender(project=key.project, key=key.id, team=key.team, user=key.user, tags=key.tags)
    encoding = exchange.headers.get(b"content-encoding", b"")

    def decode() -> Received:
        body = unpacked(exchange.body, encoding)
        if signal == "logs":
            return otlp_json.logs(body, sender) if as_json else otlp_protobuf.logs(body, sender)
        if as_json:
            return otlp_json.traces(body, sender, price_of)
        return otlp_protobuf.traces(body, sender, price_of)

    aside = is_long(exchange.body, encoding)
    received = await asyncio.to_thread(decode) if aside else decode()
    if received.spans:
        await asyncio.wrap_future(collector.post(received.spans))
    answer = otlp_json.answer if as_json else otlp_protobuf.answer
    exchange.respond(
        200, b"content-type: %s\r\n" % (_JSON if as_json else _PROTOBUF), answer(received, signal=signal)
    )


def refuse(exchange: Exchange, error: RequestError) -> None:
    """Answer an error in the sender's encoding."""
    code = _CODES.get(error.status, 2)
    if is_json(exchange):
        kind, body = _JSON, msgspec.json.encode({"code": code, "message": error.message})
    else:
        kind, body = _PROTOBUF, _status(code, error.message)
    exchange.respond(error.status, b"content-type: %s\r\n%s" % (kind, error_headers(error)), body)


def is_json(exchange: Exchange) -> bool:
    """By content-type; where a sender leaves it out, by the first byte."""
    kind = exchange.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind in (b"", b"text/plain", b"application/octet-stream"):
        return exchange.body[:1] == b"{"
    return kind.endswith(b"json")


def unpacked(body: bytes, encoding: bytes) -> bytes:
    """The body without its content-encoding. Raises InvalidRequest and TooLarge."""
    encoding = encoding.strip().lower()
    try:
        if encoding in (b"", b"identity"):
            return body
        if encoding in (b"gzip", b"x-gzip", b"deflate"):
            return _inflated(body, zlib.MAX_WBITS | 32)
        if encoding == b"zstd":
            with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(body) as reader:
                found = reader.read(MAX_UNPACKED + 1)
            if len(found) > MAX_UNPACKED:
                raise _too_large()
            return found
    except (zlib.error, zstandard.ZstdError) as error:
        name = encoding.decode("latin-1")
        raise InvalidRequest(f"The body is not {name}, as its content-encoding says ({error}).") from None
    raise InvalidRequest("The content-encoding must be gzip, deflate, zstd or none.")


def _inflated(body: bytes, bits: int) -> bytes:
    inflater = zlib.decompressobj(bits)  # 32: takes gzip and zlib alike.
    found = inflater.decompress(body, MAX_UNPACKED + 1)
    if len(found) > MAX_UNPACKED:
        raise _too_large()
    if not inflater.eof:
        raise zlib.error("it is cut off")
    return found


def _too_large() -> TooLarge:
    return TooLarge(f"The body unpacks to more than {MAX_UNPACKED >> 20} MiB; send smaller batches.")


def _status(code: int, message: str) -> bytes:
    """google.rpc.Status: field 1 the code, field 2 the message."""
    raw = message.encode()
    return b"\x08" + _varint(code) + b"\x12" + _varint(len(raw)) + raw


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)
