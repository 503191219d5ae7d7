"""Progress of downloads on stderr: a bar for people at a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from noria.providers.weights import Progress

WIDTH = 30
EVERY = 5.0
"""Seconds between two lines where stderr is no terminal."""


class WeightsBar:
    """A context manager whose `report` is what `weights.pull` calls."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._drawn = 0.0
        self._shown = False

    def __enter__(self) -> WeightsBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown and self._terminal:
            sys.stderr.write("\n")

    def report(self, progress: Progress) -> None:
        """Draw, at most ten times a second."""
        now = time.monotonic()
        whole = progress.total is not None and progress.done >= progress.total
        if now - self._drawn < (0.1 if self._terminal else EVERY) and not whole:
            return
        self._drawn = now
        self._shown = True
        before, after = ("\r", "") if self._terminal else ("", "\n")
        sys.stderr.write(before + _line(progress) + after)
        sys.stderr.flush()


def _line(progress: Progress) -> str:
    done = progress.done / 1e6
    if not progress.total:
        return f"{progress.what}: {done:.1f} MB"
    share = progress.done / progress.total
    filled = int(share * WIDTH)
    bar = "#" * filled + "." * (WIDTH - filled)
    return f"{progress.what}: [{bar}] {done:.0f} of {progress.total / 1e6:.0f} MB"
