"""One HTTP request and its answer, as the gateway sees them; the socket is the server's.

The server reads the whole body of a hot path before the gateway starts, and cancels the gateway's task when
the client hangs up.
"""

from __future__ import annotations

from typing import Protocol


class Exchange(Protocol):
    """Header names are lower-case bytes; of a header sent twice the last wins."""

    method: bytes
    path: bytes
    """Without the query."""
    query: bytes
    headers: dict[bytes, bytes]
    body: bytes
    peer: str
    """The client's address, "" over a unix socket."""

    @property
    def congested(self) -> bool:
        """Whether the client reads slower than it is written to."""
        ...

    def respond(self, status: int, headers: bytes, body: bytes) -> None:
        """The whole answer. `headers` is whole lines, each ending in CRLF, without Content-Length."""
        ...

    def start(self, status: int, headers: bytes) -> None:
        """Begin a streamed answer."""
        ...

    def write(self, data: bytes) -> None:
        """More of the streamed answer; at once on the wire, unless the client is slow."""
        ...

    def finish(self, data: bytes = b"") -> None:
        """The last of a streamed answer, and its end."""
        ...

    def abort(self) -> None:
        """Break the connection, so that the client sees that a started answer is not whole."""
        ...

    async def drain(self) -> None:
        """Wait until the client has read enough."""
        ...
