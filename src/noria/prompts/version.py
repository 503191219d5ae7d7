"""A PromptVersion: an immutable, content-addressed prompt; a Label is a movable pointer to one."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from noria.core.digest import digest


class PromptMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One role-marked message; `template` is Jinja text."""

    role: Literal["system", "developer", "user", "assistant"]
    template: str


class PromptContent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that makes a version what it is."""

    messages: tuple[PromptMessage, ...]
    variables: dict[str, Any] = {}
    """JSON Schema of the variables, an object schema."""
    model: str = ""
    """Route or model that it was written for; "": the caller chooses."""
    parameters: dict[str, Any] = {}
    """Keys of a chat completion: temperature, max_tokens, stop, …"""
    tools: tuple[dict[str, Any], ...] = ()
    response_format: dict[str, Any] | None = None
    technique: dict[str, Any] = {}
    """How examples and reasoning are added: few-shot, chain of thought, self-consistency, …"""
    includes: dict[str, str] = {}
    """Other prompts that it is composed of: name -> digest, resolved when the version was made."""

    @property
    def digest(self) -> str:
        return digest(self)


class PromptVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A content with its place in the history of its prompt."""

    project: str
    prompt: str
    number: int
    """From 1, by time of creation."""
    digest: str
    content: PromptContent
    branch: str = "main"
    parent: str = ""
    """Digest of the version that it was made from."""
    comment: str = ""
    by: str = ""
    by_name: str = ""
    created_ms: int = 0


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """A name such as "production" for one version of one prompt."""

    project: str
    prompt: str
    name: str
    digest: str
    number: int
    moved_ms: int = 0
    by: str = ""
    by_name: str = ""
    reason: str = ""
