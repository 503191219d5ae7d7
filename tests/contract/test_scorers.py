"""What every scorer keeps to: it never raises, and says something of all that it measures."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from noria.core.example import Example
from noria.core.messages import (
    Choice,
    EmbeddingsRequest,
    EmbeddingsResponse,
    Message,
    Request,
    Response,
    StreamEvent,
    Text,
)
from noria.core.usage import Usage
from noria.errors import UpstreamFailed
from noria.scoring.calls import Calls
from noria.scoring.resolve import described, resolve, types
from noria.scoring.scorer import Output, Score, ScorerSpec

NEEDED: dict[str, dict[str, Any]] = {
    "regex": {"pattern": "a+"},
    "judge.rubric": {"criterion": "good"},
    "similarity": {"model": "m"},
    "bias.groups": {"scorer": {"type": "exact"}, "groups": ["a", "b"]},
    "refusal": {"should": "refuse"},
}
# It starts processes: it has tests of its own.
APART = {"code"}
EXAMPLE = Example(id="e", input={"input": "What is it?"}, expected="the answer")
OUTPUTS = [
    Output(example=EXAMPLE, text=text)
    for text in ("", "the answer", "\0", "\ud800", "a" * 20_000, "{" * 2_000, "漢字 😀", "#### ", "1e999999")
] + [
    Output(example=Example(id="n", input={}), text="no reference"),
    Output(example=Example(id="l", input={}, expected=[]), text="no reference"),
    Output(example=Example(id="d", input={}, expected={"a": [1, None]}), text="an object"),
    Output(example=Example(id="b", input={}, expected=["", " "]), text=" "),
    Output(example=EXAMPLE, text="x", data={"logprobs": [math.nan], "tokens": "no"}),
    Output(
        example=Example(id="m", input={"messages": "none"}, expected=5, metadata={"choices": [None, 5, "x"]}),
        text="5",
        data={"logprobs": [0.0, -math.inf, math.nan]},
        context=("", "5"),
        latency=math.nan,
    ),
]


class Odd:
    """A ChatModel, an Embedder and a TokenEncoder that answers what it is told to."""

    def __init__(self, said: str) -> None:
        self._said = said

    async def respond(self, request: Request) -> Response:
        if self._said == "fail":
            raise UpstreamFailed("Every attempt failed.")
        message = Message(role="assistant", parts=(Text(text=self._said),))
        return Response(
            id="r", model="m", choices=(Choice(message=message, stop_reason="stop"),), usage=Usage()
        )

    def stream(self, request: Request) -> AsyncIterator[StreamEvent]:
        raise NotImplementedError

    async def embed(self, request: EmbeddingsRequest) -> EmbeddingsResponse:
        if self._said == "fail":
            raise UpstreamFailed("Every attempt failed.")
        vectors = tuple((0.0, 0.0) for _ in request.inputs)
        return EmbeddingsResponse(model="m", vectors=vectors, usage=Usage())

    def tokens(self, texts: Sequence[str]) -> Sequence[Any]:
        return [np.zeros((len(text.split()) + 2, 2), np.float32) for text in texts]


def spec(type: str) -> ScorerSpec:
    model = {"model": "m"} if type.startswith("judge.") else {}
    return ScorerSpec(type=type, name="mine", arguments={**model, **NEEDED.get(type, {})})


async def check(type: str, output: Output, said: str) -> None:
    odd = Odd(said)
    made = spec(type)
    calls = Calls(chat=odd, embedder=odd, encoder=lambda name: odd)
    scores = list(await resolve(made, calls=calls)(output))
    for one in described(made):
        found = [score for score in scores if score.name == one.name]
        assert len(found) == 1, (one.name, scores)
        sound(found[0])


def sound(score: Score) -> None:
    assert (score.value is None) == bool(score.failed)
    assert "crashed" not in score.failed, score
    assert not score.failed or score.failed.endswith((".", ")", "]", "'", '"')), score.failed
    if isinstance(score.value, float):
        assert math.isfinite(score.value)
    assert all(math.isfinite(part) for part in score.parts)


@pytest.mark.parametrize("said", ["fail", "nonsense", '{"verdict": "yes"}', '{"items": []}'])
@pytest.mark.parametrize("type", [one for one in types() if one not in APART])
async def test_every_scorer_says_something_of_everything(type: str, said: str) -> None:
    if said != "fail" and not type.startswith("judge."):
        said = ""
    for output in OUTPUTS:
        await check(type, output, said)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=200), st.none() | st.text(max_size=60) | st.lists(st.text(max_size=20), max_size=3))
async def test_any_text_is_scored(text: str, expected: Any) -> None:
    output = Output(example=Example(id="e", input={"input": "?"}, expected=expected), text=text)
    for type in types():
        if type not in APART and not type.startswith(("judge.", "bertscore", "similarity", "meteor")):
            await check(type, output, "fail")
