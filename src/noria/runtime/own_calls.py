"""Calls that a job makes at this installation's own gateway, as whoever began the job."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx2

from noria.access.key import Key
from noria.access.token import issue
from noria.client import AsyncNoria
from noria.client.wire import TIMEOUT
from noria.errors import Unreachable
from noria.runtime.direct import DirectTransport
from noria.runtime.supervisor import status
from noria.storage.home import Home
from noria.storage.snapshots import Snapshots

FRESH = 200.0
"""Seconds for which a token is used; it lasts longer."""


class Signed(httpx2.AsyncBaseTransport):
    """Signs each call with a token that does not last, since a run outlives it."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, token: Callable[[], str]) -> None:
        self._inner = inner
        self._token = token
        self._given = ""
        self._until = 0.0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if time.monotonic() > self._until:
            self._given = self._token()
            self._until = time.monotonic() + FRESH
        request.headers["authorization"] = f"Bearer {self._given}"
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def own_client(
    home: Home, *, project: str, by: str, by_name: str, team: str = "", width: int = 100
) -> AsyncNoria:
    """Called within the event loop that uses it. Raises Unreachable where no gateway runs. `by` is a key's
    id, or an account's: what a key may not call, it may not call through a job either. `team` is under which
    the calls are recorded where `by` is not a key's id."""
    running = status(home)
    if running is None:
        raise Unreachable("No gateway runs here; start it with `noria up`.")
    pepper = home.pepper()

    def token() -> str:
        _, live = Snapshots(home.snapshots).current()
        own = next((key for key in live.keys.values() if key.id == by), None)
        key = own or Key(
            id=by, lookup="", hash=b"", name=by_name, project=project, team=team, user=by_name, routes=("*",)
        )
        return issue(key, pepper=pepper, now=time.time())

    url = urlsplit(running.address)
    if url.scheme == "http" and url.hostname and url.port:
        inner = DirectTransport(url.hostname, url.port, width=width, timeout=TIMEOUT)
    else:
        # Over loopback to a gateway of our own, whose certificate names another host.
        limits = httpx2.Limits(max_connections=width, max_keepalive_connections=width)
        inner = httpx2.AsyncHTTPTransport(verify=False, limits=limits)
    return AsyncNoria(running.address, api_key="-", transport=Signed(inner, token))
