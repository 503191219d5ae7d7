"""The one internal form of a model call: request, response, stream events.

Every dialect is a pure translator to and from these values. They hold what a caller can say in any
dialect; what a target's dialect cannot express is refused there with `errors.Unsupported`, never dropped.
JSON that only passes through (schemas, tool arguments) stays text.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from noria.core.usage import Usage

Role = Literal["system", "developer", "user", "assistant", "tool"]
StopReason = Literal["stop", "length", "tool_calls", "content_filter", "stop_sequence", "pause", "error"]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class Struct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Frozen, keyword-only; defaults are left out when encoded."""


class Text(Struct, tag="text", frozen=True, kw_only=True):
    """Text said by anyone; `cache` asks the provider to keep the prefix up to here (Anthropic, Bedrock)."""

    text: str
    cache: str | None = None
    """How long the provider should keep it: "5m" or "1h" (Anthropic), "30m" or "12h" (OpenAI)."""
    citations: tuple[msgspec.Raw, ...] = ()
    """Provider's citations or annotations, as received."""


class Image(Struct, tag="image", frozen=True, kw_only=True):
    """Exactly one of `url` and `data` (base64 text with its media type)."""

    url: str | None = None
    data: str | None = None
    media_type: str | None = None
    detail: Literal["auto", "low", "high", "original"] | None = None
    cache: str | None = None


class File(Struct, tag="file", frozen=True, kw_only=True):
    """A document (PDF, text) or sound given to the model. Exactly one of `url`, `data` (base64 text) and
    `file_id`."""

    url: str | None = None
    data: str | None = None
    file_id: str | None = None
    media_type: str | None = None
    name: str | None = None
    cache: str | None = None


class Reasoning(Struct, tag="reasoning", frozen=True, kw_only=True):
    """What the model thought. `signature` and `encrypted` are the provider's proof, returned unchanged."""

    text: str = ""
    summary: tuple[str, ...] = ()
    signature: str | None = None
    encrypted: str | None = None
    id: str | None = None


class ToolCall(Struct, tag="tool_call", frozen=True, kw_only=True):
    """The model asks for a tool. `arguments` is JSON text exactly as the model wrote it."""

    id: str
    name: str
    arguments: str
    signature: str | None = None
    """Gemini's thought signature of the call."""
    cache: str | None = None


class ToolResult(Struct, tag="tool_result", frozen=True, kw_only=True):
    """A tool's answer to `call_id`."""

    call_id: str
    parts: tuple[Text | Image | File, ...]
    name: str | None = None
    is_error: bool = False
    cache: str | None = None


class Refusal(Struct, tag="refusal", frozen=True, kw_only=True):
    """The model declined, in words."""

    text: str


Part = Text | Image | File | Reasoning | ToolCall | ToolResult | Refusal


class Message(Struct, frozen=True, kw_only=True):
    """One turn. A `tool` message holds ToolResults only."""

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None
    id: str | None = None


class Tool(Struct, frozen=True, kw_only=True):
    """A function that the model may call. `parameters` is a JSON Schema object."""

    name: str
    description: str | None = None
    parameters: msgspec.Raw | None = None
    strict: bool | None = None
    cache: str | None = None


class ToolChoice(Struct, frozen=True, kw_only=True):
    """Whether and which tool must be called; `name` or `allowed` only with `required`."""

    mode: Literal["auto", "none", "required"]
    name: str | None = None
    allowed: tuple[str, ...] = ()


class ResponseFormat(Struct, frozen=True, kw_only=True):
    """The form that the answer must have; `schema` is a JSON Schema object, only with `json_schema`."""

    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    description: str | None = None
    schema: msgspec.Raw | None = None
    strict: bool | None = None


class ReasoningConfig(Struct, frozen=True, kw_only=True):
    """How much the model may think: a named effort, or a budget in tokens, or neither."""

    effort: Effort | None = None
    budget_tokens: int | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None
    enabled: bool | None = None
    adaptive: bool = False


class Request(Struct, frozen=True, kw_only=True):
    """A conversation and how to continue it. Counts are tokens."""

    model: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    reasoning: ReasoningConfig | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    stream: bool = False
    include_usage: bool = True
    """Whether the caller wants usage in the stream; it is always asked for upstream."""
    user: str | None = None
    metadata: dict[str, str] | None = None
    service_tier: str | None = None
    store: bool | None = None
    dialect: str = ""
    """The front dialect that the caller spoke."""
    extra: dict[str, msgspec.Raw] = {}
    """Top-level keys that have no place above, and those of which a part has none, whole: they travel to a
    target of the same dialect and are refused for any other."""
    notes: dict[str, msgspec.Raw] = {}
    """Top-level keys that ask nothing of the answer (caching hints, what a front repeats): never refused."""


class TokenLogprob(Struct, frozen=True, kw_only=True):
    """Natural-log probability of one token, and of its best alternatives."""

    token: str
    logprob: float
    bytes: tuple[int, ...] | None = None
    top: tuple[TokenLogprob, ...] = ()


class Choice(Struct, frozen=True, kw_only=True):
    """One of `n` continuations."""

    message: Message
    stop_reason: StopReason
    stop_sequence: str | None = None
    logprobs: tuple[TokenLogprob, ...] | None = None
    raw_stop_reason: str | None = None
    """The provider's own word for it."""


class Response(Struct, frozen=True, kw_only=True):
    """The answer. `created` is in Unix seconds."""

    id: str
    model: str
    choices: tuple[Choice, ...]
    usage: Usage
    created: int = 0
    service_tier: str | None = None
    system_fingerprint: str | None = None
    extra: dict[str, msgspec.Raw] = {}


# Stream events: Start, then for each part PartStart, deltas, PartEnd; Stop per choice; Finish last.


class Start(Struct, tag="start", frozen=True, kw_only=True):
    """The stream is open; says nothing of content, so it does not commit the stream."""

    id: str
    model: str
    created: int = 0
    usage: Usage | None = None
    """What is known of usage already (Anthropic reports the input here)."""
    service_tier: str | None = None
    system_fingerprint: str | None = None


class PartStart(Struct, tag="part_start", frozen=True, kw_only=True):
    """A part begins; `index` counts parts within the choice, from 0. A ToolCall has empty arguments."""

    index: int
    part: Text | Reasoning | ToolCall | Refusal
    choice: int = 0


class Delta(Struct, tag="delta", frozen=True, kw_only=True):
    """More of a part: text, reasoning text, refusal text or argument text, by the part's type."""

    index: int
    text: str
    choice: int = 0
    logprobs: tuple[TokenLogprob, ...] = ()


class PartEnd(Struct, tag="part_end", frozen=True, kw_only=True):
    """The part is whole; carries what arrives only at its end (signature, encrypted reasoning, citations)."""

    index: int
    choice: int = 0
    signature: str | None = None
    encrypted: str | None = None
    citations: tuple[msgspec.Raw, ...] = ()


class Stop(Struct, tag="stop", frozen=True, kw_only=True):
    """A choice is whole."""

    stop_reason: StopReason
    choice: int = 0
    stop_sequence: str | None = None
    raw_stop_reason: str | None = None


class Finish(Struct, tag="finish", frozen=True, kw_only=True):
    """The stream is whole; nothing follows."""

    usage: Usage


class StreamError(Struct, tag="error", frozen=True, kw_only=True):
    """The upstream reported an error inside a 200; nothing follows."""

    message: str
    code: str | None = None


StreamEvent = Start | PartStart | Delta | PartEnd | Stop | Finish | StreamError


class EmbeddingsRequest(Struct, frozen=True, kw_only=True):
    """Texts, or token id lists, to encode."""

    model: str
    inputs: tuple[str | tuple[int, ...], ...]
    dimensions: int | None = None
    encoding_format: Literal["float", "base64"] = "float"
    user: str | None = None
    extra: dict[str, msgspec.Raw] = {}


class EmbeddingsResponse(Struct, frozen=True, kw_only=True):
    """One vector of float32 an input, in order."""

    model: str
    vectors: tuple[tuple[float, ...], ...]
    usage: Usage
