"""Scorers: what is installed, what each takes and measures, and a try of one."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from noria.core.example import Example
from noria.errors import ConfigError, InvalidRequest
from noria.scoring.catalogue import Entry, Parameter, catalogue
from noria.scoring.resolve import described, resolve
from noria.scoring.scorer import Described, Output, ScorerSpec
from noria.server.api.body import Body
from noria.server.api.caller import Editor, Parts, Project, Viewer

router = APIRouter(prefix="/api/scorers", tags=["scorers"])


class MeasureBody(BaseModel):
    name: str
    kind: Literal["mean", "share", "category", "corpus"]
    better: Literal["higher", "lower", "neither"]


class ParameterBody(BaseModel):
    name: str
    type: str
    required: bool
    default: Any


class ScorerBody(BaseModel):
    type: str
    about: str
    parameters: list[ParameterBody]
    calls_models: bool
    """Whether judging costs calls."""


class NamedBody(BaseModel):
    """One of [scorers] or [judges]."""

    name: str
    type: str
    arguments: dict[str, Any]
    measures: list[MeasureBody]


class ScorerList(BaseModel):
    types: list[ScorerBody]
    named: list[NamedBody]


class TryRequest(Body):
    """One output, scored once and not recorded."""

    type: str = Field(min_length=1, max_length=100)
    """Of a scorer, or the name of one in [scorers]."""
    arguments: dict[str, Any] = Field(default={}, max_length=50)
    text: str = Field(max_length=200_000)
    input: dict[str, Any] = Field(default={}, max_length=100)
    expected: Any = None
    context: list[str] = Field(default=[], max_length=100)
    metadata: dict[str, Any] = Field(default={}, max_length=100)


class ScoreBody(BaseModel):
    name: str
    value: float | bool | str | None
    failed: str
    """Why there is no value."""
    reason: str


class Tried(BaseModel):
    scores: list[ScoreBody]


@router.get("")
def list_scorers(parts: Parts, who: Viewer, project: Project = "default") -> ScorerList:
    """All that are installed, and those that noria.toml names."""
    return ScorerList(
        types=[_entry(entry) for entry in catalogue()],
        named=[
            NamedBody(
                name=name,
                type=spec.type,
                arguments=spec.arguments,
                measures=[_measure(one) for one in described(spec)],
            )
            for name, spec in sorted(parts.judges.scorers().items())
        ],
    )


@router.post("/try")
async def try_scorer(parts: Parts, who: Editor, body: TryRequest, project: Project = "default") -> Tried:
    """Score one output. Scorers that call models are refused: an evaluation pays and records its calls."""
    named = parts.judges.scorers().get(body.type)
    spec = named or ScorerSpec(type=body.type)
    spec = ScorerSpec(type=spec.type, name=spec.name, arguments={**spec.arguments, **body.arguments})
    entry = next((one for one in catalogue() if one.type == spec.type), None)
    if entry is not None and entry.calls_models:
        raise InvalidRequest(
            f"{spec.type} calls a model, and a try calls none; run an evaluation with it.", param="type"
        )
    try:
        scorer = resolve(spec)
    except ConfigError as error:
        raise InvalidRequest(str(error), param="arguments") from None
    example = Example(id="try", input=body.input, expected=body.expected, metadata=body.metadata)
    scores = await scorer(Output(example=example, text=body.text, context=tuple(body.context)))
    return Tried(
        scores=[
            ScoreBody(name=one.name, value=one.value, failed=one.failed, reason=one.reason) for one in scores
        ]
    )


def _entry(entry: Entry) -> ScorerBody:
    return ScorerBody(
        type=entry.type,
        about=entry.about,
        parameters=[_parameter(one) for one in entry.parameters],
        calls_models=entry.calls_models,
    )


def _parameter(one: Parameter) -> ParameterBody:
    return ParameterBody(name=one.name, type=one.type, required=one.required, default=one.default)


def _measure(one: Described) -> MeasureBody:
    return MeasureBody(name=one.name, kind=one.kind, better=one.better)
