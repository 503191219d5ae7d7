"""Usage and cost as stored equal the mock's own ledger to the last digit, through real processes.

Equal to the last digit: every attempt that ended with the upstream's own usage (whole and streamed, cached
tokens and reasoning included), every failed one (nothing), and the cache (nothing, and no attempt). Of a
stream that was cut off the upstream tells less: messages give the input exactly, chat completions nothing.
What is not told is estimated, marked so, and priced exactly as estimated; the output of such a stream is what
was received of it, which equals the mock's ledger where each event carries a token.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from noria.gateway.snapshot import CacheRule, Snapshot
from noria.models.price import Price
from noria.storage.ledger import LedgerStore
from noria.storage.spans import SpanStore
from noria.testing import Plan, Served, ToolUse, Upstream
from noria.testing.stack import Stack, snapshot
from noria.tracing.store import SpanDetail, TraceDetail, Window

sys.path.insert(0, str(Path(__file__).parent))
from conftest import every_dialect

PRICE = Price(
    id="odd",
    input=Decimal("0.123457"),
    output=Decimal("1.000003"),
    cached=Decimal("0.012347"),
    cache_write=Decimal("0.154321"),
)
BACKS = (
    "openai",
    "openai-responses",
    "azure",
    "anthropic",
    "gemini",
    "vertex",
    "vertex-anthropic",
    "bedrock",
)
FRONTS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 100},
    "/v1/completions": {"prompt": "hello", "max_tokens": 100},
    "/v1/responses": {"input": "hello", "max_output_tokens": 100},
    "/v1/messages": {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 100},
}
HELLO = FRONTS["/v1/chat/completions"]


def config(url: str, folder: Path) -> Snapshot:
    """Every dialect, at an odd price; routes try twice more, and one has a cache."""
    found = every_dialect(url, folder)
    models = {name: msgspec.structs.replace(one, price=PRICE) for name, one in found.models.items()}
    again = {name: msgspec.structs.replace(one, retries=2) for name, one in found.routes.items()}
    again["kept"] = msgspec.structs.replace(again["openai"], name="kept", cache=CacheRule(ttl=60))
    return snapshot(providers=found.providers, models=models, routes=again)


@pytest.fixture
async def mock() -> AsyncIterator[Upstream]:
    async with Upstream() as up:
        yield up


class Caller:
    """Makes calls one after the other, and reads what is stored of them."""

    def __init__(self, stack: Stack, upstream: Upstream, http: httpx2.AsyncClient) -> None:
        self._stack = stack
        self._http = http
        self.upstream = upstream
        self.begun = time.time_ns()

    async def post(self, path: str, body: dict[str, Any], **headers: str) -> httpx2.Response:
        return await self._http.post(path, json=body, headers=headers)

    async def hang_up(self, path: str, body: dict[str, Any], *, after: float) -> None:
        """Read a streamed answer for some seconds, and close the connection."""
        async with self._http.stream("POST", path, json=body | {"stream": True}) as answer:
            assert answer.status_code == 200
            reading = asyncio.create_task(answer.aread())
            await asyncio.sleep(after)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        for _ in range(200):
            if self.upstream.ledger.served[-1].aborted:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the upstream was not told")

    async def stored(self, calls: int) -> list[TraceDetail]:
        """The traces, oldest first, when so many are there."""
        store = SpanStore(self._stack.home.spans)
        for _ in range(200):
            window = Window(self.begun, time.time_ns() + 10**9)
            page = store.traces("default", window, sort="oldest", limit=200)
            if len(page.items) >= calls:
                found = [store.trace("default", bytes.fromhex(one.id)) for one in page.items]
                return [one for one in found if one is not None]
            await asyncio.sleep(0.05)
        raise AssertionError(f"{len(page.items)} of {calls} traces are stored")

    async def costs(self, calls: int) -> Decimal:
        """What the ledger of the installation comes to, when so many calls are in it."""
        window = Window(self.begun - 3_600 * 10**9, time.time_ns() + 3_600 * 10**9)
        for _ in range(200):
            total = LedgerStore(self._stack.home.ledger).costs("default", window, by="route").total
            if total.calls >= calls:
                return money(total.cost)
            await asyncio.sleep(0.05)
        raise AssertionError(f"{total.calls} of {calls} calls are in the ledger")


@pytest.fixture
async def caller(mock: Upstream, tmp_path: Path) -> AsyncIterator[Caller]:
    with Stack(tmp_path / "home", config(mock.url, tmp_path)) as stack:
        headers = {"authorization": f"Bearer {stack.key()}"}
        async with httpx2.AsyncClient(base_url=stack.url, headers=headers, timeout=20) as http:
            yield Caller(stack, mock, http)


def billed(served: Served) -> Decimal:
    """What the mock's ledger says that a request costs."""
    if served.status != 200:
        return Decimal(0)
    plain = served.input - served.cached - served.cache_write
    assert PRICE.input and PRICE.output and PRICE.cached and PRICE.cache_write
    total = PRICE.input * plain + PRICE.cached * served.cached + PRICE.cache_write * served.cache_write
    return (total + PRICE.output * served.output) / 1_000_000


def attempts(traces: list[TraceDetail]) -> Iterator[SpanDetail]:
    for trace in traces:
        yield from (span for span in trace.spans if span.kind == "client")


def money(cost: str | None) -> Decimal:
    assert cost is not None
    return Decimal(cost)


async def test_what_ended_well_or_never_began_costs_what_the_mock_says(caller: Caller) -> None:
    upstream = caller.upstream
    plans: list[dict[str, Any]] = [
        {"words": 13, "cached": 3, "input": 1_234_567},
        {"words": 5, "reason": "Think of rivers first.", "cached": 1, "input": 10},
        {"calls": (ToolUse("clock", {"zone": "Győr"}),), "text": "Wait.", "input": 77},
    ]
    calls = 0
    for back in BACKS:
        for path, body in FRONTS.items():
            for stream in (False, True):
                plan = plans[calls % (2 if path == "/v1/completions" else 3)]
                written = {} if back in ("gemini", "vertex") else {"cache_write": 2}
                upstream.queue(Plan(**plan, **written))
                answer = await caller.post(path, {"model": back, "stream": stream, **body})
                assert answer.status_code == 200, answer.text
                calls += 1
    upstream.queue(Plan(fail=500), Plan(fail=429, retry_after=0.01), Plan(words=7))  # Retried.
    assert (await caller.post("/v1/chat/completions", {"model": "openai", **HELLO})).status_code == 200
    upstream.queue(*[Plan(fail=503)] * 3)  # Failed.
    assert (await caller.post("/v1/messages", {"model": "bedrock", **HELLO})).status_code == 502
    upstream.queue(Plan(fail=400))
    assert (await caller.post("/v1/messages", {"model": "gemini", **HELLO})).status_code == 400
    for _ in range(2):  # The second comes from the cache.
        assert (await caller.post("/v1/chat/completions", {"model": "kept", **HELLO})).status_code == 200
    assert (await caller.post("/v1/embeddings", {"model": "openai-embedding", "input": "hello"})).is_success
    traces = await caller.stored(calls + 6)

    served = upstream.ledger.served
    found = sorted(attempts(traces), key=lambda span: span.start_ms)
    assert len(found) == len(served) == calls + 3 + 3 + 1 + 1 + 1
    for span, one in zip(found, served, strict=True):
        assert money(span.cost) == billed(one), (span.name, one)
        if one.status == 200:
            assert (span.input_tokens, span.output_tokens) == (one.input, one.output), (span.name, one)
            assert span.cached_tokens == one.cached
            assert span.usage == "reported"
            if span.provider != "bedrock":  # Converse does not tell its reasoning apart.
                assert (span.reasoning_tokens or 0) == one.reasoning
    whole = sum(map(billed, served), Decimal(0))
    assert sum((money(trace.summary.cost) for trace in traces), Decimal(0)) == whole
    assert await caller.costs(len(served) + 1) == whole
    hit = [trace.summary for trace in traces if trace.summary.cache == "hit"]
    assert [(one.cost, one.attempts) for one in hit] == [("0", 0)]


@pytest.mark.parametrize(
    ("path", "back", "told"),
    [
        ("/v1/chat/completions", "openai", False),
        ("/v1/chat/completions", "anthropic", True),
        ("/v1/messages", "anthropic", True),
        ("/v1/messages", "openai", False),
        ("/v1/responses", "openai-responses", False),
        ("/v1/responses", "vertex-anthropic", True),
        ("/v1/messages", "bedrock", False),
    ],
)
async def test_a_stream_that_is_cut_off_costs_what_was_told_and_received(
    caller: Caller, path: str, back: str, told: bool
) -> None:
    upstream = caller.upstream
    body = {"model": back, **FRONTS[path]}
    upstream.queue(Plan(words=40, hang="body", cached=3))
    await caller.hang_up(path, body, after=0.4)
    upstream.queue(Plan(words=40, truncate="cut", cached=3))
    answer = await caller.post(path, body | {"stream": True})
    assert answer.status_code == 200
    traces = await caller.stored(2)
    gone, cut = sorted(attempts(traces), key=lambda span: span.start_ms)
    assert [trace.summary.http_status for trace in traces] == [499, 502]
    for span, one in zip((gone, cut), upstream.ledger.served, strict=True):
        assert span.usage == "estimated"
        assert span.output_tokens == one.output > 3
        if told:
            assert (span.input_tokens, span.cached_tokens) == (one.input, one.cached)
            assert money(span.cost) == billed(one)
        else:
            assert span.input_tokens is not None and span.output_tokens is not None
            assert PRICE.input is not None and PRICE.output is not None
            expected = PRICE.input * span.input_tokens + PRICE.output * span.output_tokens
            assert money(span.cost) == expected / 1_000_000
    assert await caller.costs(2) == money(gone.cost) + money(cut.cost)
