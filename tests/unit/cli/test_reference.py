"""Every command explains itself, is in the reference, and imports nothing heavy until it runs."""

import subprocess
import sys
import time

import click
import pytest

from noria.cli.reference import commands, render

HEAVY = ("pydantic", "fastapi", "sqlalchemy", "httpx2", "apsw", "tomlkit", "alembic", "uvicorn", "zstandard")


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=[name for name, _ in commands()])
def test_every_command_and_option_has_help(name: str, command: click.Command) -> None:
    assert command.help and command.help.strip().split("\n")[0].strip().endswith((".", ":", ",")), name
    context = click.Context(command, info_name=name)
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts}"


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=[name for name, _ in commands()])
def test_every_command_that_prints_data_takes_json(name: str, command: click.Command) -> None:
    prints_otherwise = {"noria up", "noria init", "noria schema", "noria eval watch"} | {
        f"noria {noun} export" for noun in ("trace", "eval", "explore", "review", "feedback")
    }
    if isinstance(command, click.Group) or name in prints_otherwise:
        return
    assert any(parameter.name == "as_json" for parameter in command.params), name


def test_the_reference_has_them_all() -> None:
    text = render()
    for name, _ in commands():
        assert f"# {name}\n" in text
    assert "| `--overlap SPAN` |" in text
    assert "`NORIA_CONFIG`" in text


def test_help_imports_nothing_heavy_and_is_quick() -> None:
    code = (
        "import sys\n"
        "from noria.cli.main import noria\n"
        "noria(['--help'], standalone_mode=False)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    took: list[float] = []
    for _ in range(3):
        begun = time.perf_counter()
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        took.append(time.perf_counter() - begun)
        assert found.stderr.strip() == "[]"
        assert "noria --help" not in found.stderr and "Commands:" in found.stdout
    assert min(took) < 1.0, "0.13 s on a quiet machine; the target of 0.3 s is measured by the benchmarks"


OWN = (
    "account", "approval", "audit", "backup", "budget", "chat", "cost", "doctor", "job", "key", "model",
    "route", "trace", "versions",
)  # fmt: skip


def test_a_command_module_imports_nothing_heavy() -> None:
    names = ", ".join(f"noria.cli.{name}" for name in OWN)
    code = f"import sys, {names}; print([name for name in {HEAVY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # job's progress bar is typed by the downloads that it was made for.
    assert found.stdout.strip() in ("[]", "['httpx2']"), found.stdout
