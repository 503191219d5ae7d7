"""The files by which control tells workers what to serve, and by which they answer.

    snapshots/config-<hex>.msgpack   one config version, immutable
    snapshots/live-<epoch>.msgpack   keys, budgets and labelled prompts, immutable
    snapshots/generation             mapped: word 0 the generation, then config's sha256, the live epoch,
                                     and for each worker its process id and the generation that it serves

Control writes the files, then raises the generation; workers compare one word at each request. Behind the
mapped words each worker locks a byte for as long as it serves: process ids come again.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import time
from pathlib import Path

import msgspec

from noria.errors import StateError
from noria.gateway.snapshot import FORMAT, Live, Snapshot
from noria.storage.locks import locked_elsewhere, try_lock, unlock

SLOTS = 64
"""Workers at most."""
_SIZE = 4096
_GENERATION, _EPOCH, _DIGEST, _WORKERS = 0, 8, 16, 64
_snapshot = msgspec.msgpack.Decoder(Snapshot)
_live = msgspec.msgpack.Decoder(Live)
_encode = msgspec.msgpack.Encoder().encode
KEPT = 20
"""Older files of each kind that are kept."""


class Snapshots:
    """The folder, for control (`publish`) and for workers (`generation`, `current`, `confirm`)."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._file = os.open(folder / "generation", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.fstat(self._file).st_size < _SIZE:
            os.posix_fallocate(self._file, 0, _SIZE)
        self._map = mmap.mmap(self._file, _SIZE)
        self._words = memoryview(self._map).cast("q")

    def publish(self, *, config: Snapshot | None = None, live: Live | None = None) -> int:
        """Make these the ones to serve; returns the new generation. One writer at a time."""
        fcntl.lockf(self._file, fcntl.LOCK_EX, 1)
        try:
            if config is not None:
                self._write(_config_name(config.digest), _encode(config))
            if live is not None:
                self._write(f"live-{live.epoch}.msgpack", _encode(live))
            if config is not None:
                raw = bytes.fromhex(config.digest.removeprefix("sha256:"))
                self._map[_DIGEST : _DIGEST + 32] = raw
            if live is not None:
                self._words[_EPOCH // 8] = live.epoch
            self._words[0] += 1
            generation = self._words[0]
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1)
        self._prune()
        return generation

    @property
    def generation(self) -> int:
        """Changes whenever something else is to be served; 0: nothing was ever published."""
        return self._words[0]

    def current(self) -> tuple[Snapshot, Live]:
        """What is to be served now. Raises StateError where nothing was published, or its form is another."""
        if not self.generation:
            raise StateError("No configuration has been applied yet; run `noria apply`.")
        name = _config_name("sha256:" + self._map[_DIGEST : _DIGEST + 32].hex())
        try:
            snapshot = _snapshot.decode((self._folder / name).read_bytes())
            live = _live.decode((self._folder / f"live-{self._words[_EPOCH // 8]}.msgpack").read_bytes())
        except (OSError, msgspec.DecodeError) as error:
            raise StateError(
                f"The served configuration cannot be read ({error}); run `noria apply`."
            ) from None
        if snapshot.format != FORMAT or live.format != FORMAT:
            raise StateError("The served configuration was written by another version; run `noria apply`.")
        return snapshot, live

    def confirm(self, worker: int, generation: int) -> None:
        """This process, as worker number `worker`, serves `generation`; 0: it serves no more."""
        at = _WORKERS // 8 + worker * 2
        self._words[at + 1] = generation
        self._words[at] = os.getpid() if generation else 0
        if generation:
            try_lock(self._file, _SIZE + worker)
        else:
            unlock(self._file, _SIZE + worker)

    def serving(self) -> dict[int, int]:
        """Generation by number of each worker whose process lives."""
        found: dict[int, int] = {}
        for worker in range(SLOTS):
            at = _WORKERS // 8 + worker * 2
            if self._words[at] and locked_elsewhere(self._file, _SIZE + worker):
                found[worker] = self._words[at + 1]
        return found

    def wait_served(self, generation: int, *, timeout: float = 2.0) -> list[int]:
        """Wait until every live worker serves `generation`; the numbers of those that do not by then."""
        until = time.monotonic() + timeout
        while True:
            late = [worker for worker, served in self.serving().items() if served < generation]
            if not late or time.monotonic() > until:
                return late
            time.sleep(0.005)

    def _write(self, name: str, data: bytes) -> None:
        aside = self._folder / f".{name}.{os.getpid()}"
        with open(aside, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self._folder / name)

    def _prune(self) -> None:
        for pattern in ("config-*.msgpack", "live-*.msgpack"):
            found = sorted(self._folder.glob(pattern), key=lambda path: path.stat().st_mtime)
            for path in found[:-KEPT]:
                path.unlink(missing_ok=True)


def _config_name(digest: str) -> str:
    return f"config-{digest.removeprefix('sha256:')[:32]}.msgpack"
