"""How times, durations, sizes and money are shown to people."""

from __future__ import annotations

import time
from datetime import datetime
from decimal import Decimal

_UNITS = ("B", "kB", "MB", "GB", "TB")


def at(ms: float | None, *, now: float | None = None) -> str:
    """A time of day where it is today, else the date too; local time."""
    if ms is None:
        return "-"
    moment = datetime.fromtimestamp(ms / 1000)
    today = datetime.fromtimestamp(time.time() if now is None else now).date()
    return f"{moment:%H:%M:%S}" if moment.date() == today else f"{moment:%Y-%m-%d %H:%M}"


def ago(ms: float, *, now: float | None = None) -> str:
    """How long since, in its largest unit: "3 min ago"; "in 2 days" for what is to come."""
    away = (time.time() if now is None else now) - ms / 1000
    # What has just been given ("30d") is that long, although some of it (a hundredth of a unit) has passed.
    span = away if away > 0 else -away + 1
    for size, unit in ((86_400, "day"), (3600, "h"), (60, "min"), (1, "s")):
        if span >= size:
            count = int(span / size + (0 if away > 0 else 0.01))
            text = f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}"
            return f"{text} ago" if away > 0 else f"in {text}"
    return "now"


def duration(ms: float | None) -> str:
    """Three figures at most: "0.42 ms", "312 ms", "1.24 s", "3 min 20 s"."""
    if ms is None:
        return "-"
    if ms < 1:
        return f"{ms:.2f} ms"
    if ms < 10:
        return f"{ms:.1f} ms"
    if ms < 1000:
        return f"{ms:.0f} ms"
    if ms < 60_000:
        return f"{ms / 1000:.2f} s" if ms < 10_000 else f"{ms / 1000:.1f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    return f"{minutes // 60} h {minutes % 60} min"


def size(count: int | None) -> str:
    """Decimal units: "93.2 MB"."""
    if count is None:
        return "unknown"
    value = float(count)
    for unit in _UNITS:
        if value < 999.5 or unit == _UNITS[-1]:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 99.95 else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("the last unit ends the loop")


def count(number: int | None) -> str:
    """With separators for thousands; "-" where there is none."""
    return "-" if number is None else f"{number:,}"


def money(text: str | None) -> str:
    """Dollars: cents from ten cents up, else two significant figures more; "unknown" where it is."""
    if text is None:
        return "unknown"
    value = Decimal(text)
    if not value:
        return "$0"
    if abs(value) >= Decimal("0.1"):
        return f"${value:,.2f}"
    shown = f"{value:.2g}"
    return f"${Decimal(shown):f}"


def share(value: float | None) -> str:
    """A share of one as a percentage."""
    return "-" if value is None else f"{value * 100:.0f} %"


def tokens(given: int | None, made: int | None) -> str:
    """Tokens in and out."""
    if given is None and made is None:
        return "-"
    return f"{count(given)} → {count(made)}"
