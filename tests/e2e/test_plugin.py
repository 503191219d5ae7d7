"""A distribution of its own, installed beside Noria, adds a provider's dialect and a scorer."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from noria.client import Noria
from noria.errors import Unsupported, UpstreamFailed
from noria.gateway.snapshot import Provider
from noria.testing.stack import Stack, mock_model, snapshot

PLUGIN = Path(__file__).parents[1] / "plugins" / "acme-noria"
CONFIG = """
[providers.acme]
dialect = "acme"
base_url = "http://127.0.0.1:9"
models = ["big"]
"""


class Acme(BaseHTTPRequestHandler):
    """Acme's own server: says back what was said last, in its own wire form."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        ask = json.loads(self.rfile.read(int(self.headers["content-length"])))
        said = ask["turns"][-1]["say"].upper()
        used = {"in": len(ask["turns"]), "out": len(said.split())}
        if self.headers.get("authorization") != "Bearer acme-secret":
            self._answer(401, {"trouble": "who are you?"})
        elif ask.get("live"):
            lines: list[dict[str, Any]] = [{"piece": word + " "} for word in said.split()]
            self._answer(200, *lines, {"why": "end", "used": used})
        else:
            self._answer(200, {"reply": said, "why": "end", "used": used})

    def _answer(self, status: int, *lines: dict[str, Any]) -> None:
        body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the plugin is installed into, as pip does it."""
    folder = tmp_path_factory.mktemp("plugin")
    source = folder / "source"
    shutil.copytree(PLUGIN, source, ignore=shutil.ignore_patterns("__pycache__"))
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-index", "--no-build-isolation"]
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        *options,
        "--target",
        str(folder / "site"),
        str(source),
    ]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return folder / "site"


@pytest.fixture(scope="module")
def acme() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Acme)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def _python(*arguments: str, path: Path | None) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(path)} if path else dict(os.environ)
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=60
    )


def test_its_provider_answers_through_the_gateway(installed: Path, acme: str, tmp_path: Path) -> None:
    provider = Provider(name="acme", dialect="acme", base_url=acme, secrets={"api_key": "env:ACME_KEY"})
    stranger = Provider(name="wrong", dialect="acme", base_url=acme, auth="none")
    models = {
        "acme/big": mock_model("big", provider="acme"), "wrong/big": mock_model("big", provider="wrong")
    }  # fmt: skip
    config = snapshot(providers={"acme": provider, "wrong": stranger}, models=models)
    environment = {"PYTHONPATH": str(installed), "ACME_KEY": "acme-secret"}
    with Stack(tmp_path / "home", config, collector=False, environment=environment) as stack:
        with Noria(stack.url, stack.key()) as noria:
            answer = noria.chat("acme/big", "hello there", max_tokens=50)
            assert answer.text == "HELLO THERE"
            assert answer.receipt.target == "acme/big"
            assert (answer.usage.input, answer.usage.output) == (1, 2)
            with noria.chat_stream("acme/big", "one two three") as stream:
                assert "".join(stream.texts()) == "ONE TWO THREE "
            assert stream.usage is not None and stream.usage.output == 3
            with pytest.raises(Unsupported, match="acme"):
                noria.chat("acme/big", "hello", seed=1)
            with pytest.raises(UpstreamFailed, match="who are you"):
                noria.chat("wrong/big", "hello")


def test_noria_toml_may_name_it_where_it_is_installed(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "noria.toml").write_text(CONFIG)
    command = (
        str(Path(sys.executable).with_name("noria")),
        "check",
        "--config",
        str(tmp_path / "noria.toml"),
    )
    checked = _python(*command, path=installed)
    assert (checked.returncode, checked.stdout) == (0, "")
    refused = _python(*command, path=None)
    assert "unknown dialect 'acme'" in refused.stdout


def test_its_scorer_is_found_and_loaded(installed: Path) -> None:
    program = (
        "from noria import hooks\n"
        "print('acme_length' in hooks.names('scorer'), hooks.load('scorer', 'acme_length')(most=2)('four'))"
    )
    assert _python("-c", program, path=installed).stdout == "True 0.5\n"
    missing = _python("-c", program, path=None)
    assert "No scorer of type 'acme_length' is installed (installed: bertscore" in missing.stderr
