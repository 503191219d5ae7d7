"""LangChain's chat models, tools, structured output and embeddings before every provider."""

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel, SecretStr

from noria.testing import Plan, ToolUse, Upstream
from noria.testing.inline import InlineGateway

pytestmark = pytest.mark.asyncio(loop_scope="module")
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
FRONTS = ("chat", "responses", "messages")
matrix = pytest.mark.parametrize(("front", "back"), [(front, back) for front in FRONTS for back in BACKS])
CALLS = (ToolUse("weather", {"city": "Győr"}), ToolUse("clock", {}))


class City(BaseModel):
    """A city."""

    name: str
    inhabitants: int


@tool
def weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny-in-{city}"


@tool
def clock() -> str:
    """The time."""
    return "ten-o-clock"


def model(noria: InlineGateway, front: str, back: str) -> BaseChatModel:
    if front == "messages":
        return ChatAnthropic(
            model_name=back, base_url=noria.url, api_key=SecretStr(noria.token), max_retries=0,
            timeout=20, stop=None,
        )  # fmt: skip
    return ChatOpenAI(
        model=back,
        base_url=noria.url + "/v1",
        api_key=SecretStr(noria.token),
        max_retries=0,
        use_responses_api=front == "responses",
        stream_usage=True,
    )


async def whole(chunks: AsyncIterator[Any]) -> Any:
    """The chunks of a stream, added up as LangChain does."""
    total: Any = None
    async for chunk in chunks:
        total = chunk if total is None else total + chunk
    return total


@matrix
async def test_invoke_and_stream(noria: InlineGateway, upstream: Upstream, front: str, back: str) -> None:
    upstream.default = Plan(text="Szia, világ!", cached=2)
    chat = model(noria, front, back)
    asked = [SystemMessage("Be kind."), HumanMessage("hello there")]
    for answer in (await chat.ainvoke(asked), await whole(chat.astream(asked))):
        assert answer.text == "Szia, világ!"
        served = upstream.ledger.served[-1]
        usage = answer.usage_metadata
        assert (usage["input_tokens"], usage["output_tokens"]) == (served.input, served.output)
        assert usage["input_token_details"]["cache_read"] == 2
    assert [one.stream for one in upstream.ledger.served] == [False, True]


@matrix
async def test_tools_to_the_end(noria: InlineGateway, upstream: Upstream, front: str, back: str) -> None:
    chat = model(noria, front, back).bind_tools([weather, clock])
    for run in (chat.ainvoke, lambda turns: whole(chat.astream(turns))):
        upstream.queue(Plan(calls=CALLS), Plan(text="Sunny at ten."))
        turns: list[Any] = [HumanMessage("hello there")]
        said: AIMessage = await run(turns)
        assert [(one["name"], one["args"]) for one in said.tool_calls] == [
            (one.name, one.arguments) for one in CALLS
        ]
        turns.append(said)
        for call, known in zip(said.tool_calls, (weather, clock), strict=True):
            result: ToolMessage = await known.ainvoke(call)
            turns.append(result)
        assert (await run(turns)).text == "Sunny at ten."
        assert "sunny-in-Győr" in str(upstream.ledger.served[-1].body)


@matrix
async def test_structured_output(noria: InlineGateway, upstream: Upstream, front: str, back: str) -> None:
    upstream.default = Plan() if back != "bedrock" else Plan(text='{"name":"x","inhabitants":1}')
    by_schema = model(noria, front, back).with_structured_output(City, method="json_schema")
    assert isinstance(await by_schema.ainvoke("hello"), City)
    upstream.default = Plan()
    by_tool = model(noria, front, back).with_structured_output(City, method="function_calling")
    if front != "messages" and back in ("gemini", "vertex", "bedrock"):
        # LangChain asks for one call at a time, which these providers cannot be told.
        with pytest.raises(openai.BadRequestError, match="one tool call at a time"):
            await by_tool.ainvoke("hello")
        return
    assert isinstance(await by_tool.ainvoke("hello"), City)


@pytest.mark.parametrize("back", ["openai", "azure", "gemini", "vertex", "bedrock"])
async def test_embeddings(noria: InlineGateway, upstream: Upstream, back: str) -> None:
    embedder = OpenAIEmbeddings(
        model=f"{back}-embedding",
        base_url=noria.url + "/v1",
        api_key=SecretStr(noria.token),
        check_embedding_ctx_length=False,  # Else it counts tokens itself, with a file from the network.
        chunk_size=1,
    )
    first, second = await embedder.aembed_documents(["one", "two"])
    assert len(first) == len(second)
    assert first != second
    assert await embedder.aembed_query("one") == pytest.approx(first)
