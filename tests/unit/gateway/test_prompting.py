"""Prompts served by the gateway: in each dialect, by label and number, recorded, refused in a sentence."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from noria.gateway.snapshot import Provider, Route, Target
from noria.prompts.compiled import CompiledPrompt
from noria.prompts.compose import compiled, composed
from noria.prompts.pool import write_pool
from noria.prompts.technique import Shot
from noria.prompts.version import PromptContent, PromptMessage
from noria.testing import Upstream
from noria.testing.inline import InlineGateway
from noria.testing.stack import mock_model, snapshot

STRING = {"type": "string"}
ASK = PromptMessage(role="user", template="Where is {{ city }}?")
SYSTEM = PromptMessage(role="system", template="Answer in {{ language | default('English') }}.")


def make(number: int = 1, *, pool: str = "", **content: Any) -> CompiledPrompt:
    schema = {
        "type": "object", "properties": {"city": STRING, "language": STRING}, "required": ["city"],
        "additionalProperties": False,
    }  # fmt: skip
    given = {"messages": (SYSTEM, ASK), "variables": schema, "model": "r", **content}

    def nothing(*_: str) -> Any:
        raise AssertionError

    whole, included = composed(PromptContent(**given), name="where", resolve=nothing, by_digest=nothing)
    return compiled(
        whole, included, project="default", name="where", number=number, digest=whole.digest, pool=pool
    )


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with Upstream() as found:
        yield found


@pytest.fixture
async def noria(tmp_path: Path, upstream: Upstream) -> AsyncIterator[InlineGateway]:
    providers = {
        "a": Provider(name="a", dialect="openai", base_url=upstream.url + "/v1", auth="none"),
        "b": Provider(
            name="b",
            dialect="openai",
            base_url=upstream.url + "/v1",
            auth="none",
            options={"responses": "pass"},
        ),
        "c": Provider(name="c", dialect="anthropic", base_url=upstream.url, auth="none"),
    }
    models = {"a/m": mock_model("m", provider="a"), "c/m": mock_model("m", provider="c")}
    models["b/m"] = mock_model("m", provider="b")
    routes = {"r": Route(name="r", targets=(Target(model="a/m"),), retries=0)}
    async with InlineGateway(tmp_path, snapshot(providers=providers, models=models, routes=routes)) as found:
        found.prompt(make(parameters={"temperature": 0.25, "max_tokens": 20}), "production")
        found.prompt(make(2, messages=(ASK,)), "staging")
        yield found


def sent(upstream: Upstream) -> dict[str, Any]:
    """The last body that came to the upstream."""
    return upstream.ledger.served[-1].body


async def test_a_prompt_is_called_as_a_model(noria: InlineGateway, upstream: Upstream) -> None:
    more = [{"role": "assistant", "content": "Here."}, {"role": "user", "content": "Sure?"}]
    body = {
        "model": "prompt/where",
        "noria": {"variables": {"city": "Rome"}},
        "messages": more,
        "max_tokens": 9,
    }
    answer = await noria.post(body)
    assert answer.status_code == 200, answer.text
    got = sent(upstream)
    assert got["messages"] == [
        {"role": "system", "content": "Answer in English."},
        {"role": "user", "content": "Where is Rome?"},
        *more,
    ]
    assert (got["model"], got["temperature"], got["max_tokens"]) == ("m", 0.25, 9) and "noria" not in got
    said = answer.headers["x-noria-prompt"]
    assert said.startswith("where@1; label=production; digest=sha256:")
    (call,) = noria.calls()
    assert call.prompt is not None and (call.prompt.name, call.prompt.number) == ("where", 1)
    assert call.model == "prompt/where" and call.route == "r"
    kept = json.loads(call.request)
    assert kept["messages"][1]["content"] == "Where is Rome?" and kept["noria"]["variables"] == {
        "city": "Rome"
    }


async def test_labels_and_numbers_choose_the_version(noria: InlineGateway, upstream: Upstream) -> None:
    for name, number in (("where@staging", 2), ("where@2", 2), ("where@1", 1)):
        answer = await noria.post({"model": f"prompt/{name}", "noria": {"variables": {"city": "Rome"}}})
        assert answer.headers["x-noria-prompt"].startswith(f"where@{number};")
        assert len(sent(upstream)["messages"]) == 3 - number
    noria.prompt(make(3, messages=(SYSTEM,)), "production")
    answer = await noria.post({"model": "prompt/where", "noria": {"variables": {"city": "Rome"}}})
    assert answer.headers["x-noria-prompt"].startswith("where@3;"), "a moved label is served at once"


async def test_the_body_may_name_the_model_and_the_prompt(noria: InlineGateway, upstream: Upstream) -> None:
    said = {"prompt": "where@production", "variables": {"city": "Rome", "language": "Latin"}, "user": "u"}
    answer = await noria.post({"model": "a/m", "noria": said, "stream": True})
    assert answer.status_code == 200 and sent(upstream)["messages"][0]["content"] == "Answer in Latin."
    (call,) = noria.calls()
    assert call.route == "a/m" and call.user == "u" and call.prompt is not None


@pytest.mark.parametrize("model", ["prompt/where", "c/m"])
async def test_anthropics_dialect(noria: InlineGateway, upstream: Upstream, model: str) -> None:
    said: dict[str, Any] = {"variables": {"city": "Rome"}}
    if model == "c/m":
        said["prompt"] = "where"
    body = {"model": model, "noria": said, "system": "Be brief.", "max_tokens": 5}
    answer = await noria.post(body, path="/v1/messages")
    assert answer.status_code == 200, answer.text
    got = sent(upstream)
    if model == "c/m":
        assert [one["text"] for one in got["system"]] == ["Answer in English.", "Be brief."]
        assert (
            got["messages"] == [{"role": "user", "content": "Where is Rome?"}] and got["temperature"] == 0.25
        )
    else:
        assert got["messages"][-1]["content"] == "Where is Rome?"


async def test_the_responses_apis_own_prompt(noria: InlineGateway, upstream: Upstream) -> None:
    prompt = {"id": "where", "version": "1", "variables": {"city": "Rome"}}
    answer = await noria.post({"model": "b/m", "prompt": prompt, "input": "Hm?"}, path="/v1/responses")
    assert answer.status_code == 200, answer.text
    got = sent(upstream)
    texts = [one["content"] for one in got["input"]]
    assert texts == ["Answer in English.", "Where is Rome?", "Hm?"] and got["max_output_tokens"] == 20
    assert "prompt" not in got and got["model"] == "m"
    answer = await noria.post({"prompt": prompt}, path="/v1/responses")
    assert answer.status_code == 200 and sent(upstream)["messages"][1]["content"] == "Where is Rome?"
    other = {"model": "b/m", "prompt": {"id": "pmpt_1", "variables": {"x": "y"}}, "input": "x"}
    await noria.post(other, path="/v1/responses")
    assert sent(upstream)["prompt"]["id"] == "pmpt_1", "the provider's own goes there"


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"model": "prompt/where"}, 400, "'city' is missing"),
        ({"model": "prompt/where", "noria": {"variables": {"city": 3}}}, 400, "must be string, not integer"),
        ({"model": "prompt/where", "noria": {"variables": {"city": "x", "y": 1}}}, 400, "no variable 'y'"),
        ({"model": "prompt/none"}, 404, "no prompt 'none'"),
        ({"model": "prompt/where@none"}, 404, "production (1), staging (2)"),
        ({"model": "prompt/where@7"}, 404, "serves versions that have a label"),
        ({"model": "prompt/where@@"}, 400, "names no version"),
        ({"model": "prompt/a b"}, 400, "cannot name a prompt"),
        ({"model": "prompt/where", "noria": {"variables": [1]}}, 400, "`noria` is not understood"),
        ({"model": "prompt/where", "noria": {"variables": {"city": "x"}}, "messages": 3}, 400, "array"),
        ({"model": "prompt/where", "noria": {"prompt": "where"}}, 400, "not as both"),
    ],
)
async def test_what_cannot_be_served_is_a_sentence(
    noria: InlineGateway, body: dict[str, Any], status: int, words: str
) -> None:
    answer = await noria.post(body)
    assert answer.status_code == status and words in answer.json()["error"]["message"]


async def test_tokens_of_a_prompt_are_counted(noria: InlineGateway, upstream: Upstream) -> None:
    said = {"prompt": "where", "variables": {"city": "Rome"}}
    answer = await noria.post({"model": "c/m", "noria": said}, path="/v1/messages/count_tokens")
    assert answer.status_code == 200 and answer.json()["input_tokens"] > 0
    assert sent(upstream)["messages"] == [{"role": "user", "content": "Where is Rome?"}]


async def test_the_sdk_fetches_what_has_a_label(noria: InlineGateway) -> None:
    headers = {"authorization": f"Bearer {noria.token}"}
    found = await noria.client.get("/v1/prompts/where@staging", headers=headers)
    assert found.json()["label"] == "staging" and found.json()["prompt"]["number"] == 2
    assert (await noria.client.get("/v1/prompts/where@9", headers=headers)).status_code == 404
    assert (await noria.client.get("/v1/prompts/where@staging")).status_code == 401
    other = {"authorization": f"Bearer {noria.key(routes=('a/m',))}"}
    assert (await noria.client.get("/v1/prompts/where", headers=other)).status_code == 403
    for path in ("/v1/prompts/", "/v1/prompts/%00", "/v1/prompts/a/b"):
        assert (await noria.client.get(path, headers=headers)).status_code == 400


async def test_a_key_may_be_for_one_prompt_alone(noria: InlineGateway) -> None:
    token = noria.key(routes=("prompt/where",))
    said = {"variables": {"city": "Rome"}}
    assert (await noria.post({"model": "prompt/where", "noria": said}, token=token)).status_code == 200
    stolen = {"model": "a/m", "noria": {**said, "prompt": "where"}}
    assert (await noria.post(stolen, token=token)).status_code == 403
    other = noria.key(routes=("prompt/where",), project="elsewhere")
    assert (await noria.post({"model": "prompt/where", "noria": said}, token=other)).status_code == 404


async def test_what_the_caller_has_rendered_is_on_the_span(noria: InlineGateway) -> None:
    made = {"name": "where", "number": 9, "digest": "sha256:x"}
    body = {"model": "r", "messages": [{"role": "user", "content": "x"}], "noria": {"rendered": made}}
    answer = await noria.post(body)
    assert answer.headers["x-noria-prompt"] == "where@9; digest=sha256:x"


async def test_similar_examples_are_chosen_by_an_embedding_call(
    noria: InlineGateway, upstream: Upstream
) -> None:
    """The mock gives a text always the same vector: the nearest example is that of the same text."""
    texts = ["Rome", "Oslo", "Lima"]
    asked = await noria.post({"model": "a/m", "input": texts}, path="/v1/embeddings")
    vectors = [one["embedding"] for one in asked.json()["data"]]
    shots = [Shot(input={"city": text}, answer=f"{text}!") for text in texts]
    write_pool(noria.home.pools / "p.pool", shots, vectors)
    technique = {
        "examples": {"choose": "similar", "k": 1, "dataset": "d@1", "embedder": "a/m", "field": "city"}
    }
    noria.prompt(make(4, technique=technique, pool="p"), "few")
    before = len(noria.calls())
    answer = await noria.post({"model": "prompt/where@few", "noria": {"variables": {"city": "Oslo"}}})
    assert answer.status_code == 200, answer.text
    assert [one["content"] for one in sent(upstream)["messages"]] == [
        "Answer in English.", "Where is Oslo?", "Oslo!", "Where is Oslo?",
    ]  # fmt: skip
    inner, outer = noria.calls()[before:]
    assert inner.operation == "embeddings" and inner.trace == outer.trace and inner.parent == outer.span
    (noria.home.pools / "p.pool").unlink()
    assert msgspec.json.decode(answer.content)["choices"]


async def test_models_lists_the_prompts_that_the_key_may_call(noria: InlineGateway) -> None:
    noria.prompt(make(3, model=""), "bare")
    noria.prompt(make(4, model="elsewhere"), "lost")

    async def listed(*routes: str) -> list[str]:
        headers = {"authorization": f"Bearer {noria.key(routes=routes)}"}
        answer = await noria.client.get("/v1/models", headers=headers)
        return [one["id"] for one in answer.json()["data"]]

    both = ["prompt/where", "prompt/where@staging"]
    assert await listed("prompt/where") == both
    assert await listed("r") == [*both, "r"]
    assert await listed("a/m") == ["a/m"] and set(both) < set(await listed("*"))
    for name in both:
        answer = await noria.client.get(
            f"/v1/models/{name}", headers={"authorization": f"Bearer {noria.token}"}
        )
        assert answer.json()["owned_by"] == "a"
        assert (
            await noria.post({"model": name, "noria": {"variables": {"city": "Rome"}}})
        ).status_code == 200
    headers = {"authorization": f"Bearer {noria.key(routes=('a/m',))}", "anthropic-version": "2023-06-01"}
    assert (await noria.client.get("/v1/models/prompt/where", headers=headers)).status_code == 404
    other = {"authorization": f"Bearer {noria.key(routes=('*',), project='other')}"}
    names = [one["id"] for one in (await noria.client.get("/v1/models", headers=other)).json()["data"]]
    assert not any(name.startswith("prompt/") for name in names), "another project's prompts are not shown"


async def test_a_key_cannot_have_a_prompt_that_it_may_not_use_repeated_by_its_own_model(
    noria: InlineGateway, upstream: Upstream
) -> None:
    said = {"prompt": "where", "variables": {"city": "Rome"}}
    token = noria.key(routes=("a/m",))
    refused = await noria.post({"model": "a/m", "noria": said}, token=token)
    assert refused.status_code == 403 and "prompt/where" in refused.json()["error"]["message"]
    stored = {"model": "a/m", "prompt": {"id": "where", "variables": {"city": "Rome"}}}
    assert (await noria.post(stored, path="/v1/responses", token=token)).status_code == 403
    assert not upstream.ledger.served
    for routes in (("a/m", "prompt/where"), ("a/m", "r"), ("*",)):
        token = noria.key(routes=routes)
        assert (await noria.post({"model": "a/m", "noria": said}, token=token)).status_code == 200
    alone = noria.key(routes=("prompt/where",))
    assert (await noria.post({"model": "a/m", "noria": said}, token=alone)).status_code == 403
