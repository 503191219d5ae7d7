"""A mock of the providers' APIs, for tests, benchmarks and demos: `python -m noria.testing.upstream`.

It speaks OpenAI (chat completions, completions, embeddings, responses, models), Anthropic (messages),
Gemini and Vertex (generateContent, embeddings) and Bedrock (Converse, InvokeModel for embeddings), does what
a `Plan` says, and keeps a `Ledger` of what it served. Its own paths: GET and DELETE /_ledger, and POST /_plan
with a plan (for the next request) or `{"model": …, "plan": …}` (for every request of that model).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from typing import Any

import msgspec

from noria.testing import resources, routes
from noria.testing.answer import Ask, Json, Said, Wire, answer
from noria.testing.connection import Connection, Reply, Request
from noria.testing.ledger import Ledger, Served
from noria.testing.plan import Plan, parse_plan, plan_in
from noria.testing.routes import BEDROCK, CHAT, RESPONSES
from noria.testing.wire_bedrock import EXCEPTIONS

HEADER = "x-mock-plan"
"""Request header that carries a plan, in the words of a model's name."""
_JSON = {"content-type": "application/json"}
_encode = msgspec.json.Encoder().encode


class Upstream:
    """The server, on loopback: `async with Upstream() as upstream: … upstream.url …`.

    `strict` keeps to OpenAI's published schema where OpenAI itself does not, as the SDK's own tests want it:
    embeddings as numbers although base64 is asked for, and a log-probability of the first echoed token.
    """

    def __init__(self, *, port: int = 0, models: tuple[str, ...] = ("mock",), strict: bool = False) -> None:
        self._port = port
        self._models = models
        self._strict = strict
        self._started = int(time.time())
        self._number = 0
        self._connections: set[Connection] = set()
        self._connected = 0
        self._next: deque[Plan] = deque()
        self._plans: dict[str, Plan] = {}
        self._calls: Counter[str] = Counter()
        self._kept = resources.Kept()
        self.ledger = Ledger()
        self.default = Plan()

    async def __aenter__(self) -> Upstream:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Where it listens, without a path; OpenAI's API is under /v1."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connect, "127.0.0.1", self._port, backlog=1024)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for connection in list(self._connections):
            connection.close()
        await self._server.wait_closed()

    def queue(self, *plans: Plan) -> None:
        """Plans for the next requests, one each, before all others."""
        self._next.extend(plans)

    def plan(self, model: str, plan: Plan) -> None:
        """The plan for every request of a model, counted anew."""
        self._plans[model] = plan
        self._calls.pop(model, None)

    def reset(self) -> None:
        """Forget plans, counts and the ledger."""
        self._next.clear()
        self._plans.clear()
        self._calls.clear()
        self.ledger.clear()

    def _connect(self) -> Connection:
        self._connected += 1
        self._connections = {one for one in self._connections if not one.lost}
        connection = Connection(self._answer, self._connected)
        self._connections.add(connection)
        return connection

    def _answer(self, request: Request) -> Reply:
        path, _, query = request.target.partition("?")
        if path.startswith("/_"):
            return self._own(request, path)
        body: Json = {}
        if request.body:
            try:
                body = msgspec.json.decode(request.body)
            except msgspec.DecodeError as error:
                return Reply(status=400, headers=_JSON, body=_encode(CHAT.error(400, f"not JSON: {error}")))
        try:
            turn = routes.turn(request.method, path, query, body)
            if turn is not None:
                return self._speak(request, body, *turn)
            found = self._found(request, path, body)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            return Reply(status=400, headers=_JSON, body=_encode(CHAT.error(400, f"malformed: {error!r}")))
        if found is None:
            return Reply(status=404, headers=_JSON, body=_encode(CHAT.error(404, f"no such path: {path}")))
        return self._tell(request, body, path, found)

    def _speak(self, request: Request, body: Json, wire: Wire, ask: Ask) -> Reply:
        """A model's turn."""
        plan = self._plan_for(request, ask.model)
        self._number += 1
        said = answer(ask, plan, number=self._number, created=int(time.time()), strict=self._strict)
        answer_id = wire.prefix + said.id
        served = self._open(request, body, wire.name, ask.model, ask.stream, answer_id)
        headers = {"x-request-id": f"req_{said.id}", "request-id": f"req_{said.id}"}
        if plan.fail and self._fails(plan, request.headers.get(HEADER) or ask.model):
            return self._refuse(wire, plan, served, headers)
        served.status = 200
        served.input, served.output = said.input, said.output
        served.cached, served.cache_write, served.reasoning = said.cached, said.cache_write, said.reasoned
        served.reported = said.usage and (not ask.stream or ask.usage_in_stream)
        if ask.body.get("store") or (wire is RESPONSES and ask.body.get("store") is not False):
            self._kept.keep(answer_id, ask, said)
        if ask.stream:
            return Reply(
                headers={"content-type": wire.media, **headers},
                frames=wire.frames(ask, said),
                plan=plan,
                error=wire.error_frame(plan.fail or 500, "The mock was told to fail."),
                served=served,
            )
        if plan.error:
            served.input = served.output = 0
            value = wire.error(500, "The mock was told to fail.")
        else:
            value = wire.whole(ask, said)
        return Reply(headers={**_JSON, **headers}, body=_encode(value), plan=plan, served=served)

    def _refuse(self, wire: Wire, plan: Plan, served: Served, headers: dict[str, str]) -> Reply:
        served.status = plan.fail
        if plan.retry_after is not None:
            headers["retry-after"] = f"{plan.retry_after:g}"
        if wire is BEDROCK:
            headers["x-amzn-errortype"] = EXCEPTIONS.get(plan.fail, "InternalServerException")
        body = _encode(wire.error(plan.fail, "The mock was told to fail."))
        kept = Plan(first=plan.first, close=plan.close)
        return Reply(status=plan.fail, headers={**_JSON, **headers}, body=body, plan=kept, served=served)

    def _tell(self, request: Request, body: Json, path: str, found: resources.Found) -> Reply:
        """An answer that is no model's turn; embeddings are billed, and can be planned."""
        plan = self._plan_for(request, found.model) if found.input else Plan()
        served = self._open(
            request, body, "embeddings" if found.input else "resource", found.model, False, ""
        )
        served.path = path
        if plan.fail and self._fails(plan, request.headers.get(HEADER) or found.model):
            return self._refuse(CHAT, plan, served, {})
        served.status, served.input, served.reported = 200, found.input, bool(found.input)
        return Reply(headers=_JSON, body=_encode(found.body), plan=plan, served=served)

    def _open(
        self, request: Request, body: Json, dialect: str, model: str, stream: bool, answer_id: str
    ) -> Served:
        served = Served(
            id=answer_id,
            dialect=dialect,
            path=request.target.partition("?")[0],
            model=model,
            stream=stream,
            connection=request.connection,
            headers=request.headers,
            body=body,
        )
        self.ledger.open(served)
        return served

    def _plan_for(self, request: Request, model: str) -> Plan:
        if self._next:
            return self._next.popleft()
        header = request.headers.get(HEADER)
        if header:
            return parse_plan(header)
        return self._plans.get(model) or plan_in(model) or self.default

    def _fails(self, plan: Plan, name: str) -> bool:
        self._calls[name] += 1
        return plan.fail_count < 0 or self._calls[name] <= plan.fail_count

    def _found(self, request: Request, path: str, body: Json) -> resources.Found | None:
        method = request.method
        found = routes.embedded(path, body, strict=self._strict) if method == "POST" else None
        if found is not None:
            return found
        model = routes.model_of(path)
        if model is not None:
            return self._model(request, model) if model else self._models_page(request)
        stored = routes.stored_of(path)
        if stored is not None and (stored[1] or method == "GET"):
            return self._kept.stored(stored[0], method, stored[1], body, self._blank(stored[0], body))
        return None

    def _blank(self, kind: str, body: Json) -> tuple[Ask, Said]:
        wire: Wire = RESPONSES if kind == "responses" else CHAT
        self._number += 1
        ask = wire.ask({"model": "mock", **body}, "mock", stream=False)
        return ask, answer(ask, Plan(), number=self._number, created=self._started)

    def _models_page(self, request: Request) -> resources.Found:
        if "anthropic-version" in request.headers:
            data = [resources.anthropic_model(name) for name in self._models]
            ends = {"first_id": self._models[0], "last_id": self._models[-1]}
            return resources.Found({"data": data, "has_more": False, **ends})
        return resources.Found(
            {"object": "list", "data": [resources.openai_model(name, self._started) for name in self._models]}
        )

    def _model(self, request: Request, name: str) -> resources.Found:
        if request.method == "DELETE":
            return resources.Found({"id": name, "object": "model", "deleted": True})
        if "anthropic-version" in request.headers:
            return resources.Found(resources.anthropic_model(name))
        return resources.Found(resources.openai_model(name, self._started))

    def _own(self, request: Request, path: str) -> Reply:
        if path == "/_ledger":
            if request.method == "DELETE":
                self.reset()
            return Reply(headers=_JSON, body=self.ledger.json())
        try:
            given: dict[str, Any] = msgspec.json.decode(request.body)
            plan = msgspec.convert(given.get("plan", given), Plan)
        except (msgspec.DecodeError, AttributeError) as error:
            return Reply(status=400, headers=_JSON, body=_encode(CHAT.error(400, f"no plan: {error}")))
        if "model" in given:
            self.plan(given["model"], plan)
        else:
            self.queue(plan)
        return Reply(headers=_JSON, body=b"{}")
