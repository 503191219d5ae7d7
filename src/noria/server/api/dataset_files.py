"""Files into datasets, and out of them."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import Field

from noria.access.role import Principal
from noria.datasets.exporting import FORMATS, looked_over
from noria.datasets.importing import FORMATS as IMPORTED
from noria.datasets.importing import Source, format_of
from noria.datasets.mapping import Mapping, parse_mapping
from noria.errors import Forbidden, InvalidRequest, Unavailable
from noria.runtime.control import Control
from noria.server.api.body import Body
from noria.server.api.caller import Editor, Parts, Project, Viewer
from noria.server.api.dataset_bodies import (
    ImportBody,
    Imported,
    Imports,
    LeftBody,
    Name,
    ReportBody,
    Split,
    Tag,
    Which,
)
from noria.server.api.span_of_time import Within
from noria.tracing.filters import parse

router = APIRouter(prefix="/api/datasets/{name}", tags=["datasets"])

Exported = Literal["jsonl", "csv", "parquet", "chat", "prompt-completion", "preference", "unpaired", "eval"]
Read = Literal["", "jsonl", "json", "csv", "tsv", "parquet", "arrow", "text"]
Field_ = Annotated[str, Query(max_length=200, description="The field of the input that is the prompt.")]
_FILE = {"requestBody": {"content": {"application/octet-stream": {"schema": {"type": "string"}}}}}
assert set(IMPORTED) == set(Read.__args__) - {""} and set(FORMATS) == set(Exported.__args__), "one list each"


class SourceBody(Body):
    path: str = Field("", max_length=4096)
    """A file or folder of this machine."""
    name: str = Field("", max_length=200)
    format: Read = ""
    parallel: dict[str, str] = Field(default={}, max_length=20)
    """Instead of a path: column to path of a plain text."""
    tags: list[Tag] = Field(default=[], max_length=50)


class LocalImport(Body):
    sources: list[SourceBody] = Field(max_length=1000)
    """None: what noria.toml says of the dataset, also its columns and splits."""
    mapping: dict[str, Any] = {}
    replace: bool = False
    splits: dict[str, float] | None = Field(None, max_length=20)
    comment: str = Field("", max_length=2000)


class SpanImport(Body):
    q: str = Field("", max_length=2000)
    """Filter of traces."""
    limit: int = Field(1000, ge=1, le=100_000)
    tags: list[Tag] = Field(default=[], max_length=50)
    comment: str = Field("", max_length=2000)


@router.post("/import", openapi_extra=_FILE)
async def import_file(
    request: Request,
    parts: Parts,
    who: Editor,
    name: Name,
    file: Annotated[str, Query(max_length=200, description="What the file is called.")],
    format: Annotated[Read, Query(description="Left out: as the file's name ends.")] = "",
    mapping: Annotated[str, Query(max_length=8000, description="JSON: which columns are what.")] = "",
    tag: Annotated[list[str], Query(max_length=50)] = [],  # noqa: B006
    replace: bool = False,
    splits: Annotated[str, Query(max_length=2000, description="JSON: the share of each split.")] = "",
    comment: Annotated[str, Query(max_length=2000)] = "",
    project: Project = "default",
) -> Imported:
    """Import the body, a file. What a record lacks is counted and listed; a large file goes on as a job."""
    called = Path(file).name
    if not called.isprintable() or not called:
        raise InvalidRequest("`file` must be a name of printable characters.", param="file")
    read = format or format_of(called)
    mapped, shares = parse_mapping(mapping), _shares(splits)
    path = await _uploaded(request.stream(), parts.datasets.uploads, called)
    source = Source(path=str(path), name=called, format=read, tags=tuple(tag))
    return await run_sync(
        lambda: _import(parts, who, project, name, (source,), mapped, replace, shares, comment, (path,))
    )


@router.post("/import-local")
def import_local(
    parts: Parts, who: Editor, name: Name, body: LocalImport, project: Project = "default"
) -> Imported:
    """Import files and folders of this machine; for the command line on it."""
    if who.kind != "local":
        raise Forbidden("Only the command line on Noria's own machine may name its files; send the file.")
    sources = tuple(
        Source(path=one.path, name=one.name, format=one.format, parallel=one.parallel, tags=tuple(one.tags))
        for one in body.sources
    )
    if not sources:
        report, job = parts.datasets.import_declared(
            project, name, replace=body.replace, comment=body.comment, by=who
        )
        return Imported(report=ReportBody.of(report) if report else None, job=job.id if job else None)
    mapped = parse_mapping(msgspec.json.encode(body.mapping).decode())
    return _import(parts, who, project, name, sources, mapped, body.replace, body.splits, body.comment, ())


@router.post("/import-spans")
def import_spans(
    parts: Parts, who: Editor, name: Name, body: SpanImport, within: Within, project: Project = "default"
) -> Imported:
    """An example of each trace that the filter finds in the window."""
    report = parts.datasets.import_spans(
        project,
        name,
        within,
        parse(body.q),
        limit=body.limit,
        tags=tuple(body.tags),
        comment=body.comment,
        by=who,
    )
    return Imported(report=ReportBody.of(report), job=None)


@router.get("/imports")
def list_imports(parts: Parts, who: Viewer, name: Name, project: Project = "default") -> Imports:
    """What imports have said, newest first, at most 50."""
    found = parts.datasets.table.imports(project, name)
    return Imports(
        items=[ImportBody(id=id, created_ms=at, report=ReportBody.of(report)) for id, at, report in found]
    )


@router.get("/export", responses={200: {"content": {"application/x-ndjson": {}}}})
def export_dataset(
    parts: Parts,
    who: Viewer,
    name: Name,
    format: Exported = "jsonl",
    version: Which = "",
    split: Split = "",
    text: Field_ = "",
    project: Project = "default",
) -> StreamingResponse:
    """The examples as a file. What a training format cannot hold is left out: see `export/check`."""
    found = parts.datasets.version(project, name, version)
    chunks = parts.datasets.export(found, format=format, split=split, text=text)
    part = f"-{split}" if split.isascii() and split.isalnum() else ""
    called = f"{name}-v{found.number}{part}{'' if format in ('jsonl', 'csv', 'parquet') else '-' + format}"
    headers = {
        "content-disposition": f'attachment; filename="{called}{FORMATS[format].suffix}"',
        "x-noria-dataset-version": str(found.number),
    }
    return StreamingResponse(chunks, media_type=FORMATS[format].media_type, headers=headers)


@router.get("/export/check")
def check_export(
    parts: Parts,
    who: Viewer,
    name: Name,
    format: Exported = "jsonl",
    version: Which = "",
    split: Split = "",
    text: Field_ = "",
    project: Project = "default",
) -> LeftBody:
    """What an export would leave out, and why."""
    found = parts.datasets.version(project, name, version)
    examples = parts.datasets.table.examples(found, split=split)
    left = looked_over(examples, format=format, text=text)
    return LeftBody.model_validate(msgspec.to_builtins(left))


def _import(
    parts: Control,
    who: Principal,
    project: str,
    name: str,
    sources: tuple[Source, ...],
    mapping: Mapping,
    replace: bool,
    splits: dict[str, float] | None,
    comment: str,
    uploaded: tuple[Path, ...],
) -> Imported:
    report, job = parts.datasets.import_sources(
        project,
        name,
        sources,
        mapping=mapping,
        replace=replace,
        splits=splits,
        comment=comment,
        uploaded=uploaded,
        by=who,
    )
    return Imported(report=ReportBody.of(report) if report else None, job=job.id if job else None)


async def _uploaded(stream: AsyncIterator[bytes], folder: Path, name: str) -> Path:
    """The body in a file of its own, whose name ends as `name` does."""
    suffix = "".join(Path(name).suffixes[-2:])[-20:]
    with tempfile.NamedTemporaryFile(dir=folder, suffix=suffix, delete=False) as file:
        path = Path(file.name)
        try:
            async for chunk in stream:
                await run_sync(file.write, chunk)
        except BaseException as error:
            await run_sync(path.unlink)
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise Unavailable("The disk is full; make room, nothing was changed.") from error
            raise
    return path


def _shares(text: str) -> dict[str, float] | None:
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=dict[str, float])
    except (msgspec.MsgspecError, UnicodeEncodeError) as error:
        raise InvalidRequest(f"`splits` must be a JSON object of shares ({error}).", param="splits") from None
