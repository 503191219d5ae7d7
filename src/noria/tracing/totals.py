"""What the spans of one trace amount to: which of them are counted calls, and the trace's one line.

A model call is often recorded at several levels: by the application's framework, by its client library, and
by the gateway. Only the innermost recorded call counts, so that nothing is counted twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Literal, Protocol

import msgspec

MODEL_OPERATIONS = frozenset(
    {"chat", "text_completion", "completion", "generate_content", "embeddings", "rerank", "responses"}
)


class Role(IntEnum):
    OTHER = 0
    CALL = 1
    """A model call that counts: in rates, latencies, tokens and cost."""
    ATTEMPT = 2
    """An upstream attempt of a gateway call."""
    COVERED = 3
    """A model call within which the same call is recorded again, nearer to the model."""


class Line(Protocol):
    """The narrow part of a span."""

    @property
    def span_id(self) -> bytes: ...
    @property
    def parent_id(self) -> bytes | None: ...
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def status(self) -> Literal["unset", "ok", "error"]: ...
    @property
    def operation(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def route(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def team(self) -> str: ...
    @property
    def user(self) -> str: ...
    @property
    def session(self) -> str: ...
    @property
    def episode(self) -> str: ...
    @property
    def tags(self) -> dict[str, str]: ...
    @property
    def input_tokens(self) -> int | None: ...
    @property
    def output_tokens(self) -> int | None: ...
    @property
    def cost_pico(self) -> int | None: ...
    @property
    def first_token(self) -> int | None: ...
    @property
    def cache(self) -> str: ...
    @property
    def attempts(self) -> int | None: ...
    @property
    def http_status(self) -> int | None: ...
    @property
    def error_kind(self) -> str: ...
    @property
    def config(self) -> str: ...
    @property
    def confirmed(self) -> bool: ...
    @property
    def source(self) -> str: ...


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """A trace's line. Times are Unix nanoseconds, durations nanoseconds."""

    root: bytes | None
    name: str
    start: int
    duration: int
    status: Literal["unset", "ok", "error"]
    http_status: int | None
    error_kind: str
    operation: str
    service: str
    route: str
    model: str
    provider: str
    user: str
    session: str
    episode: str
    team: str
    key: str
    cache: str
    input_tokens: int | None
    output_tokens: int | None
    cost_pico: int | None
    unknown_costs: int
    first_token: int | None
    """From the trace's start."""
    attempts: int
    spans: int
    errors: int
    unconfirmed: bool
    config: str
    tags: dict[str, str]


def model_of(line: Line) -> str:
    """The model that answered, where the gateway knows it, else the one that was asked for."""
    return line.target.partition("/")[2] or line.model


def is_placeholder(line: Line) -> bool:
    """Whether it only holds the place of a span of which events have come and the span has not."""
    return not line.name


def roles(lines: Sequence[Line]) -> dict[bytes, Role]:
    """The role of each span, by span id. What went through the gateway always counts there."""
    found: dict[bytes, Role] = {}
    calls: list[Line] = []
    for line in lines:
        if line.source == "gateway":
            found[line.span_id] = Role.CALL if line.kind == "server" else Role.ATTEMPT
        else:
            found[line.span_id] = (
                Role.CALL if line.operation in MODEL_OPERATIONS and line.name else Role.OTHER
            )
        if found[line.span_id] is Role.CALL:
            calls.append(line)
    outer = {line.span_id for line in calls if line.source != "gateway"}
    if outer and len(lines) > 1:
        parents = {line.span_id: line.parent_id for line in lines}
        for line in calls:
            above, steps = line.parent_id, 0
            while above in parents and steps < 64:  # A malformed trace may hold a circle.
                if above in outer and above != line.span_id:
                    found[above] = Role.COVERED
                above = parents[above]
                steps += 1
    return found


def targets_tried(call: Line, lines: Sequence[Line]) -> Counter[str]:
    """How often each target was tried for a gateway call."""
    return Counter(
        line.target for line in lines if line.parent_id == call.span_id and line.source == "gateway"
    )


def totals(lines: Sequence[Line], role: dict[bytes, Role]) -> Totals:
    """The trace's line. `lines` is not empty."""
    real = [line for line in lines if line.name] or list(lines)
    ids = {line.span_id for line in real}
    tops = [line for line in real if not line.parent_id or line.parent_id not in ids]
    root = min(tops or real, key=lambda line: (line.parent_id is not None, line.start))
    calls = [line for line in real if role[line.span_id] is Role.CALL]
    main = root if root.model or not calls else calls[0]
    start = min(line.start for line in real)
    failed = root if root.error_kind or root.http_status else next((c for c in calls if c.error_kind), root)
    known = [call.cost_pico for call in calls if call.cost_pico is not None]
    first = [call.first_token for call in calls if call.first_token]
    return Totals(
        root=root.span_id,
        name=root.name,
        start=start,
        duration=max(line.end for line in real) - start,
        status=root.status,
        http_status=failed.http_status,
        error_kind=failed.error_kind,
        operation=root.operation or main.operation,
        service=root.service,
        route=_first(root.route, (call.route for call in calls)),
        model=model_of(main),
        provider=_first(main.provider, (line.provider for line in real if line.source == "gateway")),
        user=_first(root.user, (line.user for line in real)),
        session=_first(root.session, (line.session for line in real)),
        episode=_first(root.episode, (line.episode for line in real)),
        team=_first(root.team, (line.team for line in real)),
        key=_first(root.key, (line.key for line in real)),
        cache=_first(root.cache, (call.cache for call in calls)),
        input_tokens=_sum(call.input_tokens for call in calls),
        output_tokens=_sum(call.output_tokens for call in calls),
        cost_pico=sum(known) if known else None,
        unknown_costs=len(calls) - len(known),
        first_token=min(first) - start if first else None,
        attempts=sum(call.attempts or 0 for call in calls),
        spans=len(real),
        errors=sum(line.status == "error" for line in real),
        unconfirmed=not all(line.confirmed for line in real),
        config=_first(root.config, (call.config for call in calls)),
        tags=root.tags or next((line.tags for line in real if line.tags), {}),
    )


def _first(own: str, others: Iterable[str]) -> str:
    return own or next(filter(None, others), "")


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
