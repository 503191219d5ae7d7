"""What was measured of the call itself: seconds, tokens, money, length."""

from __future__ import annotations

from collections.abc import Sequence

from noria.scoring.factory import Unscorable, factory
from noria.scoring.scorer import Described, Output, Score, Scorer


@factory(Described(name="latency", better="lower"))
def latency() -> Scorer:
    """Seconds until the whole answer was there."""

    async def score(output: Output) -> Sequence[Score]:
        if output.latency is None:
            raise Unscorable("The target did not say how long it took.")
        return (Score(name="latency", value=float(output.latency)),)

    return score


@factory(
    Described(name="tokens.input", better="lower"),
    Described(name="tokens.output", better="lower"),
)
def tokens() -> Scorer:
    """Tokens that the call used, as the provider reports or Noria estimates them."""

    async def score(output: Output) -> Sequence[Score]:
        usage = output.usage
        if usage is None or usage.provenance == "none":
            raise Unscorable("It is not known how many tokens the call used.")
        return (
            Score(name="tokens.input", value=float(usage.input)),
            Score(name="tokens.output", value=float(usage.output)),
        )

    return score


@factory(Described(name="cost", better="lower"))
def cost() -> Scorer:
    """US dollars of the call."""

    async def score(output: Output) -> Sequence[Score]:
        if output.cost is None:
            raise Unscorable("What the call cost is unknown: the model has no price.")
        return (Score(name="cost", value=float(output.cost)),)

    return score


@factory(
    Described(name="length.characters", better="neither"),
    Described(name="length.words", better="neither"),
    Described(name="length.within", kind="share"),
)
def length(*, least: int = 0, most: int | None = None) -> Scorer:
    """Characters, words, and whether the words are from `least` to `most`."""

    async def score(output: Output) -> Sequence[Score]:
        words = len(output.text.split())
        within = words >= least and (most is None or words <= most)
        return (
            Score(name="length.characters", value=float(len(output.text))),
            Score(name="length.words", value=float(words)),
            Score(name="length.within", value=within, reason="" if within else f"{words} words"),
        )

    return score
