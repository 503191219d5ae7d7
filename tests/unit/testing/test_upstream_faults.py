"""What the mock does wrong on purpose, as a plain HTTP client sees it; and the load generator before it."""

import asyncio
import itertools
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator

import httpx2
import msgspec
import pytest

from noria.testing import Upstream, load

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


def chat(plan: str, *, stream: bool = True) -> dict[str, object]:
    return {**CHAT, "model": f"m/{plan}", "stream": stream}


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with Upstream() as upstream:
        yield upstream


@pytest.fixture
async def http(upstream: Upstream) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=upstream.url, timeout=5) as client:
        yield client


async def post(http: httpx2.AsyncClient, body: dict[str, object]) -> httpx2.Response:
    return await http.post("/v1/chat/completions", json=body)


async def test_the_first_calls_fail_and_later_ones_do_not(http: httpx2.AsyncClient) -> None:
    answers = [await post(http, chat("fail=503:2,retry_after=3")) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["retry-after"] == "3"


async def test_errors_within_a_stream(http: httpx2.AsyncClient, upstream: Upstream) -> None:
    before = await post(http, chat("error=before,chunks=4"))
    after = await post(http, chat("error=after,chunks=4"))
    assert before.status_code == after.status_code == 200
    assert '"error"' in before.text and '"content":"w0' not in before.text
    assert '"error"' in after.text and '"content":"w0' in after.text
    assert "[DONE]" not in before.text + after.text
    assert [(served.whole, served.output) for served in upstream.ledger.served] == [(False, 0), (False, 2)]


async def test_an_error_within_a_200(http: httpx2.AsyncClient) -> None:
    answer = await post(http, chat("error=before", stream=False))
    assert answer.status_code == 200 and "error" in answer.json()


async def test_a_stream_that_ends_early(http: httpx2.AsyncClient) -> None:
    ended = await post(http, chat("truncate=end,chunks=4"))
    assert "w1" in ended.text and "w3" not in ended.text
    with pytest.raises(httpx2.RemoteProtocolError):
        await post(http, chat("truncate=cut,chunks=4"))


@pytest.mark.parametrize("plan", ["close=before", "length=long"])
async def test_answers_that_break(http: httpx2.AsyncClient, plan: str) -> None:
    with pytest.raises(httpx2.HTTPError):
        await post(http, chat(plan, stream=False))


async def test_a_connection_that_is_closed_when_it_is_used_again(upstream: Upstream) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(upstream.url.rpartition(":")[2]))
    body = msgspec.json.encode(chat("close=next", stream=False))
    request = (
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    )
    writer.write(request)
    assert b"200 OK" in await reader.read(65_536)
    writer.write(request)
    with pytest.raises(ConnectionError):
        if not await reader.read(1):
            raise ConnectionError
    writer.close()


async def test_garbage_and_dripping(http: httpx2.AsyncClient) -> None:
    assert b"\xff" in (await post(http, chat("garbage=1"))).content
    slow = await post(http, chat("drip=50,chunks=2"))
    assert "[DONE]" in slow.text


async def test_no_usage(http: httpx2.AsyncClient, upstream: Upstream) -> None:
    assert "usage" not in (await post(http, chat("usage=none", stream=False))).json()
    assert not upstream.ledger.served[0].reported


async def test_a_caller_that_hangs_up_is_in_the_ledger(http: httpx2.AsyncClient, upstream: Upstream) -> None:
    with pytest.raises(httpx2.ReadTimeout):
        await http.post("/v1/chat/completions", json=chat("hang=head"), timeout=0.1)
    async with http.stream("POST", "/v1/chat/completions", json=chat("chunks=100,gap=10ms")) as answer:
        async for line in answer.aiter_lines():
            if "w3" in line:
                break
    await asyncio.sleep(0.05)
    hung, streamed = upstream.ledger.served
    assert hung.aborted and not hung.whole and 50 < hung.ended_ms < 500
    assert streamed.aborted and not streamed.whole
    assert 4 <= streamed.chunks == streamed.output < 20


async def test_pieces_come_apart(http: httpx2.AsyncClient) -> None:
    times: list[float] = []
    async with http.stream(
        "POST", "/v1/chat/completions", json=chat("chunks=5,gap=20ms,first=60ms")
    ) as answer:
        began = time.monotonic()
        async for line in answer.aiter_lines():
            if '"content":"' in line and '"role"' not in line:
                times.append(time.monotonic() - began)
    assert len(times) == 5
    assert times[0] > 0.05
    assert all(later - sooner > 0.01 for sooner, later in itertools.pairwise(times))


async def test_plans_and_the_ledger_over_http(http: httpx2.AsyncClient) -> None:
    await http.post("/_plan", json={"model": "m", "plan": {"text": "as planned"}})
    await http.post("/_plan", json={"text": "at first"})
    said = [(await post(http, CHAT)).json()["choices"][0]["message"]["content"] for _ in range(2)]
    assert said == ["at first", "as planned"]
    rows = (await http.get("/_ledger")).json()
    assert [row["status"] for row in rows] == [200, 200]
    assert (await http.post("/_plan", json={"say": "x"})).status_code == 400
    assert (await http.delete("/_ledger")).json() == []


async def test_what_is_malformed_is_refused(http: httpx2.AsyncClient) -> None:
    assert (await http.post("/v1/chat/completions", content=b"{")).status_code == 400
    assert (await http.post("/v1/embeddings", json={})).status_code == 400
    assert (await http.post("/v1/audio", json={})).status_code == 404


async def test_load_tells_whole_answers_from_broken_ones(upstream: Upstream) -> None:
    url = f"{upstream.url}/v1/chat/completions"
    good = await load(url, body=msgspec.json.encode({**CHAT, "stream": True}), connections=4, requests=100)
    assert [result.whole for result in good] == [True] * 100
    assert {result.status for result in good} == {200}
    assert sorted(result.number for result in good) == list(range(100))
    bad = await load(url, body=msgspec.json.encode(chat("truncate=cut")), connections=2, requests=4)
    assert [(result.whole, bool(result.error)) for result in bad] == [(False, True)] * 4


def test_it_runs_as_a_command() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "noria.testing.upstream"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    url = process.stdout.readline().strip()
    with urllib.request.urlopen(f"{url}/_ledger", timeout=5) as answer:
        assert answer.read() == b"[]"
    process.terminate()
    _, words = process.communicate()
    assert words == ""
