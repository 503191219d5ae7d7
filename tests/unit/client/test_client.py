"""The SDK over real sockets: a worker, and a mock upstream behind it."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from noria import errors
from noria.access.key import Budget
from noria.client import AsyncNoria, Noria, about
from noria.core.messages import (
    EmbeddingsRequest,
    Finish,
    Message,
    Request,
    Text,
)
from noria.gateway.snapshot import Provider, Route, Target
from noria.models.price import Price
from noria.models.protocols import ChatModel, Embedder
from noria.testing import Plan, ToolUse, Upstream
from noria.testing.inline import InlineGateway
from noria.testing.stack import mock_model, snapshot

PRICE = Price(id="p1", input=Decimal(3), output=Decimal(15))


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with Upstream() as up:
        yield up


@pytest.fixture
async def gateway(upstream: Upstream, tmp_path: Path) -> AsyncIterator[InlineGateway]:
    config = snapshot(
        providers={"a": Provider(name="a", dialect="openai", base_url=upstream.url + "/v1", auth="none")},
        models={"a/m": mock_model("m", provider="a", price=PRICE)},
        routes={"r": Route(name="r", targets=(Target(model="a/m"),), retries=0)},
    )
    async with InlineGateway(tmp_path / "home", config) as found:
        yield found


@pytest.fixture
async def noria(gateway: InlineGateway) -> AsyncIterator[AsyncNoria]:
    async with AsyncNoria(gateway.url, gateway.token) as client:
        yield client


def _request(text: str = "hello") -> Request:
    return Request(model="r", messages=(Message(role="user", parts=(Text(text=text),)),), max_tokens=20)


async def test_a_chat_is_answered_with_its_receipt(
    noria: AsyncNoria, gateway: InlineGateway, upstream: Upstream
) -> None:
    upstream.queue(Plan(text="hi you"))
    answer = await noria.chat("r", "hello", temperature=0.5)
    [call] = gateway.calls()
    assert answer.text == "hi you"
    assert answer.trace == call.trace.hex()
    assert answer.cost == Decimal(call.cost or "x")
    assert (answer.receipt.target, answer.receipt.attempts, answer.receipt.cache) == ("a/m", 1, "off")
    assert answer.usage.output > 0
    assert upstream.ledger.served[0].body["temperature"] == 0.5


async def test_what_it_is_about_goes_along_whatever_the_letters(
    noria: AsyncNoria, gateway: InlineGateway
) -> None:
    with about(user="Zoë", session="s, 1", tags={"env": "prod"}):
        with about(episode="e=1", tags={"team": "søk"}):
            await noria.chat("r", "hello")
            await noria.respond(_request())
        await noria.embeddings("r", ["a"])
    await noria.chat("r", "hello")
    chat, own, embedded, plain = gateway.calls()
    for call in (chat, own):
        assert (call.user, call.session, call.episode) == ("Zoë", "s, 1", "e=1")
        assert call.tags == {"env": "prod", "team": "søk"}
    assert (embedded.session, embedded.episode, embedded.tags) == ("s, 1", "", {"env": "prod"})
    assert (plain.user, plain.tags) == ("", {})


async def test_it_is_a_chat_model_and_an_embedder(noria: AsyncNoria, upstream: Upstream) -> None:
    model: ChatModel = noria
    embedder: Embedder = noria
    upstream.queue(Plan(text="one two three"), Plan(text="one two three", chunks=3))
    response = await model.respond(_request())
    events = [event async for event in model.stream(_request())]
    assert response.choices[0].message.parts == (Text(text="one two three"),)
    assert isinstance(events[-1], Finish)
    assert events[-1].usage.output == response.usage.output
    found = await embedder.embed(EmbeddingsRequest(model="r", inputs=("a", "b")))
    again = (await noria.embeddings("r", ["a", "b"])).vectors
    assert [pytest.approx(vector) for vector in found.vectors] == list(again)


async def test_a_stream_is_told_piece_by_piece(noria: AsyncNoria, upstream: Upstream) -> None:
    upstream.queue(Plan(text="one two three", chunks=3))
    async with noria.chat_stream("r", "hello") as stream:
        pieces = [piece async for piece in stream.texts()]
    assert "".join(pieces) == "one two three"
    assert len(pieces) > 1
    assert stream.receipt.trace
    assert stream.receipt.cost is None
    assert stream.usage is not None and stream.usage.output > 0


async def test_an_error_inside_a_stream_is_raised(noria: AsyncNoria, upstream: Upstream) -> None:
    upstream.queue(Plan(text="one two three four", chunks=4, error="after"))
    with pytest.raises(errors.UpstreamFailed):
        async with noria.chat_stream("r", "hello") as stream:
            _ = [piece async for piece in stream.texts()]


async def test_tools_are_called(noria: AsyncNoria, upstream: Upstream) -> None:
    upstream.queue(Plan(calls=(ToolUse("weather", {"city": "Oslo"}),)))
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    answer = await noria.chat("r", [{"role": "user", "content": "hello"}], tools=[tool])
    assert [call.name for call in answer.tool_calls] == ["weather"]
    assert answer.text == ""


async def test_the_responses_api(noria: AsyncNoria, gateway: InlineGateway, upstream: Upstream) -> None:
    upstream.queue(Plan(text="hi you"))
    answer = await noria.responses("r", "hello", store=False)
    assert answer.text == "hi you"
    assert answer.receipt.trace == gateway.calls()[0].trace.hex()


async def test_refusals_are_the_gateways_own(
    noria: AsyncNoria, gateway: InlineGateway, upstream: Upstream
) -> None:
    with pytest.raises(errors.NotFound, match="nothing") as missing:
        await noria.chat("nothing", "hello")
    assert missing.value.status == 404
    async with AsyncNoria(gateway.url, "nk-wrong") as stranger:
        with pytest.raises(errors.Unauthenticated):
            await stranger.chat("r", "hello")
    upstream.queue(Plan(fail=429, retry_after=7))
    with pytest.raises(errors.UpstreamFailed) as limited:
        await noria.chat("r", "hello")
    assert (limited.value.status, limited.value.code) == (429, "upstream_rate_limited")
    assert limited.value.retry_after == 7
    gateway.budget(Budget("b", "project:default", 1, "day"))
    with pytest.raises(errors.BudgetExceeded):
        await noria.chat("r", "hello")


async def test_plain_code_has_the_same_client(gateway: InlineGateway, upstream: Upstream) -> None:
    upstream.queue(Plan(text="one two"), Plan(text="one two", chunks=2))

    def work() -> tuple[str, str, int]:
        with Noria(gateway.url + "/v1/", gateway.token) as noria:
            said = noria.chat("r", "hello").text
            with noria.chat_stream("r", "hello") as stream:
                told = "".join(stream.texts())
            return said, told, len(noria.embeddings("r", "a").vectors)

    assert await asyncio.to_thread(work) == ("one two", "one two", 1)


async def test_environment_says_where_and_who(
    gateway: InlineGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORIA_BASE_URL", gateway.url)
    monkeypatch.setenv("NORIA_API_KEY", gateway.token)
    async with AsyncNoria() as noria:
        assert (await noria.chat("r", "hello")).text


async def test_nothing_there_is_said_in_a_sentence() -> None:
    async with AsyncNoria("http://127.0.0.1:9") as noria:
        with pytest.raises(errors.Unreachable, match="noria up"):
            await noria.chat("r", "hello")
    with pytest.raises(errors.ConfigError):
        Noria("localhost:8400")
