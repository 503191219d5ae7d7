"""A folder as the Hugging Face libraries leave it: `save_to_disk`, a cache, or a repository of data files.

Records carry the name of their split as a tag, where the folder says it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from noria.datasets.formats import arrow, delimited, json_array, json_lines
from noria.datasets.record import Problem, Record
from noria.errors import InvalidRequest

_READERS: dict[str, Callable[..., Iterator[Record | Problem]]] = {
    ".arrow": arrow.read_arrow,
    ".parquet": arrow.read_parquet,
    ".jsonl": json_lines.read,
    ".json": json_array.read,
    ".csv": delimited.read_csv,
    ".tsv": delimited.read_tsv,
}
_ABOUT = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json")
_SPLITS = ("train", "validation", "valid", "val", "dev", "test", "eval")
_WORD = re.compile(r"[A-Za-z0-9]+")


def files(folder: Path) -> list[Path]:
    """The data files, in order of name. Raises InvalidRequest where there are none."""
    found = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and _suffix(path) in _READERS
        and path.name not in _ABOUT
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        # Caches of `map` and `filter` beside the data they were made of.
        and not path.name.startswith(("cache-", "indices-"))
    ]
    listed = [path for path in found if path.name in _listed(path.parent)]
    if not found:
        raise InvalidRequest(
            f"{folder} holds no data files; a Hugging Face folder has some of {', '.join(_READERS)}."
        )
    return listed or found


def read(path: Path, *, folder: Path) -> Iterator[Record | Problem]:
    """One of the files."""
    name = path.relative_to(folder.parent).as_posix()
    split = split_of(path, folder)
    for found in _READERS[_suffix(path)](path, name=name):
        if split and isinstance(found, Record):
            yield Record(found.file, found.line, found.values, (split,))
        else:
            yield found


def split_of(path: Path, folder: Path) -> str:
    """As `save_to_disk` names folders, and repositories and caches files: "" where none is named.

    Source: https://huggingface.co/docs/datasets/repository_structure, "Splits and file names".
    """
    parts = path.relative_to(folder).parts
    for part in (*parts[:-1][::-1], parts[-1].partition(".")[0]):
        for word in _WORD.findall(part):
            if word.lower() in _SPLITS:
                return word.lower()
    return ""


def _suffix(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).suffix


def _listed(folder: Path) -> set[str]:
    """The files that `save_to_disk` says are the data, when others lie beside them."""
    try:
        state = msgspec.json.decode((folder / "state.json").read_bytes(), type=_State)
    except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
        return set()
    return {file.filename for file in state.data_files}


class _File(msgspec.Struct):
    filename: str


class _State(msgspec.Struct):
    data_files: list[_File] = msgspec.field(name="_data_files", default_factory=list)
