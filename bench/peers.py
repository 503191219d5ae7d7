"""Gateways to compare with, each started from its own virtual environment or package folder.

`NORIA_PEERS` is the folder in which `make bench-peers` has put them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(os.environ.get("NORIA_PEERS", ".cache/peers"))
Start = Callable[..., AbstractContextManager[tuple[str, dict[str, str], int]]]


@dataclass
class Peer:
    """`start(folder, upstream, cpu=)` gives URL, headers and process id."""

    name: str
    program: Path
    start: Start
    model: str = "mock"

    def installed(self) -> bool:
        return self.program.exists()


PEERS: list[Peer] = []
__all__ = ["PEERS", "Iterator", "Peer"]
