"""Asking somebody else to agree before an act."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from noria.access.approval import Approval
from noria.server.api.body import Body
from noria.server.api.caller import Editor, Parts, Project, Viewer

router = APIRouter(prefix="/api/approvals", tags=["govern"])

State = Literal["open", "approved", "rejected", "expired", "withdrawn"]


class ApprovalRequest(Body):
    act: str = Field(min_length=1, max_length=80)
    """What is to be done, such as "config.apply"."""
    subject: str = Field(min_length=1, max_length=300)
    """On what, such as the digest of the configuration."""
    reason: str = Field("", max_length=5000)
    details: dict[str, Any] = {}
    expires_s: int = Field(604_800, ge=60, le=7_776_000)


class Decision(Body):
    decision: Literal["approve", "reject", "withdraw"]
    """Whoever asked may only withdraw."""
    comment: str = Field("", max_length=5000)


class ApprovalBody(BaseModel):
    id: str
    project: str
    act: str
    subject: str
    reason: str
    details: dict[str, Any]
    state: State
    asked_by: str
    asked_by_name: str
    created_ms: int
    expires_ms: int
    decided_by: str | None
    decided_by_name: str | None
    decided_ms: int | None
    comment: str


class ApprovalList(BaseModel):
    items: list[ApprovalBody]


@router.get("")
def list_approvals(
    parts: Parts, who: Viewer, project: Project = "default", state: State | None = None
) -> ApprovalList:
    """Newest first, at most 200."""
    return ApprovalList(items=[_body(item) for item in parts.approvals.all(project, state)])


@router.post("", status_code=201)
def ask_approval(
    parts: Parts, who: Editor, body: ApprovalRequest, project: Project = "default"
) -> ApprovalBody:
    return _body(
        parts.approvals.ask(
            project,
            act=body.act,
            subject=body.subject,
            reason=body.reason,
            details=body.details,
            expires_s=body.expires_s,
            by=who,
        )
    )


@router.post("/{id}/decide")
def decide_approval(
    parts: Parts, who: Editor, id: str, body: Decision, project: Project = "default"
) -> ApprovalBody:
    """Administrators approve or reject what others asked; whoever asked may withdraw."""
    return _body(parts.approvals.decide(project, id, body.decision, comment=body.comment, by=who))


def _body(approval: Approval) -> ApprovalBody:
    return ApprovalBody(
        id=approval.id,
        project=approval.project,
        act=approval.act,
        subject=approval.subject,
        reason=approval.reason,
        details=approval.details,
        state=approval.state,
        asked_by=approval.asked_by,
        asked_by_name=approval.asked_by_name,
        created_ms=approval.created_ms,
        expires_ms=approval.expires_ms,
        decided_by=approval.decided_by or None,
        decided_by_name=approval.decided_by_name or None,
        decided_ms=approval.decided_ms or None,
        comment=approval.comment,
    )
