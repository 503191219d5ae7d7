"""What the mock upstream answers, before it is put into any dialect's words."""

from __future__ import annotations

import hashlib
import math
import re
from typing import Any, Protocol

import msgspec

from noria.testing.plan import Plan, ToolUse
from noria.testing.schema_value import schema_value

Json = dict[str, Any]
_PIECE = re.compile(r"\s*\S{1,8}|\s+")
GREETING = "Hello from the mock upstream."


def tokens(text: str) -> list[str]:
    """The mock's own tokens: up to eight characters with the white space before them."""
    return _PIECE.findall(text)


class Tool(msgspec.Struct, frozen=True):
    name: str
    schema: Json = {}


class Ask(msgspec.Struct, kw_only=True):
    """A request, as far as the mock cares."""

    model: str
    stream: bool = False
    input: int
    """Tokens."""
    limit: int | None = None
    """Output tokens at most."""
    choices: int = 1
    tools: tuple[Tool, ...] = ()
    force: str = ""
    """Name of the tool that must be called, "*" for any, or ""."""
    schema: Json | None = None
    """What the text must be JSON for."""
    stops: tuple[str, ...] = ()
    logprobs: int = -1
    """Alternatives a token; -1: no log-probabilities asked for."""
    usage_in_stream: bool = True
    body: Json = {}


class Call(msgspec.Struct, frozen=True):
    id: str
    name: str
    arguments: Json


class Said(msgspec.Struct, kw_only=True):
    """An answer: what is said and what it counts."""

    id: str
    """Unique digits and letters; each dialect puts its own prefix before them."""
    created: int
    pieces: list[str]
    """The text as it is streamed."""
    reasoning: list[str]
    calls: list[Call]
    refusal: str
    stop: str
    """One of "stop", "length", "calls", "sequence" or "refusal"."""
    stop_sequence: str | None
    finish: str
    """The plan's own word for the stop reason, or ""."""
    input: int
    output: int
    cached: int
    cache_write: int
    reasoned: int
    """Tokens of reasoning, part of `output`."""
    usage: bool
    strict: bool
    """See `Upstream`."""

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class Frame(msgspec.Struct, frozen=True):
    """Bytes of a stream that are written together, and the output tokens that they carry."""

    data: bytes
    tokens: int = 0


class Wire(Protocol):
    """One dialect of the mock."""

    name: str
    prefix: str
    """Before an answer's id."""
    media: str
    """Content type of its streams."""

    def ask(self, body: Json, model: str, *, stream: bool) -> Ask:
        """Read a request; `model` and `stream` as the path says where it does."""
        ...

    def whole(self, ask: Ask, said: Said) -> Json: ...

    def frames(self, ask: Ask, said: Said) -> list[Frame]: ...

    def error(self, status: int, message: str) -> Json: ...

    def error_frame(self, status: int, message: str) -> bytes: ...


def answer(ask: Ask, plan: Plan, *, number: int, created: int, strict: bool = False) -> Said:
    """What to say to a request by a plan."""
    calls = _calls(ask, plan, number)
    text = _text(ask, plan, bool(calls))
    stop, stop_sequence = "calls" if calls else "stop", None
    if plan.refuse:
        text, stop = "", "refusal"
    for sequence in ask.stops:
        at = text.find(sequence) if sequence else -1
        if at >= 0:
            text, stop, stop_sequence = text[:at], "sequence", sequence
    pieces, reasoning = tokens(text), tokens(plan.reason)
    if ask.limit and len(pieces) + len(reasoning) > ask.limit:
        reasoning = reasoning[: ask.limit]
        pieces = pieces[: ask.limit - len(reasoning)]
        stop, stop_sequence = "length", None
    spoken = len(pieces) * ask.choices + len(tokens(plan.refuse))
    spoken += sum(len(tokens(msgspec.json.encode(call.arguments).decode())) for call in calls)
    output = plan.output if plan.output is not None else max(spoken + len(reasoning), 1)
    if ask.limit:
        output = min(output, ask.limit * ask.choices)
    cached = min(plan.cached, plan.input if plan.input is not None else ask.input)
    return Said(
        id=hashlib.blake2b(number.to_bytes(8, "big"), digest_size=12).hexdigest(),
        created=created,
        pieces=_grouped(pieces, plan.chunks),
        reasoning=reasoning,
        calls=calls,
        refusal=plan.refuse,
        stop=stop,
        stop_sequence=stop_sequence,
        finish=plan.finish,
        input=plan.input if plan.input is not None else ask.input,
        output=output,
        cached=cached,
        cache_write=plan.cache_write,
        reasoned=len(reasoning),
        usage=plan.usage,
        strict=strict,
    )


def _text(ask: Ask, plan: Plan, calling: bool) -> str:
    if plan.text:
        return plan.text
    if ask.schema is not None and not calling:
        return msgspec.json.encode(schema_value(ask.schema)).decode()
    words = plan.words or plan.chunks
    if words:
        return " ".join(f"w{number}" for number in range(words))
    return "" if calling else GREETING


def _calls(ask: Ask, plan: Plan, number: int) -> list[Call]:
    wanted = list(plan.calls)
    if not wanted and ask.force and ask.tools:
        wanted = [ToolUse(ask.tools[0].name if ask.force == "*" else ask.force)]
    schemas = {tool.name: tool.schema for tool in ask.tools}
    found: list[Call] = []
    for index, one in enumerate(wanted):
        arguments = one.arguments if one.arguments is not None else _object(schemas.get(one.name, {}))
        found.append(Call(f"call_{number:06d}{index:02d}", one.name, arguments))
    return found


def _object(schema: Json) -> Json:
    value = schema_value({"type": "object", **schema})
    return value if isinstance(value, dict) else {}


def _grouped(pieces: list[str], groups: int) -> list[str]:
    """`pieces` joined into so many; 0, or more than there are: as they are."""
    if not groups or groups >= len(pieces):
        return pieces
    size, more = divmod(len(pieces), groups)
    found: list[str] = []
    at = 0
    for index in range(groups):
        behind = at + size + (index < more)
        found.append("".join(pieces[at:behind]))
        at = behind
    return found


def arguments(call: Call) -> str:
    return msgspec.json.encode(call.arguments).decode()


def fragments(text: str) -> list[str]:
    """`text` in the pieces in which arguments are streamed; at least one."""
    return tokens(text) or [""]


def count_tokens(value: object) -> int:
    """Input tokens of a part of a request: one for four bytes of its JSON, at least one."""
    return max(1, len(msgspec.json.encode(value)) // 4)


def logprob(piece: str) -> float:
    """A log-probability that depends on the token only."""
    return -(sum(piece.encode()) % 97) / 40 - 0.01


def vector(text: str, size: int) -> list[float]:
    """A unit vector that depends on the text only; exact in single precision to 1e-7."""
    raw = hashlib.shake_128(text.encode()).digest(size * 2)
    values = [int.from_bytes(raw[at : at + 2], "big") / 32768 - 1 for at in range(0, size * 2, 2)]
    norm = math.sqrt(sum(value * value for value in values)) or 1.0
    return [value / norm for value in values]
