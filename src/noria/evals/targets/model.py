"""A model or route as a target, without a prompt."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from noria.client import Answer, AsyncNoria
from noria.core.example import Example
from noria.errors import InvalidRequest
from noria.evals.run import TargetSpec
from noria.scoring.scorer import Output

Messages = Sequence[Mapping[str, Any]]


class ModelTarget:
    """Calls through the gateway, so that every answer is a trace: its episode is the run."""

    def __init__(self, spec: TargetSpec, client: AsyncNoria, *, run: str, name: str) -> None:
        """`name` is the evaluation's."""
        self._spec = spec
        self._client = client
        self._run = run
        self._name = name

    async def __call__(self, example: Example, *, repeat: int, seed: int) -> Output:
        options = self._spec.parameters
        if repeat and "seed" in options:
            options = {**options, "seed": options["seed"] + repeat}
        begun = time.perf_counter()
        answer: Answer = await self._client.chat(
            self._spec.model,
            conversation(example),
            **options,
            noria=about(self._run, self._name, example, repeat),
        )
        return Output(
            example=example,
            text=answer.text,
            repeat=repeat,
            response=answer.response,
            latency=time.perf_counter() - begun,
            usage=answer.usage,
            cost=answer.cost,
            trace=answer.trace,
        )


def about(run: str, name: str, example: Example, repeat: int, *, step: str = "") -> dict[str, Any]:
    """What the gateway is told of a call: its episode is the run, by which its spans are found."""
    tags = {"eval": name[:200], "example": example.id[:200], "repeat": str(repeat)}
    if step:
        tags["step"] = step[:200]
    # Another answer to the same example is to be another answer, whatever the route's cache holds.
    return {"episode": run, "tags": tags, "cache": "no-cache"}


def conversation(example: Example) -> Messages:
    """What an example says without a prompt. Raises InvalidRequest where it says nothing."""
    said = example.input
    if "messages" in said:
        return said["messages"]
    text = said.get("input", next(iter(said.values())) if len(said) == 1 else None)
    if text is None:
        raise InvalidRequest(
            f'The example {example.id!r} has neither "messages" nor "input"; name a prompt for its fields.'
        )
    shown = text if isinstance(text, str) else msgspec.json.encode(text).decode()
    return [{"role": "user", "content": shown}]


def options(spec: TargetSpec) -> dict[str, Any]:
    """Keys of the chat completion beside model and messages."""
    found: dict[str, Any] = {}
    if spec.content is not None:
        found |= spec.content.parameters
        if spec.content.tools:
            found["tools"] = list(spec.content.tools)
        if spec.content.response_format is not None:
            found["response_format"] = spec.content.response_format
    return found | spec.parameters
