"""A prompt's version on a model: every technique is carried out as the SDK and the gateway carry it out."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from noria.client import Answer, AsyncNoria
from noria.core.example import Example
from noria.core.usage import Usage
from noria.errors import InvalidRequest
from noria.evals.run import TargetSpec
from noria.evals.targets.model import about
from noria.prompts.apply import Ask, Chooser, Outcome, Rank, carry_out
from noria.prompts.compiled import CompiledPrompt
from noria.scoring.scorer import Output

Ranking = Callable[[Rank, Example], Awaitable[Sequence[float]]]
"""Scores texts for best-of-n."""


class PromptTarget:
    """Each example's input is the prompt's variables. The answer is without the reasoning before it."""

    def __init__(
        self,
        spec: TargetSpec,
        prompt: CompiledPrompt,
        client: AsyncNoria,
        *,
        run: str,
        name: str,
        chooser: Chooser | None = None,
        ranking: Ranking | None = None,
    ) -> None:
        """`chooser` is needed for prompts that choose examples from a pool."""
        if prompt.pool and chooser is None:
            raise InvalidRequest(f"The examples that {prompt.name!r} chooses from are not there.")
        self._spec = spec
        self._prompt = prompt
        self._client = client
        self._run = run
        self._name = name
        self._chooser = chooser
        self._ranking = ranking

    async def __call__(self, example: Example, *, repeat: int, seed: int) -> Output:
        begun = time.perf_counter()
        shots = None
        if self._chooser is not None:
            vectors = await self._client.embeddings(self._chooser.model, self._chooser.text(example.input))
            shots = self._chooser.shots(vectors.vectors[0])
        answers: list[Answer] = []
        work = carry_out(self._prompt, example.input, shots=shots)
        asked = next(work)
        while True:
            try:
                if isinstance(asked, Ask):
                    said = [await self._said(asked, example, repeat, index) for index in range(asked.n)]
                    answers += said
                    asked = work.send([one.text for one in said])
                else:
                    asked = work.send(await self._ranked(asked, example))
            except StopIteration as stop:
                outcome: Outcome = stop.value
                break
        several = len(answers) > 1
        return Output(
            example=example,
            text=outcome.answer,
            repeat=repeat,
            response=None if several else answers[0].response,
            data={"samples": list(outcome.samples), "share": outcome.share, "steps": outcome.steps}
            if several
            else None,
            latency=time.perf_counter() - begun,
            usage=_together([one.usage for one in answers]),
            cost=_sum([one.cost for one in answers]),
            trace=answers[-1].trace,
        )

    async def _said(self, asked: Ask, example: Example, repeat: int, index: int) -> Answer:
        options = {**asked.parameters, **self._spec.parameters}
        # Another answer to the same question is to be another answer.
        if repeat + index and "seed" in options:
            options["seed"] += repeat + index
        return await self._client.chat(
            self._spec.model,
            asked.messages,
            **options,
            noria=about(self._run, self._name, example, repeat, step=asked.step),
        )

    async def _ranked(self, asked: Rank, example: Example) -> Sequence[Any]:
        if self._ranking is None:
            raise InvalidRequest("Best of n needs a scorer, and none can be used here.")
        return await self._ranking(asked, example)


def _together(used: Sequence[Usage]) -> Usage:
    """Of all calls for one answer."""
    if len(used) == 1:
        return used[0]
    known = all(one.provenance != "none" for one in used)
    reported = all(one.provenance == "reported" for one in used)
    counts = {
        name: sum(getattr(one, name) for one in used)
        for name in Usage.__struct_fields__
        if name != "provenance"
    }
    return msgspec.convert(
        {**counts, "provenance": "reported" if reported else "estimated" if known else "none"}, Usage
    )


def _sum(costs: Sequence[Decimal | None]) -> Decimal | None:
    """None where one is not known."""
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None
