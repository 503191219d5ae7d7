"""What a process may not import: the request path stays light, and `noria --help` quick."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"alembic", "dbos", "fastapi", "jinja2", "numpy", "pyarrow", "pydantic", "sqlalchemy", "torch"}

SERVE = """
import asyncio, sys
from pathlib import Path


import noria.server.worker
from noria.gateway.snapshot import Provider
from noria.testing.inline import InlineGateway
from noria.testing.server import Upstream
from noria.testing.stack import mock_model, snapshot

BODIES = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "hi"}]},
    "/v1/completions": {"prompt": "hi"},
    "/v1/embeddings": {"input": "hi"},
    "/v1/responses": {"input": "hi"},
    "/v1/messages": {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 9},
    "/v1/messages/count_tokens": {"messages": [{"role": "user", "content": "hi"}]},
}
PATHS = {"gemini": "/v1beta", "azure": "", "bedrock": ""}

async def main():
    folder = Path(sys.argv[1])
    (folder / "key").write_text("k")
    (folder / "key").chmod(0o600)
    key = f"file:{folder / 'key'}"
    async with Upstream() as up:
        providers = {
            name: Provider(
                name=name, dialect=name, base_url=up.url + PATHS.get(name, "/v1"),
                auth="sigv4" if name == "bedrock" else "none",
                secrets={"access_key": key, "secret_key": key} if name == "bedrock" else {},
                options={"project": "p", "location": "l", "region": "r"},
            )
            for name in ("openai", "azure", "anthropic", "gemini", "vertex", "vertex-anthropic", "bedrock")
        }
        models = [mock_model("m", provider=name) for name in providers]
        config = snapshot(providers=providers, models={one.id: one for one in models})
        async with InlineGateway(folder / "home", config) as noria:
            for name in config.routes:
                for path, body in BODIES.items():
                    for stream in (False, True):
                        answer = await noria.post({"model": name, "stream": stream, **body}, path=path)
                        assert answer.status_code in (200, 400), (name, path, answer.text)

asyncio.run(main())
print(" ".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""


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


def test_a_worker_that_has_served_every_path_before_every_provider_is_light(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", SERVE, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    assert set(run.stdout.split()) & HEAVY == set()
