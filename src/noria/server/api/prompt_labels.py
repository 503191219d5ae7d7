"""Labels of prompts: where they stand, where they stood, and their moves."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from noria.core.gate import GateResult
from noria.prompts.prompt import LabelMove
from noria.prompts.reference import parse_reference
from noria.prompts.version import Label
from noria.runtime.prompts import Moved
from noria.server.api.body import END_OF_TIME_MS, Body
from noria.server.api.caller import Editor, Parts, Project, Viewer
from noria.server.api.keys import Served, served

router = APIRouter(prefix="/api/prompts/{name}/labels", tags=["prompts"])


class LabelBody(BaseModel):
    name: str
    number: int
    """Of the version that it stands for."""
    digest: str
    moved_ms: int
    by: str
    by_name: str
    reason: str
    gates: list[str]
    """That must pass before it moves."""
    approval: bool
    """Whether somebody else must approve a move."""


class LabelList(BaseModel):
    items: list[LabelBody]


class GateBody(BaseModel):
    gate: str
    verdict: Literal["pass", "fail", "undecided"]
    reason: str
    evidence: dict[str, str]


class GateList(BaseModel):
    items: list[GateBody]


class MoveBody(BaseModel):
    label: str
    sequence: int
    kind: Literal["move", "rollback", "remove"]
    number: int
    """0: the label stands for nothing from then on."""
    digest: str
    moved_ms: int
    by: str
    by_name: str
    reason: str
    gates: list[GateBody]
    approval: str


class History(BaseModel):
    """Oldest first."""

    items: list[MoveBody]


class Standing(BaseModel):
    """null: it stood for nothing."""

    move: MoveBody | None


class MoveRequest(Body):
    to: str = Field(min_length=1, max_length=120)
    """A version's number, another label, a branch, or latest."""
    reason: str = Field("", max_length=2000)


class Rollback(Body):
    to: int = Field(0, ge=0, le=999_999_999)
    """A version that the label once stood for; 0: the one before."""
    reason: str = Field("", max_length=2000)


class MovedBody(BaseModel):
    move: MoveBody
    served: Served


@router.get("")
def list_prompt_labels(parts: Parts, who: Viewer, name: str, project: Project = "default") -> LabelList:
    parts.prompts.prompt(project, name)
    return LabelList(items=[label_body(one, parts) for one in parts.prompts.store.labels(project, name)])


@router.get("/{label}/history")
def read_label_history(
    parts: Parts, who: Viewer, name: str, label: str, project: Project = "default"
) -> History:
    return History(items=[_move(one) for one in parts.prompts.moves(project, name, label)])


@router.get("/{label}/at")
def read_label_at(
    parts: Parts,
    who: Viewer,
    name: str,
    label: str,
    time_ms: Annotated[int, Query(ge=0, le=END_OF_TIME_MS)],
    project: Project = "default",
) -> Standing:
    """Which version the label stood for at a time."""
    found = parts.prompts.stood(project, name, label, time_ms)
    return Standing(move=None if found is None else _move(found))


@router.get("/{label}/gates")
def read_label_gates(
    parts: Parts,
    who: Viewer,
    name: str,
    label: str,
    to: Annotated[str, Query(max_length=120)],
    project: Project = "default",
) -> GateList:
    """What the label's gates say of a version now."""
    version = parts.prompts.version(project, parse_reference(f"{name}@{to}"))
    return GateList(items=_gates(parts.prompts.gate_results(version, label)))


@router.put("/{label}")
def move_label(
    parts: Parts, who: Editor, name: str, label: str, body: MoveRequest, project: Project = "default"
) -> MovedBody:
    """A protected label waits for its gates, and for an approval where noria.toml says so (409)."""
    return _moved(parts.prompts.move(project, name, label, body.to, reason=body.reason, by=who))


@router.post("/{label}/rollback")
def rollback_label(
    parts: Parts, who: Editor, name: str, label: str, body: Rollback, project: Project = "default"
) -> MovedBody:
    """Back to a version that the label has stood for, at once, without its gates and approval."""
    return _moved(parts.prompts.rollback(project, name, label, to=body.to, reason=body.reason, by=who))


@router.delete("/{label}")
def remove_label(
    parts: Parts,
    who: Editor,
    name: str,
    label: str,
    project: Project = "default",
    reason: Annotated[str, Query(max_length=2000)] = "",
) -> MovedBody:
    return _moved(parts.prompts.remove(project, name, label, reason=reason, by=who))


def label_body(label: Label, parts: Parts) -> LabelBody:
    protection = parts.prompts.protection(label.name)
    return LabelBody(
        name=label.name,
        number=label.number,
        digest=label.digest,
        moved_ms=label.moved_ms,
        by=label.by,
        by_name=label.by_name,
        reason=label.reason,
        gates=list(protection.gates),
        approval=protection.approval,
    )


def _moved(moved: Moved) -> MovedBody:
    return MovedBody(move=_move(moved.move), served=served(moved.late))


def _gates(gates: tuple[GateResult, ...]) -> list[GateBody]:
    return [GateBody(**msgspec.structs.asdict(one)) for one in gates]


def _move(move: LabelMove) -> MoveBody:
    values = msgspec.structs.asdict(move)
    for name in ("project", "prompt"):
        del values[name]
    values["gates"] = _gates(move.gates)
    return MoveBody(**values)
