"""What Noria has not stored is asked of the provider that owns it, through real processes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from noria.gateway.snapshot import Provider, Route, Snapshot, Target
from noria.testing import Upstream
from noria.testing.stack import Stack, mock_model, snapshot

HELLO: list[Any] = [{"role": "user", "content": "hello"}]


def config(own: str, other: str) -> Snapshot:
    """`own` speaks the Responses API, `other` chat completions only."""
    return snapshot(
        providers={
            "own": Provider(
                name="own", dialect="openai", base_url=own + "/v1", auth="none", options={"responses": "pass"}
            ),
            "other": Provider(name="other", dialect="openai", base_url=other + "/v1", auth="none"),
        },
        models={"own/m": mock_model("m", provider="own"), "other/m": mock_model("m", provider="other")},
        routes={
            "r": Route(name="r", targets=(Target(model="own/m"),)),
            "plain": Route(name="plain", targets=(Target(model="other/m"),)),
        },
    )


@pytest.fixture
async def own() -> AsyncIterator[Upstream]:
    async with Upstream() as up:
        yield up


@pytest.fixture
async def other() -> AsyncIterator[Upstream]:
    async with Upstream() as up:
        yield up


@pytest.fixture
def noria(own: Upstream, other: Upstream, tmp_path: Path) -> Any:
    with Stack(tmp_path / "home", config(own.url, other.url)) as stack:
        yield stack


def client(noria: Stack, token: str) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=noria.url + "/v1", api_key=token, max_retries=0)


def paths(upstream: Upstream) -> list[tuple[str, str]]:
    return [(one.dialect, one.path) for one in upstream.ledger.served]


async def test_own_ids_stay_here_and_unknown_ids_go_to_the_owner(
    noria: Stack, own: Upstream, other: Upstream
) -> None:
    async with client(noria, noria.key()) as mine:
        made = await mine.responses.create(model="r", input="hello")
        assert len(own.ledger.served) == 1
        assert (await mine.responses.retrieve(made.id)).id == made.id
        assert [one.type async for one in mine.responses.input_items.list(made.id)] == ["message"]
        assert len(own.ledger.served) == 1
        assert (await mine.responses.retrieve("resp_elsewhere")).id == "resp_elsewhere"
        assert (await mine.responses.cancel("resp_elsewhere")).status == "cancelled"
        assert (await mine.chat.completions.retrieve("chatcmpl-elsewhere")).id == "chatcmpl-elsewhere"
        await mine.responses.delete("resp_elsewhere")
        asked = [path for _, path in paths(own)][1:]
        assert asked == [
            "/v1/responses/resp_elsewhere",
            "/v1/responses/resp_elsewhere/cancel",
            "/v1/chat/completions/chatcmpl-elsewhere",
            "/v1/responses/resp_elsewhere",
        ]
        assert other.ledger.served == []
        assert all("nk-" not in str(one.headers) for one in own.ledger.served)


async def test_what_is_deleted_here_is_deleted_at_the_provider_and_never_asked_for_again(
    noria: Stack, own: Upstream
) -> None:
    async with client(noria, noria.key()) as mine:
        made = await mine.responses.create(model="r", input="hello")
        chat = await mine.chat.completions.create(model="r", messages=HELLO, store=True)
        await mine.responses.delete(made.id)
        await mine.chat.completions.delete(chat.id)
        assert [path for _, path in paths(own)][2:] == [
            f"/v1/responses/{made.id}",
            f"/v1/chat/completions/{chat.id}",
        ]
        with pytest.raises(openai.NotFoundError):
            await mine.responses.retrieve(made.id)
        assert len(own.ledger.served) == 4


async def test_another_projects_id_is_not_asked_for_at_the_provider_they_share(
    noria: Stack, own: Upstream
) -> None:
    async with client(noria, noria.key()) as mine, client(noria, noria.key(project="x")) as theirs:
        made = await mine.responses.create(model="r", input="hello")
        for call in (theirs.responses.retrieve, theirs.responses.delete, theirs.responses.cancel):
            with pytest.raises(openai.NotFoundError):
                await call(made.id)
        assert len(own.ledger.served) == 1
        assert (await mine.responses.retrieve(made.id)).id == made.id


async def test_a_key_without_a_route_to_the_owner_is_told_that_there_is_none(
    noria: Stack, own: Upstream, other: Upstream
) -> None:
    async with client(noria, noria.key(routes=("plain",))) as narrow:
        with pytest.raises(openai.NotFoundError):
            await narrow.responses.retrieve("resp_elsewhere")
    async with client(noria, "nk-" + "x" * 44) as stranger:
        with pytest.raises(openai.AuthenticationError):
            await stranger.responses.retrieve("resp_elsewhere")
    assert own.ledger.served == other.ledger.served == []


CLIMBING = (
    "..", "../models", "..%2Fmodels", "%2e%2e", ".", "resp_1/../../files", "resp_1/secrets", "r%0d%0aa:b",
)  # fmt: skip


async def test_no_id_climbs_out_of_its_path(noria: Stack, own: Upstream) -> None:
    key = noria.key()
    for path in CLIMBING:
        reader, writer = await asyncio.open_connection("127.0.0.1", noria.port)
        head = f"GET /v1/responses/{path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n"
        writer.write(f"{head}connection: close\r\n\r\n".encode())
        assert (await reader.readline()).split()[1] == b"404", path
        writer.close()
    assert own.ledger.served == []


async def test_the_owners_failure_is_told_and_its_key_is_not_blamed_on_the_caller(
    noria: Stack, own: Upstream
) -> None:
    async with client(noria, noria.key()) as mine:
        await own.stop()
        with pytest.raises(openai.InternalServerError) as raised:
            await mine.responses.retrieve("resp_elsewhere")
        assert raised.value.status_code == 502


async def test_a_providers_own_models_are_deleted_by_editors_only(noria: Stack, own: Upstream) -> None:
    async with client(noria, noria.key()) as caller, client(noria, noria.key(role="editor")) as editor:
        with pytest.raises(openai.PermissionDeniedError):
            await caller.models.delete("ft:gpt-4o:acme::abc123")
        with pytest.raises(openai.ConflictError):
            await editor.models.delete("r")
        assert own.ledger.served == []
        assert (await editor.models.delete("ft:gpt-4o:acme::abc123")).deleted
        assert paths(own) == [("resource", "/v1/models/ft:gpt-4o:acme::abc123")]


async def test_counts_and_compaction_go_where_they_can(noria: Stack, own: Upstream, other: Upstream) -> None:
    async with client(noria, noria.key()) as mine:
        assert (await mine.responses.input_tokens.count(model="r", input="hello")).input_tokens > 0
        compact: Any = await mine.responses.compact(model="r", input="hello")
        assert compact.object == "response.compaction"
        assert own.ledger.served[-1].body["model"] == "m"
        with pytest.raises(openai.NotFoundError, match="compact"):
            await mine.responses.compact(model="plain", input="hello")
        with pytest.raises(openai.BadRequestError, match="counts tokens"):
            await mine.responses.input_tokens.count(model="plain", input="hello")
        assert other.ledger.served == []
