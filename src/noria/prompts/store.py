"""What the rest of Noria needs of prompts; storage implements it on noria.db."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from noria.core.author import Author
from noria.core.pages import Page
from noria.prompts.prompt import LabelMove, Prompt
from noria.prompts.reference import Reference
from noria.prompts.version import Label, PromptContent, PromptVersion


class PromptReader(Protocol):
    """Reads."""

    def prompt(self, project: str, name: str) -> Prompt | None: ...

    def prompts(
        self,
        project: str,
        *,
        search: str = "",
        tag: str = "",
        owner: str = "",
        cursor: str | None,
        limit: int,
    ) -> Page[Prompt]:
        """By name; `search` is in the name or the description, upper and lower case alike."""
        ...

    def version(self, project: str, reference: Reference) -> PromptVersion | None:
        """By number, label, branch (its newest version) or "latest"."""
        ...

    def by_digest(self, project: str, name: str, digest: str) -> PromptVersion | None: ...

    def versions(
        self, project: str, name: str, *, branch: str = "", cursor: str | None, limit: int
    ) -> Page[PromptVersion]:
        """Newest first."""
        ...

    def branches(self, project: str, name: str) -> dict[str, int]:
        """Number of the newest version by branch."""
        ...

    def labels(self, project: str | None, name: str = "") -> list[Label]:
        """Those in force, of one prompt or all, of one project or all."""
        ...

    def moves(self, project: str, name: str, label: str) -> list[LabelMove]:
        """All, oldest first."""
        ...


class PromptStore(PromptReader, Protocol):
    """Reads and writes; every act is on the audit log in the same transaction."""

    def commit(
        self,
        project: str,
        name: str,
        content: PromptContent,
        *,
        branch: str = "main",
        parent: str = "",
        comment: str = "",
        by: Author,
    ) -> tuple[PromptVersion, bool]:
        """A new version, and True; the content of the branch's newest version makes none, and False."""
        ...

    def describe(
        self,
        project: str,
        name: str,
        *,
        description: str,
        tags: Sequence[str],
        owners: Sequence[str],
        by: Author,
    ) -> Prompt:
        """What is said of the prompt, which is made where there is none."""
        ...

    def move(self, move: LabelMove, *, after: int, by: Author) -> LabelMove:
        """Raises Conflict unless `after` is the sequence of the label's last move: somebody was faster."""
        ...
