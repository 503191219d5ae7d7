"""The dialect "acme": `POST /generate` with turns, answered whole or as JSON lines."""

from __future__ import annotations

import msgspec

from noria.core.messages import (
    Choice,
    Delta,
    EmbeddingsRequest,
    EmbeddingsResponse,
    Finish,
    Message,
    PartEnd,
    PartStart,
    Request,
    Response,
    Start,
    Stop,
    StopReason,
    StreamEvent,
    Text,
)
from noria.core.usage import NO_USAGE, Usage
from noria.errors import Unsupported, UpstreamClass, UpstreamError
from noria.gateway.dialects.dialect import Options, Prepared
from noria.gateway.dialects.refusals import refuse, unsupported

_UNKNOWN = (
    "tools", "tool_choice", "parallel_tool_calls", "response_format", "top_p", "top_k", "min_p", "stop",
    "seed", "n", "logprobs", "top_logprobs", "presence_penalty", "frequency_penalty", "logit_bias",
    "reasoning", "verbosity", "service_tier",
)  # fmt: skip
_STOPS: dict[str, StopReason] = {"end": "stop", "most": "length"}
_KINDS: dict[int, UpstreamClass] = {401: "auth", 404: "not_found", 429: "rate_limited"}


class Turn(msgspec.Struct):
    who: str
    say: str


class Ask(msgspec.Struct, omit_defaults=True):
    engine: str
    turns: list[Turn]
    most: int | None = None
    heat: float | None = None
    live: bool = False


class Used(msgspec.Struct, rename={"read": "in", "said": "out"}):
    read: int
    said: int


class Reply(msgspec.Struct):
    """A whole answer, or one line of a live one."""

    reply: str | None = None
    piece: str | None = None
    why: str | None = None
    used: Used | None = None


class Trouble(msgspec.Struct):
    trouble: str = ""


_encode = msgspec.json.Encoder().encode
_reply = msgspec.json.Decoder(Reply)
_trouble = msgspec.json.Decoder(Trouble)


class AcmeBack:
    """noria.gateway.dialects.dialect.Back."""

    name = "acme"

    def passes(self, front: str, options: Options) -> bool:
        return False

    def path(self, front: str, *, model: str, stream: bool, options: Options) -> str:
        raise AssertionError("nothing is passed through")

    def headers(self, front: str, *, options: Options) -> dict[str, str]:
        return {}

    def request(self, request: Request, *, model: str, options: Options) -> Prepared:
        refuse(request, dialect="The acme dialect", fields=_UNKNOWN)
        ask = Ask(
            engine=model,
            turns=[Turn(message.role, _said(message)) for message in request.messages],
            most=request.max_tokens,
            heat=request.temperature,
            live=request.stream,
        )
        return Prepared(path="/generate", body=_encode(ask))

    def response(self, body: bytes) -> Response:
        found = _read(body)
        if found.reply is None:
            raise UpstreamError("The upstream's answer has no `reply`.", kind="server")
        message = Message(role="assistant", parts=(Text(text=found.reply),))
        choice = Choice(message=message, stop_reason=_stop(found.why), raw_stop_reason=found.why)
        return Response(id="", model="", choices=(choice,), usage=_usage(found))

    def decoder(self) -> AcmeDecoder:
        return AcmeDecoder()

    def embeddings(self, request: EmbeddingsRequest, *, model: str, options: Options) -> Prepared:
        raise Unsupported("The acme dialect has no embeddings; choose another target.", param="model")

    def embeddings_response(self, body: bytes, *, model: str) -> EmbeddingsResponse:
        raise AssertionError("no embeddings are asked for")

    def error(self, status: int, body: bytes, *, retry_after: float | None) -> UpstreamError:
        try:
            said = _trouble.decode(body).trouble
        except msgspec.DecodeError:
            said = ""
        return UpstreamError(
            f"Acme answered {status}: {said}",
            kind=_KINDS.get(status, "server" if status >= 500 else "invalid"),
            status=status,
            body=body[:65536],
            retry_after=retry_after,
        )


class AcmeDecoder:
    """noria.gateway.dialects.dialect.StreamDecoder."""

    def __init__(self) -> None:
        self._rest = b""
        self._open = False

    def feed(self, data: bytes) -> list[StreamEvent]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        events: list[StreamEvent] = []
        for line in filter(None, lines):
            self._line(_read(line), events)
        return events

    def close(self) -> list[StreamEvent]:
        return []

    def _line(self, found: Reply, events: list[StreamEvent]) -> None:
        if not self._open:
            self._open = True
            events += [Start(id="", model=""), PartStart(index=0, part=Text(text=""))]
        if found.piece is not None:
            events.append(Delta(index=0, text=found.piece))
        if found.why is not None:
            stop = Stop(stop_reason=_stop(found.why), raw_stop_reason=found.why)
            events += [PartEnd(index=0), stop, Finish(usage=_usage(found))]


def _said(message: Message) -> str:
    texts = [part.text for part in message.parts if isinstance(part, Text)]
    if len(texts) != len(message.parts):
        raise unsupported("The acme dialect", "anything but text", "messages")
    return "".join(texts)


def _read(body: bytes) -> Reply:
    try:
        return _reply.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UpstreamError(
            f"The upstream's answer is not of the acme dialect: {error}.", kind="server"
        ) from None


def _stop(why: str | None) -> StopReason:
    return _STOPS.get(why or "", "stop")


def _usage(found: Reply) -> Usage:
    if found.used is None:
        return NO_USAGE
    return Usage(input=found.used.read, output=found.used.said, provenance="reported")
