"""What the mock answers without a model's turn: embeddings, models, token counts, stored answers.

A stored answer that it does not know it makes up, so that a client's test may ask for any id.
"""

from __future__ import annotations

import base64
import struct
from typing import Any

import msgspec

from noria.testing.answer import Ask, Json, Said, count_tokens, vector
from noria.testing.wire_chat import ChatWire
from noria.testing.wire_responses import ResponsesWire, input_items, usage

DIMENSIONS = 8
KEPT = 10_000
"""Stored answers at most, the latest."""


class Found(msgspec.Struct, frozen=True):
    """An answer, and what it counts."""

    body: Json
    input: int = 0
    model: str = ""
    id: str = ""


def embeddings(body: Json, *, strict: bool) -> Found:
    """POST /embeddings of OpenAI's."""
    texts = _inputs(body["input"])
    size = body.get("dimensions") or DIMENSIONS
    counted = sum(count_tokens(text) for text in texts)
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": _encoded(vector(text, size), body, strict=strict),
        }
        for index, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": counted, "total_tokens": counted}
    return Found(
        {"object": "list", "data": data, "model": body["model"], "usage": usage}, counted, body["model"]
    )


def _inputs(given: Any) -> list[str]:
    if isinstance(given, str):
        return [given]
    if given and isinstance(given[0], int):
        return [" ".join(map(str, given))]
    return [one if isinstance(one, str) else " ".join(map(str, one)) for one in given]


def _encoded(values: list[float], body: Json, *, strict: bool) -> list[float] | str:
    if strict or body.get("encoding_format") != "base64":
        return values
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def gemini_embeddings(verb: str, body: Json, model: str) -> Found:
    """embedContent, batchEmbedContents, and Vertex's predict."""
    if verb == "predict":
        texts = [one["content"] for one in body["instances"]]
        size = (body.get("parameters") or {}).get("outputDimensionality") or DIMENSIONS
        counts = [count_tokens(text) for text in texts]
        predictions = [
            {
                "embeddings": {
                    "values": vector(text, size),
                    "statistics": {"token_count": n, "truncated": False},
                }
            }
            for text, n in zip(texts, counts, strict=True)
        ]
        return Found({"predictions": predictions}, sum(counts), model)
    requests = body["requests"] if verb == "batchEmbedContents" else [body]
    texts = ["".join(part.get("text", "") for part in one["content"]["parts"]) for one in requests]
    vectors = [{"values": vector(text, _dimensions(one))} for text, one in zip(texts, requests, strict=True)]
    counted = sum(count_tokens(text) for text in texts)
    told = {"usageMetadata": {"promptTokenCount": counted, "totalTokenCount": counted}}
    if verb == "embedContent":
        return Found({"embedding": vectors[0], **told}, counted, model)
    return Found({"embeddings": vectors, **told}, counted, model)


def _dimensions(request: Json) -> int:
    config = request.get("embedContentConfig") or request
    return config.get("outputDimensionality") or DIMENSIONS


def bedrock_embeddings(body: Json, model: str) -> Found:
    """InvokeModel of the Titan and Cohere families."""
    if "inputText" in body:
        counted = count_tokens(body["inputText"])
        values = vector(body["inputText"], body.get("dimensions") or DIMENSIONS)
        answer: Json = {
            "embedding": values,
            "embeddingsByType": {"float": values},
            "inputTextTokenCount": counted,
        }
        return Found(answer, counted, model)
    counted = sum(count_tokens(text) for text in body["texts"])
    vectors = [vector(text, body.get("output_dimension") or DIMENSIONS) for text in body["texts"]]
    typed = bool(body.get("embedding_types"))
    answer = {
        "id": "mock",
        "texts": body["texts"],
        "embeddings": {"float": vectors} if typed else vectors,
        "response_type": "embeddings_by_type" if typed else "embeddings_floats",
    }
    return Found(answer, counted, model)


def openai_model(name: str, created: int) -> Json:
    return {"id": name, "object": "model", "created": created, "owned_by": "mock"}


def anthropic_model(name: str) -> Json:
    return {
        "id": name,
        "type": "model",
        "display_name": name,
        "created_at": "2026-01-01T00:00:00Z",
        "lifecycle": "active",
        "max_input_tokens": 200_000,
        "max_tokens": 64_000,
    }


def page(data: list[Json]) -> Json:
    """A list as OpenAI pages it, whole."""
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return {"object": "list", "data": data, "first_id": first, "last_id": last, "has_more": False}


class Kept:
    """Answers that may be fetched again."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Ask, Said]] = {}

    def keep(self, answer_id: str, ask: Ask, said: Said) -> None:
        self._kept[answer_id] = (ask, said)
        if len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]

    def stored(
        self, kind: str, method: str, path: list[str], body: Json, blank: tuple[Ask, Said]
    ) -> Found | None:
        """What /responses or /chat/completions say of what is stored; None: there is no such path."""
        if kind == "responses":
            return self._responses(method, path, body, blank)
        return self._completions(method, path, body, blank)

    def _responses(self, method: str, path: list[str], body: Json, blank: tuple[Ask, Said]) -> Found | None:
        if path == ["compact"]:
            said = blank[1]
            item = {"id": f"cmp_{said.id}", "type": "compaction", "encrypted_content": "bW9jaw=="}
            answer = {"id": f"resp_{said.id}", "object": "response.compaction", "created_at": said.created}
            return Found({**answer, "output": [item], "usage": usage(said)})
        if path == ["input_tokens"]:
            given = count_tokens([body.get("instructions"), body.get("input"), body.get("tools")])
            return Found({"object": "response.input_tokens", "input_tokens": given})
        ask, said = self._kept.get(path[0], blank)
        whole = {**ResponsesWire().whole(ask, said), "id": path[0]}
        if method == "DELETE":
            self._kept.pop(path[0], None)
            return Found({"id": path[0], "object": "response", "deleted": True})
        if path[1:] == ["cancel"]:
            return Found({**whole, "status": "cancelled"})
        if path[1:] == ["input_items"]:
            return Found(page(input_items(ask, said)))
        return Found(whole) if len(path) == 1 else None

    def _completions(self, method: str, path: list[str], body: Json, blank: tuple[Ask, Said]) -> Found | None:
        wire = ChatWire()
        if not path:
            kept = [(name, pair) for name, pair in self._kept.items() if name.startswith(wire.prefix)]
            return Found(page([{**wire.whole(*pair), "id": name} for name, pair in kept]))
        ask, said = self._kept.get(path[0], blank)
        if method == "DELETE":
            self._kept.pop(path[0], None)
            return Found({"id": path[0], "object": "chat.completion.deleted", "deleted": True})
        if method == "POST":
            ask.body["metadata"] = body.get("metadata")
        if path[1:] == ["messages"]:
            given = ask.body.get("messages") or []
            return Found(page([{"id": f"{path[0]}-{n}", **one} for n, one in enumerate(given)]))
        whole = {**wire.whole(ask, said), "id": path[0], "metadata": ask.body.get("metadata") or {}}
        return Found(whole) if len(path) == 1 else None
