"""Erasure of a person's records, done by the one process that writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import time

import msgspec

from noria.access.key import Key
from noria.access.token import issue
from noria.errors import Unavailable, UpstreamError
from noria.gateway.transport import Origin, Transport
from noria.tracing.store import Erasure

PATH = "/internal/erasures"
"""Of the collector's socket: POST {"project", "user"} with a token of role admin; answers an Erasure."""
_CONNECT = 5.0
_PATIENCE = 600.0
"""Seconds: days of spans may have to be looked through."""


class CollectorEraser:
    """`tracing.store.Eraser` over the collector's socket."""

    def __init__(self, socket: Path, connect: Callable[[], Transport], *, pepper: bytes) -> None:
        """`connect` is called within the event loop, once an erasure is asked for."""
        self._origin = Origin(host="collector", port=80, unix=str(socket))
        self._connect = connect
        self._pepper = pepper

    async def erase_user(self, project: str, user: str) -> Erasure:
        """Raises Unavailable where the collector does not do it."""
        key = Key(id="control", lookup="", hash=b"", name="control", project=project, role="admin")
        token = issue(key, pepper=self._pepper, now=time())
        head = (
            f"POST {PATH} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n"
            "content-type: application/json\r\n"
        ).encode()
        body = msgspec.json.encode({"project": project, "user": user})
        try:
            answer = await self._connect().send(
                self._origin, head, body, connect=_CONNECT, first=_PATIENCE, total_at=0.0
            )
            found = await answer.read()
        except UpstreamError as error:
            raise Unavailable(
                f"Nothing was erased, since the collector does not answer: {error}", retry_after=2.0
            ) from None
        answer.release()
        if answer.status != 200:
            raise Unavailable(f"Nothing was erased: the collector answered {answer.status}.", retry_after=2.0)
        return msgspec.json.decode(found, type=Erasure)
