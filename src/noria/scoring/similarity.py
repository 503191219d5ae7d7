"""How near the answer is to a reference, by the vectors of an embedding model."""

from __future__ import annotations

import math
from collections.abc import Sequence

from noria.core.messages import EmbeddingsRequest
from noria.errors import InvalidRequest
from noria.scoring.calls import ENVIRONMENT, Calls
from noria.scoring.factory import Unscorable, factory
from noria.scoring.gather import Gather
from noria.scoring.reference import references
from noria.scoring.scorer import Described, Output, Score, Scorer

Vector = Sequence[float]


def _described(*, model: str, threshold: float | None = None) -> Sequence[Described]:
    cosine = Described(name="similarity", version=model)
    near = Described(name="similarity.near", kind="share", version=model)
    return (cosine,) if threshold is None else (cosine, near)


@factory(by=_described)
def similarity(*, model: str, threshold: float | None = None, calls: Calls = ENVIRONMENT) -> Scorer:
    """Cosine of the answer's and the nearest reference's vectors; with `threshold` also whether it is near.

    Texts of answers that are scored at about the same time are embedded in one call.
    """

    async def embed(texts: list[str]) -> Sequence[Vector]:
        response = await calls.embeds().embed(
            EmbeddingsRequest(model=model, inputs=tuple(texts), encoding_format="base64")
        )
        return response.vectors

    vector = Gather(embed)

    async def score(output: Output) -> Sequence[Score]:
        wanted = references(output.example)
        if not output.text.strip() or not all(one.strip() for one in wanted):
            raise Unscorable("An empty text has no vector.")
        own = await vector(output.text)
        value = max([cosine(own, await vector(one)) for one in wanted])
        found = [Score(name="similarity", value=value)]
        if threshold is not None:
            found.append(Score(name="similarity.near", value=value >= threshold))
        return found

    return score


def cosine(a: Vector, b: Vector) -> float:
    """NaN where one of them has no length. Raises InvalidRequest where their sizes differ."""
    if len(a) != len(b):
        raise InvalidRequest(f"Vectors of {len(a)} and {len(b)} numbers cannot be compared.")
    size = math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))
    return sum(x * y for x, y in zip(a, b, strict=True)) / size if size else math.nan
