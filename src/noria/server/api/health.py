"""Whether all is well, for people, for load balancers and for Prometheus."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from noria.runtime.health import Health
from noria.server.api.caller import Overseer, Parts

router = APIRouter(tags=["health"])


class ProcessBody(BaseModel):
    name: str
    """Such as "worker 0", "collector", "control" or "engine local"."""
    pid: int | None
    state: Literal["running", "down", "behind"]
    """behind: runs, and does not yet serve the newest configuration."""
    detail: str


class Sizes(BaseModel):
    """Bytes."""

    database: int
    spans: int
    spool: int
    ledger: int
    stored: int
    blobs: int
    logs: int


class HealthBody(BaseModel):
    state: Literal["ok", "degraded"]
    problems: list[str]
    """One sentence each, that says what to do."""
    version: str
    schema_version: str
    config_digest: str | None
    uptime_s: float
    processes: list[ProcessBody]
    disk_free: int
    disk_total: int
    sizes: Sizes
    spool_lag_s: float | None
    """Age of the oldest record that the collector has not taken; null: it cannot be told."""


class Alive(BaseModel):
    status: Literal["ok"]


@router.get("/api/health")
async def read_health(parts: Parts, who: Overseer) -> HealthBody:
    found: Health = await parts.health()
    return HealthBody(
        state=found.state,
        problems=found.problems,
        version=parts.version,
        schema_version=found.schema_version,
        config_digest=found.config_digest,
        uptime_s=found.uptime_s,
        processes=[
            ProcessBody(name=item.name, pid=item.pid, state=item.state, detail=item.detail)
            for item in found.processes
        ],
        disk_free=found.disk_free,
        disk_total=found.disk_total,
        sizes=Sizes(**found.sizes),
        spool_lag_s=found.spool_lag_s,
    )


@router.get("/healthz")
def healthz() -> Alive:
    """The control process answers."""
    return Alive(status="ok")


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(parts: Parts, who: Overseer) -> PlainTextResponse:
    """Prometheus text format. A scraper needs a key of role viewer in project `*`, as all are summed."""
    return PlainTextResponse(await parts.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")
