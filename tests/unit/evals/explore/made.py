"""Evidence and explorations as tests make them, without a database."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from noria.core.example import Example
from noria.core.usage import Usage
from noria.evals.answer import Answer, Judgement
from noria.evals.explore.arm import Arm
from noria.evals.explore.brief import Brief
from noria.evals.explore.candidates import Candidate, Facts
from noria.evals.explore.evidence import Evidence, evidence
from noria.evals.explore.exploration import Exploration, ExploreSpec
from noria.evals.run import DatasetRef, EvalRun, Progress, RunSpec, TargetSpec
from noria.evals.store import Kept
from noria.scoring.scorer import Described, Score

RIGHT = Described(name="right", kind="share")


def samples_of(expected: Sequence[Any], **more: Any) -> list[Example]:
    return [
        Example(id=f"s{n:03}", input={"text": f"question {n}"}, expected=one, **more)
        for n, one in enumerate(expected)
    ]


def found(
    arm: Arm,
    right: Sequence[float | bool | None],
    *,
    samples: Sequence[Example] | None = None,
    cost: str | None = "0.001",
    latency: Sequence[float] | float = 0.5,
    said: Sequence[str] | None = None,
    repeats: int = 1,
    tokens: int = 20,
    described: Described = RIGHT,
) -> Evidence:
    """None: the answer failed."""
    samples = samples or samples_of([str(n) for n in range(len(right))])
    times = [latency] * len(right) if isinstance(latency, float) else list(latency)
    rows: list[Kept] = []
    for n, value in enumerate(right):
        answers, judgements = [], []
        for repeat in range(repeats):
            answers.append(
                Answer(
                    example=samples[n].id, revision="r", repeat=repeat,
                    text=(said[n] if said else str(value)) + (str(repeat) if repeats > 1 and n % 2 else ""),
                    failed="" if value is not None else "broken", latency=times[n],
                    cost=None if cost is None else Decimal(cost),
                    usage=Usage(input=tokens, output=2, provenance="reported"),
                )
            )  # fmt: skip
            score = Score(name=described.name, value=value) if value is not None else Score(
                name=described.name, failed="There is no answer to score."
            )  # fmt: skip
            judgements.append(Judgement(example=samples[n].id, repeat=repeat, scorer="s", scores=(score,)))
        rows.append(Kept(example=samples[n], answers=tuple(answers), judgements=tuple(judgements)))
    total = len(right) * repeats
    failed = sum(value is None for value in right) * repeats
    run = EvalRun(
        id=f"run_{arm.way}", project="p", state="done",
        spec=RunSpec(name="n", target=TargetSpec(model=arm.model), dataset=DatasetRef(name="d", number=1)),
        progress=Progress(
            total=total, answered=total, failed=failed, scored=total, scores=total, failed_scores=failed,
            cost=Decimal(0) if cost is None else Decimal(cost) * total, unknown=total if cost is None else 0,
        ),
    )  # fmt: skip
    return evidence(arm, run, rows, described=described)


def explored(arms: Sequence[Arm], samples: Sequence[Example], **more: Any) -> Exploration:
    brief = more.pop("brief", None) or Brief(task="Say which.", bar=more.pop("bar", None))
    models = dict.fromkeys(arm.model for arm in arms)
    candidates = tuple(
        Candidate(
            model=model,
            facts=(Facts(model=model, capabilities=("chat", "fine_tuning"), context=1000),),
        )
        for model in models
    )
    spec = ExploreSpec(
        brief=brief, dataset=DatasetRef(name="d", number=1, digest="sha256:0"), samples=len(samples),
        candidates=more.pop("candidates", candidates), arms=tuple(arms), measure=more.pop("measure", "right"),
        fields=("text",), **more,
    )  # fmt: skip
    return Exploration(id="exp_1", project="p", spec=spec, state="done", by_name="Ann")
