"""A prompt as the target of a run: the pool that it chooses examples from, and the scorer of best-of-n."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from noria.client import AsyncNoria
from noria.core.example import Example
from noria.datasets.store import DatasetReader
from noria.evals.run import EvalRun
from noria.evals.targets.prompt import PromptTarget
from noria.prompts.apply import Chooser, Rank
from noria.prompts.compiled import CompiledPrompt
from noria.prompts.pool import Pool
from noria.runtime.pool_task import Report, make_pool
from noria.scoring.calls import Calls
from noria.scoring.resolve import resolve
from noria.scoring.scorer import Output, ScorerSpec
from noria.storage.home import Home


async def prompted(
    run: EvalRun,
    prompt: CompiledPrompt,
    client: AsyncNoria,
    *,
    home: Home,
    datasets: DatasetReader,
    calls: Calls,
    report: Report,
) -> PromptTarget:
    """The target, its pool made where it is not there yet."""
    chooser = None
    if prompt.pool:
        path = home.pools / f"{prompt.pool}.pool"
        shots = prompt.technique.examples
        assert shots is not None, "only examples have a pool"
        if not path.exists():
            await make_pool(path, shots, project=run.project, reader=datasets, client=client, report=report)
        chooser = Chooser(prompt, Pool(path))

    async def ranking(asked: Rank, example: Example) -> Sequence[float]:
        scorer = resolve(msgspec.convert(asked.scorer, ScorerSpec), calls=calls)
        found: list[float] = []
        for text in asked.texts:
            [score, *_] = await scorer(Output(example=example, text=text))
            found.append(float(score.value) if isinstance(score.value, int | float) else float("-inf"))
        return found

    return PromptTarget(
        run.spec.target, prompt, client, run=run.id, name=run.spec.name, chooser=chooser, ranking=ranking
    )
