"""A Config written back to its TOML files, for `noria pull`: what is the same keeps its comments."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit import TOMLDocument
from tomlkit.items import Item

from noria.config.config import COLLECTIONS, Config
from noria.config.load import Source, read, unit_of
from noria.config.mistake import refusal
from noria.config.positions import Path as Key


def write(config: Config, root: Path) -> list[Path]:
    """Make the file at `root`, and those that it includes, say `config`; the files that were changed.

    What is new goes into the root file. Raises ConfigError where the files that are there cannot be read.
    """
    changed: list[Path] = []
    for path, text in rewritten(config, root).items():
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
        changed.append(path)
    return changed


def rewritten(config: Config, root: Path) -> dict[Path, str]:
    """As `write`, but gives the new texts, of the files that differ, instead of writing them."""
    sources: list[Source] = []
    if root.exists():
        sources, mistakes = read(root)
        if mistakes:
            raise refusal(mistakes)
    owners: dict[Key, Source] = {}
    for source in sources:
        for unit in _units(source.data):
            owners.setdefault(unit, source)
    texts: dict[Path, str] = {}
    for source in sources or [Source(root, str(root), "", "", {}, {})]:
        wanted = _wanted(config, source, owners, is_root=source.path == root)
        text = _edited(source, wanted)
        if text != source.text or not root.exists():
            texts[source.path] = text
    return texts


def text_of(config: Config) -> str:
    """`config` as one new file."""
    return _edited(
        Source(Path(), "", "", "", {}, {}),
        {unit: _at(config.written(), unit) for unit in _units(config.written())},
    )


def _units(data: Mapping[str, Any]) -> list[Key]:
    found: list[Key] = []
    for name, value in data.items():
        if name in COLLECTIONS:
            found += [(name, entry) for entry in value]
        elif name != "include":
            found.append((name,))
    return found


def _at(data: Mapping[str, Any], unit: Key) -> Any:
    found: Any = data
    for part in unit:
        found = found[part]
    return found


def _wanted(config: Config, source: Source, owners: dict[Key, Source], *, is_root: bool) -> dict[Key, Any]:
    """What `source` is to say, by unit: what it says now, and in the root also what is nobody's."""
    written = config.written(folder=source.folder)
    wanted: dict[Key, Any] = {}
    for unit in _units(written):
        owner = owners.get(unit_of(unit))
        if owner is source or (owner is None and is_root):
            wanted[unit] = _at(written, unit)
    return wanted


def _edited(source: Source, wanted: dict[Key, Any]) -> str:
    document = tomlkit.parse(source.text)
    now = _said(source)
    for unit in _units(source.data):
        if unit not in wanted and len(unit) == 2:
            _remove(document, unit)
    for unit in [one for one in _units(source.data) if len(one) == 1 or one in wanted]:
        _update(_at(document, unit), now.get(unit, {}), wanted.get(unit, {}))
    for unit, value in wanted.items():
        if unit not in now and unit not in _units(source.data):
            _add(document, unit, value)
    text = tomlkit.dumps(document)
    return text if _holds(text, source, wanted) else _afresh(source, wanted)


def _said(source: Source) -> dict[Key, Any]:
    """What a source's units are worth now, less defaults."""
    data = {name: value for name, value in source.data.items() if name != "include"}
    config = Config.model_validate(data, context={"folder": source.folder})
    written = config.written(folder=source.folder)
    return {unit: _at(written, unit) for unit in _units(written)}


def _holds(text: str, source: Source, wanted: dict[Key, Any]) -> bool:
    """Whether the edited text says what is wanted: an edit between tables can land in the wrong one."""
    data = tomlkit.parse(text).unwrap()
    include = data.pop("include", [])
    if include != source.data.get("include", []):
        return False
    try:
        found = _said(source._replace(data=data))
    except ValueError:
        return False
    return found == wanted


def _afresh(source: Source, wanted: dict[Key, Any]) -> str:
    """The wanted units under the file's first comments, where an edit in place did not work out."""
    document = tomlkit.document()
    for line in source.text.splitlines():
        if not line.startswith("#"):
            break
        document.add(tomlkit.comment(line[1:].strip()))
    if "include" in source.data:
        document.add("include", tomlkit.item(source.data["include"]))
    for unit, value in wanted.items():
        _add(document, unit, value)
    return tomlkit.dumps(document)


def _remove(document: TOMLDocument, unit: Key) -> None:
    collection: Any = document[str(unit[0])]
    del collection[unit[1]]
    if not collection:
        del document[str(unit[0])]


def _update(table: MutableMapping[str, Any], before: dict[str, Any], after: dict[str, Any]) -> None:
    """Touch only what differs. A key that states a default, and is to be the default, stays."""
    for key in before:
        if key not in after:
            del table[key]
    for key, value in after.items():
        was = before.get(key)
        if was == value:
            continue
        if isinstance(value, dict) and isinstance(table.get(key), MutableMapping):
            _update(table[key], was or {}, value)
            continue
        if key in table:
            del table[key]
        table[key] = _item(value)


def _add(document: TOMLDocument, unit: Key, value: Any) -> None:
    table = tomlkit.table()
    for key, inner in _flat_first(value):
        table.add(key, _item(inner))
    if len(unit) == 1:
        document[str(unit[0])] = table
        return
    collection = str(unit[0])
    if collection not in document:
        document[collection] = tomlkit.table(is_super_table=True)
    held: Any = document[collection]
    held[unit[1]] = table


def _flat_first(value: dict[str, Any]) -> list[tuple[str, Any]]:
    """Keys before tables, as TOML needs them."""
    return sorted(value.items(), key=lambda pair: isinstance(pair[1], dict) and not _short(pair[1]))


def _item(value: Any) -> Item:
    if isinstance(value, dict):
        if _short(value):
            inline = tomlkit.inline_table()
            for key, inner in value.items():
                inline.add(key, _item(inner))
            return inline
        table = tomlkit.table()
        for key, inner in _flat_first(value):
            table.add(key, _item(inner))
        return table
    if isinstance(value, list):
        value = [_plain_target(one) if isinstance(one, dict) else one for one in value]
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        array = tomlkit.array()
        array.multiline(True)
        for one in value:
            array.append(_inline(one) if isinstance(one, dict) else one)
        return array
    return tomlkit.item(value)


def _plain_target(value: dict[str, Any]) -> Any:
    return value["model"] if list(value) == ["model"] else value


def _inline(value: dict[str, Any]) -> Item:
    """A table within an array, whose inner tables are inline as well."""
    inline = tomlkit.inline_table()
    for key, inner in value.items():
        inline.add(key, _inline(inner) if isinstance(inner, dict) else _item(inner))
    return inline


def _short(value: dict[str, Any]) -> bool:
    """Whether it reads well on one line."""
    return len(value) <= 4 and not any(isinstance(inner, dict | list) for inner in value.values())
