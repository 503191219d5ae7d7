"""One gateway worker inside the test's own process and event loop, with real sockets, spool and counters."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from types import SimpleNamespace, TracebackType

import httpx2
import msgspec

from noria.access.key import Budget, Key, hash_token, new_token
from noria.gateway.snapshot import FORMAT, Live, ServedPrompt, Snapshot
from noria.prompts.compiled import CompiledPrompt
from noria.runtime.worker import Worker
from noria.server.forward import Forwarder
from noria.server.protocol import HttpConnection
from noria.server.stored_forward import Owners
from noria.server.worker import GatewayApp
from noria.storage.home import Home
from noria.storage.snapshots import Snapshots
from noria.storage.spool_reader import SpoolReader
from noria.tracing.record import Begin, Call, End, SpoolRecord


class InlineGateway:
    """`async with InlineGateway(folder, snapshot) as noria: await noria.post(...)`."""

    def __init__(self, folder: Path, config: Snapshot) -> None:
        self.home = Home(folder)
        self._folder = folder
        self._snapshots = Snapshots(self.home.snapshots)
        self._config = config
        self._live = Live(format=FORMAT, epoch=1)
        self.token = ""

    async def __aenter__(self) -> InlineGateway:
        self._snapshots.publish(config=self._config, live=self._live)
        self.worker = Worker(
            self.home, number=0, spool_limit=1 << 30, sync_s=0.2, durability="process", cache=1 << 20
        )
        owners = Owners(self.worker.world, self.worker.transport, pepper=self.home.pepper())
        app = GatewayApp(self.worker, Forwarder(self.home.run, self.worker.transport, owners))
        state = SimpleNamespace(connections=set(), tasks=set())
        loop = asyncio.get_running_loop()
        config = SimpleNamespace(loaded_app=app)
        self._server = await loop.create_server(lambda: HttpConnection(config, state, {}), "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self.client = httpx2.AsyncClient(base_url=self.url, timeout=20)
        self.token = self.key()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.aclose()
        self._server.close()
        self.worker.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def key(self, *, routes: tuple[str, ...] = ("*",), **more: object) -> str:
        """A new virtual key, in force at the next request; `more` are fields of `Key`."""
        token, lookup = new_token()
        hashed = hash_token(token.encode(), self.home.pepper())
        made = Key(id=f"key_{lookup}", lookup=lookup, hash=hashed, routes=routes)
        made = msgspec.structs.replace(made, **more)
        self._publish(keys={**self._live.keys, lookup: made})
        return token

    def revoke(self, token: str) -> None:
        """The key is no more."""
        self._publish(keys={name: key for name, key in self._live.keys.items() if name != token[3:15]})

    def budget(self, budget: Budget) -> None:
        self._publish(budgets={**self._live.budgets, budget.name: budget})

    def prompt(self, prompt: CompiledPrompt, *labels: str) -> None:
        """A version of a prompt that these labels stand for from the next request on."""
        project = self._live.prompts.get(prompt.project, {})
        before = project.get(prompt.name, ServedPrompt(labels={}, versions={}))
        after = ServedPrompt(
            labels={**before.labels, **dict.fromkeys(labels, prompt.number)},
            versions={**before.versions, prompt.number: prompt},
        )
        self._publish(prompts={**self._live.prompts, prompt.project: {**project, prompt.name: after}})

    def apply(self, config: Snapshot) -> None:
        """Serve another config version."""
        self._snapshots.publish(config=config)

    async def post(
        self, body: object, *, path: str = "/v1/chat/completions", token: str | None = None, **headers: str
    ) -> httpx2.Response:
        """POST with the default key unless another is given."""
        given = {"authorization": f"Bearer {token or self.token}"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return await self.client.post(path, content=content, headers=given)

    def records(self) -> list[SpoolRecord]:
        """All that has been recorded."""
        reader = SpoolReader(self.home.spool)
        found: list[SpoolRecord] = []
        for segment in reader.segments("worker-0"):
            batch = reader.read(segment.start)
            while batch.records:
                found += batch.records
                batch = reader.read(batch.position)
        return found

    def calls(self) -> list[Call]:
        """The calls among them."""
        return [one.call for one in self.records() if isinstance(one, End) and one.call is not None]

    def attempts(self) -> tuple[int, int]:
        """How many attempts have a Begin, and how many an end."""
        records = self.records()
        begun = sum(isinstance(one, Begin) for one in records)
        ended = sum(len(one.attempts) for one in records if isinstance(one, End))
        return begun, ended

    def _publish(self, **changes: object) -> None:
        self._live = msgspec.structs.replace(self._live, epoch=self._live.epoch + 1, **changes)
        self._snapshots.publish(live=self._live)
