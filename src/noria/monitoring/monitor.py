"""A Monitor: which calls are looked at, what judges them, and the rules over what is measured."""

from __future__ import annotations

import hashlib
from decimal import Decimal

import msgspec

from noria.core.digest import digest
from noria.monitoring.rule import Rule
from noria.scoring.scorer import ScorerSpec
from noria.tracing.filters import Filter, Term, parse

OWN_TEAM = "noria.monitors"
"""The team of the calls that monitors themselves make. No monitor looks at those."""
OWN_TAG = "monitor"
"""The tag that names the monitor on such a call."""
NOT_OWN = Term("team", ":", (OWN_TEAM,), negated=True)

_EXPECTS = (
    "exact", "token_f1", "numeric", "bleu", "chrf", "ter", "rouge", "meteor", "edit_distance", "wer",
    "similarity", "bertscore", "choice", "code", "judge.reference", "judge.pairwise", "bias.crows_pairs",
    "bias.bbq", "bias.groups",
)  # fmt: skip
_RETRIEVES = ("judge.faithfulness", "judge.context_precision", "judge.context_recall", "hallucination")
_UNLESS = {"contains": "values", "json_schema": "schema"}
"""Types that need no example where this argument is given."""


class Monitor(msgspec.Struct, frozen=True, kw_only=True):
    """As configured, names resolved; rebuilt from what is recorded with it."""

    project: str
    name: str
    filter: str = ""
    share: float = 1.0
    scorers: tuple[ScorerSpec, ...] = ()
    most_per_minute: int = 60
    """Calls that are judged by models; those over it are not."""
    budget: Decimal | None = None
    """US dollars of 24 hours for judges."""
    rules: tuple[Rule, ...] = ()
    channels: tuple[str, ...] = ()

    @property
    def terms(self) -> Filter:
        """Its filter, without what monitors call themselves."""
        return Filter((*parse(self.filter).terms, NOT_OWN))

    @property
    def digest(self) -> str:
        """Of what decides which scores there are."""
        return digest((self.filter, self.share, self.scorers, self.most_per_minute, self.budget))

    def rule(self, name: str) -> Rule | None:
        return next((rule for rule in self.rules if rule.name == name), None)


def sampled(trace: bytes, share: float) -> bool:
    """Whether a trace is in a sample: always the same answer; smaller samples are part of larger ones."""
    drawn = int.from_bytes(hashlib.sha256(b"noria sample\x00" + trace).digest()[:8], "big")
    return drawn < share * 2**64


def unfit(spec: ScorerSpec) -> str:
    """Why a live call cannot be judged by this scorer, as the end of a sentence; "": it can."""
    unless = _UNLESS.get(spec.type)
    if spec.type in _EXPECTS or (spec.type == "regex" and spec.arguments.get("group") is not None):
        return "compares with an expected answer, and a live call has none"
    if unless is not None and not spec.arguments.get(unless):
        return f"needs its argument `{unless}` here, since a live call has no example to take it from"
    if spec.type in _RETRIEVES:
        return "needs the retrieved context, which a recorded call does not carry"
    if spec.type == "refusal" and spec.arguments.get("should"):
        return "reads from an example whether to decline, and a live call has none"
    return ""
