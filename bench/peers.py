"""Gateways to compare with, each started from its own virtual environment or package folder.

`NORIA_PEERS` is the folder in which `bench/install_peers.sh` has put them. Each runs as one process on one
core with what it logs turned down, knows the mock as an OpenAI-compatible provider and serves one model.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from machine import pinned

from noria.testing.stack import free_port

FOLDER = Path(os.environ.get("NORIA_PEERS", ".cache/peers")).absolute()
READY = 120.0
"""Seconds that a peer is given to answer."""
Start = Callable[..., AbstractContextManager[tuple[str, dict[str, str], int]]]


@dataclass
class Peer:
    """`start(folder, upstream, cpu=)` gives URL, headers and process id."""

    name: str
    start: Start
    model: str = "mock"
    path: str = "/v1/chat/completions"

    def installed(self) -> bool:
        return (FOLDER / self.name / ".installed").exists()


@contextmanager
def serving(
    command: Sequence[str], folder: Path, *, url: str, cpu: int, environment: Mapping[str, str] | None = None
) -> Iterator[int]:
    """A process that answers anything at `url`; its id. Raises SystemExit with its last words."""
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            pinned(command, cpu),
            cwd=folder,
            stdout=out,
            stderr=out,
            env={**os.environ, **(environment or {})},
        )
    try:
        until = time.monotonic() + READY
        while not _answers(url):
            if time.monotonic() > until or process.poll() is not None:
                raise SystemExit(f"{command[0]} does not answer at {url}:\n{log.read_text()[-3000:]}")
            time.sleep(0.2)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@contextmanager
def litellm(folder: Path, upstream: str, *, cpu: int) -> Iterator[tuple[str, dict[str, str], int]]:
    """With its master key: virtual keys, limits and spend need a database that it reaches by itself."""
    key, port = "sk-" + secrets.token_hex(24), free_port()
    config = {
        "model_list": [
            {
                "model_name": "mock",
                "litellm_params": {
                    "model": "openai/mock", "api_base": upstream + "/v1", "api_key": "none",
                    "input_cost_per_token": 1.5e-7, "output_cost_per_token": 6e-7,
                },
            }
        ],
        "litellm_settings": {"telemetry": False, "request_timeout": 600},
    }  # fmt: skip
    (folder / "config.yaml").write_text(json.dumps(config))  # JSON is YAML.
    command = [
        str(FOLDER / "litellm/bin/litellm"), "--config", "config.yaml", "--host", "127.0.0.1",
        "--port", str(port), "--num_workers", "1",
    ]  # fmt: skip
    environment = {
        "LITELLM_MASTER_KEY": key, "LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MODE": "PRODUCTION",
    }  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    with serving(command, folder, url=url + "/health/liveliness", cpu=cpu, environment=environment) as pid:
        yield url, {"authorization": f"Bearer {key}"}, pid


@contextmanager
def portkey(folder: Path, upstream: str, *, cpu: int) -> Iterator[tuple[str, dict[str, str], int]]:
    """The open-source gateway: no keys, limits or records of its own."""
    port = free_port()
    program = FOLDER / "portkey/node_modules/@portkey-ai/gateway/build/start-server.js"
    command = ["node", str(program), f"--port={port}", "--headless"]
    url = f"http://127.0.0.1:{port}"
    headers = {
        "authorization": "Bearer none",
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": upstream + "/v1",
    }
    environment = {"NODE_ENV": "production", "TRUSTED_CUSTOM_HOSTS": "127.0.0.1"}
    with serving(command, folder, url=url, cpu=cpu, environment=environment) as pid:
        yield url, headers, pid


@contextmanager
def mlflow(folder: Path, upstream: str, *, cpu: int) -> Iterator[tuple[str, dict[str, str], int]]:
    """`mlflow gateway`: no keys, limits or records."""
    port = free_port()
    config = {
        "endpoints": [
            {
                "name": "mock",
                "endpoint_type": "llm/v1/chat",
                "model": {
                    "provider": "openai",
                    "name": "mock",
                    "config": {"openai_api_key": "none", "openai_api_base": upstream + "/v1"},
                },
            }
        ]
    }
    (folder / "config.yaml").write_text(json.dumps(config))
    command = [
        str(FOLDER / "mlflow/bin/mlflow"), "gateway", "start", "--config-path", "config.yaml",
        "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    with serving(command, folder, url=url + "/health", cpu=cpu) as pid:
        yield url, {}, pid


@contextmanager
def tensorzero(folder: Path, upstream: str, *, cpu: int) -> Iterator[tuple[str, dict[str, str], int]]:
    """Its Rust gateway inside its Python package, observability off: no keys, limits or records."""
    config = f"""
[gateway]
observability.enabled = false
[models.mock]
routing = ["mock"]
[models.mock.providers.mock]
type = "openai"
model_name = "mock"
api_base = "{upstream}/v1/"
api_key_location = "none"
"""
    (folder / "tensorzero.toml").write_text(config)
    script = """
import threading
from tensorzero import _start_http_gateway
gateway = _start_http_gateway(
    config_file="tensorzero.toml", clickhouse_url=None, postgres_url=None, valkey_url=None, async_setup=False
)
open("url", "w").write(gateway.base_url)
threading.Event().wait()
"""
    process = subprocess.Popen(
        pinned([str(FOLDER / "tensorzero/bin/python"), "-c", script], cpu),
        cwd=folder, stdout=(folder / "log").open("wb"), stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        until = time.monotonic() + READY
        while not (folder / "url").exists() or not (folder / "url").read_text():
            if time.monotonic() > until or process.poll() is not None:
                raise SystemExit(f"tensorzero does not start:\n{(folder / 'log').read_text()[-3000:]}")
            time.sleep(0.2)
        address = (folder / "url").read_text().rstrip("/").removesuffix("/openai/v1")
        yield address, {}, process.pid
    finally:
        process.kill()
        process.wait()


PEERS = [
    Peer("tensorzero", tensorzero, model="tensorzero::model_name::mock", path="/openai/v1/chat/completions"),
    Peer("portkey", portkey),
    Peer("mlflow", mlflow),
    Peer("litellm", litellm),
]
