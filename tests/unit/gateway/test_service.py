"""The gateway over real sockets, before a mock upstream that misbehaves on demand."""

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from noria.access.key import Budget, RateLimit
from noria.gateway.snapshot import Breaker, CacheRule, Provider, Route, Snapshot, Target, Timeouts
from noria.models.price import Price
from noria.testing import Plan, Upstream
from noria.testing.inline import InlineGateway
from noria.testing.stack import mock_model, snapshot

PRICE = Price(
    id="p1", input=Decimal(3), output=Decimal(15), cached=Decimal("0.3"), cache_write=Decimal("3.75")
)
CHAT: dict[str, Any] = {
    "model": "r",
    "messages": [{"role": "user", "content": "hello there"}],
    "max_tokens": 50,
}
FAILURES = [
    Plan(fail=500),
    Plan(fail=401),
    Plan(fail=404),
    Plan(close="before"),
    Plan(error="before"),
    Plan(garbage=True),
    Plan(length="long"),
]
STATUSES = [(400, 400), (422, 422), (500, 502), (429, 429), (401, 502), (404, 404)]
MALFORMED = [
    b"",
    b"[]",
    b"nul",
    b'{"model":3}',
    b'{"model":"r"}',
    b'{"model":"r","messages":3,"prompt":3,"input":3}',
    b'{"model":"r","stream":"yes","messages":[],"prompt":"","input":""}',
]


def _config(upstream: Upstream, second: Upstream | None = None, **route: Any) -> Snapshot:
    providers = {"a": Provider(name="a", dialect="openai", base_url=upstream.url + "/v1", auth="none")}
    models = {"a/m": mock_model("m", provider="a", price=PRICE)}
    targets = [Target(model="a/m")]
    if second is not None:
        providers["b"] = Provider(name="b", dialect="openai", base_url=second.url + "/v1", auth="none")
        models["b/m"] = mock_model("m", provider="b", price=PRICE)
        targets.append(Target(model="b/m", order=1))
    given = {"backoff": 0.001, **route}
    return snapshot(
        providers=providers, models=models, routes={"r": Route(name="r", targets=tuple(targets), **given)}
    )


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with Upstream() as up:
        yield up


@pytest.fixture
async def second() -> AsyncIterator[Upstream]:
    async with Upstream() as up:
        yield up


@pytest.fixture
async def noria(upstream: Upstream, tmp_path: Path) -> AsyncIterator[InlineGateway]:
    async with InlineGateway(tmp_path / "home", _config(upstream)) as gateway:
        yield gateway


def _costs(upstream: Upstream) -> Decimal:
    """What the mock's own ledger comes to at PRICE."""
    total = Decimal(0)
    for one in upstream.ledger.served:
        if one.status == 200:
            plain = one.input - one.cached - one.cache_write
            total += PRICE.input * plain + PRICE.cached * one.cached + PRICE.cache_write * one.cache_write  # type: ignore[operator]
            total += PRICE.output * one.output  # type: ignore[operator]
    return total / 1_000_000


async def _stream(noria: InlineGateway, body: dict[str, Any]) -> tuple[int, bytes]:
    headers = {"authorization": f"Bearer {noria.token}"}
    async with noria.client.stream("POST", "/v1/chat/completions", json=body, headers=headers) as answer:
        return answer.status_code, await answer.aread()


async def test_a_call_is_answered_recorded_and_priced(noria: InlineGateway, upstream: Upstream) -> None:
    upstream.queue(Plan(text="hi you", cached=2))
    answer = await noria.post({**CHAT, "user": "ann", "noria": {"session": "s1", "tags": {"env": "prod"}}})
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"] == "hi you"
    [call] = noria.calls()
    assert answer.headers["x-noria-trace-id"] == call.trace.hex()
    assert answer.headers["x-noria-target"] == "a/m" == call.target
    assert Decimal(answer.headers["x-noria-cost"]) == _costs(upstream) == Decimal(call.cost or "x")
    assert (call.status, call.attempts, call.user, call.session) == (200, 1, "ann", "s1")
    assert call.tags == {"env": "prod"}
    assert call.propensity == 1.0
    assert json.loads(call.request)["user"] == "ann"
    assert call.response == answer.content
    assert "noria" not in upstream.ledger.served[0].body
    assert noria.attempts() == (1, 1)


@pytest.mark.parametrize("asked", [False, True])
async def test_a_stream_is_whole_and_usage_is_shown_only_when_asked(
    noria: InlineGateway, upstream: Upstream, asked: bool
) -> None:
    options = {"stream_options": {"include_usage": True}} if asked else {}
    status, body = await _stream(noria, {**CHAT, "stream": True, **options})
    assert status == 200
    assert body.endswith(b"data: [DONE]\n\n")
    assert (b'"usage":{' in body) == asked
    [call] = noria.calls()
    assert Decimal(call.cost or "x") == _costs(upstream)
    assert call.response == body
    assert call.first_token > 0
    assert upstream.ledger.served[0].body["stream_options"] == {"include_usage": True}


async def test_retries_then_succeeds_and_only_the_success_costs(
    noria: InlineGateway, upstream: Upstream
) -> None:
    upstream.queue(Plan(fail=503), Plan(fail=500), Plan(text="ok"))
    answer = await noria.post(CHAT)
    assert answer.status_code == 200
    assert answer.headers["x-noria-attempts"] == "3"
    [call] = noria.calls()
    assert Decimal(call.cost or "x") == _costs(upstream)
    assert noria.attempts() == (3, 3)


async def test_retry_after_is_respected(noria: InlineGateway, upstream: Upstream) -> None:
    upstream.queue(Plan(fail=429, retry_after=0.3), Plan(text="ok"))
    loop = asyncio.get_running_loop()
    begun = loop.time()
    assert (await noria.post(CHAT)).status_code == 200
    assert loop.time() - begun >= 0.3


@pytest.mark.parametrize("plan", FAILURES)
@pytest.mark.parametrize("stream", [False, True])
async def test_the_next_target_answers_when_the_first_cannot(
    upstream: Upstream, second: Upstream, tmp_path: Path, plan: Plan, stream: bool
) -> None:
    upstream.default = plan
    if (plan.garbage or plan.length) and stream:
        return  # It comes after half of the stream, when no fallback is legal.
    async with InlineGateway(tmp_path / "h", _config(upstream, second, retries=0)) as noria:
        status, body = await _stream(noria, {**CHAT, "stream": stream})
        assert status == 200
        [call] = noria.calls()
        assert call.target == "b/m"
        assert call.attempts == 2
        assert noria.attempts() == (2, 2)
        assert (b"[DONE]" in body) == stream


@pytest.mark.parametrize(("fails", "status"), STATUSES)
async def test_what_cannot_be_had_is_told_with_a_status_and_recorded(
    noria: InlineGateway, upstream: Upstream, fails: int, status: int
) -> None:
    upstream.default = Plan(fail=fails)
    answer = await noria.post(CHAT)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]
    [call] = noria.calls()
    assert call.status == status
    assert call.error
    begun, ended = noria.attempts()
    assert begun == ended == (3 if fails in (500, 429) else 1)
    assert call.cost in (None, "0")


@pytest.mark.parametrize(
    "plan",
    [Plan(words=20, truncate="cut"), Plan(words=20, truncate="end"), Plan(words=20, garbage=True)],
)
async def test_a_stream_that_breaks_is_never_taken_for_whole(
    upstream: Upstream, second: Upstream, tmp_path: Path, plan: Plan
) -> None:
    upstream.default = plan
    async with InlineGateway(tmp_path / "h", _config(upstream, second)) as noria:
        _, body = await _stream(noria, {**CHAT, "stream": True})
        assert b"[DONE]" not in body
        assert b'"error"' in body
        [call] = noria.calls()
        assert call.error_kind == "stream"
        assert second.ledger.served == []


async def test_first_token_and_gap_timeouts(upstream: Upstream, second: Upstream, tmp_path: Path) -> None:
    upstream.default = Plan(words=5, first=5_000)
    timeouts = Timeouts(first_token=0.15, gap=0.15)
    async with InlineGateway(
        tmp_path / "h", _config(upstream, second, retries=0, timeouts=timeouts)
    ) as noria:
        status, _ = await _stream(noria, {**CHAT, "stream": True})
        assert status == 200
        assert noria.calls()[-1].target == "b/m"
        upstream.default = Plan(words=5, gap=5_000)
        _, body = await _stream(noria, {**CHAT, "stream": True})
        assert b"[DONE]" not in body
        await asyncio.sleep(0.1)
        assert upstream.ledger.served[-1].aborted


async def test_a_client_that_hangs_up_cancels_upstream(noria: InlineGateway, upstream: Upstream) -> None:
    upstream.default = Plan(words=1000, gap=5)
    headers = {"authorization": f"Bearer {noria.token}"}
    async with noria.client.stream(
        "POST", "/v1/chat/completions", json={**CHAT, "stream": True}, headers=headers
    ) as answer:
        async for _ in answer.aiter_bytes():
            break
    for _ in range(20):
        await asyncio.sleep(0.01)
        if noria.calls():
            break
    [call] = noria.calls()
    assert call.status == 499
    assert upstream.ledger.served[0].aborted
    assert call.usage is None or call.usage.provenance == "estimated"
    assert noria.attempts() == (1, 1)


async def test_keys_scope_revocation_and_unknown_models(noria: InlineGateway) -> None:
    assert (await noria.post(CHAT, token="nk-" + "x" * 44)).status_code == 401
    narrow = noria.key(routes=("other",))
    answer = await noria.post(CHAT, token=narrow)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
    nothing = noria.key(routes=())
    assert (await noria.post(CHAT, token=nothing)).status_code == 403
    answer = await noria.post({**CHAT, "model": "rr"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
    token = noria.key()
    assert (await noria.post(CHAT, token=token)).status_code == 200
    noria.revoke(token)
    assert (await noria.post(CHAT, token=token)).status_code == 401


async def test_rate_limits_are_told_in_headers_and_refused_with_the_wait(noria: InlineGateway) -> None:
    token = noria.key(limits=(RateLimit(unit="requests", amount=2, window_s=60),))
    first = await noria.post(CHAT, token=token)
    assert first.headers["x-ratelimit-remaining-requests"] == "1"
    assert (await noria.post(CHAT, token=token)).status_code == 200
    refused = await noria.post(CHAT, token=token)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0


async def test_a_call_that_one_limit_refuses_counts_for_none(noria: InlineGateway) -> None:
    tokens = RateLimit(unit="tokens", amount=10_000, window_s=60)
    token = noria.key(limits=(tokens, RateLimit(unit="requests", amount=1, window_s=60)))
    assert (await noria.post(CHAT, token=token)).status_code == 200
    long = {**CHAT, "messages": [{"role": "user", "content": "word " * 4_000}]}
    answers = [await noria.post(long, token=token) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {429}
    assert all("1 requests" in answer.json()["error"]["message"] for answer in answers)


@pytest.mark.parametrize("unit", ["tokens", "money"])
async def test_what_a_caller_used_who_hung_up_counts_against_its_limits(
    noria: InlineGateway, upstream: Upstream, unit: str
) -> None:
    upstream.default = Plan(chunks=200, gap=20)
    amount = {"tokens": 1_000, "money": 1_000_000}[unit]
    token = noria.key(limits=(RateLimit(unit=unit, amount=amount, window_s=60),))
    headers = {"authorization": f"Bearer {token}"}
    body = {**CHAT, "messages": [{"role": "user", "content": "word " * 700}], "stream": True}
    async with noria.client.stream("POST", "/v1/chat/completions", json=body, headers=headers) as answer:
        assert answer.status_code == 200
        async for _ in answer.aiter_bytes():
            break
    await asyncio.sleep(0.1)
    assert (await noria.post(body, token=token)).status_code == 429


async def test_a_call_that_finds_no_place_uses_no_tokens(upstream: Upstream, tmp_path: Path) -> None:
    upstream.default = Plan(first=300)
    async with InlineGateway(tmp_path / "h", _config(upstream, max_concurrency=1, queue=0)) as noria:
        token = noria.key(limits=(RateLimit(unit="tokens", amount=10_000, window_s=60),))
        running = asyncio.create_task(noria.post(CHAT, token=token))
        await asyncio.sleep(0.1)
        long = {**CHAT, "messages": [{"role": "user", "content": "word " * 4_000}]}
        answers = [await noria.post(long, token=token) for _ in range(5)]
        assert {answer.json()["error"]["code"] for answer in answers} == {"concurrency"}
        assert (await running).status_code == 200


async def test_earlier_turns_that_the_provider_keeps_are_refused_under_a_hard_cap(
    upstream: Upstream, tmp_path: Path
) -> None:
    provider = Provider(
        name="a", dialect="openai", base_url=upstream.url + "/v1", auth="none", options={"responses": "pass"}
    )
    config = snapshot(providers={"a": provider}, models={"a/m": mock_model("m", provider="a", price=PRICE)})
    async with InlineGateway(tmp_path / "h", config) as noria:
        noria.budget(Budget(name="b", subject="key:*", amount_nano=10**9, window="day"))
        body = {"model": "a/m", "input": "go on", "max_output_tokens": 5}
        answer = await noria.post({**body, "previous_response_id": "resp_1"}, path="/v1/responses")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "no_bound")
        assert "previous_response_id" in answer.json()["error"]["message"]
        assert upstream.ledger.served == []
        assert (await noria.post(body, path="/v1/responses")).status_code == 200


async def test_a_hard_budget_refuses_what_might_exceed_it(noria: InlineGateway, upstream: Upstream) -> None:
    noria.budget(Budget(name="b", subject="user:*", amount_nano=2_000_000, window="day"))
    statuses = [(await noria.post({**CHAT, "user": "ann", "max_tokens": 20})).status_code for _ in range(20)]
    assert statuses[0] == 200
    assert statuses[-1] == 429
    assert _costs(upstream) <= Decimal("0.002")
    assert (await noria.post({**CHAT, "user": "bob", "max_tokens": 20})).status_code == 200


async def test_no_finite_bound_under_a_hard_cap_is_refused(upstream: Upstream, tmp_path: Path) -> None:
    config = snapshot(
        providers={"a": Provider(name="a", dialect="openai", base_url=upstream.url + "/v1", auth="none")},
        models={"a/m": mock_model("m", provider="a")},
    )
    async with InlineGateway(tmp_path / "h", config) as noria:
        noria.budget(Budget(name="b", subject="key:*", amount_nano=10**9, window="day"))
        answer = await noria.post({**CHAT, "model": "a/m"})
        assert answer.status_code == 400
        assert "price" in answer.json()["error"]["message"]
        assert upstream.ledger.served == []


async def test_the_exact_cache_answers_the_same_tenant_only(upstream: Upstream, tmp_path: Path) -> None:
    async with InlineGateway(tmp_path / "h", _config(upstream, cache=CacheRule(ttl=60))) as noria:
        first = await noria.post(CHAT)
        again = await noria.post(CHAT)
        assert (first.headers["x-noria-cache"], again.headers["x-noria-cache"]) == ("miss", "hit")
        assert again.content == first.content
        assert Decimal(again.headers["x-noria-cost"]) == 0
        assert (await noria.post(CHAT, token=noria.key())).headers["x-noria-cache"] == "miss"
        assert (await noria.post(CHAT, x_noria_cache="no-cache")).headers["x-noria-cache"] == "bypass"
        one, two = [await _stream(noria, {**CHAT, "stream": True}) for _ in range(2)]
        assert one == two
        assert len(upstream.ledger.served) == 4
        assert [call.cache for call in noria.calls()] == ["miss", "hit", "miss", "bypass", "miss", "hit"]


async def test_concurrency_queues_and_then_refuses(upstream: Upstream, tmp_path: Path) -> None:
    upstream.default = Plan(first=300)
    async with InlineGateway(tmp_path / "h", _config(upstream, max_concurrency=1, queue=1)) as noria:
        answers = await asyncio.gather(*(noria.post(CHAT) for _ in range(3)))
        assert sorted(one.status_code for one in answers) == [200, 200, 429]


async def test_an_open_circuit_spares_the_target(
    upstream: Upstream, second: Upstream, tmp_path: Path
) -> None:
    upstream.default = Plan(fail=500)
    rule = Breaker(failures=2, window=10, cooldown=60)
    async with InlineGateway(tmp_path / "h", _config(upstream, second, retries=0, breaker=rule)) as noria:
        for _ in range(6):
            assert (await noria.post(CHAT)).status_code == 200
        assert len(upstream.ledger.served) == 2
        assert "circuit open" in noria.calls()[-1].excluded["a/m"]


async def test_a_new_configuration_takes_over_without_dropping_a_call(
    upstream: Upstream, second: Upstream, tmp_path: Path
) -> None:
    upstream.default = Plan(first=200)
    async with InlineGateway(tmp_path / "h", _config(upstream)) as noria:
        slow = asyncio.create_task(noria.post(CHAT))
        await asyncio.sleep(0.05)
        noria.apply(_config(second))
        assert (await noria.post(CHAT)).status_code == 200
        assert (await slow).status_code == 200
        digests = [call.config for call in noria.calls()]
        assert len(set(digests)) == 2


async def test_models_are_listed_for_the_key(noria: InlineGateway) -> None:
    headers = {"authorization": f"Bearer {noria.key(routes=('r',))}"}
    listed = (await noria.client.get("/v1/models", headers=headers)).json()
    assert [one["id"] for one in listed["data"]] == ["r"]
    one = await noria.client.get("/v1/models/r", headers=headers)
    assert one.json()["object"] == "model"
    assert (await noria.client.get("/v1/models/a%2Fm", headers=headers)).status_code == 404
    head = await noria.client.head("/v1/models", headers=headers)
    assert (head.status_code, head.content) == (200, b"")
    anthropic = await noria.client.get("/v1/models", headers={**headers, "anthropic-version": "2023-06-01"})
    assert anthropic.json()["data"][0]["type"] == "model"


async def test_foreign_hosts_and_origins_are_refused(noria: InlineGateway) -> None:
    assert (await noria.post(CHAT, host="evil.example")).status_code == 403
    assert (await noria.post(CHAT, origin="https://evil.example")).status_code == 403
    assert (await noria.post(CHAT, origin=noria.url)).status_code == 200


async def test_secrets_and_payloads_stay_out_where_only_metadata_is_kept(
    upstream: Upstream, tmp_path: Path
) -> None:
    async with InlineGateway(tmp_path / "h", _config(upstream, capture="metadata")) as noria:
        await noria.post(CHAT)
        [call] = noria.calls()
        assert (call.request, call.response, call.captured) == (b"", b"", "metadata")
        raw = b"".join(path.read_bytes() for path in (tmp_path / "h" / "spool").rglob("*.seg"))
        assert noria.token.encode() not in raw
        assert b"hello there" not in raw


@pytest.mark.parametrize("body", MALFORMED)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/embeddings"])
async def test_malformed_bodies_are_refused_in_words(
    noria: InlineGateway, upstream: Upstream, path: str, body: bytes
) -> None:
    answer = await noria.post(body, path=path)
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]["message"]


async def test_malformed_stream_options_are_refused(noria: InlineGateway) -> None:
    answer = await noria.post({**CHAT, "stream": True, "stream_options": 7})
    assert answer.status_code == 400


@pytest.mark.parametrize("count", [-5, 10**18, 10**30])
async def test_impossible_usage_is_estimated_instead(
    noria: InlineGateway, upstream: Upstream, count: int
) -> None:
    upstream.default = Plan(input=count, output=count)
    answer = await noria.post(CHAT)
    assert answer.status_code == 200
    (call,) = noria.calls()
    assert call.usage is not None
    assert call.usage.provenance == "estimated"
    assert call.cost is not None
    assert 0 < Decimal(call.cost) < 1


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/v1/embeddings", "/v1/responses", "/v1/messages", "/v1/completions"]
)
@pytest.mark.parametrize("field", ["", "messages", "input", "tools", "metadata"])
async def test_a_body_nested_too_deeply_is_refused(noria: InlineGateway, path: str, field: str) -> None:
    deep = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
    fields = {"model": b'"r"', "messages": b"[]", "prompt": b'"x"', "input": b'"x"', "max_tokens": b"5"}
    fields[field] = b"[%s]" % deep
    body = b"{" + b",".join(b'"%s":%s' % (name.encode(), raw) for name, raw in fields.items()) + b"}"
    answer = await noria.post(body if field else deep, path=path)
    assert answer.status_code == 400
    assert "deeply" in answer.text


async def test_a_secret_that_the_upstream_repeats_reaches_neither_caller_nor_record(tmp_path: Path) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        given = head.partition(b"Bearer ")[2].partition(b"\r")[0]
        body = b'{"error":{"message":"Incorrect key: %s"}}' % given
        writer.write(b"HTTP/1.1 401 No\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        writer.close()

    (tmp_path / "key").write_text("sk-upstream-secret")
    (tmp_path / "key").chmod(0o600)
    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    provider = Provider(
        name="a", dialect="openai", base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1",
        secrets={"api_key": f"file:{tmp_path / 'key'}"},
    )  # fmt: skip
    config = snapshot(
        providers={"a": provider},
        models={"a/m": mock_model("m", provider="a")},
        routes={"r": Route(name="r", targets=(Target(model="a/m"),))},
    )
    async with server, InlineGateway(tmp_path / "h", config) as noria:
        answer = await noria.post(CHAT)
        assert answer.status_code == 502
        assert "Incorrect key: [secret]" in answer.text
        raw = b"".join(path.read_bytes() for path in (tmp_path / "h" / "spool").rglob("*.seg"))
        assert b"sk-upstream-secret" not in raw


@pytest.mark.parametrize("path", ["/v1/audio/speech", "/v1/images/generations", "/v1/moderations"])
async def test_what_is_not_offered_is_refused_in_a_sentence(noria: InlineGateway, path: str) -> None:
    answer = await noria.post({"model": "r", "input": "x"}, path=path)
    assert answer.status_code == 404
    assert "not offered" in answer.json()["error"]["message"]


async def test_a_provider_without_its_secret_keeps_only_itself_back(
    upstream: Upstream, tmp_path: Path
) -> None:
    config = _config(upstream)
    secret = tmp_path / "secret"
    lacking = Provider(
        name="b", dialect="openai", base_url=upstream.url + "/v1", secrets={"api_key": f"file:{secret}"}
    )
    both = snapshot(
        providers={**config.providers, "b": lacking},
        models={**config.models, "b/m": mock_model("m", provider="b", price=PRICE)},
        routes={"r": config.routes["r"]},
    )
    async with InlineGateway(tmp_path / "h", both) as noria:
        assert (await noria.post(CHAT)).status_code == 200
        refused = await noria.post({**CHAT, "model": "b/m"})
        assert refused.status_code == 503
        assert str(secret) in refused.json()["error"]["message"]
        secret.write_text("sk-1")
        noria.worker.refresh()
        assert (await noria.post({**CHAT, "model": "b/m"})).status_code == 200
