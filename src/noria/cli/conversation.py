"""Turns with a route over the gateway's own /v1/chat/completions, as any client has them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx2
import msgspec

from noria.cli.api import Api
from noria.cli.where import Gateway
from noria.core.ids import new_id
from noria.errors import Unreachable, UserError
from noria.gateway.dialects.sse import SseSplitter
from noria.storage.home import Home

Show = Callable[[str, str], None]
"""Is given ("text" or "thought", piece)."""
VISIBLE = 1.5
"""Seconds that a call's span is waited for, to learn its cost."""


class Answer(msgspec.Struct, kw_only=True):
    """What came of one question. Times are milliseconds from its sending."""

    text: str = ""
    usage: dict[str, Any] = {}
    finish: str = ""
    model: str = ""
    target: str = ""
    """Which model answered for the route."""
    trace: str = ""
    cache: str = ""
    cost: str | None = None
    """Dollars; None: unknown."""
    first_ms: float | None = None
    ms: float = 0.0
    stopped: bool = False
    """The person had heard enough."""

    @property
    def rate(self) -> float | None:
        """Output tokens a second, from the first on."""
        count = self.usage.get("completion_tokens", 0)
        if self.first_ms is None or count < 2 or self.ms <= self.first_ms or self.cache == "hit":
            return None
        return (count - 1) / (self.ms - self.first_ms) * 1000

    def as_json(self) -> dict[str, Any]:
        names = ("text", "finish", "model", "target", "usage", "cost", "first_ms", "ms", "cache", "trace")
        return {name: getattr(self, name) for name in names}


class Conversation:
    """Asks, remembers, and hangs up where told to. A context manager."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        path: Path,
        project: str,
        system: str | None,
        options: Mapping[str, Any],
        tags: Mapping[str, str],
    ) -> None:
        self.gateway = gateway
        self.model = ""
        self._api = Api(Home.beside(path), project=project)
        self._system = system
        self._options = options
        self._tags = tags
        self._http = httpx2.Client(
            base_url=gateway.url,
            verify=gateway.verify,
            trust_env=not gateway.local,
            timeout=httpx2.Timeout(None, connect=10.0),
        )
        self.forget()

    def __enter__(self) -> Conversation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def forget(self) -> None:
        """Begin anew, as another session."""
        self._messages = [{"role": "system", "content": self._system}] if self._system else []
        self._session = new_id("chat")

    def route(self, name: str | None) -> str:
        """`name`, where it can be called; without one, the route to take. Raises UserError."""
        try:
            answer = self._http.get("/v1/models", headers=self._headers())
        except httpx2.TransportError as error:
            raise self._unreachable(error) from None
        if answer.status_code >= 400:
            raise UserError(_sentence(answer.content, answer.status_code))
        names = [one["id"] for one in answer.json()["data"]]
        if name is not None:
            if name in names:
                return name
            raise UserError(f"{name!r} cannot be called here; what can: {', '.join(names) or 'nothing'}.")
        if "default" in names:
            return "default"
        routes = [one for one in names if not one.startswith("prompt/")]
        if len(routes) == 1:
            return routes[0]
        raise UserError(
            f"Say which route with -m: {', '.join(names) or 'there is none, add one to noria.toml'}."
        )

    def ask(self, question: str, *, show: Show | None) -> Answer:
        """The next turn. Ctrl-C ends the answer, and what came of it is remembered. Raises UserError."""
        messages = [*self._messages, {"role": "user", "content": question}]
        body = {
            "model": self.model,
            "messages": messages,
            "stream": True,
            "stream_options": {"include_usage": True},
            "noria": {"session": self._session, "tags": dict(self._tags)},
            **self._options,
        }
        answer = Answer()
        begun = time.perf_counter()
        try:
            self._stream(body, answer, show or _quiet, begun)
        except KeyboardInterrupt:
            answer.stopped = True
        answer.ms = (time.perf_counter() - begun) * 1000
        if answer.text:
            self._messages = [*messages, {"role": "assistant", "content": answer.text}]
        if answer.cost is None:
            answer.cost = self._cost(answer.trace)
        return answer

    def _stream(self, body: Mapping[str, Any], answer: Answer, show: Show, begun: float) -> None:
        splitter = SseSplitter()
        try:
            with self._http.stream(
                "POST", "/v1/chat/completions", json=body, headers=self._headers()
            ) as reply:
                if reply.status_code >= 400:
                    raise UserError(_sentence(reply.read(), reply.status_code))
                answer.trace = reply.headers.get("x-noria-trace-id", "")
                answer.target = reply.headers.get("x-noria-target", "")
                answer.cache = reply.headers.get("x-noria-cache", "")
                answer.cost = reply.headers.get("x-noria-cost")
                for data in reply.iter_bytes():
                    for event in splitter.feed(data):
                        if event != b"[DONE]":
                            _take(json.loads(event), answer, show, begun)
        except httpx2.TransportError as error:
            raise self._unreachable(error) from None

    def _cost(self, trace: str) -> str | None:
        """What the recorded call has cost, where this machine's Noria recorded it."""
        until = time.monotonic() + VISIBLE
        while self.gateway.local and trace and time.monotonic() < until:
            try:
                found = self._api.get(f"/api/traces/{trace}")["trace"]["summary"]
            except Unreachable:
                return None
            except UserError:  # Not yet visible.
                time.sleep(0.05)
                continue
            return found["cost"]
        return None

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.gateway.token()}"}

    def _unreachable(self, error: Exception) -> Unreachable:
        hint = "start it with `noria up`" if self.gateway.local else "check the address"
        return Unreachable(f"The gateway at {self.gateway.url} does not answer ({error}); {hint}.")


def _take(chunk: Mapping[str, Any], answer: Answer, show: Show, begun: float) -> None:
    if "error" in chunk:
        raise UserError(str(chunk["error"].get("message", "The answer broke off.")))
    answer.model = chunk.get("model") or answer.model
    answer.usage = chunk.get("usage") or answer.usage
    for choice in chunk.get("choices", ()):
        delta = choice.get("delta") or {}
        text, thought = delta.get("content"), delta.get("reasoning_content") or delta.get("reasoning")
        if (text or thought) and answer.first_ms is None:
            answer.first_ms = (time.perf_counter() - begun) * 1000
        if thought:
            show("thought", thought)
        if text:
            answer.text += text
            show("text", text)
        answer.finish = choice.get("finish_reason") or answer.finish


def _quiet(kind: str, text: str) -> None:
    pass


def _sentence(body: bytes, status: int) -> str:
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"The gateway answered {status}."
