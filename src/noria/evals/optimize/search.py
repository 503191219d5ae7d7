"""The search over a prompt's words: reflective evolution with a Pareto front over the validation examples.

Source: Agrawal et al. 2025, "GEPA: Reflective Prompt Evolution Can Outperform Reinforcement Learning", by its
authors' own package (extra `optimize`). It keeps its state in a folder; what it asks for is remembered by the
caller, so that a search that was killed goes on and pays for nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from noria.core.example import Example
from noria.errors import MissingExtra, RequestError
from noria.evals.optimize.optimization import Components, Tried
from noria.evals.pace import Halt

MINIBATCH = 6
"""Examples that one reflection looks at."""
REFLECTION = (Path(__file__).parent / "reflection.md").read_text()
"""What the reflecting model is asked; the package fills in the places in angle brackets."""

Try = Callable[[Components, Sequence[Example]], list[Tried]]
"""Answers and judges every example. Raises InvalidRequest where the texts make no prompt, Halt where it must
end."""


class Words:
    """What the package asks of us: gepa.GEPAAdapter over Examples."""

    propose_new_texts: Any = None

    def __init__(self, ask: Try, *, lower: bool) -> None:
        self._ask = ask
        self._sign = -1.0 if lower else 1.0

    def evaluate(self, batch: list[Example], candidate: Components, capture_traces: bool = False) -> Any:
        from gepa.core.adapter import EvaluationBatch

        try:
            tried = self._ask(candidate, batch)
        except RequestError as error:
            tried = [Tried(failed=f"The prompt cannot be used: {error}") for _ in batch]
        worst = min((self._sign * one.value for one in tried if one.value is not None), default=0.0)
        scores = [min(worst, 0.0) if one.value is None else self._sign * one.value for one in tried]
        pairs = list(zip(batch, tried, strict=True))
        return EvaluationBatch(outputs=tried, scores=scores, trajectories=pairs if capture_traces else None)

    def make_reflective_dataset(
        self, candidate: Components, eval_batch: Any, components_to_update: list[str]
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        records = [shown(example, tried) for example, tried in eval_batch.trajectories]
        return dict.fromkeys(components_to_update, records)


def shown(example: Example, tried: Tried) -> dict[str, Any]:
    """One answer as the reflecting model reads it."""
    said = tried.failed or f"Score: {tried.value}. {tried.feedback}".strip()
    if example.expected is not None:
        said += f" A good answer would be: {example.expected}"
    return {"Input": example.input, "Answer": tried.text or "(none)", "Feedback": said}


def search(
    begin: Components,
    *,
    train: list[Example],
    validation: list[Example],
    ask: Try,
    reflect: Callable[[str], str],
    answers: int,
    lower: bool,
    folder: Path,
    seed: int,
) -> None:
    """Look for better texts until `answers` are used up; the caller has seen every candidate in `ask`.

    Returns early where `ask` raises Halt. Raises MissingExtra.
    """
    try:
        from gepa.api import optimize
        from gepa.logging.logger import LoggerProtocol
    except ImportError as error:
        raise MissingExtra("Optimizing prompts", "optimize") from error

    class Quiet(LoggerProtocol):
        def log(self, message: str) -> None:
            pass

    try:
        optimize(
            seed_candidate=begin,
            trainset=train,
            valset=validation,
            adapter=Words(ask, lower=lower),
            reflection_lm=lambda prompt: reflect(str(prompt)),
            reflection_prompt_template=REFLECTION,
            reflection_minibatch_size=min(MINIBATCH, len(train)),
            skip_perfect_score=not lower,
            max_metric_calls=answers,
            run_dir=str(folder),
            logger=Quiet(),
            seed=seed,
        )
    except Halt:
        return
