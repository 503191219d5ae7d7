"""The client for plain code."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import httpx2
import msgspec

from noria.client import feedbacks, wire
from noria.client.answer import Answer, Embeddings, Responded
from noria.client.datasets import Dataset
from noria.client.feedbacks import FeedbackKind, FeedbackOutcome, FeedbackSource, FeedbackValue
from noria.client.prompts import FETCH_TIMEOUT, MAX_AGE, Prompt, PromptCache, path_of
from noria.client.receipt import receipt_of, refusal
from noria.client.stream import Stream
from noria.client.wire import TIMEOUT, Ask, Messages
from noria.core.messages import Request
from noria.errors import RequestError, Unreachable


class Noria:
    """Calls one Noria. Safe to share between threads; close it, or use it in a `with`.

    Without arguments NORIA_BASE_URL and NORIA_API_KEY say where it is and who calls. What is said with
    `about`, and the OpenTelemetry span that is open, go along with every call. Methods raise the gateway's
    refusal as the class of `noria.errors` that it has there, and Unreachable where no answer comes.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = TIMEOUT,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self.base_url = wire.base_url_of(base_url)
        headers = {"content-type": "application/json", **wire.key_headers(api_key)}
        self._http = httpx2.Client(
            base_url=self.base_url, headers=headers, timeout=timeout, transport=transport
        )

        self._prompts = PromptCache()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def chat(self, model: str, messages: Messages, **options: Any) -> Answer:
        """`messages` is a text or a conversation in OpenAI's form, `options` are its further keys."""
        return self._answer(wire.chat(model, messages, options))

    @contextmanager
    def chat_stream(self, model: str, messages: Messages, **options: Any) -> Generator[Stream]:
        """As `chat`, while it is being said; leaving the `with` early ends the call."""
        ask = wire.chat(model, messages, options, stream=True)
        request = self._http.build_request("POST", ask.path, content=ask.body, headers=wire.trace_headers())
        response = self._send(request, stream=True)
        try:
            yield Stream(response, receipt_of(response.headers), self.base_url)
        finally:
            response.close()

    def answer(self, request: Request) -> Answer:
        """As `chat`, in Noria's own form."""
        return self._answer(wire.respond(request))

    def embeddings(self, model: str, texts: str | Sequence[str]) -> Embeddings:
        """One vector a text."""
        response = self._post(wire.embed(wire.embeddings_request(model, texts)))
        found = wire.read_embeddings(response.content, model)
        return Embeddings(found.vectors, found.usage, receipt_of(response.headers))

    def responses(self, model: str, input: str | Sequence[Mapping[str, Any]], **options: Any) -> Responded:
        """The Responses API; `options` are its further keys."""
        response = self._post(wire.responses(model, input, options))
        return Responded(msgspec.json.decode(response.content), receipt_of(response.headers))

    def completions(self, model: str, prompt: str, **options: Any) -> Responded:
        """OpenAI's older completions, as sent: `options` are its further keys, such as `echo`."""
        response = self._post(wire.completions(model, prompt, options))
        return Responded(msgspec.json.decode(response.content), receipt_of(response.headers))

    def feedback(
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
        """Say what a trace or span, a session or an episode was worth; the feedback's id.

        `value`: a thumb's boolean, a score's number, a choice's word, a correction's or demonstration's text.
        With an `id` of your own it can be sent again without being counted twice. `user` is the user of your
        application who says it. `project`: the key's own.
        """
        ask = feedbacks.give(
            trace=trace, span=span, session=session, episode=episode, kind=kind, name=name, value=value,
            comment=comment, id=id, user=user, source=source, metadata=metadata, project=project,
        )  # fmt: skip
        return msgspec.json.decode(self._post(ask).content)["id"]

    def feedback_batch(
        self, items: Sequence[Mapping[str, Any]], *, project: str | None = None
    ) -> list[FeedbackOutcome]:
        """As many at once, at most 1,000; one that is refused does not keep the others back."""
        response = self._post(feedbacks.batch(items, project=project))
        return feedbacks.outcomes(response.content)

    def revise_feedback(self, id: str, *, project: str | None = None, **changes: Any) -> int:
        """Say something else instead (`value`, `comment`, `metadata`); the number of the new revision. `id`
        is the feedback's, or the one that you gave it."""
        response = self._post(feedbacks.revise(id, changes, project=project))
        return msgspec.json.decode(response.content)["revision"]

    def retract_feedback(self, id: str, *, project: str | None = None) -> None:
        """Take it back."""
        self._post(feedbacks.retract(id, project=project))

    def dataset(self, name: str, *, project: str = "default") -> Dataset:
        """A dataset of this Noria, to stream examples from and put them in."""
        return Dataset(self._http, self.base_url, name, project=project)

    def prompt(
        self,
        name: str,
        label: str = "production",
        *,
        version: int | None = None,
        max_age: float = MAX_AGE,
        project: str = "default",
    ) -> Prompt:
        """A prompt's version: that of a label, or `version` by its number (the key then needs role viewer).

        Fetched at most every `max_age` seconds. Where Noria is down the last copy serves, and is `stale`.
        """
        path = path_of(name, label=label, version=version, project=project)
        kept = self._prompts.fresh(path, max_age)
        if kept is None:
            try:
                kept = self._prompts.keep(path, self._get(path))
            except (RequestError, Unreachable) as error:
                kept = self._prompts.instead(path, error)
        return Prompt(kept, self.chat)

    def _get(self, path: str) -> bytes:
        return self._send(self._http.build_request("GET", path, timeout=FETCH_TIMEOUT)).content

    def _answer(self, ask: Ask) -> Answer:
        response = self._post(ask)
        return Answer(wire.read_chat(response.content), receipt_of(response.headers))

    def _post(self, ask: Ask) -> httpx2.Response:
        request = self._http.build_request("POST", ask.path, content=ask.body, headers=wire.headers_of(ask))
        return self._send(request)

    def _send(self, request: httpx2.Request, *, stream: bool = False) -> httpx2.Response:
        try:
            response = self._http.send(request, stream=stream)
            if response.status_code < 400:
                return response
            body = response.read()
            response.close()
        except httpx2.TransportError as error:
            raise wire.unreachable(self.base_url, error) from error
        raise refusal(response.status_code, response.headers, body)
