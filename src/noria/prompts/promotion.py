"""Whether a label may move: protected labels wait for their gates, and where configured for an approval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from noria.core.gate import GateResult
from noria.prompts.version import PromptVersion


class Protection(msgspec.Struct, frozen=True, kw_only=True):
    """What noria.toml asks of moves of a label."""

    gates: tuple[str, ...] = ()
    approval: bool = False


class GateSource(Protocol):
    """Looks at gates of a project for a version; runtime wires evaluations behind it."""

    def results(self, project: str, gates: Sequence[str], version: PromptVersion) -> Sequence[GateResult]:
        """One a gate, in order; a gate that there is not, or that has no evidence yet, is "undecided"."""
        ...


def looked_at(
    source: GateSource | None, protection: Protection, version: PromptVersion
) -> tuple[GateResult, ...]:
    """The gates' answers; without a source every gate is undecided, and says so."""
    if not protection.gates:
        return ()
    if source is None:
        reason = "No evaluation has answered for this gate: gates are not connected."
        return tuple(GateResult(gate=name, verdict="undecided", reason=reason) for name in protection.gates)
    found = {one.gate: one for one in source.results(version.project, protection.gates, version)}
    return tuple(
        found.get(name) or GateResult(gate=name, verdict="undecided", reason="The gate gave no answer.")
        for name in protection.gates
    )


def refusal(gates: Sequence[GateResult], label: str) -> str:
    """Why the gates hold the label back, as a sentence; "" where they let it through."""
    held = [one for one in gates if one.verdict != "pass"]
    if not held:
        return ""
    reasons = " ".join(f"{one.gate}: {one.verdict}. {one.reason.rstrip('.')}." for one in held)
    return f"The label {label!r} is protected and does not move until its gates pass. {reasons}"


def approval_subject(name: str, label: str, digest: str) -> str:
    """What an approval of a move is about: exactly this version under exactly this label."""
    return f"{name}@{label} = {digest}"
