"""The page's model calls, on their way to the gateway and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import msgspec

from noria.errors import Unavailable

if TYPE_CHECKING:
    import httpx2

_KEPT = ("content-type", "retry-after", "traceparent")
_KEPT_STARTS = ("x-noria-", "x-ratelimit-")


class Relayed(msgspec.Struct, frozen=True):
    """The gateway's answer, its body as it comes."""

    status: int
    headers: dict[str, str]
    chunks: AsyncIterator[bytes]


class Relay:
    """Posts to the gateway's workers over the port that everybody uses."""

    def __init__(self) -> None:
        self._http: httpx2.AsyncClient | None = None

    async def post(self, url: str, body: bytes, *, token: str) -> Relayed:
        """Raises Unavailable where no worker answers. Hanging up on `chunks` hangs up on the gateway."""
        import httpx2

        if self._http is None:
            # The gateway's own limits end a call.
            timeout = httpx2.Timeout(None, connect=5.0)
            # Its own certificate may name another host than the loopback address that it is called by.
            self._http = httpx2.AsyncClient(timeout=timeout, verify=False, trust_env=False)
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        request = self._http.build_request("POST", url, content=body, headers=headers)
        try:
            answer = await self._http.send(request, stream=True)
        except httpx2.TransportError as error:
            raise Unavailable(f"The gateway does not answer ({error}).", retry_after=1.0) from error
        kept = {
            name: value
            for name, value in answer.headers.items()
            if name in _KEPT or name.startswith(_KEPT_STARTS)
        }
        return Relayed(answer.status_code, kept, _chunks(answer))

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()


async def _chunks(answer: httpx2.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_bytes():
            yield chunk
    finally:
        await answer.aclose()
