"""Where spans are sent on to."""

from __future__ import annotations

from typing import Literal

import msgspec


class Target(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An OTLP/HTTP receiver; `[telemetry.export.NAME]` of noria.toml."""

    name: str
    endpoint: str
    """Without `/v1/traces`."""
    headers: dict[str, str] = {}
    payloads: bool = False
    """Whether prompts and answers go along."""
    compression: Literal["gzip", "none"] = "gzip"
    timeout: float = 10.0
    """Seconds for one request."""
    ca_file: str | None = None
