"""Prompts of a project as judges ask with them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from noria.core.messages import Message, Text
from noria.errors import ConfigError, NotFound
from noria.prompts.compiled import CompiledPrompt, turns
from noria.prompts.reference import parse_reference
from noria.prompts.store import PromptReader
from noria.prompts.version import PromptVersion
from noria.scoring.calls import JudgePrompt


class ProjectPrompt(msgspec.Struct, frozen=True):
    """scoring.calls.JudgePrompt."""

    compiled: CompiledPrompt

    @property
    def digest(self) -> str:
        return self.compiled.digest

    def messages(self, variables: dict[str, object]) -> tuple[Message, ...]:
        """A prompt that declares its variables gets those; one that declares none may read all."""
        declared = self.compiled.variables.get("properties")
        given = {name: variables[name] for name in declared if name in variables} if declared else variables
        return tuple(
            Message(role=turn.role, parts=(Text(text=turn.text),)) for turn in turns(self.compiled, given)
        )


def judge_prompts(store: PromptReader, project: str) -> Callable[[str], JudgePrompt]:
    """By `name@label` or `name@number`. The function raises NotFound, or ConfigError for few-shot prompts."""

    def find(reference: str) -> JudgePrompt:
        from noria.prompts.compose import Following, compiled

        version = version_of(store, project, reference)
        if version.content.technique.get("examples"):
            raise ConfigError(f"The prompt {reference!r} shows examples from a dataset; a judge's must not.")

        def by_digest(name: str, digest: str) -> PromptVersion:
            found = store.by_digest(project, name, digest)
            if found is None:
                raise NotFound(f"The prompt {name!r} has no version {digest} any more.")
            return found

        following = Following(by_digest)
        for included, digest in version.content.includes.items():
            following.follow(by_digest(parse_reference(included).name, digest), (version.prompt,))
        return ProjectPrompt(
            compiled(
                version.content,
                following.found,
                project=project,
                name=version.prompt,
                number=version.number,
                digest=version.digest,
            )
        )

    return find


def version_of(store: PromptReader, project: str, reference: str) -> PromptVersion:
    """Raises NotFound."""
    found = store.version(project, parse_reference(reference))
    if found is None:
        raise NotFound(f"There is no prompt version {reference!r} in project {project!r}.")
    return found
