"""`noria model`, without a running Noria."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from noria.cli.main import noria
from noria.errors import NoriaError, UserError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NORIA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NORIA_CONFIG", str(tmp_path / "noria.toml"))
    monkeypatch.delenv("NORIA_HOME", raising=False)
    return tmp_path / "cache"


def run(*arguments: str) -> Result:
    found = CliRunner().invoke(noria, ["model", *arguments])
    if isinstance(found.exception, NoriaError):
        raise found.exception
    assert found.exit_code == 0, found.output
    return found


def test_weights_are_pulled_listed_shown_and_removed(tmp_path: Path) -> None:
    file = tmp_path / "tiny.gguf"
    file.write_bytes(b"GGUF" + bytes(1000))
    path = Path(run("pull", f"file:{file}").stdout.strip())
    assert path.read_bytes() == file.read_bytes()
    listed = {one["name"]: one for one in json.loads(run("list", "--json").stdout)}
    assert listed["tiny"]["present"] and not listed["tiny"]["verified"]
    assert not listed["smollm2-135m-instruct"]["present"]
    assert "tiny" in run("list").stdout
    assert str(path) in run("show", "tiny").stdout
    assert "Removed tiny" in run("remove", "tiny").stderr
    assert "tiny" not in run("list").stdout
    with pytest.raises(UserError, match="on this machine"):
        run("remove", "tiny")


def test_a_checksum_is_held_against_the_file(tmp_path: Path) -> None:
    file = tmp_path / "tiny.gguf"
    file.write_bytes(b"GGUF")
    with pytest.raises(NoriaError, match="checksum"):
        run("pull", f"file:{file}", "--sha256", "0" * 64)
    right = hashlib.sha256(b"GGUF").hexdigest()
    found = json.loads(run("pull", f"file:{file}", "--sha256", right, "--json").stdout)
    assert Path(found["path"]).is_file()
    assert json.loads(run("show", "tiny", "--json").stdout)["weights"]["verified"] is True


def test_what_nobody_vouches_for_and_what_is_unknown_is_refused() -> None:
    with pytest.raises(UserError, match="--unverified"):
        run("pull", "hf:nobody/nothing/x.gguf")
    with pytest.raises(UserError, match="No weights are called"):
        run("pull", "nonsense")
    with pytest.raises(UserError, match="noria model cards"):
        run("show", "nonsense")


def test_cards_are_found_and_compared() -> None:
    assert "meta/llama-3-8b" in run("cards", "llama", "3").stdout
    assert all("llama" in one["id"] for one in json.loads(run("cards", "llama", "--json").stdout))
    assert "No card has these words" in run("cards", "zzz").stderr
    beside = run("compare", "qwen/qwen3-0.6b", "meta/llama-3-8b").stdout
    assert "qwen/qwen3-0.6b" in beside.splitlines()[0] and "meta/llama-3-8b" in beside.splitlines()[0]
    assert "licence" in beside and "Apache-2.0" in beside
    shown = run("show", "smollm2-135m-instruct").stdout
    assert "135 M" in shown and "noria model pull smollm2-135m-instruct" in shown
    with pytest.raises(UserError, match="No card"):
        run("compare", "qwen/qwen3-0.6b", "nonsense")
