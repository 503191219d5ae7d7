"""What is doubtful about a prompt before anybody has called it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec

from noria.core.usage import Usage
from noria.errors import InvalidRequest, MissingExtra
from noria.models.card import Card
from noria.models.cost import cost
from noria.models.price import Price
from noria.prompts.compiled import EXAMPLES, CompiledPrompt
from noria.prompts.policy import Finding, Rule, broken
from noria.prompts.reads import Shown, reads
from noria.prompts.tokens import METHOD, estimate
from noria.prompts.variables import names as declared_names
from noria.prompts.version import PromptContent
from noria.text.pii import PATTERNS, find

SAFE = frozenset({"tojson", "int", "float", "length", "count", "wordcount", "round", "abs"})
"""Filters whose result cannot pose as an instruction: JSON is quoted, the others are numbers."""
ROOM = 512
"""Tokens that are kept for an answer where neither the prompt nor the card says how many."""
LONGEST = 2_000_000
"""Characters that are looked at."""
MARK = 100
"""Characters beside a variable in which a mark may stand; the patterns are quadratic in them."""
_TAGS = {"{{": "}}", "{%": "%}", "{#": "#}"}
_OPENS = re.compile(r"(<[A-Za-z][\w-]*>|```\w*|\"\"\"|'''|\[[A-Z_]{3,}\]|<<<+|«|“|#{3,})\s*$")
_CLOSES = re.compile(r"\s*(</[A-Za-z][\w-]*>|```|\"\"\"|'''|\[/?[A-Z_]{3,}\]|>>>+|»|”|#{3,})")


class ModelCost(msgspec.Struct, frozen=True, kw_only=True):
    """What one call costs before its variables are known: a lower bound of the input."""

    model: str
    tokens: int
    input_cost: Decimal | None
    """Dollars for a thousand calls; None: the price is not known."""
    context: int | None
    method: str = METHOD


class Lint(msgspec.Struct, frozen=True, kw_only=True):
    """`ok` unless there is an error."""

    ok: bool
    findings: tuple[Finding, ...]
    tokens: int
    """Of the prompt's own text, without what variables bring."""
    method: str = METHOD
    models: tuple[ModelCost, ...] = ()


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A model, as its card and price say."""

    card: Card
    price: Price | None = None


def lint(
    content: PromptContent,
    *,
    compile: Callable[[PromptContent], CompiledPrompt],
    rules: Sequence[Rule] = (),
    tags: Sequence[str] = (),
    models: Mapping[str, Known] | None = None,
) -> Lint:
    """`compile` raises InvalidRequest, which becomes a finding. `models` are those to price it for, by id."""
    long = sum(len(one.template) for one in content.messages)
    if long > LONGEST:
        too_long = _error("invalid", f"Its {long:,} characters are more than {LONGEST:,}.", "messages")
        return Lint(ok=False, findings=(too_long,), tokens=0)
    tokens = sum(estimate(_spoken(one.template)) for one in content.messages)
    findings: list[Finding] = []
    try:
        prompt = compile(content)
    except InvalidRequest as error:
        findings.append(_error("invalid", error.message, error.param or ""))
    else:
        findings += _variables(prompt)
        findings += _injection(prompt)
        if prompt.unusable:
            findings.append(_error("unusable", prompt.unusable, "technique"))
    findings += _personal(content)
    findings += broken(rules, content, tags=tags, tokens=tokens)
    priced = [_priced(name, known, tokens) for name, known in (models or {}).items()]
    findings += _sizes(content, models or {}, tokens)
    return Lint(
        ok=all(one.severity != "error" for one in findings),
        findings=tuple(findings),
        tokens=tokens,
        models=tuple(priced),
    )


def _variables(prompt: CompiledPrompt) -> Iterator[Finding]:
    declared = declared_names(prompt.variables)
    programs = [one.program for one in prompt.messages] + [one.program for one in prompt.steps]
    used = {name for program in programs for name in reads(program).names}
    given = {EXAMPLES} if prompt.inline else set[str]()
    given |= {step.name for step in prompt.steps}
    for name in sorted(used - declared - given):
        yield _error(
            "undeclared-variable",
            f"The variable {name!r} is used and not declared; add it to `variables` with its type.",
            "variables",
        )
    for name in sorted(declared - used):
        yield Finding(
            code="unused-variable", severity="warning", where="variables",
            message=f"The variable {name!r} is declared and not used; use it or take it out.",
        )  # fmt: skip
    if not prompt.variables and used - given:
        return
    for name, schema in prompt.variables.get("properties", {}).items():
        if isinstance(schema, dict) and not {"type", "enum", "const", "anyOf"} & set(schema):
            yield Finding(
                code="untyped-variable", severity="warning", where="variables",
                message=f"The variable {name!r} has no type; say `type`, so that a wrong value is refused.",
            )  # fmt: skip


def _injection(prompt: CompiledPrompt) -> Iterator[Finding]:
    """User text in a system message reads as an instruction unless something marks where it ends."""
    for number, message in enumerate(prompt.messages, 1):
        if message.role not in ("system", "developer"):
            continue
        for shown in reads(message.program).shown:
            risky = sorted(name for name in shown.names if _free_text(prompt, name))
            if risky and not _delimited(shown):
                yield Finding(
                    code="injection", severity="warning", where=f"message {number} ({message.role})",
                    message=f"{', '.join(map(repr, risky))} is put into the {message.role} message as it is, "
                    "so that its text can pose as an instruction; move it to a user message, put it between "
                    "marks such as <input>…</input>, or write it with `| tojson`.",
                )  # fmt: skip


def _free_text(prompt: CompiledPrompt, name: str) -> bool:
    """Whether a variable can hold any text: not a number, a boolean, or one of a list."""
    if name == EXAMPLES and prompt.inline:
        return False
    schema = prompt.variables.get("properties", {}).get(name)
    if not isinstance(schema, dict):
        return True
    kinds = schema.get("type")
    allowed = set(kinds if isinstance(kinds, list) else [kinds])
    return (
        "enum" not in schema
        and "const" not in schema
        and not allowed <= {"integer", "number", "boolean", "null"}
    )


def _delimited(shown: Shown) -> bool:
    if shown.filters & SAFE:
        return True
    before, after = shown.before[-MARK:], shown.after[:MARK]
    return _OPENS.search(before) is not None and _CLOSES.match(after) is not None


def _personal(content: PromptContent) -> Iterator[Finding]:
    kinds = set(PATTERNS)
    for number, one in enumerate(content.messages, 1):
        where = f"message {number} ({one.role})"
        try:
            hits = find(one.template, kinds=sorted(kinds))
        except MissingExtra as error:
            kinds.discard("phone")
            yield Finding(
                code="not-checked", severity="note", where=where,
                message=f"Telephone numbers were not looked for: {error}",
            )  # fmt: skip
            hits = find(one.template, kinds=sorted(kinds))
        for kind in sorted({hit.kind for hit in hits}):
            secret = kind == "secret"
            yield Finding(
                code=f"pii.{kind}", severity="error" if secret else "warning", where=where,
                message=f"The text holds what looks like {_AN.get(kind, 'a')} {kind}; take it out, or make "
                "it a variable.",
            )  # fmt: skip


_AN = {"email": "an", "iban": "an", "ip": "an", "ssn": "an"}


def _sizes(content: PromptContent, models: Mapping[str, Known], tokens: int) -> Iterator[Finding]:
    asked = content.parameters.get("max_tokens", content.parameters.get("max_completion_tokens"))
    for name, known in models.items():
        context = known.card.context
        room = asked if isinstance(asked, int) else min(known.card.max_output or ROOM, ROOM)
        if context is not None and tokens + room > context:
            yield _error(
                "too-long",
                f"About {tokens:,} tokens and {room:,} for the answer are more than the {context:,} that "
                f"{name} takes; shorten the prompt, or take a model with a longer context.",
                "messages",
            )


def _priced(name: str, known: Known, tokens: int) -> ModelCost:
    one = cost(Usage(input=tokens, provenance="estimated"), known.price)
    price = None if one is None else one * 1000
    return ModelCost(model=name, tokens=tokens, input_cost=price, context=known.card.context)


def _spoken(template: str) -> str:
    """The text that is said whatever the variables are."""
    said: list[str] = []
    end = 0
    for opening in re.finditer(r"{[{%#]", template):
        if opening.start() < end:
            continue
        closing = template.find(_TAGS[opening[0]], opening.end())
        if closing < 0:
            break
        said.append(template[end : opening.start()])
        end = closing + 2
    return "".join((*said, template[end:]))


def _error(code: str, message: str, where: str) -> Finding:
    return Finding(code=code, severity="error", message=message, where=where)
