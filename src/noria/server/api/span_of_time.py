"""`from` and `to` of a query."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query

from noria.errors import InvalidRequest
from noria.server.api.caller import Parts
from noria.tracing.store import Window

_RELATIVE = re.compile(r"-(\d{1,6})(s|m|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DESCRIPTION = "Unix milliseconds, an ISO 8601 time, `now`, or relative to now: -15m, -1h, -7d."
_STEPS = (1, 2, 5, 10, 15, 30, 60, 300, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400)


def parse_time(text: str, now_ns: int, *, param: str) -> int:
    """Unix nanoseconds, none before 1970 and none that 64 bits do not hold."""
    found = _parse(text, now_ns, param=param)
    if not 0 <= found < 2**63:
        raise InvalidRequest(f"`{param}` must lie between 1970 and 2262.", param=param)
    return found


def _parse(text: str, now_ns: int, *, param: str) -> int:
    if text == "now":
        return now_ns
    if found := _RELATIVE.fullmatch(text):
        return max(0, now_ns - int(found[1]) * _SECONDS[found[2]] * 1_000_000_000)
    if text.isdigit() and len(text) <= 15:
        return int(text) * 1_000_000
    try:
        at = datetime.fromisoformat(text)
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1_000_000) * 1000
    except (ValueError, OverflowError):
        raise InvalidRequest(f"`{param}` must be {_DESCRIPTION}", param=param) from None


def window(
    parts: Parts,
    start: Annotated[str, Query(alias="from", description=_DESCRIPTION)] = "-1h",
    end: Annotated[str, Query(alias="to", description=_DESCRIPTION)] = "now",
) -> Window:
    """The window asked for: the last hour where nothing is said."""
    now = parts.clock.now_ns()
    found = Window(parse_time(start, now, param="from"), parse_time(end, now, param="to"))
    if found.end <= found.start:
        raise InvalidRequest("`to` must be later than `from`.", param="to")
    return found


Within = Annotated[Window, Depends(window)]


def step_for(window: Window) -> int:
    """Seconds of a step that gives about 60 of them."""
    wanted = (window.end - window.start) / 60e9
    return next((step for step in _STEPS if step >= wanted), _STEPS[-1])
