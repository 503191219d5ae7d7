"""Prompts made from a few words, for tests."""

from __future__ import annotations

from typing import Any

from noria.prompts.compiled import CompiledPrompt
from noria.prompts.compose import compiled, composed
from noria.prompts.version import PromptContent, PromptMessage


def content(*messages: tuple[str, str], **more: Any) -> PromptContent:
    made = tuple(PromptMessage(role=role, template=text) for role, text in messages)  # type: ignore[arg-type]
    return PromptContent(messages=made, **more)


def ready(given: PromptContent, **more: Any) -> CompiledPrompt:
    def nothing(*_: str) -> Any:
        raise AssertionError

    whole, included = composed(given, name="p", resolve=nothing, by_digest=nothing)
    return compiled(whole, included, project="default", name="p", number=1, digest=whole.digest, **more)
