"""Streamed answers, for plain and for asynchronous code."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx2

from noria.client.receipt import Receipt
from noria.client.wire import Reading, unreachable
from noria.core.messages import Delta, Finish, PartStart, StreamEvent, Text
from noria.core.usage import Usage


class _Said:
    """Picks the first choice's text out of the events, and remembers how it ended."""

    def __init__(self) -> None:
        self._texts: set[int] = set()
        self.usage: Usage | None = None

    def text(self, event: StreamEvent) -> str:
        if isinstance(event, PartStart) and isinstance(event.part, Text) and not event.choice:
            self._texts.add(event.index)
            return event.part.text
        if isinstance(event, Delta) and not event.choice and event.index in self._texts:
            return event.text
        return ""

    def note(self, event: StreamEvent) -> None:
        if isinstance(event, Finish):
            self.usage = event.usage


class Stream:
    """Iterates over `core.messages.StreamEvent`; read it once."""

    def __init__(self, response: httpx2.Response, receipt: Receipt, base_url: str) -> None:
        self._response = response
        self._base_url = base_url
        self._said = _Said()
        self.receipt = receipt

    @property
    def usage(self) -> Usage | None:
        """Known at the end."""
        return self._said.usage

    def __iter__(self) -> Iterator[StreamEvent]:
        reading = Reading()
        try:
            for data in self._response.iter_bytes():
                for event in reading.feed(data):
                    self._said.note(event)
                    yield event
        except httpx2.TransportError as error:
            raise unreachable(self._base_url, error) from error
        for event in reading.close():
            self._said.note(event)
            yield event

    def texts(self) -> Iterator[str]:
        """The first choice's text, piece by piece."""
        for event in self:
            if text := self._said.text(event):
                yield text


class AsyncStream:
    """As Stream, with `async for`."""

    def __init__(self, response: httpx2.Response, receipt: Receipt, base_url: str) -> None:
        self._response = response
        self._base_url = base_url
        self._said = _Said()
        self.receipt = receipt

    @property
    def usage(self) -> Usage | None:
        """Known at the end."""
        return self._said.usage

    async def __aiter__(self) -> AsyncIterator[StreamEvent]:
        reading = Reading()
        try:
            async for data in self._response.aiter_bytes():
                for event in reading.feed(data):
                    self._said.note(event)
                    yield event
        except httpx2.TransportError as error:
            raise unreachable(self._base_url, error) from error
        for event in reading.close():
            self._said.note(event)
            yield event

    async def texts(self) -> AsyncIterator[str]:
        """The first choice's text, piece by piece."""
        async for event in self:
            if text := self._said.text(event):
                yield text
