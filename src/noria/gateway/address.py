"""What a call asks of whom, read from its body."""

from __future__ import annotations

from noria.access.key import Key
from noria.errors import InvalidRequest, NotFound
from noria.gateway import ask
from noria.gateway.admission import check_scope
from noria.gateway.call import CallState
from noria.gateway.compiled import World
from noria.gateway.dialects.dialect import Front
from noria.gateway.exchange import Exchange
from noria.gateway.prompting import asked, check_prompt
from noria.gateway.storing import wants_store


def opened(exchange: Exchange, front: Front, world: World, key: Key, start: int) -> CallState:
    """A call of which only the caller is known yet."""
    return CallState(
        front=front, world=world, key=key, body=exchange.body, start=start, headers=exchange.headers
    )


UNNAMED = "default"
"""The route, where there is one, of a `responses` call that names no model (its stored `prompt` does)."""


def address(call: CallState, exchange: Exchange) -> None:
    """Read what is asked of whom. Raises InvalidRequest, NotFound and Forbidden."""
    fields = ask.fields(exchange.body)
    name = ask.text(fields, "model") or ""
    call.context = ask.context(fields, exchange.headers)
    call.prompt = asked(
        call.world, call.key.project, front=call.front.name, fields=fields, model=name, context=call.context
    )
    if call.prompt is not None:
        call.model, name = name or f"prompt/{call.prompt.prompt.name}", call.prompt.model(name)
    if not name and call.front.name == "responses" and UNNAMED in call.world.routes:
        name = UNNAMED
    if not name:
        raise InvalidRequest("`model` is missing; GET /v1/models lists what can be called.", param="model")
    if call.prompt is None:
        _require(call.front.name, fields)
        call.model = name
    call.fields = fields
    call.below = _BELOW.get(exchange.path, "")
    call.stream = ask.flag(fields, "stream") and call.front.name != "embeddings" and not call.below
    route = call.world.routes.get(name)
    if route is None:
        raise no_model(name)
    if call.prompt is not None:
        check_prompt(call.key, call.prompt.prompt)
    if call.prompt is None or not call.prompt.own:
        check_scope(call.key, name)
    call.route = route
    call.captured = _captured(call)
    if call.front.name in ("responses", "openai"):
        call.store = wants_store(call.front.name, fields) and not call.below
        if bytes(fields.get("store", b"")) == b"false":
            call.captured = False


_BELOW = {b"/v1/responses/compact": "/compact"}


_REQUIRED: dict[str, tuple[tuple[str, bytes], ...]] = {
    "openai": (("messages", b"["),),
    "anthropic": (("messages", b"["),),
    "completions": (("prompt", b'["'),),
    "embeddings": (("input", b'["'),),
}
"""Fields that a dialect cannot do without, and the first bytes that their JSON may have."""


def _require(front: str, fields: ask.Fields) -> None:
    """Refuse early what no upstream could answer."""
    for name, first in _REQUIRED.get(front, ()):
        raw = fields.get(name)
        if raw is None:
            raise InvalidRequest(f"`{name}` is missing.", param=name)
        if memoryview(raw)[0] not in first:
            kinds = "an array" if first == b"[" else "a string or an array"
            raise InvalidRequest(f"`{name}` must be {kinds}.", param=name)


def _captured(call: CallState) -> bool:
    how = call.key.capture or call.route.route.capture
    if how == "full":
        return True
    if how == "metadata":
        return False
    return int.from_bytes(call.trace[-4:], "big") < float(how) * 4_294_967_296


NOT_OFFERED = (b"/v1/audio", b"/v1/images", b"/v1/moderations", b"/v1/realtime")
"""Paths of OpenAI's API that Noria has no place for."""


def not_offered(path: bytes) -> NotFound:
    """The error for one of them."""
    what = path.split(b"/")[2].decode("latin-1").capitalize()
    return NotFound(f"{what} is not offered by Noria; call the provider itself for it.", code="not_offered")


MAX_SHOWN = 200
"""Characters of an unknown name that an error repeats."""


def no_model(name: str) -> NotFound:
    """The error for a model that this key cannot see."""
    shown = name if len(name) <= MAX_SHOWN else name[:MAX_SHOWN] + "…"
    return NotFound(
        f"There is no route or model {shown!r}; GET /v1/models lists what this key can call.",
        code="model_not_found",
        param="model",
    )


def error_front(exchange: Exchange) -> str:
    """The front whose errors this caller understands, where the path does not say."""
    anthropic = exchange.path.startswith(b"/v1/messages") or b"anthropic-version" in exchange.headers
    return "anthropic" if anthropic else "openai"
