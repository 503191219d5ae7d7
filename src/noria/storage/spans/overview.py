"""Traces counted: by time and duration, and by the values of their fields."""

from __future__ import annotations

from collections import Counter

from noria.storage.spans.days import Days
from noria.storage.spans.lists import matching
from noria.storage.spans.schema import SLOT_S
from noria.storage.spans.search import Search
from noria.storage.spans.where import TRACES
from noria.storage.sqlite import rows
from noria.tracing.filters import Filter
from noria.tracing.histogram import upper_edge
from noria.tracing.store import Facets, FacetValue, HeatMap, Window

COLUMNS_SHOWN = 60
COARSE = 16
"""Bins of the store in one row of the map: durations grow by 38 % a row."""
SAMPLE = 10_000
"""Matches that facets are counted over at most."""
MAX_VALUES = 50
FACETS = ("status", "model", "route", "provider", "user", "team", "key", "cache", "service")
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_S = 1_000_000_000


def heatmap(days: Days, project: str, window: Window, *, filter: Filter, sealed: bool) -> HeatMap:
    """Traces by start and duration; the window is widened to whole steps."""
    length = max((window.end - window.start) // _S, 1)
    step_s = next((step for step in _STEPS_S if length / step <= COLUMNS_SHOWN), -(-length // COLUMNS_SHOWN))
    first = window.start // (step_s * _S)
    count = max(-(-window.end // (step_s * _S)) - first, 1)
    wide = Window(first * step_s * _S, (first + count) * step_s * _S)
    cells: Counter[tuple[int, int]] = Counter()
    for reader in days.overlapping(wide):
        if not filter and step_s % SLOT_S == 0:
            slots = step_s // SLOT_S
            found = rows(
                reader.connection,
                "SELECT slot, bin, count(*) FROM traces WHERE project = ? AND slot >= ? AND slot < ?"
                " GROUP BY slot, bin",
                (project, first * slots, (first + count) * slots),
            )
            for slot, bin, number in found:
                cells[slot // slots - first, bin // COARSE] += number
        else:
            clause, values = matching(Search(reader, filter, TRACES, sealed=sealed), project, wide)
            found = rows(
                reader.connection,
                f"SELECT start / {step_s * _S}, bin / {COARSE}, count(*) FROM traces WHERE {clause}"
                " GROUP BY 1, 2",
                values,
            )
            for column, row, number in found:
                cells[column - first, row] += number
    low = min((row for _, row in cells), default=0)
    high = max((row for _, row in cells), default=0)
    return HeatMap(
        step_ms=step_s * 1_000,
        times_ms=[(first + index) * step_s * 1_000 for index in range(count)],
        edges_ms=[round(upper_edge(row * COARSE - 1) / 1e6, 6) for row in range(low, high + 2)],
        counts=[[cells[column, row] for row in range(low, high + 1)] for column in range(count)],
    )


def facets(days: Days, project: str, window: Window, *, filter: Filter, sealed: bool) -> Facets:
    """The most frequent values of each field, over the newest matches."""
    counters: list[Counter[str]] = [Counter() for _ in FACETS]
    left = SAMPLE
    full = False
    for reader in days.overlapping(window):
        search = Search(reader, filter, TRACES, sealed=sealed)
        clause, values = matching(search, project, window)
        plus = "+" if search.few else ""
        found = rows(
            reader.connection,
            f"SELECT {', '.join(FACETS)} FROM traces WHERE {clause} ORDER BY {plus}start DESC LIMIT ?",
            (*values, left + 1),
        )
        full = len(found) > left
        for counter, column in zip(counters, zip(*found[:left], strict=True), strict=False):
            counter.update(column)
        left -= min(len(found), left)
        if full or not left:
            full = True
            break
    fields = {
        name: [FacetValue(value, number) for value, number in counter.most_common(MAX_VALUES + 1) if value][
            :MAX_VALUES
        ]
        for name, counter in zip(FACETS, counters, strict=True)
    }
    return Facets(fields, SAMPLE if full else None)
