"""Datasets: the catalog, versions, splits, golden sets, differences."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query

from noria.datasets.split import stratified
from noria.datasets.store import Dataset
from noria.errors import NotFound
from noria.server.api.caller import Admin, Editor, Parts, Project, Viewer
from noria.server.api.dataset_bodies import (
    ChangeBody,
    Cursor,
    DatasetBody,
    DatasetDetail,
    DatasetPage,
    DatasetPatch,
    DiffPage,
    Name,
    NewDataset,
    Number,
    Signature,
    Splits,
    Stratified,
    StratumBody,
    Verified,
    VersionBody,
    VersionPage,
    Which,
)

router = APIRouter(prefix="/api/datasets", tags=["datasets"])
Limit = Annotated[int, Query(ge=1, le=500)]


@router.get("")
def list_datasets(
    parts: Parts,
    who: Viewer,
    project: Project = "default",
    q: Annotated[
        str, Query(max_length=200, pattern=r"^[^\x00]*$", description="In name or description.")
    ] = "",
    tag: Annotated[str, Query(max_length=200)] = "",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> DatasetPage:
    """By name."""
    page = parts.datasets.table.page(project, text=q, tag=tag, cursor=cursor, limit=limit)
    return DatasetPage(items=[DatasetBody.of(one) for one in page.items], next=page.next)


@router.post("", status_code=201)
def create_dataset(parts: Parts, who: Editor, body: NewDataset, project: Project = "default") -> DatasetBody:
    made = Dataset(
        id="",
        project=project,
        name=body.name,
        description=body.description,
        tags=tuple(body.tags),
        schema=body.schema_,
    )
    return DatasetBody.of(parts.datasets.table.create(made, by=who))


@router.get("/{name}")
def read_dataset(parts: Parts, who: Viewer, name: Name, project: Project = "default") -> DatasetDetail:
    table = parts.datasets.table
    found = table.dataset(project, name)
    if found is None:
        raise NotFound(f"There is no dataset called {name!r} in project {project!r}.")
    newest, golden = table.version(project, name), table.golden(project, name)
    return DatasetDetail(
        dataset=DatasetBody.of(found),
        version=VersionBody.of(newest) if newest else None,
        golden=VersionBody.of(golden) if golden else None,
    )


@router.patch("/{name}")
def patch_dataset(
    parts: Parts, who: Editor, name: Name, body: DatasetPatch, project: Project = "default"
) -> DatasetBody:
    changed = parts.datasets.table.patch(
        project,
        name,
        description=body.description,
        tags=None if body.tags is None else tuple(body.tags),
        schema=body.schema_,
        by=who,
    )
    return DatasetBody.of(changed)


@router.delete("/{name}", status_code=204)
def delete_dataset(parts: Parts, who: Admin, name: Name, project: Project = "default") -> None:
    """With all versions and examples; refused while one is a golden set."""
    parts.datasets.table.delete(project, name, by=who)


@router.get("/{name}/versions")
def list_dataset_versions(
    parts: Parts,
    who: Viewer,
    name: Name,
    project: Project = "default",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> VersionPage:
    """Newest first."""
    page = parts.datasets.table.versions(project, name, cursor=cursor, limit=limit)
    return VersionPage(items=[VersionBody.of(one) for one in page.items], next=page.next)


@router.get("/{name}/versions/{number}")
def read_dataset_version(
    parts: Parts, who: Viewer, name: Name, number: Number, project: Project = "default"
) -> VersionBody:
    return VersionBody.of(parts.datasets.version(project, name, str(number)))


@router.delete("/{name}/versions/{number}", status_code=204)
def delete_dataset_version(
    parts: Parts, who: Admin, name: Name, number: Number, project: Project = "default"
) -> None:
    """With the revisions that no other version has; refused for a golden set."""
    parts.datasets.table.delete_version(project, name, number, by=who)


@router.get("/{name}/versions/{number}/verify")
def verify_dataset_version(
    parts: Parts, who: Viewer, name: Name, number: Number, project: Project = "default"
) -> Verified:
    """Compute the version's digest again from what is stored; of erased examples their digests are."""
    version = parts.datasets.version(project, name, str(number))
    holds = parts.datasets.table.verify(version)
    return Verified(
        number=version.number,
        digest=version.digest,
        holds=holds,
        examples=version.examples,
        erased=version.erased,
    )


@router.post("/{name}/versions/{number}/sign")
def sign_dataset_version(
    parts: Parts, who: Editor, name: Name, number: Number, body: Signature, project: Project = "default"
) -> VersionBody:
    """Sign a version off as a golden set, for good. A person does that, and not a key."""
    return VersionBody.of(parts.datasets.sign(project, name, number, comment=body.comment, by=who))


@router.post("/{name}/splits")
def split_dataset(
    parts: Parts, who: Editor, name: Name, body: Splits, project: Project = "default"
) -> VersionBody:
    """A version with the newest one's examples in other splits."""
    made = parts.datasets.table.commit(project, name, (), splits=body.splits, comment=body.comment, by=who)
    return VersionBody.of(made)


@router.get("/{name}/splits")
def stratify_dataset(
    parts: Parts,
    who: Viewer,
    name: Name,
    by: Annotated[
        str, Query(max_length=200, description="expected, tags, input.NAME or metadata.NAME")
    ] = "expected",
    version: Which = "",
    project: Project = "default",
) -> Stratified:
    """How the values of a field fall on the splits."""
    found = parts.datasets.version(project, name, version)
    rows, lacking = stratified(parts.datasets.table.examples(found), found.shares, by=by)
    return Stratified(
        by=by,
        version=found.number,
        shares=found.shares,
        items=[StratumBody.model_validate(msgspec.structs.asdict(row)) for row in rows],
        lacking=lacking,
    )


@router.get("/{name}/diff")
def diff_dataset(
    parts: Parts,
    who: Viewer,
    name: Name,
    before: Annotated[int, Query(alias="from", ge=0, le=999_999_999, description="0: nothing.")],
    after: Annotated[int | None, Query(alias="to", ge=1, le=999_999_999)] = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    project: Project = "default",
) -> DiffPage:
    """What version `to`, or the newest, has that version `from` has not, by id of the example."""
    datasets = parts.datasets
    newer = datasets.version(project, name, str(after or ""))
    older = datasets.version(project, name, str(before)) if before else None
    found = list(islice(datasets.diff(older, newer, after=cursor or ""), limit + 1))
    return DiffPage(
        items=[ChangeBody.of(change) for change in found[:limit]],
        next=found[limit - 1].example if len(found) > limit else None,
        counts=None if cursor else datasets.counted(older, newer),
    )
