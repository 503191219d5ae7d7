"""The default local model in an engine process, and a gateway before it."""

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from noria.gateway.snapshot import Model, Provider, Snapshot
from noria.models.card import Card
from noria.models.weights import known
from noria.providers.engine import EngineSpec, command, read
from noria.providers.weights import pull
from noria.storage.home import Home
from noria.testing.stack import snapshot

NAME = "smollm2-135m-instruct"
MODEL = f"local/{NAME}"
START = 60.0
"""Seconds."""


@contextlib.contextmanager
def engine(folder: Path) -> Iterator[None]:
    """The engine `local` of the Noria in `folder`, ready."""
    pytest.importorskip("xllamacpp")
    spec = EngineSpec(name="local", model=NAME, weights=pull(NAME), threads=1, system=known(NAME).system)
    home = Home(folder)
    log = home.logs / "engine-local.log"
    with log.open("wb") as opened:
        process = subprocess.Popen(command(spec, folder), stdout=opened, stderr=opened)
    try:
        until = time.monotonic() + START
        while (file := read("local", home)) is None or file.pid != process.pid:
            assert process.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def config() -> Snapshot:
    """The engine as a provider, free of charge."""
    provider = Provider(name="local", dialect="engine", base_url="engine:local", auth="bearer")
    card = Card(id=MODEL, name=NAME, context=2048, max_output=1024)
    model = Model(id=MODEL, provider="local", upstream=NAME, card=card)
    return snapshot(providers={"local": provider}, models={MODEL: model})
