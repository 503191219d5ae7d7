"""What can be asked of recorded traces, and what comes back.

The results are plain frozen dataclasses, so that an HTTP layer can publish them as they are. In results,
times are Unix milliseconds and durations milliseconds (floats, exact to a microsecond), ids are lower-case
hex, money is a decimal string of US dollars; None is unknown, never zero. Every query names its project and
sees nothing of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from noria.tracing.filters import Filter

Sort = Literal["newest", "oldest", "slowest", "costliest"]
Share = float | None
"""Between 0 and 1; None where there is nothing to divide by."""


@dataclass(frozen=True, slots=True)
class Window:
    """`start` included, `end` excluded; Unix nanoseconds."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """One line of the list of traces."""

    id: str
    root: str | None
    """Span id of the root, or of the first span seen where no root has arrived."""
    name: str
    start_ms: float
    duration_ms: float
    status: Literal["ok", "error", "unset"]
    http_status: int | None
    error_kind: str
    operation: str
    service: str
    route: str
    model: str
    provider: str
    user: str
    session: str
    team: str
    key: str
    cache: str
    """One of "hit", "miss", "off", "bypass", or "" where no gateway was involved."""
    input_tokens: int | None
    output_tokens: int | None
    cost: str | None
    """Sum of the known costs; None where none is known."""
    unknown_costs: int
    """Calls whose cost is unknown."""
    first_token_ms: float | None
    attempts: int
    spans: int
    errors: int
    """Spans that failed."""
    unconfirmed: bool
    config: str
    input: str
    """The first words."""
    output: str
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class TracePage:
    """Part of a list; `next` goes into the next request as `cursor`, None on the last page."""

    items: list[TraceSummary]
    next: str | None
    total: int | None
    """How many match in all; None where that is not cheap to know."""
    complete: bool = True
    """False: the search ran out of its time; `next` goes on where it stopped."""


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """Something that happened at one time within a span."""

    name: str
    at_ms: float
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SpanLink:
    """Another span that this one has to do with."""

    trace_id: str
    span_id: str
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SpanDetail:
    """One span with all that is known of it. `offset_ms` counts from the trace's start."""

    id: str
    parent: str | None
    name: str
    kind: str
    start_ms: float
    offset_ms: float
    duration_ms: float
    status: str
    status_message: str
    operation: str
    service: str
    provider: str
    model: str
    response_model: str
    route: str
    target: str
    key: str
    team: str
    user: str
    session: str
    episode: str
    tags: dict[str, str]
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    usage: str
    """Provenance: "reported", "estimated" or "none"."""
    cost: str | None
    price: str
    first_token_ms: float | None
    """From the span's start."""
    cache: str
    attempts: int | None
    stop_reason: str
    http_status: int | None
    error_kind: str
    config: str
    confirmed: bool
    source: str
    critical: bool
    """On the critical path: what the trace's duration waited for."""
    input: str | None
    """JSON or text; None: not captured."""
    output: str | None
    attributes: dict[str, Any]
    events: list[SpanEvent]
    links: list[SpanLink]
    scope: str
    schema_url: str


@dataclass(frozen=True, slots=True)
class TraceDetail:
    """A whole trace, spans in order of start with parents before their children where times tie."""

    id: str
    summary: TraceSummary
    spans: list[SpanDetail]
    truncated: bool = False
    """True: only the first 5,000 spans are here."""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Counts by time and duration. `counts[i][j]` belongs to `times_ms[i]` and the durations from
    `edges_ms[j]` to `edges_ms[j + 1]`, which grow by a constant factor."""

    step_ms: int
    times_ms: list[int]
    edges_ms: list[float]
    counts: list[list[int]]


@dataclass(frozen=True, slots=True)
class FacetValue:
    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """Counts by value, most frequent first, at most 50 a field."""

    fields: dict[str, list[FacetValue]]
    """By "status", "model", "route", "provider", "user", "team", "key", "cache", "service"."""
    sampled: int | None = None
    """Counted over this many newest matches only; None: over all."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that changed, to be drawn on every time chart."""

    at_ms: float
    kind: str
    """Such as "config", "label", "deploy", "alert"."""
    label: str
    ref: str = ""
    """Id or digest of what it is about."""


@dataclass(frozen=True, slots=True)
class PulseSeries:
    """One value for each of `Pulse.times_ms`; None where nothing was measured."""

    requests_per_s: list[float]
    errors: dict[str, list[int]]
    """By error class."""
    p50_ms: list[float | None]
    p95_ms: list[float | None]
    p99_ms: list[float | None]
    first_token_p50_ms: list[float | None]
    first_token_p95_ms: list[float | None]
    first_token_p99_ms: list[float | None]
    input_tokens: list[int]
    output_tokens: list[int]
    cost: dict[str, list[str]]
    """By route; sums of known costs."""
    unknown_cost: list[int]
    """Calls whose cost is unknown."""
    cache_hit_share: list[Share]
    """Of the calls to which a cache applied."""
    fallback_share: list[Share]
    retry_share: list[Share]


@dataclass(frozen=True, slots=True)
class PulseTotals:
    """The whole window in one line. Percentiles are within 1 % of the exact ones."""

    requests: int
    requests_per_s: float
    errors: int
    error_share: Share
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    first_token_p50_ms: float | None
    first_token_p95_ms: float | None
    input_tokens: int
    output_tokens: int
    cost: str
    unknown_cost: int
    cache_hit_share: Share
    fallback_share: Share
    retry_share: Share


@dataclass(frozen=True, slots=True)
class Pulse:
    """How it goes. `times_ms` are the starts of steps; the last may be still filling."""

    start_ms: int
    end_ms: int
    step_ms: int
    times_ms: list[int]
    series: PulseSeries
    totals: PulseTotals
    previous: PulseTotals
    """The window of the same length just before."""
    marks: list[Mark]
    slowest: list[TraceSummary]


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """A conversation: the traces that name the same session."""

    id: str
    user: str
    start_ms: float
    end_ms: float
    traces: int
    errors: int
    input_tokens: int
    output_tokens: int
    cost: str
    unknown_costs: int
    input: str
    """The first words of its first trace."""


@dataclass(frozen=True, slots=True)
class SessionPage:
    items: list[SessionSummary]
    next: str | None
    total: int | None


@dataclass(frozen=True, slots=True)
class SessionDetail:
    """A session and its traces, oldest first (at most 500)."""

    summary: SessionSummary
    traces: list[TraceSummary]


@dataclass(frozen=True, slots=True)
class CostRow:
    """What one value of the grouping has cost. Sums are exact."""

    group: str
    """The team, user, model, …; "" where a call has none."""
    cost: str
    """Sum of the known costs."""
    calls: int
    """Upstream attempts, and calls that were answered without one."""
    unknown: int
    """Those among them whose cost is unknown."""
    estimated: int
    """Those whose usage is estimated."""
    unconfirmed: int
    """Those that were settled without an exact end."""
    input_tokens: int
    output_tokens: int
    cached_tokens: int


@dataclass(frozen=True, slots=True)
class Costs:
    """Rows by falling cost, and their sum; `by` is as asked."""

    by: str
    start_ms: int
    end_ms: int
    rows: list[CostRow]
    total: CostRow


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was deleted."""

    traces: int
    spans: int
    stored: int
    """Stored responses."""


NO_FILTER = Filter()


class SpanReader(Protocol):
    """Reads spans. Safe to call from several threads; each call sees what is committed when it starts."""

    def pulse(
        self,
        project: str,
        window: Window,
        *,
        step_s: int,
        filter: Filter = NO_FILTER,
        marks: Sequence[Mark] = (),
    ) -> Pulse: ...

    def traces(
        self,
        project: str,
        window: Window,
        *,
        filter: Filter = NO_FILTER,
        sort: Sort = "newest",
        cursor: str | None = None,
        limit: int = 50,
    ) -> TracePage: ...

    def since(
        self, project: str, position: str | None, *, limit: int = 100
    ) -> tuple[list[TraceSummary], str]:
        """Traces that became visible after `position`, and the next position; None starts from now."""
        ...

    def heatmap(self, project: str, window: Window, *, filter: Filter = NO_FILTER) -> HeatMap: ...

    def facets(self, project: str, window: Window, *, filter: Filter = NO_FILTER) -> Facets: ...

    def trace(self, project: str, trace_id: bytes) -> TraceDetail | None: ...

    def sessions(
        self, project: str, window: Window, *, cursor: str | None = None, limit: int = 50
    ) -> SessionPage: ...

    def session(self, project: str, session: str) -> SessionDetail | None: ...


class LedgerReader(Protocol):
    """Reads what calls have cost. Sums are exact; hours are UTC."""

    def costs(self, project: str | None, window: Window, *, by: str) -> Costs:
        """`by` is "team", "user", "route", "model", "key", "project", "day" or "tag:NAME".

        A project of None sums over all projects (for administrators). InvalidRequest: another `by`.
        """
        ...


class Eraser(Protocol):
    """Deletes what is recorded of a person; implemented by the one process that writes."""

    async def erase_user(self, project: str, user: str, also: Sequence[str] = ()) -> Erasure:
        """`also` are ids of further traces, whoever's: of calls that were made with this user's words."""
        ...


class Cipher(Protocol):
    """Encrypts bodies at rest."""

    def encrypt(self, data: bytes) -> bytes: ...

    def decrypt(self, data: bytes) -> bytes: ...
