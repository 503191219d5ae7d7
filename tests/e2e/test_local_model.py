"""The official clients and LangChain with the local model."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from anthropic import AsyncAnthropic
from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI
from openai import AsyncOpenAI
from pydantic import BaseModel, SecretStr

from noria.testing.inline import InlineGateway

sys.path.insert(0, str(Path(__file__).parent))
from local_engine import MODEL, config, engine

pytestmark = [pytest.mark.weights, pytest.mark.asyncio(loop_scope="module")]
HELLO: list[Any] = [{"role": "user", "content": "Say hello."}]
COLOUR: Any = {
    "type": "function",
    "function": {
        "name": "paint",
        "description": "Paint the wall",
        "parameters": {
            "type": "object",
            "properties": {"colour": {"type": "string", "enum": ["red", "blue"]}},
            "required": ["colour"],
        },
    },
}


class Answer(BaseModel):
    yes: bool
    count: int


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def local(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[InlineGateway]:
    folder = tmp_path_factory.mktemp("local") / "home"
    with engine(folder):
        async with InlineGateway(folder, config()) as gateway:
            yield gateway


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(local: InlineGateway) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=local.url + "/v1", api_key=local.token, max_retries=0) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def claude(local: InlineGateway) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(base_url=local.url, api_key=local.token, max_retries=0) as made:
        yield made


async def test_chat_whole_and_streamed_is_one(client: AsyncOpenAI, local: InlineGateway) -> None:
    asked: dict[str, Any] = {"model": MODEL, "messages": HELLO, "max_completion_tokens": 12, "temperature": 0}
    whole = await client.chat.completions.create(**asked)
    chunks = [
        one
        async for one in await client.chat.completions.create(
            **asked, stream=True, stream_options={"include_usage": True}
        )
    ]
    text = "".join(one.choices[0].delta.content or "" for one in chunks if one.choices)
    assert text == whole.choices[0].message.content != ""
    assert whole.usage is not None and chunks[-1].usage is not None
    assert whole.usage.completion_tokens == chunks[-1].usage.completion_tokens
    call = local.calls()[-1]
    assert call.usage is not None
    assert call.usage.provenance == "reported"
    assert (call.usage.input, call.usage.output) == (
        whole.usage.prompt_tokens,
        whole.usage.completion_tokens,
    )


async def test_json_of_a_schema_is_valid(client: AsyncOpenAI) -> None:
    answer = await client.chat.completions.parse(
        model=MODEL, messages=HELLO, response_format=Answer, max_completion_tokens=60
    )
    assert isinstance(answer.choices[0].message.parsed, Answer)
    response = await client.responses.parse(
        model=MODEL, input="Say hello.", text_format=Answer, max_output_tokens=60
    )
    assert isinstance(response.output_parsed, Answer)


async def test_a_tool_is_called(client: AsyncOpenAI, claude: AsyncAnthropic) -> None:
    forced: Any = {"type": "function", "function": {"name": "paint"}}
    answer = await client.chat.completions.create(
        model=MODEL, messages=HELLO, tools=[COLOUR], tool_choice=forced, max_completion_tokens=60
    )
    calls = answer.choices[0].message.tool_calls
    assert calls is not None and calls[0].type == "function"
    assert calls[0].function.name == "paint"
    assert answer.choices[0].finish_reason == "tool_calls"
    function = COLOUR["function"]
    tool: Any = {"name": "paint", "input_schema": function["parameters"]}
    choice: Any = {"type": "tool", "name": "paint"}
    async with claude.messages.stream(
        model=MODEL, messages=HELLO, max_tokens=60, tools=[tool], tool_choice=choice
    ) as events:
        message = await events.get_final_message()
    uses = [one for one in message.content if one.type == "tool_use"]
    assert uses[0].name == "paint"
    assert uses[0].input["colour"] in ("red", "blue")


async def test_log_probabilities_of_answers_and_of_given_text(client: AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(
        model=MODEL, messages=HELLO, max_completion_tokens=4, logprobs=True, top_logprobs=3, temperature=0
    )
    found = answer.choices[0].logprobs
    assert found is not None and found.content is not None
    assert all(one.logprob <= 0 and len(one.top_logprobs) == 3 for one in found.content)
    echoed = await client.completions.create(
        model=MODEL, prompt="The sky is blue", max_tokens=0, echo=True, logprobs=1
    )
    given = echoed.choices[0].logprobs
    assert given is not None and given.token_logprobs is not None and given.tokens is not None
    assert "".join(given.tokens) == "The sky is blue" == echoed.choices[0].text
    assert all(one < 0 for one in given.token_logprobs[1:])


async def test_responses_are_streamed(client: AsyncOpenAI) -> None:
    events = await client.responses.create(model=MODEL, input="Say hello.", max_output_tokens=16, stream=True)
    kinds: list[str] = []
    text = ""
    async for event in events:
        kinds.append(event.type)
        if event.type == "response.output_text.delta":
            text += event.delta
    assert kinds[0] == "response.created"
    assert kinds[-1] in ("response.completed", "response.incomplete")
    assert text


async def test_messages_and_their_count(claude: AsyncAnthropic) -> None:
    message = await claude.messages.create(model=MODEL, messages=HELLO, max_tokens=12)
    assert message.content[0].type == "text" and message.content[0].text
    counted = await claude.messages.count_tokens(model=MODEL, messages=HELLO)
    usage = message.usage  # Messages count what the prompt cache knew beside the input.
    assert counted.input_tokens == usage.input_tokens + (usage.cache_read_input_tokens or 0)


async def test_langchain(local: InlineGateway) -> None:
    key = SecretStr(local.token)
    openai = ChatOpenAI(model=MODEL, base_url=local.url + "/v1", api_key=key, max_completion_tokens=12)
    claude = ChatAnthropic(
        model_name=MODEL, base_url=local.url, api_key=key, max_tokens_to_sample=12, timeout=60, stop=None
    )
    for chat in (openai, claude):
        assert (await chat.ainvoke("Say hello.")).text
        assert "".join([one.text async for one in chat.astream("Say hello.")])
    openai.max_tokens = 60
    structured = openai.with_structured_output(Answer, method="json_schema")
    assert isinstance(await structured.ainvoke("Say hello."), Answer)
