"""What administrators do with virtual keys. Every change is served before it is reported as done."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from noria.access.audit import Act
from noria.access.key import Key, RateLimit, hash_token, new_token
from noria.access.role import EVERYWHERE, Principal, role_named
from noria.access.store import KeyStore
from noria.core.clock import Clock
from noria.core.ids import new_id
from noria.errors import Conflict, Forbidden, InvalidRequest, NotFound

Publish = Callable[[], list[int]]
"""Makes workers serve what the store holds; numbers of the workers that had not confirmed in time."""


class KeyDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What is chosen of a key; see `Key`."""

    name: str
    team: str = ""
    user: str = ""
    role: str = "caller"
    routes: tuple[str, ...] = ()
    expires_at: int = 0
    tags: dict[str, str] = {}
    limits: tuple[RateLimit, ...] = ()
    budgets: tuple[str, ...] = ()
    capture: str | None = None


class KeyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A key and its history. Times are Unix milliseconds, 0: not."""

    key: Key
    created_ms: int
    created_by: str
    revoked_ms: int = 0
    rotated_ms: int = 0


class Keyring:
    """Creates, changes, rotates and revokes."""

    def __init__(
        self,
        store: KeyStore,
        clock: Clock,
        *,
        pepper: bytes,
        publish: Publish,
        budgets: Callable[[], set[str]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._pepper = pepper
        self._publish = publish
        self._budgets = budgets

    def all(self, project: str) -> list[KeyRecord]:
        """Newest first, revoked ones included."""
        return self._store.keys(project)

    def create(self, project: str, draft: KeyDraft, *, by: Principal) -> tuple[KeyRecord, str, list[int]]:
        """(record, token, workers that lag); the token is shown once."""
        self._check(project, msgspec.structs.asdict(draft), by=by)
        if project == EVERYWHERE and draft.role == "caller":
            raise InvalidRequest("A key that calls models belongs to one project; name it.", param="project")
        token, lookup = new_token()
        key = Key(
            id=new_id("key"),
            lookup=lookup,
            hash=hash_token(token.encode(), self._pepper),
            project=project,
            **msgspec.structs.asdict(draft),
        )
        record = KeyRecord(key=key, created_ms=self._now(), created_by=by.name)
        self._store.add_key(record, self._act("key.create", key, by, _shown(draft)))
        return record, token, self._publish()

    def change(
        self, project: str, id: str, changes: Mapping[str, object], *, by: Principal
    ) -> tuple[KeyRecord, list[int]]:
        """`changes` are fields of KeyDraft by name."""
        old = self._active(project, id)
        self._check(project, changes, by=by)
        if old.key.role != "caller":
            self._rank(project, old.key.role, by)
        record = msgspec.structs.replace(old, key=msgspec.structs.replace(old.key, **changes))
        self._store.save_key(record, self._act("key.change", record.key, by, _json(changes)))
        return record, self._publish()

    def rotate(
        self, project: str, id: str, *, overlap_s: int, by: Principal
    ) -> tuple[KeyRecord, str, list[int]]:
        """A new token under the same lookup; the old one is honoured for `overlap_s` seconds."""
        old = self._active(project, id)
        if old.key.role != "caller":
            self._rank(project, old.key.role, by)
        fresh, _ = new_token()
        token = fresh[:3] + old.key.lookup + fresh[15:]
        now = self._now()
        key = msgspec.structs.replace(
            old.key,
            hash=hash_token(token.encode(), self._pepper),
            previous_hash=old.key.hash if overlap_s else b"",
            previous_until=now // 1000 + overlap_s if overlap_s else 0,
        )
        record = msgspec.structs.replace(old, key=key, rotated_ms=now)
        self._store.save_key(record, self._act("key.rotate", key, by, {"overlap_s": overlap_s}))
        return record, token, self._publish()

    def revoke(self, project: str, id: str, *, by: Principal) -> tuple[KeyRecord, list[int]]:
        """Refused by every worker from then on; revoking twice is one revocation."""
        old = self._get(project, id)
        if old.revoked_ms:
            return old, self._publish()
        record = msgspec.structs.replace(old, revoked_ms=self._now())
        self._store.save_key(record, self._act("key.revoke", old.key, by, {"name": old.key.name}))
        return record, self._publish()

    def _check(self, project: str, fields: Mapping[str, object], *, by: Principal) -> None:
        role = fields.get("role")
        if isinstance(role, str) and role != "caller":
            self._rank(project, role, by)
        expires = fields.get("expires_at")
        if isinstance(expires, int) and expires and expires <= self._now() // 1000:
            raise InvalidRequest("The key would have expired already.", param="expires_ms")
        names = fields.get("budgets")
        if isinstance(names, tuple) and (missing := [name for name in names if name not in self._budgets()]):
            raise InvalidRequest(f"There is no budget {missing[0]!r}.", param="budgets")

    def _rank(self, project: str, role: str, by: Principal) -> None:
        """Nobody hands out, or takes over, more than they have."""
        known = role_named(role)
        if known is None:
            raise InvalidRequest(f"There is no role {role!r}.", param="role")
        if not by.may(known, project):
            raise Forbidden(f"You have less than the role {role} in project {project!r}.", param="role")

    def _get(self, project: str, id: str) -> KeyRecord:
        record = self._store.key(id)
        if record is None or record.key.project != project:
            raise NotFound(f"There is no key {id} in project {project!r}.")
        return record

    def _active(self, project: str, id: str) -> KeyRecord:
        record = self._get(project, id)
        if record.revoked_ms:
            raise Conflict("This key has been revoked; make a new one.")
        return record

    def _act(self, act: str, key: Key, by: Principal, details: dict[str, object]) -> Act:
        return Act(by=by, act=act, subject=key.id, project=key.project, details=details)

    def _now(self) -> int:
        return self._clock.now_ns() // 1_000_000


def _shown(draft: KeyDraft) -> dict[str, object]:
    default = KeyDraft(name="")
    return _json(
        {
            name: value
            for name, value in msgspec.structs.asdict(draft).items()
            if value != getattr(default, name)
        }
    )


def _json(fields: Mapping[str, object]) -> dict[str, object]:
    return msgspec.to_builtins(dict(fields))
