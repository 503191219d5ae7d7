"""`tracing.store.SpanReader` over the days' files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from noria.storage.spans import detail, lists, overview
from noria.storage.spans.days import Days
from noria.storage.spans.pulse import pulse
from noria.tracing.filters import Filter
from noria.tracing.store import (
    NO_FILTER,
    Cipher,
    Facets,
    HeatMap,
    Mark,
    Pulse,
    SessionDetail,
    SessionPage,
    Sort,
    TraceDetail,
    TracePage,
    TraceSummary,
    Window,
)

SLOWEST = 5


class SpanStore:
    """Any number of threads and processes may read while one process writes."""

    def __init__(self, folder: Path, *, cipher: Cipher | None = None) -> None:
        self._days = Days(folder, cipher)
        self._sealed = cipher is not None

    def pulse(
        self,
        project: str,
        window: Window,
        *,
        step_s: int,
        filter: Filter = NO_FILTER,
        marks: Sequence[Mark] = (),
    ) -> Pulse:
        slowest = self.traces(project, window, filter=filter, sort="slowest", limit=SLOWEST).items
        return pulse(
            self._days, project, window,
            step_s=step_s, filter=filter, marks=marks, slowest=slowest, sealed=self._sealed,
        )  # fmt: skip

    def traces(
        self,
        project: str,
        window: Window,
        *,
        filter: Filter = NO_FILTER,
        sort: Sort = "newest",
        cursor: str | None = None,
        limit: int = 50,
    ) -> TracePage:
        return lists.page(
            self._days, project, window,
            filter=filter, sort=sort, cursor=cursor, limit=limit, sealed=self._sealed,
        )  # fmt: skip

    def since(
        self, project: str, position: str | None, *, limit: int = 100
    ) -> tuple[list[TraceSummary], str]:
        return lists.since(self._days, project, position, limit=limit)

    def heatmap(self, project: str, window: Window, *, filter: Filter = NO_FILTER) -> HeatMap:
        return overview.heatmap(self._days, project, window, filter=filter, sealed=self._sealed)

    def facets(self, project: str, window: Window, *, filter: Filter = NO_FILTER) -> Facets:
        return overview.facets(self._days, project, window, filter=filter, sealed=self._sealed)

    def trace(self, project: str, trace_id: bytes) -> TraceDetail | None:
        return detail.trace(self._days, project, trace_id)

    def sessions(
        self, project: str, window: Window, *, cursor: str | None = None, limit: int = 50
    ) -> SessionPage:
        return detail.sessions(self._days, project, window, cursor=cursor, limit=max(1, min(limit, 200)))

    def session(self, project: str, session: str) -> SessionDetail | None:
        return detail.session(self._days, project, session)
