"""Who did what: the append-only, hash-chained log."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from noria.access.audit import AuditEvent
from noria.server.api.caller import Owner, Parts

router = APIRouter(prefix="/api/audit", tags=["govern"])


class AuditEventBody(BaseModel):
    number: int
    id: str
    at_ms: int
    actor: str
    actor_name: str
    act: str
    """Such as "key.revoke" or "config.apply"."""
    subject: str
    project: str
    details: dict[str, Any]
    hash: str
    previous: str


class AuditPage(BaseModel):
    items: list[AuditEventBody]
    next: str | None


class Chain(BaseModel):
    """Whether every event's hash follows from the one before."""

    whole: bool
    events: int
    head: str
    """The last event's hash: keep it elsewhere to be able to see a cut-off end."""
    broken_at: int | None
    """Number of the first event that does not fit."""


@router.get("")
def list_audit(
    parts: Parts,
    who: Owner,
    act: Annotated[str, Query(max_length=80, description="An act, or the start of one such as `key.`")] = "",
    actor: Annotated[str, Query(max_length=80)] = "",
    subject: Annotated[str, Query(max_length=300)] = "",
    cursor: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AuditPage:
    """Newest first."""
    page = parts.audit.page(act=act, actor=actor, subject=subject, cursor=cursor, limit=limit)
    return AuditPage(items=[_body(event) for event in page.items], next=page.next)


@router.get("/verify")
def verify_audit(parts: Parts, who: Owner) -> Chain:
    """Recomputes the whole chain."""
    found = parts.audit.verify()
    return Chain(
        whole=found.broken_at is None, events=found.events, head=found.head, broken_at=found.broken_at
    )


def _body(event: AuditEvent) -> AuditEventBody:
    return AuditEventBody(
        number=event.number,
        id=event.id,
        at_ms=event.at_ms,
        actor=event.actor,
        actor_name=event.actor_name,
        act=event.act,
        subject=event.subject,
        project=event.project,
        details=event.details,
        hash=event.hash,
        previous=event.previous,
    )
