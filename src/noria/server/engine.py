"""An engine process: `python -m noria.server.engine --home DIR --name NAME --weights PATH --model NAME`.

To everyone else it is one OpenAI-compatible base URL on loopback with a bearer key; both are in
`run/engine-<name>.json`, and stay the same when the engine is started again.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import uvloop

from noria.errors import ConfigError, UserError
from noria.providers.engine import EngineFile, reserve, write
from noria.runtime.child import hold, log_to_stderr, watch_supervisor
from noria.server.engine_front import Front, Handler, Names
from noria.server.engine_listener import Listener
from noria.storage.home import Home


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """A model that is ready: its front, what it says of itself, and how it is put away."""

    front: Front
    context: int
    close: Callable[[], None]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="noria.server.engine")
    parser.add_argument("--home", required=True, type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--weights", required=True, type=Path)
    parser.add_argument("--model", required=True, help="the name under which it is called")
    parser.add_argument("--kind", choices=("chat", "encoder", "reranker"), default="chat")
    parser.add_argument("--port", type=int, default=0, help="0: as before, or a free one")
    parser.add_argument("--adapter", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--context", type=int)
    parser.add_argument("--parallel", type=int)
    parser.add_argument("--system", help="system prompt of chats that bring none")
    parser.add_argument("--query-instruction", help="what an encoder puts before a query")
    given = parser.parse_args(arguments)
    log_to_stderr(f"engine-{given.name}")
    try:
        uvloop.run(_serve(given))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    sys.stderr.flush()
    # llama.cpp's own threads must not keep a process that is done.
    os._exit(0)


async def _serve(given: argparse.Namespace) -> None:
    home = Home(given.home)
    lock = hold(home, f"engine-{given.name}")
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    watch_supervisor(stopping.set)
    file = reserve(given.name, home, port=given.port)
    served = await (_chat if given.kind == "chat" else _onnx)(given, file.key)
    server = Listener(served.front)
    await server.open(file.port)
    ready = EngineFile(
        name=file.name,
        port=file.port,
        key=file.key,
        model=given.model,
        kind=given.kind,
        pid=os.getpid(),
        context=served.context,
        adapters=tuple(_adapters(given.adapter)),
    )
    write(ready, home)
    await stopping.wait()
    write(msgspec.structs.replace(ready, pid=0), home)
    await server.close()
    served.close()
    os.close(lock)


async def _chat(given: argparse.Namespace, key: str) -> Served:
    # OMP_WAIT_POLICY is set before xllamacpp is imported, in there.
    from noria.runtime.engine import Llama
    from noria.server.engine_chat import Chat
    from noria.server.engine_completions import Completions
    from noria.server.engine_passed import Passed

    adapters = _adapters(given.adapter)
    llama = Llama(
        given.weights,
        model=given.model,
        adapters=adapters,
        threads=given.threads,
        context=given.context,
        parallel=given.parallel,
    )
    await llama.open()
    names = Names(given.model, tuple(adapters))
    chat = Chat(llama, names, system=given.system)
    passed = Passed(llama, names)
    routes: dict[tuple[str, str], Handler] = {
        ("POST", "/v1/chat/completions"): chat.serve,
        ("POST", "/v1/chat/completions/count"): chat.count,
        ("POST", "/v1/completions"): Completions(llama, names).serve,
        ("POST", "/v1/embeddings"): passed.embeddings,
        ("POST", "/tokenize"): passed.tokenize,
        ("POST", "/detokenize"): passed.detokenize,
        ("GET", "/metrics"): passed.metrics,
    }
    return Served(front=Front(key, names.all(), routes), context=llama.context, close=llama.close)


async def _onnx(given: argparse.Namespace, key: str) -> Served:
    from noria.providers.encoder import Encoder
    from noria.providers.onnx import LONGEST
    from noria.providers.reranker import Reranker
    from noria.server.engine_onnx import Computing, Embeddings, Rerank

    names = Names(given.model, ())
    computing = Computing()
    routes: dict[tuple[str, str], Handler] = {}
    if given.kind == "encoder":
        encoder = Encoder(given.weights, instruction=given.query_instruction or "", threads=given.threads)
        routes["POST", "/v1/embeddings"] = Embeddings(encoder, names, computing).serve
    else:
        reranker = Reranker(given.weights, threads=given.threads)
        routes["POST", "/v1/rerank"] = Rerank(reranker, names, computing).serve
    return Served(front=Front(key, names.all(), routes), context=LONGEST, close=computing.close)


def _adapters(given: list[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for text in given:
        name, equals, path = text.partition("=")
        if not name or not equals or ":" in name:
            raise ConfigError(f"--adapter {text!r} must be NAME=PATH, with no ':' in the name.")
        found[name] = Path(path)
    return found


if __name__ == "__main__":
    raise SystemExit(main())
