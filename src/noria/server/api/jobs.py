"""Long work that survives a restart: list, follow, cancel."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from noria.errors import NotFound
from noria.server.api.caller import Editor, Parts, Project, Viewer
from noria.storage.jobs import Job

router = APIRouter(prefix="/api/jobs", tags=["jobs"])


class JobBody(BaseModel):
    id: str
    kind: str
    """Such as "weights.pull"."""
    subject: str
    """What it is about, such as the model's name."""
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    done: int | None
    """How much of `total` is done, in `unit`; null: not yet known."""
    total: int | None
    unit: str
    message: str
    """What it is doing, or why it failed."""
    by: str
    created_ms: int
    updated_ms: int


class JobList(BaseModel):
    items: list[JobBody]


@router.get("")
def list_jobs(parts: Parts, who: Viewer, project: Project = "default") -> JobList:
    """Newest first, at most 200."""
    return JobList(items=[job_body(job) for job in parts.jobs.all(project)])


@router.get("/{id}")
def read_job(parts: Parts, who: Viewer, id: str, project: Project = "default") -> JobBody:
    job = parts.jobs.get(project, id)
    if job is None:
        raise NotFound(f"There is no job {id} in project {project!r}.")
    return job_body(job)


@router.post("/{id}/cancel")
def cancel_job(parts: Parts, who: Editor, id: str, project: Project = "default") -> JobBody:
    """Stop a job; what it has fetched or made so far stays for the next attempt."""
    return job_body(parts.jobs.cancel(project, id, by=who))


def job_body(job: Job) -> JobBody:
    return JobBody(
        id=job.id,
        kind=job.kind,
        subject=job.subject,
        state=job.state,
        done=job.done,
        total=job.total,
        unit=job.unit,
        message=job.message,
        by=job.by,
        created_ms=job.created_ms,
        updated_ms=job.updated_ms,
    )
