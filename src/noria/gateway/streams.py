"""A streamed answer on its way from the upstream to the caller, as an explicit state machine.

    holding ──first content event──▶ committed ──end marker──▶ whole
       │                                  │
       └─error, end, nonsense──▶ UpstreamError("server")   └──▶ UpstreamError("stream")

Nothing is given to the caller while holding, so that another target can still be tried. The frames that tell
the caller that the answer is whole are kept in `ending`, to be sent once the call is on record.
"""

from __future__ import annotations

import re
from typing import Protocol, TypeVar

import msgspec

from noria.core import messages
from noria.core.usage import Usage
from noria.errors import UpstreamError
from noria.gateway.dialects.dialect import StreamDecoder, StreamEncoder
from noria.gateway.dialects.sse import MAX_EVENT
from noria.gateway.dialects.usage import usage_of_tail

HOLD_LIMIT = 262_144
"""Bytes held before commitment; a stream that says so much without content is committed as it is."""


class Stream(Protocol):
    """Turns what the upstream sends into what the caller gets."""

    committed: bool
    whole: bool
    ending: bytes
    events: int
    """Content events seen: what usage is estimated from when the upstream reports none."""
    id: str
    model: str

    @property
    def stop_reason(self) -> str: ...

    def feed(self, data: bytes) -> bytes:
        """Frames that may go to the caller now. Raises UpstreamError."""
        ...

    def close(self) -> bytes:
        """The upstream's body has ended. Raises UpstreamError unless the stream is whole."""
        ...

    def usage(self) -> Usage | None:
        """What the upstream has reported so far, or None."""
        ...

    @property
    def counted(self) -> bool:
        """Whether that is for the whole answer."""
        ...


NULL = msgspec.Raw(b"null")
"""msgspec cannot tell `Raw | None` apart: an absent value is this."""


class _Choice(msgspec.Struct):
    delta: dict[str, msgspec.Raw] = {}
    text: str = ""
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    id: str = ""
    model: str = ""
    choices: list[_Choice] = []
    error: msgspec.Raw = NULL


class _Typed(msgspec.Struct):
    type: str = ""
    message: dict[str, msgspec.Raw] = {}
    response: dict[str, msgspec.Raw] = {}
    content_block: dict[str, msgspec.Raw] = {}
    error: msgspec.Raw = NULL


_chunk = msgspec.json.Decoder(_Chunk)
_typed = msgspec.json.Decoder(_Typed)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_EMPTY = (b"null", b'""', b"[]", b"{}")
_STOPS = {
    "openai": b'"finish_reason"',
    "completions": b'"finish_reason"',
    "anthropic": b'"stop_reason"',
    "responses": b'"status"',
}
"""What the reason to stop is called, by dialect."""
_STOP = re.compile(rb'"[a-z_]+": ?"([a-z_]+)"')
_REPORTS = re.compile(rb'"usage": ?\{')
_BLANK = re.compile(rb"\n\r?\n")
_NAMES = re.compile(rb'"(id|model)": ?"([^"\\]*)"')

ENDS = {
    "openai": (b"data: [DONE]", b"data:[DONE]"),
    "completions": (b"data: [DONE]", b"data:[DONE]"),
    "anthropic": (b"event: message_stop", b"event:message_stop"),
    "responses": (
        b"event: response.completed",
        b"event: response.incomplete",
        b"event: response.failed",
    ),
}
"""How the frame begins that says that the stream is whole, by dialect."""
CONTENT = {"anthropic": b'"content_block_delta"', "responses": b'.delta"'}
"""What only frames hold that carry content; of the other dialects nearly every frame does."""


class PassStream:
    """Caller and upstream speak the same dialect: frames go through as they are.

    With `hide_usage` the usage that only Noria asked for is taken out again.
    """

    def __init__(self, dialect: str, *, hide_usage: bool) -> None:
        self._dialect = dialect
        self._hide = hide_usage
        self._ends = ENDS[dialect]
        self._content = CONTENT.get(dialect, b"data:")
        self._held: list[bytes] = []
        self._held_size = 0
        self._rest = bytearray()
        self._usage_frames: list[bytes] = []
        self._last = b""
        self.committed = False
        self.whole = False
        self.ending = b""
        self.events = 0
        self.id = ""
        self.model = ""

    def feed(self, data: bytes) -> bytes:
        rest = self._rest
        if rest:
            looked = max(len(rest) - 3, 0)  # The blank line may lie across two pieces.
            rest += data
            end = _last_frame_end(rest, looked)
            data = bytes(rest[:end])
            del rest[:end]
        else:
            end = _last_frame_end(data)
            if end < len(data):
                rest += data[end:]
                data = data[:end]
        if len(rest) > MAX_EVENT:
            raise UpstreamError("The upstream sent an event of more than 16 MiB.", kind="server")
        if not data or self.whole:
            return b""
        return self._forward(data) if self.committed else self._hold(data)

    def close(self) -> bytes:
        if self._rest.strip() and not self.whole:
            if not self.committed:
                self._check_not_an_error(bytes(self._rest))
            out = self.feed(b"\n\n")
            if self.whole:
                return out
        if not self.whole:
            kind = "stream" if self.committed else "server"
            raise UpstreamError("The upstream ended the stream before it was whole.", kind=kind)
        return b""

    def _check_not_an_error(self, body: bytes) -> None:
        """Raise what an upstream says that answers a streamed request with an error that is no stream."""
        try:
            error = bytes(_typed.decode(body).error)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        if error != b"null":
            raise error_inside(error)

    @property
    def stop_reason(self) -> str:
        name = _STOPS[self._dialect]
        at = self._last.rfind(name)
        while at >= 0:
            found = _STOP.match(self._last, at)
            if found is not None:
                return found[1].decode()
            at = self._last.rfind(name, 0, at)
        return ""

    def usage(self) -> Usage | None:
        if not self._usage_frames:
            return None
        if len(self._usage_frames) > 1 and self._dialect == "anthropic":
            return usage_of_tail(self._dialect, self._usage_frames[0] + self._usage_frames[-1])
        return usage_of_tail(self._dialect, self._usage_frames[-1])

    @property
    def counted(self) -> bool:
        """Messages report the input when they start, and the output when they end."""
        return len(self._usage_frames) > (self._dialect == "anthropic")

    def _hold(self, data: bytes) -> bytes:
        self._held_size += len(data)
        if not self.id:
            for found in _NAMES.finditer(data, 0, 4096):
                if found[1] == b"id" and not self.id:
                    self.id = found[2].decode("utf-8", "replace")
                elif found[1] == b"model" and not self.model:
                    self.model = found[2].decode("utf-8", "replace")
                if self.id and self.model:
                    break
        at = 0
        while at < len(data):
            end = _frame_end(data, at)
            frame = data[at:end]
            if frame.strip():
                if self._is_content(frame):
                    self.committed = True
                    held = b"".join(self._held)
                    self._held = []
                    return held + self._forward(data[at:], before=held)
                self._held.append(frame)
            at = end
        if self._held_size > HOLD_LIMIT:
            self.committed = True
            held = b"".join(self._held)
            self._held = []
            return self._forward(held)
        return b""

    def _forward(self, data: bytes, *, before: bytes = b"") -> bytes:
        self.events += data.count(self._content)
        if before and b'"usage"' in before:
            self._usage_frames.extend(filter(_REPORTS.search, _frames(before)))
        at = data.find(b'"usage"')
        if at >= 0 and (data.find(b'"usage":{', at) >= 0 or data.find(b'"usage": {', at) >= 0):
            at = _last_frame_end(data[:at])  # What comes before has none.
            frames = _frames(data[at:])
            self._usage_frames.extend(filter(_REPORTS.search, frames))
            if self._hide:
                data = data[:at] + b"".join(map(_without_usage, frames))
        for mark in self._ends:
            at = 0 if data.startswith(mark) else data.find(b"\n" + mark) + 1
            if at or data.startswith(mark):
                self.whole = True
                self.ending = data[at:]
                self._last = self._last + data
                return data[:at]
        if b'_reason":"' in data or b'_reason": "' in data:
            self._last = data
        return data

    def _is_content(self, frame: bytes) -> bool:
        """Whether the frame carries content. Raises UpstreamError for an error inside a 200."""
        payload = payload_of(frame)
        if payload is None:
            return False
        if payload == b"[DONE]":
            return True
        try:
            if self._dialect in ("openai", "completions"):
                return self._is_chunk_content(payload)
            return self._is_typed_content(payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise UpstreamError("The upstream's stream is not valid JSON.", kind="server") from None

    def _is_chunk_content(self, payload: bytes) -> bool:
        chunk = _chunk.decode(payload)
        if bytes(chunk.error) != b"null":
            raise error_inside(bytes(chunk.error))
        for choice in chunk.choices:
            if choice.finish_reason is not None or choice.text:
                return True
            for name, raw in choice.delta.items():
                if name != "role" and bytes(raw) not in _EMPTY:
                    return True
        return False

    def _is_typed_content(self, payload: bytes) -> bool:
        event = _typed.decode(payload)
        if event.type == "error":
            raise error_inside(payload if bytes(event.error) == b"null" else bytes(event.error))
        if event.type == "response.failed":
            raise error_inside(bytes(event.response.get("error", payload)))
        if event.type == "content_block_start":
            return bytes(event.content_block.get("type", b"")) == b'"tool_use"'
        return event.type not in (
            "", "ping", "message_start", "response.created", "response.in_progress", "response.queued",
        )  # fmt: skip


class TranslatedStream:
    """The upstream speaks another dialect: its events are decoded, and encoded for the caller."""

    def __init__(self, decoder: StreamDecoder, encoder: StreamEncoder, *, model: str, trace: bytes) -> None:
        """`model` and `trace` name the answer where the upstream does not (see `named`)."""
        self._model = model
        self._trace = trace
        self._decoder = decoder
        self._encoder = encoder
        self._held: list[bytes] = []
        self._usage: Usage | None = None
        self.committed = False
        self.whole = False
        self.ending = b""
        self.events = 0
        self.id = ""
        self.model = ""
        self.stop_reason = ""

    def feed(self, data: bytes) -> bytes:
        return self._encode(self._decoder.feed(data))

    def close(self) -> bytes:
        if self.whole:
            return b""
        out = self._encode(self._decoder.close())
        if not self.whole:
            kind = "stream" if self.committed else "server"
            raise UpstreamError("The upstream ended the stream before it was whole.", kind=kind)
        return out

    def usage(self) -> Usage | None:
        return self._usage

    @property
    def counted(self) -> bool:
        return self.whole

    def _encode(self, events: list[messages.StreamEvent]) -> bytes:
        out = self._held if not self.committed else []
        for event in events:
            match event:
                case messages.StreamError():
                    kind = "stream" if self.committed else "server"
                    raise UpstreamError(event.message, kind=kind)
                case messages.Start():
                    event = named(event, model=self._model, trace=self._trace)
                    self.id, self.model = event.id, event.model
                    self._usage = event.usage
                case messages.Delta():
                    self.committed = self.committed or bool(event.text)
                    self.events += 1
                case messages.PartStart():
                    tool = isinstance(event.part, messages.ToolCall)
                    self.committed = self.committed or tool
                case messages.Stop():
                    self.committed = True
                    self.stop_reason = self.stop_reason or event.stop_reason
                case messages.Finish():
                    self.committed = self.whole = True
                    self._usage = event.usage
                    self.ending = self._encoder.encode(event)
                    continue
                case messages.PartEnd():
                    pass
            out.append(self._encoder.encode(event))
        if not self.committed:
            return b""
        self._held = []
        return b"".join(out)


Named = TypeVar("Named", messages.Response, messages.Start)


def named(answer: Named, *, model: str, trace: bytes) -> Named:
    """With the model that was asked for and an id, where the upstream's dialect has none (Bedrock)."""
    if answer.id and answer.model:
        return answer
    return msgspec.structs.replace(answer, id=answer.id or "gen_" + trace.hex(), model=answer.model or model)


def payload_of(frame: bytes) -> bytes | None:
    """The data of one SSE frame; None where it has none."""
    if frame.startswith(b"data: ") and frame.count(b"\n") == 2:
        return frame[6:-2].rstrip(b"\r")
    lines = [
        line[5:].removeprefix(b" ")
        for line in frame.replace(b"\r\n", b"\n").split(b"\n")
        if line.startswith(b"data:")
    ]
    return b"\n".join(lines) if lines else None


def error_inside(raw: bytes) -> UpstreamError:
    """An error that came inside a 200, with the upstream's own words."""
    try:
        found = _fields.decode(raw)
        message = msgspec.json.decode(found["message"], type=str)
    except (msgspec.DecodeError, KeyError, UnicodeDecodeError):
        message = raw[:500].decode("utf-8", "replace")
    return UpstreamError(f"The upstream failed inside its answer: {message}", kind="server", body=raw[:65536])


def _last_frame_end(data: bytes | bytearray, start: int = 0) -> int:
    plain = data.rfind(b"\n\n", start) + 2
    windows = data.rfind(b"\r\n\r\n", start) + 4 if data.find(b"\r", start) >= 0 else 0
    return max(plain if plain > 1 else 0, windows if windows > 3 else 0)


def _frame_end(data: bytes, start: int) -> int:
    """Behind the blank line that ends the frame at `start`, else behind all."""
    if b"\r" in data:  # A proxy may put in frames of its own, that end otherwise than the upstream's.
        found = _BLANK.search(data, start)
        return found.end() if found is not None else len(data)
    end = data.find(b"\n\n", start)
    return end + 2 if end >= 0 else len(data)


def _frames(data: bytes) -> list[bytes]:
    """Whole frames, each with its blank line."""
    frames: list[bytes] = []
    at = 0
    while at < len(data):
        end = _frame_end(data, at)
        if data[at:end].strip():
            frames.append(data[at:end])
        at = end
    return frames


def _without_usage(frame: bytes) -> bytes:
    """The frame as the caller would have got it, had Noria not asked for usage."""
    payload = payload_of(frame)
    if payload is None or b'"usage"' not in payload:
        return frame
    try:
        found = _fields.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return frame
    if found.pop("usage", None) is None:
        return frame
    if bytes(found.get("choices", b"")) == b"[]":
        return b""
    return b"data: " + msgspec.json.encode(found) + b"\n\n"
