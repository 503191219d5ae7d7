"""The narrow part of a span, as a row."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from noria.storage.spans.schema import LINE_COLUMNS
from noria.tracing.span import Span

_tags = msgspec.json.Decoder(dict[str, str]).decode
_encode = msgspec.json.Encoder(order="sorted").encode
COLUMNS = ", ".join(f'"{name}"' for name in LINE_COLUMNS)


class StoredLine(msgspec.Struct, frozen=True):
    """`tracing.totals.Line` as read back; fields in the order of LINE_COLUMNS, after the row's own."""

    id: int
    role: int
    span_id: bytes
    parent_id: bytes | None
    name: str
    kind: Any
    start: int
    end: int
    status: Literal["unset", "ok", "error"]
    operation: str
    service: str
    provider: str
    model: str
    route: str
    target: str
    key: str
    team: str
    user: str
    session: str
    episode: str
    raw_tags: str | None
    input_tokens: int | None
    output_tokens: int | None
    cost_pico: int | None
    first_token: int | None
    cache: Any
    attempts: int | None
    http_status: int | None
    error_kind: str
    config: str
    confirmed: bool
    source: Any

    @property
    def tags(self) -> dict[str, str]:
        return tags_of(self.raw_tags)


def tags_of(raw: str | None) -> dict[str, str]:
    return _tags(raw) if raw else {}


def tags_text(tags: dict[str, str]) -> str | None:
    return _encode(tags).decode() if tags else None


def values(span: Span) -> tuple[object, ...]:
    """The columns of LINE_COLUMNS."""
    return (
        span.span_id, span.parent_id, span.name, span.kind, span.start, span.end, span.status, span.operation,
        span.service, span.provider, span.model, span.route, span.target, span.key, span.team, span.user,
        span.session, span.episode, tags_text(span.tags), span.input_tokens, span.output_tokens,
        span.cost_pico, span.first_token, span.cache, span.attempts, span.http_status, span.error_kind,
        span.config, span.confirmed, span.source,
    )  # fmt: skip


def span_fields(line: StoredLine) -> dict[str, Any]:
    """As keyword arguments of Span."""
    fields = {name: getattr(line, name) for name in LINE_COLUMNS}
    fields["confirmed"] = bool(line.confirmed)
    return fields
