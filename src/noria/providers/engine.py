"""How engines are started and found: their command line, and the file that says where one listens.

`run/engine-<name>.json` is made before the engine starts and kept when it stops, so that an engine which is
started again has the address and the key that the gateway's workers already know.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from noria.errors import StateError
from noria.models.weights import Kind, Weights


class Home(Protocol):
    """The part of a state folder that engines need."""

    @property
    def run(self) -> Path: ...


class EngineFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `run/engine-<name>.json` holds; the file is 0600, since it has the key."""

    name: str
    port: int
    key: str
    model: str = ""
    kind: Kind = "chat"
    pid: int = 0
    """0: it has not said that it is ready."""
    context: int = 0
    """Tokens that one request can have; 0: not known yet."""
    adapters: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Base URL of the OpenAI-compatible API."""
        return f"http://127.0.0.1:{self.port}/v1"


class EngineSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine process serves. `weights` is what `weights.pull` returned."""

    name: str
    model: str
    """The name under which it is called, without the provider."""
    weights: Path
    kind: Kind = "chat"
    adapters: Mapping[str, Path] = {}
    threads: int | None = None
    context: int | None = None
    parallel: int | None = None
    system: str | None = None
    query_instruction: str | None = None


def spec_of(
    name: str,
    path: Path,
    weights: Weights,
    *,
    model: str,
    kind: Kind,
    adapters: Mapping[str, Path],
    threads: int | None,
    context: int | None,
    parallel: int | None,
) -> EngineSpec:
    """An engine as configured, with what suits its weights where the configuration is silent."""
    return EngineSpec(
        name=name,
        model=model,
        weights=path,
        kind=kind,
        adapters=adapters,
        threads=threads or weights.threads,
        context=context or weights.context,
        parallel=parallel,
        system=weights.system,
        query_instruction=weights.query_instruction,
    )


def command(spec: EngineSpec, home: Path) -> tuple[str, ...]:
    """The command line of the engine's process; secrets are in its file, not here."""
    given = [sys.executable, "-m", "noria.server.engine", "--home", str(home), "--name", spec.name]
    given += ["--kind", spec.kind, "--model", spec.model, "--weights", str(spec.weights)]
    for name, path in spec.adapters.items():
        given += ["--adapter", f"{name}={path}"]
    for option, value in (
        ("--threads", spec.threads),
        ("--context", spec.context),
        ("--parallel", spec.parallel),
        ("--system", spec.system),
        ("--query-instruction", spec.query_instruction),
    ):
        if value is not None:
            given += [option, str(value)]
    return tuple(given)


def read(name: str, home: Home) -> EngineFile | None:
    """What is known of the engine; None where none of this name was ever started here."""
    path = home.run / f"engine-{name}.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=EngineFile)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise StateError(f"{path} is damaged; delete it and start Noria again.") from error


def reserve(name: str, home: Home, *, port: int = 0) -> EngineFile:
    """The engine's address and key, as they were where its port is still free; `port` 0 takes a free one."""
    known = read(name, home)
    if known is not None and port in (0, known.port) and _free(known.port):
        return known
    return write(EngineFile(name=name, port=port or _any_port(), key="ne-" + secrets.token_urlsafe(24)), home)


def write(file: EngineFile, home: Home) -> EngineFile:
    """Put the file in place at once."""
    path = home.run / f"engine-{file.name}.json"
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(msgspec.json.encode(file))
    aside.replace(path)
    return file


def resolve_engine(name: str, home: Home) -> tuple[str, str]:
    """Base URL and key of `engine:<name>`; raises StateError where it was never started."""
    known = read(name, home)
    if known is None:
        raise StateError(f"The engine {name!r} has not been started; `noria up` starts it.")
    return known.url, known.key


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
