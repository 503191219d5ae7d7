"""[cache]: where answers of routes with a cache rule are kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, model_validator

from noria.config.reference import FileReference
from noria.config.section import Section
from noria.config.units import Size


def _valkey(value: str) -> str:
    if value.startswith(("env:", "file:", "enc:")):
        return value
    if not value.startswith(("valkey://", "valkeys://", "redis://", "rediss://")):
        raise ValueError(f"must be a URL such as valkey://127.0.0.1:6379/0, not {value!r}")
    if "@" in value:
        raise ValueError("holds a password; put the whole URL in the environment and say `env:NAME`")
    return value


class CacheSection(Section):
    """In the memory of each worker, or shared through Valkey."""

    memory: Size | None = None
    """Of each worker; left out: 64MiB."""
    valkey: Annotated[FileReference, AfterValidator(_valkey)] | None = None
    """A URL without a password, or a reference to one."""

    @model_validator(mode="after")
    def _one(self) -> CacheSection:
        if self.memory is not None and self.valkey is not None:
            raise ValueError("must name one of `memory` and `valkey`, not both")
        return self
