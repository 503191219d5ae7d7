"""An outside judge of shapes, `llm-comply`, finds nothing wrong, whoever the provider is."""

import asyncio
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from noria.testing import Plan, Upstream
from noria.testing.inline import InlineGateway
from noria.testing.stack import snapshot

sys.path.insert(0, str(Path(__file__).parent))
from conftest import every_dialect

pytestmark = pytest.mark.asyncio(loop_scope="module")
BACKS = ("openai", "openai-responses", "anthropic", "gemini", "bedrock")


KINDS = {"openai-chat": "gpt-5", "open-responses": "gpt-5", "anthropic": "claude-sonnet-4"}
"""What the model must be called for the judge to ask for its thoughts."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def named(
    noria: InlineGateway, mock: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> InlineGateway:
    """The gateway with every route under the names that the judge knows, too."""
    config = every_dialect(mock.url, tmp_path_factory.mktemp("keys"))
    more = {
        name: msgspec.structs.replace(route, name=name)
        for route in config.routes.values()
        for name in (f"{kind}-{route.name}" for kind in set(KINDS.values()))
    }
    routes = {**config.routes, **more}
    noria.apply(snapshot(providers=config.providers, models=config.models, routes=routes))
    return noria


@pytest.mark.parametrize("back", BACKS)
@pytest.mark.parametrize("form", KINDS)
async def test_the_judge_finds_nothing(
    named: InlineGateway, upstream: Upstream, form: str, back: str
) -> None:
    found = await judged(named, form, back)  # Under this name the judge asks for no thoughts.
    thoughts = {name for name, one in found.items() if one[0] == "skipped"}
    assert len(thoughts) == 1
    assert {name: one for name, one in found.items() if one[0] != "passed"}.keys() == thoughts, found
    assert len(found) >= 8
    upstream.default = Plan(reason="Let me think.")
    if (form == "anthropic") == back.startswith("openai") and form != "open-responses":
        # Refused: OpenAI cannot be told a budget of thoughts in tokens, nor others `reasoning.summary`, which
        # the judge adds to chat completions.
        return
    found = await judged(named, form, f"{KINDS[form]}-{back}", only=thoughts)
    assert {name: one for name, one in found.items() if one[0] != "passed"} == {}


async def judged(
    noria: InlineGateway, form: str, model: str, *, only: Iterable[str] = ()
) -> dict[str, tuple[str, Any]]:
    """What the judge says of each of its tests: passed, failed or skipped, and why."""
    as_anthropic = ["--auth-header", "x-api-key", "--no-bearer", "-H", "anthropic-version:2023-06-01"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "llm_comply.cli",
        "--json",
        "--format",
        form,
        *("-u", noria.url + "/v1", "-k", noria.token, "-m", model),
        *(["-f", ",".join(only)] if only else []),
        *(as_anthropic if form == "anthropic" else []),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaint = await process.communicate()
    assert said, complaint.decode()
    results = msgspec.json.decode(said)["results"]
    return {one["id"]: (one["status"], one.get("errors")) for one in results}
