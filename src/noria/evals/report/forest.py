"""A forest plot as SVG: each line an estimate with its interval, and a rule at zero."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from math import floor, log10

import msgspec

from noria.stats.interval import Interval

Scale = Callable[[float], float]
"""A value's place on the axis."""
_ROW, _LEFT, _RIGHT, _WIDE, _TOP = 30, 190, 190, 760, 14


class Row(msgspec.Struct, frozen=True):
    """`tone` is one of "good", "bad" and "plain"."""

    name: str
    interval: Interval
    tone: str
    note: str = ""


def forest(rows: Sequence[Row], *, label: str, zero: bool = True) -> str:
    """Rows on one scale; those without an estimate are left out. `label` says what the axis is."""
    shown = [row for row in rows if row.interval.estimate is not None]
    if not shown:
        return ""
    ends = [value for row in shown for value in (row.interval.estimate, row.interval.low, row.interval.high)]
    values = [value for value in ends if value is not None] + ([0.0] if zero else [])
    low, high = min(values), max(values)
    pad = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    low, high = low - pad, high + pad
    height = _TOP + _ROW * len(shown) + 40

    def x(value: float) -> float:
        return _LEFT + (value - low) / (high - low) * (_WIDE - _LEFT - _RIGHT)

    said = escape(label, quote=True)
    out = [f'<svg class="forest" viewBox="0 0 {_WIDE} {height}" role="img" aria-label="{said}">']
    base = _TOP + _ROW * len(shown)
    for tick in _ticks(low, high):
        out.append(f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{_TOP}" y2="{base}"/>')
        out.append(
            f'<text class="tick" x="{x(tick):.1f}" y="{base + 16}" text-anchor="middle">{tick:g}</text>'
        )
    if zero:
        out.append(f'<line class="zero" x1="{x(0):.1f}" x2="{x(0):.1f}" y1="{_TOP}" y2="{base}"/>')
    for index, row in enumerate(shown):
        out += _drawn(row, _TOP + _ROW * index + _ROW / 2, x)
    out.append(f'<text class="tick" x="{_LEFT}" y="{height - 6}">{escape(label)}</text></svg>')
    return "".join(out)


def _drawn(row: Row, y: float, x: Scale) -> list[str]:
    interval = row.interval
    estimate = interval.estimate or 0.0
    out = [f'<text class="name" x="{_LEFT - 12}" y="{y + 4:.1f}" text-anchor="end">{escape(row.name)}</text>']
    if interval.low is not None and interval.high is not None:
        left, right = x(interval.low), x(interval.high)
        out.append(f'<line class="{row.tone}" x1="{left:.1f}" x2="{right:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
        for end in (left, right):
            out.append(
                f'<line class="{row.tone}" x1="{end:.1f}" x2="{end:.1f}" y1="{y - 5:.1f}" y2="{y + 5:.1f}"/>'
            )
    out.append(f'<circle class="{row.tone}" cx="{x(estimate):.1f}" cy="{y:.1f}" r="4.5"/>')
    out.append(f'<text class="note" x="{_WIDE - _RIGHT + 12}" y="{y + 4:.1f}">{escape(row.note)}</text>')
    return out


def _ticks(low: float, high: float) -> list[float]:
    """About five round numbers."""
    raw = (high - low) / 5
    unit = 10 ** floor(log10(raw))
    step = next(unit * one for one in (1, 2, 5, 10) if unit * one >= raw)
    first = floor(low / step) + 1
    return [round(first * step + step * index, 12) for index in range(int((high - first * step) / step) + 1)]
