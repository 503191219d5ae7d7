"""llama.cpp inside an engine process: the whole llama-server of xllamacpp, on a unix socket of its own.

`Llama` starts it and speaks to it; `server.engine` is what others speak to.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import tempfile
from collections.abc import AsyncGenerator, Mapping
from importlib import import_module
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec

from noria.errors import InvalidRequest, MissingExtra, RequestError, StateError, Unavailable
from noria.gateway.transport import Answer, Origin
from noria.providers.transport import PooledTransport

Body = dict[str, Any]
"""A JSON object in llama-server's or OpenAI's form."""

CONTEXT = 8192
"""Tokens that all requests at work share, unless told otherwise."""
PARALLEL = 8
_EXCEPTION = re.compile(r"\[json\.exception[^\]]*\] ?")
PATIENCE = 3600.0
"""Seconds for an answer; the gateway's own limits are shorter, and hanging up frees the slot."""


class Llama:
    """One loaded model."""

    def __init__(
        self,
        weights: Path,
        *,
        model: str,
        adapters: Mapping[str, Path],
        threads: int | None,
        context: int | None,
        parallel: int | None,
    ) -> None:
        """Loads the weights; raises StateError where they cannot be, MissingExtra without xllamacpp."""
        # Spinning threads make everything else on a small machine wait (51.7 s against 2.8 s for one job).
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        try:
            xllamacpp: Any = import_module("xllamacpp")
        except ImportError as error:
            raise MissingExtra("Running a model on this machine", "local") from error
        for path in (weights, *adapters.values()):
            if not path.is_file():
                raise StateError(f"There are no weights at {path}; pull them again with `noria model pull`.")
        self._folder = tempfile.TemporaryDirectory(prefix="noria-engine-")
        sock = str(Path(self._folder.name) / "llama.sock")
        key = secrets.token_urlsafe(24)
        count = threads or len(os.sched_getaffinity(0))
        params = xllamacpp.CommonParams()
        params.model.path = str(weights)
        params.model_alias = {model}
        params.hostnames = [sock]
        params.api_keys = [key]
        params.n_parallel = parallel or PARALLEL
        # Else each request could use only its share of the context.
        params.kv_unified = True
        params.n_ctx = context or CONTEXT
        params.cpuparams.n_threads = count
        params.cpuparams_batch.n_threads = count
        params.n_threads_http = 2 * params.n_parallel + 32
        params.verbosity = 0
        params.use_jinja = True
        params.ui = False
        params.endpoint_metrics = True
        params.endpoint_slots = True
        params.embedding = True
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        if adapters:
            # The host's prompt cache is not keyed by adapter: it would answer with another one's states.
            params.cache_ram_mib = 0
            params.lora_adapters = [
                xllamacpp.CommonAdapterLoraInfo(str(path), 0.0) for path in adapters.values()
            ]
        try:
            self._server = xllamacpp.Server(params)
        except RuntimeError as error:
            raise StateError(
                f"{weights} cannot be loaded ({error}); pull it again, or free memory."
            ) from error
        self.model = model
        self.adapters = tuple(adapters)
        self.context = 0
        self.vocabulary = 0
        """Token ids are below it."""
        self.supports_tools = False
        self.end_tokens: frozenset[int] = frozenset()
        """Tokens that end a text; a grammar cannot hold them."""
        self._origin = Origin(host="llama", port=80, unix=sock, max_connections=4096)
        self._authorization = key

    async def open(self) -> None:
        """Learn what the model can do; call once on the loop that will use it."""
        self._transport = PooledTransport()
        props = await self.get("/props")
        self.context = props["default_generation_settings"]["n_ctx"]
        self.vocabulary = (await self.get("/v1/models"))["data"][0]["meta"]["n_vocab"]
        self.supports_tools = props["chat_template_caps"]["supports_tools"]
        probe = await self.post("/completion", {"prompt": "a", "n_predict": 1, "ignore_eos": True})
        self.end_tokens = frozenset(bias["token"] for bias in probe["generation_settings"]["logit_bias"])

    def close(self) -> None:
        self._transport.close()
        self._folder.cleanup()

    async def get(self, path: str) -> Body:
        return msgspec.json.decode(await self.get_raw(path))

    async def get_raw(self, path: str) -> bytes:
        return await _whole(await self._send(b"GET", path, b""))

    async def post(self, path: str, body: Body) -> Body:
        """Raises RequestError with llama-server's own sentence for whatever it refuses."""
        return msgspec.json.decode(await self.post_raw(path, msgspec.json.encode(body)))

    async def post_raw(self, path: str, body: bytes) -> bytes:
        return await _whole(await self._send(b"POST", path, body))

    async def stream(self, path: str, body: bytes) -> Answer:
        """An answer of status 200 whose body is still to come; the caller reads or aborts it."""
        return await self._send(b"POST", path, body)

    async def events(self, path: str, body: Body) -> AsyncGenerator[Body]:
        """The JSON of each server-sent event until [DONE]; hanging up frees the slot."""
        answer = await self._send(b"POST", path, msgspec.json.encode(body))
        rest = b""
        done = False
        try:
            while not done:
                data = await answer.chunk()
                if not data:
                    break
                *whole, rest = (rest + data).split(b"\n\n")
                for event in whole:
                    if event == b"data: [DONE]":
                        done = True
                    elif event.startswith(b"data: "):
                        found: Body = msgspec.json.decode(event[6:])
                        if "error" in found:
                            raise refusal(found, 500)
                        yield found
        finally:
            if done:
                answer.release()
            else:
                answer.abort()

    async def _send(self, method: bytes, path: str, body: bytes) -> Answer:
        head = b"%s %s HTTP/1.1\r\nhost: llama\r\nauthorization: Bearer %s\r\n%s" % (
            method,
            path.encode(),
            self._authorization.encode(),
            b"content-type: application/json\r\n" if body else b"",
        )
        answer = await self._transport.send(
            self._origin, head, body, connect=5.0, first=PATIENCE, total_at=monotonic() + PATIENCE
        )
        if answer.status != 200:
            data = await answer.read()
            try:
                found = msgspec.json.decode(data, type=Body)
            except msgspec.DecodeError:
                found = {}
            raise refusal(found, answer.status)
        return answer


async def _whole(answer: Answer) -> bytes:
    try:
        return await answer.read()
    except asyncio.CancelledError:
        answer.abort()
        raise


def refusal(body: Body, status: int) -> RequestError:
    """llama-server's error as one of ours; its status 500 is for requests that it could not use."""
    found = body.get("error", {})
    message = str(found.get("message", "The engine refused the request without a reason.")).strip()
    if status == 503:
        return Unavailable(message)
    if found.get("type") == "exceed_context_size_error":
        return InvalidRequest(
            f"The request has {found['n_prompt_tokens']} tokens and the model can take {found['n_ctx']}; "
            "shorten it.",
            code="context_length_exceeded",
            param="messages",
        )
    return InvalidRequest(_EXCEPTION.sub("", message))
