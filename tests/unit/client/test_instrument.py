"""`noria.instrument()` in a process of its own, as people use it."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from noria.gateway.snapshot import Provider, Route, Target
from noria.testing import Upstream
from noria.testing.inline import InlineGateway
from noria.testing.receiver import Receiver
from noria.testing.stack import free_port, mock_model, snapshot

PROGRAM = Path(__file__).parent / "traced_program.py"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as found:
        yield found


def _run(url: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "NORIA_BASE_URL": url, "NORIA_API_KEY": "nk-mine"}
    return subprocess.run(
        [sys.executable, PROGRAM, *arguments], env=environment, capture_output=True, text=True, timeout=60
    )


def test_spans_have_arrived_when_the_program_has_ended(receiver: Receiver) -> None:
    ended = _run(receiver.url)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[0] == "httpx2"
    lookup, agent = receiver.spans()
    assert (agent.name, agent.operation, agent.service) == ("agent", "invoke_agent", "shop")
    assert (lookup.parent_id, lookup.trace_id) == (agent.span_id, agent.trace_id)
    assert (lookup.input, lookup.output) == ('{"question":"why"}', "WHY")
    for span in (lookup, agent):
        assert (span.user, span.session, span.tags) == ("ada", "s-1", {"env": "prod"})
    [posted] = receiver.posted
    assert posted.path == "/v1/traces"
    assert posted.headers["authorization"] == "Bearer nk-mine"
    assert posted.headers["content-encoding"] == "gzip"


def test_a_noria_that_is_down_costs_the_program_a_few_seconds_at_its_end() -> None:
    ended = _run(f"http://127.0.0.1:{free_port()}")
    over = float(ended.stdout.split()[-1])
    assert ended.returncode == 0
    assert "Traceback" not in ended.stderr
    assert time.monotonic() - over < 15  # Four on a machine that does nothing else.


@pytest.mark.slow
async def test_calls_of_the_program_hang_on_its_spans(receiver: Receiver, tmp_path: Path) -> None:
    async with Upstream() as upstream:
        config = snapshot(
            providers={"a": Provider(name="a", dialect="openai", base_url=upstream.url + "/v1", auth="none")},
            models={"a/m": mock_model("m", provider="a")},
            routes={"r": Route(name="r", targets=(Target(model="a/m"),))},
        )
        async with InlineGateway(tmp_path / "home", config) as gateway:
            ended = await asyncio.to_thread(_run, receiver.url, gateway.url, gateway.token)
            calls = gateway.calls()
    assert ended.returncode == 0, ended.stderr
    spans = {span.span_id: span for span in receiver.spans()}
    [ask] = [span for span in spans.values() if span.name == "ask"]
    [chat] = [span for span in spans.values() if span.operation == "chat"]
    ours, theirs = calls
    assert ended.stdout.splitlines()[0] == "httpx2,openai"
    assert ended.stdout.splitlines()[1] == ours.trace.hex() == ask.trace_id.hex()
    assert ours.user == "ada"
    assert theirs.trace == ask.trace_id
    assert chat.parent_id == ask.span_id
    assert chat.input_tokens is not None
    for call in calls:
        parent = spans[call.parent]
        while parent.span_id != ask.span_id:
            assert parent.parent_id is not None
            parent = spans[parent.parent_id]


def test_the_import_alone_is_light() -> None:
    program = (
        "import noria, sys; print([name for name in ('httpx2', 'opentelemetry') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.stdout == "[]\n"
