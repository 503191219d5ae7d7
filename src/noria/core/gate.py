"""What a Gate says: the one answer that labels, releases and CI wait for."""

from __future__ import annotations

from typing import Literal

import msgspec

Verdict = Literal["pass", "fail", "undecided"]
"""undecided: the evidence does not settle it, or cannot be used (a judge below its bar, failed scores)."""


class GateResult(msgspec.Struct, frozen=True, kw_only=True):
    """One condition, looked at. Only "pass" lets anything through."""

    gate: str
    verdict: Verdict
    reason: str
    """One sentence with the numbers that decided."""
    evidence: dict[str, str] = {}
    """What it was decided on, by kind: {"run": "run_…", "baseline": "run_…"}."""
