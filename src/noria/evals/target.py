"""What a Target is: whatever answers an example. Each kind is a file of `noria.evals.targets`."""

from __future__ import annotations

from typing import Protocol

from noria.core.example import Example
from noria.scoring.scorer import Output


class Target(Protocol):
    """Answers one example."""

    async def __call__(self, example: Example, *, repeat: int, seed: int) -> Output:
        """Raises `errors.NoriaError`, with the reason, where there is no answer."""
        ...
