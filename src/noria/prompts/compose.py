"""Makes a content whole: normalises it, resolves what it includes, checks it, and compiles it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from noria.errors import InvalidRequest
from noria.prompts.compiled import EXAMPLES, CompiledMessage, CompiledPrompt, CompiledStep
from noria.prompts.program import Program
from noria.prompts.reads import reads
from noria.prompts.reference import parse_reference
from noria.prompts.technique import Shot, technique_of, written
from noria.prompts.template import compile_template, references
from noria.prompts.variables import check_schema
from noria.prompts.version import PromptContent, PromptVersion

MOST_MESSAGES = 100
LONGEST = 2_000_000
"""Characters of all templates of a prompt, each included one as often as it is included."""
MOST_INCLUDED = 500
DEEPEST = 20
RESERVED = ("input", "messages", "model", "noria", "prompt", "store", "stream", "stream_options")
"""Keys of a call that are no parameters: they are the caller's, or have a place of their own."""
Resolve = Callable[[str], PromptVersion]
"""Gives the version that a reference means now. Raises NotFound."""
ByDigest = Callable[[str, str], PromptVersion]
"""Gives the version of a prompt's name and a digest. Raises NotFound."""


def normalised(content: PromptContent) -> PromptContent:
    """What differs only in line ends, in empty lines around a message, or in defaults is the same content."""
    messages = tuple(
        msgspec.structs.replace(one, template=one.template.replace("\r\n", "\n").strip("\n"))
        for one in content.messages
    )
    technique = written(technique_of(content.technique))
    return msgspec.structs.replace(content, messages=messages, technique=technique)


def composed(
    content: PromptContent, *, name: str, resolve: Resolve, by_digest: ByDigest
) -> tuple[PromptContent, dict[str, PromptContent]]:
    """The content with what it includes pinned, and the included contents by digest.

    Raises InvalidRequest where prompts include one another in a circle, naming it, or where it is not valid.
    """
    content = normalised(content)
    check(content)
    pinned: dict[str, str] = {}
    following = Following(by_digest)
    for reference in _included(content):
        version = resolve(reference)
        following.follow(version, (name,))
        pinned[reference] = version.digest
    return msgspec.structs.replace(content, includes=pinned), following.found


class Following:
    """Follows includes, whose names on the way must all be different."""

    def __init__(self, by_digest: ByDigest) -> None:
        self._by_digest = by_digest
        self._left = MOST_INCLUDED
        self.found: dict[str, PromptContent] = {}
        """Contents by digest."""

    def follow(self, version: PromptVersion, path: tuple[str, ...]) -> None:
        """Raises InvalidRequest for a circle, and where there is too much."""
        path = (*path, version.prompt)
        if version.prompt in path[:-1]:
            circle = " → ".join(path[path.index(version.prompt) :])
            raise InvalidRequest(f"Prompts include one another in a circle: {circle}.", param="messages")
        if len(path) > DEEPEST:
            raise InvalidRequest(
                f"Prompts include one another more than {DEEPEST} deep; include less.", param="messages"
            )
        self._left -= 1
        if self._left < 0:
            raise _too_much()
        self.found[version.digest] = version.content
        for reference, digest in version.content.includes.items():
            self.follow(self._by_digest(parse_reference(reference).name, digest), path)


def check(content: PromptContent) -> None:
    """All that can be wrong without looking at other prompts. Raises InvalidRequest."""
    if not content.messages or len(content.messages) > MOST_MESSAGES:
        raise InvalidRequest(f"A prompt has between 1 and {MOST_MESSAGES} messages.", param="messages")
    wrong = next((name for name in RESERVED if name in content.parameters), "")
    if wrong:
        raise InvalidRequest(f"{wrong!r} is no parameter of a model; take it out.", param="parameters")
    check_schema(content.variables)
    technique_of(content.technique)


def compiled(
    content: PromptContent,
    included: Mapping[str, PromptContent],
    *,
    project: str,
    name: str,
    number: int,
    digest: str,
    shots: Sequence[Shot] = (),
    pool: str = "",
) -> CompiledPrompt:
    """`included` holds, by digest, every content that is included, at any depth. Raises InvalidRequest."""
    technique = technique_of(content.technique)
    compiler = _Compiler(included)
    programs = [
        compiler.program(one.template, content, f"Message {index} ({one.role})")
        for index, one in enumerate(content.messages, 1)
    ]
    steps = [compiler.program(one.template, content, f"Step {one.name!r}") for one in technique.steps]
    inline = technique.examples is not None and any(EXAMPLES in reads(one).names for one in programs)
    around = (technique.examples is not None and not inline) or technique.reasoning is not None
    if around and all(one.role != "user" for one in content.messages):
        raise InvalidRequest(
            "Examples and reasoning are put around a user message; give the prompt one.", param="messages"
        )
    return CompiledPrompt(
        project=project,
        name=name,
        number=number,
        digest=digest,
        messages=tuple(
            CompiledMessage(role=one.role, program=program)
            for one, program in zip(content.messages, programs, strict=True)
        ),
        variables=content.variables,
        model=content.model,
        parameters=content.parameters,
        tools=content.tools,
        response_format=content.response_format,
        technique=technique,
        steps=tuple(
            CompiledStep(name=one.name, program=program)
            for one, program in zip(technique.steps, steps, strict=True)
        ),
        inline=inline,
        shots=tuple(shots),
        pool=pool,
    )


def texts(content: PromptContent) -> list[str]:
    """All templates of a content."""
    steps = technique_of(content.technique).steps
    return [one.template for one in content.messages] + [step.template for step in steps]


def _included(content: PromptContent) -> list[str]:
    return list(dict.fromkeys(name for text in texts(content) for name in references(text)))


class _Compiler:
    """Compiles all templates of one prompt, what they include within them."""

    def __init__(self, included: Mapping[str, PromptContent]) -> None:
        self._included = included
        self._left = LONGEST

    def program(self, text: str, content: PromptContent, where: str) -> Program:
        self._left -= len(text) + 100
        if self._left < 0:
            raise _too_much()

        def include(reference: str) -> Program:
            other = self._included.get(content.includes.get(reference, ""))
            if other is None:
                raise InvalidRequest(f"{where} includes {reference!r}, which is not there.", param="messages")
            return self.program(_only(other, reference), other, f"The included prompt {reference!r}")

        return compile_template(text, include=include, where=where)


def _too_much() -> InvalidRequest:
    return InvalidRequest(
        f"What the prompt includes is more than {LONGEST:,} characters in all, or more than {MOST_INCLUDED} "
        "prompts; include less.",
        param="messages",
    )


def _only(content: PromptContent, reference: str) -> str:
    if len(content.messages) != 1:
        raise InvalidRequest(
            f"{reference!r} has {len(content.messages)} messages; only a prompt of one can be included.",
            param="messages",
        )
    return content.messages[0].template
