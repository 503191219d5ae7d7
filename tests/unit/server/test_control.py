"""The process itself: starts quickly, listens on a private socket, relays to the gateway, survives a kill."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from noria.access import token as tokens
from noria.runtime.control import LOCAL_TOKEN, SETUP_TOKEN
from noria.storage.home import Home

CONFIG = """
[server]
port = {port}

[providers.acme]
dialect = "openai"
base_url = "http://127.0.0.1:1/v1"
api_key = "env:ACME_KEY"
models = ["small"]
"""


_JSON = {"content-type": "application/json"}


class Gateway(BaseHTTPRequestHandler):
    """What stands where the workers listen: says who called, then streams until it is hung up on."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str, bytes]]
    hung_up: threading.Event

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.seen.append((self.path, self.headers["authorization"], body))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("x-noria-cost", "0.01")
        self.send_header("set-cookie", "no=no")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        try:
            for number in range(200):
                event = b"data: %d\n\n" % number
                self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
                self.wfile.flush()
                time.sleep(0.05)
        except OSError:
            self.hung_up.set()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def gateway() -> Iterator[ThreadingHTTPServer]:
    Gateway.seen, Gateway.hung_up = [], threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


class Running:
    """One control process over one home."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Home(folder / "home")
        self.log = open(folder / "control.log", "ab")  # noqa: SIM115  # closed by `stop`
        command = [
            sys.executable, "-m", "noria.server.control",
            "--home", str(self.home.folder), "--config", str(folder / "noria.toml"),
        ]  # fmt: skip
        self.process = subprocess.Popen(command, stderr=self.log)

    def client(self) -> httpx2.Client:
        transport = httpx2.HTTPTransport(uds=str(self.home.run / "control.sock"))
        token = (self.home.run / LOCAL_TOKEN).read_text()
        headers = {"authorization": f"Bearer {token}"}
        return httpx2.Client(transport=transport, base_url="http://localhost", headers=headers, timeout=30)

    def wait(self) -> float:
        """Seconds until it answers."""
        begun = time.monotonic()
        path = self.home.run / "control.sock"
        while True:
            assert self.process.poll() is None, (self.folder / "control.log").read_text()
            assert time.monotonic() - begun < 30
            try:
                with httpx2.Client(transport=httpx2.HTTPTransport(uds=str(path))) as client:
                    assert client.get("http://localhost/healthz").json() == {"status": "ok"}
            except httpx2.TransportError:
                time.sleep(0.02)
            else:
                return time.monotonic() - begun

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(15)
        self.log.close()
        return status


@pytest.fixture
def running(tmp_path: Path, gateway: ThreadingHTTPServer) -> Iterator[Running]:
    (tmp_path / "noria.toml").write_text(CONFIG.format(port=gateway.server_address[1]))
    found = Running(tmp_path)
    found.wait()
    yield found
    found.stop()


def test_it_starts_listens_privately_and_stops_in_order(running: Running) -> None:
    run = running.home.run
    for name in ("control.sock", LOCAL_TOKEN, SETUP_TOKEN):
        assert (run / name).stat().st_mode & 0o077 == 0, name
    with running.client() as client:
        assert client.get("/api/config").json()["version"]["number"] == 1
        assert client.get("/api/models").json()["items"][0]["id"] == "acme/small"
        assert len(client.get("/api/cards").json()["items"]) > 50
    assert running.stop() == 0
    assert not (run / "control.sock").exists()


def test_a_path_that_no_file_can_have_is_not_found(running: Running) -> None:
    with running.client() as client:
        assert client.get("/%00").status_code == 404


def test_a_killed_one_is_followed_by_the_next(running: Running) -> None:
    with running.client() as client:
        key = client.post("/api/keys", json={"name": "k"}).json()["key"]["id"]
    os.kill(running.process.pid, signal.SIGKILL)
    running.process.wait()
    again = Running(running.folder)
    try:
        again.wait()
        with again.client() as client:
            assert [item["id"] for item in client.get("/api/keys").json()["items"]] == [key]
            assert client.get("/api/audit/verify").json()["whole"]
            assert client.get("/api/config").json()["version"]["number"] == 1
    finally:
        again.stop()


def test_a_second_one_waits_for_the_first(running: Running) -> None:
    second = Running(running.folder)
    try:
        time.sleep(1.0)
        assert second.process.poll() is None
        with running.client() as client:
            assert client.get("/api/keys").status_code == 200
        running.stop()
        second.wait()
    finally:
        second.stop()


def test_the_playground_streams_as_whoever_asks_and_hangs_up(running: Running) -> None:
    with running.client() as client:
        body = b'{"model": "acme/small", "messages": [], "stream": true}'
        with client.stream("POST", "/api/playground/chat/completions", content=body, headers=_JSON) as answer:
            first = next(answer.iter_raw())
            assert first.startswith(b"data: 0")
            assert answer.headers["x-noria-cost"] == "0.01" and "set-cookie" not in answer.headers
    assert Gateway.hung_up.wait(5), "hanging up must reach the gateway"
    ((path, authorization, sent),) = Gateway.seen
    assert (path, sent) == ("/v1/chat/completions", body)
    token = authorization.removeprefix("Bearer ").encode()
    key = tokens.verify(token, pepper=running.home.pepper(), now=time.time())
    assert key is not None and (key.id, key.role, key.routes) == ("local", "caller", ("*",))


def test_without_a_gateway_the_playground_says_so(running: Running, gateway: ThreadingHTTPServer) -> None:
    gateway.shutdown()
    gateway.server_close()
    with running.client() as client:
        answer = client.post("/api/playground/messages", json={})
        assert answer.status_code == 503 and answer.json()["error"]["code"] == "unavailable"


def test_a_wrong_configuration_at_the_first_start_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "noria.toml").write_text("[serverr]\n")
    running = Running(tmp_path)
    assert running.process.wait(20) == 2
    running.log.close()
    said = (tmp_path / "control.log").read_text()
    assert "serverr" in said and "Traceback" not in said


def test_the_hot_path_is_not_burdened(running: Running) -> None:
    """A stranger's connection that says nothing holds nobody up."""
    idle = socket.socket(socket.AF_UNIX)
    idle.connect(str(running.home.run / "control.sock"))
    with running.client() as client:
        assert client.get("/healthz").status_code == 200
    idle.close()
