"""The mock straight before the official Anthropic SDK, and before plain HTTP for Gemini and Bedrock."""

import json
import struct
from collections.abc import AsyncIterator
from typing import Any
from zlib import crc32

import anthropic
import httpx2
import pytest

from noria.testing import Plan, ToolUse, Upstream

HELLO: Any = [{"role": "user", "content": "hello"}]


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with Upstream() as upstream:
        yield upstream


@pytest.fixture
async def client(upstream: Upstream) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(base_url=upstream.url, api_key="k", max_retries=0) as client:
        yield client


@pytest.fixture
async def http(upstream: Upstream) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=upstream.url) as client:
        yield client


@pytest.mark.parametrize(
    "plan",
    [
        Plan(),
        Plan(reason="let me think", text="well"),
        Plan(calls=(ToolUse("look", {"at": "the sea"}),)),
        Plan(cached=2, cache_write=3, input=20),
    ],
)
async def test_streamed_messages_end_in_the_whole_one(
    client: anthropic.AsyncAnthropic, upstream: Upstream, plan: Plan
) -> None:
    upstream.plan("m", plan)
    async with client.messages.stream(model="m", max_tokens=100, messages=HELLO) as stream:
        final = await stream.get_final_message()
    whole = await client.messages.create(model="m", max_tokens=100, messages=HELLO)
    assert [{**one.to_dict(), "id": ""} for one in final.content] == [
        {**one.to_dict(), "id": ""} for one in whole.content
    ]
    assert (final.stop_reason, final.usage.output_tokens) == (whole.stop_reason, whole.usage.output_tokens)
    usage, served = whole.usage, upstream.ledger.find(whole.id)
    assert usage.cache_read_input_tokens == served.cached
    assert usage.cache_creation_input_tokens == served.cache_write
    assert usage.input_tokens + served.cached + served.cache_write == served.input


async def test_tokens_are_counted_as_they_are_billed(client: anthropic.AsyncAnthropic) -> None:
    counted = await client.messages.count_tokens(model="m", messages=HELLO)
    answer = await client.messages.create(model="m", max_tokens=5, messages=HELLO)
    assert counted.input_tokens == answer.usage.input_tokens


async def test_refusals_are_the_sdk_s_own_errors(client: anthropic.AsyncAnthropic) -> None:
    with pytest.raises(anthropic.RateLimitError) as refusal:
        await client.messages.create(model="m/fail=429,retry_after=2", max_tokens=5, messages=HELLO)
    assert refusal.value.response.headers["retry-after"] == "2"
    with pytest.raises(anthropic.APIStatusError):
        async with client.messages.stream(model="m/error=after", max_tokens=50, messages=HELLO) as stream:
            await stream.get_final_message()


async def test_anthropic_models(client: anthropic.AsyncAnthropic) -> None:
    assert [model.id async for model in client.models.list()] == ["mock"]


GEMINI = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}


async def test_gemini_streams_what_it_says_whole(http: httpx2.AsyncClient, upstream: Upstream) -> None:
    upstream.plan("m", Plan(text="one two three", reason="hm", cached=1, input=9))
    whole = (await http.post("/v1beta/models/m:generateContent", json=GEMINI)).json()
    streamed = await http.post("/v1beta/models/m:streamGenerateContent?alt=sse", json=GEMINI)
    chunks = [json.loads(line[6:]) for line in streamed.text.splitlines() if line.startswith("data: ")]
    parts = [part for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]]
    assert "".join(part["text"] for part in parts if not part.get("thought")) == "one two three"
    assert chunks[-1]["usageMetadata"] == whole["usageMetadata"]
    usage = whole["usageMetadata"]
    served = upstream.ledger.served[0]
    assert usage["candidatesTokenCount"] + usage["thoughtsTokenCount"] == served.output == 4
    assert usage["totalTokenCount"] == served.input + served.output


async def test_gemini_embeds(http: httpx2.AsyncClient) -> None:
    one = {"content": {"parts": [{"text": "a"}]}}
    answer = await http.post("/v1beta/models/e:batchEmbedContents", json={"requests": [one, one]})
    first, second = answer.json()["embeddings"]
    assert first == second
    predicted = await http.post("/v1/projects/p/models/e:predict", json={"instances": [{"content": "a"}]})
    assert predicted.json()["predictions"][0]["embeddings"]["values"] == first["values"]


CONVERSE = {"messages": [{"role": "user", "content": [{"text": "hello"}]}]}


def messages(data: bytes) -> list[tuple[str, Any]]:
    """Kind and payload of each message of an Amazon event stream, checksums verified."""
    found: list[tuple[str, Any]] = []
    while data:
        total, size, check = struct.unpack_from(">III", data)
        assert crc32(data[:8]) == check
        assert crc32(data[: total - 4]) == struct.unpack_from(">I", data, total - 4)[0]
        headers, at = {}, 12
        while at < 12 + size:
            name = data[at + 1 : at + 1 + data[at]].decode()
            at += 1 + data[at]
            (length,) = struct.unpack_from(">H", data, at + 1)
            headers[name] = data[at + 3 : at + 3 + length].decode()
            at += 3 + length
        kind = headers.get(":event-type") or headers[":exception-type"]
        found.append((kind, json.loads(data[12 + size : total - 4])))
        data = data[total:]
    return found


async def test_bedrock_streams_what_it_says_whole(http: httpx2.AsyncClient, upstream: Upstream) -> None:
    upstream.plan("a.m:0", Plan(text="one two", calls=(ToolUse("look", {"at": "it"}),), cached=1, input=9))
    whole = (await http.post("/model/a.m%3A0/converse", json=CONVERSE)).json()
    streamed = await http.post("/model/a.m%3A0/converse-stream", json=CONVERSE)
    found = messages(streamed.content)
    kinds = [kind for kind, _ in found]
    assert (kinds[0], kinds[-2], kinds[-1]) == ("messageStart", "messageStop", "metadata")
    assert found[-1][1]["usage"] == whole["usage"]
    deltas = [value["delta"] for kind, value in found if kind == "contentBlockDelta"]
    assert "".join(delta.get("text", "") for delta in deltas) == "one two"
    arguments = "".join(delta["toolUse"]["input"] for delta in deltas if "toolUse" in delta)
    assert json.loads(arguments) == whole["output"]["message"]["content"][1]["toolUse"]["input"]
    assert whole["usage"]["totalTokens"] == upstream.ledger.served[0].input + upstream.ledger.served[0].output


async def test_bedrock_fails_in_its_own_words(http: httpx2.AsyncClient) -> None:
    answer = await http.post("/model/m%2Ffail=429/converse", json=CONVERSE)
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (429, "ThrottlingException")
    streamed = await http.post("/model/m%2Ferror=before/converse-stream", json=CONVERSE)
    assert messages(streamed.content)[-1][0] == "internalServerException"
