"""The official `openai` client before every provider."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import openai
import pytest
import pytest_asyncio
from openai import AsyncOpenAI
from pydantic import BaseModel

from noria.testing import Plan, ToolUse, Upstream
from noria.testing.inline import InlineGateway

pytestmark = pytest.mark.asyncio(loop_scope="module")
BACKS = (
    "openai",
    "openai-responses",
    "azure",
    "azure-old",
    "anthropic",
    "gemini",
    "vertex",
    "vertex-anthropic",
    "bedrock",
)
ANTHROPIC = ("anthropic", "vertex-anthropic")
NO_LOGPROBS = (*ANTHROPIC, "bedrock")
NO_CHOICES = (*ANTHROPIC, "bedrock")
every_back = pytest.mark.parametrize("back", BACKS)
streamed = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
HELLO: list[Any] = [{"role": "user", "content": "hello there"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city"],
        },
    },
}
CLOCK: Any = {
    "type": "function",
    "function": {
        "name": "clock",
        "description": "The time",
        "parameters": {"type": "object", "properties": {}},
    },
}
FLAT_WEATHER: Any = {"type": "function", "strict": False, **WEATHER["function"]}
FLAT_CLOCK: Any = {"type": "function", "strict": False, **CLOCK["function"]}
CALLS = (ToolUse("weather", {"city": "Győr", "days": 3}), ToolUse("clock", {}))
NOT_SENT: Any = {"parsed": True, "tool_calls": {"__all__": {"function": {"parsed_arguments"}}}}
"""What only the SDK's own view of an answer holds."""
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


class City(BaseModel):
    name: str
    inhabitants: int
    twins: list[str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(noria: InlineGateway) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=noria.url + "/v1", api_key=noria.token, max_retries=0) as made:
        yield made


def check_usage(upstream: Upstream, noria: InlineGateway, *, input: int, output: int) -> None:
    """The client's figures, the record's and the mock's ledger are one."""
    served = upstream.ledger.served[-1]
    call = noria.calls()[-1]
    assert call.usage is not None
    assert (input, output) == (served.input, served.output) == (call.usage.input, call.usage.output)
    assert call.usage.provenance == "reported"
    assert (call.usage.cached, call.usage.cache_write) == (served.cached, served.cache_write)
    assert call.cost is not None and Decimal(call.cost) > 0


async def chat(client: AsyncOpenAI, *, stream: bool, **given: Any) -> Any:
    """The whole completion, also of a stream, as the SDK itself puts it together."""
    if not stream:
        return await client.chat.completions.create(**given)
    async with client.chat.completions.stream(**given, stream_options={"include_usage": True}) as events:
        try:
            return await events.get_final_completion()
        except openai.LengthFinishReasonError as cut:  # The SDK's own view of a text that is cut short.
            return cut.completion


async def respond(client: AsyncOpenAI, *, stream: bool, **given: Any) -> Any:
    if not stream:
        return await client.responses.create(**given)
    async with client.responses.stream(**given) as events:
        return await events.get_final_response()


# chat completions


@every_back
@streamed
async def test_chat_says_what_the_model_said(
    client: AsyncOpenAI, noria: InlineGateway, upstream: Upstream, back: str, stream: bool
) -> None:
    cached = {"cached": 2} if back in ("gemini", "vertex") else {"cached": 2, "cache_write": 1}
    upstream.default = Plan(text="Szia, világ! 你好 👋", **cached)
    answer = await chat(client, stream=stream, model=back, messages=HELLO)
    assert answer.object == "chat.completion"
    assert answer.choices[0].message.content == "Szia, világ! 你好 👋"
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].finish_reason == "stop"
    check_usage(upstream, noria, input=answer.usage.prompt_tokens, output=answer.usage.completion_tokens)
    assert answer.usage.prompt_tokens_details.cached_tokens == 2
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert upstream.ledger.served[-1].stream == stream


@every_back
@streamed
async def test_chat_calls_several_tools_at_once(
    client: AsyncOpenAI, noria: InlineGateway, upstream: Upstream, back: str, stream: bool
) -> None:
    upstream.default = Plan(text="Let me see.", calls=CALLS)
    answer = await chat(client, stream=stream, model=back, messages=HELLO, tools=[WEATHER, CLOCK])
    choice = answer.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == "Let me see."
    made = [(one.function.name, json.loads(one.function.arguments)) for one in choice.message.tool_calls]
    assert made == [(one.name, one.arguments) for one in CALLS]
    assert len({one.id for one in choice.message.tool_calls}) == 2
    check_usage(upstream, noria, input=answer.usage.prompt_tokens, output=answer.usage.completion_tokens)


@every_back
@streamed
async def test_chat_takes_the_tools_results(
    client: AsyncOpenAI, noria: InlineGateway, upstream: Upstream, back: str, stream: bool
) -> None:
    upstream.queue(Plan(calls=CALLS), Plan(text="Sunny at ten."))
    first = await chat(client, stream=stream, model=back, messages=HELLO, tools=[WEATHER, CLOCK])
    asked = first.choices[0].message
    turns = [
        *HELLO,
        asked.model_dump(exclude_none=True, exclude=NOT_SENT),
        {"role": "tool", "tool_call_id": asked.tool_calls[0].id, "content": "sunny-in-the-city"},
        {"role": "tool", "tool_call_id": asked.tool_calls[1].id, "content": "ten-o-clock"},
    ]
    second = await chat(client, stream=stream, model=back, messages=turns, tools=[WEATHER, CLOCK])
    assert second.choices[0].message.content == "Sunny at ten."
    sent = json.dumps(upstream.ledger.served[-1].body, ensure_ascii=False)
    assert sent.index("Győr") < sent.index("sunny-in-the-city") < sent.index("ten-o-clock")


@every_back
async def test_chat_forces_one_tool(client: AsyncOpenAI, upstream: Upstream, back: str) -> None:
    choice: Any = {"type": "function", "function": {"name": "clock"}}
    answer = await client.chat.completions.create(
        model=back, messages=HELLO, tools=[WEATHER, CLOCK], tool_choice=choice
    )
    calls = answer.choices[0].message.tool_calls
    assert calls is not None
    assert [one.function.name for one in calls if one.type == "function"] == ["clock"]


@every_back
async def test_chat_parses_json_of_a_schema(client: AsyncOpenAI, upstream: Upstream, back: str) -> None:
    asking = client.chat.completions.parse(model=back, messages=HELLO, response_format=City)
    if back == "bedrock":
        upstream.default = Plan(text='{"name":"x","inhabitants":1,"twins":["y"]}')
    answer = await asking
    found = answer.choices[0].message.parsed
    assert found is not None
    assert isinstance(found.inhabitants, int)
    assert "inhabitants" in json.dumps(upstream.ledger.served[-1].body)


@every_back
@streamed
async def test_chat_says_why_it_stopped(
    client: AsyncOpenAI, upstream: Upstream, back: str, stream: bool
) -> None:
    upstream.default = Plan(words=40)
    short = await chat(client, stream=stream, model=back, messages=HELLO, max_completion_tokens=5)
    assert short.choices[0].finish_reason == "length"
    assert short.usage.completion_tokens == 5
    cut = await chat(client, stream=stream, model=back, messages=HELLO, stop=["w7"])
    assert cut.choices[0].finish_reason == "stop"
    assert cut.choices[0].message.content.rstrip().endswith("w6")


@every_back
@streamed
async def test_chat_carries_reasoning(
    client: AsyncOpenAI, noria: InlineGateway, upstream: Upstream, back: str, stream: bool
) -> None:
    upstream.default = Plan(reason="Think of rivers.", text="Mosoni-Duna")
    answer = await chat(client, stream=stream, model=back, messages=HELLO)
    message = answer.choices[0].message
    assert message.content == "Mosoni-Duna"
    assert message.reasoning_content == "Think of rivers."
    check_usage(upstream, noria, input=answer.usage.prompt_tokens, output=answer.usage.completion_tokens)
    if back != "bedrock":  # Converse does not report it.
        reasoned = upstream.ledger.served[-1].reasoning
        assert answer.usage.completion_tokens_details.reasoning_tokens == reasoned > 0


@every_back
@streamed
async def test_chat_log_probabilities_are_given_or_refused(
    client: AsyncOpenAI, upstream: Upstream, back: str, stream: bool
) -> None:
    upstream.default = Plan(text="one two three")
    asking = chat(client, stream=stream, model=back, messages=HELLO, logprobs=True, top_logprobs=2)
    if back in NO_LOGPROBS:
        with pytest.raises(openai.BadRequestError) as refused:
            await asking
        assert refused.value.param in ("logprobs", "top_logprobs")
        assert upstream.ledger.served == []
        return
    if back in ("gemini", "vertex"):
        await asking
        assert upstream.ledger.served[-1].body["generationConfig"]["responseLogprobs"] is True
        return
    found = (await asking).choices[0].logprobs.content
    assert "".join(one.token for one in found) == "one two three"
    assert all(one.logprob < 0 and len(one.top_logprobs) == 2 for one in found)


@every_back
@streamed
async def test_chat_gives_several_choices_or_refuses(
    client: AsyncOpenAI, upstream: Upstream, back: str, stream: bool
) -> None:
    asking = chat(client, stream=stream, model=back, messages=HELLO, n=2)
    if back in NO_CHOICES:
        with pytest.raises(openai.BadRequestError) as refused:
            await asking
        assert refused.value.param == "n"
        return
    answer = await asking
    assert [one.index for one in answer.choices] == [0, 1]
    assert answer.choices[0].message.content == answer.choices[1].message.content


@every_back
async def test_chat_shows_images(client: AsyncOpenAI, upstream: Upstream, back: str) -> None:
    url = f"data:image/png;base64,{PIXEL}"
    parts: Any = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]
    answer = await client.chat.completions.create(model=back, messages=[{"role": "user", "content": parts}])
    assert answer.choices[0].message.content
    assert PIXEL in json.dumps(upstream.ledger.served[-1].body)


@every_back
@streamed
async def test_errors_arrive_as_the_clients_own(
    client: AsyncOpenAI, upstream: Upstream, back: str, stream: bool
) -> None:
    for status, kind in (
        (400, openai.BadRequestError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
    ):
        upstream.default = Plan(fail=status)
        with pytest.raises(kind, match="told to fail"):
            await chat(client, stream=stream, model=back, messages=HELLO)
    upstream.default = Plan(fail=500)
    with pytest.raises(openai.InternalServerError) as raised:
        await chat(client, stream=stream, model=back, messages=HELLO)
    assert raised.value.status_code == 502


@every_back
async def test_a_stream_that_breaks_raises(client: AsyncOpenAI, upstream: Upstream, back: str) -> None:
    upstream.default = Plan(words=30, error="after")
    with pytest.raises(openai.APIError):
        await chat(client, stream=True, model=back, messages=HELLO)
    with pytest.raises(openai.APIError):
        await respond(client, stream=True, model=back, input="hello")


# responses


@every_back
@streamed
async def test_responses_say_what_the_model_said(
    client: AsyncOpenAI, noria: InlineGateway, upstream: Upstream, back: str, stream: bool
) -> None:
    upstream.default = Plan(reason="Think of rivers.", text="Szia, világ! 👋", cached=2)
    answer = await respond(client, stream=stream, model=back, input="hello there", instructions="Be kind.")
    assert (answer.object, answer.status) == ("response", "completed")
    assert answer.output_text == "Szia, világ! 👋"
    assert [one.type for one in answer.output] == ["reasoning", "message"]
    check_usage(upstream, noria, input=answer.usage.input_tokens, output=answer.usage.output_tokens)
    assert answer.usage.input_tokens_details.cached_tokens == 2
    assert "Be kind." in json.dumps(upstream.ledger.served[-1].body)


@every_back
@streamed
async def test_responses_call_tools_and_take_their_results(
    client: AsyncOpenAI, noria: InlineGateway, upstream: Upstream, back: str, stream: bool
) -> None:
    upstream.queue(Plan(calls=CALLS), Plan(text="Sunny at ten."))
    tools = [FLAT_WEATHER, FLAT_CLOCK]
    first = await respond(client, stream=stream, model=back, input="hello", tools=tools)
    calls = [one for one in first.output if one.type == "function_call"]
    assert [(one.name, json.loads(one.arguments)) for one in calls] == [
        (one.name, one.arguments) for one in CALLS
    ]
    turns: list[Any] = [{"role": "user", "content": "hello"}]
    turns += [one.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for one in first.output]
    turns += [
        {"type": "function_call_output", "call_id": one.call_id, "output": said}
        for one, said in zip(calls, ("sunny-in-the-city", "ten-o-clock"), strict=True)
    ]
    second = await respond(client, stream=stream, model=back, input=turns, tools=tools)
    assert second.output_text == "Sunny at ten."
    sent = json.dumps(upstream.ledger.served[-1].body, ensure_ascii=False)
    assert sent.index("Győr") < sent.index("sunny-in-the-city") < sent.index("ten-o-clock")


@every_back
async def test_responses_parse_json_of_a_schema(client: AsyncOpenAI, upstream: Upstream, back: str) -> None:
    if back == "bedrock":
        upstream.default = Plan(text='{"name":"x","inhabitants":1,"twins":["y"]}')
    answer = await client.responses.parse(model=back, input="hello", text_format=City)
    assert answer.output_parsed is not None
    assert isinstance(answer.output_parsed.inhabitants, int)


@every_back
@streamed
async def test_responses_say_that_they_are_incomplete(
    client: AsyncOpenAI, upstream: Upstream, back: str, stream: bool
) -> None:
    upstream.default = Plan(words=40)
    if stream:
        events = [
            one
            async for one in await client.responses.create(
                model=back, input="hello", max_output_tokens=16, stream=True
            )
        ]
        assert events[-1].type == "response.incomplete"
        answer: Any = events[-1].response
        assert [one.sequence_number for one in events] == list(range(len(events)))
    else:
        answer = await client.responses.create(model=back, input="hello", max_output_tokens=16)
    assert answer.status == "incomplete"
    assert answer.incomplete_details.reason == "max_output_tokens"
    assert answer.usage.output_tokens == 16


# completions, embeddings, models


@every_back
@streamed
async def test_text_completions(
    client: AsyncOpenAI, noria: InlineGateway, upstream: Upstream, back: str, stream: bool
) -> None:
    upstream.default = Plan(text="and so it goes")
    if stream:
        chunks = [
            one
            async for one in await client.completions.create(
                model=back, prompt="Once upon", stream=True, stream_options={"include_usage": True}
            )
        ]
        text = "".join(one.choices[0].text for one in chunks if one.choices)
        usage = chunks[-1].usage
    else:
        answer = await client.completions.create(model=back, prompt="Once upon")
        text, usage = answer.choices[0].text, answer.usage
    assert text == "and so it goes"
    assert usage is not None
    check_usage(upstream, noria, input=usage.prompt_tokens, output=usage.completion_tokens)


@every_back
async def test_embeddings(client: AsyncOpenAI, noria: InlineGateway, upstream: Upstream, back: str) -> None:
    asking = client.embeddings.create(model=f"{back}-embedding", input=["one"])
    if back in ANTHROPIC:
        with pytest.raises(openai.BadRequestError, match="embeddings"):
            await asking
        return
    answer = await asking
    plain = await client.embeddings.create(model=f"{back}-embedding", input=["one"], encoding_format="float")
    assert len(answer.data) == 1
    assert answer.data[0].embedding == pytest.approx(plain.data[0].embedding)
    assert answer.usage.prompt_tokens == upstream.ledger.served[-1].input


async def test_models_are_the_routes(client: AsyncOpenAI) -> None:
    listed = [one.id async for one in client.models.list()]
    assert set(BACKS) < set(listed)
    assert (await client.models.retrieve("bedrock")).id == "bedrock"
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("nothing")
