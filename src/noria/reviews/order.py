"""In which order items are worked on: each gets a rank when it is added, and the lowest comes first.

    [project.entry-points.noria]
    "priority.mine" = "acme:value_of"

A priority says what a label of this item is expected to be worth; the highest is asked for first.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import pvariance
from typing import Any

from noria import hooks
from noria.reviews.item import Content

Priority = Callable[[Content], float]


def rank_of(order: str, content: Content, *, seed: str) -> float:
    """Raises ConfigError where no such order is installed."""
    if order == "oldest":
        return 0.0  # Ties go by number.
    if order == "random":
        drawn = hashlib.blake2b(f"{seed}:{content.key}".encode(), digest_size=8).digest()
        return int.from_bytes(drawn, "big") / 2**64
    priority: Priority = disagreement if order == "disagreement" else hooks.load("priority", order)
    return -priority(content)


def check_order(order: str) -> None:
    """Raises ConfigError where no such order is installed."""
    if order not in ("oldest", "random", "disagreement"):
        hooks.load("priority", order)


def disagreement(content: Content) -> float:
    """How far the scorers disagree on this output, from 0 to 1. `hidden["scores"]` holds values by scorer.

    Values of one scorer (of repeats, of two runs) are compared with one another: of numbers and yes or no
    four times the variance, so that half and half is 1, on a scale from 0 to 1 or to their greatest; of
    words the share that is not the most frequent one. Where no scorer has two, all are compared with all,
    as far as they are yes or no or lie between 0 and 1.
    """
    scores = content.hidden.get("scores")
    if not isinstance(scores, Mapping):
        return 0.0
    each = [list(value) if isinstance(value, list | tuple) else [value] for value in scores.values()]
    several = [values for values in each if len(values) > 1]
    if several:
        return max(_spread(values) for values in several)
    return _spread([value for values in each for value in values if _is_share(value)])


def _is_share(value: Any) -> bool:
    return isinstance(value, bool | int | float) and 0 <= value <= 1


def _spread(values: Sequence[Any]) -> float:
    numbers = [float(value) for value in values if isinstance(value, bool | int | float)]
    words = [value for value in values if isinstance(value, str)]
    found = 0.0
    if len(numbers) > 1:
        low, high = min(0.0, *numbers), max(1.0, *numbers)
        found = 4 * pvariance([(number - low) / (high - low) for number in numbers])
    if len(words) > 1:
        found = max(found, 1 - Counter(words).most_common(1)[0][1] / len(words))
    return found


def order_for(item: str, reviewer: str, outputs: int) -> tuple[int, ...]:
    """Which outputs this reviewer sees as A and B: a coin that falls the same each time."""
    drawn = hashlib.blake2b(f"{item}:{reviewer}".encode(), digest_size=1).digest()[0]
    return (1, 0) if outputs == 2 and drawn & 1 else tuple(range(outputs))
