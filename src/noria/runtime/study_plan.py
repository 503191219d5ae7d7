"""From what noria.toml says of a study to the StudySpec that is recorded: names resolved, targets made."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from noria.config.eval import EvalTargetSection
from noria.config.mistake import nearest
from noria.config.study import ParameterSection, StudySection
from noria.errors import ConfigError, InvalidRequest
from noria.evals.run import RunSpec, TargetSpec
from noria.prompts.compiled import CompiledPrompt
from noria.prompts.reference import parse_reference
from noria.prompts.settings import SETTINGS, with_settings
from noria.prompts.version import PromptContent
from noria.runtime.evals import Evals, measures_of
from noria.studies.parameter import (
    Choice,
    Float,
    Int,
    Parameter,
    Parameters,
    Value,
    check,
    choices,
    combinations,
)
from noria.studies.study import Better, ObjectiveSpec, StudySpec

TARGETS = ("model", "prompt")
"""Parameters that are names, and are looked up when the study begins."""
MOST_TARGETS = 64
QUANTITIES = ("latency", "cost", "tokens")
"""Measures of every run, better when lower."""
DATASET = "examples.dataset"
MOST_CHECKED = 2000
"""Combinations of settings that are tried out before a study begins."""
Changed = Callable[[str, PromptContent], tuple[PromptContent, CompiledPrompt]]
"""`PromptContents.changed` within a project."""


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
        parameters = _pinned(evals, project, said.eval or "", parameters)
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
    _check_settings(variants, {key: one for key, one in parameters.items() if "." in key or key in SETTINGS})
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


def _pinned(evals: Evals, project: str, name: str, parameters: Parameters) -> Parameters:
    """With the numbers of the datasets that examples are chosen from: all trials are to see the same."""
    if DATASET not in parameters:
        return parameters
    section = evals.section(name).model_copy(update={"file": None, "limit": None})
    names = _names(DATASET, parameters[DATASET])
    found = [evals.resolver.dataset(project, section.model_copy(update={"dataset": one})) for one in names]
    return {**parameters, DATASET: Choice(values=tuple(f"{one.name}@{one.number}" for one in found))}


def _check_settings(variants: tuple[Variant, ...], settings: Parameters) -> None:
    """Raises ConfigError where a setting of the technique is unknown, or does not fit a prompt."""
    tried = [choices(one) for one in settings.values()]
    ends = [(one.low, one.high) if isinstance(one, Int | Float) else one.values for one in settings.values()]
    whole = all(one is not None for one in tried) and (combinations(settings) or 0) <= MOST_CHECKED
    rows = itertools.product(*(tried if whole else ends))  # pyright: ignore[reportArgumentType]
    for row in itertools.islice(rows, MOST_CHECKED if settings else 0):
        for variant in variants:
            if variant.target.content is None:
                raise ConfigError("The evaluation's target has no prompt, so it shows no examples.")
            try:
                with_settings(variant.target.content.technique, dict(zip(settings, row, strict=True)))
            except InvalidRequest as error:
                raise ConfigError(str(error)) from None


def spec_of(plan: EvalPlan, values: Mapping[str, Value], changed: Changed) -> RunSpec:
    """The run at these values. What is neither a name of the target nor a setting of the prompt's technique
    goes to the model. Raises InvalidRequest and NotFound where examples cannot be had."""
    names = {key: value for key, value in values.items() if key in TARGETS}
    settings = {key: value for key, value in values.items() if key in SETTINGS}
    target = next(one.target for one in plan.variants if one.values == names)
    if settings:
        assert target.content is not None, "settings were checked when the study was planned"
        technique = with_settings(target.content.technique, settings)
        content = msgspec.structs.replace(target.content, technique=technique)
        content, compiled = changed(parse_reference(target.prompt).name, content)
        target = msgspec.structs.replace(target, content=content, compiled=compiled, prompt_number=0)
    rest = {key: value for key, value in values.items() if key not in TARGETS and key not in SETTINGS}
    target = msgspec.structs.replace(target, parameters={**target.parameters, **rest})
    return msgspec.structs.replace(plan.spec, target=target)
