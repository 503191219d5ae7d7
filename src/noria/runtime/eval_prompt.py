"""A prompt as the target of a run: the pool that it chooses examples from, and the scorer of best-of-n."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from noria.client import AsyncNoria
from noria.core.example import Example
from noria.datasets.store import DatasetReader
from noria.errors import InvalidRequest
from noria.evals.run import EvalRun
from noria.evals.targets.prompt import PromptTarget
from noria.prompts.apply import Chooser, Rank, shot_of
from noria.prompts.compiled import CompiledPrompt
from noria.prompts.pool import MOST, Pool, text_of, write_pool
from noria.prompts.technique import Shots
from noria.runtime.shots import dataset_version
from noria.scoring.calls import Calls
from noria.scoring.resolve import resolve
from noria.scoring.scorer import Output, ScorerSpec
from noria.storage.home import Home

_AT_ONCE = 64
"""Texts of one embedding call."""


async def prompted(
    run: EvalRun,
    prompt: CompiledPrompt,
    client: AsyncNoria,
    *,
    home: Home,
    datasets: DatasetReader,
    calls: Calls,
) -> PromptTarget:
    """The target, its pool made where it is not there yet."""
    chooser = None
    if prompt.pool:
        path = home.pools / f"{prompt.pool}.pool"
        shots = prompt.technique.examples
        assert shots is not None, "only examples have a pool"
        if not path.exists():
            await make_pool(path, shots, run.project, client=client, datasets=datasets)
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


async def make_pool(
    path: Path, shots: Shots, project: str, *, client: AsyncNoria, datasets: DatasetReader
) -> None:
    """Embed the examples of the pinned dataset version, and write them. Raises InvalidRequest."""
    version = dataset_version(shots, project, datasets)
    found = [shot_of(one) for one in datasets.examples(version, split=shots.split)]
    if not 1 <= len(found) <= MOST:
        raise InvalidRequest(
            f"{shots.dataset} has {len(found):,} examples to choose from; a pool has 1 to {MOST:,}."
        )
    vectors: list[tuple[float, ...]] = []
    for start in range(0, len(found), _AT_ONCE):
        part = found[start : start + _AT_ONCE]
        given = await client.embeddings(shots.embedder, [text_of(shots, one.input) for one in part])
        vectors += given.vectors
    write_pool(path, found, vectors)
