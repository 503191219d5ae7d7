"""What the mock upstream served, to be compared with what a gateway recorded."""

from __future__ import annotations

from typing import Any

import msgspec


class Served(msgspec.Struct, kw_only=True):
    """One request. Tokens are as billed: of an aborted stream those that were sent.

    `input` includes `cached` and `cache_write`, `output` includes `reasoning`, whatever the dialect says.
    """

    id: str
    """The answer's id, or "" where it has none."""
    dialect: str
    path: str
    model: str
    stream: bool
    status: int = 0
    """0: nothing was answered."""
    input: int = 0
    output: int = 0
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0
    reported: bool = False
    """Whether the caller was told of the usage."""
    whole: bool = False
    """Every byte was handed to a connection that was open then."""
    aborted: bool = False
    """The caller closed the connection before that."""
    ended_ms: float = 0
    """Since the request had arrived: until the last byte, or the abort."""
    chunks: int = 0
    """Pieces of the answer that were sent."""
    connection: int = 0
    """Number of the connection, from 1."""
    headers: dict[str, str] = {}
    body: Any = None
    """The request, decoded."""


class Ledger:
    """Every request in order of arrival."""

    def __init__(self) -> None:
        self.served: list[Served] = []

    def open(self, served: Served) -> None:
        self.served.append(served)

    def find(self, answer_id: str) -> Served:
        """The request whose answer has that id. Raises KeyError."""
        for served in reversed(self.served):
            if served.id == answer_id:
                return served
        raise KeyError(answer_id)

    def clear(self) -> None:
        self.served.clear()

    def json(self) -> bytes:
        """All but headers and bodies, which may hold what a caller would not have shown."""
        rows = [{**msgspec.structs.asdict(served), "headers": {}, "body": None} for served in self.served]
        return msgspec.json.encode(rows)
