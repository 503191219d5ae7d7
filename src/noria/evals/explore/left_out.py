"""Few-shot on the very samples that it is measured with: each is shown others, never itself.

Leave-one-out (Stone 1974). A sample's equal in input, and what is of its group, are left out with it, since
they would tell it its answer as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from noria.core.digest import digest
from noria.core.example import Example
from noria.evals.target import Target
from noria.prompts.apply import shot_of
from noria.prompts.compiled import CompiledPrompt
from noria.prompts.technique import Shot
from noria.scoring.reference import question
from noria.scoring.scorer import Output

Make = Callable[[CompiledPrompt], Target]
UNUSABLE = (
    "Each sample of this run is shown others than itself, which only the exploration does; "
    "`noria explore resume` goes on with it."
)


def others(samples: Sequence[Example], one: Example, *, k: int, seed: int) -> list[Example]:
    """At most `k` samples to show for `one`: in an order drawn by the seed, different answers first."""
    known = [
        other
        for other in samples
        if other.id != one.id
        and other.expected is not None
        and _plain(question(other)) != _plain(question(one))
        and not (one.group and other.group == one.group)
    ]
    known.sort(key=lambda other: digest((seed, one.id, other.id)))
    seen: dict[str, int] = {}
    ranked: list[tuple[int, int, Example]] = []
    for place, other in enumerate(known):
        answer = shot_of(other).answer
        ranked.append((seen.setdefault(answer, 0), place, other))
        seen[answer] += 1
    ranked.sort(key=lambda rank: rank[:2])
    return [other for _, _, other in ranked[:k]]


class LeftOut:
    """A target whose prompt shows other samples than the one that it answers."""

    def __init__(
        self, samples: Sequence[Example], prompt: CompiledPrompt, make: Make, *, k: int, seed: int
    ) -> None:
        self._samples = tuple(samples)
        self._prompt = prompt
        self._make = make
        self._k = k
        self._seed = seed

    def shown(self, example: Example) -> tuple[Shot, ...]:
        """What the example is shown, the same each time."""
        return tuple(shot_of(one) for one in others(self._samples, example, k=self._k, seed=self._seed))

    async def __call__(self, example: Example, *, repeat: int, seed: int) -> Output:
        prompt = msgspec.structs.replace(self._prompt, shots=self.shown(example), pool="", unusable="")
        return await self._make(prompt)(example, repeat=repeat, seed=seed)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
