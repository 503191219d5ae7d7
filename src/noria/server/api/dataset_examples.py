"""The examples of a dataset: looked through, saved, revised, deleted."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query

from noria.datasets.split import bucket, ranges, split_of
from noria.errors import InvalidRequest, NotFound
from noria.server.api.caller import Editor, Parts, Project, Viewer
from noria.server.api.dataset_bodies import (
    Committed,
    Cursor,
    ExampleBody,
    ExampleDetail,
    ExampleId,
    ExamplePage,
    ExamplePatch,
    Examples,
    Name,
    RevisedBody,
    Split,
    VersionBody,
    Which,
)

router = APIRouter(prefix="/api/datasets/{name}/examples", tags=["datasets"])


@router.get("")
def list_examples(
    parts: Parts,
    who: Viewer,
    name: Name,
    version: Which = "",
    split: Split = "",
    q: Annotated[str, Query(max_length=200, description="A text that is somewhere in the example.")] = "",
    tag: Annotated[str, Query(max_length=200)] = "",
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    project: Project = "default",
) -> ExamplePage:
    """By id."""
    found = parts.datasets.version(project, name, version)
    page, complete = parts.datasets.look(found, split=split, text=q, tag=tag, cursor=cursor, limit=limit)
    return ExamplePage(
        items=[ExampleBody.of(one) for one in page.items],
        next=page.next,
        total=page.total,
        complete=complete,
        version=found.number,
    )


@router.post("", status_code=201)
def save_examples(
    parts: Parts, who: Editor, name: Name, body: Examples, project: Project = "default"
) -> Committed:
    """Create or revise examples and delete others, or save a span; a dataset that is not there is made."""
    if body.span is None:
        made = [one.example() for one in body.examples]
        if not made and not body.remove:
            raise InvalidRequest("Give `examples`, ids to `remove`, or a `span`.")
        version = parts.datasets.add(project, name, made, removed=body.remove, comment=body.comment, by=who)
        return Committed(version=VersionBody.of(version), ids=[one.id for one in made])
    if body.examples or body.remove:
        raise InvalidRequest("A `span` is saved alone; send `examples` and `remove` in a call of their own.")
    version, saved = parts.datasets.add_span(
        project,
        name,
        trace=body.span.trace,
        span=body.span.span,
        changes=_changes(body),
        comment=body.comment,
        by=who,
    )
    return Committed(version=VersionBody.of(version), ids=[saved.id])


@router.get("/{id:path}")
def read_example(
    parts: Parts, who: Viewer, name: Name, id: ExampleId, version: Which = "", project: Project = "default"
) -> ExampleDetail:
    """As it is in a version, with all its revisions."""
    found = parts.datasets.version(project, name, version)
    example = parts.datasets.table.example(found, id)
    history = parts.datasets.table.history(project, name, id)
    if not history:
        raise NotFound(f"The dataset {name!r} has never had an example {id!r}.")
    return ExampleDetail(
        example=ExampleBody.of(example) if example else None,
        version=found.number,
        split=split_of(bucket(example), ranges(found.shares)) if example else "",
        history=[RevisedBody.model_validate(msgspec.structs.asdict(one)) for one in history],
    )


@router.patch("/{id:path}")
def patch_example(
    parts: Parts, who: Editor, name: Name, id: ExampleId, body: ExamplePatch, project: Project = "default"
) -> Committed:
    """Revise an example of the newest version."""
    given = {field: getattr(body, field) for field in body.model_fields_set - {"comment"}}
    changes = {field: value for field, value in given.items() if value is not None or field == "expected"}
    if body.tags is not None:
        changes["tags"] = tuple(body.tags)
    version = parts.datasets.patch(project, name, id, changes, comment=body.comment, by=who)
    return Committed(version=VersionBody.of(version), ids=[id])


def _changes(body: Examples) -> dict[str, Any]:
    """What is to be different from what the span says."""
    changes: dict[str, Any] = {}
    if body.id is not None:
        if not body.id.isprintable():
            raise InvalidRequest("The id of an example must be printable.", param="id")
        changes["id"] = body.id
    if body.expected is not None:
        changes["expected"] = body.expected
    if body.tags:
        changes["tags"] = tuple(body.tags)
    return changes
