"""`noria backup` and `noria restore` put together: the state folder, noria.toml, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import noria
from noria.config.config import Config
from noria.config.load import FILE, Source, check
from noria.config.reference import absolute
from noria.errors import ConfigError, UserError
from noria.storage.backup import Report, copy_state
from noria.storage.backup_archive import FORMAT, Manifest, create, restore
from noria.storage.database import REVISION
from noria.storage.home import Home

__all__ = ["Manifest", "back_up", "restore"]


def back_up(path: Path, target: Path, *, report: Report) -> Manifest:
    """Make the backup `target` of the Noria of the noria.toml at `path`, which may be at work meanwhile.

    Raises UserError where `target` exists or there is nothing to back up.
    """
    home = Home.beside(path)
    if not (home.folder / "noria.db").exists():
        raise UserError(f"There is no state in {home.folder} to back up; `noria up` makes it.")
    begun = datetime.now(UTC).isoformat(timespec="milliseconds")
    config, sources = _config(path)
    blobs, left_out = _blobs(home, config, path.absolute().parent)
    left_out += _elsewhere(sources)
    with create(target) as writer:
        copy_state(home, writer, blobs=blobs, report=report)
        files = writer.under("config")
        for source in sources:
            name = _name(source, sources[0])
            if name is None:
                left_out.append(f"{source.path} lies outside the folder of {FILE}.")
                continue
            file = files.scratch()
            file.write_text(source.text, encoding="utf-8")
            files.put(name, file)
        return writer.finish(
            Manifest(
                format=FORMAT,
                noria=noria.__version__,
                schema=REVISION,
                begun=begun,
                files=[],
                left_out=left_out,
            )
        )


def _config(path: Path) -> tuple[Config | None, list[Source]]:
    """noria.toml as it lies there, right or wrong; what runs is in noria.db anyway."""
    try:
        checked = check(path)
    except ConfigError:
        return None, []
    return checked.config, checked.sources


def _blobs(home: Home, config: Config | None, folder: Path) -> tuple[Path | None, list[str]]:
    if config is not None and config.blobs.url is not None:
        return None, [f"Large values are in {config.blobs.url}; keep that bucket's own versions."]
    if config is not None and config.blobs.folder is not None:
        place = absolute(config.blobs.folder, folder)
        return None, [f"Large values are in {place}, outside the state folder; copy that folder after this."]
    return home.blobs, []


def _elsewhere(sources: list[Source]) -> list[str]:
    """What noria.toml only refers to: a backup does not gather secrets from all over the machine."""
    found = {text for source in sources for text in _texts(source.data) if text.startswith(("env:", "file:"))}
    return [f"{text}, which noria.toml refers to." for text in sorted(found)]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _name(source: Source, root: Source) -> str | None:
    """Relative to the folder of noria.toml; None: outside of it."""
    if source is root:
        return FILE
    name = str(PurePosixPath(source.folder) / source.path.name)
    return None if name.startswith(("../", "/")) else name
