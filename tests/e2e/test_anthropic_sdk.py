"""The official `anthropic` client before every provider."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import anthropic
import pytest
import pytest_asyncio
from anthropic import AsyncAnthropic
from pydantic import BaseModel

from noria.testing import Plan, ToolUse, Upstream
from noria.testing.inline import InlineGateway

pytestmark = pytest.mark.asyncio(loop_scope="module")
BACKS = (
    "openai", "openai-responses", "azure", "azure-old", "anthropic", "gemini", "vertex", "vertex-anthropic",
    "bedrock",
)  # fmt: skip
OPENAI = ("openai", "openai-responses", "azure", "azure-old")
every_back = pytest.mark.parametrize("back", BACKS)
streamed = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
HELLO: list[Any] = [{"role": "user", "content": "hello there"}]
TOOLS: list[Any] = [
    {
        "name": "weather",
        "description": "The weather of a city",
        "input_schema": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city"],
        },
    },
    {"name": "clock", "description": "The time", "input_schema": {"type": "object", "properties": {}}},
]
CALLS = (ToolUse("weather", {"city": "Győr", "days": 3}), ToolUse("clock", {}))
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


class City(BaseModel):
    name: str
    inhabitants: int


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(noria: InlineGateway) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(base_url=noria.url, api_key=noria.token, max_retries=0) as made:
        yield made


async def say(client: AsyncAnthropic, *, stream: bool, **given: Any) -> Any:
    """The whole message, also of a stream, as the SDK itself puts it together."""
    given = {"max_tokens": 500, "messages": HELLO, **given}
    if not stream:
        return await client.messages.create(**given)
    async with client.messages.stream(**given) as events:
        return await events.get_final_message()


def check_usage(upstream: Upstream, noria: InlineGateway, usage: anthropic.types.Usage) -> None:
    """The client's figures, the record's and the mock's ledger are one."""
    served = upstream.ledger.served[-1]
    call = noria.calls()[-1]
    assert call.usage is not None
    read, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    assert (read, written) == (served.cached, served.cache_write)
    assert usage.input_tokens + read + written == served.input == call.usage.input
    assert usage.output_tokens == served.output == call.usage.output
    assert call.cost is not None and Decimal(call.cost) > 0


@every_back
@streamed
async def test_messages_say_what_the_model_said(
    client: AsyncAnthropic, noria: InlineGateway, upstream: Upstream, back: str, stream: bool
) -> None:
    cached = {"cached": 2} if back in ("gemini", "vertex") else {"cached": 2, "cache_write": 1}
    upstream.default = Plan(text="Szia, világ! 你好 👋", **cached)
    answer = await say(client, stream=stream, model=back, system="Be kind.")
    assert (answer.type, answer.role, answer.stop_reason) == ("message", "assistant", "end_turn")
    assert [one.text for one in answer.content] == ["Szia, világ! 你好 👋"]
    check_usage(upstream, noria, answer.usage)
    assert upstream.ledger.served[-1].stream == stream
    assert "Be kind." in json.dumps(upstream.ledger.served[-1].body)


@every_back
@streamed
async def test_messages_call_tools_and_take_their_results(
    client: AsyncAnthropic, noria: InlineGateway, upstream: Upstream, back: str, stream: bool
) -> None:
    upstream.queue(Plan(text="Let me see.", calls=CALLS), Plan(text="Sunny at ten."))
    first = await say(client, stream=stream, model=back, tools=TOOLS)
    assert first.stop_reason == "tool_use"
    assert first.content[0].text == "Let me see."
    uses = [one for one in first.content if one.type == "tool_use"]
    assert [(one.name, one.input) for one in uses] == [(one.name, one.arguments) for one in CALLS]
    assert len({one.id for one in uses}) == 2
    check_usage(upstream, noria, first.usage)
    results = [
        {"type": "tool_result", "tool_use_id": one.id, "content": said}
        for one, said in zip(uses, ("sunny-in-the-city", "ten-o-clock"), strict=True)
    ]
    said = [one.model_dump(exclude_none=True) for one in first.content]
    turns = [*HELLO, {"role": "assistant", "content": said}, {"role": "user", "content": results}]
    second = await say(client, stream=stream, model=back, messages=turns, tools=TOOLS)
    assert second.content[0].text == "Sunny at ten."
    sent = json.dumps(upstream.ledger.served[-1].body, ensure_ascii=False)
    assert sent.index("Győr") < sent.index("sunny-in-the-city") < sent.index("ten-o-clock")


@every_back
async def test_one_tool_can_be_forced(client: AsyncAnthropic, upstream: Upstream, back: str) -> None:
    choice: Any = {"type": "tool", "name": "clock"}
    answer = await say(client, stream=False, model=back, tools=TOOLS, tool_choice=choice)
    assert [one.name for one in answer.content if one.type == "tool_use"] == ["clock"]
    assert answer.stop_reason == "tool_use"


@every_back
@streamed
async def test_thinking_comes_and_goes_back(
    client: AsyncAnthropic, noria: InlineGateway, upstream: Upstream, back: str, stream: bool
) -> None:
    upstream.default = Plan(reason="Think of rivers.", text="Mosoni-Duna")
    asked: dict[str, Any] = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 4000}
    if back in OPENAI:
        with pytest.raises(anthropic.BadRequestError, match="budget"):
            await say(client, stream=stream, model=back, **asked)
        asked = {"output_config": {"effort": "low"}, "max_tokens": 4000}
    first = await say(client, stream=stream, model=back, **asked)
    assert [one.type for one in first.content] == ["thinking", "text"]
    assert first.content[0].thinking == "Think of rivers."
    assert first.content[1].text == "Mosoni-Duna"
    check_usage(upstream, noria, first.usage)
    said = [one.model_dump(exclude_none=True) for one in first.content]
    turns = [*HELLO, {"role": "assistant", "content": said}, *HELLO]
    await say(client, stream=stream, model=back, messages=turns, **asked)
    sent = json.dumps(upstream.ledger.served[-1].body)
    assert "Mosoni-Duna" in sent
    if back in ("anthropic", "vertex-anthropic", "bedrock"):
        assert "bW9jaw==" in sent  # The signature, without which they refuse the thoughts.


@every_back
@streamed
async def test_messages_say_why_they_stopped(
    client: AsyncAnthropic, upstream: Upstream, back: str, stream: bool
) -> None:
    upstream.default = Plan(words=40)
    short = await say(client, stream=stream, model=back, max_tokens=5)
    assert (short.stop_reason, short.usage.output_tokens) == ("max_tokens", 5)
    cut = await say(client, stream=stream, model=back, stop_sequences=["w7"])
    assert cut.stop_reason in ("stop_sequence", "end_turn")  # Only Anthropic's own API tells them apart.
    assert cut.content[0].text.rstrip().endswith("w6")
    if back in ("anthropic", "vertex-anthropic"):
        assert (cut.stop_reason, cut.stop_sequence) == ("stop_sequence", "w7")


@every_back
async def test_messages_show_images(client: AsyncAnthropic, upstream: Upstream, back: str) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    parts = [{"type": "image", "source": source}, {"type": "text", "text": "What is it?"}]
    answer = await say(client, stream=False, model=back, messages=[{"role": "user", "content": parts}])
    assert answer.content[0].text
    assert PIXEL in json.dumps(upstream.ledger.served[-1].body)


@every_back
async def test_messages_parse_json_of_a_schema(client: AsyncAnthropic, upstream: Upstream, back: str) -> None:
    if back == "bedrock":
        upstream.default = Plan(text='{"name":"x","inhabitants":1}')
    answer = await client.messages.parse(model=back, messages=HELLO, max_tokens=500, output_format=City)
    assert isinstance(answer.parsed_output, City)
    assert "inhabitants" in json.dumps(upstream.ledger.served[-1].body)


@every_back
async def test_tokens_are_counted_where_the_provider_can(
    client: AsyncAnthropic, upstream: Upstream, back: str
) -> None:
    asking = client.messages.count_tokens(model=back, messages=HELLO)
    if back in OPENAI:
        with pytest.raises(anthropic.BadRequestError, match="counts tokens"):
            await asking
        return
    assert (await asking).input_tokens > 0


@every_back
@streamed
async def test_errors_arrive_as_the_clients_own(
    client: AsyncAnthropic, upstream: Upstream, back: str, stream: bool
) -> None:
    for status, kind in (
        (400, anthropic.BadRequestError),
        (404, anthropic.NotFoundError),
        (429, anthropic.RateLimitError),
    ):
        upstream.default = Plan(fail=status)
        with pytest.raises(kind, match="told to fail") as raised:
            await say(client, stream=stream, model=back)
        assert raised.value.body["type"] == "error"
    upstream.default = Plan(words=30, error="after")
    with pytest.raises(anthropic.APIError):
        await say(client, stream=True, model=back)


async def test_models_are_the_routes(client: AsyncAnthropic) -> None:
    listed = [one.id async for one in client.models.list()]
    assert set(BACKS) < set(listed)
    assert (await client.models.retrieve("bedrock")).id == "bedrock"
    with pytest.raises(anthropic.NotFoundError):
        await client.models.retrieve("nothing")


async def test_a_wrong_key_is_refused(noria: InlineGateway) -> None:
    async with AsyncAnthropic(base_url=noria.url, api_key="nk-" + "x" * 44, max_retries=0) as client:
        with pytest.raises(anthropic.AuthenticationError):
            await say(client, stream=False, model="anthropic")
