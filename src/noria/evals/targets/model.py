"""A model or route as a target, with or without a prompt."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from noria.client import Answer, AsyncNoria
from noria.core.example import Example
from noria.errors import InvalidRequest
from noria.evals.run import TargetSpec
from noria.scoring.scorer import Output

Messages = Sequence[Mapping[str, Any]]


class Prompting(Protocol):
    """Makes the conversations of a prompt's version for an example, and picks or joins their answers."""

    async def __call__(self, example: Example, *, seed: int) -> Messages: ...


class ModelTarget:
    """Calls through the gateway, so that every answer is a trace: its episode is the run."""

    def __init__(
        self,
        spec: TargetSpec,
        client: AsyncNoria,
        *,
        run: str,
        name: str,
        prompting: Prompting | None = None,
    ) -> None:
        """`name` is the evaluation's. Raises InvalidRequest for a prompt without `prompting`."""
        if spec.content is not None and prompting is None:
            raise InvalidRequest(f"The prompt {spec.prompt!r} cannot be rendered here.")
        self._spec = spec
        self._client = client
        self._run = run
        self._name = name
        self._prompting = prompting
        self._options = options(spec)

    async def __call__(self, example: Example, *, repeat: int, seed: int) -> Output:
        messages = await self._prompting(example, seed=seed) if self._prompting else conversation(example)
        # Another answer to the same example is to be another answer, whatever the route's cache holds.
        about = {
            "episode": self._run,
            "tags": {"eval": self._name[:200], "example": example.id[:200], "repeat": str(repeat)},
            "cache": "no-cache",
        }
        options = self._options
        if repeat and "seed" in options:
            options = {**options, "seed": options["seed"] + repeat}
        begun = time.perf_counter()
        answer: Answer = await self._client.chat(self._spec.model, messages, **options, noria=about)
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
