"""An HTTP endpoint as the target of an evaluation."""

from __future__ import annotations

import time

import httpx2
import msgspec

from noria.core.example import Example
from noria.errors import UpstreamFailed, UpstreamTimeout
from noria.evals.run import TargetSpec
from noria.evals.targets.function import output_of
from noria.scoring.scorer import Output

MOST = 16_777_216
"""Bytes of an answer."""


class EndpointTarget:
    """Posts an example's input as JSON; the answer is a text, or JSON as a function would return it."""

    def __init__(self, spec: TargetSpec, *, headers: dict[str, str]) -> None:
        """`headers` have their secrets read."""
        self._url = spec.url
        self._http = httpx2.AsyncClient(
            timeout=spec.timeout, headers={"content-type": "application/json", **headers}
        )

    async def __call__(self, example: Example, *, repeat: int, seed: int) -> Output:
        begun = time.perf_counter()
        try:
            content = msgspec.json.encode(example.input)
            async with self._http.stream("POST", self._url, content=content) as answer:
                body = await self._body(answer)
        except httpx2.TimeoutException:
            raise UpstreamTimeout(f"{self._url} did not answer in time.") from None
        except httpx2.TransportError as error:
            raise UpstreamFailed(f"{self._url} does not answer: {error or type(error).__name__}.") from None
        if answer.status_code >= 400:
            shown = body[:1000].decode(errors="replace")[:300]
            raise UpstreamFailed(f"{self._url} answered {answer.status_code}: {shown}")
        try:
            given: object = body.decode(answer.charset_encoding or "utf-8")
        except (UnicodeDecodeError, LookupError) as error:
            raise UpstreamFailed(f"{self._url} answered what is no text: {error}.") from None
        if answer.headers.get("content-type", "").partition(";")[0].strip().endswith("json"):
            try:
                given = msgspec.json.decode(body)
            except msgspec.DecodeError as error:
                raise UpstreamFailed(f"{self._url} answered what is not JSON: {error}.") from None
        return output_of(given, example, repeat=repeat, latency=time.perf_counter() - begun)

    async def _body(self, answer: httpx2.Response) -> bytes:
        found = bytearray()
        async for chunk in answer.aiter_bytes():
            found += chunk
            if len(found) > MOST:
                raise UpstreamFailed(f"{self._url} answered more than {MOST:,} bytes.")
        return bytes(found)

    async def close(self) -> None:
        await self._http.aclose()
