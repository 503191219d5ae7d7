"""A prompt's version, rendered for an example."""

from __future__ import annotations

from noria.core.example import Example
from noria.errors import Unsupported
from noria.evals.targets.model import Messages
from noria.prompts.compiled import CompiledPrompt, turns


class Rendered:
    """Each example's input is the prompt's variables; evals.targets.model.Prompting."""

    def __init__(self, prompt: CompiledPrompt) -> None:
        """Raises Unsupported for techniques that ask several times."""
        if prompt.pool or prompt.steps or prompt.technique.samples is not None:
            raise Unsupported(
                f"The prompt {prompt.name!r} asks several times for one answer, which is not evaluated here."
            )
        self._prompt = prompt

    async def __call__(self, example: Example, *, seed: int) -> Messages:
        return [{"role": turn.role, "content": turn.text} for turn in turns(self._prompt, example.input)]
