"""Files as a stream of examples, with an account of what was read and what was left out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from noria.core.example import Example
from noria.datasets import mapping as mappings
from noria.datasets.formats import arrow, delimited, hugging_face, json_array, json_lines, text
from noria.datasets.record import Problem, Record
from noria.errors import InvalidRequest

LISTED = 1000
"""Problems that a report lists; all are counted."""
_ALL_BAD = 1000
"""An import whose first so many records are all bad was meant differently."""

Read = Callable[..., Iterator[Record | Problem]]
FORMATS: dict[str, Read] = {
    "jsonl": json_lines.read,
    "json": json_array.read,
    "csv": delimited.read_csv,
    "tsv": delimited.read_tsv,
    "parquet": arrow.read_parquet,
    "arrow": arrow.read_arrow,
    "text": text.read,
}
_SUFFIXES = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "tsv",
    ".parquet": "parquet", ".arrow": "arrow", ".txt": "text",
}  # fmt: skip


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A file or folder to import."""

    path: str
    name: str = ""
    """What to call it; "": as the file is called."""
    format: str = ""
    """Of FORMATS; "": as the name's end says, a folder is Hugging Face's."""
    parallel: dict[str, str] = {}
    """Instead of `path`: column to path of a plain text, line by line beside one another."""
    tags: tuple[str, ...] = ()
    """Of every example of it."""


class Report(msgspec.Struct, kw_only=True):
    """What an import has read. Grows while it goes on."""

    read: int = 0
    """Records, good and bad."""
    bad: int = 0
    problems: list[Problem] = []
    """The first of them."""
    files: list[dict[str, Any]] = []
    """Name, SHA-256 and bytes of each."""
    version: int = 0
    """The version that holds the result."""
    made: bool = False
    """False: the version was there already, with the same content."""
    examples: int = 0
    """In that version."""
    repeated: int = 0
    """Records whose id another record of the import has too: of those the last counts."""
    created: int = 0
    patched: int = 0
    deleted: int = 0

    def add(self, problem: Problem) -> None:
        self.bad += 1
        if len(self.problems) < LISTED:
            self.problems.append(problem)


def files_of(source: Source) -> list[tuple[Path, str]]:
    """Every file of a source, with the name that it is called by. Raises InvalidRequest."""
    if source.parallel:
        return [(Path(path), Path(path).name) for path in source.parallel.values()]
    path = Path(source.path)
    if path.is_dir():
        folder = path.absolute()
        return [(one, one.relative_to(folder.parent).as_posix()) for one in hugging_face.files(folder)]
    return [(path, source.name or path.name)]


def described(source: Source) -> list[dict[str, Any]]:
    """Name, SHA-256 and bytes of its files: what lineage keeps. Raises InvalidRequest."""
    found: list[dict[str, Any]] = []
    for path, name in files_of(source):
        try:
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            found.append({"name": name, "sha256": digest, "bytes": path.stat().st_size})
        except OSError as error:
            raise InvalidRequest(f"{path} cannot be read ({error.strerror}).") from None
    return found


def records(source: Source) -> Iterator[Record | Problem]:
    """Raises InvalidRequest for a file that cannot be read at all."""
    if source.parallel:
        columns = {column: Path(path) for column, path in source.parallel.items()}
        yield from text.parallel(
            columns, name=source.name or "+".join(path.name for path in columns.values())
        )
        return
    path = Path(source.path)
    if path.is_dir():
        folder = path.absolute()
        for one in hugging_face.files(folder):
            yield from hugging_face.read(one, folder=folder)
        return
    name = source.name or path.name
    yield from FORMATS[source.format or format_of(name)](path, name=name)


def format_of(name: str) -> str:
    """As the end of a file's name says. Raises InvalidRequest."""
    found = _SUFFIXES.get(Path(name.removesuffix(".gz")).suffix.lower())
    if found is None:
        raise InvalidRequest(
            f"The name {name!r} does not say what is in the file; give the format ({', '.join(FORMATS)}).",
            param="format",
        )
    return found


def examples(
    found: Iterable[Record | Problem],
    mapping: mappings.Mapping,
    report: Report,
    *,
    tags: tuple[str, ...] = (),
) -> Iterator[Example]:
    """The examples among the records; the others are counted and listed in `report`.

    Raises InvalidRequest where all are bad from the beginning.
    """
    for one in found:
        report.read += 1
        made = mapping.example(one, tags=tags) if isinstance(one, Record) else one
        if isinstance(made, Example):
            yield made
            continue
        report.add(made)
        if report.bad == report.read == _ALL_BAD:
            break
    if report.read and report.bad == report.read:
        first = report.problems[0]
        raise InvalidRequest(
            f"None of the first {report.read:,} records can be imported; {first.file}, line {first.line}: "
            f"{first.reason}"
        )


def lineage(report: Report, mapping: mappings.Mapping) -> dict[str, Any]:
    """What a version keeps of the import that made it."""
    said: Mapping[str, Any] = msgspec.to_builtins(mapping)
    return {"files": report.files, **({"mapping": said} if said else {})}
