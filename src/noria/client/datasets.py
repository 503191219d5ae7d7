"""Datasets in one's own programs: examples streamed out, and put in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any, Literal
from urllib.parse import quote, urlencode

import httpx2
import msgspec

from noria.client import wire
from noria.client.receipt import refusal
from noria.core.example import Example
from noria.errors import NotFound

_AT_ONCE = 1000
"""Examples of one call."""
_example = msgspec.json.Decoder(Example).decode
_encode = msgspec.json.Encoder().encode
Version = int | Literal["golden"] | None
"""None: the newest."""


class Dataset:
    """A dataset of a Noria; made by `Noria.dataset`. The key needs the role viewer to read, editor to add."""

    def __init__(self, http: httpx2.Client, base_url: str, name: str, *, project: str) -> None:
        self._http = http
        self._base_url = base_url
        self.name = name
        self._project = project

    def examples(self, *, version: Version = None, split: str = "") -> Iterator[Example]:
        """By id, as they come; a version never changes, so that a number always gives the same."""
        request = self._http.build_request("GET", _export(self.name, self._project, version, split))
        try:
            response = self._http.send(request, stream=True)
            try:
                if response.status_code >= 400:
                    raise refusal(response.status_code, response.headers, response.read())
                lines = _Lines()
                for data in response.iter_bytes():
                    yield from lines.feed(data)
            finally:
                response.close()
        except httpx2.TransportError as error:
            raise wire.unreachable(self._base_url, error) from error

    def version(self, version: Version = None) -> dict[str, Any]:
        """Number, digest, number of examples, splits and lineage. Raises NotFound where there is none."""
        return _version(self._json("GET", _head(self.name, self._project, version)), version, self.name)

    def add(self, examples: Iterable[Example], *, comment: str = "") -> int:
        """Create or revise; the number of the newest version. More than a thousand make several versions."""
        number = 0
        for body in _bodies(examples, comment):
            made = self._json("POST", _examples(self.name, self._project), body)
            number = made["version"]["number"]
        return number or self.version()["number"]

    def _json(self, method: str, path: str, body: bytes | None = None) -> Any:
        try:
            response = self._http.request(method, path, content=body)
        except httpx2.TransportError as error:
            raise wire.unreachable(self._base_url, error) from error
        return _read(response)


class AsyncDataset:
    """As Dataset, with `await`."""

    def __init__(self, http: httpx2.AsyncClient, base_url: str, name: str, *, project: str) -> None:
        self._http = http
        self._base_url = base_url
        self.name = name
        self._project = project

    async def examples(self, *, version: Version = None, split: str = "") -> AsyncIterator[Example]:
        """As Dataset.examples."""
        request = self._http.build_request("GET", _export(self.name, self._project, version, split))
        try:
            response = await self._http.send(request, stream=True)
            try:
                if response.status_code >= 400:
                    raise refusal(response.status_code, response.headers, await response.aread())
                lines = _Lines()
                async for data in response.aiter_bytes():
                    for example in lines.feed(data):
                        yield example
            finally:
                await response.aclose()
        except httpx2.TransportError as error:
            raise wire.unreachable(self._base_url, error) from error

    async def version(self, version: Version = None) -> dict[str, Any]:
        """As Dataset.version."""
        found = await self._json("GET", _head(self.name, self._project, version))
        return _version(found, version, self.name)

    async def add(self, examples: Iterable[Example], *, comment: str = "") -> int:
        """As Dataset.add."""
        number = 0
        for body in _bodies(examples, comment):
            made = await self._json("POST", _examples(self.name, self._project), body)
            number = made["version"]["number"]
        return number or (await self.version())["number"]

    async def _json(self, method: str, path: str, body: bytes | None = None) -> Any:
        try:
            response = await self._http.request(method, path, content=body)
        except httpx2.TransportError as error:
            raise wire.unreachable(self._base_url, error) from error
        return _read(response)


class _Lines:
    """Whole lines out of pieces. An answer that breaks off is an error of the transport, so none is left."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Example]:
        whole, newline, rest = (self._rest + data).rpartition(b"\n")
        self._rest = rest
        if newline:
            yield from map(_example, whole.split(b"\n"))


def _bodies(examples: Iterable[Example], comment: str) -> Iterator[bytes]:
    held: list[Example] = []
    for example in examples:
        held.append(example)
        if len(held) == _AT_ONCE:
            yield _encode({"examples": held, "comment": comment})
            held = []
    if held:
        yield _encode({"examples": held, "comment": comment})


def _head(name: str, project: str, version: Version) -> str:
    path = f"/api/datasets/{quote(name, safe='')}"
    number = f"/versions/{version}" if isinstance(version, int) else ""
    return f"{path}{number}?{urlencode({'project': project})}"


def _export(name: str, project: str, version: Version, split: str) -> str:
    asked = {"project": project, "version": "" if version is None else str(version), "split": split}
    return f"/api/datasets/{quote(name, safe='')}/export?{urlencode(asked)}"


def _examples(name: str, project: str) -> str:
    return f"/api/datasets/{quote(name, safe='')}/examples?{urlencode({'project': project})}"


def _read(response: httpx2.Response) -> Any:
    if response.status_code >= 400:
        raise refusal(response.status_code, response.headers, response.content)
    return msgspec.json.decode(response.content)


def _version(found: dict[str, Any], version: Version, name: str) -> dict[str, Any]:
    if isinstance(version, int):
        return found
    chosen = found["golden"] if version == "golden" else found["version"]
    if chosen is None:
        what = "golden version" if version == "golden" else "version yet"
        raise NotFound(f"The dataset {name!r} has no {what}.")
    return chosen
