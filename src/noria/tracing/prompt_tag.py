"""The tag under which a span is found by its prompt: `name@number@label`."""

from __future__ import annotations

from noria.tracing.record import Prompted

PROMPT_TAG = "noria.prompt"


def prompt_tag(prompt: Prompted) -> str:
    return f"{prompt.name}@{prompt.number}@{prompt.label}"


def prompt_pattern(wanted: str) -> str:
    """The tag's values that `name`, `name@number` or `name@label` means; `*` stands for anything."""
    name, _, at = wanted.partition("@")
    if not at:
        return f"{name}@*"
    return f"{name}@{at}@*" if at.isdigit() else f"{name}@*@{at}"
