"""A backup taken under load, restored, and started: nothing answered before it is missing, nothing twice."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import apsw
import pytest

from noria.runtime.supervisor import status


class Load:
    """Threads that call as fast as they are answered, and note which traces they were answered with."""

    def __init__(self, url: str, token: str, *, threads: int = 4) -> None:
        self._url = url
        self._token = token
        self._over = threading.Event()
        self.answered: list[tuple[float, str]] = []
        self._threads = [threading.Thread(target=self._call) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _call(self) -> None:
        body = json.dumps({"model": "fast", "messages": [{"role": "user", "content": "hello"}]}).encode()
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        while not self._over.is_set():
            request = urllib.request.Request(f"{self._url}/v1/chat/completions", body, headers)
            with urllib.request.urlopen(request, timeout=30) as answer:
                answer.read()
                self.answered.append((time.time(), answer.headers["x-noria-trace-id"]))


def traces_in(spans: Path) -> list[str]:
    """Trace of every call's root span."""
    found: list[str] = []
    for path in spans.glob("*.db"):
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        found += [trace.hex() for (trace,) in connection.execute("SELECT trace FROM traces")]
        connection.close()
    return found


@pytest.fixture
def busy(make_running: Any, tmp_path: Path) -> Any:
    folder = tmp_path / "source"
    folder.mkdir()
    found = make_running(folder, workers=2)
    yield found
    found.stop()


@pytest.mark.slow
@pytest.mark.parametrize("form", ["backup.tar.zst", "backup"])
def test_nothing_that_was_answered_is_missing_and_nothing_is_twice(
    form: str, busy: Any, make_running: Any, tmp_path: Path
) -> None:
    token = busy.run("key", "create", "load", "--route", "fast").stdout.strip()
    load = Load(busy.url, token)
    time.sleep(1.0)
    collector = next(child.pid for child in status(busy.home).children if child.role == "collector")
    # From here on what is answered is in the spool alone.
    os.kill(collector, signal.SIGSTOP)
    time.sleep(0.7)
    begun = time.time()
    file = tmp_path / form
    try:
        told = json.loads(busy.run("backup", str(file), "--json").stdout)
        time.sleep(0.3)
    finally:
        os.kill(collector, signal.SIGCONT)
        load.stop()
    before = {trace for at, trace in load.answered if at < begun}
    after = {trace for _, trace in load.answered}
    assert len(before) > 50
    assert any(one["name"].endswith(".seg") for one in told["files"])

    target = tmp_path / "restored"
    restored = json.loads(busy.run("restore", str(file), "--to", str(target), "--json").stdout)
    assert restored["files"] == told["files"]
    assert (target / "noria.toml").read_text() == busy.path.read_text()
    assert (target / ".noria" / "secret").read_bytes() == (busy.folder / ".noria" / "secret").read_bytes()
    for path in (target, *target.rglob("*")):
        assert not path.stat().st_mode & 0o077, path

    other = make_running(target)
    try:
        # The key works, since its hash and the secret that it was made under are there.
        assert other.run("chat", "--url", other.url, "--key", token, "-m", "fast", "x").stdout
        found = wait_for(target / ".noria" / "spans", before)
        assert len(found) == len(set(found)), "a call is there twice"
        assert before <= set(found)
        extra = set(found) - after
        assert len(extra) <= 4 + 1, "calls under way at the backup, and the one above"
        costs = json.loads(other.run("cost", "--json").stdout)["total"]
        spans = json.loads(other.run("trace", "list", "--limit", "100000", "--json").stdout)
        assert costs["calls"] == len(spans)
        assert [one["name"] for one in json.loads(other.run("key", "list", "--json").stdout)] == ["load"]
        assert re.search("All [0-9]+ events follow", other.run("audit", "verify").stderr)
    finally:
        other.stop()


def wait_for(spans: Path, wanted: set[str]) -> list[str]:
    until = time.monotonic() + 20
    found: list[str] = []
    while time.monotonic() < until:
        found = traces_in(spans)
        if wanted <= set(found):
            break
        time.sleep(0.1)
    time.sleep(0.5)
    return traces_in(spans)
