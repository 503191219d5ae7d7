"""What a caller is told beside the answer itself: headers, errors, the list of models."""

from __future__ import annotations

import math
import re
from urllib.parse import unquote

from noria.access.key import Key
from noria.errors import RequestError, UpstreamError, UpstreamFailed, UpstreamTimeout
from noria.gateway.address import no_model
from noria.gateway.ask import encode
from noria.gateway.call import CallState
from noria.gateway.compiled import World
from noria.gateway.exchange import Exchange
from noria.gateway.prompting import callable_prompts

MODELS = b"/v1/models/"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
JSON = b"content-type: application/json\r\n"
EVENTS = (
    b"content-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\nx-accel-buffering: no\r\n"
)


def call_headers(call: CallState, kind: bytes, more: bytes) -> bytes:
    """Whole header lines: trace id, target, attempts, cache verdict and, once known, the cost."""
    trace = call.trace.hex().encode()
    made = call.prompted
    if made is not None:
        label = f"; label={made.label}" if made.label else ""
        said = f"x-noria-prompt: {made.name}@{made.number}{label}; digest={made.digest}\r\n"
        more += _CONTROL.sub("", said[:-2]).encode("latin-1", "replace") + b"\r\n"
    cost = b"" if call.cost is None else b"x-noria-cost: %s\r\n" % format(call.cost, "f").encode()
    return (
        b"%sx-request-id: %s\r\nrequest-id: %s\r\nx-noria-trace-id: %s\r\nx-noria-target: %s\r\n"
        b"x-noria-attempts: %d\r\nx-noria-cache: %s\r\n%s%s"
        % (kind, trace, trace, trace, call.target.encode("latin-1", "replace"), call.tries,
           call.cache.encode(), cost, more)
    )  # fmt: skip


def error_headers(error: RequestError) -> bytes:
    """Retry-After, where waiting helps, and whether an SDK should try again at all."""
    retry = b"" if error.retry_after is None else b"retry-after: %d\r\n" % math.ceil(error.retry_after)
    again = b"true" if error.retry_after is not None or error.status in (502, 503, 504) else b"false"
    return b"%sx-should-retry: %s\r\n" % (retry, again)


def refusal(error: UpstreamError, *, attempts: int) -> RequestError:
    """What the caller is told when the last attempt has failed."""
    tried = "" if attempts < 2 else f" ({attempts} attempts)"
    if error.kind == "timeout":
        return UpstreamTimeout(error.message + tried)
    found = UpstreamFailed(error.message + tried, retry_after=error.retry_after)
    if error.kind == "rate_limited":
        found.status, found.code = 429, "upstream_rate_limited"
        found.retry_after = error.retry_after if error.retry_after is not None else 1.0
    elif error.kind in ("invalid", "refused"):
        found.status = error.status if 400 <= error.status < 500 else 400
        found.code = "upstream_refused" if error.kind == "refused" else "invalid_request"
    elif error.kind == "not_found":
        found.status, found.code = 404, "upstream_not_found"
    return found


def models(world: World, key: Key, exchange: Exchange) -> bytes:
    """What the key may call, routes and prompts, or one of them, in the form of OpenAI or Anthropic.

    Raises NotFound.
    """
    anthropic = b"anthropic-version" in exchange.headers
    called = _callable(world, key)
    name = unquote(exchange.path[len(MODELS) :].decode("latin-1"))
    if name:
        if name not in called:
            raise no_model(name)
        return encode(_model(world, name, called[name], anthropic=anthropic))
    data = [_model(world, one, called[one], anthropic=anthropic) for one in sorted(called)]
    if anthropic:
        ends = {"first_id": min(called, default=None), "last_id": max(called, default=None)}
        return encode({"data": data, "has_more": False, **ends})
    return encode({"object": "list", "data": data})


def _callable(world: World, key: Key) -> dict[str, str]:
    """The route by name; a prompt's is the route of the model that it names."""
    routes = {name: name for name in world.routes if name in key.routes or "*" in key.routes}
    return callable_prompts(world, key) | routes


def _model(world: World, name: str, route: str, *, anthropic: bool) -> dict[str, object]:
    target = world.routes[route].candidates[0].endpoint.model
    released = target.card.released or "1970-01-01"
    if anthropic:
        created = f"{released}T00:00:00Z" if len(released) == 10 else "1970-01-01T00:00:00Z"
        shown = target.card.name if name == route else name
        return {"type": "model", "id": name, "display_name": shown, "created_at": created}
    return {"id": name, "object": "model", "created": 0, "owned_by": target.provider}
