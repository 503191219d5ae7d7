"""The collector's process over its socket: OTLP in, stored answers out, under keys."""

import gzip
import http.client
import json
import os
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
import zstandard
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from noria.access.key import Key, hash_token, new_token
from noria.access.token import issue
from noria.gateway.snapshot import FORMAT, Live, Snapshot
from noria.server.collector_otlp import is_long
from noria.storage.home import Home
from noria.storage.snapshots import Snapshots
from noria.storage.spans import SpanStore
from noria.storage.spool import SpoolWriter
from noria.tracing.record import Stored
from noria.tracing.store import Window

TRACE = "0af7651916cd43dd8448eb211c80319c"
RESPONSE: dict[str, Any] = {
    "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "m",
    "output": [
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
         "content": [{"type": "output_text", "text": "Hello", "annotations": []}]},
        {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}",
         "status": "completed"},
    ],
    "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None, "instructions": None,
    "incomplete_details": None, "metadata": {}, "temperature": 1.0, "top_p": 1.0,
}  # fmt: skip
COMPLETION: dict[str, Any] = {
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}}],
}  # fmt: skip


class Unix(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(self._path))


class Running:
    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.socket = self.home.run / "collector.sock"
        self.pepper = self.home.pepper()
        self.keys: dict[str, Key] = {}
        self.snapshots = Snapshots(self.home.snapshots)
        self.config = Snapshot(
            format=FORMAT, digest="sha256:" + "0" * 64, providers={}, models={}, routes={}, require_key=True
        )
        self.token = self.key("default")
        self.other = self.key("other")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "noria.server.collector", "--home", str(folder)], env=os.environ
        )
        until = time.monotonic() + 15
        while not self.socket.exists():
            assert time.monotonic() < until and self.process.poll() is None
            time.sleep(0.02)

    def key(self, project: str) -> str:
        token, lookup = new_token()
        self.keys[lookup] = Key(
            id=f"key_{project}", lookup=lookup, hash=hash_token(token.encode(), self.pepper), project=project,
            team="search", routes=("*",),
        )  # fmt: skip
        self.snapshots.publish(
            config=self.config, live=Live(format=FORMAT, epoch=len(self.keys), keys=self.keys)
        )
        return token

    def ask(
        self, method: str, path: str, body: bytes = b"", *, token: str | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = Unix(self.socket)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token != "":
            sent["authorization"] = f"Bearer {token or self.token}"
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        connection.close()
        return found

    def openai(self, token: str | None = None) -> openai.OpenAI:
        return openai.OpenAI(
            api_key=token or self.token, base_url="http://localhost/v1", max_retries=0,
            http_client=httpx2.Client(transport=httpx2.HTTPTransport(uds=str(self.socket))),
        )  # fmt: skip

    def store(self, *records: Stored) -> None:
        writer = SpoolWriter(
            self.home.spool, writer=f"test-{time.monotonic_ns()}", limit_bytes=1 << 30, segment_bytes=1 << 16
        )
        for record in records:
            writer.append(record)
        writer.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    found = Running(tmp_path_factory.mktemp("home"))
    yield found
    found.process.terminate()
    assert found.process.wait(15) in (0, -15)
    assert not found.socket.exists()


def as_json(trace: str = TRACE, **more: Any) -> bytes:
    span = {
        "traceId": trace,
        "spanId": "b7ad6b7169203331",
        "name": "x",
        "startTimeUnixNano": str(time.time_ns()),
    }
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span | more]}]}]}).encode()


def as_protobuf(trace: bytes) -> bytes:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(
        trace_id=trace, span_id=b"12345678", name="x", start_time_unix_nano=time.time_ns()
    )
    return request.SerializeToString()


def kept(running: Running, trace: str, project: str = "default") -> int:
    found = SpanStore(running.home.spans).trace(project, bytes.fromhex(trace))
    return 0 if found is None else len(found.spans)


def test_the_socket_is_the_owners_alone(running: Running) -> None:
    assert running.socket.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("encoding", ["", "identity", "gzip", "deflate", "zstd"])
def test_an_acknowledged_export_is_durable(running: Running, encoding: str) -> None:
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.ZstdCompressor().compress}
    trace = os.urandom(16)
    body = pack.get(encoding, bytes)(as_protobuf(trace))
    status, headers, answer = running.ask(
        "POST", "/v1/traces", body, content_type="application/x-protobuf", content_encoding=encoding
    )
    assert (status, headers["content-type"]) == (200, "application/x-protobuf")
    assert not ExportTraceServiceResponse.FromString(answer).HasField("partial_success")
    assert kept(running, trace.hex()) == 1
    status, headers, answer = running.ask("POST", "/v1/traces", as_json(trace=os.urandom(16).hex()))
    assert (status, headers["content-type"], answer) == (200, "application/json", b"{}")


def test_logs_are_taken_at_their_url_and_at_that_of_traces(running: Running) -> None:
    for path in ("/v1/logs", "/v1/traces"):
        trace = os.urandom(16).hex()
        record = {
            "traceId": trace,
            "spanId": "b7ad6b7169203331",
            "eventName": "gen_ai.choice",
            "timeUnixNano": str(time.time_ns()),
        }
        body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()
        assert running.ask("POST", path, body, content_type="application/json")[0] == 200
        assert kept(running, trace) == 1


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"nonsense", {"content_type": "application/json"}, 400),
        (b"nonsense", {"content_type": "application/x-protobuf"}, 400),
        (b"{}{", {}, 400),
        (b"x", {"content_encoding": "gzip"}, 400),
        (gzip.compress(b"x", mtime=0)[:-4], {"content_encoding": "gzip"}, 400),
        (b"x", {"content_encoding": "zstd"}, 400),
        (b"x", {"content_encoding": "br"}, 400),
        (gzip.compress(b"0" * (65 << 20), mtime=0), {"content_encoding": "gzip"}, 413),
        (zstandard.ZstdCompressor().compress(b"0" * (65 << 20)), {"content_encoding": "zstd"}, 413),
    ],
)
def test_what_is_malformed_is_refused_with_a_sentence(
    running: Running, body: bytes, headers: dict[str, str], status: int
) -> None:
    found, answered, answer = running.ask("POST", "/v1/traces", body, **headers)
    assert found == status
    if answered["content-type"] == "application/json":
        told = json.loads(answer)
        assert told["code"] == 3 and told["message"].endswith(".")
    else:
        assert answer[:3] == b"\x08\x03\x12" and answer.endswith(b".")


def test_what_cannot_be_kept_is_a_partial_success(running: Running) -> None:
    status, _, answer = running.ask("POST", "/v1/traces", as_json(traceId="zz"))
    assert status == 200
    assert json.loads(answer)["partialSuccess"]["rejectedSpans"] == "1"


def test_keys(running: Running) -> None:
    body = as_json()
    status, headers, answer = running.ask("POST", "/v1/traces", body, token="")
    assert (
        status == 401 and headers["content-type"] == "application/json" and json.loads(answer)["code"] == 16
    )
    assert running.ask("POST", "/v1/traces", body, token="nk-" + "x" * 44)[0] == 401
    assert running.ask("GET", "/v1/responses/resp_1", token="")[0] == 401
    late = running.key("late")
    trace = os.urandom(16).hex()
    assert running.ask("POST", "/v1/traces", as_json(trace=trace), token=late)[0] == 200
    assert (kept(running, trace, "late"), kept(running, trace)) == (1, 0)
    acting = issue(next(iter(running.keys.values())), pepper=running.pepper, now=time.time())
    assert running.ask("POST", "/v1/traces", body, token=acting)[0] == 200


def test_paths_that_are_not_offered(running: Running) -> None:
    for method, path in [
        ("GET", "/v1/traces"), ("GET", "/v1/responses/a/b"), ("PUT", "/v1/responses/a"),
        ("GET", "/elsewhere"),
        ("POST", "/v1/chat/completions"), ("GET", "/internal/none"), ("POST", "/v1/responses/x"),
    ]:  # fmt: skip
        assert running.ask(method, path)[0] == 404


def test_internal(running: Running) -> None:
    status, _, answer = running.ask("GET", "/internal/health", token="")
    assert status == 200 and json.loads(answer)["problem"] == ""
    assert running.ask("POST", "/internal/drain", token="")[0] == 200
    assert json.loads(running.ask("GET", "/internal/spent", token="")[2]) == []
    body = json.dumps({"project": "default", "user": "nobody"}).encode()
    assert json.loads(running.ask("POST", "/internal/erase", body, token="")[2]) == {
        "traces": 0,
        "spans": 0,
        "stored": 0,
    }
    assert running.ask("POST", "/internal/erase", b"{}", token="")[0] == 400


def response(id: str, **more: Any) -> Stored:
    inputs = json.dumps(
        [
            {"role": "user", "content": "Hi"},
            {
                "type": "message",
                "id": "m2",
                "role": "user",
                "content": [{"type": "input_text", "text": "Again"}],
            },
        ]
    ).encode()
    return Stored(
        id,
        "response",
        "default",
        "key_default",
        time.time_ns(),
        json.dumps(RESPONSE | {"id": id}).encode(),
        inputs,
        **more,
    )


def test_responses_as_the_sdk_calls_them(running: Running) -> None:
    running.store(response("resp_1"))
    client = running.openai()
    found = client.responses.retrieve("resp_1")
    assert found.output_text == "Hello"
    items = client.responses.input_items.list("resp_1", order="asc", limit=1)
    assert [item.type for item in items] == ["message", "message"]
    assert [item.id for item in client.responses.input_items.list("resp_1").data] == ["m2", "resp_1_in_0"]
    with client.responses.retrieve("resp_1", stream=True) as events:
        seen = list(events)
    assert [event.sequence_number for event in seen] == list(range(len(seen)))
    assert seen[0].type == "response.created" and seen[-1].type == "response.completed"
    deltas = [event.delta for event in seen if event.type == "response.output_text.delta"]
    assert deltas == ["Hello"] and seen[-1].response.output_text == "Hello"
    rest = list(client.responses.retrieve("resp_1", stream=True, starting_after=5))
    assert [event.sequence_number for event in rest] == list(range(6, len(seen)))
    with pytest.raises(openai.BadRequestError, match="background"):
        client.responses.cancel("resp_1")
    with pytest.raises(openai.NotFoundError):
        running.openai(running.other).responses.retrieve("resp_1")
    with pytest.raises(openai.NotFoundError) as another:
        running.openai(running.other).responses.delete("resp_1")
    client.responses.delete("resp_1")
    with pytest.raises(openai.NotFoundError) as gone:
        client.responses.retrieve("resp_1")
    for known in (another, gone):
        assert "x-noria-unknown" not in known.value.response.headers
    with pytest.raises(openai.NotFoundError) as never:
        client.responses.retrieve("resp_never")
    assert never.value.response.headers["x-noria-unknown"] == "true"


def test_chat_completions_as_the_sdk_calls_them(running: Running) -> None:
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
    ]  # fmt: skip
    running.store(
        *(
            Stored(
                f"chatcmpl-{n}", "chat.completion", "default", "key_default", n,
                json.dumps(COMPLETION | {"id": f"chatcmpl-{n}"}).encode(), json.dumps(messages).encode(),
                model="m" if n % 2 else "n", metadata={"run": str(n % 3)},
            )
            for n in range(7)
        )
    )  # fmt: skip
    client = running.openai().chat.completions
    assert client.retrieve("chatcmpl-1").choices[0].message.content == "Hello"
    assert [item.id for item in client.list(limit=3)] == [f"chatcmpl-{n}" for n in range(7)]
    assert [item.id for item in client.list(order="desc", model="n")] == [
        "chatcmpl-6",
        "chatcmpl-4",
        "chatcmpl-2",
        "chatcmpl-0",
    ]
    assert [item.id for item in client.list(metadata={"run": "1"})] == ["chatcmpl-1", "chatcmpl-4"]
    assert client.update("chatcmpl-1", metadata={"a": "b"}).metadata == {"a": "b"}
    assert client.retrieve("chatcmpl-1").metadata == {"a": "b"}
    assert [item.id for item in client.list(metadata={"a": "b"})] == ["chatcmpl-1"]
    found = client.messages.list("chatcmpl-1")
    assert [(item.id, item.content) for item in found] == [
        ("chatcmpl-1-0", "Be kind."),
        ("chatcmpl-1-1", "Hi"),
    ]
    assert client.delete("chatcmpl-1").deleted
    with pytest.raises(openai.NotFoundError):
        client.retrieve("chatcmpl-1")
    with pytest.raises(openai.NotFoundError):
        client.retrieve("resp_1")
    for wrong in ({"limit": 101}, {"order": "up"}, {"after": "none"}):
        with pytest.raises(openai.BadRequestError):
            client.list(**wrong)  # pyright: ignore
    assert running.ask("POST", "/v1/chat/completions/chatcmpl-2", b"[]")[0] == 400


def test_one_reads_what_was_written_before(running: Running) -> None:
    client = running.openai()
    for n in range(20):
        running.store(response(f"resp_r{n}"))
        assert client.responses.retrieve(f"resp_r{n}").id == f"resp_r{n}"


def test_spans_are_there_in_a_second(running: Running) -> None:
    trace = os.urandom(16).hex()
    running.ask("POST", "/v1/traces", as_json(trace=trace))
    now = time.time_ns()
    page = SpanStore(running.home.spans).traces("default", Window(now - 10**10, now + 10**10))
    assert trace in [item.id for item in page.items]


def test_a_small_body_that_unpacks_to_much_is_taken_apart_beside_the_event_loop() -> None:
    bomb = gzip.compress(bytes(64 << 20))
    assert is_long(bomb, b"gzip")
    assert not is_long(bomb, b"")
    assert not is_long(gzip.compress(b"{}"), b"gzip")
