"""`noria init`, `check`, `import` and `schema`: what stands on which stream, and the exit code."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from noria.cli.main import noria
from noria.errors import UserError

IMPORTS = Path(__file__).parent.parent / "config" / "importers"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(noria, [str(one) for one in arguments])


def test_init_writes_what_check_finds_right(tmp_path: Path) -> None:
    made = run("init", tmp_path)
    assert made.exit_code == 0, made.output
    assert (tmp_path / ".noria" / ".gitignore").read_text() == "*\n"
    assert json.loads((tmp_path / ".noria" / "noria.schema.json").read_text())["title"] == "noria.toml"
    found = run("check", "--config", tmp_path)
    assert (found.exit_code, found.stdout) == (0, "")
    assert "Valid: 1 route, 0 providers, 2 engines" in found.stderr


def test_init_does_not_write_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "noria.toml").write_text("# mine\n")
    refused = run("init", tmp_path / "noria.toml")
    assert isinstance(refused.exception, UserError)
    assert "--force" in str(refused.exception)
    assert (tmp_path / "noria.toml").read_text() == "# mine\n"
    assert run("init", tmp_path / "noria.toml", "--force").exit_code == 0
    assert (tmp_path / "noria.toml").read_text() != "# mine\n"


def test_check_lists_mistakes_on_stdout(tmp_path: Path) -> None:
    path = tmp_path / "noria.toml"
    path.write_text("[server]\nprot = 1\nhost = 2\n")
    found = run("check", "--config", path)
    assert found.exit_code == 1
    assert found.stdout.splitlines() == [
        f"{path}:2: unknown key `prot` in [server]; did you mean `port`?",
        f"{path}:3: `host` in [server] must be a string, not 2.",
    ]
    assert found.stderr == "2 mistakes; nothing was changed.\n"


def test_check_as_json(tmp_path: Path) -> None:
    path = tmp_path / "noria.toml"
    path.write_text("[server]\nprot = 1\n")
    found = json.loads(run("check", "--config", path, "--json").stdout)
    assert found["ok"] is False and found["digest"] is None
    assert found["mistakes"][0]["line"] == 2
    path.write_text("")
    found = json.loads(run("check", "--config", path, "--json").stdout)
    assert found["ok"] is True and found["digest"].startswith("sha256:")


def test_check_says_what_this_machine_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    (tmp_path / "noria.toml").write_text(
        '[providers.openai]\napi_key = "env:SOME_KEY"\nca_file = "ca.pem"\n'
        '[providers.groq]\napi_key = "file:key"\n'
    )
    found = run("check", "--config", tmp_path)
    assert found.exit_code == 0
    assert "[providers.openai] needs the environment variable SOME_KEY" in found.stderr
    assert "[providers.openai] needs the file ca.pem" in found.stderr
    assert "[providers.groq] needs the file key" in found.stderr
    monkeypatch.setenv("SOME_KEY", "x")
    (tmp_path / "ca.pem").touch()
    (tmp_path / "key").touch()
    assert "warning" not in run("check", "--config", tmp_path).stderr


def test_check_wants_a_price_where_money_is_limited(tmp_path: Path) -> None:
    provider = '[providers.openai]\napi_key = "env:K"\nmodels = ["gpt-4o", "no-such-model"]\n'
    (tmp_path / "noria.toml").write_text(provider + "[budgets.all]\namount = 1\n")
    found = run("check", "--config", tmp_path)
    assert found.exit_code == 1
    assert "no-such-model" in found.stdout and "gpt-4o" not in found.stdout


def test_import_prints_the_file_and_lists_what_is_lost(tmp_path: Path) -> None:
    for kind, name in (("litellm", "litellm.yaml"), ("tensorzero", "tensorzero.toml")):
        found = run("import", kind, IMPORTS / name)
        assert found.exit_code == 0, found.output
        assert "not carried over: " in found.stderr
        (tmp_path / "noria.toml").write_text(found.stdout)
        checked = run("check", "--config", tmp_path, "--json")
        # The one Azure deployment that does not say which model it is has no price, and a budget applies.
        unpriced = [one["message"].partition(" ")[0] for one in json.loads(checked.stdout)["mistakes"]]
        assert unpriced == (['[models."azure-us-1/gpt-4o-us"]'] if kind == "litellm" else [])
        output = tmp_path / f"{kind}.toml"
        written = run("import", kind, IMPORTS / name, "-o", output, "--json")
        assert output.read_text() == found.stdout
        assert json.loads(written.stdout)["lost"]
        assert isinstance(run("import", kind, IMPORTS / name, "-o", output).exception, UserError)


def test_import_of_a_missing_file(tmp_path: Path) -> None:
    found = run("import", "litellm", tmp_path / "none.yaml")
    assert isinstance(found.exception, UserError)
    assert "cannot be read" in str(found.exception)


def test_schema_is_json() -> None:
    found = run("schema")
    assert json.loads(found.stdout)["properties"]["routes"]
