"""What a process may not import: the request path stays light, and `noria --help` quick."""

import subprocess
import sys

import pytest

HEAVY = {"alembic", "dbos", "fastapi", "jinja2", "numpy", "pyarrow", "pydantic", "sqlalchemy", "torch"}


def _imported(module: str) -> set[str]:
    code = f"import sys, {module}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


@pytest.mark.parametrize(
    "module", ["noria.server.worker", "noria.server.collector", "noria.cli.main", "noria"]
)
def test_nothing_heavy_is_imported(module: str) -> None:
    assert _imported(module) & HEAVY == set()


def test_every_back_is_light() -> None:
    backs = ["openai", "azure", "anthropic", "gemini", "vertex", "vertex-anthropic", "bedrock", "engine"]
    loads = "; ".join(f"load('back', {name!r})()" for name in backs)
    code = f"import sys; from noria.hooks import load; {loads}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name.partition(".")[0] for name in run.stdout.split()} & HEAVY == set()
