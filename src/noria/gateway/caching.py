"""The exact cache around a call: what it is looked up by, and when it may be read and written."""

from __future__ import annotations

from decimal import Decimal
from time import time, time_ns

from noria.gateway.call import CallState
from noria.gateway.exact_cache import Entry, ExactCache, cache_key


def key_of(call: CallState) -> bytes:
    """The key of the call, or b"" where it must not be kept; the verdict so far goes into the call."""
    if call.route.route.cache.ttl <= 0 or call.below:
        return b""
    if call.context.cache == "no-store":
        call.cache = "bypass"
        return b""
    call.cache = "bypass" if call.context.cache == "no-cache" else "miss"
    return cache_key(
        call.fields,
        tenant=f"{call.key.project}\0{call.key.id}",
        dialect=call.front.name,
        route=call.route.name,
        config=call.world.digest,
    )


async def found(cache: ExactCache, call: CallState, key: bytes) -> bytes | None:
    """The whole answer (of a streamed call its frames) where the cache has it; then the call is answered."""
    if not key or call.cache != "miss":
        return None
    entry = await cache.get(key)
    if entry is None:
        return None
    call.cache = "hit"
    call.target = entry.target
    call.usage = entry.usage
    call.cost = Decimal(0)
    call.status = 200
    call.stop_reason = entry.stop_reason
    call.first_token = time_ns()
    if entry.cost is not None:
        call.warnings.append(f"the cache saved {entry.cost} dollars")
    if call.captured:
        call.response = [entry.body]
    return entry.body


async def keep(cache: ExactCache, call: CallState, key: bytes, body: bytes) -> None:
    """Put a whole answer into the cache, unless it is too long for the route's rule."""
    rule = call.route.route.cache
    if len(body) > rule.max_bytes:
        return
    entry = Entry(
        body=body,
        target=call.target,
        usage=call.usage,
        cost=None if call.cost is None else str(call.cost),
        stop_reason=call.stop_reason,
        created=int(time()),
    )
    await cache.put(key, entry, ttl=rule.ttl)
