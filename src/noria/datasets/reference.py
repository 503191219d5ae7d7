"""`name`, `name@3`, `name@golden`, `name@3:test`: how a version of a dataset is named everywhere."""

from __future__ import annotations

import re

import msgspec

from noria.datasets.store import DatasetReader, DatasetVersion, Split
from noria.errors import InvalidRequest, NotFound

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_FORM = re.compile(rf"(?P<name>{NAME})(?:@(?P<version>\d{{1,9}}|latest|golden))?(?::(?P<split>.+))?", re.S)


class Reference(msgspec.Struct, frozen=True):
    """Which examples are meant."""

    name: str
    version: int | None = None
    """None: the newest, or the newest golden one."""
    golden: bool = False
    split: Split = ""

    def __str__(self) -> str:
        version = "@golden" if self.golden else "" if self.version is None else f"@{self.version}"
        return self.name + version + (f":{self.split}" if self.split else "")


def parse(text: str) -> Reference:
    """Raises InvalidRequest."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise InvalidRequest(
            f"A dataset is named as NAME, NAME@3, NAME@golden or NAME@3:SPLIT, not as {text[:100]!r}."
        )
    version = match["version"] or "latest"
    return Reference(
        name=match["name"],
        version=int(version) if version.isdigit() else None,
        golden=version == "golden",
        split=match["split"] or "",
    )


def resolve(reader: DatasetReader, project: str, text: str) -> tuple[DatasetVersion, Split]:
    """The version that is meant, and the split. Raises NotFound with what there is."""
    meant = parse(text)
    if reader.dataset(project, meant.name) is None:
        raise NotFound(
            f"There is no dataset {meant.name!r} in project {project!r}; `noria dataset list` shows them."
        )
    if meant.golden:
        found = reader.golden(project, meant.name)
    else:
        found = reader.version(project, meant.name, meant.version)
    if found is None:
        what = "golden version" if meant.golden else f"version {meant.version or 1}"
        raise NotFound(f"The dataset {meant.name!r} has no {what}; `noria dataset show` lists its versions.")
    if meant.split and meant.split not in found.splits:
        known = ", ".join(found.splits) or "none"
        raise NotFound(
            f"Version {found.number} of {meant.name!r} has no split {meant.split!r} (it has {known})."
        )
    return found, meant.split
