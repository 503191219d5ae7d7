"""[telemetry]: what is kept of each call, for how long, and where else it goes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from noria.config.provider import HeaderName
from noria.config.reference import HttpUrl, PathText, Secret
from noria.config.route import Capture
from noria.config.section import Name, Section
from noria.config.units import Duration, Size


class RetentionSection(Section):
    """What is deleted when; both rules hold where both are given."""

    days: Annotated[int, Field(ge=0)] = 90
    """0: for ever."""
    size: Size | None = None
    """Oldest days go first when the span store is larger."""


class ExportSection(Section):
    """An OTLP receiver that spans are sent on to."""

    endpoint: HttpUrl
    """Without `/v1/traces`."""
    headers: dict[HeaderName, Secret] = {}
    """References to secrets, such as `env:COLLECTOR_TOKEN`."""
    payloads: bool = False
    """Whether prompts and answers go along."""
    compression: Literal["gzip", "none"] = "gzip"
    timeout: Duration = 10.0
    ca_file: PathText | None = None


class TelemetrySection(Section):
    """What is kept of each call, for how long, and where else it goes."""

    retention: RetentionSection = RetentionSection()
    capture: Capture = "full"
    """Of routes that do not say."""
    sync: Duration = 0.2
    """Longest time after which records survive a power cut; they survive the process at once."""
    durability: Literal["process", "disk"] = "process"
    """What an answered call survives at once: the death of any process, or a power cut as well."""
    spool_max: Size = 4 << 30
    """When this much waits for the collector, calls are refused."""
    prometheus: bool = True
    """Whether /metrics answers."""
    export: dict[Name, ExportSection] = {}
