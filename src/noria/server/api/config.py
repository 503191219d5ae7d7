"""Config versions: what runs, what would change, apply, roll back, export."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from noria.config.diff import Change
from noria.runtime.versions import Applied
from noria.server.api.body import Body
from noria.server.api.caller import Editor, Owner, Parts, Viewer
from noria.server.api.keys import Served, served
from noria.storage.versions import ConfigVersion

router = APIRouter(prefix="/api/config", tags=["config"])

Number = Annotated[int, Field(ge=1, le=2_147_483_647)]
Files = Annotated[dict[str, str], Field(min_length=1, max_length=500)]


class VersionBody(BaseModel):
    number: int
    digest: str
    comment: str
    by: str
    by_name: str
    created_ms: int
    rolled_back_to: int | None
    """The earlier version that this one repeats; null: a new configuration."""
    current: bool


class VersionList(BaseModel):
    items: list[VersionBody]
    next: str | None


class ConfigState(BaseModel):
    """What runs; null and empty before the first apply."""

    version: VersionBody | None
    digest: str | None
    files: dict[str, str]
    """By path relative to the folder of noria.toml, which is among them."""
    differs_on_disk: bool | None
    """Whether noria.toml on this machine says something else than what runs; null: there is none."""


class ChangeBody(BaseModel):
    kind: Literal["added", "changed", "removed"]
    path: list[str]
    """Such as `["routes", "fast", "targets"]`."""
    before: Any
    """As TOML would hold it; null: not there, so the default applied."""
    after: Any
    effect: str
    """What it does, in a sentence."""
    weakens: str
    """How it makes Noria less safe, in a sentence; empty: it does not."""


class Plan(BaseModel):
    changes: list[ChangeBody]
    digest: str
    """Of the configuration that was planned; send it with apply to apply that and nothing else."""
    current: int | None
    """The number of the version that it was compared with."""


class PlanRequest(Body):
    files: Files | None = None
    """By path; null: noria.toml on the server's disk."""


class ApplyRequest(PlanRequest):
    comment: str = Field("", max_length=2000)
    digest: str | None = None
    """Refused with 409 unless the configuration has this digest."""
    current: Annotated[int, Field(ge=0, le=2_147_483_647)] | None = None
    """Refused with 409 unless this is the version that runs."""


class RollbackRequest(Body):
    number: Number
    comment: str = Field("", max_length=2000)


class AppliedBody(BaseModel):
    version: VersionBody
    changes: list[ChangeBody]
    served: Served


@router.get("")
def read_config(parts: Parts, who: Viewer) -> ConfigState:
    current = parts.versions.current()
    if current is None:
        return ConfigState(version=None, digest=None, files={}, differs_on_disk=None)
    return ConfigState(
        version=_version(current, current.number),
        digest=current.digest,
        files=parts.versions.files(current.number),
        differs_on_disk=parts.versions.differs_on_disk(),
    )


@router.get("/versions")
def list_versions(
    parts: Parts,
    who: Viewer,
    cursor: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> VersionList:
    """Newest first."""
    page = parts.versions.page(cursor, limit=limit)
    current = parts.versions.current()
    number = current.number if current else 0
    return VersionList(items=[_version(item, number) for item in page.items], next=page.next)


@router.get("/versions/{number}")
def read_version(parts: Parts, who: Viewer, number: Number) -> ConfigState:
    version, current = parts.versions.get(number), parts.versions.current()
    return ConfigState(
        version=_version(version, current.number if current else 0),
        digest=version.digest,
        files=parts.versions.files(number),
        differs_on_disk=None,
    )


@router.post("/plan")
def plan_config(parts: Parts, who: Editor, body: PlanRequest) -> Plan:
    """What apply would change. Raises the configuration's first fault as an error."""
    planned = parts.versions.plan(body.files)
    return Plan(
        changes=[_change(change) for change in planned.changes],
        digest=planned.digest,
        current=planned.current,
    )


@router.post("/apply")
def apply_config(parts: Parts, who: Owner, body: ApplyRequest) -> AppliedBody:
    """Make it so: one new version, served by every worker when this answers."""
    return _applied(
        parts.versions.apply(
            body.files, comment=body.comment, digest=body.digest, current=body.current, by=who
        )
    )


@router.post("/rollback")
def roll_back(parts: Parts, who: Owner, body: RollbackRequest) -> AppliedBody:
    """Serve an earlier version again, as a new version."""
    return _applied(parts.versions.roll_back(body.number, comment=body.comment, by=who))


@router.get("/export", response_class=Response, responses={200: {"content": {"application/zip": {}}}})
def export_config(parts: Parts, who: Viewer, number: Number | None = None) -> Response:
    """The files of a version as a zip archive; what `noria pull` writes back."""
    name, data = parts.versions.archive(number)
    return Response(
        data,
        media_type="application/zip",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def _version(version: ConfigVersion, current: int) -> VersionBody:
    return VersionBody(
        number=version.number,
        digest=version.digest,
        comment=version.comment,
        by=version.by,
        by_name=version.by_name,
        created_ms=version.created_ms,
        rolled_back_to=version.rolled_back_to or None,
        current=version.number == current,
    )


def _change(change: Change) -> ChangeBody:
    return ChangeBody(
        kind=change.kind,
        path=list(change.path),
        before=change.before,
        after=change.after,
        effect=change.effect,
        weakens=change.weakens,
    )


def _applied(applied: Applied) -> AppliedBody:
    return AppliedBody(
        version=_version(applied.version, applied.version.number),
        changes=[_change(change) for change in applied.changes],
        served=served(applied.late),
    )
