"""A scorer: how much shorter than a limit an answer is."""

from __future__ import annotations

from collections.abc import Callable


def acme_length(*, most: int = 200) -> Callable[[str], float]:
    """1 for an answer of at most `most` characters; less, the longer it is."""

    def score(answer: str) -> float:
        return 1.0 if len(answer) <= most else most / len(answer)

    return score
