"""What a caller may fetch again: responses unless `store` is false, chat completions if it is true."""

from __future__ import annotations

import msgspec

from noria.gateway.ask import encode
from noria.gateway.call import CallState
from noria.gateway.streams import payload_of
from noria.tracing.record import Stored

_KINDS = {"responses": "response", "openai": "chat.completion"}
_metadata = msgspec.json.Decoder(dict[str, str])
_text = msgspec.json.Decoder(str)


class _Id(msgspec.Struct):
    id: str = ""


class _Completed(msgspec.Struct):
    response: msgspec.Raw


_id = msgspec.json.Decoder(_Id)
_completed = msgspec.json.Decoder(_Completed)


def wants_store(front: str, fields: dict[str, msgspec.Raw]) -> bool:
    """Whether the answer is to be kept: of responses by default, of chat completions when asked."""
    said = bytes(fields.get("store", b"null"))
    return said == b"true" or (front == "responses" and said != b"false")


def stored(call: CallState, body: bytes, *, provider: str, at: int) -> Stored | None:
    """The record of a whole answer; None where it has no id."""
    try:
        name = _id.decode(body).id
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not name:
        return None
    return Stored(
        id=name,
        kind=_KINDS[call.front.name],
        project=call.key.project,
        key=call.key.id,
        at=at,
        body=body,
        input=_input(call),
        model=call.model,
        trace=call.trace,
        metadata=_labels(call.fields.get("metadata")),
        provider=provider,
    )


def response_of(ending: bytes) -> bytes:
    """The whole response that the last frame of a responses stream carries; b"" where there is none."""
    for frame in ending.split(b"\n\n"):
        payload = payload_of(frame + b"\n\n")
        if payload is not None:
            try:
                return bytes(_completed.decode(payload).response)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
    return b""


def _input(call: CallState) -> bytes:
    if call.front.name == "openai":
        return bytes(call.fields.get("messages", b"[]"))
    raw = call.fields.get("input")
    if raw is None:
        return b"[]"
    if bytes(raw)[:1] == b'"':
        part = {"type": "input_text", "text": _text.decode(raw)}
        return encode([{"type": "message", "role": "user", "content": [part]}])
    return bytes(raw)


def _labels(raw: msgspec.Raw | None) -> dict[str, str]:
    if raw is None or bytes(raw) == b"null":
        return {}
    try:
        return _metadata.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
