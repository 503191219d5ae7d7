"""Suites of evaluations: what is shipped, a part begun, and the report of all parts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from noria.errors import ConfigError, Forbidden, InvalidRequest
from noria.evals.report.suite import suite_html, suite_markdown
from noria.evals.suites.suite import SHIPPED, Suite, load
from noria.runtime.suites import part_spec, suite_report
from noria.server.api.body import Body
from noria.server.api.caller import Editor, Parts, Project, Viewer
from noria.server.api.eval_bodies import RunBody

router = APIRouter(prefix="/api/suites", tags=["evals"])
DATA = "NORIA_DATA"
"""Environment variable: the folder that holds the public data sets."""
Text = Annotated[str, Field(max_length=200)]


class PartBody(BaseModel):
    name: str
    about: str
    data: str
    judged: bool
    """Needs a model that judges."""


class SuiteBody(BaseModel):
    name: str
    title: str
    about: str
    parts: list[PartBody]

    @classmethod
    def of(cls, name: str, suite: Suite) -> Self:
        return cls(
            name=name,
            title=suite.title,
            about=suite.about,
            parts=[
                PartBody(name=one.name, about=one.about, data=one.data, judged=one.judged)
                for one in suite.parts
            ],
        )


class SuiteList(BaseModel):
    items: list[SuiteBody]


class NewPart(Body):
    model: Text
    """A route, or `provider/name`."""
    limit: Annotated[int, Field(ge=0, le=10**7)] = 0
    """At most so many examples of the part; 0: all."""
    judge: Text = ""
    """The model that judges, where the part needs one."""
    concurrency: Annotated[int, Field(ge=1, le=64)] = 4
    data: Annotated[str, Field(max_length=4096)] | None = None
    """The folder of the data sets; null: the server's NORIA_DATA. For the command line alone."""


@router.get("")
def list_suites(parts: Parts, who: Viewer, project: Project = "default") -> SuiteList:
    return SuiteList(items=[SuiteBody.of(name, load(name)) for name in SHIPPED])


@router.post("/{name}/parts/{part}/runs", status_code=201)
def start_part(
    parts: Parts, who: Editor, name: str, part: str, body: NewPart, project: Project = "default"
) -> RunBody:
    """Begin one part on a model."""
    if body.data is not None and who.kind != "local":
        raise Forbidden("Only the command line on Noria's own machine may name a folder of it.")
    folder = body.data or os.environ.get(DATA)
    if not folder:
        raise InvalidRequest(f"Say where the data sets are: set {DATA} where Noria runs.", param="data")
    try:
        spec = part_spec(
            parts.evals,
            parts.home,
            name,
            part,
            model=body.model,
            data=Path(folder),
            limit=body.limit,
            judge=body.judge,
            concurrency=body.concurrency,
        )
    except ConfigError as error:
        raise InvalidRequest(str(error)) from None
    return RunBody.of(parts.evals.start(project, spec, by=who))


@router.get("/{name}/report", response_class=Response)
def report_suite(
    parts: Parts,
    who: Viewer,
    name: str,
    runs: Annotated[str, Query(max_length=4000, description="Ids of one run a part, by commas.")],
    project: Project = "default",
    form: Literal["html", "markdown"] = "html",
    examples: Annotated[bool, Query(description="With examples that were wrong, in full.")] = True,
) -> Response:
    """One page for all parts, to be signed."""
    found = [parts.evals.run(project, id) for id in runs.split(",") if id]
    made = suite_report(parts.evals, name, found, made_ms=parts.clock.now_ns() // 1_000_000)
    if form == "markdown":
        return Response(suite_markdown(made), media_type="text/markdown; charset=utf-8")
    headers = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(
        suite_html(made, examples=examples), media_type="text/html; charset=utf-8", headers=headers
    )
