"""What it takes to be called as a model, whoever answers: a gateway, an engine, a script in a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from noria.core.messages import EmbeddingsRequest, EmbeddingsResponse, Request, Response, StreamEvent


class ChatModel(Protocol):
    """Continues a conversation. Both raise `errors.RequestError` where the call is refused or failed."""

    async def respond(self, request: Request) -> Response: ...

    def stream(self, request: Request) -> AsyncIterator[StreamEvent]:
        """The last event is a Finish; an error inside the stream is raised, never yielded."""
        ...


class Embedder(Protocol):
    """Turns texts into vectors."""

    async def embed(self, request: EmbeddingsRequest) -> EmbeddingsResponse: ...
