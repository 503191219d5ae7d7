"""Monitors of a whole Noria: calls are judged once, an alert arrives once, a kill loses nothing."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from noria.cli.alone import reach
from noria.cli.main import noria
from noria.storage.database import Database
from noria.storage.home import Home
from noria.storage.monitors import MonitorTable
from noria.testing.connection import Request
from noria.testing.judge import JudgeUpstream, Script
from noria.testing.plan import Plan
from noria.testing.stack import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SECRET = "hook-secret"
ANSWER = "Gladly, number {}."
CONFIG = """
[server]
port = {port}
[access]
require_key = false
[providers.mock]
dialect = "openai"
base_url = "{mock}/v1"
api_key = "env:ACME_KEY"
[models."mock/answers"]
price = {{ input = "1.00", output = "4.00" }}
[models."mock/judge"]
price = {{ input = "1.00", output = "4.00" }}
[routes.support]
targets = ["mock/answers"]
retries = 0
[routes.dark]
targets = ["mock/answers"]
capture = "metadata"
[judges.kind]
model = "mock/judge"
criterion = "The answer is kind."
[smtp]
host = "127.0.0.1"
port = {smtp}
security = "none"
sender = "noria@example.com"
[channels.hook]
webhook = "env:HOOK_URL"
secret = "env:HOOK_SECRET"
[channels.team]
email = ["team@example.com"]
[monitors.support]
filter = "route:support,dark -tag.skip:*"
scorers = ["refusal", "kind", {{ type = "length", arguments = {{ most = 100 }} }}]
most_per_minute = 1000
notify = ["hook", "team"]
[[monitors.support.alerts]]
measure = "error_rate"
above = {{ warn = 0.2, alert = 0.5 }}
window = "6s"
least = 3
[[monitors.support.alerts]]
scorer = "kind"
below = 0.2
[monitors.everything]
scorers = ["length"]
[monitors.few]
share = 0.3
scorers = ["kind"]
most_per_minute = 2
"""


class Answers(JudgeUpstream):
    """Answers, judges by a script, fails when told to; counts what it is asked."""

    def __init__(self) -> None:
        super().__init__(Script({"Gladly": "yes", "No.": "no"}, agreement=1.0))
        self.fails = False
        self.pause = 0.0
        self.judged: list[str] = []

    def _plan_for(self, request: Request, model: str) -> Plan:
        body = json.loads(request.body)
        said = str(body["messages"][-1]["content"])
        if model == "judge":
            self.judged.append(said)
            return Plan(text=super()._plan_for(request, model).text, first=self.pause)
        if self.fails:
            return Plan(fail=500)
        return Plan(text=ANSWER.format(said))


class Hook:
    """A webhook that keeps what it gets, and does what it is told."""

    def __init__(self) -> None:
        outer = self
        self.got: list[tuple[dict[str, str], dict[str, Any], bytes]] = []
        self.do: Callable[[BaseHTTPRequestHandler], None] | None = None

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.got.append((headers, json.loads(body), body))
                if outer.do is not None:
                    outer.do(self)
                    return
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/alerts"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def of(self, alert: str) -> list[str]:
        return [said["event"] for _, said, _ in self.got if said.get("alert") == alert]

    def close(self) -> None:
        self._server.shutdown()


class Mails:
    """Kept by a real SMTP server."""

    def __init__(self, port: int) -> None:
        from aiosmtpd.controller import Controller

        self.got: list[str] = []
        self._controller = Controller(self, hostname="127.0.0.1", port=port)
        self._controller.start()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.got.append(envelope.content.decode())
        return "250 OK"

    def close(self) -> None:
        self._controller.stop()


class Watched:
    """A Noria before an upstream, with a webhook and a mail server."""

    def __init__(self, folder: Path) -> None:
        self.upstream = Answers()
        self.traces: list[str] = []
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(self.upstream.start(), self._loop).result(10)
        self.hook, self.port, smtp = Hook(), free_port(), free_port()
        self.mails = Mails(smtp)
        self.folder, self.path = folder, folder / "noria.toml"
        self.path.write_text(CONFIG.format(port=self.port, mock=self.upstream.url, smtp=smtp))
        self.home = Home(folder / ".noria")
        self.environment = {
            "ACME_KEY": "sk-mock", "HOOK_URL": self.hook.url, "HOOK_SECRET": SECRET, "NORIA_LOG": "INFO",
        }  # fmt: skip
        self.process = self.up()
        self.wait(lambda: self.run("monitor", "list")["items"], "the monitors to be there")

    def up(self) -> subprocess.Popen[bytes]:
        log = self.folder / "up.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "noria", "up", "--config", str(self.path), "--workers", "1"],
                stdout=file, stderr=file, env={**os.environ, **self.environment}, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + 60
        while time.monotonic() < until and process.poll() is None:
            if b"Noria answers" in log.read_bytes():
                return process
            time.sleep(0.05)
        raise TimeoutError(log.read_text())

    def attempt(self, *arguments: str) -> Result:
        environment = {**self.environment, "NORIA_CONFIG": str(self.path), "NORIA_HOME": None}
        return CliRunner().invoke(noria, list(arguments), env=environment)

    def run(self, *arguments: str, exit_code: int = 0) -> Any:
        result = self.attempt(*arguments, "--json")
        assert result.exit_code == exit_code, (result.output, result.exception)
        return json.loads(result.stdout)

    def call(self, said: str, *, route: str = "support", **noria: Any) -> str:
        """The trace of one call."""
        body = {"model": route, "messages": [{"role": "user", "content": said}], "noria": noria}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/v1/chat/completions", data=json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                trace = answer.headers["x-noria-trace-id"]
        except urllib.error.HTTPError as error:
            trace = error.headers["x-noria-trace-id"]
        self.traces.append(trace)
        return trace

    def why(self, trace: str, monitor: str = "support") -> Any:
        return self.run("monitor", "why", trace, "--monitor", monitor)

    def judged(self, trace: str, monitor: str = "support") -> Any:
        """Its scores by name, when there are some."""

        def scores() -> Any:
            result = self.attempt("monitor", "why", trace, "--monitor", monitor, "--json")
            found = json.loads(result.stdout) if result.exit_code == 0 else []
            return {one["name"]: one for each in found for one in each["scores"]}

        return self.wait(scores, f"scores of {trace}")

    def wait(self, what: Callable[[], Any], words: str, *, seconds: float = 60) -> Any:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if found := what():
                return found
            time.sleep(0.1)
        raise AssertionError(f"waited for {words}: {(self.folder / 'up.log').read_text()[-3000:]}")

    def events(self) -> Any:
        """Of the monitor, newest first."""
        with reach(self.path, project="default") as api:
            return api.get("/api/monitors/support/events")["items"]

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        self.mails.close()
        self.hook.close()
        asyncio.run_coroutine_threadsafe(self.upstream.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    pytest.importorskip("aiosmtpd")
    found = Watched(tmp_path_factory.mktemp("noria"))
    yield found
    found.stop()


def test_live_calls_are_judged_and_every_span_says_why_or_why_not(watched: Watched) -> None:
    trace = watched.call("one")
    scores = watched.judged(trace)
    assert scores["refusal"]["value"] == 0.0 and scores["kind"]["value"] == 1.0
    assert scores["length.words"]["value"] == 3.0 and scores["length.within"]["value"] == 1.0
    assert scores["kind"]["cost"] and scores["kind"]["reason"] == "as scripted"
    # The judge's call is a trace as any other, tagged; no monitor looks at it.
    own = scores["kind"]["judged_by"]
    [shown] = watched.run("trace", "list", f"trace:{own}")
    assert shown["tags"]["monitor"] == "support" and shown["team"] == "noria.monitors"
    assert {one["cause"] for one in watched.run("monitor", "why", own)} == {"own_call"}
    skipped, dark = watched.call("two", tags={"skip": "yes"}), watched.call("three", route="dark")
    other = watched.call("four", route="mock/answers")
    watched.judged(other, "everything")
    scores = watched.judged(dark)
    assert {one["state"] for one in scores.values()} == {"no_payload"}
    assert "was not recorded" in scores["kind"]["reason"]
    [why] = watched.why(skipped)
    assert (why["cause"], why["words"]) == ("filter", "The trace does not match `-tag.skip:*`.")
    [why] = watched.why(other)
    assert why["cause"] == "filter" and "`route:support,dark`" in why["words"]
    assert "support" in watched.attempt("monitor", "why", trace).output
    assert "may not be collected yet" in str(watched.attempt("monitor", "why", "ab" * 16).exception)


def test_the_sample_is_by_trace_and_the_rest_is_limited(watched: Watched) -> None:
    from noria.monitoring.monitor import sampled

    begun = time.time()
    traces = [watched.call(f"sample {number}") for number in range(24)]
    inside = [trace for trace in watched.traces if sampled(bytes.fromhex(trace), 0.3)]
    outside = next(trace for trace in traces if trace not in inside)
    states = [watched.judged(trace, "few")["kind"]["state"] for trace in inside]
    assert set(states) <= {"scored", "limited", "no_payload"} and "scored" in states, states
    assert states.count("scored") <= 2 + 2 * (time.time() - begun > 45)
    [why] = watched.why(outside, "few")
    assert why["cause"] == "sample"


def test_an_alert_arrives_once_and_ends(watched: Watched) -> None:
    hook, mails = watched.hook, watched.mails
    hook.got.clear()
    mails.got.clear()
    watched.upstream.fails = True

    def opened() -> Any:
        watched.call("fails")
        return [one for one in watched.run("alert", "list") if one["worst"] == "alert"]

    [alert] = watched.wait(opened, "the alert")
    assert (alert["monitor"], alert["rule"]) == ("support", "error_rate")
    assert alert["reading"]["value"] > 0.5 and alert["reading"]["low"] < alert["reading"]["value"]
    id = alert["id"]
    watched.wait(lambda: "worse" in hook.of(id) or hook.of(id) == ["opened"], "the webhook")
    watched.wait(lambda: mails.got, "the e-mail")
    headers, said, body = hook.got[-1]
    stamp = headers["noria-timestamp"]
    expected = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["noria-signature"] == f"v1={expected}"
    assert said["type"] == "noria.alert" and said["measure"] == "error_rate" and said["n"] >= 3
    assert said["text"].startswith("support: error_rate is") and f"/monitor/{said['monitor']}" in said["url"]
    assert "Subject: [Noria]" in mails.got[0] and "team@example.com" in mails.got[0]
    taken = watched.run("alert", "acknowledge", id, "-m", "I look at it")
    assert taken["acknowledged_by"] and taken["comment"] == "I look at it"
    assert "already" in str(watched.attempt("alert", "acknowledge", id).exception)
    assert "alert.acknowledge" in watched.attempt("audit", "list").output
    watched.upstream.fails = False

    def ended() -> Any:
        watched.call("works")
        return [one for one in watched.run("alert", "list", "--past") if one["id"] == id]

    [past] = watched.wait(ended, "the end of the alert")
    assert past["state"] == "ok" and past["comment"] == "I look at it"
    watched.wait(lambda: hook.of(id)[-1] == "closed", "word of the end")
    time.sleep(2.5)
    told = hook.of(id)
    assert told in (["opened", "closed"], ["opened", "worse", "closed"]), told
    assert len(mails.got) == len(told)
    shown = watched.run("alert", "show", id)
    assert {one["state"] for one in shown["deliveries"]} == {"sent"}
    events = [one["after"] for one in watched.events() if one["alert"] == id]
    assert events[0] == "ok" and "alert" in events


def test_a_muted_rule_tells_nobody_until_the_mute_ends(watched: Watched) -> None:
    watched.hook.got.clear()
    shown = watched.run("monitor", "mute", "support", "error_rate", "--for", "1h")
    assert shown["muted_ms"] > time.time() * 1000
    watched.upstream.fails = True

    def opened() -> Any:
        watched.call("fails")
        return watched.run("alert", "list")

    [alert] = watched.wait(opened, "the alert")
    time.sleep(2.5)
    assert watched.hook.got == []
    watched.run("monitor", "mute", "support", "error_rate", "--off")
    # What is muted off by hand is told with the next change; what ends by itself is told at once.
    watched.upstream.fails = False

    def ended() -> Any:
        watched.call("works")
        return not watched.run("alert", "list")

    watched.wait(ended, "the end")
    watched.wait(lambda: watched.hook.of(alert["id"]) == ["closed"], "word of the end")


def test_a_hostile_webhook_is_a_sentence(watched: Watched) -> None:
    hook = watched.hook

    def answer(status: int, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
        def do(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.end_headers()

        return do

    def drip(handler: BaseHTTPRequestHandler) -> None:
        """A line of the head each second, for ever."""
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                handler.wfile.write(b"x-more: 1\r\n")
                handler.wfile.flush()
                time.sleep(1)
        except OSError:
            pass

    elsewhere = Hook()
    try:
        hook.do = answer(500)
        found = watched.run("alert", "test", "hook", exit_code=1)
        assert found["problem"] == "The webhook answered 500."
        assert found["state"] == "failed" and found["attempts"] == 1
        hook.do = answer(302, location=elsewhere.url)
        found = watched.run("alert", "test", "hook", exit_code=1)
        assert "redirect; those are not followed" in found["problem"] and elsewhere.got == []
        hook.do = drip
        begun = time.monotonic()
        found = watched.run("alert", "test", "hook", exit_code=1)
        assert found["problem"] == "The webhook did not answer within 10 s."
        assert time.monotonic() - begun < 20
    finally:
        hook.do = None
        elsewhere.close()
    assert watched.run("alert", "test", "hook")["state"] == "sent"
    assert watched.run("alert", "test", "team")["state"] == "sent"
    assert "tests the channel team" in watched.mails.got[-1]
    assert "no [channels.nobody]" in str(watched.attempt("alert", "test", "nobody").exception)


def test_a_delivery_that_fails_is_tried_again(watched: Watched) -> None:
    hook = watched.hook
    hook.got.clear()

    def unavailable(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(503)
        handler.end_headers()

    hook.do = unavailable
    watched.upstream.fails = True

    def opened() -> Any:
        watched.call("fails")
        return watched.run("alert", "list")

    [alert] = watched.wait(opened, "the alert")
    watched.upstream.fails = False

    def missed() -> Any:
        found = watched.run("alert", "show", alert["id"])["deliveries"]
        return [one for one in found if one["channel"] == "hook" and one["attempts"]]

    [first, *_] = watched.wait(missed, "the attempt that failed")
    assert (first["state"], first["problem"]) == ("waiting", "The webhook answered 503.")
    assert first["next_ms"] > first["created_ms"]
    hook.do = None
    watched.wait(lambda: all(one["state"] == "sent" for one in missed()), "the next attempt", seconds=40)
    ids = [headers["noria-delivery"] for headers, said, _ in hook.got if said["alert"] == alert["id"]]
    assert ids.count(first["id"]) == 2

    def ended() -> Any:
        watched.call("works")
        return not watched.run("alert", "list")

    watched.wait(ended, "the end")


def _children(of: int, words: str) -> list[int]:
    """Of a process, those whose command line holds `words`."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == of and words in (entry / "cmdline").read_text():
                found.append(int(entry.name))
        except (OSError, ValueError, IndexError):
            continue
    return found


def test_control_alone_is_killed(watched: Watched) -> None:
    """Its child ends with it, and the next control's goes on: the gateway answers all the while."""
    watched.judged(watched.call("before"))
    [control] = _children(watched.process.pid, "noria.server.control")
    [child] = watched.wait(lambda: _children(control, "monitor_task"), "the process that judges")
    watched.upstream.pause = 300
    traces = [watched.call(f"alone {number}") for number in range(12)]
    os.kill(control, signal.SIGKILL)
    traces += [watched.call(f"alone {number}") for number in range(12, 24)]
    watched.upstream.pause = 0
    watched.wait(lambda: not Path(f"/proc/{child}").exists(), "the child's end")
    watched.wait(lambda: watched.attempt("monitor", "list").exit_code == 0, "the next control")
    for trace in traces:
        scores = watched.judged(trace)
        assert scores["kind"]["value"] == 1.0, scores
    database = Database.open(watched.home.database)
    rows = [row for trace in traces for row in MonitorTable(database).of_trace("default", trace)]
    database.close()
    kinds = [(row.trace, row.span) for row in rows if (row.monitor, row.name) == ("support", "kind")]
    assert len(kinds) == len(set(kinds)) == 24


def test_after_a_kill_no_score_is_missing_and_none_is_double(watched: Watched) -> None:
    watched.judged(watched.call("before"))
    watched.upstream.judged.clear()
    watched.upstream.pause = 400
    traces = [watched.call(f"kill {number}") for number in range(40)]
    until = time.monotonic() + 60
    while len(watched.upstream.judged) < 20 and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(watched.process.pid, signal.SIGKILL)
    watched.process.wait(30)
    database = Database.open(watched.home.database)
    store = MonitorTable(database)
    rows = [row for trace in traces for row in store.of_trace("default", trace)]
    kept = {row.trace for row in rows if row.monitor == "support"}
    database.close()
    assert 0 < len(kept) < 40
    watched.upstream.pause = 0
    watched.process = watched.up()
    for trace in traces:
        scores = watched.judged(trace)
        assert scores["kind"]["value"] == 1.0, scores
    database = Database.open(watched.home.database)
    rows = [row for trace in traces for row in MonitorTable(database).of_trace("default", trace)]
    database.close()
    verdicts = [(row.trace, row.span, row.name) for row in rows if row.monitor == "support"]
    assert len(verdicts) == len(set(verdicts))
    assert sum(name == "kind" for _, _, name in verdicts) == 40
    # Only what was in hand is asked again.
    asked = [said for said in watched.upstream.judged if "kill" in said and "few" not in said]
    assert len(asked) <= 40 + 8 + 8 * 2


def test_a_monitor_that_is_taken_away_leaves_its_scores(watched: Watched) -> None:
    trace = watched.call("last")
    watched.judged(trace, "everything")
    text = watched.path.read_text()
    watched.path.write_text(text.replace('[monitors.everything]\nscorers = ["length"]\n', ""))
    assert watched.attempt("apply", "--yes").exit_code == 0
    watched.wait(
        lambda: {one["name"] for one in watched.run("monitor", "list")["items"]} == {"support", "few"},
        "the monitor to go",
    )
    assert watched.judged(trace, "everything")["length.words"]["value"] == 3.0
