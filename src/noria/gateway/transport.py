"""The seam to upstreams: one request out, one answer in, one implementation a way of carrying bytes.

The gateway area owns the Protocol; the sockets are in `providers.transport`.
"""

from __future__ import annotations

from typing import Protocol

import msgspec


class Origin(msgspec.Struct, frozen=True):
    """Where connections go, and how they are secured. Equal origins share a pool."""

    host: str
    port: int
    tls: bool = False
    unix: str = ""
    """Path of a unix socket; host and port are then only for the Host header."""
    proxy: str = ""
    """http://[user:password@]host:port of a CONNECT proxy."""
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    max_connections: int = 256


class Answer(Protocol):
    """An upstream's answer whose head has arrived. Names of headers are lower case."""

    status: int
    headers: dict[bytes, bytes]
    lines: list[tuple[bytes, bytes]]
    """The headers in order, repeated ones too."""

    async def read(self) -> bytes:
        """The whole body. Raises UpstreamError, of kind "stream" when it is cut short."""
        ...

    async def chunk(self) -> bytes:
        """What has arrived since the last call, or b"" at the end of the body.

        Raises UpstreamError: "stream" when the body is cut short, "timeout" after `gap` seconds of silence.
        """
        ...

    def deadline(self, *, gap: float, total_at: float) -> None:
        """From now on at most `gap` seconds of silence, and nothing past `total_at`; 0: no limit."""
        ...

    def release(self) -> None:
        """The answer is not needed further: the connection is kept if its body soon ends by itself."""
        ...

    def abort(self) -> None:
        """Close the connection, so that the upstream stops."""
        ...


class Transport(Protocol):
    """Carries requests to origins."""

    async def send(
        self, origin: Origin, head: bytes, body: bytes, *, connect: float, first: float, total_at: float
    ) -> Answer:
        """Send, and wait for the head of the answer.

        `head` is the request line and headers, each ending in CRLF, without Content-Length and without the
        empty line. `connect` and `first` are seconds, `total_at` is in seconds of `time.monotonic`; 0 means
        no limit. Raises UpstreamError of kind "connect" or "timeout". A cancelled send closes its connection.
        """
        ...


class Signer(Protocol):
    """Makes the headers that prove who asks, where they depend on the request or on time."""

    async def headers(self, *, method: str, host: str, path: str, body: bytes) -> dict[str, str]:
        """Raises UpstreamError(kind="auth") when no credentials can be had."""
        ...
