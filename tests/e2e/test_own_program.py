"""One's own program, the gateway it calls, and the backend that spans are sent on to: one trace."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

from noria.exporters import Target
from noria.gateway.snapshot import Provider, Route
from noria.gateway.snapshot import Target as RouteTarget
from noria.runtime.export import Exporter
from noria.storage.spans import SpanStore
from noria.testing import Upstream
from noria.testing.receiver import Receiver
from noria.testing.stack import Stack, mock_model, snapshot

PROGRAM = """
import noria

noria.instrument(service="shop", skip=("httpx", "httpx2", "openai"))
client = noria.Noria()

@noria.trace(operation="invoke_agent")
def agent(question: str) -> str:
    return client.chat("r", question).text

with noria.about(user="ada", session="s-1", tags={"env": "prod"}):
    agent("why")
"""


async def test_a_program_and_its_calls_are_one_trace_here_and_there(tmp_path: Path) -> None:
    async with Upstream() as upstream:
        config = snapshot(
            providers={"a": Provider(name="a", dialect="openai", base_url=upstream.url + "/v1", auth="none")},
            models={"a/m": mock_model("m", provider="a")},
            routes={"r": Route(name="r", targets=(RouteTarget(model="a/m"),))},
        )
        await asyncio.to_thread(_run, Stack(tmp_path / "home", config))


def _run(stack: Stack) -> None:
    with Receiver() as receiver, stack:
        exporter = Exporter(stack.home, Target(name="other", endpoint=receiver.url))
        exporter.start()
        environment = {**os.environ, "NORIA_BASE_URL": stack.url, "NORIA_API_KEY": stack.key()}
        command = [sys.executable, "-c", PROGRAM]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert (ended.returncode, ended.stderr) == (0, "")
        sent = receiver.wait(3)
        exporter.stop()
        spans = SpanStore(stack.home.spans)
        until = time.monotonic() + 5
        while (trace := spans.trace("default", sent[0].trace_id)) is None or len(trace.spans) < 3:
            assert time.monotonic() < until
            time.sleep(0.02)
    agent, call, attempt = trace.spans
    assert [span.service for span in trace.spans] == ["shop", "noria", "noria"]
    assert (agent.name, agent.operation) == ("agent", "invoke_agent")
    assert (call.parent, attempt.parent) == (agent.id, call.id)
    assert {span.user for span in trace.spans} == {"ada"}
    assert {span.session for span in trace.spans} == {"s-1"}
    assert all(span.tags == {"env": "prod"} for span in trace.spans)
    assert agent.input == '{"question":"why"}'
    assert sorted(span.span_id.hex() for span in sent) == sorted((agent.id, call.id, attempt.id))
    assert len({span.trace_id for span in sent}) == 1
    assert all(span.input is None and span.output is None for span in sent)
