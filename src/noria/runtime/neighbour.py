"""The collector, as control asks it over its socket."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from noria.errors import Unavailable, UpstreamError
from noria.gateway.transport import Origin, Transport
from noria.tracing.store import Erasure

_CONNECT = 2.0
_SOON = 2.0
_LONG = 600.0
"""Seconds for an erasure: days of spans may have to be looked through."""


class Stand(msgspec.Struct, frozen=True):
    """How the collector does."""

    lag_s: float
    problem: str
    """What keeps it from writing, in a sentence; "": nothing."""


class CollectorSocket:
    """`tracing.store.Eraser`, and the collector's own word on how it does."""

    def __init__(self, socket: Path, connect: Callable[[], Transport]) -> None:
        """`connect` is called once, within the event loop."""
        self._origin = Origin(host="collector", port=80, unix=str(socket))
        self._connect = connect
        self._transport: Transport | None = None

    async def erase_user(self, project: str, user: str, also: Sequence[str] = ()) -> Erasure:
        """Raises Unavailable where the collector does not do it."""
        body = msgspec.json.encode({"project": project, "user": user, "also": also})
        try:
            found = await self._ask("POST", "/internal/erase", body, patience=_LONG)
        except UpstreamError as error:
            raise Unavailable(
                f"Nothing was erased, since the collector does not answer: {error}", retry_after=2.0
            ) from None
        return msgspec.json.decode(found, type=Erasure)

    async def stand(self) -> Stand | None:
        """None: it does not answer."""
        try:
            return msgspec.json.decode(
                await self._ask("GET", "/internal/health", b"", patience=_SOON), type=Stand
            )
        except UpstreamError:
            return None

    async def _ask(self, method: str, path: str, body: bytes, *, patience: float) -> bytes:
        if self._transport is None:
            self._transport = self._connect()
        head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n".encode()
        answer = await self._transport.send(
            self._origin, head, body, connect=_CONNECT, first=patience, total_at=0.0
        )
        found = await answer.read()
        answer.release()
        if answer.status != 200:
            raise UpstreamError(
                f"the collector answered {answer.status}", kind="server", status=answer.status
            )
        return found
