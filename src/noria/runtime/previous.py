"""The turns before a `responses` call, read from the collector, which keeps what callers may fetch again."""

from __future__ import annotations

from pathlib import Path
from time import time
from urllib.parse import quote

import msgspec

from noria.access.token import issue
from noria.errors import InvalidRequest, NotFound, Unavailable, UpstreamError
from noria.gateway import ask
from noria.gateway.call import CallState
from noria.gateway.dialects.responses import with_previous
from noria.gateway.transport import Origin, Transport

MAX_TURNS = 1_000
PAGE = 100
WAIT = 5.0
"""Seconds for one answer of the collector."""


class _Items(msgspec.Struct):
    data: list[msgspec.Raw] = []
    has_more: bool = False
    last_id: str | None = None


class _Response(msgspec.Struct):
    output: list[msgspec.Raw] = []
    previous_response_id: str | None = None


_items = msgspec.json.Decoder(_Items)
_response = msgspec.json.Decoder(_Response)


class PreviousTurns:
    """Writes out what `previous_response_id` stands for (`service.Expand`)."""

    def __init__(self, collector: Path, transport: Transport, *, pepper: bytes) -> None:
        self._origin = Origin(host="collector", port=80, unix=str(collector))
        self._transport = transport
        self._pepper = pepper

    async def __call__(self, call: CallState) -> bytes:
        """The body with the turns before it. Raises NotFound, InvalidRequest and Unavailable."""
        token = issue(call.key, pepper=self._pepper, now=time())
        turns: list[tuple[list[msgspec.Raw], list[msgspec.Raw]]] = []
        name = ask.text(call.fields, "previous_response_id")
        while name:
            if len(turns) == MAX_TURNS:
                raise InvalidRequest(f"A response continues at most {MAX_TURNS} others.")
            found = _response.decode(await self._get(f"/v1/responses/{quote(name, safe='')}", token))
            turns.append((await self._input(name, token), found.output))
            name = found.previous_response_id
        before = [item for inputs, outputs in reversed(turns) for item in (*inputs, *outputs)]
        return with_previous(call.fields, before)

    async def _input(self, name: str, token: str) -> list[msgspec.Raw]:
        items: list[msgspec.Raw] = []
        after = ""
        while True:
            path = f"/v1/responses/{quote(name, safe='')}/input_items?order=asc&limit={PAGE}{after}"
            page = _items.decode(await self._get(path, token))
            items += page.data
            if not page.has_more or not page.last_id:
                return items
            after = f"&after={quote(page.last_id, safe='')}"

    async def _get(self, path: str, token: str) -> bytes:
        head = f"GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n".encode()
        try:
            answer = await self._transport.send(
                self._origin, head, b"", connect=WAIT, first=WAIT, total_at=0.0
            )
            body = await answer.read()
        except UpstreamError as error:
            raise Unavailable(f"Earlier responses cannot be read now: {error}", retry_after=1.0) from None
        answer.release()
        if answer.status == 404:
            raise NotFound(
                "The previous response is unknown here; it was not stored, was deleted, or is another key's.",
                param="previous_response_id",
            )
        if answer.status != 200:
            raise Unavailable("Earlier responses cannot be read now.", retry_after=1.0)
        return body
