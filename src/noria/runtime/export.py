"""One export: reads the span store and sends what is new on to a receiver, from a thread of the collector.

What it reads is committed already, and where it stands is kept in a file of its own: a receiver that is down
holds up nobody, and gets what it missed when it is back, as far as retention has kept it. A death between
the receiver's word and the file's commit sends one batch again.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from random import Random

import apsw
import msgspec

from noria.core.clock import Clock, SystemClock
from noria.errors import ConfigError, StateError
from noria.exporters import Posted, Poster, Target, encode
from noria.providers.secrets import read_secret
from noria.storage.exports import Exports
from noria.storage.home import Home
from noria.storage.spans import day_of
from noria.storage.spans.news import DayNews, Mark, News
from noria.tracing.span import Span
from noria.tracing.store import Cipher

POLL = 0.5
"""Seconds between two looks at the days that still grow."""
GROWING = timedelta(days=1)
"""Yesterday's file grows until yesterday's spools are drained."""
OLD_POLL = 60.0
"""Seconds between two looks at older days, which a receiver may have missed."""
MAX_SPANS = 512
"""Of one request, unless one trace brings more."""
MAX_TRACES = 256
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds of backoff; it doubles, with jitter, and is never shorter than Retry-After."""
GOODBYE = 3.0
"""Seconds that a request in hand is given when the collector stops."""
_log = logging.getLogger("noria.export")


class Stand(msgspec.Struct, frozen=True):
    """How an export does."""

    name: str
    sent: int
    """Spans taken by the receiver since the start."""
    rejected: int
    """Spans that the receiver does not want, or that cannot be read."""
    problem: str
    """What keeps it from sending, in a sentence; "": nothing."""


class Batch(msgspec.Struct):
    """What goes into one request, and what to note down when it has arrived."""

    day: date
    position: int
    spans: list[Span]
    sent: dict[int, int]


class Exporter:
    """`start` and `stop` from any thread; starts with what comes from now on, and then never misses any."""

    def __init__(
        self,
        home: Home,
        target: Target,
        *,
        cipher: Cipher | None = None,
        clock: Clock | None = None,
        environment: Mapping[str, str] | None = None,
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        self.target = target
        self._clock = clock or SystemClock()
        self._first_pause = first_pause
        self._environment = os.environ if environment is None else environment
        self._poster: Poster | None = None
        self._news = News(home.spans, cipher=cipher)
        self._path = home.folder / "exports" / f"{target.name}.db"
        self._stopping = threading.Event()
        self._random = Random()
        self._looked_at_old = 0.0
        self._sent = self._rejected = 0
        self._problem = ""
        self._exports = Exports(self._path)
        self._begin()
        self._thread = threading.Thread(target=self._run, name=f"export-{target.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when the request in hand is over, or soon after; what it carries is then sent again."""
        self._stopping.set()
        self._thread.join(GOODBYE)

    def stand(self) -> Stand:
        return Stand(self.target.name, self._sent, self._rejected, self._problem)

    def _begin(self) -> None:
        positions = {news.day: news.newest() for news in self._news.days()}
        today = day_of(self._clock.now_ns())
        self._exports.begin({today: 0, **positions})

    def _run(self) -> None:
        pause = self._first_pause
        while not self._stopping.is_set():
            try:
                busy = self._round()
                pause = self._first_pause
                if not busy:
                    self._stopping.wait(POLL)
            except _Later as later:
                self._note(later.posted.reason)
                wait = max(pause * self._random.uniform(0.5, 1.0), later.posted.retry_after or 0.0)
                self._stopping.wait(wait)
                pause = min(pause * 2, LONGEST_PAUSE)
            except (StateError, ConfigError, apsw.Error, OSError) as error:
                self._note(str(error))
                self._stopping.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            except Exception as error:  # A boundary: an export that fails must end neither itself nor others.
                _log.exception("Export %s failed", self.target.name)
                self._note(f"{type(error).__name__}: {error}")
                self._stopping.wait(LONGEST_PAUSE)
        self._disconnect()
        self._exports.close()

    def _round(self) -> bool:
        """Send at most one batch of each day; whether there was anything."""
        now = self._clock.monotonic_ns() / 1e9
        old_too = now - self._looked_at_old > OLD_POLL
        growing = day_of(self._clock.now_ns()) - GROWING
        busy = False
        for news in self._news.days():
            if news.day < growing and not old_too:
                continue
            batch = self._batch(news)
            if batch is not None:
                self._send(batch)
                busy = True
            elif news.day < growing:
                self._exports.forget(news.day)
            if self._stopping.is_set():
                return False
        if old_too and not busy:
            self._looked_at_old = now
        return busy

    def _batch(self, news: DayNews) -> Batch | None:
        position = self._exports.position(news.day)
        marks = news.changed(position, limit=MAX_TRACES)
        if not marks:
            if position > (newest := news.newest()):  # A backup lies there now.
                self._exports.forget(news.day)
                self._exports.passed(news.day, newest, {})
            return None
        known = self._exports.sent(news.day, [mark.seq for mark in marks])
        batch = Batch(news.day, position, [], {})
        for mark in marks:
            self._add(batch, news, mark, skip=known.get(mark.seq, 0))
            if len(batch.spans) >= MAX_SPANS:
                break
        return batch

    def _add(self, batch: Batch, news: DayNews, mark: Mark, *, skip: int) -> None:
        changed = news.spans(mark, skip=skip)
        batch.position = mark.position
        batch.spans += changed.spans
        batch.sent[mark.seq] = changed.count

    def _send(self, batch: Batch) -> None:
        """Returns when the receiver has had its say. Raises _Later where it could not."""
        if batch.spans:
            self._post(batch.spans)
        self._exports.passed(batch.day, batch.position, batch.sent)

    def _post(self, spans: list[Span]) -> None:
        body = encode(spans, payloads=self.target.payloads)
        posted = self._connected().post(body, count=len(spans))
        if posted.later:
            self._disconnect()  # So that a secret or certificate that is set right meanwhile is read.
            raise _Later(posted)
        if posted.too_large and len(spans) > 1:
            middle = len(spans) // 2
            self._post(spans[:middle])
            self._post(spans[middle:])
            return
        self._problem = ""
        self._sent += len(spans) - posted.rejected
        self._rejected += posted.rejected
        if posted.rejected:
            _log.warning(
                "Export %s: %d of %d spans are refused: %s",
                self.target.name, posted.rejected, len(spans), posted.reason,
            )  # fmt: skip

    def _connected(self) -> Poster:
        """Raises ConfigError where a header's secret or the `ca_file` cannot be read."""
        if self._poster is None:
            headers = {
                name: read_secret(reference, base=None, environment=self._environment)
                for name, reference in self.target.headers.items()
            }
            self._poster = Poster(self.target, headers=headers)
        return self._poster

    def _disconnect(self) -> None:
        if self._poster is not None:
            self._poster.close()
            self._poster = None

    def _note(self, problem: str) -> None:
        """Once in the log, however often it is tried."""
        if problem != self._problem:
            _log.warning("Export %s waits: %s", self.target.name, problem)
        self._problem = problem


def exporters(home: Home, options: Sequence[str], *, cipher: Cipher | None = None) -> list[Exporter]:
    """Those that the collector's `--export` options name, not yet started."""
    return [Exporter(home, msgspec.json.decode(option, type=Target), cipher=cipher) for option in options]


class _Later(Exception):
    """The receiver took nothing and may be asked again."""

    def __init__(self, posted: Posted) -> None:
        super().__init__(posted.reason)
        self.posted = posted
