"""Rules of a project about its prompts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from noria.prompts.version import PromptContent

Severity = Literal["error", "warning", "note"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a prompt's author should look at."""

    code: str
    """Stable, such as "undeclared-variable" or "policy.NAME"."""
    severity: Severity
    message: str
    """One sentence that says what to change."""
    where: str = ""
    """"message 2 (user)", "variables"; "": the prompt as a whole."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What is set must hold; "" and () and 0 set nothing."""

    name: str
    forbid: str = ""
    require: str = ""
    role: str = ""
    models: tuple[str, ...] = ()
    max_tokens: int = 0
    tags: tuple[str, ...] = ()
    severity: Literal["error", "warning"] = "error"
    message: str = ""


def broken(
    rules: Sequence[Rule], content: PromptContent, *, tags: Sequence[str], tokens: int
) -> list[Finding]:
    """The rules that a prompt breaks. `tokens` are those of its own text."""
    about = [rule for rule in rules if not rule.tags or set(rule.tags) & set(tags)]
    return [finding for rule in about for finding in _broken(rule, content, tokens)]


def _broken(rule: Rule, content: PromptContent, tokens: int) -> Iterator[Finding]:
    looked = [
        (f"message {number} ({one.role})", one.template)
        for number, one in enumerate(content.messages, 1)
        if not rule.role or one.role == rule.role
    ]
    if rule.forbid:
        for where, text in looked:
            found = re.search(rule.forbid, text)
            if found is not None:
                yield _finding(rule, f"{found[0][:60]!r} must not be said; take it out", where)
    if rule.require and not any(re.search(rule.require, text) for _, text in looked):
        yield _finding(rule, f"no {rule.role or 'message'} text matches {rule.require!r}; add it")
    if rule.models and content.model and content.model not in rule.models:
        yield _finding(
            rule, f"the model {content.model!r} is none of {', '.join(rule.models)}; take one of them"
        )
    if rule.max_tokens and tokens > rule.max_tokens:
        yield _finding(rule, f"about {tokens:,} tokens are more than {rule.max_tokens:,}; shorten it")


def _finding(rule: Rule, what: str, where: str = "") -> Finding:
    message = rule.message or f"The policy {rule.name!r} is broken: {what}."
    return Finding(code=f"policy.{rule.name}", severity=rule.severity, message=message, where=where)
