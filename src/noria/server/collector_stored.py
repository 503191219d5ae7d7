"""Stored responses and chat completions, as the OpenAI SDK asks for them.

Reading first drains the spools, so that what a caller was just given is found. Another project's id is 404,
like one that never was; `x-noria-unknown` marks the answer for an id that no project has or had, so that the
owning provider can be asked, and `x-noria-provider` that of a deletion which the provider's copy must follow.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec

from noria.access.key import Key
from noria.errors import InvalidRequest, NotFound
from noria.gateway.answers import JSON, error_headers
from noria.gateway.dialects.fronts import FRONTS
from noria.gateway.exchange import Exchange
from noria.runtime.collector import Collector
from noria.server.collector_replay import replay
from noria.storage.stored import MAX_LIMIT, StoredReader
from noria.tracing.record import Stored

RESPONSES, COMPLETIONS = "/v1/responses/", "/v1/chat/completions"
UNKNOWN = b"x-noria-unknown: true\r\n"
MAX_METADATA = 16
_PARTS = ("text", "image_url")
_items = msgspec.json.Decoder(list[msgspec.Raw])
_object = msgspec.json.Decoder(dict[str, Any])
_encode = msgspec.json.Encoder().encode


class _Update(msgspec.Struct):
    metadata: dict[str, str] | None = None


_update = msgspec.json.Decoder(_Update)


class StoredApp:
    """Answers the paths below RESPONSES and COMPLETIONS."""

    def __init__(self, collector: Collector, reader: StoredReader) -> None:
        self._collector = collector
        self._reader = reader

    async def serve(self, exchange: Exchange, key: Key) -> None:
        """Raises RequestError."""
        path = exchange.path.decode("latin-1")
        query = {name: values[-1] for name, values in parse_qs(exchange.query.decode("latin-1")).items()}
        method = exchange.method.decode("latin-1")
        if path.startswith(RESPONSES):
            id, _, sub = path.removeprefix(RESPONSES).partition("/")
            await self._response(exchange, key, method, unquote(id), sub, query)
        elif path == COMPLETIONS and method == "GET":
            await self._drained()
            exchange.respond(200, JSON, await asyncio.to_thread(self._list, key, exchange.query, query))
        elif path.startswith(COMPLETIONS + "/"):
            id, _, sub = path.removeprefix(COMPLETIONS + "/").partition("/")
            await self._completion(exchange, key, method, unquote(id), sub, query)
        else:
            raise _no_such_path(method, path)

    async def _response(
        self, exchange: Exchange, key: Key, method: str, id: str, sub: str, query: dict[str, str]
    ) -> None:
        call = (method, sub)
        if call not in (("GET", ""), ("DELETE", ""), ("POST", "cancel"), ("GET", "input_items")):
            raise _no_such_path(method, exchange.path.decode("latin-1"))
        found = await self._get(key, id, "response")
        if found is None:
            return await self._unknown(exchange, "response", id)
        if call == ("DELETE", ""):
            return await self._delete(exchange, found, "response")
        if sub == "input_items":
            return exchange.respond(200, JSON, _input_items(found, query))
        if sub == "cancel":
            return self._cancel(exchange, found)
        if query.get("stream") == "true":
            return _stream(exchange, found, after=_number(query, "starting_after", default=-1))
        return exchange.respond(200, JSON, found.body)

    def _cancel(self, exchange: Exchange, found: Stored) -> None:
        """What is stored has ended: only its own state is left to say."""
        status = _object.decode(found.body).get("status")
        if status != "cancelled":
            raise InvalidRequest(
                f"Response {found.id} has ended ({status}); only a background response that still runs "
                "can be cancelled."
            )
        exchange.respond(200, JSON, found.body)

    async def _completion(
        self, exchange: Exchange, key: Key, method: str, id: str, sub: str, query: dict[str, str]
    ) -> None:
        if (method, sub) not in (("GET", ""), ("POST", ""), ("DELETE", ""), ("GET", "messages")):
            raise _no_such_path(method, exchange.path.decode("latin-1"))
        found = await self._get(key, id, "chat.completion")
        if found is None:
            return await self._unknown(exchange, "chat completion", id)
        if method == "DELETE":
            return await self._delete(exchange, found, "chat.completion.deleted")
        if method == "POST":
            metadata = _metadata_of(exchange.body)
            await asyncio.wrap_future(self._collector.set_metadata(key.project, id, metadata))
            body = _object.decode(found.body) | {"metadata": metadata}
            return exchange.respond(200, JSON, _encode(body))
        if sub == "messages":
            return exchange.respond(200, JSON, _messages(found, query))
        return exchange.respond(200, JSON, _with_metadata(found))

    async def _delete(self, exchange: Exchange, found: Stored, said: str) -> None:
        await asyncio.wrap_future(self._collector.delete_stored(found.project, found.id, found.kind))
        owner = b"x-noria-provider: %s\r\n" % found.provider.encode() if found.provider else b""
        gone = {"id": found.id, "object": said, "deleted": True}
        exchange.respond(200, JSON + owner, _encode(gone))

    async def _unknown(self, exchange: Exchange, what: str, id: str) -> None:
        known = await asyncio.to_thread(self._reader.known, id)
        error = NotFound(f"There is no stored {what} with id {id!r}.")
        head = JSON + (b"" if known else UNKNOWN) + error_headers(error)
        exchange.respond(error.status, head, FRONTS["openai"].error(error))

    async def answer(self, project: str, id: str) -> Stored | None:
        """What a call with an idempotency key was answered with."""
        await self._drained()
        return await asyncio.to_thread(self._reader.get, project, id)

    async def _get(self, key: Key, id: str, kind: str) -> Stored | None:
        found = await self.answer(key.project, id)
        return found if found is not None and found.kind == kind else None

    async def _drained(self) -> None:
        await asyncio.wrap_future(self._collector.drain())

    def _list(self, key: Key, raw: bytes, query: dict[str, str]) -> bytes:
        limit, order = _limit(query), _order(query, default="asc")
        if limit == 0:
            return _page([], [], False)
        wanted = {
            name[9:-1]: values[-1]
            for name, values in parse_qs(raw.decode("latin-1")).items()
            if name.startswith("metadata[") and name.endswith("]")
        }
        found, more = self._reader.list(
            key.project,
            "chat.completion",
            after=query.get("after"),
            limit=limit,
            order=order,
            model=query.get("model"),
            metadata=wanted,
        )
        return _page([msgspec.Raw(_with_metadata(item)) for item in found], [item.id for item in found], more)


def _stream(exchange: Exchange, found: Stored, *, after: int) -> None:
    exchange.start(200, b"content-type: text/event-stream\r\ncache-control: no-cache\r\n")
    for event in replay(_object.decode(found.body), after=after):
        exchange.write(event)
    exchange.finish()


def _input_items(found: Stored, query: dict[str, str]) -> bytes:
    items: list[msgspec.Raw] = []
    names: list[str] = []
    for index, raw in enumerate(_items.decode(found.input or b"[]")):
        item = _object.decode(raw)
        item.setdefault("type", "message")
        name = item.setdefault("id", f"{found.id}_in_{index}")
        if isinstance(item.get("content"), str):
            kind = "output_text" if item.get("role") == "assistant" else "input_text"
            item["content"] = [{"type": kind, "text": item["content"]}]
        items.append(msgspec.Raw(_encode(item)))
        names.append(str(name))
    return _slice(items, names, query, default="desc")


def _messages(found: Stored, query: dict[str, str]) -> bytes:
    items: list[msgspec.Raw] = []
    names: list[str] = []
    for index, raw in enumerate(_items.decode(found.input or b"[]")):
        message = _object.decode(raw)
        name = f"{found.id}-{index}"
        content = message.get("content")
        if isinstance(content, list):
            shown = [part for part in content if isinstance(part, dict) and part.get("type") in _PARTS]
            text = "".join(part.get("text", "") for part in shown)
            message |= {"content": text, "content_parts": shown}
        items.append(msgspec.Raw(_encode({"id": name, "content_parts": None, "name": None} | message)))
        names.append(name)
    return _slice(items, names, query, default="asc")


def _slice(items: list[msgspec.Raw], names: list[str], query: dict[str, str], *, default: str) -> bytes:
    """A page of a list that is at hand."""
    if _order(query, default=default) == "desc":
        items, names = items[::-1], names[::-1]
    after = query.get("after")
    start = 0
    if after:
        if after not in names:
            raise InvalidRequest("`after` is the id of no item here; start without.", param="after")
        start = names.index(after) + 1
    end = start + _limit(query)
    return _page(items[start:end], names[start:end], end < len(names))


def _page(items: list[msgspec.Raw], names: list[str], more: bool) -> bytes:
    return _encode(
        {
            "object": "list",
            "data": items,
            "first_id": names[0] if names else None,
            "last_id": names[-1] if names else None,
            "has_more": more,
        }
    )


def _with_metadata(found: Stored) -> bytes:
    """A stored completion shows its metadata, which the answer itself did not."""
    body = _object.decode(found.body)
    return found.body if "metadata" in body else _encode(body | {"metadata": found.metadata})


def _metadata_of(body: bytes) -> dict[str, str]:
    try:
        metadata = _update.decode(body).metadata
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(
            f"The body must be an object with `metadata`: {error}.", param="metadata"
        ) from None
    if metadata is None:
        return {}
    if len(metadata) > MAX_METADATA:
        raise InvalidRequest(f"Metadata holds at most {MAX_METADATA} pairs.", param="metadata")
    if any(len(name) > 64 or len(value) > 512 for name, value in metadata.items()):
        raise InvalidRequest("Metadata names have at most 64 characters, values 512.", param="metadata")
    return metadata


def _limit(query: dict[str, str]) -> int:
    limit = _number(query, "limit", default=20)
    if limit > MAX_LIMIT:
        raise InvalidRequest(f"`limit` is at most {MAX_LIMIT}.", param="limit")
    return limit


def _order(query: dict[str, str], *, default: str) -> str:
    order = query.get("order", default)
    if order not in ("asc", "desc"):
        raise InvalidRequest("`order` is one of asc and desc.", param="order")
    return order


def _number(query: dict[str, str], name: str, *, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not text.isdigit() or len(text) > 9:
        raise InvalidRequest(f"`{name}` must be a whole number.", param=name)
    return int(text)


def _no_such_path(method: str, path: str) -> NotFound:
    return NotFound(f"{method} {path} is not offered here; see the reference for what is.")
