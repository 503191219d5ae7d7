"""Calls with an idempotency key, through real workers and a real collector: paid for once, whoever dies."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from noria.client import AsyncNoria, once
from noria.gateway.snapshot import Provider, Route, Target
from noria.models.price import Price
from noria.testing import Plan, Upstream
from noria.testing.stack import Stack, mock_model, snapshot


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with Upstream() as found:
        found.plan("slow", Plan(first=400))
        yield found


@pytest.fixture
def noria(upstream: Upstream, tmp_path: Path) -> Any:
    price = Price(id="p", input=Decimal("1"), output=Decimal("2"))
    provider = Provider(name="mock", dialect="openai", base_url=upstream.url + "/v1", auth="none")
    routes = {"r": Route(name="r", targets=(Target(model="mock/mock"),), retries=0)}
    models = {"mock/mock": mock_model(price=price), "mock/slow": mock_model("slow", price=price)}
    config = snapshot(providers={"mock": provider}, models=models, routes=routes)
    with Stack(tmp_path / "home", config, workers=2) as stack:
        yield stack


def body(text: str = "hello", model: str = "r", **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


class Caller:
    """Posts with a key, over a new connection each time, so that either worker answers."""

    def __init__(self, noria: Stack, **more: object) -> None:
        self._url = noria.url
        self._token = noria.key(**more)

    async def post(
        self, said: dict[str, Any], name: str, path: str = "/v1/chat/completions", timeout: float = 20
    ) -> httpx2.Response:
        headers = {"authorization": f"Bearer {self._token}", "x-noria-idempotency-key": name}
        async with httpx2.AsyncClient(timeout=timeout) as http:
            return await http.post(self._url + path, json=said, headers=headers)


async def restarted(noria: Stack) -> None:
    for role in ("worker-0", "worker-1"):
        noria.start(role)
    await asyncio.to_thread(noria.wait)


async def test_asked_again_it_is_answered_as_before_and_not_paid_again(
    noria: Stack, upstream: Upstream
) -> None:
    mine, other = Caller(noria), Caller(noria)
    first = await mine.post(body(), "a")
    assert first.status_code == 200, first.text
    for _ in range(4):
        again = await mine.post(body(), "a")
        assert again.content == first.content and again.headers["x-noria-cache"] == "hit"
        for name in ("x-noria-trace-id", "x-noria-cost", "x-noria-target"):
            assert again.headers[name] == first.headers[name]
    assert len(upstream.ledger.served) == 1
    assert (await other.post(body(), "a")).content != first.content, "a key's answers are its own"
    assert (await mine.post(body("else"), "a")).status_code == 409
    assert (await mine.post(body(), "b")).status_code == 200
    assert len(upstream.ledger.served) == 3
    assert (await mine.post(body(stream=True), "c")).status_code == 400
    assert (await mine.post(body(), "n" * 257)).status_code == 400
    embedded = {"model": "r", "input": "hello"}
    vectors = [(await mine.post(embedded, "e", "/v1/embeddings")).content for _ in range(2)]
    assert vectors[0] == vectors[1] and len(upstream.ledger.served) == 4


async def test_a_caller_who_dies_finds_the_answer_when_it_asks_again(
    noria: Stack, upstream: Upstream
) -> None:
    mine = Caller(noria)
    with contextlib.suppress(httpx2.TimeoutException):
        await mine.post(body(model="mock/slow"), "a", timeout=0.1)
    both = await asyncio.gather(*(mine.post(body(model="mock/slow"), "a") for _ in range(6)))
    assert len({one.content for one in both}) == 1 and both[0].status_code == 200
    assert len(upstream.ledger.served) == 1, "the call went on, and six waited for it"
    noria.kill("worker-0")
    noria.kill("worker-1")
    await restarted(noria)
    assert (await mine.post(body(model="mock/slow"), "a")).content == both[0].content
    assert len(upstream.ledger.served) == 1, "the answer outlives the workers"


async def test_a_failure_is_not_kept_and_a_worker_that_stops_ends_its_calls(
    noria: Stack, upstream: Upstream
) -> None:
    mine = Caller(noria)
    upstream.queue(Plan(fail=500))
    assert (await mine.post(body(), "a")).status_code == 502
    assert (await mine.post(body(), "a")).status_code == 200
    with contextlib.suppress(httpx2.TimeoutException):
        await mine.post(body(model="mock/slow"), "b", timeout=0.1)
    for role in ("worker-0", "worker-1"):
        await asyncio.to_thread(noria.stop, role)
    await restarted(noria)
    asked = len(upstream.ledger.served)
    assert (await mine.post(body(model="mock/slow"), "b")).status_code == 200
    assert len(upstream.ledger.served) == asked


async def test_without_a_collector_nobody_knows_and_nothing_is_paid(noria: Stack, upstream: Upstream) -> None:
    mine = Caller(noria)
    noria.stop("collector")
    answer = await mine.post(body(), "a")
    assert answer.status_code == 503 and "idempotency key" in answer.json()["error"]["message"]
    assert not upstream.ledger.served


async def test_the_client_gives_each_call_of_a_piece_of_work_its_own_key(
    noria: Stack, upstream: Upstream
) -> None:
    async def work(client: AsyncNoria, name: str) -> list[str]:
        with once(name):
            same = [await client.chat("r", "one") for _ in range(2)]
            rest = await asyncio.gather(client.chat("r", "two"), client.chat("r", "three"))
        return [one.trace for one in (*same, *rest)]

    async with AsyncNoria(noria.url, noria.key()) as client:
        first = await work(client, "run/1/0")
        assert len(set(first)) == 4, "equal questions are told apart"
        assert await work(client, "run/1/0") == first and len(upstream.ledger.served) == 4
        assert not set(await work(client, "run/1/1")) & set(first)
        assert (await client.chat("r", "one")).trace not in first
        with once("stream"):
            async with client.chat_stream("r", "one") as stream:
                assert [one async for one in stream]
