"""Targets: a prompt with every technique, choices by log-probability, an endpoint, a function."""

from __future__ import annotations

import asyncio
import json
import math
import sys
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from noria.client import AsyncNoria
from noria.core.example import Example
from noria.errors import ConfigError, InvalidRequest, UpstreamFailed, UpstreamTimeout
from noria.evals.run import TargetSpec
from noria.evals.targets.choice import ChoiceTarget, likelihoods
from noria.evals.targets.function import FunctionTarget, load
from noria.evals.targets.model import ModelTarget
from noria.evals.targets.prompt import PromptTarget
from noria.prompts.compose import compiled, composed
from noria.prompts.version import PromptContent, PromptMessage
from noria.runtime.endpoint import EndpointTarget


def client(answer: Callable[[dict[str, Any], int], str], asked: list[dict[str, Any]]) -> AsyncNoria:
    """A Noria that answers what `answer` says to a body and its number."""

    def respond(request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content)
        asked.append(body)
        said = {"role": "assistant", "content": answer(body, len(asked))}
        return httpx2.Response(
            200,
            headers={"x-noria-cost": "0.25", "x-noria-trace-id": f"{len(asked):032x}"},
            json={
                "id": "c", "object": "chat.completion", "created": 1, "model": body["model"],
                "choices": [{"index": 0, "message": said, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
            },
        )  # fmt: skip

    return AsyncNoria("http://noria", "nk-x", transport=httpx2.MockTransport(respond))


def prompt(text: str, **technique: Any) -> Any:
    content = PromptContent(messages=(PromptMessage(role="user", template=text),), technique=technique)

    def nothing(*_: str) -> Any:
        raise AssertionError

    content, included = composed(content, name="p", resolve=nothing, by_digest=nothing)
    return compiled(content, included, project="default", name="p", number=1, digest=content.digest)


EXAMPLE = Example(id="e1", input={"question": "2+2?"}, expected="4")


async def test_a_model_is_asked_as_the_example_says_and_the_run_is_on_the_call() -> None:
    asked: list[dict[str, Any]] = []
    spec = TargetSpec(model="m", parameters={"temperature": 0, "seed": 7})
    target = ModelTarget(spec, client(lambda *_: "4", asked), run="run_1", name="sums")
    example = Example(id="e1", input={"messages": [{"role": "user", "content": "2+2?"}]})
    output = await target(example, repeat=2, seed=0)
    assert (output.text, output.cost, output.trace) == ("4", Decimal("0.25"), f"{1:032x}")
    assert asked[0]["messages"] == example.input["messages"] and asked[0]["seed"] == 9
    assert asked[0]["noria"] == {
        "episode": "run_1", "tags": {"eval": "sums", "example": "e1", "repeat": "2"}, "cache": "no-cache",
    }  # fmt: skip
    with pytest.raises(InvalidRequest, match='neither "messages" nor "input"'):
        await target(Example(id="x", input={"a": 1, "b": 2}), repeat=0, seed=0)


async def test_chain_of_thought_gives_the_answer_alone() -> None:
    asked: list[dict[str, Any]] = []
    made = prompt("{{ question }}", reasoning={})
    mark = made.technique.reasoning.answer
    target = PromptTarget(
        TargetSpec(model="m"), made, client(lambda *_: f"Two and two. {mark} 4", asked), run="r", name="n"
    )
    assert (await target(EXAMPLE, repeat=0, seed=0)).text == "4"
    assert asked[0]["messages"][-1]["content"].startswith("2+2?")


async def test_self_consistency_asks_several_times_and_counts_all_of_it() -> None:
    asked: list[dict[str, Any]] = []
    made = prompt("{{ question }}", samples={"n": 3})
    target = PromptTarget(
        TargetSpec(model="m"), made, client(lambda _, n: "5" if n == 1 else "4", asked), run="r", name="n"
    )
    output = await target(EXAMPLE, repeat=0, seed=0)
    assert (output.text, output.cost, output.data["samples"]) == ("4", Decimal("0.75"), ["5", "4", "4"])
    assert output.usage is not None and (output.usage.input, output.usage.requests) == (30, 3)
    assert output.data["share"] == pytest.approx(2 / 3)


async def test_decomposition_and_best_of_n() -> None:
    asked: list[dict[str, Any]] = []
    made = prompt(
        "{{ question }} {{ hint }}",
        steps=[{"name": "hint", "template": "Hint for {{ question }}"}],
        samples={"n": 2, "choose": "best", "scorer": {"type": "length"}},
    )

    async def longest(rank: Any, example: Example) -> list[float]:
        return [float(len(text)) for text in rank.texts]

    target = PromptTarget(
        TargetSpec(model="m"), made, client(lambda _, n: "x" * n, asked), run="r", name="n", ranking=longest
    )
    assert (await target(EXAMPLE, repeat=0, seed=0)).text == "xxx"
    assert [body["noria"]["tags"].get("step", "") for body in asked] == ["hint", "", ""]
    assert asked[1]["messages"][0]["content"] == "2+2? x"


def body_of(context: str, choice: str, *, logprob: float) -> dict[str, Any]:
    """One token a word, as an engine echoes them, and one that it wrote."""
    whole = f"{context} {choice}"
    offsets = [0, *(index for index, one in enumerate(whole) if one == " ")]
    values = [None, *(logprob for _ in offsets[1:])]
    logprobs = {"token_logprobs": [*values, -9.0], "text_offset": [*offsets, len(whole)]}
    return {
        "choices": [{"logprobs": logprobs}],
        "usage": {"prompt_tokens": len(offsets), "completion_tokens": 1},
    }


async def test_choices_are_as_likely_as_their_own_tokens() -> None:
    def respond(request: httpx2.Request) -> httpx2.Response:
        asked = json.loads(request.content)
        assert asked["echo"] is True
        text = asked["prompt"].removeprefix("Sky colour:").strip()
        return httpx2.Response(
            200, json=body_of("Sky colour:", text, logprob=-0.5 if "blue" in text else -1.0)
        )

    noria = AsyncNoria("http://noria", "k", transport=httpx2.MockTransport(respond))
    target = ChoiceTarget(TargetSpec(model="m", choices="choices"), noria, run="r", name="n")
    example = Example(
        id="e", input={"input": "Sky colour:"}, metadata={"choices": ["light green", "deep blue"]}
    )
    output = await target(example, repeat=0, seed=0)
    assert output.text == "deep blue"
    assert output.data == {"logprobs": [-2.0, -1.0], "tokens": [2, 2]}
    assert output.usage is not None and output.usage.requests == 2 and output.cost is None
    with pytest.raises(InvalidRequest, match="no choices"):
        await target(Example(id="x", input={"input": "a"}), repeat=0, seed=0)
    for nonsense in ({}, {"choices": [{"logprobs": None}]}, {"choices": []}):
        with pytest.raises(UpstreamFailed, match="no log-prob"):
            likelihoods(nonsense, "a", 3)


async def test_an_endpoint_gets_the_input_and_may_break() -> None:
    answers = {
        "text": httpx2.Response(200, text="plain"),
        "json": httpx2.Response(200, json={"text": "said", "context": ["a", "b"]}),
        "data": httpx2.Response(200, json={"label": "x", "score": 1}),
        "bad": httpx2.Response(200, text="{", headers={"content-type": "application/json"}),
        "error": httpx2.Response(500, text="no"),
    }
    target = EndpointTarget(TargetSpec(url="http://there/x", timeout=1), headers={"x-key": "k"})
    target._http = httpx2.AsyncClient(
        transport=httpx2.MockTransport(lambda request: answers[json.loads(request.content)["want"]])
    )

    async def ask(want: str) -> Any:
        return await target(Example(id=want, input={"want": want}), repeat=0, seed=0)

    assert (await ask("text")).text == "plain"
    assert ((await ask("json")).text, (await ask("json")).context) == ("said", ("a", "b"))
    assert (await ask("data")).data == {"label": "x", "score": 1}
    with pytest.raises(UpstreamFailed, match="what is not JSON"):
        await ask("bad")
    with pytest.raises(UpstreamFailed, match="answered 500: no"):
        await ask("error")
    await target.close()


async def test_an_endpoint_that_is_not_there() -> None:
    target = EndpointTarget(TargetSpec(url="http://127.0.0.1:9/x", timeout=1), headers={})
    with pytest.raises((UpstreamFailed, UpstreamTimeout), match=r"127\.0\.0\.1:9"):
        await target(EXAMPLE, repeat=0, seed=0)
    await target.close()


async def test_functions_wait_or_not_and_have_a_time_limit() -> None:
    async def waits(given: dict[str, Any]) -> Any:
        await asyncio.sleep(given.get("for", 0))
        return {"answer": 4}

    target = FunctionTarget(waits, timeout=0.05)
    output = await target(Example(id="e", input={}), repeat=0, seed=0)
    assert (output.text, output.data) == ('{"answer":4}', {"answer": 4})
    with pytest.raises(UpstreamFailed, match=r"within 0\.05 seconds"):
        await target(Example(id="e", input={"for": 1}), repeat=0, seed=0)


@pytest.mark.parametrize(
    "given",
    [{"x": math.nan}, "half a pair \ud83d", {"text": "a", "context": ["\udc00"]}, {"x": {1j}}, [math.inf]],
)
async def test_what_cannot_be_kept_is_no_answer(given: Any) -> None:
    target = FunctionTarget(lambda _: given, timeout=1)
    with pytest.raises(UpstreamFailed, match="no JSON"):
        await target(EXAMPLE, repeat=0, seed=0)


async def test_a_function_that_ends_the_program_fails_alone() -> None:
    target = FunctionTarget(lambda _: sys.exit(3), timeout=1)
    with pytest.raises(UpstreamFailed, match=r"exit\(3\)"):
        await target(EXAMPLE, repeat=0, seed=0)
    output = await FunctionTarget(lambda _: {"text": "a", "context": 5}, timeout=1)(EXAMPLE, repeat=0, seed=0)
    assert output.context == ("5",)


async def test_an_endpoints_answer_is_bounded_and_text() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1_000_000

    answers = {
        "long": httpx2.Response(200, content=endless()),
        "bytes": httpx2.Response(200, content=b"\xff\xfe"),
    }
    target = EndpointTarget(TargetSpec(url="http://there/x", timeout=1), headers={})
    target._http = httpx2.AsyncClient(
        transport=httpx2.MockTransport(lambda request: answers[json.loads(request.content)["want"]])
    )
    for want, words in (("long", "more than 16,777,216 bytes"), ("bytes", "what is no text")):
        with pytest.raises(UpstreamFailed, match=words):
            await target(Example(id=want, input={"want": want}), repeat=0, seed=0)
    await target.close()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("os", "named as module:name"),
        ("no_such_thing:f", "cannot be imported"),
        ("os:no_such", "has no 'no_such'"),
        ("os:sep", "is not a function"),
    ],
)
def test_a_function_that_is_not_there_is_a_sentence(name: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load(name)
