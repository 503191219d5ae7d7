"""What the rest of Noria needs of datasets; storage implements it on noria.db."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal, Protocol

import msgspec

from noria.core.author import Author
from noria.core.example import Example

Split = str
"""A name such as "train", "validation", "test"; "" is all of a version."""


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """A named collection of examples that is versioned."""

    id: str
    project: str
    name: str
    description: str = ""
    tags: tuple[str, ...] = ()
    created_ms: int = 0
    latest: int = 0
    """Number of the newest version; 0: none yet."""
    golden: int = 0
    """Number of the newest version that a person signed off; 0: none."""
    schema: dict[str, Any] = {}
    """JSON Schema that every version must keep to; {}: each version's schema is what its examples show."""


class DatasetVersion(msgspec.Struct, frozen=True, kw_only=True):
    """An immutable state of a dataset."""

    dataset: str
    """Id of the dataset."""
    number: int
    """From 1."""
    digest: str
    """Content address over the ids and revisions of all examples, in order of id, and the splits' rule."""
    examples: int
    """Those that were erased since are counted."""
    erased: int = 0
    """Examples that were erased at a person's wish: their revisions are known, their words are gone."""
    schema: dict[str, Any] = {}
    """JSON Schema of `input`, `expected` and `metadata`."""
    splits: dict[str, int] = {}
    """Examples in each split."""
    shares: dict[str, float] = {}
    """The splits' rule: the share of each, in order."""
    lineage: dict[str, Any] = {}
    """What it was made of: files with digests, versions, spans' filter, reviews, steps."""
    comment: str = ""
    by: str = ""
    by_name: str = ""
    created_ms: int = 0
    golden: str = ""
    """Who signed it off as a golden set; "": nobody. A golden version can never be deleted."""
    golden_name: str = ""
    golden_ms: int = 0


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a dataset's log."""

    kind: Literal["create", "patch", "delete"]
    example: str
    before: Example | None = None
    after: Example | None = None


Counts = dict[Literal["create", "patch", "delete"], int]
"""Changes by kind."""


class DatasetReader(Protocol):
    """Reads; `name` is a dataset's name within a project."""

    def dataset(self, project: str, name: str) -> Dataset | None: ...

    def version(self, project: str, name: str, number: int | None = None) -> DatasetVersion | None:
        """That version, or the newest."""
        ...

    def golden(self, project: str, name: str) -> DatasetVersion | None:
        """The newest that a person signed off."""
        ...

    def examples(self, version: DatasetVersion, *, split: Split = "", after: str = "") -> Iterator[Example]:
        """In order of id, streamed, from behind the id `after`."""
        ...


class DatasetStore(DatasetReader, Protocol):
    """Reads and writes."""

    def create(self, dataset: Dataset, *, by: Author) -> Dataset:
        """Raises Conflict where the name is taken."""
        ...

    def commit(
        self,
        project: str,
        name: str,
        examples: Iterable[Example],
        *,
        removed: Iterable[str] = (),
        replace: bool = False,
        splits: dict[str, float] | None = None,
        comment: str = "",
        lineage: dict[str, Any] | None = None,
        by: Author,
    ) -> DatasetVersion:
        """A new version: the last with these examples created or revised and `removed` deleted; with
        `replace` these examples alone. The same content as the last version makes none and returns that.

        Of several examples with one id the last counts. Raises Conflict while another commit of the dataset
        is under way, and InvalidRequest, naming example and field, where one breaks the dataset's schema;
        then nothing has changed."""
        ...
