"""Paths of an engine that llama-server answers rightly by itself."""

from __future__ import annotations

import msgspec

from noria.errors import InvalidRequest
from noria.runtime.engine import Llama
from noria.server.engine_front import JSON, Body, Names, asked
from noria.server.protocol import HttpExchange


class Passed:
    """Embeddings of the loaded model's own states, tokens, and the engine's counters."""

    def __init__(self, llama: Llama, names: Names) -> None:
        self._llama = llama
        self._names = names

    async def embeddings(self, exchange: HttpExchange) -> None:
        body = asked(exchange)
        body["lora"] = self._names.lora(body)
        if body.pop("dimensions", None) is not None:
            raise InvalidRequest("This model's embeddings cannot be shortened.", param="dimensions")
        await self._post(exchange, "/v1/embeddings", body)

    async def tokenize(self, exchange: HttpExchange) -> None:
        await self._post(exchange, "/tokenize", asked(exchange))

    async def detokenize(self, exchange: HttpExchange) -> None:
        await self._post(exchange, "/detokenize", asked(exchange))

    async def metrics(self, exchange: HttpExchange) -> None:
        text = await self._llama.get_raw("/metrics")
        exchange.respond(200, b"content-type: text/plain; version=0.0.4\r\n", text)

    async def _post(self, exchange: HttpExchange, path: str, body: Body) -> None:
        exchange.respond(200, JSON, await self._llama.post_raw(path, msgspec.json.encode(body)))
