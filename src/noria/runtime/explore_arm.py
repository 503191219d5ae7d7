"""An arm of an exploration made ready to run: its target, its prompt, what an answer may cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from noria.core.example import Example
from noria.evals.estimate import Estimate, estimate
from noria.evals.explore.arm import Arm, content
from noria.evals.explore.exploration import ExploreSpec
from noria.evals.explore.left_out import UNUSABLE, others
from noria.evals.run import TargetSpec
from noria.evals.targets.model import options
from noria.gateway.snapshot import Model, Snapshot
from noria.prompts.compiled import CompiledPrompt
from noria.scoring.reference import question
from noria.scoring.resolve import described
from noria.scoring.scorer import Described

SAMPLE = 200
"""Examples whose lengths an estimate is made of."""


def behind(snapshot: Snapshot, model: str) -> list[Model]:
    """The models that may answer for a route or model that is there."""
    return [snapshot.models[target.model] for target in snapshot.routes[model].targets]


def estimated(snapshot: Snapshot, spec: ExploreSpec, arm: Arm, some: Sequence[Example]) -> Estimate:
    """Of one arm; `some` are examples that its answers are like."""
    target = target_of(spec, arm)
    fixed = sum(len(one.template) for one in target.content.messages) if target.content else 0
    models = behind(snapshot, arm.model) if arm.model in snapshot.routes else []
    asked = options(target)
    most = asked.get("max_tokens") or asked.get("max_completion_tokens")
    bounds = [one.card.max_output for one in models]
    if most is None and all(bounds):
        most = max((bound for bound in bounds if bound), default=None)
    return estimate(
        [fixed + length for length in _lengths(spec, arm, some)],
        answers=spec.samples * spec.repeats,
        most_output=most,
        prices=[one.price for one in models],
        judged=any("model" in one.arguments for one in spec.scorers),
    )


def target_of(spec: ExploreSpec, arm: Arm, *, serves: str = "") -> TargetSpec:
    """What an arm asks; ready to be rendered only where it is a comparison's."""
    if spec.kind == "comparison":
        assert spec.target is not None, "a comparison has its target"
        return msgspec.structs.replace(spec.target, model=arm.model, serves=serves)
    reference = f"{spec.dataset.name}@{spec.dataset.number}"
    made = content(spec.brief, arm, spec.fields, dataset=reference)
    left_out = arm.technique == "few-shot"
    return TargetSpec(
        model=arm.model,
        serves=serves,
        content=made,
        # Which others a sample is shown depends on all of them, and on the seed.
        version=f"leave-one-out {spec.dataset.digest} {spec.seed}" if left_out else "",
    )


def compiled_of(spec: ExploreSpec, arm: Arm, target: TargetSpec, *, project: str) -> CompiledPrompt:
    """The prompt of an exploration's arm, ready to be rendered; few-shot only with samples left out."""
    from noria.prompts.compose import compiled

    assert target.content is not None, "an exploration's arm has a prompt"
    made = compiled(
        target.content, {}, project=project, name="explore", number=0, digest=target.content.digest
    )
    return msgspec.structs.replace(made, unusable=UNUSABLE) if arm.technique == "few-shot" else made


def measure_of(spec: ExploreSpec) -> Described | None:
    """What the quality is."""
    every = [one for scorer in spec.scorers for one in described(scorer)]
    return next((one for one in every if one.name == spec.measure), None)


def _lengths(spec: ExploreSpec, arm: Arm, some: Sequence[Example]) -> Iterator[int]:
    """Characters of inputs, with the examples that are shown beside each."""
    for one in some:
        shown = others(some, one, k=arm.shots, seed=spec.seed) if arm.technique == "few-shot" else []
        yield len(question(one)) + sum(
            len(question(each)) + len(msgspec.json.encode(each.expected)) for each in shown
        )
