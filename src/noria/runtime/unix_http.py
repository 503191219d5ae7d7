"""HTTP over the unix socket of another process of this Noria, for code that may wait."""

from __future__ import annotations

from http.client import HTTPConnection
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM, socket


class UnixConnection(HTTPConnection):
    """`http.client.HTTPConnection` to a socket file; raises OSError where nobody listens."""

    def __init__(self, path: Path, *, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket(AF_UNIX, SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
