"""Answers of calls with idempotency keys, read from the collector, which keeps them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from noria.errors import Unavailable, UpstreamError
from noria.gateway.transport import Origin, Transport
from noria.tracing.record import Stored

WAIT = 10.0
"""Seconds for the collector's answer: it writes first what is still on its way."""
_stored = msgspec.json.Decoder(Stored | None)
_HEAD = b"POST /internal/answer HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"


class KeptAnswers:
    """`gateway.idempotency.Find`."""

    def __init__(self, collector: Path, transport: Transport) -> None:
        self._origin = Origin(host="collector", port=80, unix=str(collector))
        self._transport = transport

    async def __call__(self, project: str, id: str) -> Stored | None:
        body = msgspec.json.encode({"project": project, "id": id})
        try:
            answer = await self._transport.send(
                self._origin, _HEAD, body, connect=WAIT, first=WAIT, total_at=0.0
            )
            found = await answer.read()
        except UpstreamError as error:
            raise _unknown(str(error)) from None
        answer.release()
        if answer.status != 200:
            raise _unknown(f"the collector answered {answer.status}.")
        return _stored.decode(found)


def _unknown(why: str) -> Unavailable:
    return Unavailable(
        f"Whether this idempotency key has an answer cannot be known now: {why}", retry_after=1.0
    )
