"""A model's answers on disk, one file each, and what a run has spent on them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from noria.datasets.curation.shard import write_whole
from noria.datasets.curation.step import UNSEALED, Answered, Sealing


class Spent(msgspec.Struct, frozen=True):
    """By one run, over all its attempts."""

    calls: int = 0
    cost: float = 0.0
    """Dollars, of the calls whose cost is known."""
    dearest: float = 0.0


class Answers:
    """By text. Not safe for threads: `put` is called by one at a time."""

    def __init__(self, folder: Path, *, spent: Path, seal: Sealing = UNSEALED) -> None:
        """`folder` is shared by runs; `spent` is the run's own file."""
        self._folder = folder
        self._seal = seal
        self._spent = spent
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.spent = msgspec.json.decode(spent.read_bytes(), type=Spent) if spent.exists() else Spent()

    def get(self, text: str) -> Answered | None:
        try:
            return msgspec.json.decode(self._seal.opened(self._path(text).read_bytes()), type=Answered)
        except FileNotFoundError:
            return None

    def put(self, text: str, answer: Answered) -> None:
        path = self._path(text)
        path.parent.mkdir(exist_ok=True, mode=0o700)
        write_whole(path, self._seal.bytes(msgspec.json.encode(answer)))
        cost = answer.cost or 0.0
        self.spent = Spent(self.spent.calls + 1, self.spent.cost + cost, max(self.spent.dearest, cost))
        write_whole(self._spent, msgspec.json.encode(self.spent))

    def _path(self, text: str) -> Path:
        name = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
        return self._folder / name[:2] / name
