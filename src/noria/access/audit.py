"""AuditEvent: who did what, in a log that only grows and in which each event holds the hash of the last.

An act and its event are written in one transaction, so that neither exists without the other. The chain
shows any change of an event that has a successor; a cut-off end shows only against a head kept elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from noria.core.author import Author

GENESIS = "0" * 64
"""`previous` of the first event."""


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What a store is given to record beside what it writes."""

    by: Author
    act: str
    """`noun.verb`, such as "key.revoke"."""
    subject: str
    project: str = ""
    """Empty: about the whole installation."""
    details: dict[str, Any] = {}
    """JSON; never a secret."""


class AuditEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One act as recorded."""

    number: int
    """1, 2, 3, … without a gap."""
    id: str
    at_ms: int
    actor: str
    actor_name: str
    act: str
    subject: str
    project: str
    details: dict[str, Any]
    previous: str
    hash: str = ""


class Verdict(msgspec.Struct, frozen=True):
    """The outcome of checking a chain."""

    events: int
    head: str
    broken_at: int | None
    """Number of the first event that does not follow from the one before."""


_canonical = msgspec.json.Encoder(order="deterministic").encode


def record(act: Act, *, number: int, previous: str, id: str, at_ms: int) -> AuditEvent:
    """The event of an act, next in the chain after `previous`."""
    event = AuditEvent(
        number=number,
        id=id,
        at_ms=at_ms,
        actor=act.by.id,
        actor_name=act.by.name,
        act=act.act,
        subject=act.subject,
        project=act.project,
        # As it will be read back: what JSON cannot tell apart must not be hashed apart.
        details=msgspec.json.decode(_canonical(act.details)),
        previous=previous,
    )
    return msgspec.structs.replace(event, hash=hash_of(event))


def hash_of(event: AuditEvent) -> str:
    """SHA-256, in hex, over the event's canonical JSON without its own hash."""
    bare = msgspec.structs.replace(event, hash="")
    return hashlib.sha256(_canonical(bare)).hexdigest()


def verify(events: Iterable[AuditEvent]) -> Verdict:
    """Follow the whole chain from its first event."""
    count, head = 0, GENESIS
    broken: int | None = None
    for event in events:
        count += 1
        fits = event.number == count and event.previous == head and event.hash == hash_of(event)
        if not fits and broken is None:
            broken = event.number
        head = event.hash
    return Verdict(count, head, broken)
