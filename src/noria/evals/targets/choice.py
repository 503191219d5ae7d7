"""Multiple choice by log-probability: how likely each choice is after the question, as lm-eval asks it.

The model reads the question and the choice, and says how likely it found each token (completions with `echo`
and `logprobs`). A choice's log-probability is the sum over its own tokens. Source: Gao et al., lm-evaluation-
harness, `multiple_choice`; Brown et al. 2020, section 2.4.
"""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any, cast

from noria.client import AsyncNoria
from noria.core.example import Example
from noria.core.usage import Usage
from noria.errors import InvalidRequest, UpstreamFailed
from noria.evals.run import TargetSpec
from noria.evals.targets.model import about
from noria.prompts.compiled import turns
from noria.scoring.scorer import Output


class ChoiceTarget:
    """Its Output's data has "logprobs" and "tokens", one a choice; its text is the likeliest choice."""

    def __init__(self, spec: TargetSpec, client: AsyncNoria, *, run: str, name: str) -> None:
        self._spec = spec
        self._client = client
        self._run = run
        self._name = name

    async def __call__(self, example: Example, *, repeat: int, seed: int) -> Output:
        choices = example.metadata.get(self._spec.choices)
        if not isinstance(choices, list) or not choices:
            raise InvalidRequest(
                f"The example {example.id!r} has no choices in its metadata under {self._spec.choices!r}."
            )
        texts = [str(one) for one in cast(list[Any], choices)]
        context = self._context(example)
        begun = time.perf_counter()
        logprobs: list[float] = []
        counts: list[int] = []
        costs: list[Decimal | None] = []
        read = written = 0
        trace = ""
        for text in texts:
            gap = "" if not context or context[-1:].isspace() else " "
            answer = await self._client.completions(
                self._spec.model,
                context + gap + text,
                max_tokens=1,
                temperature=0,
                logprobs=1,
                echo=True,
                noria=about(self._run, self._name, example, repeat),
            )
            found = likelihoods(answer.body, context, len(context) + len(gap) + len(text))
            logprobs.append(sum(found))
            counts.append(len(found))
            costs.append(answer.receipt.cost)
            used = answer.body.get("usage") or {}
            read += _count(used, "prompt_tokens")
            written += _count(used, "completion_tokens")
            trace = answer.receipt.trace
        best = max(range(len(texts)), key=logprobs.__getitem__)
        known = [cost for cost in costs if cost is not None]
        return Output(
            example=example,
            text=texts[best],
            repeat=repeat,
            data={"logprobs": logprobs, "tokens": counts},
            latency=time.perf_counter() - begun,
            usage=Usage(input=read, output=written, requests=len(texts), provenance="reported"),
            cost=sum(known, Decimal(0)) if len(known) == len(costs) else None,
            trace=trace,
        )

    def _context(self, example: Example) -> str:
        """The prompt's messages one under another; without a prompt the input's only text."""
        if self._spec.compiled is not None:
            return "\n".join(turn.text for turn in turns(self._spec.compiled, example.input))
        if not example.input:
            return ""  # The choices are whole sentences.
        found = example.input.get("input")
        if not isinstance(found, str) or not found:
            raise InvalidRequest(f'The example {example.id!r} has no text under "input"; name a prompt.')
        return found


def _count(used: Any, name: str) -> int:
    found = used.get(name) if isinstance(used, dict) else None
    return found if isinstance(found, int) else 0


def likelihoods(body: dict[str, Any], context: str, length: int) -> list[float]:
    """Log-probabilities of the tokens behind `context`, up to `length` characters in all: what the model was
    given and not what it wrote. Raises UpstreamFailed where the answer does not hold them."""
    try:
        [choice] = body["choices"]
        told = choice["logprobs"]
        values, offsets = told["token_logprobs"], told["text_offset"]
        start = len(context.rstrip())
        found = [
            float(value)
            for value, offset in zip(values, offsets, strict=True)
            if start <= offset < length and value is not None
        ]
    except (KeyError, TypeError, ValueError):
        raise UpstreamFailed(
            "The model gave no log-probabilities of what it was given; this needs a target that takes `echo`."
        ) from None
    if not found:
        raise UpstreamFailed("The model gave no log-probability of any token of the choice.")
    return found
