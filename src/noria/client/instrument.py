"""`noria.instrument()`: OpenTelemetry switched on in one's own program, sent to Noria in the background.

The program never waits for it and never fails for it: spans that Noria does not take within a few seconds
are dropped, and the log says so.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
from collections.abc import Collection, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol

from noria.client.about import current
from noria.client.wire import base_url_of, key_headers
from noria.errors import MissingExtra

try:
    from opentelemetry import trace
    from opentelemetry.context import Context
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
except ImportError:
    raise MissingExtra("noria.instrument()", "trace") from None

TIMEOUT = 5.0
"""Seconds for one batch, retries included; at most so long does a program that ends wait for a dead Noria."""
DELAY_MS = 500
QUEUE = 8_192
"""Spans that wait; beyond, the oldest are dropped."""
_log = logging.getLogger("noria.instrument")


class Instrumentor(Protocol):
    """What the entry points of `opentelemetry_instrumentor` make."""

    is_instrumented_by_opentelemetry: bool

    def instrument(self, **options: Any) -> Any: ...

    def uninstrument(self) -> Any: ...


class Sending:
    """Spans of this program on their way to Noria."""

    def __init__(self, processor: _Processor, instrumentors: dict[str, Instrumentor]) -> None:
        self._processor = processor
        self._instrumentors = instrumentors

    @property
    def instrumentations(self) -> tuple[str, ...]:
        """Names of those that are on."""
        return tuple(sorted(self._instrumentors))

    def flush(self) -> None:
        """Send what waits now, as before a process is frozen; at the program's end it happens by itself."""
        self._processor.force_flush()

    def stop(self) -> None:
        """Send what waits, and no more after; instrumentations are taken out again."""
        global _sending
        with _once:
            for instrumentor in self._instrumentors.values():
                instrumentor.uninstrument()
            self._instrumentors = {}
            self._processor.shutdown()
            if _sending is self:
                _sending = None


_once = threading.Lock()
_sending: Sending | None = None


def instrument(
    base_url: str | None = None,
    api_key: str | None = None,
    *,
    service: str = "",
    skip: Collection[str] = (),
) -> Sending:
    """Send the spans of `@noria.trace` and of every installed OpenTelemetry instrumentation to Noria.

    Instrumentations are the packages `opentelemetry-instrumentation-*`; `skip` leaves some out by name
    ("httpx", "openai", …). Without arguments NORIA_BASE_URL, NORIA_API_KEY and OTEL_SERVICE_NAME count. A
    tracer provider that the program has set up itself stays, and Noria gets its spans too. A second call
    changes nothing and returns what the first did.
    """
    global _sending
    url, headers = base_url_of(base_url), key_headers(api_key)
    with _once:
        if _sending is None:
            processor = _Processor(url, headers)
            provider = _provider(service)
            provider.add_span_processor(processor)
            _sending = Sending(processor, _switched_on(provider, skip))
            atexit.register(processor.shutdown)
        return _sending


def _provider(service: str) -> TracerProvider:
    """The program's own, or a new one that becomes it."""
    found = trace.get_tracer_provider()
    if isinstance(found, TracerProvider):
        return found
    name = service or os.environ.get("OTEL_SERVICE_NAME") or Path(sys.argv[0]).stem or "python"
    made = TracerProvider(resource=Resource.create({SERVICE_NAME: name}))
    trace.set_tracer_provider(made)
    return made


def _switched_on(provider: TracerProvider, skip: Collection[str]) -> dict[str, Instrumentor]:
    found: dict[str, Instrumentor] = {}
    for point in entry_points(group="opentelemetry_instrumentor"):
        if point.name in skip or point.name in found:
            continue
        try:
            instrumentor: Instrumentor = point.load()()
            if instrumentor.is_instrumented_by_opentelemetry:
                continue
            instrumentor.instrument(tracer_provider=provider, raise_exception_on_conflict=True)
        except Exception as error:  # A stranger's package that does not fit must not stop the program.
            _log.warning("The instrumentation %s is left out: %s", point.name, error)
            continue
        found[point.name] = instrumentor
    return found


class _Exporter(OTLPSpanExporter):
    """Gives up at once at the program's end, when the batch before has failed."""

    closing = False
    _failed = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self.closing and self._failed:
            return SpanExportResult.FAILURE
        result = super().export(spans)
        self._failed = result is not SpanExportResult.SUCCESS
        return result


class _Processor(SpanProcessor):
    """Adds whom a span is about when it starts; sends it, with others, when it has ended."""

    def __init__(self, base_url: str, headers: dict[str, str]) -> None:
        self._exporter = _Exporter(
            endpoint=f"{base_url}/v1/traces",
            headers=headers,
            timeout=TIMEOUT,
            compression=Compression.Gzip,
        )
        self._batches = BatchSpanProcessor(
            self._exporter, max_queue_size=QUEUE, schedule_delay_millis=DELAY_MS
        )
        self._closed = False

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        if not self._closed:
            span.set_attributes(current().attributes())

    def on_end(self, span: ReadableSpan) -> None:
        if not self._closed:
            self._batches.on_end(span)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._batches.force_flush(timeout_millis)

    def shutdown(self) -> None:
        if not self._closed:
            self._closed = True
            self._exporter.closing = True
            self._batches.shutdown()
