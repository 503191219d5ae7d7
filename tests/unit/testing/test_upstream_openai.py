"""The mock straight before the official OpenAI SDK."""

import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from noria.testing import Plan, ToolUse, Upstream

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
HELLO: Any = [{"role": "user", "content": "hello"}]


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with Upstream() as upstream:
        yield upstream


@pytest.fixture
async def client(upstream: Upstream) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{upstream.url}/v1", api_key="k", max_retries=0) as client:
        yield client


async def test_a_chat_and_its_usage_are_in_the_ledger(upstream: Upstream, client: openai.AsyncOpenAI) -> None:
    upstream.queue(Plan(text="one two three", reason="I think", cached=3, input=10))
    answer = await client.chat.completions.create(model="m", messages=HELLO, logprobs=True, top_logprobs=2)
    choice = answer.choices[0]
    assert choice.message.content == "one two three"
    assert choice.logprobs and choice.logprobs.content
    assert "".join(one.token for one in choice.logprobs.content) == "one two three"
    assert [len(one.top_logprobs) for one in choice.logprobs.content] == [2, 2, 2]
    served = upstream.ledger.find(answer.id)
    assert answer.usage and answer.usage.prompt_tokens_details and answer.usage.completion_tokens_details
    assert (served.input, served.output, served.cached, served.reasoning) == (10, 5, 3, 2)
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (10, 5)
    assert answer.usage.prompt_tokens_details.cached_tokens == 3
    assert answer.usage.completion_tokens_details.reasoning_tokens == 2
    assert served.whole and served.reported and not served.aborted


async def test_a_streamed_chat_says_the_same(upstream: Upstream, client: openai.AsyncOpenAI) -> None:
    upstream.plan("m", Plan(chunks=20, gap=1))
    stream = await client.chat.completions.create(
        model="m", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    whole = await client.chat.completions.create(model="m", messages=HELLO)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage
    assert upstream.ledger.served[0].chunks == 20


async def test_tools_are_called_as_the_request_demands(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(
        model="m", messages=HELLO, tools=[WEATHER], tool_choice="required"
    )
    (call,) = answer.choices[0].message.tool_calls or ()
    assert call.type == "function"
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": "text"})
    assert answer.choices[0].finish_reason == "tool_calls"


async def test_streamed_tool_arguments_join_to_json(upstream: Upstream, client: openai.AsyncOpenAI) -> None:
    upstream.queue(Plan(calls=(ToolUse("weather", {"city": "Berlin and Potsdam"}), ToolUse("weather"))))
    async with client.chat.completions.stream(model="m", messages=HELLO, tools=[WEATHER]) as stream:
        answer = await stream.get_final_completion()
    calls = answer.choices[0].message.tool_calls or []
    assert [json.loads(call.function.arguments) for call in calls] == [
        {"city": "Berlin and Potsdam"},
        {"city": "text"},
    ]


async def test_json_follows_the_schema(client: openai.AsyncOpenAI) -> None:
    schema: Any = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    answer = await client.chat.completions.create(
        model="m",
        messages=HELLO,
        response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}},
    )
    assert json.loads(answer.choices[0].message.content or "") == {"n": 1}


async def test_a_limit_and_a_stop_end_the_text(client: openai.AsyncOpenAI, upstream: Upstream) -> None:
    upstream.default = Plan(words=50)
    short = await client.chat.completions.create(model="m", messages=HELLO, max_completion_tokens=3)
    assert short.choices[0].finish_reason == "length"
    assert short.usage and short.usage.completion_tokens == 3
    stopped = await client.chat.completions.create(model="m", messages=HELLO, stop=["w4"])
    assert stopped.choices[0].message.content == "w0 w1 w2 w3 "


async def test_completions_echo_the_prompt_with_its_log_probabilities(client: openai.AsyncOpenAI) -> None:
    answer = await client.completions.create(
        model="m", prompt="The quick fox", echo=True, logprobs=1, max_tokens=0
    )
    choice = answer.choices[0]
    assert choice.text == "The quick fox"
    assert choice.logprobs and choice.logprobs.tokens and choice.logprobs.token_logprobs
    assert choice.logprobs.text_offset == [0, 3, 9]
    assert choice.logprobs.token_logprobs[0] is None


async def test_embeddings_are_equal_for_equal_text(client: openai.AsyncOpenAI, upstream: Upstream) -> None:
    answer = await client.embeddings.create(model="m", input=["a", "b", "a"], dimensions=16)
    vectors = [one.embedding for one in answer.data]
    assert len(vectors[0]) == 16
    assert vectors[0] == vectors[2] != vectors[1]
    assert sum(value * value for value in vectors[0]) == pytest.approx(1, abs=1e-6)
    assert upstream.ledger.served[0].input == answer.usage.prompt_tokens


@pytest.mark.parametrize("plan", [Plan(), Plan(reason="let me see", text="so be it"), Plan(refuse="No.")])
async def test_streamed_responses_end_in_the_whole_one(
    client: openai.AsyncOpenAI, upstream: Upstream, plan: Plan
) -> None:
    upstream.plan("m", plan)
    async with client.responses.stream(model="m", input="hello") as stream:
        kinds = [event.type async for event in stream]
        final = await stream.get_final_response()
    whole = await client.responses.create(model="m", input="hello")
    assert final.output_text == whole.output_text
    assert [one.type for one in final.output] == [one.type for one in whole.output]
    assert final.usage == whole.usage
    assert kinds[0] == "response.created" and kinds[-1] == "response.completed"
    assert (await client.responses.retrieve(whole.id)).output_text == whole.output_text


async def test_responses_call_tools(client: openai.AsyncOpenAI) -> None:
    tool: Any = {"type": "function", "strict": True, **WEATHER["function"]}
    async with client.responses.stream(model="m", input="x", tools=[tool], tool_choice="required") as stream:
        final = await stream.get_final_response()
    (call,) = final.output
    assert call.type == "function_call" and json.loads(call.arguments) == {"city": "text"}


async def test_models_are_listed(client: openai.AsyncOpenAI) -> None:
    assert [model.id async for model in client.models.list()] == ["mock"]
    assert (await client.models.retrieve("x/y")).id == "x/y"
