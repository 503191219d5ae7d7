"""What access needs of a store. A method that changes something writes the act's AuditEvent in the same
transaction; a store decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from noria.access.audit import Act, AuditEvent, Verdict
from noria.core.pages import Page

if TYPE_CHECKING:
    from noria.access.account import Account, Link
    from noria.access.approval import Approval
    from noria.access.keyring import KeyRecord
    from noria.access.session import Session


class AccountStore(Protocol):
    """Accounts and links."""

    def accounts(self) -> list[Account]: ...

    def any_account(self) -> bool: ...

    def account(self, id: str) -> Account | None: ...

    def account_by_email(self, email: str) -> Account | None: ...

    def account_by_identity(self, identity: str) -> Account | None: ...

    def add_account(self, account: Account, act: Act, *, link: Link | None = None) -> None: ...

    def save_account(self, account: Account, act: Act, *, end_sessions: bool, keep: str = "") -> None:
        """`keep` is the hash of a session that goes on."""
        ...

    def add_link(self, link: Link) -> None: ...

    def replace_link(self, link: Link, act: Act) -> None:
        """Instead of all earlier links of the account."""
        ...

    def link(self, hash: str) -> Link | None: ...

    def redeem(self, link: Link, account: Account, act: Act) -> bool:
        """Write `account` (new or changed), end its sessions, delete the link and, where it made the first
        account, all such links. False, and nothing written: the link has been used meanwhile."""
        ...


class SessionStore(Protocol):
    """Sessions of signed-in accounts."""

    def add_session(self, session: Session, act: Act) -> None: ...

    def session(self, hash: str) -> tuple[Session, Account] | None: ...

    def touch_session(self, session: Session, *, now_ms: int) -> None: ...

    def end_session(self, hash: str, act: Act) -> None: ...

    def drop_expired(self, *, now_ms: int) -> None: ...


class KeyStore(Protocol):
    """Virtual keys."""

    def keys(self, project: str | None) -> list[KeyRecord]:
        """Newest first, revoked ones included; None: of all projects."""
        ...

    def key(self, id: str) -> KeyRecord | None: ...

    def add_key(self, record: KeyRecord, act: Act) -> None: ...

    def save_key(self, record: KeyRecord, act: Act) -> None: ...


class ApprovalStore(Protocol):
    """Approvals."""

    def approvals(self, project: str, *, limit: int) -> list[Approval]:
        """Newest first."""
        ...

    def approval(self, project: str, id: str) -> Approval | None: ...

    def add_approval(self, approval: Approval, act: Act) -> None: ...

    def decide_approval(self, approval: Approval, act: Act) -> bool:
        """False, and nothing written: it is no longer open."""
        ...


class AuditReader(Protocol):
    """Reads the log."""

    def page(
        self,
        *,
        act: str = "",
        actor: str = "",
        subject: str = "",
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[AuditEvent]: ...

    def verify(self) -> Verdict: ...
