"""A call that is paid for once: asked again under its key, it is answered with its first whole answer.

    x-noria-idempotency-key: run_17/example-5/0

Such a call goes on when its caller hangs up, since somebody is expected to ask again; while it is under way
in any worker, whoever asks again waits for it. Its answer is kept with the stored responses for a week. What
is not kept: failures, so that they can be tried again, and a call whose worker died in the middle of it, of
which nobody can know whether the upstream has charged it.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic

import msgspec

from noria.core.digest import digest
from noria.errors import Conflict, InvalidRequest, RateLimited
from noria.gateway.admission import POLL, place_of
from noria.gateway.call import CallState
from noria.gateway.ports import Money
from noria.tracing.record import KEPT_ANSWER, Stored

HEADER = b"x-noria-idempotency-key"
LONGEST = 256
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

Find = Callable[[str, str], Awaitable[Stored | None]]
"""(project, id): the answer that was kept. Raises Unavailable where that cannot be known now."""


class Named:
    """One call under its key."""

    __slots__ = ("digest", "id", "place")

    def __init__(self, call: CallState, key: bytes) -> None:
        """Raises InvalidRequest for a key that is too long, and a call that cannot have one."""
        if len(key) > LONGEST:
            raise InvalidRequest(f"An idempotency key has at most {LONGEST} characters; send a shorter one.")
        if call.stream or call.below:
            raise InvalidRequest(
                "A call with an idempotency key is answered whole; leave `stream` out, or the key."
            )
        name = f"{call.key.project}\0{call.key.id}\0{key.decode('latin-1')}"
        self.id = f"{KEPT_ANSWER}_{hashlib.sha256(name.encode()).hexdigest()}"
        self.place = place_of("idempotency", name)
        self.digest = digest([call.front.name, msgspec.json.decode(call.body)])

    def answer(self, call: CallState, body: bytes, *, at: int) -> Stored:
        """The record of the call's answer."""
        receipt = {"digest": self.digest, "target": call.target, "attempts": str(call.tries)}
        if call.cost is not None:
            receipt["cost"] = format(call.cost, "f")
        return Stored(
            id=self.id,
            kind=KEPT_ANSWER,
            project=call.key.project,
            key=call.key.id,
            at=at,
            body=body,
            model=call.model,
            trace=call.trace,
            metadata=receipt,
        )


class Once:
    """Lets a call with a key through once, in whatever worker."""

    def __init__(self, money: Money, *, find: Find) -> None:
        self._money = money
        self._find = find
        self._going_on: set[asyncio.Task[None]] = set()

    async def to_its_end(self, work: Awaitable[None]) -> None:
        """Do `work`, and go on with it when the caller hangs up."""
        task = asyncio.ensure_future(work)
        assert isinstance(task, asyncio.Task), "a coroutine becomes a task"
        self._going_on.add(task)
        task.add_done_callback(self._going_on.discard)
        await asyncio.shield(task)

    async def finish(self, seconds: float) -> None:
        """Wait for the calls whose callers have hung up."""
        if self._going_on:
            await asyncio.wait(self._going_on, timeout=seconds)

    @asynccontextmanager
    async def turn(self, call: CallState, named: Named) -> AsyncGenerator[Stored | None]:
        """The kept answer; None: the call is to be made within. Raises RateLimited, Conflict, Unavailable."""
        until = monotonic() + (call.route.route.timeouts.total or 600.0)
        while not self._money.acquire(named.place, 1):
            if monotonic() >= until:
                raise RateLimited(
                    "A call with this idempotency key is still under way; ask again shortly.",
                    code="concurrency",
                    retry_after=1.0,
                )
            await asyncio.sleep(POLL)
        try:
            kept = await self._find(call.key.project, named.id)
            if kept is not None and kept.metadata.get("digest") != named.digest:
                raise Conflict(
                    "Another request was made with this idempotency key; give each request a key of its own."
                )
            yield kept
        finally:
            self._money.release(named.place)


def repeated(kept: Stored) -> bytes:
    """Header lines of a repeated answer: those of the first."""
    trace, said = kept.trace.hex().encode(), kept.metadata
    target = _CONTROL.sub("", said.get("target", "")).encode("latin-1", "replace")
    cost = b"x-noria-cost: %s\r\n" % said["cost"].encode() if "cost" in said else b""
    return (
        b"content-type: application/json\r\nx-request-id: %s\r\nrequest-id: %s\r\nx-noria-trace-id: %s\r\n"
        b"x-noria-target: %s\r\nx-noria-attempts: %s\r\nx-noria-cache: hit\r\n%s"
        % (trace, trace, trace, target, said.get("attempts", "1").encode(), cost)
    )
