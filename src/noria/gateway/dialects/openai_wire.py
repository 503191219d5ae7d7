"""The chat completions API as it is on the wire.

Source: the types of the `openai` package 3.54 (`openai.types.chat`), with the fields that DeepSeek, vLLM,
llama.cpp and OpenRouter add for reasoning. Request structs forbid unknown keys, see `leftovers`; of answers
unknown keys are ignored, since the API grows.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from noria.core.messages import Effort
from noria.gateway.dialects.leftovers import MaybeRaw
from noria.gateway.dialects.usage import OpenAIUsage

Count = Annotated[int, msgspec.Meta(ge=0)]


class Said(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Of a request."""


class Breakpoint(Said, frozen=True):
    mode: Literal["explicit"] = "explicit"
    ttl: Literal["30m", "12h"] | None = None


class TextPart(Said, tag="text", frozen=True):
    text: str
    prompt_cache_breakpoint: Breakpoint | None = None


class ImageUrl(Said, frozen=True):
    url: str
    detail: Literal["auto", "low", "high", "original"] | None = None


class ImagePart(Said, tag="image_url", frozen=True):
    image_url: ImageUrl | str
    prompt_cache_breakpoint: Breakpoint | None = None


class Audio(Said, frozen=True):
    data: str
    format: Literal["wav", "mp3"]


class AudioPart(Said, tag="input_audio", frozen=True):
    input_audio: Audio
    prompt_cache_breakpoint: Breakpoint | None = None


class FileSource(Said, frozen=True):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class FilePart(Said, tag="file", frozen=True):
    file: FileSource
    prompt_cache_breakpoint: Breakpoint | None = None


class RefusalPart(Said, tag="refusal", frozen=True):
    refusal: str


class Function(Said, frozen=True):
    name: str
    arguments: str = "{}"


class Google(msgspec.Struct, frozen=True, omit_defaults=True):
    thought_signature: str | None = None


class ExtraContent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where Google's OpenAI-compatible endpoint puts the thought signature of a call."""

    google: Google | None = None


class Call(Said, tag="function", frozen=True):
    id: str
    function: Function
    extra_content: ExtraContent | None = None
    index: int | None = None
    """Of a call that was streamed and is sent back; it says nothing more."""


class Detail(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of OpenRouter's `reasoning_details`: reasoning.text, reasoning.summary or reasoning.encrypted."""

    type: str
    text: str | None = None
    summary: str | None = None
    data: str | None = None
    signature: str | None = None
    id: str | None = None
    index: int | None = None
    """Which part of the message it belongs to."""


class System(Said, tag_field="role", tag="system", frozen=True):
    content: str | list[TextPart]
    name: str | None = None


class Developer(Said, tag_field="role", tag="developer", frozen=True):
    content: str | list[TextPart]
    name: str | None = None


class User(Said, tag_field="role", tag="user", frozen=True):
    content: str | list[TextPart | ImagePart | AudioPart | FilePart]
    name: str | None = None


class Assistant(Said, tag_field="role", tag="assistant", frozen=True):
    content: str | list[TextPart | RefusalPart] | None = None
    refusal: str | None = None
    tool_calls: list[Call] | None = None
    name: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[Detail] | None = None


class Tool(Said, tag_field="role", tag="tool", frozen=True):
    content: str | list[TextPart]
    tool_call_id: str
    name: str | None = None


Message = System | Developer | User | Assistant | Tool


class Definition(Said, frozen=True):
    name: str
    description: str | None = None
    parameters: MaybeRaw = msgspec.UNSET
    strict: bool | None = None


class FunctionTool(Said, tag="function", frozen=True):
    function: Definition


class Named(Said, frozen=True):
    name: str


class NamedChoice(Said, tag="function", frozen=True):
    function: Named


class AllowedTool(Said, tag="function", frozen=True):
    function: Named


class Allowed(Said, frozen=True):
    mode: Literal["auto", "required"]
    tools: list[AllowedTool]


class AllowedChoice(Said, tag="allowed_tools", frozen=True):
    allowed_tools: Allowed


class TextFormat(Said, tag="text", frozen=True):
    pass


class ObjectFormat(Said, tag="json_object", frozen=True):
    pass


class Schema(Said, frozen=True):
    name: str
    description: str | None = None
    schema: MaybeRaw = msgspec.UNSET
    strict: bool | None = None


class SchemaFormat(Said, tag="json_schema", frozen=True):
    json_schema: Schema


class StreamOptions(Said, frozen=True):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class Request(msgspec.Struct, frozen=True, omit_defaults=True):
    model: str
    messages: list[Message]
    tools: list[FunctionTool] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedChoice | AllowedChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: TextFormat | ObjectFormat | SchemaFormat | None = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    n: Annotated[int, msgspec.Meta(ge=1, le=128)] | None = None
    logprobs: bool | None = None
    top_logprobs: Count | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    reasoning_effort: Effort | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    service_tier: str | None = None
    store: bool | None = None


NOTES = ("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "safety_identifier")
"""Keys that ask nothing of the answer."""


class TopLogprob(msgspec.Struct, frozen=True):
    token: str
    logprob: float
    bytes: list[int] | None = None


class Logprob(msgspec.Struct, frozen=True):
    token: str
    logprob: float
    bytes: list[int] | None = None
    top_logprobs: list[TopLogprob] | None = None


class Logprobs(msgspec.Struct, frozen=True):
    content: list[Logprob] | None = None
    refusal: list[Logprob] | None = None


class CalledFunction(msgspec.Struct, frozen=True, omit_defaults=True):
    name: str | None = None
    arguments: str | None = None


class AnswerCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of a message (all set, without `index`) or of a chunk's delta."""

    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: CalledFunction | None = None
    extra_content: ExtraContent | None = None


class Piece(msgspec.Struct, frozen=True):
    """Of Mistral's reasoning models: text, or thinking that consists of text."""

    type: str = ""
    text: str | None = None
    thinking: list[Piece] | None = None


class AnswerMessage(msgspec.Struct, frozen=True):
    """A message, or the delta of one."""

    content: str | list[Piece] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[Detail] | None = None
    annotations: list[msgspec.Raw] | None = None
    tool_calls: list[AnswerCall] | None = None

    def words(self) -> str:
        """What is said, without what is thought."""
        if isinstance(self.content, str):
            return self.content
        return "".join(piece.text or "" for piece in self.content or ())

    def thoughts(self) -> str:
        """The text of what is thought, wherever the server puts it."""
        said = self.reasoning_content or self.reasoning
        if said or not isinstance(self.content, list):
            return said or ""
        return "".join(one.text or "" for piece in self.content for one in piece.thinking or ())


class AnswerChoice(msgspec.Struct, frozen=True):
    index: int = 0
    message: AnswerMessage | None = None
    delta: AnswerMessage | None = None
    finish_reason: str | None = None
    logprobs: Logprobs | None = None


class Answer(msgspec.Struct, frozen=True):
    """A whole completion, or one chunk."""

    id: str | None = None
    model: str | None = None
    created: float | None = None
    choices: list[AnswerChoice] | None = None
    usage: OpenAIUsage | None = None
    service_tier: str | None = None
    system_fingerprint: str | None = None
    error: MaybeRaw = msgspec.UNSET
