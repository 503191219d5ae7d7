"""Every command that speaks to a Noria, on one that runs: what it prints, where, and how it exits."""

from __future__ import annotations

import csv
import json
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
from click.testing import Result

from noria.errors import RequestError, UserError


class Running(Protocol):
    folder: Path
    path: Path
    url: str

    def run(self, *arguments: str, stdin: str | None = None) -> Result: ...
    def attempt(self, *arguments: str, stdin: str | None = None) -> Result: ...
    def start(self, *arguments: str) -> Any: ...


def as_json(result: Result) -> Any:
    return json.loads(result.stdout)


def eventually(look: Callable[[], Any]) -> Any:
    """What `look` gives once it gives something."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.05)
    raise TimeoutError


def test_chat_answers_on_stdout_and_counts_on_stderr(running: Running) -> None:
    found = running.run("chat", "-m", "fast", "hello")
    assert found.stdout == "Hello from the mock upstream.\n"
    assert re.search(r"\d+ tokens in, 6 out · \$0\.0000\d+ · first token [\d.]+ ms", found.stderr), (
        found.stderr
    )
    assert "acme/mock" in found.stderr


def test_chat_reads_stdin_and_gives_json(running: Running) -> None:
    plain = running.run("chat", "-m", "fast", stdin="a question\n")
    assert plain.stdout == "Hello from the mock upstream.\n"
    found = as_json(running.run("chat", "-m", "fast", "--json", "say", "-", stdin="this"))
    assert found["text"] == "Hello from the mock upstream."
    assert found["usage"]["completion_tokens"] == 6
    assert float(found["cost"]) > 0
    trace = as_json(running.run("trace", "show", found["trace"], "--json"))
    assert '"say this"' in trace["trace"]["spans"][0]["input"]


def test_chat_refuses_what_cannot_be_called_and_what_is_empty(running: Running) -> None:
    missing = running.attempt("chat", "-m", "nope", "hello")
    assert isinstance(missing.exception, UserError)
    assert "fast" in str(missing.exception)
    assert isinstance(running.attempt("chat", "-m", "fast", stdin="  ").exception, UserError)
    no_key = running.attempt("chat", "--url", running.url, "hello")
    assert "NORIA_API_KEY" in str(no_key.exception)


def test_chat_elsewhere_needs_a_key_that_is_in_force(running: Running) -> None:
    token = running.run("key", "create", "elsewhere", "--route", "fast").stdout.strip()
    found = running.run("chat", "--url", running.url, "--key", token, "hello")
    assert found.stdout == "Hello from the mock upstream.\n"
    refused = running.attempt("chat", "--url", running.url, "--key", "nk-wrong", "hello")
    assert isinstance(refused.exception, UserError)


def test_ctrl_c_stops_an_answer(running: Running) -> None:
    process = running.start("chat", "-m", "acme/slow", "hello")
    assert process.stdout is not None
    assert process.stdout.read(5)
    process.send_signal(signal.SIGINT)
    rest, words = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "stopped · " in words and len(rest) < 200


def test_conversation_remembers(running: Running) -> None:
    from noria.cli.conversation import Conversation
    from noria.cli.where import gateway

    given = gateway(running.path, url=None, key=None, project="default")
    with Conversation(
        given, path=running.path, project="default", system="be short", options={}, tags={"part": "test"}
    ) as talk:
        talk.model = talk.route("fast")
        talk.ask("first", show=None)
        answer = talk.ask("second", show=None)
    found = as_json(running.run("trace", "show", answer.trace, "--json"))["trace"]
    messages = json.loads(found["spans"][0]["input"])["messages"]
    assert [one["role"] for one in messages] == ["system", "user", "assistant", "user"]
    assert found["summary"]["tags"] == {"part": "test"}
    listed = as_json(running.run("trace", "list", f"session:{found['summary']['session']}", "--json"))
    assert len(listed) == 2


def test_keys_are_made_changed_rotated_and_revoked(running: Running) -> None:
    made = running.run(
        "key", "create", "service", "--team", "growth", "--route", "fast", "--limit", "60/requests/1m",
        "--tag", "env=prod", "--expires", "30d",
    )  # fmt: skip
    token = made.stdout.strip()
    assert token.startswith("nk-") and token not in made.stderr
    shown = as_json(running.run("key", "show", "service", "--json"))
    assert shown["team"] == "growth" and shown["tags"] == {"env": "prod"}
    assert shown["limits"] == [{"unit": "requests", "amount": "60", "window_s": 60, "name": ""}]
    assert "expires in 30 days" in running.run("key", "list").stdout
    changed = as_json(
        running.run("key", "patch", "service", "--team", "core", "--expires", "never", "--json")
    )
    assert changed["key"]["team"] == "core" and changed["key"]["expires_ms"] is None
    assert changed["key"]["limits"] == shown["limits"]
    fresh = running.run("key", "rotate", "service", "--overlap", "0s").stdout.strip()
    assert fresh != token
    assert running.attempt("chat", "--url", running.url, "--key", token, "x").exception is not None
    running.run("chat", "--url", running.url, "--key", fresh, "x")
    running.run("key", "revoke", "service")
    assert running.attempt("chat", "--url", running.url, "--key", fresh, "x").exception is not None
    assert "service" not in running.run("key", "list").stdout
    assert "revoked" in running.run("key", "list", "--revoked").stdout


def test_key_mistakes_are_sentences(running: Running) -> None:
    for arguments, words in (
        (("key", "show", "nobody"), "no key called"),
        (("key", "create", "x", "--limit", "60"), "AMOUNT/UNIT/SPAN"),
        (("key", "create", "x", "--tag", "env"), "NAME=VALUE"),
        (("key", "create", "x", "--expires", "soon"), "duration such as"),
        (("key", "patch", "nobody"), "Nothing was given"),
    ):
        assert words in str(running.attempt(*arguments).exception)


def test_routes(running: Running) -> None:
    assert "cascade" in running.run("route", "list").stdout
    assert "acme/slow" in running.run("route", "list", "--all").stdout
    assert "acme/failing" in running.run("route", "show", "cascade").stdout
    assert "no route called" in str(running.attempt("route", "show", "nope").exception)


def test_budgets_are_made_changed_shown_and_deleted(running: Running) -> None:
    running.run("budget", "create", "people", "$5", "--per", "day", "--subject", "user:*")
    running.run("chat", "-m", "fast", "--max-tokens", "100", "hello")
    shown = eventually(lambda: as_json(running.run("budget", "show", "people", "--json"))["subjects"])
    assert shown[0]["subject"].startswith("user:") and float(shown[0]["spent"]) > 0
    text = running.run("budget", "show", "people").stdout
    assert "hard: calls that could exceed it are refused" in text and "SUBJECT" in text
    running.run("budget", "patch", "people", "--amount", "7.50", "--soft")
    assert "$7.50 a day" in running.run("budget", "list").stdout
    running.run("budget", "delete", "people")
    assert "people" not in running.run("budget", "list").stdout


def test_costs(running: Running) -> None:
    running.run("chat", "-m", "fast", "--tag", "part=costs", "hello")
    by_model = as_json(running.run("cost", "--json"))
    assert {row["group"] for row in by_model["rows"]} >= {"acme/mock"}
    by_tag = as_json(running.run("cost", "tag.part", "--json"))
    assert "costs" in {row["group"] for row in by_tag["rows"]}
    lines = list(csv.reader(running.run("cost", "route", "--csv").stdout.splitlines()))
    assert lines[0][:2] == ["route", "cost_usd"] and lines[-1][0] == "total"
    assert "acme/mock" in running.run("cost").stdout
    refused = running.attempt("cost", "nonsense")
    assert isinstance(refused.exception, UserError | RequestError)


def test_traces_are_listed_shown_and_exported(running: Running) -> None:
    answer = as_json(running.run("chat", "-m", "cascade", "--json", "a rare word: zanzibar"))
    trace = answer["trace"]
    found = as_json(running.run("trace", "list", "route:cascade", "zanzibar", "--json"))
    assert [one["id"] for one in found] == [trace]
    tree = running.run("trace", "show", trace[-10:]).stdout
    assert "chat cascade" in tree and "└ " in tree and "user: a rare word: zanzibar" in tree
    assert "500" in tree or "server" in tree
    lines = running.run("trace", "export", "zanzibar").stdout.splitlines()
    assert [json.loads(line)["trace"]["id"] for line in lines] == [trace]
    rows = list(
        csv.DictReader(running.run("trace", "export", "zanzibar", "--format", "csv").stdout.splitlines())
    )
    assert rows[0]["id"] == trace and rows[0]["route"] == "cascade"
    assert "No trace fits" in running.run("trace", "list", "route:nowhere").stderr
    assert "no filter field" in str(running.attempt("trace", "list", "colour:red").exception)


def test_an_otlp_export_is_understood_as_what_was_recorded(running: Running) -> None:
    from noria.tracing.otlp import Sender
    from noria.tracing.otlp_json import traces

    answer = as_json(running.run("chat", "-m", "fast", "--json", "--tag", "k=v", "back and forth"))
    line = running.run("trace", "export", f"trace:{answer['trace']}", "--format", "otlp").stdout
    received = traces(line.encode(), Sender(), lambda *_: None)
    spans = {span.span_id.hex(): span for span in received.spans}
    known = as_json(running.run("trace", "show", answer["trace"], "--json"))["trace"]["spans"]
    assert set(spans) == {one["id"] for one in known}
    for one in known:
        span = spans[one["id"]]
        assert span.trace_id.hex() == answer["trace"]
        assert (span.parent_id.hex() if span.parent_id else None) == one["parent"]
        assert (span.name, span.kind, span.status) == (one["name"], one["kind"], one["status"])
        assert (span.input_tokens, span.output_tokens) == (one["input_tokens"], one["output_tokens"])
        assert span.tags == one["tags"] and span.operation == one["operation"]
        assert abs(span.start / 1e6 - one["start_ms"]) < 0.001


def test_tail_prints_what_comes(running: Running) -> None:
    tail = running.start("trace", "tail", "route:fast", "--json")
    time.sleep(1.2)
    running.run("chat", "-m", "acme/mock", "--json", "not this one")
    wanted = as_json(running.run("chat", "-m", "fast", "--json", "this one"))["trace"]
    assert tail.stdout is not None
    assert json.loads(tail.stdout.readline())["id"] == wanted
    tail.send_signal(signal.SIGINT)
    assert tail.wait(10) == 130
    tail.communicate()


def test_plan_apply_roll_back_and_pull(running: Running, tmp_path: Path) -> None:
    before = running.path.read_text()
    assert running.run("plan", "--detailed-exitcode").stdout == ""
    try:
        running.path.write_text(before + '\n[routes.extra]\ntargets = ["acme/mock"]\n')
        planned = running.attempt("plan", "--detailed-exitcode")
        assert planned.exit_code == 1
        assert "+ routes.extra" in planned.stdout and 'targets = ["acme/mock"]' in planned.stdout
        assert "1 added" in planned.stderr
        assert as_json(running.run("plan", "--json"))["changes"][0]["path"] == ["routes", "extra"]
        unanswered = running.attempt("apply")
        assert "say --yes" in str(unanswered.exception)
        applied = running.run("apply", "--yes", "-m", "one more route")
        assert "+ routes.extra" in applied.stdout and "runs: sha256:" in applied.stderr
        running.run("chat", "-m", "extra", "hello")
        assert "one more route" in running.run("version", "list").stdout
        rolled = running.run("rollback", "previous")
        assert "- routes.extra" in rolled.stdout
        assert "extra" not in running.run("route", "list").stdout
        assert "extra" in running.path.read_text()
        assert "say --yes" in str(running.attempt("pull").exception)
        running.run("pull", "--yes")
        assert running.path.read_text() == before
        digest = as_json(running.run("version", "list", "--json"))[1]["digest"].removeprefix("sha256:")
        running.run("rollback", digest[:8])
        assert "extra" in running.run("route", "list").stdout
        assert running.run("version", "show", "1").stdout == before
        running.run("apply", "--yes")
    finally:
        running.path.write_text(before)
    assert "no version has the digest" in str(running.attempt("rollback", "abcdef99").exception).lower()


def test_a_mistake_in_the_file_is_told_by_its_line(running: Running) -> None:
    before = running.path.read_text()
    try:
        running.path.write_text(before + "[servr]\n")
        assert re.search(r"noria\.toml:\d+: unknown", str(running.attempt("plan").exception))
    finally:
        running.path.write_text(before)


def test_audit(running: Running) -> None:
    running.run("key", "create", "for the log")
    found = as_json(running.run("audit", "list", "--act", "key.", "--json"))
    assert found[0]["act"] == "key.create" and found[0]["actor"] == "local"
    assert "key.create" in running.run("audit", "list").stdout
    verified = running.run("audit", "verify")
    assert re.fullmatch(r"[0-9a-f]{64}\n", verified.stdout)


def test_approvals(running: Running) -> None:
    id = running.run("approval", "ask", "config.apply", "sha256:1", "--reason", "why not").stdout.strip()
    assert "why not" in running.run("approval", "list").stdout
    refused = running.attempt("approval", "decide", id, "approve")
    assert refused.exception is not None
    running.run("approval", "decide", id, "withdraw", "-m", "no need")
    shown = running.run("approval", "show", id).stdout
    assert "withdrawn" in shown and "no need" in shown


def test_accounts(running: Running) -> None:
    link = running.run("account", "invite", "ada@example.com", "--name", "Ada", "--role", "editor").stdout
    assert link.startswith(f"{running.url}/setup?token=")
    assert "editor in default" in running.run("account", "list").stdout
    running.run("account", "role", "ada@example.com", "admin", "--everywhere")
    assert "admin everywhere" in running.run("account", "list").stdout
    running.run("account", "disable", "ADA@example.com")
    assert "disabled" in running.run("account", "list").stdout
    running.run("account", "enable", "ada@example.com")
    assert running.run("account", "link", "ada@example.com").stdout != link
    assert "no account of" in str(running.attempt("account", "link", "bob@example.com").exception)


def test_jobs(running: Running) -> None:
    assert "No long work" in running.run("job", "list").stderr
    assert as_json(running.run("job", "list", "--json")) == []
    assert running.attempt("job", "show", "job_none").exception is not None


def test_doctor_finds_nothing_wrong_and_then_something(running: Running) -> None:
    well = running.run("doctor")
    assert "WRONG" not in well.stdout and "Noria answers on port" in well.stdout
    assert "acme answers" in well.stdout and "The control process answers" in well.stdout
    before = running.path.read_text()
    try:
        running.path.write_text(before + '\n[providers.gone]\ndialect = "openai"\nauth = "none"\n'
                                'base_url = "http://127.0.0.1:9/v1"\n')  # fmt: skip
        ill = running.attempt("doctor", "--quiet")
        assert ill.exit_code == 1 and "gone cannot be connected to" in ill.stdout
        assert "1 thing is wrong" in ill.stderr
        found = json.loads(running.attempt("doctor", "--json").stdout)
        assert any(one["what"].startswith("noria.toml says something else") for one in found)
    finally:
        running.path.write_text(before)


def test_two_terminals_wide(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """No line of a table is wider than the terminal, and a wider one shows more."""
    from noria.cli import table

    running.run(
        "chat", "-m", "fast", "a question with many words in it that does not fit on one line of a terminal"
    )
    seen: list[str] = []
    for columns in (80, 120):
        monkeypatch.setattr(table, "width", lambda columns=columns: columns)
        for command in (
            ("trace", "list"), ("key", "list", "--revoked"), ("cost",), ("budget", "list"), ("audit", "list"),
            ("version", "list"), ("route", "list", "--all"), ("account", "list"), ("approval", "list"),
            ("model", "list"), ("model", "cards", "llama"),
        ):  # fmt: skip
            found = running.run(*command).stdout
            assert max(map(len, found.splitlines()), default=0) <= columns, command
        seen.append(running.run("trace", "list").stdout)
    assert len(seen[0]) < len(seen[1])


def test_a_stopped_noria_still_lists_and_makes_keys(tmp_path: Path, running: Running) -> None:
    import subprocess

    (tmp_path / "noria.toml").write_text(running.path.read_text())
    call = [sys.executable, "-m", "noria", "key"]
    made = subprocess.run(
        [*call, "create", "first"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert made.stdout.startswith("nk-") and "does not run here" in made.stderr
    listed = subprocess.run(
        [*call, "list", "--json"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert [one["name"] for one in json.loads(listed.stdout)] == ["first"]
    nowhere = subprocess.run([*call, "list"], cwd=tmp_path / "..", capture_output=True, text=True)
    assert nowhere.returncode == 2 and nowhere.stderr.startswith("noria: There is no Noria here")
