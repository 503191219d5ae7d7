"""Token counts read from an answer without decoding the rest of it.

Where a provider counts parts beside its total (Anthropic's cache), they are added up to the form of
`core.usage`. None means that the answer reports nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from noria.core.usage import Usage
from noria.gateway.dialects.sse import SseSplitter


class PromptDetails(msgspec.Struct, frozen=True):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None


class CompletionDetails(msgspec.Struct, frozen=True):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None


class OpenAIUsage(msgspec.Struct, frozen=True):
    """Of chat completions, text completions and embeddings."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None
    prompt_cache_hit_tokens: int | None = None
    """DeepSeek's word for cached tokens."""

    def usage(self) -> Usage:
        prompt = self.prompt_tokens_details or _NO_PROMPT
        completion = self.completion_tokens_details or _NO_COMPLETION
        return Usage(
            input=self.prompt_tokens or 0,
            output=self.completion_tokens or 0,
            cached=prompt.cached_tokens or self.prompt_cache_hit_tokens or 0,
            cache_write=prompt.cache_write_tokens or 0,
            reasoning=completion.reasoning_tokens or 0,
            audio_input=prompt.audio_tokens or 0,
            audio_output=completion.audio_tokens or 0,
            provenance="reported",
        )


_NO_PROMPT = PromptDetails()
_NO_COMPLETION = CompletionDetails()


class ResponsesUsage(msgspec.Struct, frozen=True):
    """Of the Responses API."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: PromptDetails | None = None
    output_tokens_details: CompletionDetails | None = None

    def usage(self) -> Usage:
        return OpenAIUsage(
            self.input_tokens, self.output_tokens, self.input_tokens_details, self.output_tokens_details
        ).usage()


class CacheCreation(msgspec.Struct, frozen=True):
    ephemeral_5m_input_tokens: int = 0
    ephemeral_1h_input_tokens: int = 0


class ThinkingDetails(msgspec.Struct, frozen=True):
    thinking_tokens: int | None = None


class AnthropicUsage(msgspec.Struct, frozen=True):
    """`input_tokens` excludes what was read from the cache and written to it."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: CacheCreation | None = None
    output_tokens_details: ThinkingDetails | None = None
    service_tier: str | None = None

    def merged(self, later: AnthropicUsage) -> AnthropicUsage:
        """What `message_delta` says wins over `message_start`; it repeats the totals so far."""
        return AnthropicUsage(
            *(
                mine if its is None else its
                for mine, its in zip(
                    msgspec.structs.astuple(self), msgspec.structs.astuple(later), strict=True
                )
            )
        )

    def usage(self) -> Usage:
        hour = self.cache_creation.ephemeral_1h_input_tokens if self.cache_creation else 0
        written = self.cache_creation_input_tokens
        if written is None:
            minutes = self.cache_creation.ephemeral_5m_input_tokens if self.cache_creation else 0
        else:
            # The total may grow in a message_delta, which does not repeat the split.
            hour = min(hour, written)
            minutes = written - hour
        read = self.cache_read_input_tokens or 0
        details = self.output_tokens_details
        return Usage(
            input=(self.input_tokens or 0) + read + minutes + hour,
            output=self.output_tokens or 0,
            cached=read,
            cache_write=minutes,
            cache_write_1h=hour,
            reasoning=(details.thinking_tokens or 0) if details else 0,
            provenance="reported",
        )


class _OpenAIBody(msgspec.Struct):
    usage: OpenAIUsage | None = None


class _ResponsesBody(msgspec.Struct):
    usage: ResponsesUsage | None = None


class _ResponsesEvent(msgspec.Struct):
    response: _ResponsesBody | None = None


class _AnthropicBody(msgspec.Struct):
    usage: AnthropicUsage | None = None


class _AnthropicEvent(msgspec.Struct):
    message: _AnthropicBody | None = None
    usage: AnthropicUsage | None = None


_openai = msgspec.json.Decoder(_OpenAIBody)
_responses = msgspec.json.Decoder(_ResponsesBody)
_responses_event = msgspec.json.Decoder(_ResponsesEvent)
_anthropic = msgspec.json.Decoder(_AnthropicBody)
_anthropic_event = msgspec.json.Decoder(_AnthropicEvent)


def usage_of(front: str, body: bytes) -> Usage | None:
    """What a whole answer of the dialect `front` reports."""
    decoder = _anthropic if front == "anthropic" else _responses if front == "responses" else _openai
    try:
        found = decoder.decode(body).usage
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return None if found is None else found.usage()


def usage_of_tail(front: str, data: bytes) -> Usage | None:
    """What SSE frames of the dialect `front` report together; the last word counts."""
    splitter = SseSplitter()
    found: OpenAIUsage | ResponsesUsage | AnthropicUsage | None = None
    read = _READERS.get(front, _openai_frame)
    for payload in splitter.feed(data) + splitter.close():
        try:
            said = read(payload)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            continue
        if isinstance(found, AnthropicUsage) and isinstance(said, AnthropicUsage):
            said = found.merged(said)
        found = said or found
    return None if found is None else found.usage()


def _openai_frame(payload: bytes) -> OpenAIUsage | None:
    return None if payload == b"[DONE]" else _openai.decode(payload).usage


def _responses_frame(payload: bytes) -> ResponsesUsage | None:
    response = _responses_event.decode(payload).response
    return None if response is None else response.usage


def _anthropic_frame(payload: bytes) -> AnthropicUsage | None:
    event = _anthropic_event.decode(payload)
    return event.message.usage if event.message is not None else event.usage


_READERS: dict[str, Callable[[bytes], OpenAIUsage | ResponsesUsage | AnthropicUsage | None]] = {
    "responses": _responses_frame,
    "anthropic": _anthropic_frame,
}
