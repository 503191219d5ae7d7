"""Which path of which provider's API means what."""

from __future__ import annotations

import re
from urllib.parse import unquote

from noria.testing import resources
from noria.testing.answer import Ask, Json, Wire
from noria.testing.wire_anthropic import AnthropicWire
from noria.testing.wire_bedrock import BedrockWire
from noria.testing.wire_chat import ChatWire
from noria.testing.wire_completions import CompletionsWire
from noria.testing.wire_gemini import GeminiWire
from noria.testing.wire_responses import ResponsesWire

CHAT, COMPLETIONS, RESPONSES = ChatWire(), CompletionsWire(), ResponsesWire()
ANTHROPIC, GEMINI, BEDROCK = AnthropicWire(), GeminiWire(), BedrockWire()
_GEMINI = re.compile(r"/models/(.+):(\w+)$")
_BEDROCK = re.compile(r"^/model/(.+)/(converse|converse-stream|invoke|count-tokens)$")
_STORED = re.compile(r"/(chat/completions|responses)(/.+)?$")
_MODEL = re.compile(r"/models/(.+)$")
_POSTS: tuple[tuple[str, Wire], ...] = (
    ("/chat/completions", CHAT),
    ("/completions", COMPLETIONS),
    ("/responses", RESPONSES),
    ("/messages", ANTHROPIC),
)


def turn(method: str, path: str, query: str, body: Json) -> tuple[Wire, Ask] | None:
    """The dialect and what is asked, where the request is for a model's turn."""
    if method != "POST":
        return None
    for suffix, wire in _POSTS:
        if path.endswith(suffix):
            return wire, wire.ask(body, _azure_deployment(path), stream=False)
    gemini = _GEMINI.search(path)
    if gemini and gemini[2] in ("rawPredict", "streamRawPredict") and gemini[1] != "count-tokens":
        return ANTHROPIC, ANTHROPIC.ask(body, unquote(gemini[1]), stream=False)
    if gemini and gemini[2] in ("generateContent", "streamGenerateContent"):
        stream = gemini[2] == "streamGenerateContent"
        if stream and "alt=sse" not in query:
            raise ValueError("the mock streams with alt=sse only")
        return GEMINI, GEMINI.ask(body, unquote(gemini[1]), stream=stream)
    bedrock = _BEDROCK.search(path)
    if bedrock and bedrock[2] in ("converse", "converse-stream"):
        return BEDROCK, BEDROCK.ask(body, unquote(bedrock[1]), stream=bedrock[2] == "converse-stream")
    return None


def _azure_deployment(path: str) -> str:
    _, found, rest = path.partition("/deployments/")
    return unquote(rest.split("/")[0]) if found else "mock"


def embedded(path: str, body: Json, *, strict: bool) -> resources.Found | None:
    """Embeddings and token counts; None where the path is for neither."""
    if path.endswith("/embeddings"):
        return resources.embeddings(body, strict=strict)
    if path.endswith(("/messages/count_tokens", "/models/count-tokens:rawPredict")):
        return resources.Found({"input_tokens": ANTHROPIC.ask(body, "", stream=False).input})
    gemini = _GEMINI.search(path)
    if gemini:
        return _gemini_found(gemini[2], body, unquote(gemini[1]))
    bedrock = _BEDROCK.search(path)
    if bedrock and bedrock[2] == "count-tokens":
        counted = BEDROCK.ask(body["input"]["converse"], unquote(bedrock[1]), stream=False).input
        return resources.Found({"inputTokens": counted})
    if bedrock and bedrock[2] == "invoke":
        return resources.bedrock_embeddings(body, unquote(bedrock[1]))
    return None


def model_of(path: str) -> str | None:
    """The model that the path is about; "" for all of them, None where it is about something else."""
    if path.endswith("/models"):
        return ""
    found = _MODEL.search(path)
    return unquote(found[1]) if found else None


def stored_of(path: str) -> tuple[str, list[str]] | None:
    """Kind and the names below it, of a path about stored answers."""
    found = _STORED.search(path)
    return None if found is None else (found[1], found[2].strip("/").split("/") if found[2] else [])


def _gemini_found(verb: str, body: Json, model: str) -> resources.Found | None:
    if verb == "countTokens":
        inner = body.get("generateContentRequest") or body
        return resources.Found({"totalTokens": GEMINI.ask(inner, model, stream=False).input})
    if verb in ("embedContent", "batchEmbedContents", "predict"):
        return resources.gemini_embeddings(verb, body, model)
    return None
