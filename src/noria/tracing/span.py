"""A span as it is stored, queried and shown: what is asked for often is a field, the rest attributes."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Status = Literal["unset", "ok", "error"]


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that happened at one time within a span."""

    name: str
    at: int
    attributes: dict[str, Any] = {}


class Link(msgspec.Struct, frozen=True, omit_defaults=True):
    """Another span that this one has to do with."""

    trace_id: bytes
    span_id: bytes
    attributes: dict[str, Any] = {}


class Span(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Times are Unix nanoseconds; ids are raw bytes; unknown is None or "".

    Money is pico-dollars (1e-12), exact for rates with up to six decimals per million tokens.
    """

    trace_id: bytes
    span_id: bytes
    parent_id: bytes | None = None
    name: str
    kind: Kind = "internal"
    start: int
    end: int
    status: Status = "unset"
    status_message: str = ""
    operation: str = ""
    """gen_ai.operation.name, or "" for spans that are not about models."""
    service: str = ""
    project: str = "default"
    provider: str = ""
    model: str = ""
    """Model asked for: of a call the route, of an attempt the upstream name."""
    response_model: str = ""
    route: str = ""
    target: str = ""
    key: str = ""
    team: str = ""
    user: str = ""
    session: str = ""
    episode: str = ""
    tags: dict[str, str] = {}
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    usage: Literal["reported", "estimated", "none"] = "none"
    cost_pico: int | None = None
    price: str = ""
    first_token: int | None = None
    """Unix nanoseconds."""
    cache: Literal["hit", "miss", "off", "bypass", ""] = ""
    attempts: int | None = None
    """Of a gateway call: how many upstream attempts it took."""
    stop_reason: str = ""
    http_status: int | None = None
    error_kind: str = ""
    config: str = ""
    confirmed: bool = True
    """False: the writer died before the end was known."""
    source: Literal["gateway", "otlp"] = "otlp"
    input: str | None = None
    """What went in, JSON or text; None: not captured."""
    output: str | None = None
    attributes: dict[str, Any] = {}
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()
    scope: str = ""
    schema_url: str = ""
