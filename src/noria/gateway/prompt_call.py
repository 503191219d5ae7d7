"""Puts a prompt's messages into a call, with the embedding call beneath it that chooses its examples."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from time import time

import msgspec

from noria.access.token import issue
from noria.core.ids import traceparent
from noria.errors import Unavailable
from noria.gateway.ask import encode
from noria.gateway.call import CallState
from noria.gateway.inner import InnerExchange, error_message, first_vector
from noria.gateway.prompting import Asked, Pools, prompted

Serve = Callable[[InnerExchange], Awaitable[None]]
"""`Gateway.serve`."""


class PromptCalls:
    """Renders into calls."""

    def __init__(self, serve: Serve, *, pools: Pools, pepper: bytes) -> None:
        self._serve = serve
        self._pools = pools
        self._pepper = pepper

    async def render(self, call: CallState, asked: Asked) -> None:
        """Rewrite the call's body. Raises what `prompting.prompted` raises, and Unavailable."""

        async def embed(model: str, text: str) -> Sequence[float]:
            return await self._embed(call, model, text)

        call.fields = await prompted(
            asked, front=call.front.name, fields=call.fields, model=call.route.name, embed=embed,
            pools=self._pools,
        )  # fmt: skip
        call.body = encode(call.fields)

    async def _embed(self, call: CallState, model: str, text: str) -> Sequence[float]:
        """An ordinary call beneath this one, for the caller; the prompt's author chose the model."""
        key = msgspec.structs.replace(call.key, routes=(model,))
        headers = {
            b"host": b"localhost",
            b"authorization": b"Bearer " + issue(key, pepper=self._pepper, now=time()).encode(),
            b"traceparent": traceparent(call.trace, call.span).encode(),
        }
        inner = InnerExchange(b"/v1/embeddings", {"model": model, "input": text}, headers)
        await self._serve(inner)
        if inner.status != 200:
            why = error_message(inner.answer)
            raise Unavailable(f"The examples cannot be chosen: {model} answered {inner.status} ({why}).")
        return first_vector(inner.answer)
