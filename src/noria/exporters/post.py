"""Posting to an OTLP/HTTP receiver, and what its answer means.

Source: OTLP 1.x, "OTLP/HTTP response": 429, 502, 503 and 504 ask to come again, other refusals are final. A
wrong address or secret (401, 403, 404, 405) is waited out too: the spans lie in the store meanwhile.
"""

from __future__ import annotations

import gzip
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2
import msgspec
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

import noria
from noria.errors import ConfigError
from noria.exporters.target import Target

_LATER = (401, 403, 404, 405, 408, 425, 429, 502, 503, 504)
TOO_LARGE = 413


class Posted(msgspec.Struct, frozen=True):
    """What came of one request. `later`: nothing was taken, come again; else what was not taken is lost."""

    later: bool = False
    retry_after: float | None = None
    """Seconds, where the receiver says."""
    rejected: int = 0
    """Spans that the receiver does not want."""
    too_large: bool = False
    reason: str = ""


class Poster:
    """One receiver's connection; for one thread."""

    def __init__(self, target: Target, *, headers: Mapping[str, str]) -> None:
        """`headers` are the target's with secrets in place. Raises ConfigError for a bad `ca_file`."""
        self._compress = target.compression == "gzip"
        self._http = httpx2.Client(
            timeout=target.timeout,
            verify=_verify(target),
            headers={
                "content-type": "application/x-protobuf",
                "user-agent": f"noria/{noria.__version__}",
                **({"content-encoding": "gzip"} if self._compress else {}),
                **headers,
            },
        )
        self._url = f"{target.endpoint.rstrip('/')}/v1/traces"

    def close(self) -> None:
        self._http.close()

    def post(self, body: bytes, *, count: int) -> Posted:
        """Send an export of `count` spans."""
        content = gzip.compress(body, 5) if self._compress else body
        try:
            answer = self._http.post(self._url, content=content)
        except httpx2.TransportError as error:
            return Posted(later=True, reason=f"{self._url} does not answer ({type(error).__name__}: {error})")
        if answer.status_code < 300:
            return _partial(answer.content)
        reason = f"{self._url} answered {answer.status_code}"
        if answer.status_code in _LATER:
            return Posted(later=True, retry_after=_retry_after(answer.headers), reason=reason)
        return Posted(rejected=count, too_large=answer.status_code == TOO_LARGE, reason=reason)


def _verify(target: Target) -> ssl.SSLContext | bool:
    if target.ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=target.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"The ca_file {target.ca_file} of telemetry.export.{target.name} cannot be read: {error}."
        ) from None


def _partial(body: bytes) -> Posted:
    try:
        partial = ExportTraceServiceResponse.FromString(body).partial_success
    except DecodeError:  # Some receivers answer in JSON, or with a word.
        return Posted()
    return Posted(rejected=partial.rejected_spans, reason=partial.error_message)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after")
    if text is None:
        return None
    if text.isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max((at - datetime.now(at.tzinfo or UTC)).total_seconds(), 0.0) if at.tzinfo else None
