"""What a model's own log-probabilities say of the answer."""

from __future__ import annotations

import math
from collections.abc import Sequence

from noria.scoring.factory import Unscorable, factory
from noria.scoring.scorer import Described, Output, Score, Scorer

_MOST = 200.0
"""Nats a token; some providers write -9999 for what they hold impossible."""


def perplexity_of(scores: Sequence[Score]) -> float:
    """Of all tokens together: parts are (sum of log-probabilities, tokens)."""
    tokens = sum(score.parts[1] for score in scores)
    return math.exp(-sum(score.parts[0] for score in scores) / tokens)


def bits_of(scores: Sequence[Score]) -> float:
    """Of all bytes together: parts are (sum of log-probabilities, bytes)."""
    length = sum(score.parts[1] for score in scores)
    return -sum(score.parts[0] for score in scores) / math.log(2) / length


@factory(Described(name="perplexity", kind="corpus", better="lower", metric=perplexity_of))
def perplexity() -> Scorer:
    """exp of the mean negative log-probability of the answer's tokens; only equal tokenisers compare."""

    async def score(output: Output) -> Sequence[Score]:
        found = logprobs(output)
        mean = -sum(found) / len(found)
        if mean > _MOST:
            raise Unscorable("The answer's tokens are too unlikely for a perplexity that is a number.")
        value = math.exp(mean)
        return (Score(name="perplexity", value=value, parts=(sum(found), float(len(found)))),)

    return score


@factory(Described(name="bits_per_byte", kind="corpus", better="lower", metric=bits_of))
def bits_per_byte() -> Scorer:
    """Negative log-probability in bits over the answer's bytes: compares models of different tokenisers."""

    async def score(output: Output) -> Sequence[Score]:
        found, length = logprobs(output), len(output.text.encode())
        if not length:
            raise Unscorable("The answer has no bytes.")
        total = sum(found)
        return (Score(name="bits_per_byte", value=-total / math.log(2) / length, parts=(total, length)),)

    return score


def logprobs(output: Output) -> list[float]:
    """Natural log-probabilities of the answer's tokens. Raises Unscorable where the target gave none."""
    choices = () if output.response is None else output.response.choices
    found = choices[0].logprobs if choices else None
    if not found:
        raise Unscorable("The target gave no log-probabilities; ask for them with `logprobs = true`.")
    return [one.logprob for one in found]
