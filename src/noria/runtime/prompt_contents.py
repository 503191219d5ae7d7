"""A prompt's content with what it needs of others: the prompts that it includes, its examples' dataset."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from noria.datasets.store import DatasetReader
from noria.errors import InvalidRequest, NotFound, RequestError
from noria.prompts.compiled import CompiledPrompt
from noria.prompts.reference import parse_reference
from noria.prompts.store import PromptReader
from noria.prompts.technique import Shot, technique_of, written
from noria.prompts.version import PromptContent, PromptVersion
from noria.runtime.shots import drawn, pinned, pool_name


class PromptContents:
    """Completes and compiles contents."""

    def __init__(self, prompts: PromptReader, datasets: Callable[[], DatasetReader]) -> None:
        """`datasets` is asked where a content has examples of one; it may raise InvalidRequest."""
        self._prompts = prompts
        self._datasets = datasets

    def whole(self, project: str, name: str, content: PromptContent) -> tuple[PromptContent, CompiledPrompt]:
        """The content as a version would have it, its includes and dataset pinned, and compiled.

        Raises InvalidRequest where it cannot be compiled or includes go in a circle, and NotFound.
        """
        from noria.prompts.compose import compiled, composed

        content = self._pinned(project, content)
        content, included = composed(
            content,
            name=name,
            resolve=lambda reference: self._resolved(project, reference),
            by_digest=lambda other, digest: self._by_digest(project, other, digest),
        )
        made = compiled(content, included, project=project, name=name, number=0, digest=content.digest)
        return content, self._with_shots(made)

    def compile(self, version: PromptVersion) -> CompiledPrompt:
        """Ready to be rendered. What it needs and does not find is said in `unusable`."""
        return self._made(version.project, version.prompt, version.content, number=version.number)

    def changed(
        self, project: str, name: str, content: PromptContent
    ) -> tuple[PromptContent, CompiledPrompt]:
        """A content of version `name` with another technique: what it includes stays as it was pinned.

        Raises InvalidRequest and NotFound, also for examples that cannot be had.
        """
        from noria.prompts.compose import normalised

        content = normalised(self._pinned(project, content))
        made = self._made(project, name, content, number=0)
        if made.unusable:
            raise InvalidRequest(made.unusable, param="technique")
        return content, made

    def _made(self, project: str, name: str, content: PromptContent, *, number: int) -> CompiledPrompt:
        from noria.prompts.compose import Following, compiled

        following = Following(lambda other, digest: self._by_digest(project, other, digest))
        for reference, digest in content.includes.items():
            other = self._by_digest(project, parse_reference(reference).name, digest)
            following.follow(other, (name,))
        made = compiled(
            content, following.found, project=project, name=name, number=number, digest=content.digest
        )
        return self._with_shots(made)

    def _resolved(self, project: str, text: str) -> PromptVersion:
        found = self._prompts.version(project, parse_reference(text))
        if found is None:
            raise NotFound(f"There is no prompt version {text!r} to include.", param="prompt")
        return found

    def _by_digest(self, project: str, name: str, digest: str) -> PromptVersion:
        found = self._prompts.by_digest(project, name, digest)
        if found is None:
            raise NotFound(f"The prompt {name!r} has no version with the digest {digest}.", param="prompt")
        return found

    def _pinned(self, project: str, content: PromptContent) -> PromptContent:
        technique = technique_of(content.technique)
        shots = technique.examples
        if shots is None or not shots.dataset:
            return content
        shots = pinned(shots, project, self._datasets())
        technique = msgspec.structs.replace(technique, examples=shots)
        return msgspec.structs.replace(content, technique=written(technique))

    def _with_shots(self, made: CompiledPrompt) -> CompiledPrompt:
        shots = made.technique.examples
        if shots is None:
            return made
        if shots.given:
            return msgspec.structs.replace(made, shots=shots.given)
        if shots.choose in ("similar", "diverse"):
            return msgspec.structs.replace(made, pool=pool_name(made.project, shots))
        try:
            found: tuple[Shot, ...] = drawn(shots, made.project, self._datasets())
        except RequestError as error:
            return msgspec.structs.replace(made, unusable=str(error))
        return msgspec.structs.replace(made, shots=found)
