"""What the attributes of others mean: OpenTelemetry GenAI (current and older names), OpenInference,
Traceloop, Vercel AI and MLflow.

Each field takes the value of the first of its names that a span has. The attributes themselves are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

NAMES: dict[str, tuple[str, ...]] = {
    "operation": ("gen_ai.operation.name",),
    "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider",
                 "llm.vendor"),
    "model": ("gen_ai.request.model", "llm.request.model_name", "llm.model_name", "embedding.model_name",
              "reranker.model_name", "ai.model.id", "llm.request.model"),
    "response_model": ("gen_ai.response.model", "llm.response.model_name", "ai.response.model",
                       "llm.response.model"),
    "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.usage.prompt_tokens",
                     "llm.token_count.prompt", "ai.usage.inputTokens", "ai.usage.promptTokens",
                     "ai.usage.tokens"),
    "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens",
                      "llm.usage.completion_tokens", "llm.token_count.completion", "ai.usage.outputTokens",
                      "ai.usage.completionTokens"),
    "cached_tokens": ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens",
                      "llm.token_count.prompt_details.cache_read", "ai.usage.cachedInputTokens"),
    "cache_write": ("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_creation_input_tokens",
                    "llm.token_count.prompt_details.cache_write"),
    "reasoning_tokens": ("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens",
                         "llm.usage.reasoning_tokens", "llm.token_count.completion_details.reasoning",
                         "ai.usage.reasoningTokens"),
    "cost": ("gen_ai.usage.cost", "llm.cost.total"),
    "user": ("user.id", "enduser.id", "llm.user", "traceloop.association.properties.user_id",
             "ai.telemetry.metadata.userId", "mlflow.trace.user"),
    "session": ("gen_ai.conversation.id", "session.id", "traceloop.association.properties.session_id",
                "traceloop.association.properties.chat_id", "ai.telemetry.metadata.sessionId",
                "mlflow.trace.session"),
    "episode": ("noria.episode",),
    "team": ("noria.team",),
    "stop_reason": ("gen_ai.response.finish_reasons", "gen_ai.response.finish_reason", "llm.finish_reason",
                    "llm.response.finish_reason", "ai.response.finishReason"),
    "error_kind": ("error.type",),
    "http_status": ("http.response.status_code", "http.status_code"),
    "first_s": ("gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token"),
    "first_ms": ("ai.response.msToFirstChunk",),
    "system": ("gen_ai.system_instructions",),
    "input": ("gen_ai.input.messages", "gen_ai.prompt", "gen_ai.tool.call.arguments", "ai.prompt.messages",
              "ai.prompt", "ai.toolCall.args", "ai.value", "traceloop.entity.input", "input.value",
              "mlflow.spanInputs"),
    "output": ("gen_ai.output.messages", "gen_ai.completion", "gen_ai.tool.call.result", "ai.response.text",
               "ai.response.object", "ai.response.toolCalls", "ai.toolCall.result",
               "traceloop.entity.output", "output.value", "mlflow.spanOutputs"),
    "openinference": ("openinference.span.kind",),
    "traceloop": ("traceloop.span.kind",),
    "request_type": ("llm.request.type",),
    "vercel": ("ai.operationId",),
    "mlflow": ("mlflow.spanType",),
    "tag_list": ("tag.tags",),
}  # fmt: skip
"""Field to the names that say it, the first before the later."""

_FIELDS = {name: (field, rank) for field, names in NAMES.items() for rank, name in enumerate(names)}
_PREFIXES = (
    "gen_ai.prompt.",
    "gen_ai.completion.",
    "llm.input_messages.",
    "llm.output_messages.",
    "llm.prompts.",
    "llm.completions.",
)
_TAGS = ("traceloop.association.properties.", "ai.telemetry.metadata.", "noria.tag.")
_KINDS: dict[str, dict[str, str]] = {
    "openinference": {
        "LLM": "chat", "EMBEDDING": "embeddings", "RERANKER": "rerank", "TOOL": "execute_tool",
        "AGENT": "invoke_agent", "RETRIEVER": "retrieval", "GUARDRAIL": "guardrail",
        "EVALUATOR": "evaluate", "CHAIN": "chain", "PROMPT": "prompt",
    },
    "request_type": {"chat": "chat", "completion": "text_completion", "embedding": "embeddings",
                     "rerank": "rerank"},
    "traceloop": {"workflow": "invoke_workflow", "task": "chain", "agent": "invoke_agent",
                  "tool": "execute_tool"},
    "vercel": {"ai.generateText.doGenerate": "chat", "ai.streamText.doStream": "chat",
               "ai.generateObject.doGenerate": "chat", "ai.streamObject.doStream": "chat",
               "ai.embed.doEmbed": "embeddings", "ai.embedMany.doEmbed": "embeddings",
               "ai.toolCall": "execute_tool", "ai.generateText": "invoke_agent",
               "ai.streamText": "invoke_agent"},
    "mlflow": {"CHAT_MODEL": "chat", "LLM": "chat", "EMBEDDING": "embeddings", "TOOL": "execute_tool",
               "AGENT": "invoke_agent", "RETRIEVER": "retrieval", "RERANKER": "rerank", "CHAIN": "chain"},
}  # fmt: skip
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode

Meaning = dict[str, Any]
"""Field to value; only those that the attributes say."""


def meaning(attributes: Mapping[str, Any]) -> Meaning:
    """What the attributes say, by field of NAMES, with `operation` and `tags` worked out."""
    found: Meaning = {}
    ranks: dict[str, int] = {}
    flat: list[str] = []
    tags: dict[str, str] = {}
    for name, value in attributes.items():
        hit = _FIELDS.get(name)
        if hit is not None:
            field, rank = hit
            if value is not None and value != "" and rank <= ranks.get(field, rank):
                ranks[field] = rank
                found[field] = value
        elif name.startswith(_PREFIXES):
            flat.append(name)
        elif name.startswith(_TAGS):
            prefix = next(prefix for prefix in _TAGS if name.startswith(prefix))
            tags[name[len(prefix) :]] = value if isinstance(value, str) else _json(value)
    if flat:
        _unflatten(attributes, flat, found, ranks)
    if "operation" not in found:
        found["operation"] = _operation(found)
    for tag in found.pop("tag_list", None) or ():
        tags[str(tag)] = "true"
    if tags:
        found["tags"] = tags
    if "system" in found:
        found["input"] = _with_system(found.pop("system"), found.get("input"))
    return found


def text(value: Any) -> str:
    """A value as text: itself, or JSON."""
    return value if isinstance(value, str) else _json(value)


def _operation(found: Meaning) -> str:
    for field, kinds in _KINDS.items():
        kind = found.get(field)
        if kind is not None and str(kind) in kinds:
            return kinds[str(kind)]
    # Older instrumentations name no operation: a request with a model and tokens was a conversation.
    return "chat" if "model" in found and "output_tokens" in found else ""


def _unflatten(
    attributes: Mapping[str, Any], names: list[str], found: Meaning, ranks: dict[str, int]
) -> None:
    """`gen_ai.prompt.0.content` and `llm.input_messages.0.message.content` into lists of messages."""
    lists: dict[str, dict[int, dict[str, Any]]] = {}
    for name in names:
        prefix = next(prefix for prefix in _PREFIXES if name.startswith(prefix))
        index, _, rest = name[len(prefix) :].partition(".")
        if index.isdigit() and len(index) < 6:
            message = lists.setdefault(prefix, {}).setdefault(int(index), {})
            message[rest.removeprefix("message.") or "content"] = attributes[name]
    for prefix, messages in lists.items():
        field = "input" if "prompt" in prefix or "input" in prefix else "output"
        # Whole messages say more than a raw value, and less than the current convention's own.
        if field not in found or ranks.get(field, 0) > 0:
            found[field] = _json([messages[index] for index in sorted(messages)])


def _with_system(system: Any, messages: Any) -> str:
    parts = _loaded(system)
    before = [{"role": "system", "parts": parts if isinstance(parts, list) else [parts]}]
    rest = _loaded(messages)
    return _json(before + (rest if isinstance(rest, list) else [rest] if rest else []))


def _loaded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return value


def _json(value: Any) -> str:
    return _encode(value).decode()
