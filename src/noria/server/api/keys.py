"""Virtual keys: who may call what, within which limits."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from noria.access.key import RateLimit
from noria.access.keyring import KeyDraft, KeyRecord
from noria.core.money import from_nano, to_nano
from noria.errors import InvalidRequest
from noria.runtime.control import Use, Used
from noria.server.api.amount import amount
from noria.server.api.body import END_OF_TIME_MS, Body
from noria.server.api.caller import Admin, Parts, Project, Viewer

router = APIRouter(prefix="/api/keys", tags=["keys"])

_MOST_MONEY, _MOST_COUNT = 1_000_000_000, 1_000_000_000_000_000
KeyRole = Literal["caller", "viewer", "editor", "admin"]


class LimitBody(BaseModel):
    """At most `amount` of `unit` within any `window_s` seconds; money is a decimal string of dollars."""

    unit: Literal["requests", "tokens", "money"]
    amount: str = Field(max_length=40)
    window_s: int = Field(60, ge=1, le=31_622_400)
    name: str = Field("", max_length=80)
    """Empty: for this key alone; else all who carry a limit of this name share it."""


class KeyRequest(Body):
    name: str = Field(min_length=1, max_length=120)
    team: str = Field("", max_length=120)
    user: str = Field("", max_length=200)
    role: KeyRole = "caller"
    routes: list[str] = Field(default=["*"], max_length=200)
    """Routes and models that may be called; `*` is all of them, an empty list none."""
    expires_ms: int | None = Field(None, ge=0, le=END_OF_TIME_MS)
    tags: dict[str, str] = Field(default={}, max_length=50)
    limits: list[LimitBody] = Field(default=[], max_length=20)
    budgets: list[str] = Field(default=[], max_length=20)
    capture: str | None = Field(None, pattern=r"^(full|metadata|0?\.\d+|0|1)$")
    """full, metadata, or the share of calls whose payloads are kept; null: as the route says."""


class KeyPatch(Body):
    """What is absent stays as it is."""

    name: str | None = Field(None, min_length=1, max_length=120)
    team: str | None = Field(None, max_length=120)
    user: str | None = Field(None, max_length=200)
    role: KeyRole | None = None
    routes: list[str] | None = Field(None, max_length=200)
    expires_ms: int | None = Field(None, ge=0, le=END_OF_TIME_MS)
    tags: dict[str, str] | None = Field(None, max_length=50)
    limits: list[LimitBody] | None = Field(None, max_length=20)
    budgets: list[str] | None = Field(None, max_length=20)
    capture: str | None = Field(None, pattern=r"^(full|metadata|0?\.\d+|0|1)$")


class KeyBody(BaseModel):
    id: str
    name: str
    hint: str
    """How the token begins."""
    project: str
    team: str
    user: str
    role: KeyRole
    routes: list[str]
    expires_ms: int | None
    tags: dict[str, str]
    limits: list[LimitBody]
    budgets: list[str]
    capture: str | None
    state: Literal["active", "expired", "revoked"]
    created_ms: int
    created_by: str
    revoked_ms: int | None
    rotated_ms: int | None
    used: Used
    """Within the last hour, day, week, month (30 days), or not."""
    calls_30d: int
    cost_30d: str


class KeyList(BaseModel):
    items: list[KeyBody]


class Served(BaseModel):
    """Whether every gateway worker acts on the change already."""

    everywhere: bool
    waiting_for: list[int]
    """Numbers of the workers that had not confirmed after two seconds."""


class NewKey(BaseModel):
    """`token` is shown this once and not stored."""

    key: KeyBody
    token: str
    served: Served


class ChangedKey(BaseModel):
    key: KeyBody
    served: Served


class Rotation(Body):
    overlap_s: int = Field(86_400, ge=0, le=2_592_000)
    """For how long the old token goes on working."""


@router.get("")
def list_keys(parts: Parts, who: Viewer, project: Project = "default", revoked: bool = False) -> KeyList:
    """Keys of the project, newest first; revoked ones only when asked for."""
    use = parts.key_use(project)
    return KeyList(
        items=[
            _body(record, parts, use)
            for record in parts.keys.all(project)
            if revoked or not record.revoked_ms
        ]
    )


@router.post("", status_code=201)
def create_key(parts: Parts, who: Admin, body: KeyRequest, project: Project = "default") -> NewKey:
    draft = KeyDraft(
        name=body.name,
        team=body.team,
        user=body.user,
        role=body.role,
        routes=tuple(body.routes),
        expires_at=(body.expires_ms or 0) // 1000,
        tags=body.tags,
        limits=_limits(body.limits),
        budgets=tuple(body.budgets),
        capture=body.capture,
    )
    record, token, late = parts.keys.create(project, draft, by=who)
    return NewKey(key=_body(record, parts, {}), token=token, served=served(late))


@router.patch("/{id}")
def change_key(parts: Parts, who: Admin, id: str, body: KeyPatch, project: Project = "default") -> ChangedKey:
    given = body.model_dump(exclude_unset=True, exclude={"limits", "expires_ms"})
    changes: dict[str, object] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }
    if body.limits is not None:
        changes["limits"] = _limits(body.limits)
    if "expires_ms" in body.model_fields_set:
        changes["expires_at"] = (body.expires_ms or 0) // 1000
    record, late = parts.keys.change(project, id, changes, by=who)
    return ChangedKey(key=_body(record, parts, parts.key_use(project)), served=served(late))


@router.post("/{id}/rotate")
def rotate_key(parts: Parts, who: Admin, id: str, body: Rotation, project: Project = "default") -> NewKey:
    """A new token for the same key."""
    record, token, late = parts.keys.rotate(project, id, overlap_s=body.overlap_s, by=who)
    return NewKey(key=_body(record, parts, parts.key_use(project)), token=token, served=served(late))


@router.post("/{id}/revoke")
def revoke_key(parts: Parts, who: Admin, id: str, project: Project = "default") -> ChangedKey:
    """Answers when every worker refuses the key, or names those that have not said so."""
    record, late = parts.keys.revoke(project, id, by=who)
    return ChangedKey(key=_body(record, parts, parts.key_use(project)), served=served(late))


def served(late: list[int]) -> Served:
    return Served(everywhere=not late, waiting_for=late)


def _limits(limits: list[LimitBody]) -> tuple[RateLimit, ...]:
    found: list[RateLimit] = []
    for limit in limits:
        value = amount(
            limit.amount, param="limits", most=_MOST_MONEY if limit.unit == "money" else _MOST_COUNT
        )
        if limit.unit != "money" and value != int(value):
            raise InvalidRequest(f"A limit on {limit.unit} must be a whole number.", param="limits")
        count = to_nano(value) if limit.unit == "money" else int(value)
        found.append(RateLimit(limit.unit, count, limit.window_s, limit.name))
    return tuple(found)


def _limit(limit: RateLimit) -> LimitBody:
    amount = f"{from_nano(limit.amount).normalize():f}" if limit.unit == "money" else str(limit.amount)
    return LimitBody(unit=limit.unit, amount=amount, window_s=limit.window_s, name=limit.name)  # pyright: ignore[reportArgumentType]


def _body(record: KeyRecord, parts: Parts, use: dict[str, Use]) -> KeyBody:
    key = record.key
    used, calls, cost = use.get(key.id, ("no", 0, "0"))
    now = parts.clock.now_ns() // 1_000_000_000
    expired = bool(key.expires_at) and key.expires_at <= now
    return KeyBody(
        id=key.id,
        name=key.name,
        hint=f"nk-{key.lookup[:4]}…",
        project=key.project,
        team=key.team,
        user=key.user,
        role=key.role,  # pyright: ignore[reportArgumentType]
        routes=list(key.routes),
        expires_ms=key.expires_at * 1000 or None,
        tags=key.tags,
        limits=[_limit(limit) for limit in key.limits],
        budgets=list(key.budgets),
        capture=key.capture,
        state="revoked" if record.revoked_ms else "expired" if expired else "active",
        created_ms=record.created_ms,
        created_by=record.created_by,
        revoked_ms=record.revoked_ms or None,
        rotated_ms=record.rotated_ms or None,
        used=used,
        calls_30d=calls,
        cost_30d=cost,
    )
