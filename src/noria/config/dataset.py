"""[datasets.NAME]: what a dataset is, and of which files or steps it is made."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from noria.config.curation import BuildSection
from noria.config.reference import PathText, absolute
from noria.config.section import Many, Section
from noria.datasets.importing import Source
from noria.datasets.mapping import Mapping
from noria.datasets.split import ranges
from noria.errors import ConfigError, InvalidRequest

Column = Annotated[str, Field(min_length=1)]


class ColumnsSection(Section):
    """Which columns become what; a column inside another is named as a path, such as "answers.text.0"."""

    input: dict[Column, Column] = {}
    """Variable to column: {question = "text"}. Left out where the files are in Noria's own form, or chats."""
    expected: str = ""
    metadata: dict[Column, Column] | None = None
    """Name to column; left out: all columns that are not used otherwise."""
    tags: Many[Column] = ()
    """Columns whose values become tags."""
    group: str = ""
    """What belongs together, such as the document: a split never parts it."""
    id: str = ""
    """"#": file and line; left out: a hash of the content."""

    def mapping(self) -> Mapping:
        """As an import reads it."""
        return Mapping(
            input=self.input,
            expected=self.expected,
            metadata=self.metadata,
            tags=self.tags,
            group=self.group,
            id=self.id,
        )


class DatasetSection(Section):
    """A dataset: `noria dataset import NAME` reads its files, `noria dataset build NAME` runs its steps."""

    description: str = ""
    tags: Many[str] = ()
    """Of the dataset, to find it by."""
    schema_file: PathText | None = None
    """JSON Schema of `input`, `expected` and `metadata` that every version must keep to."""
    files: Many[PathText] = ()
    """Files, patterns and Hugging Face folders; what they hold is told by how their names end."""
    format: Literal["jsonl", "json", "csv", "tsv", "parquet", "arrow", "text"] | None = None
    """Of all files, where their names do not tell."""
    parallel: dict[Column, PathText] = {}
    """Plain texts that belong together line by line, by column."""
    columns: ColumnsSection = ColumnsSection()
    splits: dict[str, float] = {}
    """Share of each split: {train = 0.8, test = 0.2}."""
    build: BuildSection | None = None

    @field_validator("splits")
    @classmethod
    def _whole(cls, value: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        try:
            ranges(value)
        except InvalidRequest as error:
            raise ValueError(f"is wrong: {error.message.removesuffix('.')}") from None
        return value

    def sources(self, name: str, folder: Path) -> tuple[Source, ...]:
        """What is to be imported; `folder` is noria.toml's. Raises ConfigError where there is nothing."""
        found: list[Source] = []
        for pattern in self.files:
            path = absolute(pattern, folder)
            matches = sorted(glob.glob(path, recursive=True))  # noqa: PTH207
            if not matches:
                raise ConfigError(f"[datasets.{name}] names {pattern}, and there is no such file.")
            found += [Source(path=match, format=self.format or "") for match in matches]
        if self.parallel:
            files = {column: absolute(path, folder) for column, path in self.parallel.items()}
            found.append(Source(path="", name=name, parallel=files))
        if not found:
            raise ConfigError(f"[datasets.{name}] names no `files` to import.")
        return tuple(found)
