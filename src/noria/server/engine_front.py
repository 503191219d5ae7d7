"""What an engine process says on HTTP: the key, the paths, and errors in OpenAI's form."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from time import time
from typing import Any

import msgspec

from noria.errors import InvalidRequest, NotFound, RequestError, Unauthenticated, UpstreamError
from noria.server.protocol import HttpExchange

_log = logging.getLogger("noria.engine")
Body = dict[str, Any]
Handler = Callable[[HttpExchange], Awaitable[None]]
JSON = b"content-type: application/json\r\n"
SSE = b"content-type: text/event-stream\r\ncache-control: no-store\r\n"
_body = msgspec.json.Decoder(Body)


class Front:
    """`protocol.App` of an engine: `routes` by method and path; every path but /health needs the key."""

    max_body = 33_554_432

    def __init__(self, key: str, models: tuple[str, ...], routes: dict[tuple[str, str], Handler]) -> None:
        self._key = key.encode()
        self._models = models
        self._started = int(time())
        self._routes = {
            ("GET", "/health"): self._health,
            ("GET", "/v1/models"): self._list,
            **routes,
        }

    def hot(self, method: bytes, path: bytes) -> bool:
        return True

    async def forward(self, exchange: HttpExchange) -> None:
        raise AssertionError("an engine has no other process to ask")

    async def serve(self, exchange: HttpExchange) -> None:
        try:
            await self._route(exchange)(exchange)
        except RequestError as error:
            self._refuse(exchange, error)
        except UpstreamError as error:
            _log.error("the engine failed: %s", error)
            self._refuse(exchange, RequestError(error.message, code="engine_failed"), status=502)
        except asyncio.CancelledError:
            raise
        except Exception:
            # The boundary: whatever else happens is our bug, and must not leave the caller waiting.
            _log.exception("%s %s failed", exchange.method, exchange.path)
            self._refuse(exchange, RequestError("The engine failed; its log says more."), status=500)

    def _route(self, exchange: HttpExchange) -> Handler:
        method, path = exchange.method.decode(), exchange.path.decode("latin-1")
        if path != "/health":
            given = exchange.headers.get(b"authorization", b"")
            if not hmac.compare_digest(given, b"Bearer " + self._key):
                raise Unauthenticated("The engine's key is missing or wrong.")
        found = self._routes.get((method, path))
        if found is None:
            known = ", ".join(f"{verb} {route}" for verb, route in sorted(self._routes))
            raise NotFound(f"The engine has no {method} {path}; it has {known}.")
        return found

    def _refuse(self, exchange: HttpExchange, error: RequestError, *, status: int | None = None) -> None:
        status = status or error.status
        if exchange.done:
            return
        if exchange.started:
            exchange.finish(b"data: " + error_body(error, status) + b"\n\ndata: [DONE]\n\n")
        else:
            exchange.respond(status, JSON, error_body(error, status))

    async def _health(self, exchange: HttpExchange) -> None:
        exchange.respond(200, JSON, b'{"status":"ok"}')

    async def _list(self, exchange: HttpExchange) -> None:
        data = [
            {"id": name, "object": "model", "created": self._started, "owned_by": "noria"}
            for name in self._models
        ]
        answer(exchange, {"object": "list", "data": data})


def error_body(error: RequestError, status: int) -> bytes:
    kind = "invalid_request_error" if status < 500 else "server_error"
    return msgspec.json.encode(
        {"error": {"message": error.message, "type": kind, "param": error.param, "code": error.code}}
    )


def answer(exchange: HttpExchange, body: Any) -> None:
    """Answer 200 with JSON."""
    exchange.respond(200, JSON, msgspec.json.encode(body))


def asked(exchange: HttpExchange) -> Body:
    """The request's JSON object; raises InvalidRequest for anything else."""
    try:
        return _body.decode(exchange.body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRequest(f"The body must be a JSON object ({error}).") from None


def whole(body: Body, name: str, default: int, *, least: int, most: int) -> int:
    """An optional whole number of the request."""
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidRequest(f"{name} must be a whole number from {least} to {most}.", param=name)
    return value


def flag(body: Body, name: str) -> bool:
    """An optional true or false of the request."""
    value = body.get(name)
    if not isinstance(value, bool | None):
        raise InvalidRequest(f"{name} must be true or false.", param=name)
    return bool(value)


class Names:
    """Which names the engine answers to, and what adapters they ask for."""

    def __init__(self, model: str, adapters: tuple[str, ...]) -> None:
        self._model = model
        self._adapters = adapters

    def all(self) -> tuple[str, ...]:
        return (self._model, *(f"{self._model}:{adapter}" for adapter in self._adapters))

    def lora(self, body: Body) -> list[Body]:
        """llama-server's list of adapters with scales, for the request's `model` ("name:adapter") and `lora`.

        Each adapter is named, those not asked for with scale 0: what is left out would keep what others set.
        """
        scales = dict.fromkeys(self._adapters, 0.0)
        for name, scale in (*self._of_model(body.get("model")), *self._of_field(body.get("lora"))):
            if name not in scales:
                known = ", ".join(self._adapters) or "none"
                raise NotFound(f"There is no adapter {name!r}; loaded are: {known}.", code="model_not_found")
            scales[name] = scale
        return [{"id": number, "scale": scale} for number, scale in enumerate(scales.values())]

    def _of_model(self, model: Any) -> list[tuple[str, float]]:
        if model is None:
            return []
        if not isinstance(model, str):
            raise InvalidRequest("model must be text.", param="model")
        name = model.removeprefix("local/")
        if name == self._model:
            return []
        base, _, adapter = name.rpartition(":")
        if base != self._model:
            raise NotFound(
                f"This engine serves {self._model}, not {model}.", code="model_not_found", param="model"
            )
        return [(adapter, 1.0)]

    def _of_field(self, lora: Any) -> list[tuple[str, float]]:
        if lora is None:
            return []
        found: list[tuple[str, float]] = []
        for one in lora if isinstance(lora, list) else [lora]:
            if isinstance(one, str):
                found.append((one, 1.0))
            elif (
                isinstance(one, dict)
                and isinstance(one.get("name"), str)
                and isinstance(one.get("scale", 1.0), int | float)
            ):
                found.append((one["name"], float(one.get("scale", 1.0))))
            else:
                raise InvalidRequest(
                    'lora must be an adapter\'s name, {"name": …, "scale": …}, or a list of these.',
                    param="lora",
                )
        return found
