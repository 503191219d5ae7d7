"""People's accounts: invited or made by the first link, changed by administrators."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Literal

import msgspec

from noria.access.audit import Act
from noria.access.role import EVERYWHERE, Principal, Role
from noria.access.store import AccountStore
from noria.core.clock import Clock
from noria.core.ids import new_id
from noria.errors import Conflict, InvalidRequest, NotFound

LINK_S = 7 * 86_400
"""For how long a one-time link works."""
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may sign in."""

    id: str
    email: str
    """Lower case; unique."""
    name: str = ""
    method: Literal["password", "oidc"] = "password"
    password: str = ""
    """scrypt hash; "": none has been set."""
    identity: str | None = None
    """`issuer subject` at the OpenID Connect provider."""
    roles: dict[str, Role] = {}
    disabled: bool = False
    created_ms: int = 0
    last_seen_ms: int = 0

    @property
    def invited(self) -> bool:
        """Has not yet opened its link."""
        return self.method == "password" and not self.password

    def principal(self) -> Principal:
        return Principal(
            id=self.id, name=self.name or self.email, kind="account", roles=self.roles, email=self.email
        )


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time link; only its token's hash is kept."""

    hash: str
    account: str | None
    """None: makes the first account."""
    created_ms: int
    expires_ms: int


def new_link(account: str | None, *, now_ms: int) -> tuple[Link, str]:
    """(link, token); the token is shown once."""
    token = secrets.token_urlsafe(32)
    link = Link(hash=token_hash(token), account=account, created_ms=now_ms, expires_ms=now_ms + LINK_S * 1000)
    return link, token


def token_hash(token: str) -> str:
    """Of a session's or link's token, which has 256 random bits and so needs no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def normal_email(text: str) -> str:
    """Lower case, or InvalidRequest."""
    email = text.strip().lower()
    if not _EMAIL.fullmatch(email):
        raise InvalidRequest(f"{text!r} is not an e-mail address.", param="email")
    return email


class Accounts:
    """What administrators do with accounts."""

    def __init__(self, store: AccountStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def all(self) -> list[Account]:
        """Oldest first."""
        return self._store.accounts()

    def invite(self, email: str, *, name: str, roles: dict[str, Role], by: Principal) -> tuple[Account, str]:
        """A new account and the token of its link."""
        email = normal_email(email)
        if self._store.account_by_email(email):
            raise Conflict(f"There is an account for {email} already.", param="email")
        now = self._now()
        account = Account(id=new_id("acc"), email=email, name=name, roles=roles, created_ms=now)
        link, token = new_link(account.id, now_ms=now)
        act = Act(by=by, act="account.invite", subject=account.id, details={"email": email, "roles": roles})
        self._store.add_account(account, act, link=link)
        return account, token

    def link(self, id: str, *, by: Principal) -> tuple[Account, str]:
        """A new one-time link to set a password; earlier ones stop working."""
        account = self._get(id)
        if account.method != "password":
            raise InvalidRequest(f"{account.email} signs in through the OpenID Connect provider.")
        link, token = new_link(account.id, now_ms=self._now())
        self._store.replace_link(link, Act(by=by, act="account.link", subject=account.id))
        return account, token

    def change(
        self,
        id: str,
        *,
        name: str | None = None,
        roles: dict[str, Role] | None = None,
        disabled: bool | None = None,
        by: Principal,
    ) -> Account:
        """Takes effect at the account's next request; disabling ends its sessions."""
        old = self._get(id)
        new = msgspec.structs.replace(
            old,
            name=old.name if name is None else name,
            roles=old.roles if roles is None else roles,
            disabled=old.disabled if disabled is None else disabled,
        )
        if _owner(old) and not _owner(new) and not any(_owner(a) for a in self.all() if a.id != id):
            raise Conflict("This is the only administrator of the installation; make another one first.")
        changed = {
            field: getattr(new, field)
            for field in ("name", "roles", "disabled")
            if getattr(new, field) != getattr(old, field)
        }
        if changed:
            act = Act(by=by, act="account.change", subject=id, details=changed)
            self._store.save_account(new, act, end_sessions=new.disabled)
        return new

    def _get(self, id: str) -> Account:
        account = self._store.account(id)
        if account is None:
            raise NotFound(f"There is no account {id}.")
        return account

    def _now(self) -> int:
        return self._clock.now_ns() // 1_000_000


def _owner(account: Account) -> bool:
    return account.roles.get(EVERYWHERE) == "admin" and not account.disabled and not account.invited
