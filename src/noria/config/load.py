"""noria.toml and the files that it includes, read into one Config."""

from __future__ import annotations

import os.path
import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from noria.config.config import COLLECTIONS, Config
from noria.config.mistake import Mistake, line_of, mistakes_of, refusal, table
from noria.config.positions import Path as Key
from noria.config.positions import positions
from noria.config.rules import findings
from noria.errors import ConfigError

FILE = "noria.toml"
_at_line = re.compile(r" \(at line (\d+), column \d+\)$")


class Source(NamedTuple):
    """One file, as read."""

    path: Path
    shown: str
    """How messages name it: as the root was named, or relative to the root's folder."""
    folder: str
    """Relative to the root's folder; "" for that folder."""
    text: str
    data: dict[str, Any]
    lines: dict[Key, int]


class Checked(NamedTuple):
    """What was found; `config` is None where there are mistakes."""

    config: Config | None
    mistakes: list[Mistake]
    sources: list[Source]


def load(path: Path) -> Config:
    """The Config in the file at `path`, or in the noria.toml of that folder.

    Raises ConfigError, whose message has one line a mistake.
    """
    checked = check(path)
    if checked.config is None:
        raise refusal(checked.mistakes)
    return checked.config


def check(path: Path) -> Checked:
    """As `load`, with mistakes as values. Raises ConfigError only where there is no such file."""
    root = path / FILE if path.is_dir() else path
    if not root.is_file():
        raise ConfigError(f"{root} does not exist; `noria init` writes one.")
    sources, mistakes = read(root)
    owners: dict[Key, Source] = {}
    parts: list[Config] = []
    for source in sources:
        mistakes += _claim(source, owners)
        data = {name: value for name, value in source.data.items() if name != "include"}
        try:
            parts.append(Config.model_validate(data, context={"folder": source.folder}))
        except ValidationError as error:
            mistakes += mistakes_of(error, file=source.shown, lines=source.lines)
    if mistakes:
        return Checked(None, mistakes, sources)
    config = _merged(parts)
    for finding in findings(config):
        source = owners.get(unit_of(finding.path), sources[0])
        line = line_of(finding.path, source.lines)
        mistakes.append(Mistake(source.shown, line, finding.message))
    return Checked(None if mistakes else config, mistakes, sources)


def read(root: Path) -> tuple[list[Source], list[Mistake]]:
    """The file at `root` and all that it includes, each once, in the order in which they are named."""
    sources: list[Source] = []
    mistakes: list[Mistake] = []
    waiting = [root]
    seen: set[Path] = set()
    while waiting:
        path = waiting.pop(0)
        if path.resolve() in seen:
            continue
        seen.add(path.resolve())
        shown = str(path) if path == root else os.path.relpath(path, root.parent)
        try:
            text = path.read_text(encoding="utf-8")
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            found = _at_line.search(str(error))
            reason = _at_line.sub("", str(error))
            mistakes.append(Mistake(shown, int(found[1]) if found else 0, f"is not valid TOML: {reason}."))
            continue
        except UnicodeDecodeError:
            mistakes.append(Mistake(shown, 0, "is not UTF-8 text."))
            continue
        except OSError as error:
            mistakes.append(Mistake(shown, 0, f"cannot be read: {error.strerror}."))
            continue
        folder = os.path.relpath(path.parent, root.parent)
        source = Source(path, shown, "" if folder == "." else folder, text, data, positions(text))
        sources.append(source)
        found_files, wrong = _included(source)
        waiting += found_files
        mistakes += wrong
    return sources, mistakes


def unit_of(path: Key) -> Key:
    """What may be defined once only: an entry of a collection, else a whole section."""
    return path[:2] if path[0] in COLLECTIONS else path[:1]


def _included(source: Source) -> tuple[list[Path], list[Mistake]]:
    patterns = source.data.get("include", [])
    if not isinstance(patterns, list) or not all(isinstance(one, str) for one in patterns):
        line = source.lines[("include",)]
        return [], [
            Mistake(source.shown, line, '`include` must be an array of paths such as "conf.d/*.toml".')
        ]
    files: list[Path] = []
    mistakes: list[Mistake] = []
    for index, pattern in enumerate(patterns):
        folder = source.path.parent
        wild = any(mark in pattern for mark in "*?[")
        if Path(pattern).is_absolute():
            found = sorted(Path("/").glob(pattern.lstrip("/")))
        else:
            found = sorted(folder.glob(pattern)) if wild else [folder / pattern]
        if not wild and not found[0].is_file():
            line = source.lines[("include", index)]
            mistakes.append(Mistake(source.shown, line, f"includes {pattern!r}, which does not exist."))
            continue
        files += [one for one in found if one.is_file()]
    return files, mistakes


def _claim(source: Source, owners: dict[Key, Source]) -> list[Mistake]:
    """Note that the units of `source` are its own; a mistake for each that another file has."""
    mistakes: list[Mistake] = []
    for name, value in source.data.items():
        if name == "include":
            continue
        entries = (
            [(name, entry) for entry in value] if name in COLLECTIONS and isinstance(value, dict) else []
        )
        for unit in entries or [(name,)]:
            other = owners.setdefault(unit, source)
            if other is not source:
                there = f"{other.shown}:{line_of(unit, other.lines)}"
                message = f"{table(unit)} is defined here and at {there}; leave one of them."
                mistakes.append(Mistake(source.shown, line_of(unit, source.lines), message))
    return mistakes


def _merged(parts: list[Config]) -> Config:
    values: dict[str, Any] = {}
    for part in parts:
        for name in part.model_fields_set:
            value = getattr(part, name)
            values[name] = {**values.get(name, {}), **value} if name in COLLECTIONS else value
    return Config.model_construct(_fields_set=set(values), **values)
