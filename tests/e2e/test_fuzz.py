"""Whatever is sent, the answer is a sentence and a status below 500, and no traceback is logged."""

import asyncio
import copy
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from noria.server.api.app import surface
from noria.testing import Upstream
from noria.testing.inline import InlineGateway
from noria.testing.stack import free_port

sys.path.insert(0, str(Path(__file__).parent))
from gateway_bodies import BODIES, PATHS

gateway = pytest.mark.asyncio(loop_scope="module")
BACKS = ("openai", "openai-responses", "anthropic", "gemini", "bedrock")
EXAMPLES = 30
"""Bodies for each path, in the quick suite."""
fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
scalars: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(
        ["auto", "none", "user", "tool", "text", "function", "1e400", "data:,", "\x00", "💥" * 9]
    )
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to all parts of a JSON value, itself left out."""
    found: list[tuple[Any, ...]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in items:
        found += [(*path, name), *places(one, (*path, name))]
    return found


@st.composite
def mutated(draw: st.DrawFn, path: str) -> Any:
    """A body that was good, with some of its parts replaced, removed, repeated or added."""
    body = copy.deepcopy(draw(st.sampled_from(BODIES[path])))
    for _ in range(draw(st.integers(1, 3))):
        where = draw(st.sampled_from(places(body)))
        holder = body
        for name in where[:-1]:
            holder = holder[name]
        last = where[-1]
        match draw(st.sampled_from(["replace", "replace", "remove", "repeat", "add"])):
            case "replace":
                holder[last] = draw(values)
            case "remove":
                del holder[last]
            case "repeat" if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[last]))
            case _ if isinstance(holder, dict):
                holder[draw(st.text(max_size=10))] = draw(values)
            case _:
                pass
        if not places(body):
            break
    return body


async def check(noria: InlineGateway, path: str, content: bytes, **headers: str) -> None:
    answer = await noria.post(content, path=path, **headers)
    if answer.status_code == 503 and "Earlier responses" in answer.text:
        return  # There is no collector here, which keeps them.
    assert answer.status_code < 500, (answer.status_code, answer.text, content)
    if answer.status_code >= 400:
        assert answer.json()["error"]["message"], content


@gateway
@pytest.mark.parametrize("path", PATHS)
@fuzzed
@given(data=st.data(), back=st.sampled_from(BACKS), stream=st.booleans())
async def test_mutated_bodies(
    noria: InlineGateway,
    upstream: Upstream,
    caplog: pytest.LogCaptureFixture,
    path: str,
    data: st.DataObject,
    back: str,
    stream: bool,
) -> None:
    body = data.draw(mutated(path))
    if isinstance(body, dict) and body.get("model") == "*":
        body["model"] = f"{back}-embedding" if path.endswith("embeddings") else back
        if stream and not path.endswith(("embeddings", "tokens")):
            body["stream"] = True
    await check(noria, path, json.dumps(body).encode())
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR] == []


@gateway
@pytest.mark.parametrize("path", PATHS)
@fuzzed
@given(content=st.binary(max_size=60) | values.map(lambda value: json.dumps(value).encode()))
async def test_bodies_of_anything(
    noria: InlineGateway, upstream: Upstream, caplog: pytest.LogCaptureFixture, path: str, content: bytes
) -> None:
    await check(noria, path, content)
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR] == []


NAMES = (
    "authorization", "x-api-key", "traceparent", "x-noria-user", "x-noria-tags", "x-noria-cache", "origin",
    "host", "anthropic-version", "content-type", "accept", "user-agent", "x-noria-session", "expect",
)  # fmt: skip
SAYINGS = ("", "Bearer", "Bearer nk-", "00-" + "0" * 32 + "-" + "0" * 16 + "-00", "a=b, c", "no-cache", "*")


@gateway
@fuzzed
@given(
    headers=st.dictionaries(
        st.sampled_from(NAMES),
        st.sampled_from(SAYINGS) | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
        max_size=4,
    ),
    path=st.sampled_from([*PATHS, "/v1/models", "/v1/models/x%00y", "/v1/models/", "/v1/models//"]),
)
async def test_headers_of_anything(
    noria: InlineGateway,
    upstream: Upstream,
    caplog: pytest.LogCaptureFixture,
    headers: dict[str, str],
    path: str,
) -> None:
    content = json.dumps({"model": "openai", "messages": [], "input": "", "prompt": ""}).encode()
    given = {"authorization": f"Bearer {noria.token}", **{name: one.strip() for name, one in headers.items()}}
    method = "GET" if path.startswith("/v1/models") else "POST"
    answer = await noria.client.request(method, path, content=content, headers=given)
    assert answer.status_code < 500, (answer.text, headers)
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR] == []


@gateway
@fuzzed
@given(
    pieces=st.lists(
        st.sampled_from(
            [
                b"GET /v1/models HTTP/1.1\r\n",
                b"POST /v1/chat/completions HTTP/1.1\r\n",
                b"host: localhost\r\n",
                b"content-length: 3\r\n",
                b"content-length: -1\r\n",
                b"content-length: 99999999999999999999\r\n",
                b"transfer-encoding: chunked\r\n",
                b"\r\n",
                b"\n",
                b"{}",
                b"3\r\n{ }\r\n",
                b"0\r\n\r\n",
                b"\x00",
                b"upgrade: websocket\r\nconnection: upgrade\r\n",
                b"expect: 100-continue\r\n",
                b" : \r\n",
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                b"zz\r\n",
                b"x" * 70_000,
            ]
        )
        | st.binary(max_size=20),
        max_size=8,
    )
)
async def test_bytes_of_anything(
    noria: InlineGateway, upstream: Upstream, caplog: pytest.LogCaptureFixture, pieces: list[bytes]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(noria.url.rpartition(":")[2]))
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(0)
    writer.write_eof()
    try:
        said = await asyncio.wait_for(reader.read(), 20)
    except ConnectionResetError:
        said = b""
    writer.close()
    for line in said.split(b"\r\n"):
        assert not line.startswith(b"HTTP/1.1 5") or line.startswith(b"HTTP/1.1 501"), (said, pieces)
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR] == []
    assert (await noria.client.get("/v1/models")).status_code == 401


# the control API, from its own description


CONFIG = """
[server]
port = {port}
[providers.mock]
dialect = "openai"
base_url = "{upstream}/v1"
auth = "none"
models = ["mock"]
[models."mock/mock"]
context = 100000
max_output = 4096
[routes.r]
targets = ["mock/mock"]
"""
FETCHES = ("/api/weights/{name}/pull",)
"""What would load things from elsewhere."""
SIGNS_IN = ("/api/session", "/api/setup", "/api/oidc/login", "/api/oidc/callback")
"""What asks for more than a key."""
api = schemathesis.openapi.from_dict(surface().openapi())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, Path]]:
    """URL, token of an administrator's key, and folder of logs of a `noria up`."""
    folder = tmp_path_factory.mktemp("running")
    port = free_port()
    (folder / "noria.toml").write_text(CONFIG.format(port=port, upstream=f"http://127.0.0.1:{free_port()}"))
    environment = {name: value for name, value in os.environ.items() if name != "NORIA_HOME"}
    with (folder / "up.log").open("wb") as log:
        command = [sys.executable, "-m", "noria", "up", "--workers", "1"]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        made = [sys.executable, "-m", "noria", "key", "create", "fuzz", "--role", "admin"]
        until = time.monotonic() + 60
        while True:
            key = subprocess.run(made, cwd=folder, env=environment, capture_output=True, text=True)
            if key.returncode == 0 and answers(port):
                break
            assert time.monotonic() < until, (key.stderr, (folder / "up.log").read_text())
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}", key.stdout.strip(), folder
    finally:
        process.terminate()
        process.wait(60)


def answers(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx2.TransportError:
        return False


@api.exclude(path=list(FETCHES)).parametrize()
@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[*HealthCheck],
)
def test_the_control_api(case: schemathesis.Case, running: tuple[str, str, Path]) -> None:
    url, token, _ = running
    answer = case.call(base_url=url, headers={"authorization": f"Bearer {token}"}, allow_redirects=False)
    assert answer.status_code != 401 or case.operation.path in SIGNS_IN
    case.validate_response(answer, checks=[not_a_server_error, response_schema_conformance])


def test_no_traceback_was_logged(running: tuple[str, str, Path]) -> None:
    """After all of the above."""
    _, _, folder = running
    logs = [*folder.rglob("*.log")]
    assert len(logs) > 1
    for log in logs:
        assert "Traceback" not in log.read_text(), log.read_text()[-3000:]
