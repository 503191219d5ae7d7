"""The form of a backup: named files and a manifest, in a folder or in one .tar.zst.

    manifest.json        every other file with its size, sha256 and, of a database, rows by table
    config/…             noria.toml and what it includes
    state/…              the state folder

A backup appears under its name only when it is whole. The manifest comes last: nothing is copied twice.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec
import zstandard

from noria.errors import StateError, UserError
from noria.storage.backup import Rows, count_rows

FORMAT = 1
MANIFEST = "manifest.json"
SUFFIX = ".tar.zst"
_CHUNK = 1 << 20
_LONGEST_MANIFEST = 1 << 30


class Copied(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file of a backup."""

    name: str
    size: int
    sha256: str
    rows: Rows | None = None
    """By table; None: no database."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds."""

    format: int
    noria: str
    """Version of the program that made it."""
    schema: str
    """Revision of noria.db."""
    begun: str
    """UTC, ISO 8601."""
    files: list[Copied]
    left_out: list[str]
    """What it does not hold, a sentence each."""

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    def rows(self, database: str) -> Rows:
        """Of a database within the state folder; empty where it is not there."""
        found = next((file for file in self.files if file.name == f"state/{database}"), None)
        return {} if found is None or found.rows is None else found.rows


class Writer:
    """A `storage.backup.Sink` for a folder or an archive that is being made."""

    def __init__(self, work: Path, archive: tarfile.TarFile | None, *, prefix: str = "state") -> None:
        self._work = work
        self._archive = archive
        self._prefix = prefix
        self._files: list[Copied] = []
        self._number = 0

    def under(self, prefix: str) -> Writer:
        """The same, for files under another of the backup's folders."""
        other = Writer(self._work, self._archive, prefix=prefix)
        other._files = self._files
        return other

    def scratch(self) -> Path:
        self._number += 1
        return self._work / f".{self._prefix}-{self._number}"

    def put(self, name: str, file: Path, *, rows: Rows | None = None) -> None:
        name = f"{self._prefix}/{name}"
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        self._files.append(Copied(name=name, size=file.stat().st_size, sha256=digest, rows=rows))
        self._keep(name, file)

    def finish(self, manifest: Manifest) -> Manifest:
        """Add the manifest, with the files in it."""
        whole = msgspec.structs.replace(manifest, files=sorted(self._files, key=lambda file: file.name))
        file = self.scratch()
        file.write_bytes(msgspec.json.format(msgspec.json.encode(whole), indent=1))
        self._keep(MANIFEST, file)
        return whole

    def _keep(self, name: str, file: Path) -> None:
        if self._archive is None:
            place = self._work / name
            _make(place.parent)
            file.chmod(0o600)
            file.replace(place)
            return
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = file.stat().st_size, 0o600
        with file.open("rb") as opened:
            self._archive.addfile(entry, opened)
        file.unlink()


@contextmanager
def create(target: Path) -> Generator[Writer]:
    """Make the backup `target`: an archive where it ends in .tar.zst, else a folder. Raises UserError."""
    if target.exists():
        raise UserError(f"{target} exists already; name another, or move it away.")
    if not target.parent.is_dir():
        raise UserError(f"{target.parent} is not a folder; make it first.")
    work = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        work.mkdir(mode=0o700)
        if not target.name.endswith(SUFFIX):
            yield Writer(work, None)
            _sync(work)
            work.replace(target)
            return
        whole = work / "whole"
        with open(whole, "xb", opener=_private) as file:
            with zstandard.ZstdCompressor(level=3).stream_writer(file, closefd=False) as compressed:
                with tarfile.open(fileobj=compressed, mode="w|") as archive:
                    yield Writer(work, archive)
            file.flush()
            os.fsync(file.fileno())
        whole.replace(target)
    except OSError as error:
        raise StateError(
            f"{target} cannot be written ({error.strerror or error}); make room there."
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def restore(source: Path, target: Path) -> Manifest:
    """Verify the backup and put it in place: its config/ as `target`, its state/ as `target`/.noria.

    Raises UserError where `target` holds something, StateError where the backup is damaged or not whole; then
    nothing is left behind.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UserError(f"{target} is not empty; name a folder that is new or empty.")
    work = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        work.mkdir(mode=0o700, parents=True)
        found = dict(_extract(source, work))
        manifest = _manifest(work / MANIFEST, source)
        _verify(manifest, found, work)
        (work / MANIFEST).unlink()
        for name in ("config", "state"):
            (work / name).mkdir(exist_ok=True, mode=0o700)
        (work / "state").rename(work / "config" / ".noria")
        if target.exists():
            target.rmdir()
        (work / "config").replace(target)
    except (OSError, tarfile.TarError, zstandard.ZstdError) as error:
        raise StateError(f"{source} cannot be restored to {target}: {error}.") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return manifest


def _extract(source: Path, to: Path) -> Iterator[tuple[str, str]]:
    """(name, sha256) of each file, which is now below `to`."""
    if source.is_dir():
        for path in sorted(path for path in source.rglob("*") if path.is_file()):
            with path.open("rb") as opened:
                yield from _written(path.relative_to(source).as_posix(), opened, to)
        return
    if not source.is_file():
        raise UserError(f"There is no backup at {source}.")
    with source.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as plain:
        with tarfile.open(fileobj=plain, mode="r|") as archive:
            for entry in archive:
                opened = archive.extractfile(entry) if entry.isreg() else None
                if opened is None:
                    raise StateError(f"{source} holds {entry.name}, which is no plain file: it is no backup.")
                yield from _written(entry.name, opened, to)


def _written(name: str, opened: IO[bytes], to: Path) -> Iterator[tuple[str, str]]:
    path = PurePosixPath(name)
    inside = path.parts and not path.is_absolute() and ".." not in path.parts
    if not inside or (path.parts[0] not in ("config", "state") and name != MANIFEST):
        raise StateError(f"{name!r} is no name of a backup's file; it was not made by Noria.")
    place = to / path
    _make(place.parent)
    digest = hashlib.sha256()
    with open(place, "xb", opener=_private) as file:
        while data := opened.read(_CHUNK):
            digest.update(data)
            file.write(data)
        file.flush()
        os.fsync(file.fileno())
    yield name, digest.hexdigest()


def _manifest(path: Path, source: Path) -> Manifest:
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise StateError(f"{source} has no {MANIFEST}: it is no backup, or was cut short.") from None
    except msgspec.DecodeError as error:
        raise StateError(f"The {MANIFEST} of {source} is not understood ({error}).") from None
    if manifest.format > FORMAT:
        raise StateError(
            f"{source} was made by Noria {manifest.noria}; restore it with that version or a newer."
        )
    return manifest


def _verify(manifest: Manifest, found: dict[str, str], work: Path) -> None:
    expected = {file.name: file for file in manifest.files}
    for name in sorted(expected.keys() ^ (found.keys() - {MANIFEST})):
        raise StateError(f"The backup {'lacks' if name in expected else 'has beside its manifest'} {name}.")
    for name, file in expected.items():
        if found[name] != file.sha256:
            raise StateError(f"{name} in the backup is damaged: its sha256 is not the one of the manifest.")
        if file.rows is not None and count_rows(work / name) != file.rows:
            raise StateError(f"{name} in the backup has other numbers of rows than the manifest says.")


def _make(folder: Path) -> None:
    """With all its parents, for the owner alone: `mkdir(parents=True)` heeds the mode for the last only."""
    for one in (*reversed(folder.parents), folder):
        one.mkdir(exist_ok=True, mode=0o700)


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
