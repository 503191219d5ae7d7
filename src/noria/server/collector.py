"""The collector process: `python -m noria.server.collector --home DIR`, on run/collector.sock.

It takes OTLP and answers the stored sub-resources, both under virtual keys, and does under /internal what
other processes of this Noria ask; the socket is theirs alone (0600) and no worker forwards that path.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from time import monotonic, time
from typing import Any

import msgspec
import uvicorn
import uvloop

from noria.access.key import Key
from noria.errors import (
    InvalidRequest,
    NotFound,
    RequestError,
    StateError,
    Unavailable,
    UserError,
)
from noria.gateway.admission import principal
from noria.gateway.answers import JSON, error_headers
from noria.gateway.compiled import World
from noria.gateway.dialects.fronts import FRONTS
from noria.gateway.snapshot import Model
from noria.models.price import Price
from noria.providers.secrets import read_vault, required_vault
from noria.runtime.child import hold, log_to_stderr, watch_supervisor
from noria.runtime.collector import Collector, Retention
from noria.runtime.export import exporters
from noria.server import collector_otlp
from noria.server.collector_stored import StoredApp
from noria.server.protocol import HttpConnection, HttpExchange
from noria.storage.home import Home
from noria.storage.snapshots import Snapshots
from noria.storage.stored import StoredReader

DRAIN = 10
"""Seconds that requests in hand are given when the collector stops."""
MAX_BODY = 64 << 20
_log = logging.getLogger("noria.collector")


class Served:
    """What is in force: keys for who may post, prices for what it cost."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._generation = 0
        self._world: World | None = None
        self._prices: dict[str, Price] = {}

    def world(self) -> World:
        """Raises Unavailable before anything was applied."""
        generation = self._snapshots.generation
        if generation != self._generation:
            try:
                snapshot, live = self._snapshots.current()
            except StateError as error:
                if self._world is None:
                    raise Unavailable(str(error), retry_after=1) from None
                return self._world
            self._world = World(snapshot, live, {})
            self._prices = _prices(snapshot.models)
            self._generation = generation
        if self._world is None:
            raise Unavailable("Noria is starting: no configuration is in force yet.", retry_after=1)
        return self._world

    def price_of(self, provider: str, model: str) -> Price | None:
        """The price in force for a model that a sender names; None where it is unknown or in doubt."""
        return self._prices.get(f"{provider}/{model}") or self._prices.get(model)


class CollectorApp:
    """`protocol.App` of the collector."""

    max_body = MAX_BODY

    def __init__(self, collector: Collector, served: Served, stored: StoredApp, *, pepper: bytes) -> None:
        self._collector = collector
        self._served = served
        self._stored = stored
        self._pepper = pepper

    def hot(self, method: bytes, path: bytes) -> bool:
        return True

    async def forward(self, exchange: HttpExchange) -> None:
        await self.serve(exchange)

    async def serve(self, exchange: HttpExchange) -> None:
        """Answer one request; whatever goes wrong is answered too."""
        otlp = exchange.path in collector_otlp.SIGNALS
        try:
            await self._serve(exchange, otlp=otlp)
        except RequestError as error:
            self._refuse(exchange, error, otlp=otlp)
        except Exception:  # A boundary: the log has the traceback, the caller a sentence.
            _log.exception("%s %s failed", exchange.method.decode("latin-1"), exchange.path.decode("latin-1"))
            if exchange.started:
                exchange.abort()
            else:
                error = Unavailable("Noria made a mistake; its log says which.", code="internal")
                self._refuse(exchange, error, otlp=otlp)

    async def _serve(self, exchange: HttpExchange, *, otlp: bool) -> None:
        if exchange.path.startswith(b"/internal/"):
            exchange.respond(200, JSON, msgspec.json.encode(await self._internal(exchange)))
        elif otlp:
            if exchange.method != b"POST":
                raise NotFound("OTLP is sent with POST.")
            key = self._key(exchange)
            await collector_otlp.receive(exchange, key, self._collector, self._served.price_of)
        else:
            await self._stored.serve(exchange, self._key(exchange))

    def _key(self, exchange: HttpExchange) -> Key:
        return principal(exchange.headers, self._served.world(), pepper=self._pepper, now=time())

    async def _internal(self, exchange: HttpExchange) -> Any:
        call = (exchange.method, exchange.path)
        if call == (b"GET", b"/internal/health"):
            return self._collector.stand()
        if call == (b"POST", b"/internal/drain"):
            await asyncio.wrap_future(self._collector.drain())
            return {}
        if call == (b"GET", b"/internal/spent"):
            spent = await asyncio.wrap_future(self._collector.spent())
            return [msgspec.structs.asdict(one) | {"row": one.row.hex()} for one in spent]
        if call == (b"POST", b"/internal/answer"):
            which = msgspec.json.decode(exchange.body, type=_Which)
            return await self._stored.answer(which.project, which.id)
        if call == (b"POST", b"/internal/erase"):
            try:
                whom = msgspec.json.decode(exchange.body, type=_Whom)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise InvalidRequest(f"The body must name project and user: {error}.") from None
            return await asyncio.wrap_future(self._collector.erase_user(whom.project, whom.user, whom.also))
        raise NotFound("The collector has no such path.")

    def _refuse(self, exchange: HttpExchange, error: RequestError, *, otlp: bool) -> None:
        if otlp:
            collector_otlp.refuse(exchange, error)
        else:
            exchange.respond(error.status, JSON + error_headers(error), FRONTS["openai"].error(error))


class _Which(msgspec.Struct):
    project: str
    id: str


class _Whom(msgspec.Struct):
    project: str
    user: str
    also: tuple[str, ...] = ()
    """Further traces, in hex."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="noria.server.collector")
    parser.add_argument("--home", required=True, type=Path)
    parser.add_argument("--durability", choices=("process", "disk"), default="process")
    parser.add_argument("--keep-days", type=int, help="delete spans of older days")
    parser.add_argument("--keep-bytes", type=int, help="delete the oldest days while all are larger")
    parser.add_argument(
        "--encrypt-payloads", action="store_true", help="under the key of NORIA_ENCRYPTION_KEY or its file"
    )
    parser.add_argument("--export", action="append", default=[], help="an exporters.Target as JSON")
    given = parser.parse_args(arguments)
    log_to_stderr("collector")
    try:
        uvloop.run(_serve(given))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


async def _serve(given: argparse.Namespace) -> None:
    home = Home(given.home)
    lock = hold(home, "collector")
    vault = required_vault(os.environ) if given.encrypt_payloads else read_vault(os.environ)
    cipher = vault if given.encrypt_payloads else None
    served = Served(Snapshots(home.snapshots))
    collector = Collector(
        home,
        price_of=served.price_of,
        cipher=cipher,
        spool_cipher=vault,
        durable=given.durability == "disk",
        retention=Retention(given.keep_days, given.keep_bytes),
    )
    exports = exporters(home, given.export, cipher=vault)
    stored = StoredApp(collector, StoredReader(home.stored, cipher=vault))
    app = CollectorApp(collector, served, stored, pepper=home.pepper())
    config = uvicorn.Config(
        app,  # pyright: ignore[reportArgumentType]  # our protocol class never calls it as ASGI
        http=HttpConnection,
        interface="asgi3",
        lifespan="off",
        ws="none",
        proxy_headers=False,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=DRAIN,
    )
    server = uvicorn.Server(config)
    ended = threading.Event()

    def stop() -> None:
        server.should_exit = True

    def write() -> None:
        try:
            collector.run()
        finally:
            ended.set()
            server.should_exit = True

    watch_supervisor(stop)
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn stops in order for them, and afterwards raises them again for whoever was there before.
        signal.signal(number, lambda _number, _frame: None)
    writing = threading.Thread(target=write, name="collector")
    writing.start()
    for export in exports:
        export.start()
    sweep = asyncio.get_running_loop().create_task(_sweep(server))
    path = home.run / "collector.sock"
    listener = listening(path)
    try:
        await server.serve(sockets=[listener])
    finally:
        sweep.cancel()
        with suppress(asyncio.CancelledError):
            await sweep
        collector.stop()
        await asyncio.to_thread(writing.join)
        for export in exports:
            await asyncio.to_thread(export.stop)
        path.unlink(missing_ok=True)
        del lock


async def _sweep(server: uvicorn.Server) -> None:
    """Drop connections whose peers are too slow, once a second."""
    while True:
        await asyncio.sleep(1.0)
        now = monotonic()
        for connection in list(server.server_state.connections):
            if isinstance(connection, HttpConnection):
                connection.expire(now)


def listening(path: Path) -> socket.socket:
    """A unix socket of this user alone, in place of one that a dead process left."""
    path.unlink(missing_ok=True)
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        found.bind(str(path))
    finally:
        os.umask(before)
    found.listen(1024)
    found.setblocking(False)
    return found


def _prices(models: dict[str, Model]) -> dict[str, Price]:
    """By `provider/name`, and by name alone where all that have the name agree on the price."""
    found: dict[str, Price] = {}
    by_name: dict[str, set[str]] = {}
    for model in models.values():
        if model.price is None:
            continue
        for name in {model.id.partition("/")[2], model.upstream}:
            found[f"{model.provider}/{name}"] = model.price
            by_name.setdefault(name, set()).add(model.price.id)
            found[name] = model.price
    for name, prices in by_name.items():
        if len(prices) > 1:
            del found[name]
    return found


if __name__ == "__main__":
    raise SystemExit(main())
