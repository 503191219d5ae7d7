"""`noria prompt` against a running Noria: files, labels, and what the gateway then serves."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from noria.errors import UserError

from .conftest import Running

GREETING = """+++
description = "Greets."
tags = ["demo"]
model = "fast"

[parameters]
temperature = 0.5

[variables]
name = "string"
+++
@system
{% include "tone@latest" %}

@user
Greet {{ name }}.
"""


@pytest.fixture
def folder(running: Running) -> Path:
    found = running.folder / "prompts"
    found.mkdir(exist_ok=True)
    for path in found.glob("*.md"):
        path.unlink()
    (found / "greeting.md").write_text(GREETING)
    (found / "tone.md").write_text("Be brief.\n")
    return found


def test_files_are_pushed_in_order_and_come_back_the_same(running: Running, folder: Path) -> None:
    pushed = running.run("prompt", "push", "-m", "first").stdout
    assert pushed == "tone@1 is new\ngreeting@1 is new\n"
    assert running.run("prompt", "push").stdout == "tone@1 is unchanged\ngreeting@1 is unchanged\n"
    for path in folder.glob("*.md"):
        path.unlink()
    running.run("prompt", "pull")
    running.run("prompt", "push", "--json")
    assert running.run("prompt", "push").stdout == "tone@1 is unchanged\ngreeting@1 is unchanged\n"
    (folder / "tone.md").write_text("Be long.\n")
    refused = running.attempt("prompt", "pull")
    assert isinstance(refused.exception, UserError) and "would be written over" in str(refused.exception)
    listed = json.loads(running.run("prompt", "list", "--tag", "demo", "--json").stdout)
    assert [one["name"] for one in listed] == ["greeting"]


def test_a_label_is_moved_rolled_back_and_rendered(running: Running, folder: Path) -> None:
    running.run("prompt", "push", "--label", "staging")
    (folder / "tone.md").write_text("Be polite.\n")
    running.run("prompt", "push", "--label", "staging", "-m", "politer")
    shown = running.run("prompt", "render", "greeting@staging", "-v", "name=Ada").stdout
    assert "Be polite." in shown and "Greet Ada." in shown
    rolled = running.run("prompt", "rollback", "tone", "--label", "staging")
    assert "stands for version" in rolled.stderr
    history = json.loads(running.run("prompt", "label", "tone", "staging", "--history", "--json").stdout)
    assert history[-1]["kind"] == "rollback"
    differs = running.attempt("prompt", "diff", "tone", str(history[-1]["number"]), "latest")
    assert differs.exit_code == 1 and "+Be polite." in differs.stdout


def test_a_prompt_is_asked_and_its_calls_are_found(running: Running, folder: Path) -> None:
    running.run("prompt", "push", "--label", "production")
    ran = json.loads(running.run("prompt", "run", "greeting@production", "-v", "name=Ada", "--json").stdout)
    assert ran["answer"] and len(ran["traces"]) == 1
    said = running.run("prompt", "run", "greeting@1", "-v", "name=Ada")
    assert said.stdout.strip() and "1 call" in said.stderr
    refused = running.attempt("prompt", "run", "greeting@1", "-v", "name=3")
    assert "must be string, not integer" in str(refused.exception)
    for words in ("prompt:greeting@production", "prompt:greeting"):
        until = time.monotonic() + 10
        while not (found := json.loads(running.run("trace", "list", words, "--json").stdout)):
            assert time.monotonic() < until
            time.sleep(0.1)
        assert ran["traces"][0] in {one["id"] for one in found}


def test_lint_says_what_is_doubtful_by_its_exit_code(running: Running, folder: Path) -> None:
    running.run("prompt", "push", "tone")
    assert running.attempt("prompt", "lint").exit_code == 0
    bad = GREETING.replace("Greet", "Mail bob@example.com, greet {{ nobody }} and").replace(
        "@user", "The user is {{ name }}.\n\n@user"
    )
    (folder / "bad.md").write_text(bad)
    result = running.attempt("prompt", "lint", "bad", "--model", "fast", "--json")
    found = json.loads(result.stdout)["bad"]
    assert result.exit_code == 1
    assert {one["code"] for one in found["findings"]} == {"undeclared-variable", "injection", "pii.email"}
    assert found["models"][0]["input_cost"] is not None
    (folder / "bad.md").write_text("+++\nmodle = 1\n+++\nx")
    result = running.attempt("prompt", "lint", "bad")
    assert isinstance(result.exception, UserError) and "modle" in str(result.exception)
