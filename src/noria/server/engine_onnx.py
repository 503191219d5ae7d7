"""Engines that encode and rerank: /v1/embeddings and /v1/rerank."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from noria.errors import InvalidRequest
from noria.providers.encoder import Encoder
from noria.providers.reranker import Reranker
from noria.server.engine_front import Body, Names, answer, asked, flag, whole
from noria.server.protocol import HttpExchange

MOST_TEXTS = 2048
"""OpenAI's limit of inputs in one request."""
T = TypeVar("T")


class Computing:
    """One thread for the arithmetic, so that the loop goes on answering."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="onnx")

    async def run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class Embeddings:
    """Texts as vectors."""

    def __init__(self, encoder: Encoder, names: Names, computing: Computing) -> None:
        self._encoder = encoder
        self._names = names
        self._computing = computing

    async def serve(self, exchange: HttpExchange) -> None:
        body = asked(exchange)
        self._names.lora(body)
        texts = self._texts(body.get("input"))
        form = body.get("encoding_format", "float")
        if form not in ("float", "base64"):
            raise InvalidRequest("encoding_format must be float or base64.", param="encoding_format")
        if body.get("dimensions") not in (None, 384):
            raise InvalidRequest("This model's vectors have 384 dimensions.", param="dimensions")
        if body.get("input_type") not in (None, "query", "passage", "document"):
            raise InvalidRequest("input_type must be query, passage or document.", param="input_type")
        query = body.get("input_type") == "query"
        vectors, tokens = await self._computing.run(lambda: self._encoder.encode_counted(texts, query=query))
        data: list[Body] = [
            {
                "object": "embedding",
                "index": number,
                "embedding": b64encode(row.astype("<f4").tobytes()).decode()
                if form == "base64"
                else row.tolist(),
            }
            for number, row in enumerate(vectors)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        answer(exchange, {"object": "list", "data": data, "model": self._names.all()[0], "usage": usage})

    def _texts(self, given: Any) -> list[str]:
        """Text, a list of texts, token ids, or a list of lists of them."""
        if isinstance(given, list) and given and isinstance(given[0], int):
            given = [given]
        inputs = given if isinstance(given, list) else [given]
        if not inputs or len(inputs) > MOST_TEXTS:
            raise InvalidRequest(f"input must hold 1 to {MOST_TEXTS} texts.", param="input")
        texts: list[str] = []
        for one in inputs:
            if isinstance(one, str) and one:
                texts.append(one)
            elif isinstance(one, list) and one and all(isinstance(number, int) for number in one):
                try:
                    texts.append(self._encoder.text(one))
                except ValueError:
                    raise InvalidRequest(
                        "input has token ids that this model does not know.", param="input"
                    ) from None
            else:
                raise InvalidRequest(
                    "input must be text that is not empty, or a list of such.", param="input"
                )
        return texts


class Rerank:
    """Texts in order of how well they answer a query (the form that Cohere, Jina and vLLM share)."""

    def __init__(self, reranker: Reranker, names: Names, computing: Computing) -> None:
        self._reranker = reranker
        self._names = names
        self._computing = computing

    async def serve(self, exchange: HttpExchange) -> None:
        body = asked(exchange)
        self._names.lora(body)
        query, given = body.get("query"), body.get("documents")
        if not isinstance(query, str) or not query:
            raise InvalidRequest("query must be text that is not empty.", param="query")
        if not isinstance(given, list) or not 1 <= len(given) <= MOST_TEXTS:
            raise InvalidRequest(f"documents must hold 1 to {MOST_TEXTS} texts.", param="documents")
        texts = [_text(one) for one in given]
        most = whole(body, "top_n", len(texts), least=1, most=MOST_TEXTS)
        scores, tokens = await self._computing.run(lambda: self._reranker.score_counted(query, texts))
        ranked = (-scores).argsort(kind="stable")[:most].tolist()
        results: list[Body] = [{"index": one, "relevance_score": float(scores[one])} for one in ranked]
        if flag(body, "return_documents"):
            for result in results:
                result["document"] = {"text": texts[result["index"]]}
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        answer(exchange, {"model": self._names.all()[0], "results": results, "usage": usage})


def _text(document: Any) -> str:
    text = document.get("text") if isinstance(document, dict) else document
    if not isinstance(text, str):
        raise InvalidRequest('Each document must be text or {"text": …}.', param="documents")
    return text
