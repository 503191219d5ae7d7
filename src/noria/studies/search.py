"""Which values to try next, from those that were tried: Optuna, with nothing kept in it.

Noria's own store has the trials; at each start they are told to a fresh study in memory.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from noria.errors import MissingExtra
from noria.studies.parameter import Choice, Int, Parameter, Parameters, Values, choices, combinations
from noria.studies.study import StudySpec
from noria.studies.trial import Step, TrialRecord

STARTUP = 10
"""Trials at random before values are modelled (Optuna's default)."""
GIVEN_UP = "Worse than the median of earlier trials at step {step}."


class Search:
    """Suggests; not to be shared by threads."""

    def __init__(self, spec: StudySpec, trials: list[TrialRecord]) -> None:
        """`trials`: all so far; those that were cut off are not suggested, but begun `again`. Raises
        MissingExtra."""
        ended = [trial for trial in trials if trial.state != "running"]
        self._optuna = optuna = _optuna()
        self._spec = spec
        self._space = {name: _distribution(optuna, one) for name, one in spec.parameters.items()}
        # Another seed at each start, or the same random values would be suggested again.
        seed = (spec.seed * 1_000_003 + len(ended)) % 2**32
        self._study = optuna.create_study(
            direction="maximize" if spec.better == "higher" else "minimize",
            sampler=optuna.samplers.TPESampler(
                seed=seed, multivariate=True, constant_liar=True, n_startup_trials=STARTUP
            ),
            pruner=optuna.pruners.MedianPruner() if spec.pruning else optuna.pruners.NopPruner(),
        )
        self._study.add_trials([self._told(trial) for trial in ended])
        self._trials: dict[int, Any] = {}
        self._left = self._grid(spec.parameters, trials)

    @property
    def exhausted(self) -> bool:
        """Whether every combination has been tried."""
        return self._left is not None and not self._left

    def suggest(self, number: int) -> Values:
        """For the new trial `number`."""
        if self._left is not None:
            return self.again(number, self._left.pop())
        trial = self._trials[number] = self._study.ask(self._space)
        return dict(trial.params)

    def again(self, number: int, values: Values) -> Values:
        """These values, for a trial that was cut off."""
        self._study.enqueue_trial(values)
        self._trials[number] = self._study.ask(self._space)
        return values

    def report(self, number: int, step: Step) -> str:
        """Why the trial should be given up; "": it should not."""
        trial = self._trials[number]
        trial.report(step.value, step.step)
        return GIVEN_UP.format(step=step.step) if trial.should_prune() else ""

    def tell(self, trial: TrialRecord) -> None:
        """How it ended."""
        states = self._optuna.trial.TrialState
        known = self._trials.pop(trial.number)
        if trial.state == "done":
            self._study.tell(known, trial.value)
        else:
            self._study.tell(known, state=states.PRUNED if trial.state == "pruned" else states.FAIL)

    def importance(self) -> dict[str, float]:
        """Of the trials that it was told: `importance`."""
        found = self._optuna.importance.get_param_importances(self._study)
        total = sum(found.values())
        return {name: float(value) / total for name, value in found.items()} if total else {}

    def _told(self, trial: TrialRecord) -> Any:
        states = self._optuna.trial.TrialState
        return self._optuna.trial.create_trial(
            state={"done": states.COMPLETE, "pruned": states.PRUNED}.get(trial.state, states.FAIL),
            value=trial.value,
            params=trial.values,
            distributions=self._space,
            intermediate_values={step.step: step.value for step in trial.steps},
        )

    def _grid(self, parameters: Parameters, trials: list[TrialRecord]) -> list[Values] | None:
        """All combinations that were not tried, in random order, where there are no more than trials."""
        count = combinations(parameters)
        if count is None or count > self._spec.trials:
            return None
        columns = [choices(one) or () for one in parameters.values()]
        every = [dict(zip(parameters, row, strict=True)) for row in itertools.product(*columns)]
        random.Random(self._spec.seed).shuffle(every)
        tried = [trial.values for trial in trials]
        return [values for values in every if values not in tried]


def importance(spec: StudySpec, trials: list[TrialRecord]) -> dict[str, float]:
    """How far each parameter decides whether a trial is a good one, in shares of 1; {} of under 10 trials.

    PED-ANOVA (Watanabe, Bansal, Hutter 2023). Raises MissingExtra.
    """
    done = [trial for trial in trials if trial.state == "done"]
    if len(done) < STARTUP or len({trial.value for trial in done}) < 2:
        return {}
    return Search(spec, done).importance()


def needed() -> None:
    """Raises MissingExtra where a search cannot be made; does not import what it looks for."""
    if find_spec("optuna") is None:
        raise MissingExtra("A study", "studies")


def _optuna() -> Any:
    needed()
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _distribution(optuna: Any, parameter: Parameter) -> Any:
    kinds: Mapping[str, Any] = vars(optuna.distributions)
    if isinstance(parameter, Choice):
        return kinds["CategoricalDistribution"](parameter.values)
    kind = kinds["IntDistribution" if isinstance(parameter, Int) else "FloatDistribution"]
    return kind(parameter.low, parameter.high, log=parameter.log, step=parameter.step)
