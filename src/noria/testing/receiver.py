"""An OTLP/HTTP receiver: takes trace exports as any backend does, refuses where told, remembers the rest."""

from __future__ import annotations

import gzip
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from noria.tracing.otlp import Sender
from noria.tracing.otlp_protobuf import traces
from noria.tracing.span import Span


class Posted:
    """One export request as it came."""

    def __init__(self, path: str, headers: dict[str, str], body: bytes) -> None:
        self.path = path
        self.headers = headers
        self.body = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
        self.request = ExportTraceServiceRequest.FromString(self.body)
        self.at = time.monotonic()


class Receiver:
    """`with Receiver() as receiver: … receiver.url`; `refuse` queues statuses with their Retry-After."""

    def __init__(self) -> None:
        self.posted: list[Posted] = []
        self.refused: list[float] = []
        """When a request was refused, by the monotonic clock."""
        self._refusals: list[tuple[int, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Receiver:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def refuse(self, *statuses: int, retry_after: str = "") -> None:
        """Answer the next requests so."""
        self._refusals += [(status, retry_after) for status in statuses]

    def spans(self) -> list[Span]:
        """All that was taken, as Noria's own collector understands it."""
        found: list[Span] = []
        for one in list(self.posted):
            found += traces(one.body, Sender(), lambda _provider, _model: None).spans
        return found

    def wait(self, count: int, *, seconds: float = 10) -> list[Span]:
        """Until so many spans have come. Raises TimeoutError."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if len(found := self.spans()) >= count:
                return found
            time.sleep(0.01)
        raise TimeoutError(f"{len(self.spans())} of {count} spans came within {seconds} s.")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                if receiver._refusals:
                    status, retry_after = receiver._refusals.pop(0)
                    receiver.refused.append(time.monotonic())
                    self.send_response(status)
                    if retry_after:
                        self.send_header("retry-after", retry_after)
                else:
                    receiver.posted.append(Posted(self.path, headers, body))
                    self.send_response(200)
                    self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler
