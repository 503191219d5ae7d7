"""Where a Noria keeps its state: `.noria/` beside noria.toml, or NORIA_HOME."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


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
    def run(self) -> Path:
        """Folder of sockets and process state: control.sock, collector.sock, engine-*.json, …"""
        return self._made("run")

    @property
    def logs(self) -> Path:
        return self._made("logs")

    def pepper(self) -> bytes:
        """The installation's secret, 32 bytes, made at the first call; keys are hashed under it."""
        path = self._made("") / "secret"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_bytes()
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        return path.read_bytes()

    def _made(self, name: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / name
        path.mkdir(exist_ok=True, mode=0o700)
        return path
