"""BERTScore over the local encoder."""

from __future__ import annotations

import pytest

from noria.core.example import Example
from noria.errors import UserError
from noria.providers.weights import cache
from noria.runtime.token_encoder import LocalTokens
from noria.scoring.calls import Calls
from noria.scoring.resolve import resolve
from noria.scoring.scorer import Output, ScorerSpec

ENCODER = "bge-small-en-v1.5"


@pytest.mark.weights
async def test_nearer_texts_score_higher() -> None:
    if cache.find(ENCODER) is None:
        pytest.skip(f"the weights {ENCODER} are not here")
    scorer = resolve(ScorerSpec(type="bertscore"), calls=Calls(encoder=LocalTokens))
    example = Example(id="e", input={}, expected="The cat sat on the mat.")

    async def f1(text: str) -> float:
        value = (await scorer(Output(example=example, text=text)))[0].value
        assert isinstance(value, float)
        return value

    same, near, far = [
        await f1(text)
        for text in (
            "The cat sat on the mat.",
            "A cat was sitting on the rug.",
            "Interest rates rose by two per cent.",
        )
    ]
    assert same == pytest.approx(1.0, abs=1e-6)
    assert same > near > far


def test_weights_that_are_not_here() -> None:
    with pytest.raises(UserError, match="noria model pull nothing-of-this-name"):
        LocalTokens("nothing-of-this-name")
