"""OpenAI's own tests of its client (`tests/api_resources` of the source distribution) against the gateway."""

import asyncio
import os
import re
import sys
from importlib.metadata import version
from pathlib import Path

import msgspec

from noria.access.key import Key
from noria.gateway.snapshot import Model, Provider, Route, Snapshot, Target
from noria.models.card import Card
from noria.testing import Upstream
from noria.testing.stack import Stack, snapshot

sys.path.insert(0, str(Path(__file__).parent))
from sdist import unpacked

SUITES = (
    "chat/test_completions.py",
    "chat/completions",
    "test_completions.py",
    "test_embeddings.py",
    "test_models.py",
    "test_responses.py",
    "responses",
)
LEAST = 300
"""Tests; fewer would mean that the suite is no longer found."""


def models_named(folder: Path) -> set[str]:
    """What the suite calls; "default" stands for calls that name no model."""
    found = {"default"}
    for suite in SUITES:
        place = folder / "tests" / "api_resources" / suite
        for path in [place] if place.is_file() else place.glob("test_*.py"):
            found.update(re.findall(r'model="([^"]+)"', path.read_text()))
    return found


def config(url: str, names: set[str]) -> Snapshot:
    """One provider that is all of OpenAI; whoever calls without a key may do what an editor may."""
    provider = Provider(
        name="openai",
        dialect="openai",
        base_url=url + "/v1",
        auth="none",
        options={"responses": "pass"},
    )
    models = {
        f"openai/{name}": Model(
            id=f"openai/{name}",
            provider="openai",
            upstream=name,
            card=Card(id=f"openai/{name}", name=name, context=128_000, max_output=4096),
        )
        for name in names
    }
    routes = {name: Route(name=name, targets=(Target(model=f"openai/{name}"),)) for name in names}
    made = snapshot(providers={"openai": provider}, models=models, routes=routes, require_key=False)
    anyone = Key(id="key_anonymous", lookup="", hash=b"", routes=("*",), role="editor")
    return msgspec.structs.replace(made, anonymous=anyone)


async def test_openais_own_tests_pass_through_the_gateway(tmp_path: Path) -> None:
    folder = unpacked("openai", version("openai"))
    async with Upstream(strict=True) as upstream:
        with Stack(tmp_path / "home", config(upstream.url, models_named(folder))) as noria:
            code, said = await run_suite(folder, noria.url + "/v1", tmp_path)
            logs = "\n".join(path.read_text() for path in noria.home.logs.glob("*.log"))
    counts = {word: int(count) for count, word in re.findall(r"(\d+) (passed|failed|errors?|skipped)", said)}
    assert code == 0, said[-6000:]
    assert counts["passed"] >= LEAST
    assert set(counts) == {"passed"}
    assert "Traceback" not in logs


async def run_suite(folder: Path, url: str, tmp_path: Path) -> tuple[int, str]:
    """pytest's exit code and words. The aiohttp transport is the client's own affair, and an extra."""
    options = ["-o", "addopts=", "-o", "filterwarnings=", "-p", "no:cacheprovider", "-p", "no:randomly"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pytest",
        *options,
        "-q",
        "--tb=short",
        "-k",
        "not aiohttp",
        f"--rootdir={folder}",
        f"--basetemp={tmp_path / 'suite'}",
        *(f"tests/api_resources/{suite}" for suite in SUITES),
        cwd=folder,
        env={**os.environ, "TEST_API_BASE_URL": url, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()
