"""Prompts in the SDK: kept for a while, stale rather than absent, and carried out by their technique."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import msgspec
import pytest

from noria.client import AsyncNoria, Noria, about
from noria.errors import InvalidRequest, NotFound, Unavailable, Unreachable, Unsupported
from noria.prompts.compose import compiled, composed
from noria.prompts.version import PromptContent, PromptMessage


def make(number: int = 1, *, text: str = "Name {{ what }}.", pool: str = "", **content: Any) -> bytes:
    def nothing(*_: str) -> Any:
        raise AssertionError

    given: dict[str, Any] = {
        "messages": (PromptMessage(role="user", template=text),),
        "model": "r",
        **content,
    }
    whole, included = composed(PromptContent(**given), name="p", resolve=nothing, by_digest=nothing)
    made = compiled(
        whole, included, project="default", name="p", number=number, digest=whole.digest, pool=pool
    )
    return msgspec.json.encode({"label": "production", "prompt": made})


class Server:
    """Answers prompts and chats as a Noria does; `says` are the texts of its answers in turn."""

    def __init__(self) -> None:
        self.prompt: bytes | None = make()
        self.status = 200
        self.asked: list[dict[str, Any]] = []
        self.fetched = 0
        self.says: Callable[[dict[str, Any]], str] = lambda body: f"answer {len(self.asked)}"

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            self.fetched += 1
            if self.prompt is None:
                raise httpx2.ConnectError("refused")
            return httpx2.Response(self.status, content=self.prompt)
        body = msgspec.json.decode(request.content)
        self.asked.append(body)
        choices = [
            {
                "index": n,
                "message": {"role": "assistant", "content": self.says(body)},
                "finish_reason": "stop",
            }
            for n in range(body.get("n", 1))
        ]
        answer = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": choices}
        return httpx2.Response(200, json=answer)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def noria(server: Server) -> Noria:
    return Noria("http://noria.invalid", "nk-x", transport=httpx2.MockTransport(server))


def test_a_prompt_is_kept_and_goes_on_stale(server: Server, noria: Noria) -> None:
    first = noria.prompt("p")
    assert first.render(what="two fish") == [{"role": "user", "content": "Name two fish."}]
    assert noria.prompt("p").number == 1 and server.fetched == 1
    server.prompt = make(2)
    assert noria.prompt("p", max_age=0).number == 2
    server.prompt = None
    old = noria.prompt("p", max_age=0)
    assert (old.number, old.stale) == (2, True) and not first.stale
    with pytest.raises(Unreachable):
        noria.prompt("other")
    server.prompt, server.status = b'{"error": {"message": "gone", "code": "not_found"}}', 404
    with pytest.raises(NotFound):
        noria.prompt("p", max_age=0)
    server.prompt, server.status = b"{}", 503
    with pytest.raises(Unavailable):  # A label that was taken away does not come back with an outage.
        noria.prompt("p", max_age=0)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_refusal_that_says_nothing_of_the_prompt_leaves_the_old_copy(
    server: Server, noria: Noria, status: int
) -> None:
    noria.prompt("p")
    server.prompt, server.status = b"{}", status
    assert noria.prompt("p", max_age=0).stale


def test_a_noria_that_does_not_answer_is_not_asked_at_every_call(server: Server, noria: Noria) -> None:
    noria.prompt("p")
    server.prompt = None
    assert noria.prompt("p", max_age=0).stale and server.fetched == 2
    assert noria.prompt("p").stale and server.fetched == 2
    server.prompt = make(2)
    assert not noria.prompt("p", max_age=0).stale and noria.prompt("p").number == 2


def test_a_missing_variable_is_named(noria: Noria) -> None:
    with pytest.raises(InvalidRequest, match="'what' is not defined"):
        noria.prompt("p").render()


def test_chat_says_which_version_it_is(server: Server, noria: Noria) -> None:
    with about(user="u"):
        said = noria.prompt("p").chat(
            {"what": "a fish"}, messages=[{"role": "user", "content": "Go."}], seed=1
        )
    (asked,) = server.asked
    assert [one["content"] for one in asked["messages"]] == ["Name a fish.", "Go."]
    assert asked["model"] == "r" and asked["seed"] == 1 and asked["noria"]["user"] == "u"
    assert asked["noria"]["rendered"]["name"] == "p" and asked["noria"]["rendered"]["number"] == 1
    assert said.text == said.answer == "answer 1" and len(said.answers) == 1


def test_self_consistency_takes_the_vote(server: Server, noria: Noria) -> None:
    technique = {"samples": {"n": 3}, "reasoning": {}}
    server.prompt = make(technique=technique)
    texts = iter(["So.\nAnswer: 41", "Hence.\nAnswer: 42.", "**Answer: 42**"])
    server.says = lambda body: next(texts)
    said = noria.prompt("p").chat({"what": "it"})
    assert said.answer == "42." and said.outcome.share == pytest.approx(2 / 3)
    assert "step by step" in server.asked[0]["messages"][0]["content"]
    assert server.asked[0]["temperature"] == 0.7 and len(server.asked) == 3


def test_the_best_of_several_needs_a_score(server: Server, noria: Noria) -> None:
    server.prompt = make(technique={"samples": {"n": 3, "choose": "best", "scorer": {"type": "x"}}})
    texts = ["a", "ccc", "bb"] * 2
    server.says = lambda body: texts.pop(0)
    with pytest.raises(InvalidRequest, match="give `score`"):
        noria.prompt("p").chat({"what": "it"})
    assert noria.prompt("p").chat({"what": "it"}, score=len).text == "ccc"


async def test_steps_answer_one_after_the_other(server: Server) -> None:
    steps = [
        {"name": "parts", "template": "Split {{ what }}."},
        {"name": "facts", "template": "Facts of {{ parts }}."},
    ]
    schema = {"properties": {"what": {"type": "string"}}, "additionalProperties": False, "type": "object"}
    server.prompt = make(
        text="{{ what }}: {{ facts }} of {{ parts }}", technique={"steps": steps}, variables=schema
    )
    async with AsyncNoria("http://noria.invalid", "nk-x", transport=httpx2.MockTransport(server)) as noria:
        prompt = await noria.prompt("p")
        said = await prompt.chat({"what": "it"})
        assert [one["messages"][0]["content"] for one in server.asked] == [
            "Split it.", "Facts of answer 1.", "it: answer 2 of answer 1",
        ]  # fmt: skip
        assert said.outcome.steps == {"parts": "answer 1", "facts": "answer 2"}
        with pytest.raises(InvalidRequest, match="must be string"):
            await prompt.chat({"what": 1})
    assert len(server.asked) == 3, "nothing is asked for a variable that is wrong"


def test_examples_that_the_gateway_chooses_are_left_to_it(server: Server, noria: Noria) -> None:
    examples = {"choose": "similar", "dataset": "d@1", "embedder": "e"}
    server.prompt = make(technique={"examples": examples}, pool="x")
    prompt = noria.prompt("p")
    with pytest.raises(Unsupported, match="chosen by the gateway"):
        prompt.render(what="it")
    prompt.chat({"what": "it"})
    assert server.asked[0]["noria"] == {"prompt": "p@production", "variables": {"what": "it"}}
