"""Evaluations: what is configured, runs with what they measured, comparisons, gates."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from noria.config.eval import EvalScorerSection, EvalSection, EvalTargetSection
from noria.config.units import dollars
from noria.errors import ConfigError, Forbidden, InvalidRequest
from noria.evals.comparison import together
from noria.evals.run import EvalRun, changes
from noria.runtime.eval_report import ENDINGS, TYPES, Form, opened, report, written
from noria.server.api.body import Body
from noria.server.api.caller import Editor, Parts, Project, Viewer
from noria.server.api.eval_bodies import (
    Changed,
    CheckedBody,
    ComparisonBody,
    Comparisons,
    Definition,
    Definitions,
    EstimateBody,
    ExamplePage,
    GateBody,
    Gates,
    MetricsBody,
    RunBody,
    RunDetail,
    RunPage,
    SliceBody,
    Slices,
)
from noria.server.api.eval_examples import Shown, page_of

router = APIRouter(prefix="/api/evals", tags=["evals"])
Level = Annotated[float, Query(gt=0.5, lt=1, description="Confidence of intervals.")]
State = Literal["queued", "running", "done", "failed", "stopped"]
Text = Annotated[str, Field(max_length=200)]


class NewTarget(Body):
    """A route or model, alone or with a prompt. Endpoints and functions are named in noria.toml alone, since
    whoever may begin a run may not let the server call or load what they like."""

    model: Text | None = None
    prompt: Text | None = None
    parameters: dict[str, Any] = {}
    choices: Text | None = None


class NewScorer(Body):
    type: Text
    name: Text = ""
    arguments: dict[str, Any] = {}


class NewRun(Body):
    """A configured evaluation with some of it changed, or one of its own: then target, dataset and scorers
    are needed."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
    target: NewTarget | None = None
    dataset: Text | None = None
    """`name`, `name@3`, `name@golden` or `name@3:split`."""
    scorers: Annotated[list[NewScorer], Field(max_length=100)] | None = None
    repeats: Annotated[int, Field(ge=1, le=100)] | None = None
    limit: Annotated[int, Field(ge=0, le=10**9)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**31)] | None = None
    concurrency: Annotated[int, Field(ge=1, le=256)] | None = None
    budget: Annotated[str, Field(max_length=40)] | None = None
    """US dollars."""
    fresh: bool = False
    """Do not use answers and judgements of earlier runs."""
    tags: Annotated[dict[str, str], Field(max_length=20)] = {}


class Resume(Body):
    again: bool = False
    """Try again what failed, too."""


class GateCheck(Body):
    run: Text | None = None
    """Id of a run, whose target is asked about; null: the evaluation's own, as noria.toml has it now."""


class LocalLog(Body):
    path: Annotated[str, Field(max_length=4096)]
    form: Literal["inspect", "promptfoo"]
    name: Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*)?$", max_length=64)] = ""
    column: Annotated[int, Field(ge=0, le=10_000)] | None = None


@router.get("/definitions")
def list_definitions(parts: Parts, who: Viewer, project: Project = "default") -> Definitions:
    """What noria.toml names, with the newest run of each."""
    found: list[Definition] = []
    for name, section in sorted(parts.evals.sections().items()):
        newest = parts.evals.runs(project, name=name, limit=1).items
        found.append(Definition.of(name, section, newest[0] if newest else None))
    return Definitions(items=found)


@router.post("/estimate")
def estimate_run(parts: Parts, who: Editor, body: NewRun, project: Project = "default") -> EstimateBody:
    """What a run may cost, without beginning it."""
    spec = parts.evals.spec(project, body.name, _section(parts, body))
    return EstimateBody.model_validate(parts.evals.estimate(project, spec), from_attributes=True)


@router.post("/changed")
def changed_eval(parts: Parts, who: Viewer, body: NewRun, project: Project = "default") -> Changed:
    """Whether a run now would be another than the newest one, and what has changed."""
    spec = parts.evals.spec(project, body.name, _section(parts, body))
    newest = parts.evals.runs(project, name=body.name, limit=1).items
    what = changes(newest[0].spec if newest else None, spec)
    return Changed(changed=bool(what), what=what, newest=newest[0].id if newest else None)


@router.post("/runs", status_code=201)
def start_run(parts: Parts, who: Editor, body: NewRun, project: Project = "default") -> RunBody:
    """Begin a run, which goes on as a job."""
    spec = parts.evals.spec(project, body.name, _section(parts, body))
    spec = msgspec.structs.replace(spec, fresh=body.fresh, tags=body.tags)
    return RunBody.of(parts.evals.start(project, spec, by=who))


@router.get("/runs")
def list_runs(
    parts: Parts,
    who: Viewer,
    project: Project = "default",
    name: Annotated[str, Query(max_length=64)] = "",
    state: State | None = None,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> RunPage:
    """Newest first, each with its headline metrics."""
    page = parts.evals.runs(project, name=name, state=state, cursor=cursor, limit=limit)
    items = [RunBody.of(run, parts.evals.headline_corrections(run)) for run in page.items]
    return RunPage(items=items, next=page.next)


@router.get("/runs/{id}")
def read_run(
    parts: Parts, who: Viewer, id: str, project: Project = "default", level: Level = 0.95
) -> RunDetail:
    """One run with all that it has measured so far."""
    run = parts.evals.run(project, id)
    found = parts.evals.metrics(run, level=level)
    return RunDetail(run=RunBody.of(run), metrics=MetricsBody.model_validate(found, from_attributes=True))


@router.get("/runs/{id}/progress")
def read_progress(parts: Parts, who: Viewer, id: str, project: Project = "default") -> RunBody:
    """The run without its metrics: cheap to ask often."""
    return RunBody.of(parts.evals.run(project, id))


@router.get("/runs/{id}/examples")
def list_run_examples(
    parts: Parts,
    who: Viewer,
    id: str,
    project: Project = "default",
    show: Shown = "all",
    scorer: Annotated[str, Query(max_length=200, description="The scorer that `show` is about.")] = "",
    baseline: Annotated[str, Query(max_length=64, description="The run that is compared with.")] = "",
    tag: Annotated[str, Query(max_length=200)] = "",
    cursor: Annotated[str | None, Query(max_length=4096)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ExamplePage:
    """What was answered and how it was scored; with `baseline` the other run's beside it."""
    run = parts.evals.run(project, id)
    other = parts.evals.run(project, baseline) if baseline else None
    return page_of(parts.evals, run, other, show=show, scorer=scorer, tag=tag, cursor=cursor, limit=limit)


@router.get("/runs/{id}/slices")
def list_slices(
    parts: Parts,
    who: Viewer,
    id: str,
    scorer: Annotated[str, Query(max_length=200)],
    project: Project = "default",
) -> Slices:
    """One scorer by tag, by metadata field and by length of the input."""
    found = parts.evals.slices(parts.evals.run(project, id), scorer)
    return Slices(items=[SliceBody.model_validate(one, from_attributes=True) for one in found])


@router.get("/runs/{id}/report", response_class=Response)
def report_run(
    parts: Parts,
    who: Viewer,
    id: str,
    project: Project = "default",
    form: Form = "html",
    baseline: Annotated[str, Query(max_length=64, description="The run to compare with.")] = "",
    gates: Annotated[
        str, Query(max_length=2000, description="Names, by commas; none: all of the eval.")
    ] = "",
    examples: Annotated[bool, Query(description="JUnit: a test for each example, too.")] = False,
) -> Response:
    """A file that stands alone: HTML, Markdown, JUnit XML, JSON, or a log of Inspect or promptfoo."""
    run = parts.evals.run(project, id)
    other = parts.evals.run(project, baseline) if baseline else None
    named = [parts.evals.gate(name) for name in gates.split(",") if name]
    looked = named or [one for one in parts.evals.gates() if one.eval == run.spec.name]
    made = report(parts.evals, run, baseline=other, gates=looked, made_ms=parts.clock.now_ns() // 1_000_000)
    name = f'attachment; filename="{run.id}.{ENDINGS[form]}"'
    return Response(
        written(parts.evals, made, form, examples=examples),
        media_type=TYPES[form],
        headers={
            "content-disposition": name,
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
        },
    )


@router.post("/import", status_code=201)
async def import_run(
    request: Request,
    parts: Parts,
    who: Editor,
    form: Annotated[Literal["inspect", "promptfoo"], Query(description="The program that made it.")],
    file: Annotated[str, Query(max_length=200, description="What the file is called.")] = "log",
    name: Annotated[str, Query(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*)?$", max_length=64)] = "",
    column: Annotated[int | None, Query(ge=0, le=10_000, description="promptfoo: which prompt.")] = None,
    project: Project = "default",
) -> RunBody:
    """Import the body, a log of Inspect (`.eval`) or promptfoo's results as JSON, as a run that is done."""
    called = Path(file).name
    if not called.isprintable() or not called or called in (".", ".."):
        raise InvalidRequest("`file` must be a name of printable characters.", param="file")
    with tempfile.TemporaryDirectory(dir=parts.home.uploads) as folder:
        path = Path(folder) / called
        with path.open("wb") as kept:
            async for chunk in request.stream():
                await run_sync(kept.write, chunk)
        return RunBody.of(await run_sync(_taken_in, parts, who, path, form, column, name, project))


@router.post("/import-local", status_code=201)
def import_local_run(parts: Parts, who: Editor, body: LocalLog, project: Project = "default") -> RunBody:
    """Import a file of this machine; for the command line on it."""
    if who.kind != "local":
        raise Forbidden("Only the command line on Noria's own machine may name its files; send the file.")
    return RunBody.of(_taken_in(parts, who, Path(body.path), body.form, body.column, body.name, project))


@router.post("/runs/{id}/stop")
def stop_run(parts: Parts, who: Editor, id: str, project: Project = "default") -> RunBody:
    """What is stored stays, and the run can be resumed."""
    return RunBody.of(parts.evals.stop(project, id, by=who))


@router.post("/runs/{id}/resume")
def resume_run(parts: Parts, who: Editor, id: str, body: Resume, project: Project = "default") -> RunBody:
    """Go on where it stopped."""
    run = parts.evals.run(project, id)
    if run.by != who.id and not who.may("admin", project):
        raise Forbidden("A run calls as whoever began it; only they or an administrator may resume it.")
    return RunBody.of(parts.evals.resume(project, id, again=body.again, by=who))


@router.delete("/runs/{id}", status_code=204, response_class=Response)
def remove_run(parts: Parts, who: Editor, id: str, project: Project = "default") -> None:
    """With all that it holds; answers that other runs have used are kept by those."""
    parts.evals.remove(project, id, by=who)


@router.get("/compare")
def compare_runs(
    parts: Parts,
    who: Viewer,
    candidate: Annotated[str, Query(max_length=64)],
    baseline: Annotated[str, Query(max_length=64)],
    project: Project = "default",
    level: Level = 0.95,
) -> ComparisonBody:
    """Paired, example by example, over those that both runs have."""
    left, right = parts.evals.run(project, candidate), parts.evals.run(project, baseline)
    found = parts.evals.compare(left, right, level=level)
    return ComparisonBody.model_validate(found, from_attributes=True)


@router.get("/compare-all")
def compare_many_runs(
    parts: Parts,
    who: Viewer,
    candidates: Annotated[str, Query(max_length=2000, description="Ids of runs, by commas.")],
    baseline: Annotated[str, Query(max_length=64)],
    project: Project = "default",
    level: Level = 0.95,
) -> Comparisons:
    """Several runs with one baseline; p values are adjusted over all of them."""
    right = parts.evals.run(project, baseline)
    left = [parts.evals.run(project, id) for id in candidates.split(",") if id]
    found = together([parts.evals.compare(one, right, level=level) for one in left])
    return Comparisons(items=[ComparisonBody.model_validate(one, from_attributes=True) for one in found])


@router.get("/gates")
def list_gates(parts: Parts, who: Viewer, project: Project = "default") -> Gates:
    """What noria.toml asks of releases."""
    return Gates(items=[GateBody.of(gate) for gate in parts.evals.gates()])


@router.post("/gates/{name}/check")
def check_gate(
    parts: Parts, who: Viewer, name: str, body: GateCheck, project: Project = "default"
) -> CheckedBody:
    """Look at a gate now."""
    run: EvalRun | None = None if body.run is None else parts.evals.run(project, body.run)
    return CheckedBody.of(parts.evals.check(project, parts.evals.gate(name), run))


def _taken_in(
    parts: Parts,
    who: Editor,
    path: Path,
    form: Literal["inspect", "promptfoo"],
    column: int | None,
    name: str,
    project: str,
) -> EvalRun:
    try:
        return parts.evals.take_in(project, opened(path, form, column=column), name=name, by=who)
    except ConfigError as error:
        raise InvalidRequest(str(error)) from None


def _section(parts: Parts, body: NewRun) -> EvalSection:
    """The configured one with what the body changes, or the body alone."""
    target = body.target
    changes: dict[str, Any] = {
        "repeats": body.repeats,
        "limit": body.limit,
        "seed": body.seed,
        "concurrency": body.concurrency,
    }
    if body.budget is not None:
        changes["budget"] = _money(body.budget)
    if target is not None:
        if target.model is None and target.prompt is None:
            raise InvalidRequest("The target names a `model`, a `prompt`, or both.", param="target")
        changes["target"] = EvalTargetSection(**target.model_dump())
    if body.scorers is not None:
        changes["scorers"] = tuple(EvalScorerSection(**one.model_dump()) for one in body.scorers)
    if body.dataset is not None:
        changes |= {"dataset": body.dataset, "file": None}
    given = {name: value for name, value in changes.items() if value is not None or name == "file"}
    if body.name in parts.evals.sections():
        section = parts.evals.section(body.name)
        if target is not None:
            given["target"] = _merged(section.target, changes["target"])
        return section.model_copy(update=given)
    lacking = [name for name in ("target", "dataset", "scorers") if not given.get(name)]
    if lacking:
        raise InvalidRequest(
            f"noria.toml has no [evals.{body.name}], so the run needs {', '.join(lacking)} of its own.",
            param=lacking[0],
        )
    return EvalSection.model_validate({name: value for name, value in given.items() if name != "file"})


def _merged(configured: EvalTargetSection | str, given: EvalTargetSection) -> EvalTargetSection:
    """The configured model with another prompt, or the configured prompt with another model."""
    if isinstance(configured, str):
        configured = EvalTargetSection(model=configured)
    if configured.url is not None or configured.function is not None:
        return given
    return configured.model_copy(
        update={
            "model": given.model or configured.model,
            "prompt": given.prompt or configured.prompt,
            "parameters": {**configured.parameters, **given.parameters},
            "choices": given.choices or configured.choices,
        }
    )


def _money(text: str) -> Decimal:
    try:
        return dollars(text)
    except ValueError as error:
        raise InvalidRequest(f"`budget` {error}.", param="budget") from None
