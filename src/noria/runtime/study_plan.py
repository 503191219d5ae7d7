"""From what noria.toml says of a study to the StudySpec that is recorded: names resolved, targets made."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import msgspec

from noria.config.eval import EvalTargetSection
from noria.config.mistake import nearest
from noria.config.study import ParameterSection, StudySection
from noria.errors import ConfigError
from noria.evals.run import RunSpec, TargetSpec
from noria.runtime.evals import Evals, measures_of
from noria.studies.parameter import Choice, Float, Int, Parameter, Parameters, Value, check
from noria.studies.study import Better, ObjectiveSpec, StudySpec

TARGETS = ("model", "prompt")
"""Parameters that are names, and are looked up when the study begins."""
MOST_TARGETS = 64
QUANTITIES = ("latency", "cost", "tokens")
"""Measures of every run, better when lower."""


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """What answers, for one choice of model and prompt."""

    values: dict[str, Value]
    target: TargetSpec


class EvalPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of an objective of type "eval"."""

    spec: RunSpec
    variants: tuple[Variant, ...]
    scorer: str
    total: int
    """Answers of a run."""


def planned(evals: Evals, project: str, name: str, section: StudySection) -> StudySpec:
    """Raises ConfigError or NotFound, in a sentence."""
    parameters = {key: _parameter(one) for key, one in section.parameters.items()}
    check(parameters)
    said = section.objective
    better: Better = "higher"
    if said.type == "eval":
        plan, better = _eval(evals, project, said.eval or "", said.scorer or "", parameters)
        arguments: dict[str, Any] = msgspec.to_builtins(plan)
    else:
        arguments = dict(said.arguments)
        if said.function is not None:
            arguments["function"] = said.function
    return StudySpec(
        name=name,
        objective=ObjectiveSpec(type=said.type, arguments=arguments),
        parameters=parameters,
        better=section.better or better,
        trials=section.trials,
        time=section.time,
        budget=section.budget,
        concurrency=section.concurrency,
        pruning=section.pruning,
        seed=section.seed,
    )


def _eval(
    evals: Evals, project: str, name: str, scorer: str, parameters: Parameters
) -> tuple[EvalPlan, Better]:
    section = evals.section(name)
    # Not under the evaluation's own name: "the newest run" of it decides gates.
    spec = evals.spec(project, f"{name}.study", section)
    known = {one.name: one.better for one in measures_of(spec)}
    if scorer not in known and scorer not in QUANTITIES:
        raise ConfigError(f"The evaluation {name!r} has no measure {scorer!r}{nearest(scorer, known)}")
    if known.get(scorer) == "neither":
        raise ConfigError(f"Of {scorer!r} neither more nor less is better: say `better` or take another.")
    target = section.target
    asked = EvalTargetSection(model=target) if isinstance(target, str) else target
    chosen = {key: _names(key, parameters[key]) for key in TARGETS if key in parameters}
    rows = list(itertools.product(*chosen.values()))
    if len(rows) > MOST_TARGETS:
        raise ConfigError(f"These are {len(rows)} pairs of model and prompt; at most {MOST_TARGETS} can be.")
    if len(parameters) > len(chosen) and (asked.url is not None or asked.function is not None):
        raise ConfigError("An endpoint or function has no parameters that a study could change.")
    variants = tuple(
        Variant(
            values=dict(zip(chosen, row, strict=True)),
            target=evals.resolver.target(
                project, asked.model_copy(update=dict(zip(chosen, row, strict=True)))
            ),
        )
        for row in rows
    )
    lower = (scorer in QUANTITIES and scorer not in known) or known.get(scorer) == "lower"
    total = evals.resolver.count(project, spec.dataset) * spec.repeats
    plan = EvalPlan(spec=spec, variants=variants, scorer=scorer, total=total)
    return plan, "lower" if lower else "higher"


def _names(name: str, parameter: Parameter) -> list[str]:
    if not isinstance(parameter, Choice) or not all(isinstance(one, str) for one in parameter.values):
        raise ConfigError(f"The parameter {name!r} must be a choice of names.")
    return [str(one) for one in parameter.values]


def _parameter(section: ParameterSection) -> Parameter:
    if section.choice is not None:
        return Choice(values=tuple(section.choice))
    if section.int is not None:
        step = 1 if section.step is None else section.step
        if step != int(step):
            raise ConfigError("The step of whole numbers must be a whole number.")
        return Int(low=section.int[0], high=section.int[1], log=section.log, step=int(step))
    assert section.float is not None, "one of the three is there"
    step = None if section.step is None else float(section.step)
    return Float(low=float(section.float[0]), high=float(section.float[1]), log=section.log, step=step)


def spec_of(plan: EvalPlan, values: Mapping[str, Value]) -> RunSpec:
    """The run at these values: those that are no names of targets go to the model."""
    names = {key: value for key, value in values.items() if key in TARGETS}
    target = next(one.target for one in plan.variants if one.values == names)
    rest = {key: value for key, value in values.items() if key not in TARGETS}
    target = msgspec.structs.replace(target, parameters={**target.parameters, **rest})
    return msgspec.structs.replace(plan.spec, target=target)
