"""Where a Noria keeps its state: `.noria/` beside noria.toml, or NORIA_HOME."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from noria.errors import StateError

PEPPER = 32
"""Bytes."""


class Home:
    """The places within one state folder; folders are made, with mode 0700, when first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    @classmethod
    def beside(cls, config: Path) -> Home:
        """NORIA_HOME, else `.noria` in the folder of the noria.toml at `config`."""
        chosen = os.environ.get("NORIA_HOME")
        return cls(Path(chosen) if chosen else config.absolute().parent / ".noria")

    @property
    def database(self) -> Path:
        """noria.db: written by control."""
        return self._made("") / "noria.db"

    @property
    def jobs(self) -> Path:
        """jobs.db: written by control."""
        return self._made("") / "jobs.db"

    @property
    def ledger(self) -> Path:
        """ledger.db: written by the collector."""
        return self._made("") / "ledger.db"

    @property
    def stored(self) -> Path:
        """stored.db: written by the collector."""
        return self._made("") / "stored.db"

    @property
    def spans(self) -> Path:
        """Folder of `<YYYY-MM-DD>.db`: written by the collector."""
        return self._made("spans")

    @property
    def spool(self) -> Path:
        """Folder of segments: written by workers and the collector's own OTLP intake."""
        return self._made("spool")

    @property
    def counters(self) -> Path:
        """Folder of mapped counter files."""
        return self._made("counters")

    @property
    def snapshots(self) -> Path:
        return self._made("snapshots")

    @property
    def blobs(self) -> Path:
        return self._made("blobs")

    @property
    def pools(self) -> Path:
        """Folder of examples to choose from, with their vectors: made once, read by workers."""
        return self._made("pools")

    @property
    def uploads(self) -> Path:
        """Folder of files on their way into datasets."""
        return self._made("uploads")

    @property
    def run(self) -> Path:
        """Folder of sockets and process state: control.sock, collector.sock, engine-*.json, …"""
        return self._made("run")

    @property
    def logs(self) -> Path:
        return self._made("logs")

    def pepper(self) -> bytes:
        """The installation's secret, 32 bytes, made at the first call; keys are hashed under it."""
        path = self._made("") / "secret"
        if not path.exists():
            self._make_pepper(path)
        found = path.read_bytes()
        if len(found) != PEPPER:
            raise StateError(f"{path} is damaged; restore it from a backup, or every key is useless.")
        return found

    def _make_pepper(self, path: Path) -> None:
        """Whole or not at all, and only once, whoever else makes it now."""
        descriptor, aside = tempfile.mkstemp(prefix="secret.", dir=self.folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(PEPPER))
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(aside, path)
        finally:
            Path(aside).unlink()

    def _made(self, name: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / name
        path.mkdir(exist_ok=True, mode=0o700)
        return path
