"""BERTScore: each token's nearest token on the other side, by the states of an encoder."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from noria.errors import ConfigError
from noria.scoring.calls import ENVIRONMENT, Calls, TokenEncoder
from noria.scoring.factory import Unscorable, factory
from noria.scoring.gather import Gather
from noria.scoring.reference import references
from noria.scoring.scorer import Described, Output, Score, Scorer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def _described(*, encoder: str = "bge-small-en-v1.5") -> Sequence[Described]:
    names = ("bertscore", "bertscore.precision", "bertscore.recall")
    return tuple(Described(name=name, version=encoder) for name in names)


@factory(by=_described)
def bertscore(*, encoder: str = "bge-small-en-v1.5", calls: Calls = ENVIRONMENT) -> Scorer:
    """F1, precision and recall with the reference of the best F1, neither weighted by rarity nor rescaled.

    Source: Zhang et al. 2020, section 3. Values of different encoders do not compare.
    """
    if calls.encoder is None:
        raise ConfigError("BERTScore needs an encoder of this machine; run it through `noria eval run`.")
    made: list[TokenEncoder] = []
    load = calls.encoder

    def tokens(texts: list[str]) -> Sequence[NDArray[np.float32]]:
        if not made:
            made.append(load(encoder))
        return made[0].tokens(texts)

    async def encode(texts: list[str]) -> Sequence[NDArray[np.float32]]:
        return await asyncio.to_thread(tokens, texts)

    gathered = Gather(encode)

    async def score(output: Output) -> Sequence[Score]:
        wanted = references(output.example)
        own, *others = await asyncio.gather(gathered(output.text), *(gathered(one) for one in wanted))
        found = [greedy(own, other) for other in others]
        precision, recall, f1 = max(found, key=lambda one: one[2])
        return (
            Score(name="bertscore", value=f1),
            Score(name="bertscore.precision", value=precision),
            Score(name="bertscore.recall", value=recall),
        )

    return score


def greedy(candidate: NDArray[np.float32], reference: NDArray[np.float32]) -> tuple[float, float, float]:
    """(precision, recall, F1) of two texts' states [tokens, width].

    The first and the last token are special: as in the library bert-score they do not count, and another
    side's token may still be nearest to them. Raises Unscorable where there is no other.
    """
    import numpy as np

    if len(candidate) < 3 or len(reference) < 3:
        raise Unscorable("A text without a token cannot be compared.")
    sides: list[NDArray[np.float64]] = []
    for states in (candidate, reference):
        wide = states.astype(np.float64)
        sizes = np.linalg.norm(wide, axis=1, keepdims=True)
        if not sizes.all():
            raise Unscorable("The encoder gave a token without direction.")
        sides.append(wide / sizes)
    near = sides[0] @ sides[1].T
    precision = float(near.max(axis=1)[1:-1].mean())
    recall = float(near.max(axis=0)[1:-1].mean())
    total = precision + recall
    return precision, recall, 2 * precision * recall / total if total else 0.0
