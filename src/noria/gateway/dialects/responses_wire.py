"""The Responses API as callers write it.

Source: the types of the `openai` package 3.54 (`openai.types.responses`). Unknown keys are forbidden, see
`leftovers`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from noria.core.messages import Effort
from noria.gateway.dialects.leftovers import MaybeRaw
from noria.gateway.dialects.openai_wire import Breakpoint, Count


class Said(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Of a request."""


class InputText(Said, tag="input_text", frozen=True):
    text: str
    prompt_cache_breakpoint: Breakpoint | None = None


class OutputText(Said, tag="output_text", frozen=True):
    text: str
    annotations: list[msgspec.Raw] | None = None
    logprobs: MaybeRaw = msgspec.UNSET
    """Of an answer that is sent back; they say nothing to the model."""


class InputImage(Said, tag="input_image", frozen=True):
    image_url: str | None = None
    """None only where the image is given in a way that has no place."""
    detail: Literal["auto", "low", "high", "original"] | None = None
    prompt_cache_breakpoint: Breakpoint | None = None


class InputFile(Said, tag="input_file", frozen=True):
    file_data: str | None = None
    file_id: str | None = None
    file_url: str | None = None
    filename: str | None = None
    prompt_cache_breakpoint: Breakpoint | None = None


class Refusal(Said, tag="refusal", frozen=True):
    refusal: str


class ReasoningText(Said, tag="reasoning_text", frozen=True):
    text: str


class SummaryText(Said, tag="summary_text", frozen=True):
    text: str


Content = InputText | OutputText | InputImage | InputFile | Refusal | ReasoningText


class Item(Said, frozen=True):
    """An item of any known type; which keys count is told by `type`, and a message may leave it out."""

    type: str | None = None
    id: str | None = None
    status: str | None = None
    role: Literal["user", "assistant", "system", "developer"] | None = None
    content: str | list[Content] | None = None
    phase: str | None = None
    """Whether an answer was meant as last; only OpenAI's models read it."""
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | list[InputText | InputImage | InputFile] | None = None
    summary: list[SummaryText] | None = None
    encrypted_content: str | None = None
    created_by: str | None = None


class Tool(Said, tag="function", frozen=True):
    name: str
    parameters: MaybeRaw = msgspec.UNSET
    strict: bool | None = None
    description: str | None = None


class NamedChoice(Said, tag="function", frozen=True):
    name: str


class AllowedTool(Said, tag="function", frozen=True):
    name: str


class AllowedChoice(Said, tag="allowed_tools", frozen=True):
    mode: Literal["auto", "required"]
    tools: list[AllowedTool]


class TextFormat(Said, tag="text", frozen=True):
    pass


class ObjectFormat(Said, tag="json_object", frozen=True):
    pass


class SchemaFormat(Said, tag="json_schema", frozen=True):
    name: str
    schema: msgspec.Raw
    description: str | None = None
    strict: bool | None = None


Format = TextFormat | ObjectFormat | SchemaFormat


class TextConfig(Said, frozen=True):
    format: Format | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


Summary = Literal["auto", "concise", "detailed"]


class Reasoning(Said, frozen=True):
    effort: Effort | None = None
    summary: Summary | None = None
    generate_summary: Summary | None = None
    """The older name of summary."""


class Request(msgspec.Struct, frozen=True):
    model: str
    input: str | list[Item] | None = None
    instructions: str | None = None
    tools: list[Tool] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedChoice | AllowedChoice | None = None
    parallel_tool_calls: bool | None = None
    text: TextConfig | None = None
    reasoning: Reasoning | None = None
    include: list[str] | None = None
    max_output_tokens: Count | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_logprobs: Count | None = None
    truncation: Literal["auto", "disabled"] | None = None
    background: bool | None = None
    stream: bool | None = None
    stream_options: MaybeRaw = msgspec.UNSET
    """Only of obfuscation, which Noria does not do."""
    user: str | None = None
    metadata: dict[str, str] | None = None
    service_tier: str | None = None
    store: bool | None = None


NOTES = (
    "previous_response_id",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "max_tool_calls",
)
"""Keys that ask nothing of the answer. The gateway puts the turns before this one into `input`, so that
`previous_response_id` is only repeated; `max_tool_calls` limits built-in tools, which are refused."""
LOGPROBS = "message.output_text.logprobs"
"""The one thing to `include` that is not of a built-in tool, nor given anyway."""
