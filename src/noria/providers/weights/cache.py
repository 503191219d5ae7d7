"""The folder of weights that a person's projects share.

    blobs/<sha256>            each file once, whoever asked for it
    weights/<name>/<file>     hard links to blobs, so that a blob without a second link is garbage
    weights/<name>/.weights   what was pulled, when, and whether a checksum vouched for it
    partial/<digest>          downloads that were broken off, continued by the next pull
    locks/<name>              held while a pull or a removal is under way

NORIA_CACHE, else XDG_CACHE_HOME/noria, else ~/.cache/noria.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from noria.errors import StateError, UserError
from noria.models.weights import Weights

RECEIPT = ".weights"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*", re.IGNORECASE)


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of pulled weights; `sha256` by file, as it was found."""

    weights: Weights
    sha256: dict[str, str]
    verified: bool
    """Whether each file equalled a checksum that was known before."""
    pulled: str
    """UTC, ISO 8601."""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """Weights on this machine. `path` is what an engine is given: the one file, or the folder of several."""

    name: str
    path: Path
    size: int
    receipt: Receipt


def root() -> Path:
    """The cache's folder, which need not exist yet."""
    chosen = os.environ.get("NORIA_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache").absolute() / "noria"


def made(name: str) -> Path:
    """A folder of the cache, made when it is missing."""
    path = root() / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def folder(name: str) -> Path:
    """Where the weights of this name are; the name must be fit for a path."""
    if not _NAME.fullmatch(name):
        raise UserError(f"{name!r} cannot be a name of weights; use letters, digits, '.', '_' and '-'.")
    return root() / "weights" / name


@contextmanager
def locked(name: str) -> Generator[None]:
    """Wait for anyone else who pulls or removes this name; the system frees it when its holder dies."""
    folder(name)
    descriptor = os.open(made("locks") / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def find(name: str) -> Stored | None:
    """The weights of this name, if all their files are here."""
    place = folder(name)
    try:
        receipt = msgspec.json.decode((place / RECEIPT).read_bytes(), type=Receipt)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise StateError(
            f"{place / RECEIPT} is damaged; delete that folder and pull {name!r} again."
        ) from error
    files = [place / file.name for file in receipt.weights.files]
    if not all(file.is_file() for file in files):
        return None
    path = files[0] if len(files) == 1 else place
    return Stored(name=name, path=path, size=sum(file.stat().st_size for file in files), receipt=receipt)


def listed() -> list[Stored]:
    """All weights that are here, by name."""
    place = root() / "weights"
    names = sorted(entry.name for entry in place.iterdir()) if place.is_dir() else []
    return [stored for name in names if _NAME.fullmatch(name) and (stored := find(name)) is not None]


def keep(receipt: Receipt, wholes: dict[str, Path]) -> Path:
    """Move whole files, by file name, in place as these weights, at once; returns the folder.

    The name's link is made before the file becomes a blob, so that a sweep never sees one without a name.
    """
    place = folder(receipt.weights.name)
    fresh = place.with_name(f".{place.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name, whole in wholes.items():
        os.link(whole, fresh / name)
        whole.replace(made("blobs") / receipt.sha256[name])
        # Renaming a link over another of the same file leaves both.
        whole.unlink(missing_ok=True)
    (fresh / RECEIPT).write_bytes(msgspec.json.encode(receipt))
    shutil.rmtree(place, ignore_errors=True)
    fresh.replace(place)
    return place


def remove(name: str) -> int:
    """Delete these weights, and each blob that nothing else uses; returns the bytes freed."""
    with locked(name):
        place = folder(name)
        if not place.is_dir():
            raise UserError(f"No weights called {name!r} are on this machine; `noria model list` shows them.")
        shutil.rmtree(place)
        return sweep()


def sweep() -> int:
    """Delete blobs without a name; returns the bytes freed."""
    freed = 0
    for blob in made("blobs").iterdir():
        status = blob.stat()
        if status.st_nlink == 1:
            freed += status.st_size
            blob.unlink(missing_ok=True)
    return freed
