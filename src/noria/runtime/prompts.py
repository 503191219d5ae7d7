"""Prompts: versions are made, labels move where they may, and what is labelled is what workers serve."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

import msgspec

from noria.access.approval import Approvals
from noria.access.role import Principal
from noria.config.prompt import PromptsSection
from noria.core.clock import Clock
from noria.core.gate import GateResult
from noria.datasets.store import DatasetReader
from noria.errors import Conflict, InvalidRequest, NoriaError, NotFound
from noria.gateway.snapshot import ServedPrompt
from noria.prompts.compiled import CompiledPrompt
from noria.prompts.policy import Rule
from noria.prompts.promotion import GateSource, Protection, approval_subject, looked_at, refusal
from noria.prompts.prompt import LabelMove, Prompt, before, held, standing
from noria.prompts.reference import (
    LATEST,
    MAIN,
    Reference,
    check_name,
    check_pointer,
    parse_reference,
)
from noria.prompts.store import PromptStore
from noria.prompts.version import Label, PromptContent, PromptVersion
from noria.runtime.jobs import Job
from noria.runtime.prompt_contents import PromptContents
from noria.runtime.shots import Pools

_log = logging.getLogger("noria.prompts")
Publish = Callable[[], list[int]]
"""Makes workers serve it; the numbers of those that had not confirmed."""
ACT = "prompt.label"
"""Of approvals."""
MOST_COMPILED = 10_000
"""Versions that are kept compiled; the oldest goes first."""


class Moved(msgspec.Struct, frozen=True):
    """A move of a label, and the workers that do not serve it yet."""

    move: LabelMove
    late: list[int]


class Prompts:
    """What people and programs do with prompts."""

    def __init__(
        self,
        store: PromptStore,
        approvals: Approvals,
        clock: Clock,
        *,
        publish: Publish,
        section: Callable[[], PromptsSection],
        pools: Pools,
    ) -> None:
        self.store = store
        self._approvals = approvals
        self._clock = clock
        self._publish = publish
        self._section = section
        self._pools = pools
        self._contents = PromptContents(store, self._reader)
        self._compiled: dict[tuple[str, str, int], CompiledPrompt] = {}
        self._lock = threading.Lock()
        self.datasets: DatasetReader | None = None
        """Where examples come from; wired by `Control`."""
        self.gates: GateSource | None = None
        """Who says whether a version passes; wired by `Control`."""

    # versions

    def prompt(self, project: str, name: str) -> Prompt:
        """Raises NotFound."""
        check_name(name)
        found = self.store.prompt(project, name)
        if found is None:
            raise NotFound(
                f"There is no prompt {name!r} in project {project!r}; `noria prompt list` shows them.",
                param="prompt",
            )
        return found

    def version(self, project: str, reference: str | Reference, *, default: str = LATEST) -> PromptVersion:
        """Raises NotFound, saying what there is."""
        wanted = parse_reference(reference, default=default) if isinstance(reference, str) else reference
        found = self.store.version(project, wanted)
        if found is not None:
            return found
        self.prompt(project, wanted.name)
        if wanted.number:
            raise NotFound(f"The prompt {wanted.name!r} has no version {wanted.number}.", param="prompt")
        labels = ", ".join(one.name for one in self.store.labels(project, wanted.name)) or "none"
        raise NotFound(
            f"The prompt {wanted.name!r} has no label or branch {wanted.at!r} (labels: {labels}); "
            f"`noria prompt label {wanted.name} {wanted.at} VERSION` makes one.",
            param="prompt",
        )

    def commit(
        self,
        project: str,
        name: str,
        content: PromptContent,
        *,
        branch: str = MAIN,
        parent: str = "",
        comment: str = "",
        by: Principal,
    ) -> tuple[PromptVersion, bool]:
        """A new version and True, or the branch's newest one where nothing differs, and False.

        Raises InvalidRequest where the content cannot be compiled or includes go in a circle.
        """
        check_name(name)
        check_pointer(branch, what="branch")
        if self.protection(branch) != Protection():
            # `name@production` would be this branch until the label stands for something.
            raise Conflict(
                f"{branch!r} is the name of a protected label; give the branch another.", param="branch"
            )
        content, _ = self.whole(project, name, content)
        return self.store.commit(project, name, content, branch=branch, parent=parent, comment=comment, by=by)

    def whole(self, project: str, name: str, content: PromptContent) -> tuple[PromptContent, CompiledPrompt]:
        """The content as a version would have it, its includes and dataset pinned, and compiled."""
        return self._contents.whole(project, name, content)

    def compile(self, version: PromptVersion) -> CompiledPrompt:
        """Ready to be rendered. What it needs and does not find is said in `unusable`."""
        key = (version.project, version.prompt, version.number)
        with self._lock:
            found = self._compiled.get(key)
        if found is None:
            found = self._contents.compile(version)
            if not found.unusable:
                with self._lock:
                    self._compiled[key] = found
                    if len(self._compiled) > MOST_COMPILED:
                        del self._compiled[next(iter(self._compiled))]
        return found

    def describe(
        self,
        project: str,
        name: str,
        *,
        description: str,
        tags: Sequence[str],
        owners: Sequence[str],
        by: Principal,
    ) -> Prompt:
        """What the catalogue says of it. Raises InvalidRequest."""
        check_name(name)
        if any("\n" in word or not word.strip() or len(word) > 200 for word in (*tags, *owners)):
            raise InvalidRequest(
                "Tags and owners are words on one line, of at most 200 characters each.", param="tags"
            )
        return self.store.describe(project, name, description=description, tags=tags, owners=owners, by=by)

    def rules(self) -> tuple[Rule, ...]:
        """The project's policy."""
        return self._section().rules()

    def prepare(self, version: PromptVersion, *, by: Principal) -> Job | None:
        """The job that makes what a version needs to be served; None: it is ready. Raises Conflict."""
        compiled = self.compile(version)
        if compiled.unusable:
            raise Conflict(compiled.unusable, code="not_ready", param="prompt")
        return self._pools.prepare(compiled, by=by)

    # labels

    def protection(self, label: str) -> Protection:
        return self._section().protection(label)

    def gate_results(self, version: PromptVersion, label: str) -> tuple[GateResult, ...]:
        """What the label's gates say of a version now."""
        return looked_at(self.gates, self.protection(label), version)

    def move(self, project: str, name: str, label: str, to: str, *, reason: str = "", by: Principal) -> Moved:
        """Raises Conflict where gates hold it back, or an approval is lacking, which is then asked for."""
        check_pointer(label, what="label")
        version = self.version(project, parse_reference(f"{name}@{to}"))
        moves = self.store.moves(project, name, label)
        if moves and moves[-1].number == version.number:
            return Moved(moves[-1], self._publish())
        gates = self.gate_results(version, label)
        held_back = refusal(gates, label)
        if held_back:
            raise Conflict(held_back, code="gate_not_passed", param="label")
        compiled = self.compile(version)
        if compiled.unusable:
            raise Conflict(compiled.unusable, code="not_ready", param="label")
        self._pools.require(compiled, by=by)
        approval = self._approval(version, label, reason, by)
        move = LabelMove(
            project=project, prompt=name, label=label, sequence=0, number=version.number,
            digest=version.digest, reason=reason, gates=gates, approval=approval,
        )  # fmt: skip
        return self._made(move, by, moves)

    def rollback(
        self, project: str, name: str, label: str, *, to: int = 0, reason: str = "", by: Principal
    ) -> Moved:
        """Back to the version before, or to the version `to` that the label once stood for.

        Gates and approval are not asked again: the label has stood there, and a rollback must not wait.
        """
        moves = self.moves(project, name, label)
        target = held(moves, to) if to else before(moves)
        move = LabelMove(
            project=project, prompt=name, label=label, sequence=0, kind="rollback", number=target.number,
            digest=target.digest, reason=reason, gates=target.gates, approval=target.approval,
        )  # fmt: skip
        return self._made(move, by, moves)

    def remove(self, project: str, name: str, label: str, *, reason: str = "", by: Principal) -> Moved:
        """Raises Conflict for a protected label."""
        if self.protection(label) != Protection():
            raise Conflict(f"The label {label!r} is protected and cannot be removed; move it.", param="label")
        moves = self.moves(project, name, label)
        if not moves[-1].number:
            raise NotFound(f"The label {label!r} stands for nothing already.", param="label")
        return self._made(
            LabelMove(project=project, prompt=name, label=label, sequence=0, kind="remove", reason=reason),
            by,
            moves,
        )

    def moves(self, project: str, name: str, label: str) -> list[LabelMove]:
        """The label's whole history, oldest first. Raises NotFound."""
        found = self.store.moves(project, name, label)
        if not found:
            self.prompt(project, name)
            raise NotFound(f"The prompt {name!r} has never had a label {label!r}.", param="label")
        return found

    def stood(self, project: str, name: str, label: str, at_ms: int) -> LabelMove | None:
        """By which move the label stood at that time; None: it stood for nothing."""
        return standing(self.moves(project, name, label), at_ms)

    # serving

    def live(self) -> dict[str, dict[str, ServedPrompt]]:
        """What workers serve: by project and name, every version that has a label."""
        found: dict[str, dict[str, tuple[dict[str, int], dict[int, CompiledPrompt]]]] = {}
        for label in self.store.labels(None):
            labels, versions = found.setdefault(label.project, {}).setdefault(label.prompt, ({}, {}))
            labels[label.name] = label.number
            if label.number not in versions:
                versions[label.number] = self._served(label)
        return {
            project: {
                name: ServedPrompt(labels=labels, versions=versions)
                for name, (labels, versions) in inner.items()
            }
            for project, inner in found.items()
        }

    def _served(self, label: Label) -> CompiledPrompt:
        try:
            version = self.version(label.project, Reference(label.prompt, number=label.number))
            return self.compile(version)
        except NoriaError as error:
            _log.error("Prompt %s@%d cannot be served: %s", label.prompt, label.number, error)
            return CompiledPrompt(
                project=label.project, name=label.prompt, number=label.number, digest=label.digest,
                messages=(), unusable=f"{label.prompt}@{label.number} cannot be served: {error}",
            )  # fmt: skip

    def _made(self, move: LabelMove, by: Principal, moves: Sequence[LabelMove]) -> Moved:
        """`moves` are those before; raises Conflict where somebody was faster."""
        made = self.store.move(move, after=moves[-1].sequence if moves else 0, by=by)
        return Moved(made, self._publish())

    def _approval(self, version: PromptVersion, label: str, reason: str, by: Principal) -> str:
        """Id of the approval that holds, "" where none is needed."""
        if not self.protection(label).approval:
            return ""
        subject = approval_subject(version.prompt, label, version.digest)
        # An approval is of one move: after a rollback the version is to be looked at again.
        used = {one.approval for one in self.store.moves(version.project, version.prompt, label)}
        approved = self._approvals.all(version.project, "approved")
        given = next(
            (one for one in approved if (one.act, one.subject) == (ACT, subject) and one.id not in used), None
        )
        if given is not None:
            return given.id
        waiting = [one for one in self._approvals.all(version.project, "open") if one.subject == subject]
        asked = next((one for one in waiting if one.act == ACT), None)
        if asked is None:
            details = {"prompt": version.prompt, "label": label, "version": version.number}
            asked = self._approvals.ask(
                version.project, act=ACT, subject=subject, reason=reason, details=details, by=by
            )
        raise Conflict(
            f"Moving the label {label!r} needs somebody else's approval; {asked.id} asks for it. Once it is "
            f"approved (`noria approval decide {asked.id} approve`), move the label again.",
            code="approval_needed",
            param="label",
        )

    def _reader(self) -> DatasetReader:
        if self.datasets is None:
            raise InvalidRequest(
                "Examples from a dataset cannot be had: datasets are not connected.", param="technique"
            )
        return self.datasets
