from noria.gateway import ask
from noria.gateway.exact_cache import Entry, MemoryCache, cache_key


class Clock:
    def __init__(self) -> None:
        self.at = 0

    def now_ns(self) -> int:
        return self.at

    def monotonic_ns(self) -> int:
        return self.at


def _key(body: bytes, **more: str) -> bytes:
    identity = {"tenant": "t", "dialect": "openai", "route": "r", "config": "c", **more}
    return cache_key(ask.fields(body), **identity)


def _entry(body: bytes) -> Entry:
    return Entry(body=body, target="t", usage=None, cost=None, stop_reason="", created=0)


def test_order_and_space_make_no_difference_and_all_else_does() -> None:
    key = _key(b'{"model":"m","messages":[{"role":"user","content":"hi"}]}')
    assert key == _key(b'{ "messages" : [{"content":"hi","role":"user"}], "model":"m" }')
    assert key == _key(b'{"model":"m","messages":[{"role":"user","content":"hi"}],"user":"ann"}')
    for other in ("tenant", "dialect", "route", "config"):
        assert key != _key(b'{"model":"m","messages":[{"role":"user","content":"hi"}]}', **{other: "x"})
    assert key != _key(b'{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0}')
    assert key != _key(b'{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}')


async def test_entries_expire_and_the_oldest_leave_first() -> None:
    clock = Clock()
    cache = MemoryCache(max_bytes=10, clock=clock)
    await cache.put(b"a", _entry(b"1234"), ttl=1)
    await cache.put(b"b", _entry(b"1234"), ttl=5)
    assert await cache.get(b"a") is not None
    await cache.put(b"c", _entry(b"1234"), ttl=5)
    assert await cache.get(b"b") is None
    clock.at = 2_000_000_000
    assert await cache.get(b"a") is None
    assert await cache.get(b"c") is not None
