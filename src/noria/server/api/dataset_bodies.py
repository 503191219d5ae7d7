"""What the API says of datasets."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import Path, Query
from pydantic import BaseModel, Field

from noria.core.example import Example
from noria.datasets.diff import field_changes
from noria.datasets.importing import Report
from noria.datasets.mapping import content_id
from noria.datasets.reference import NAME
from noria.datasets.store import Change, Dataset, DatasetVersion
from noria.errors import InvalidRequest
from noria.server.api.body import Body

Name = Annotated[str, Path(pattern=f"^{NAME}$", max_length=64, description="The dataset.")]
Number = Annotated[int, Path(ge=1, le=999_999_999, description="Of the version.")]
Which = Annotated[
    str,
    Query(pattern=r"^(\d{1,9}|latest|golden)?$", description="A version's number, `latest` or `golden`."),
]
ExampleId = Annotated[str, Path(pattern=r"^[^\x00]+$", max_length=200)]
Split = Annotated[str, Query(max_length=64, description="Only examples of this split.")]
Cursor = Annotated[str | None, Query(pattern=r"^[^\x00]*$", max_length=200)]
Tag = Annotated[str, Field(max_length=200)]


class DatasetBody(BaseModel):
    id: str
    name: str
    description: str
    tags: list[str]
    schema_: dict[str, Any] = Field(alias="schema")
    """JSON Schema that every version must keep to; {}: none was declared."""
    created_ms: int
    latest: int
    """Number of the newest version; 0: none yet."""
    golden: int
    """Number of the newest version that a person signed off; 0: none."""

    @classmethod
    def of(cls, dataset: Dataset) -> DatasetBody:
        return cls.model_validate(msgspec.to_builtins(dataset))


class DatasetPage(BaseModel):
    items: list[DatasetBody]
    next: str | None


class VersionBody(BaseModel):
    number: int
    digest: str
    examples: int
    """Those that were erased since are counted."""
    erased: int
    """Examples that were erased at a person's wish."""
    schema_: dict[str, Any] = Field(alias="schema")
    splits: dict[str, int]
    """Examples in each split."""
    shares: dict[str, float]
    """The splits' rule, in order."""
    lineage: dict[str, Any]
    comment: str
    by: str
    by_name: str
    created_ms: int
    golden: str
    """Id of who signed it off as a golden set; empty: nobody."""
    golden_name: str
    golden_ms: int

    @classmethod
    def of(cls, version: DatasetVersion) -> VersionBody:
        return cls.model_validate(msgspec.to_builtins(version))


class Verified(BaseModel):
    """Whether a version is still what its digest says."""

    number: int
    digest: str
    holds: bool
    examples: int
    erased: int
    """Of these only the digests are left."""


class VersionPage(BaseModel):
    items: list[VersionBody]
    next: str | None


class DatasetDetail(BaseModel):
    """A dataset with its newest version and its newest golden one."""

    dataset: DatasetBody
    version: VersionBody | None
    golden: VersionBody | None


class NewDataset(Body):
    name: str = Field(pattern=f"^{NAME}$", max_length=64)
    description: str = Field("", max_length=20_000)
    tags: list[Tag] = Field(default=[], max_length=50)
    schema_: dict[str, Any] = Field(default={}, alias="schema")


class DatasetPatch(Body):
    """What is absent stays as it is."""

    description: str | None = Field(None, max_length=20_000)
    tags: list[Tag] | None = Field(None, max_length=50)
    schema_: dict[str, Any] | None = Field(None, alias="schema")
    """The newest version must keep to it; {} takes it off."""


class ExampleBody(BaseModel):
    id: str
    input: dict[str, Any]
    expected: Any
    metadata: dict[str, Any]
    tags: list[str]
    source: str
    group: str
    revision: str

    @classmethod
    def of(cls, example: Example) -> ExampleBody:
        return cls(
            id=example.id,
            input=example.input,
            expected=example.expected,
            metadata=example.metadata,
            tags=list(example.tags),
            source=example.source,
            group=example.group,
            revision=example.revision,
        )


class ExamplePage(BaseModel):
    items: list[ExampleBody]
    next: str | None
    total: int | None
    """How many there are in all; null where that is not cheap to know."""
    complete: bool
    """False: the search ran out of its time; `next` goes on where it stopped."""
    version: int


class RevisedBody(BaseModel):
    version: int
    kind: Literal["create", "patch", "delete"]
    revision: str
    erased: bool
    """At a person's wish: the digest stays, the words are gone."""
    at_ms: int
    by: str
    by_name: str


class ExampleDetail(BaseModel):
    """An example as it is in the version asked for, and its revisions, newest first."""

    example: ExampleBody | None
    """Null: the version does not have it."""
    version: int
    split: str
    history: list[RevisedBody]


class NewExample(Body):
    """Without an id it gets one that is made of its content."""

    id: str = Field("", max_length=200)
    input: dict[str, Any]
    expected: Any = None
    metadata: dict[str, Any] = {}
    tags: list[Tag] = Field(default=[], max_length=50)
    source: str = Field("", max_length=1000)
    group: str = Field("", max_length=1000)

    def example(self) -> Example:
        if not self.id.isprintable():
            raise InvalidRequest("The id of an example must be printable.", param="id")
        made = Example(
            id=self.id,
            input=self.input,
            expected=self.expected,
            metadata=self.metadata,
            tags=tuple(self.tags),
            source=self.source,
            group=self.group,
        )
        return made if made.id else msgspec.structs.replace(made, id=content_id(made))


class SpanOf(Body):
    trace: str = Field(pattern="^[0-9a-f]{32}$")
    span: str = Field("", pattern="^([0-9a-f]{16})?$")
    """Empty: the first span of the trace that asked a model."""


class Examples(Body):
    """Examples to create or revise and ids to delete, or a span to save as an example."""

    examples: list[NewExample] = Field(default=[], max_length=1000)
    remove: list[Annotated[str, Field(max_length=200)]] = Field(default=[], max_length=1000)
    span: SpanOf | None = None
    id: str | None = Field(None, min_length=1, max_length=200)
    """Of the span's example, if it is to be another than the span's own."""
    expected: Any = None
    """What the span's answer should have been; null: what it was."""
    tags: list[Tag] = Field(default=[], max_length=50)
    """Of the span's example."""
    comment: str = Field("", max_length=2000)


class ExamplePatch(Body):
    """What is absent stays as it is; a null `expected` takes it off."""

    input: dict[str, Any] | None = None
    expected: Any = None
    metadata: dict[str, Any] | None = None
    tags: list[Tag] | None = Field(None, max_length=50)
    group: str | None = Field(None, max_length=1000)
    comment: str = Field("", max_length=2000)


class Committed(BaseModel):
    """The newest version, which is a new one unless nothing had changed, and the ids that were given."""

    version: VersionBody
    ids: list[str]


class FieldChangeBody(BaseModel):
    path: str
    kind: Literal["added", "changed", "removed"]
    before: Any
    after: Any


class ChangeBody(BaseModel):
    kind: Literal["create", "patch", "delete"]
    example: str
    before: ExampleBody | None
    after: ExampleBody | None
    fields: list[FieldChangeBody]
    """Of a patch: what it changed."""

    @classmethod
    def of(cls, change: Change) -> ChangeBody:
        before, after = change.before, change.after
        changes = () if before is None or after is None else field_changes(before, after)
        return cls(
            kind=change.kind,
            example=change.example,
            before=ExampleBody.of(before) if before else None,
            after=ExampleBody.of(after) if after else None,
            fields=[
                FieldChangeBody(path=one.path, kind=one.kind, before=one.before, after=one.after)
                for one in changes
            ],
        )


class DiffPage(BaseModel):
    items: list[ChangeBody]
    next: str | None
    counts: dict[Literal["create", "patch", "delete"], int] | None
    """Of the whole difference; on the first page only."""


class Splits(Body):
    splits: dict[str, float] = Field(max_length=20)
    """The share of each split; an empty object takes the splits off."""
    comment: str = Field("", max_length=2000)


class StratumBody(BaseModel):
    value: str
    total: int
    splits: dict[str, int]


class Stratified(BaseModel):
    """How the values of a field fall on the splits."""

    by: str
    version: int
    shares: dict[str, float]
    items: list[StratumBody]
    """The most frequent values."""
    lacking: int
    """Examples that do not have the field."""


class Signature(Body):
    comment: str = Field("", max_length=2000)
    """What was looked at."""


class ProblemBody(BaseModel):
    file: str
    line: int
    reason: str


class ReportBody(BaseModel):
    """What an import read, and what it left out."""

    read: int
    bad: int
    problems: list[ProblemBody]
    """The first thousand of them."""
    files: list[dict[str, Any]]
    version: int
    made: bool
    """False: the version was there already, with the same content."""
    examples: int
    repeated: int
    created: int
    patched: int
    deleted: int

    @classmethod
    def of(cls, report: Report | dict[str, Any]) -> ReportBody:
        return cls.model_validate(msgspec.to_builtins(report))


class Imported(BaseModel):
    """The report of a small import; a large one goes on as a job, whose report is among the imports."""

    report: ReportBody | None
    job: str | None


class ImportBody(BaseModel):
    id: str
    created_ms: int
    report: ReportBody


class Imports(BaseModel):
    items: list[ImportBody]


class LeftBody(BaseModel):
    """What an export would write and leave out."""

    written: int
    rows: int
    left_out: int
    reasons: dict[str, int]
    example: dict[str, str]
    """An example's id by reason."""
