"""The client for asynchronous code; a ChatModel and an Embedder."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import httpx2
import msgspec

from noria.client import feedbacks, wire
from noria.client.answer import Answer, Embeddings, Responded
from noria.client.datasets import AsyncDataset
from noria.client.feedbacks import FeedbackKind, FeedbackOutcome, FeedbackSource, FeedbackValue
from noria.client.prompts import FETCH_TIMEOUT, MAX_AGE, AsyncPrompt, PromptCache, path_of
from noria.client.receipt import receipt_of, refusal
from noria.client.stream import AsyncStream
from noria.client.wire import TIMEOUT, Ask, Messages
from noria.core.messages import EmbeddingsRequest, EmbeddingsResponse, Request, Response, StreamEvent
from noria.errors import RequestError, Unreachable


class AsyncNoria:
    """As Noria, with `await`; one event loop a client."""

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = TIMEOUT,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.base_url = wire.base_url_of(base_url)
        headers = {"content-type": "application/json", **wire.key_headers(api_key)}
        self._http = httpx2.AsyncClient(
            base_url=self.base_url, headers=headers, timeout=timeout, transport=transport
        )

        self._prompts = PromptCache()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def chat(self, model: str, messages: Messages, **options: Any) -> Answer:
        """`messages` is a text or a conversation in OpenAI's form, `options` are its further keys."""
        return await self._answer(wire.chat(model, messages, options))

    @asynccontextmanager
    async def chat_stream(
        self, model: str, messages: Messages, **options: Any
    ) -> AsyncGenerator[AsyncStream]:
        """As `chat`, while it is being said; leaving the `async with` early ends the call."""
        async with self._streaming(wire.chat(model, messages, options, stream=True)) as stream:
            yield stream

    async def answer(self, request: Request) -> Answer:
        """As `chat`, in Noria's own form."""
        return await self._answer(wire.respond(request))

    async def respond(self, request: Request) -> Response:
        """models.protocols.ChatModel."""
        return (await self.answer(request)).response

    async def stream(self, request: Request) -> AsyncIterator[StreamEvent]:
        """models.protocols.ChatModel."""
        async with self._streaming(wire.respond(request, stream=True)) as stream:
            async for event in stream:
                yield event

    async def embed(self, request: EmbeddingsRequest) -> EmbeddingsResponse:
        """models.protocols.Embedder."""
        response = await self._post(wire.embed(request))
        return wire.read_embeddings(response.content, request.model)

    async def embeddings(self, model: str, texts: str | Sequence[str]) -> Embeddings:
        """One vector a text."""
        response = await self._post(wire.embed(wire.embeddings_request(model, texts)))
        found = wire.read_embeddings(response.content, model)
        return Embeddings(found.vectors, found.usage, receipt_of(response.headers))

    async def responses(
        self, model: str, input: str | Sequence[Mapping[str, Any]], **options: Any
    ) -> Responded:
        """The Responses API; `options` are its further keys."""
        response = await self._post(wire.responses(model, input, options))
        return Responded(msgspec.json.decode(response.content), receipt_of(response.headers))

    async def completions(self, model: str, prompt: str, **options: Any) -> Responded:
        """OpenAI's older completions, as sent: `options` are its further keys, such as `echo`."""
        response = await self._post(wire.completions(model, prompt, options))
        return Responded(msgspec.json.decode(response.content), receipt_of(response.headers))

    async def feedback(
        self,
        trace: str | None = None,
        *,
        kind: FeedbackKind,
        value: FeedbackValue = None,
        name: str = "",
        comment: str = "",
        span: str | None = None,
        session: str | None = None,
        episode: str | None = None,
        id: str | None = None,
        user: str = "",
        source: FeedbackSource = "person",
        metadata: Mapping[str, Any] | None = None,
        project: str | None = None,
    ) -> str:
        """As Noria.feedback."""
        ask = feedbacks.give(
            trace=trace, span=span, session=session, episode=episode, kind=kind, name=name, value=value,
            comment=comment, id=id, user=user, source=source, metadata=metadata, project=project,
        )  # fmt: skip
        return msgspec.json.decode((await self._post(ask)).content)["id"]

    async def feedback_batch(
        self, items: Sequence[Mapping[str, Any]], *, project: str | None = None
    ) -> list[FeedbackOutcome]:
        """As Noria.feedback_batch."""
        response = await self._post(feedbacks.batch(items, project=project))
        return feedbacks.outcomes(response.content)

    async def revise_feedback(self, id: str, *, project: str | None = None, **changes: Any) -> int:
        """As Noria.revise_feedback."""
        response = await self._post(feedbacks.revise(id, changes, project=project))
        return msgspec.json.decode(response.content)["revision"]

    async def retract_feedback(self, id: str, *, project: str | None = None) -> None:
        """Take it back."""
        await self._post(feedbacks.retract(id, project=project))

    def dataset(self, name: str, *, project: str = "default") -> AsyncDataset:
        """As Noria.dataset."""
        return AsyncDataset(self._http, self.base_url, name, project=project)

    async def prompt(
        self,
        name: str,
        label: str = "production",
        *,
        version: int | None = None,
        max_age: float = MAX_AGE,
        project: str = "default",
    ) -> AsyncPrompt:
        """As Noria.prompt."""
        path = path_of(name, label=label, version=version, project=project)
        kept = self._prompts.fresh(path, max_age)
        if kept is None:
            try:
                response = await self._send(self._http.build_request("GET", path, timeout=FETCH_TIMEOUT))
                kept = self._prompts.keep(path, response.content)
            except (RequestError, Unreachable) as error:
                kept = self._prompts.instead(path, error)
        return AsyncPrompt(kept, self.chat)

    @asynccontextmanager
    async def _streaming(self, ask: Ask) -> AsyncGenerator[AsyncStream]:
        response = await self._send(self._request(ask, wire.trace_headers()), stream=True)
        try:
            yield AsyncStream(response, receipt_of(response.headers), self.base_url)
        finally:
            await response.aclose()

    async def _answer(self, ask: Ask) -> Answer:
        response = await self._post(ask)
        return Answer(wire.read_chat(response.content), receipt_of(response.headers))

    async def _post(self, ask: Ask) -> httpx2.Response:
        return await self._send(self._request(ask, wire.headers_of(ask)))

    def _request(self, ask: Ask, headers: dict[str, str]) -> httpx2.Request:
        return self._http.build_request("POST", ask.path, content=ask.body, headers=headers)

    async def _send(self, request: httpx2.Request, *, stream: bool = False) -> httpx2.Response:
        try:
            response = await self._http.send(request, stream=stream)
            if response.status_code < 400:
                return response
            body = await response.aread()
            await response.aclose()
        except httpx2.TransportError as error:
            raise wire.unreachable(self.base_url, error) from error
        raise refusal(response.status_code, response.headers, body)
