"""Approval: somebody asks before an act, somebody else decides, or time does."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from noria.access.audit import Act
from noria.access.role import Principal
from noria.access.store import ApprovalStore
from noria.core.clock import Clock
from noria.core.ids import new_id
from noria.errors import Conflict, Forbidden, NotFound

State = Literal["open", "approved", "rejected", "expired", "withdrawn"]
Decision = Literal["approve", "reject", "withdraw"]
_STATES: dict[Decision, State] = {"approve": "approved", "reject": "rejected", "withdraw": "withdrawn"}


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """One question and its answer."""

    id: str
    project: str
    act: str
    """What is to be done, such as "config.apply"."""
    subject: str
    """On what; an approval holds for exactly this."""
    reason: str = ""
    details: dict[str, Any] = {}
    state: State = "open"
    asked_by: str
    asked_by_name: str
    created_ms: int
    expires_ms: int
    decided_by: str = ""
    decided_by_name: str = ""
    decided_ms: int = 0
    comment: str = ""

    def at(self, now_ms: int) -> Approval:
        """As it stands now: an open one expires by itself, and so does an approval that was not used."""
        if self.state in ("open", "approved") and now_ms >= self.expires_ms:
            return msgspec.structs.replace(self, state="expired")
        return self


class Approvals:
    """Ask and decide."""

    def __init__(self, store: ApprovalStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def all(self, project: str, state: State | None = None) -> list[Approval]:
        """Newest first, among the newest 200."""
        now = self._now()
        found = [item.at(now) for item in self._store.approvals(project, limit=200)]
        return [item for item in found if state is None or item.state == state]

    def ask(
        self,
        project: str,
        *,
        act: str,
        subject: str,
        reason: str = "",
        details: dict[str, Any] | None = None,
        expires_s: int = 604_800,
        by: Principal,
    ) -> Approval:
        now = self._now()
        approval = Approval(
            id=new_id("apr"),
            project=project,
            act=act,
            subject=subject,
            reason=reason,
            details=details or {},
            asked_by=by.id,
            asked_by_name=by.name,
            created_ms=now,
            expires_ms=now + expires_s * 1000,
        )
        told = {"act": act, "subject": subject, "reason": reason}
        self._store.add_approval(
            approval, Act(by=by, act="approval.ask", subject=approval.id, project=project, details=told)
        )
        return approval

    def decide(
        self, project: str, id: str, decision: Decision, *, comment: str = "", by: Principal
    ) -> Approval:
        """Nobody approves what they asked for themselves; only whoever asked can withdraw."""
        found = self._store.approval(project, id)
        if found is None:
            raise NotFound(f"There is no approval {id} in project {project!r}.")
        now = self._now()
        state = found.at(now).state
        if state != "open":
            raise Conflict(f"This approval is {state} and can no longer be decided.")
        own = found.asked_by == by.id
        if decision == "withdraw" and not own:
            raise Forbidden("Only whoever asked can withdraw an approval; reject it instead.")
        if decision != "withdraw" and own:
            raise Forbidden("Somebody else has to decide what you have asked for.")
        if decision != "withdraw" and not by.may("admin", project):
            raise Forbidden(f"Deciding needs the role admin in project {project!r}.")
        decided = msgspec.structs.replace(
            found,
            state=_STATES[decision],
            decided_by=by.id,
            decided_by_name=by.name,
            decided_ms=now,
            comment=comment,
        )
        told = {"act": found.act, "subject": found.subject, "comment": comment}
        act = Act(by=by, act=f"approval.{decision}", subject=id, project=project, details=told)
        if not self._store.decide_approval(decided, act):
            raise Conflict("This approval has been decided meanwhile.")
        return decided

    def given(self, project: str, *, act: str, subject: str) -> Approval | None:
        """An approval that holds now for exactly this act on this subject."""
        for item in self.all(project, "approved"):
            if item.act == act and item.subject == subject:
                return item
        return None

    def _now(self) -> int:
        return self._clock.now_ns() // 1_000_000
