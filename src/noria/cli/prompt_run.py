"""A prompt asked from the command line, by the SDK and this machine's own token."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from noria.cli.quantities import money
from noria.client import Noria, Prompt, Said
from noria.client.prompts import PromptCache


class Ran(msgspec.Struct, frozen=True):
    """What came of it."""

    said: Said

    @property
    def answer(self) -> str:
        return self.said.answer

    def as_json(self) -> dict[str, Any]:
        outcome, answers = self.said.outcome, self.said.answers
        return {
            "answer": outcome.answer,
            "text": outcome.text,
            "samples": list(outcome.samples),
            "share": outcome.share,
            "steps": outcome.steps,
            "traces": [one.trace for one in answers],
            "cost": self._cost(),
        }

    def told(self) -> str:
        answers = self.said.answers
        tokens = [(one.usage.input, one.usage.output) for one in answers]
        cost = self._cost()
        parts = [
            f"{len(answers)} call{'s' if len(answers) > 1 else ''}",
            f"{sum(one for one, _ in tokens):,} tokens in, {sum(one for _, one in tokens):,} out",
            "cost unknown" if cost is None else money(cost),
        ]
        if len(self.said.outcome.samples) > 1:
            parts.append(f"{self.said.outcome.share:.0%} of the answers agree")
        return " · ".join(parts)

    def _cost(self) -> str | None:
        known = [one.cost for one in self.said.answers if one.cost is not None]
        return str(sum(known)) if len(known) == len(self.said.answers) else None


def run(body: bytes, label: str, variables: Mapping[str, Any], *, model: str) -> Ran:
    """`body` is a compiled version."""
    from noria.cli.where import gateway

    given = click.get_current_context().params
    where = gateway(given["path"] or Path("noria.toml"), url=None, key=None, project=given["project"])
    with Noria(where.url, where.token()) as noria:
        kept = msgspec.structs.replace(PromptCache().keep("", body), label=label)
        return Ran(Prompt(kept, noria.chat).chat(variables, model=model))
