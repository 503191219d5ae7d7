"""Signing in: sessions, one-time links, and the slowing down of whoever guesses."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from ipaddress import AddressValueError, IPv6Address

import msgspec

from noria.access import password as passwords
from noria.access.account import Account, new_link, normal_email, token_hash
from noria.access.audit import Act
from noria.access.role import EVERYWHERE, SYSTEM, Principal, Role
from noria.access.store import AccountStore, SessionStore
from noria.core.clock import Clock
from noria.core.ids import new_id
from noria.errors import Conflict, Forbidden, InvalidRequest, RateLimited, Unauthenticated

_TOUCH_MS = 60_000
_LONGEST_WAIT_S = 900.0
_PEERS = 10_000


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """As the [access] section of noria.toml says; times are seconds."""

    session: float = 43_200.0
    password: bool = True
    """Whether signing in with a password is possible."""
    shortest: int = 12
    """Characters of a password."""
    attempts: int = 10
    """Failures within `window` that cost nothing; then the wait doubles from 2 s to a quarter of an hour."""
    window: float = 900.0


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One browser's signed-in session; only its token's hash is kept."""

    hash: str
    account: str
    created_ms: int
    seen_ms: int
    expires_ms: int
    peer: str = ""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who an OpenID Connect provider says that somebody is."""

    issuer: str
    subject: str
    email: str
    verified: bool = False
    """Whether the provider says that the address has been proved."""
    name: str = ""
    roles: dict[str, Role] | None = None
    """As the provider's claims map to them; None: roles are given here."""


def network_of(peer: str) -> str:
    """The address whose failures count together: of IPv6 its /64, since one customer has that whole."""
    try:
        address = IPv6Address(peer)
    except AddressValueError:
        return peer
    return str(address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64))


def csrf_of(token: str, pepper: bytes) -> str:
    """What the page of a session has to send with everything that changes something."""
    return hmac.new(pepper, b"csrf:" + token.encode(), hashlib.sha256).hexdigest()


class Throttle:
    """Failures by name (an account or an address), forgotten after a quiet window. In memory: a restart
    forgives, which whoever guesses cannot bring about."""

    def __init__(self, clock: Clock, rules: Callable[[], Rules]) -> None:
        self._clock = clock
        self._rules = rules
        self._failures: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def begin(self, *names: str) -> None:
        """An attempt, which counts as failed until it has succeeded: many at once are many failures.

        Raises RateLimited while one of the names has to wait.
        """
        with self._lock:
            for name in names:
                self._check(name)
            for name in names:
                self._count(name)

    def succeeded(self, *names: str) -> None:
        """Forgive these."""
        with self._lock:
            for name in names:
                self._failures.pop(name, None)

    def _check(self, name: str) -> None:
        count, last = self._failures.get(name, (0, 0.0))
        over = count - self._rules().attempts
        if over < 0:
            return
        wait = min(2.0 ** min(over + 1, 10), _LONGEST_WAIT_S) - (self._now() - last)
        if wait > 0:
            raise RateLimited(
                f"Too many failed attempts; try again in {max(1, round(wait))} s.", retry_after=wait
            )

    def _count(self, name: str) -> None:
        now, window = self._now(), self._rules().window
        if len(self._failures) > _PEERS:
            self._failures = {n: (c, at) for n, (c, at) in self._failures.items() if now - at < window}
        count, last = self._failures.get(name, (0, 0.0))
        self._failures[name] = (count + 1 if now - last < window else 1, now)

    def _now(self) -> float:
        return self._clock.monotonic_ns() / 1e9


class SignIn:
    """Turns a password, a link or an identity into a session, and a session's token into a Principal."""

    def __init__(
        self,
        accounts: AccountStore,
        sessions: SessionStore,
        clock: Clock,
        *,
        rules: Callable[[], Rules] = Rules,
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._clock = clock
        self._rules = rules
        self._throttle = Throttle(clock, rules)

    def needs_setup(self) -> bool:
        """No account has been made yet."""
        return not self._accounts.any_account()

    def first_link(self) -> str:
        """The token of a link that makes the first account. Raises Conflict where there is one."""
        if not self.needs_setup():
            raise Conflict("There are accounts already; an administrator can invite you.")
        link, token = new_link(None, now_ms=self._now())
        self._accounts.add_link(link)
        return token

    def with_password(self, email: str, password: str, *, peer: str) -> tuple[str, Principal]:
        """(session token, who). Raises Unauthenticated, or RateLimited after several failures."""
        if not self._rules().password:
            raise Forbidden("Signing in with a password is switched off; use the provider.")
        email = email.strip().lower()
        names = (f"account {email}", f"peer {network_of(peer)}")
        self._throttle.begin(*names)
        account = self._accounts.account_by_email(email)
        right = passwords.matches(password, account.password if account else "")
        if not right or account is None or account.disabled:
            raise Unauthenticated("E-mail address or password is wrong.", code="wrong_password")
        self._throttle.succeeded(*names)
        return self._begin(account, peer=peer, method="password")

    def with_identity(self, identity: Identity, *, peer: str) -> tuple[str, Principal]:
        """Sign in as whom the provider vouches for. Makes the account where roles come with the identity;
        else it has to have been invited. Raises Forbidden."""
        mark = f"{identity.issuer} {identity.subject}"
        email = normal_email(identity.email)
        account = self._accounts.account_by_identity(mark)
        if account is None:
            account = self._accounts.account_by_email(email)
            if account is not None and account.method == "oidc" and account.identity:
                raise Forbidden(f"{email} belongs to another identity at the provider.")
            if account is not None and account.password and not identity.verified:
                raise Forbidden(
                    f"{email} has a password here and the provider does not vouch for the address; sign in "
                    "with the password."
                )
        known = account is not None
        if account is None:
            if not identity.roles:
                raise Forbidden(f"{email} has no account here; ask an administrator for an invitation.")
            account = Account(id=new_id("acc"), email=email, created_ms=self._now())
        changed = msgspec.structs.replace(
            account,
            method="oidc",
            password="",
            identity=mark,
            name=account.name or identity.name,
            roles=account.roles if identity.roles is None else identity.roles,
        )
        if changed.disabled or not changed.roles:
            raise Forbidden(f"The account of {email} may not sign in; ask an administrator.")
        if changed != account or not known:
            who = changed.principal()
            details = {"email": email, "issuer": identity.issuer, "roles": changed.roles}
            act = Act(by=who, act="account.identify", subject=changed.id, details=details)
            if known:
                self._accounts.save_account(changed, act, end_sessions=False)
            else:
                self._accounts.add_account(changed, act)
        return self._begin(changed, peer=peer, method="oidc")

    def redeem(
        self, token: str, *, email: str | None, name: str, password: str, peer: str
    ) -> tuple[str, Principal]:
        """Use a one-time link: make the first account, or set the password of the link's account."""
        guessing = f"link {network_of(peer)}"
        self._throttle.begin(guessing)
        link = self._accounts.link(token_hash(token))
        now = self._now()
        if link is None or link.expires_ms <= now or (link.account is None and not self.needs_setup()):
            raise Forbidden("This link has been used or has expired; ask for a new one.", code="link_spent")
        self._throttle.succeeded(guessing)
        if link.account is None:
            if email is None:
                raise InvalidRequest("The first account needs an e-mail address.", param="email")
            old = Account(
                id=new_id("acc"), email=normal_email(email), roles={EVERYWHERE: "admin"}, created_ms=now
            )
        else:
            found = self._accounts.account(link.account)
            if found is None or found.disabled:
                raise Forbidden("The account of this link may not sign in.", code="link_spent")
            old = found
        passwords.check_new(password, email=old.email, shortest=self._rules().shortest)
        account = msgspec.structs.replace(
            old, name=name or old.name, password=passwords.hash_password(password), method="password"
        )
        act = Act(
            by=SYSTEM if link.account is None else account.principal(),
            act="account.first" if link.account is None else "account.password",
            subject=account.id,
            details={"email": account.email},
        )
        if not self._accounts.redeem(link, account, act):
            raise Forbidden("This link has been used meanwhile; ask for a new one.", code="link_spent")
        return self._begin(account, peer=peer, method="link")

    def change_password(self, who: Principal, *, old: str, new: str, token: str = "") -> None:
        """One's own; ends the account's other sessions."""
        account = self._accounts.account(who.id)
        if account is None or account.method != "password":
            raise InvalidRequest("Only an account with a password can change it.")
        self._throttle.begin(f"account {account.email}")
        if not passwords.matches(old, account.password):
            raise Forbidden("The old password is wrong.", code="wrong_password")
        self._throttle.succeeded(f"account {account.email}")
        passwords.check_new(new, email=account.email, shortest=self._rules().shortest)
        changed = msgspec.structs.replace(account, password=passwords.hash_password(new))
        act = Act(by=who, act="account.password", subject=account.id)
        keep = token_hash(token) if token else ""
        self._accounts.save_account(changed, act, end_sessions=True, keep=keep)

    def resolve(self, token: str) -> Principal | None:
        """Who has the session of this token; None: unknown, expired, or disabled."""
        found = self._sessions.session(token_hash(token))
        if found is None:
            return None
        session, account = found
        now = self._now()
        if account.disabled or now >= session.expires_ms:
            return None
        if now - session.seen_ms >= _TOUCH_MS:
            self._sessions.touch_session(session, now_ms=now)
        return account.principal()

    def sign_out(self, token: str, who: Principal) -> None:
        self._sessions.end_session(token_hash(token), Act(by=who, act="session.end", subject=who.id))

    def _begin(self, account: Account, *, peer: str, method: str) -> tuple[str, Principal]:
        token = secrets.token_urlsafe(32)
        now = self._now()
        session = Session(
            hash=token_hash(token),
            account=account.id,
            created_ms=now,
            seen_ms=now,
            expires_ms=now + int(self._rules().session * 1000),
            peer=peer,
        )
        who = account.principal()
        details = {"method": method, "peer": peer}
        self._sessions.add_session(session, Act(by=who, act="session.begin", subject=who.id, details=details))
        return token, who

    def _now(self) -> int:
        return self._clock.now_ns() // 1_000_000
