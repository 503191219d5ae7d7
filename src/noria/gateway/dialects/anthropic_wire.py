"""Anthropic's messages API as it is on the wire.

Source: the types of the `anthropic` package 2.12 (`anthropic.types`). Structs of what callers say forbid
unknown keys, see `leftovers`; of answers unknown keys are ignored, since the API grows.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from noria.gateway.dialects.leftovers import MaybeRaw
from noria.gateway.dialects.openai_wire import Count
from noria.gateway.dialects.usage import AnthropicUsage


class Said(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Of a request."""


class CacheControl(Said, frozen=True, tag="ephemeral"):
    ttl: Literal["5m", "1h"] | None = None


class Text(Said, frozen=True, tag="text"):
    text: str
    cache_control: CacheControl | None = None
    citations: list[msgspec.Raw] | None = None


class Base64(Said, frozen=True, tag="base64"):
    media_type: str
    data: str


class Url(Said, frozen=True, tag="url"):
    url: str


class Plain(Said, frozen=True, tag="text"):
    media_type: Literal["text/plain"]
    data: str


class FileId(Said, frozen=True, tag="file"):
    file_id: str


class Image(Said, frozen=True, tag="image"):
    source: Base64 | Url | None = None
    """None only where it was of a kind that has no place."""
    cache_control: CacheControl | None = None


class Document(Said, frozen=True, tag="document"):
    source: Base64 | Url | Plain | FileId | None = None
    """As of Image."""
    title: str | None = None
    cache_control: CacheControl | None = None


class Thinking(Said, frozen=True, tag="thinking"):
    thinking: str
    signature: str


class Redacted(Said, frozen=True, tag="redacted_thinking"):
    data: str


class Direct(Said, frozen=True, tag="direct"):
    """The model itself called; the only caller without server tools."""


class ToolUse(Said, frozen=True, tag="tool_use"):
    id: str
    name: str
    input: msgspec.Raw
    cache_control: CacheControl | None = None
    caller: Direct | None = None


class ToolResult(Said, frozen=True, tag="tool_result"):
    tool_use_id: str
    content: str | list[Text | Image | Document] | None = None
    is_error: bool | None = None
    cache_control: CacheControl | None = None


Block = Text | Image | Document | Thinking | Redacted | ToolUse | ToolResult


class User(Said, frozen=True, tag_field="role", tag="user"):
    content: str | list[Block]


class Assistant(Said, frozen=True, tag_field="role", tag="assistant"):
    content: str | list[Block]


class System(Said, frozen=True, tag_field="role", tag="system"):
    content: str | list[Text]


Message = User | Assistant | System


class Tool(Said, frozen=True, tag="custom"):
    """`type` may be absent."""

    name: str
    input_schema: msgspec.Raw
    description: str | None = None
    strict: bool | None = None
    cache_control: CacheControl | None = None


class SentTool(Said, frozen=True):
    """As Tool, without its `type`."""

    name: str
    input_schema: msgspec.Raw
    description: str | None = None
    strict: bool | None = None
    cache_control: CacheControl | None = None


class AutoChoice(Said, frozen=True, tag="auto"):
    disable_parallel_tool_use: bool | None = None


class AnyChoice(Said, frozen=True, tag="any"):
    disable_parallel_tool_use: bool | None = None


class NamedChoice(Said, frozen=True, tag="tool"):
    name: str
    disable_parallel_tool_use: bool | None = None


class NoChoice(Said, frozen=True, tag="none"):
    pass


Choice = AutoChoice | AnyChoice | NamedChoice | NoChoice


class ThinkingEnabled(Said, frozen=True, tag="enabled"):
    budget_tokens: Count
    display: Literal["summarized", "omitted"] | None = None


class ThinkingAdaptive(Said, frozen=True, tag="adaptive"):
    display: Literal["summarized", "omitted"] | None = None


class ThinkingDisabled(Said, frozen=True, tag="disabled"):
    pass


ThinkingConfig = ThinkingEnabled | ThinkingAdaptive | ThinkingDisabled


class Format(Said, frozen=True, tag="json_schema"):
    schema: msgspec.Raw


class OutputConfig(Said, frozen=True):
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: Format | None = None


class Metadata(Said, frozen=True):
    user_id: str | None = None


class Request(msgspec.Struct, frozen=True):
    """What callers say. `max_tokens` is absent where tokens are only counted."""

    model: str
    messages: list[Message]
    max_tokens: Count | None = None
    system: str | list[Text] | None = None
    tools: list[Tool] | None = None
    tool_choice: Choice | None = None
    thinking: ThinkingConfig | None = None
    output_config: OutputConfig | None = None
    output_format: Format | None = None
    """The older place of output_config.format."""
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stream: bool | None = None
    metadata: Metadata | None = None
    service_tier: Literal["auto", "standard_only"] | None = None


class Sent(msgspec.Struct, frozen=True, omit_defaults=True):
    """What providers are sent."""

    model: str
    messages: list[Message]
    max_tokens: int | None = None
    system: str | list[Text] | None = None
    tools: list[SentTool] | None = None
    tool_choice: Choice | None = None
    thinking: ThinkingConfig | None = None
    output_config: OutputConfig | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stream: bool | None = None
    metadata: Metadata | None = None
    service_tier: str | None = None


NOTES = ("cache_control", "diagnostics")
"""Keys that ask nothing of the answer."""


class AnswerBlock(msgspec.Struct, frozen=True):
    """A block of an answer, whole or at its start."""

    type: str
    text: str = ""
    citations: list[msgspec.Raw] | None = None
    thinking: str = ""
    signature: str = ""
    data: str = ""
    id: str = ""
    name: str = ""
    input: MaybeRaw = msgspec.UNSET


class StopDetails(msgspec.Struct, frozen=True):
    explanation: str | None = None


class Answer(msgspec.Struct, frozen=True):
    """A message that a provider made; in message_start, its beginning."""

    id: str
    content: list[AnswerBlock]
    model: str = ""
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: StopDetails | None = None
    usage: AnthropicUsage | None = None


class Delta(msgspec.Struct, frozen=True):
    """Of content_block_delta, or of message_delta."""

    type: str = ""
    text: str = ""
    thinking: str = ""
    signature: str = ""
    partial_json: str = ""
    citation: MaybeRaw = msgspec.UNSET
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: StopDetails | None = None


class Error(msgspec.Struct, frozen=True):
    type: str | None = None
    message: str | None = None


class Event(msgspec.Struct, frozen=True):
    """Any event of a stream."""

    type: str
    index: int = 0
    message: Answer | None = None
    content_block: AnswerBlock | None = None
    delta: Delta | None = None
    usage: AnthropicUsage | None = None
    error: Error | None = None
