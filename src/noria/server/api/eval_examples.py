"""A page of a run's examples: those that failed, that got worse, or all."""

from __future__ import annotations

from bisect import bisect_right
from typing import Literal

from noria.errors import InvalidRequest
from noria.evals.run import EvalRun
from noria.evals.sheet import Line, Sheet
from noria.evals.store import Kept
from noria.runtime.evals import Evals
from noria.server.api.eval_bodies import AnswerBody, ExampleBody, ExamplePage, ScoreBody

Shown = Literal["all", "failed", "wrong", "worse", "better", "different"]
"""failed: an answer or a score of it failed; wrong: a yes-or-no scorer said no; worse, better, different:
against the baseline, by `scorer`."""


def page_of(
    evals: Evals,
    run: EvalRun,
    other: EvalRun | None,
    *,
    show: Shown,
    scorer: str,
    tag: str,
    cursor: str | None,
    limit: int,
) -> ExamplePage:
    """In order of id. Raises InvalidRequest where `show` lacks what it needs."""
    sheet = evals.sheet(run)
    theirs = None if other is None else evals.sheet(other)
    if show in ("worse", "better", "different") and theirs is None:
        raise InvalidRequest(f"`show={show}` compares: give a `baseline`.", param="baseline")
    if scorer and sheet.measure(scorer) is None:
        raise InvalidRequest(f"The run has no scorer {scorer!r}.", param="scorer")
    beside_of = {} if theirs is None else {line.id: line for line in theirs.lines}
    found = [
        line.id
        for line in sheet.lines
        if (not tag or tag in line.tags)
        and _fits(line, sheet, beside_of.get(line.id), show=show, scorer=scorer)
    ]
    start = 0 if cursor is None else bisect_right(found, cursor)
    ids = found[start : start + limit]
    kept = evals.kept_of(run, ids)
    beside = {} if other is None else evals.kept_of(other, ids)
    items = [_example(kept[id], beside.get(id)) for id in ids if id in kept]
    return ExamplePage(
        items=items, next=ids[-1] if ids and start + limit < len(found) else None, total=len(found)
    )


def _fits(line: Line, sheet: Sheet, other: Line | None, *, show: Shown, scorer: str) -> bool:
    names = [scorer] if scorer else list(line.scores)
    if show == "all":
        return True
    if show == "failed":
        return bool(line.failed) or any(score.failed for name in names for score in line.scores.get(name, ()))
    if show == "wrong":
        return any(score.value is False for name in names for score in line.scores.get(name, ()))
    return other is not None and any(_moved(line, other, name, sheet, show) for name in names)


def _moved(line: Line, other: Line, name: str, sheet: Sheet, show: Shown) -> bool:
    ours, theirs = line.value(name), other.value(name)
    measure = sheet.measure(name)
    if ours is None or theirs is None or measure is None or ours == theirs:
        return False
    if show == "different":
        return True
    up = (ours > theirs) == (measure.better != "lower")
    return up == (show == "better")


def _example(kept: Kept, other: Kept | None) -> ExampleBody:
    example = kept.example
    return ExampleBody(
        id=example.id,
        input=example.input,
        expected=example.expected,
        metadata=example.metadata,
        tags=list(example.tags),
        group=example.group,
        answers=_answers(kept),
        baseline=None if other is None else _answers(other),
    )


def _answers(kept: Kept) -> list[AnswerBody]:
    return [
        AnswerBody(
            repeat=answer.repeat,
            text=answer.text,
            failed=answer.failed,
            latency=answer.latency,
            cost=None if answer.cost is None else f"{answer.cost:f}",
            tokens=None if answer.usage is None else answer.usage.input + answer.usage.output,
            trace=answer.trace,
            reused=answer.reused,
            scores=[
                ScoreBody(
                    name=score.name,
                    value=score.value,
                    failed=score.failed,
                    reason=score.reason,
                    trace=score.trace,
                )
                for judgement in kept.judgements
                if judgement.repeat == answer.repeat
                for score in judgement.scores
            ],
        )
        for answer in kept.answers
    ]
