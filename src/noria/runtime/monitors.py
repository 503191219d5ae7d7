"""Monitors as control offers them: what stands, who is told, and the threads and the child that do the work.

Rules are read in one thread and alerts sent in another; scorers run in a child process. All that matters is
in noria.db: a control that is killed goes on where the rows say.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from noria.access.audit import Act
from noria.access.role import Principal
from noria.config.config import Config
from noria.config.mistake import nearest
from noria.config.monitor_rules import monitor_of
from noria.core.clock import Clock
from noria.core.ids import new_id
from noria.core.pages import Page
from noria.errors import ConfigError, Conflict, InvalidRequest, NoriaError, NotFound
from noria.monitoring.alert import Alert, Delivery, Event, RuleState
from noria.monitoring.monitor import Monitor
from noria.monitoring.rule import Reading, Rule
from noria.monitoring.score import Why
from noria.runtime.monitor_measure import Readings
from noria.runtime.monitor_watch import Watch
from noria.runtime.monitor_why import why
from noria.storage.alerts import KEPT, AlertTable
from noria.storage.home import Home
from noria.storage.monitors import MonitorRecord, MonitorTable
from noria.storage.spans.watched import WatchedSpans
from noria.tracing.store import SpanReader

LOOK = 1.0
"""Seconds between two looks at what is due."""
PRUNE = 3600.0
RESTART = (1.0, 60.0)
"""Seconds before a child that died is begun again: the first, and the longest."""
MOST_STEPS = 500
LONGEST_MUTE = 30 * 86_400_000
"""Milliseconds."""
DAY_MS = 86_400_000
_log = logging.getLogger("noria.monitors")


class Monitors:
    """All that the API offers of monitors and alerts."""

    def __init__(
        self,
        table: MonitorTable,
        alerts: AlertTable,
        clock: Clock,
        *,
        home: Home,
        folder: Path,
        config: Callable[[], Config | None],
        spans: Callable[[], SpanReader],
        watched: Callable[[], WatchedSpans],
        address: Callable[[], str],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`folder` is noria.toml's; `config` is None where nothing has been applied; `environment` is what
        the child is told beside this process's own."""
        self.table = table
        self._alerts = alerts
        self._clock = clock
        self._home = home
        self._folder = folder
        self._config = config
        self._spans = spans
        self._watched = watched
        self._environment = dict(environment or {})
        self.watch = Watch(table, alerts, spans=spans, clock=clock, address=address)
        self._keeper: Keeper | None = None

    # The work.

    def start(self) -> None:
        """Begin to look, to judge and to send."""
        from noria.runtime.monitor_send import Sender, SendLoop

        sender = Sender(self._alerts, self._clock, config=self._config, folder=self._folder)
        self._keeper = Keeper(self, SendLoop(sender))
        self._keeper.start()

    def close(self) -> None:
        if self._keeper is not None:
            self._keeper.stop()
            self._keeper = None

    def sync(self) -> list[Monitor]:
        """Bring the rows to what noria.toml says; what it says."""
        wanted = self.wanted()
        known = [record.monitor for record in self.table.all()]
        if sorted(wanted, key=_key) != known:
            # A monitor that is new begins with what comes from now on.
            self.table.sync(wanted, positions=self._watched().newest(), now_ms=self._now())
        return wanted

    def wanted(self) -> list[Monitor]:
        """As configured; one whose names are not to be found any more is left out, and logged."""
        config = self._config()
        found: list[Monitor] = []
        if config is None:
            return found
        for name, section in config.monitors.items():
            try:
                found.append(monitor_of(name, section, config))
            except ConfigError as error:
                _log.warning("[monitors.%s] %s", name, error)
        return found

    def child_work(self, monitors: list[Monitor]) -> bytes:
        """What the child process is told; b"": there is nothing to judge."""
        from noria.runtime.monitor_task import Work

        config = self._config()
        scoring = tuple(one for one in monitors if one.scorers)
        if not scoring or config is None:
            return b""
        sealed = config.encryption.payloads
        return msgspec.json.encode(Work(home=str(self._home.folder), sealed=sealed, monitors=scoring))

    def child(self, work: bytes) -> subprocess.Popen[bytes]:
        """The process that judges; it ends when its stdin does."""
        process = subprocess.Popen(
            [sys.executable, "-m", "noria.runtime.monitor_task"],
            stdin=subprocess.PIPE,
            env={**os.environ, **self._environment},
        )
        assert process.stdin is not None, "it is a pipe"
        process.stdin.write(work + b"\n")
        process.stdin.flush()
        return process

    def prune(self) -> None:
        """Scores go with the spans that they are of, events and alerts after ninety days."""
        config, now = self._config(), self._now()
        days = 0 if config is None else config.telemetry.retention.days
        if days:
            self.table.prune(now - days * DAY_MS)
        self._alerts.prune(now - KEPT)

    def erase(self, project: str, traces: list[str]) -> None:
        """Delete what was made of these traces."""
        self.table.erase(project, traces)

    # What stands.

    def all(self, project: str) -> list[MonitorRecord]:
        """By name."""
        return self.table.all(project)

    def one(self, project: str, name: str) -> MonitorRecord:
        """Raises NotFound with the nearest name."""
        found = self.table.get(project, name)
        if found is None:
            known = [record.monitor.name for record in self.table.all(project)]
            raise NotFound(f"There is no monitor {name!r} in project {project!r}{nearest(name, known)}")
        return found

    def problem(self, record: MonitorRecord) -> str:
        """What keeps a monitor from its work; "": nothing."""
        monitor = record.monitor
        return record.problem or self.watch.problems.get((monitor.project, monitor.name), "")

    def states(self, project: str) -> dict[tuple[str, str], RuleState]:
        """By monitor and rule; a rule that was not read yet is not there."""
        return {(one.monitor, one.rule): one for one in self._alerts.states(project)}

    def every_state(self) -> list[RuleState]:
        """Of all projects."""
        return self._alerts.states()

    def open_alerts(self) -> dict[str, int]:
        """How many, by project."""
        return self._alerts.counts()

    def outcomes(self, project: str) -> dict[str, dict[str, int]]:
        """By monitor: how the scores of the last 24 hours came out."""
        return self.table.outcomes(project, since_ms=self._now() - DAY_MS)

    def behind(self, record: MonitorRecord) -> int:
        """Traces that it has not looked at."""
        watched = self._watched()
        if not record.monitor.scorers:
            return 0
        return sum(
            watched.behind(record.monitor.project, day, record.positions.get(day, 0))
            for day in watched.days()
        )

    def rule(self, record: MonitorRecord, name: str) -> Rule:
        """Raises NotFound."""
        found = record.monitor.rule(name)
        if found is None:
            known = [rule.name for rule in record.monitor.rules]
            raise NotFound(f"The monitor {record.monitor.name!r} has no rule {name!r}{nearest(name, known)}")
        return found

    def series(
        self, record: MonitorRecord, rule: Rule, *, start_ms: int, end_ms: int, step_s: int
    ) -> list[Reading]:
        """Raises InvalidRequest for a window without steps, or with too many."""
        if step_s < 1 or end_ms <= start_ms or (end_ms - start_ms) / 1000 / step_s > MOST_STEPS:
            raise InvalidRequest(
                f"A window ends after it starts and has at most {MOST_STEPS} steps; make `step` longer.",
                param="step",
            )
        readings = Readings(self._spans, self.table)
        return readings.series(record.monitor, rule, start_ms=start_ms, end_ms=end_ms, step_s=step_s)

    def why(self, project: str, trace: str, *, monitor: str = "") -> list[Why]:
        """What each monitor, or one, made of the calls of a trace, and why it made nothing."""
        return why(self.table, self._watched(), project, trace, monitor=monitor)

    def events(
        self, project: str, *, monitor: str = "", cursor: str | None = None, limit: int = 50
    ) -> Page[Event]:
        return self._alerts.events(project, monitor=monitor, cursor=cursor, limit=limit)

    def alerts(
        self,
        project: str,
        *,
        open: bool | None = None,
        monitor: str = "",
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Alert]:
        return self._alerts.alerts(project, open=open, monitor=monitor, cursor=cursor, limit=limit)

    def alert(self, project: str, id: str) -> tuple[Alert, list[Delivery]]:
        """Raises NotFound."""
        found = self._alerts.alert(project, id)
        if found is None:
            raise NotFound(f"There is no alert {id} in project {project!r}; see `noria alert list`.")
        return found, self._alerts.deliveries(project, id)

    # What people do.

    def acknowledge(self, project: str, id: str, *, comment: str, by: Principal) -> Alert:
        """Somebody looks after it. Raises NotFound, Conflict."""
        found, _ = self.alert(project, id)
        taken = msgspec.structs.replace(
            found,
            acknowledged_ms=self._now(),
            acknowledged_by=by.id,
            acknowledged_name=by.name,
            comment=comment,
        )
        details = {"monitor": found.monitor, "rule": found.rule}
        act = Act(by=by, act="alert.acknowledge", subject=id, project=project, details=details)
        return self._alerts.acknowledge(taken, act)

    def mute(self, project: str, monitor: str, rule: str, *, until_ms: int, by: Principal) -> RuleState:
        """Tell nobody until then; 0 or a time that is over: tell again. Raises NotFound, InvalidRequest."""
        now = self._now()
        if until_ms > now + LONGEST_MUTE:
            raise InvalidRequest("A rule can be muted for 30 days at most.", param="until_ms")
        record = self.one(project, monitor)
        self.rule(record, rule)
        until = until_ms if until_ms > now else 0
        details = {"rule": rule, "until_ms": until}
        act = Act(by=by, act="monitor.mute", subject=monitor, project=project, details=details)
        return self._alerts.mute(project, monitor, rule, until, act)

    def channels(self) -> dict[str, str]:
        """Those of noria.toml, by name: "webhook" or "email"."""
        config = self._config()
        found = {} if config is None else config.channels
        return {name: "webhook" if one.email is None else "email" for name, one in sorted(found.items())}

    def test(self, project: str, channel: str, *, by: Principal) -> Delivery:
        """Send a message that says it is a test; it is tried once. Raises NotFound, Conflict."""
        known = self.channels()
        if channel not in known:
            raise NotFound(f"noria.toml has no [channels.{channel}]{nearest(channel, known)}")
        if self._keeper is None:
            raise Conflict("Nothing is sent by this process.")
        now = self._now()
        text = f"{by.name} tests the channel {channel} of Noria."
        body = {"type": "noria.test", "project": project, "at_ms": now, "text": text}
        delivery = Delivery(
            id=new_id("dlv"), project=project, alert="", channel=channel, next_ms=now, created_ms=now,
            body=msgspec.json.encode(body).decode(),
        )  # fmt: skip
        self._alerts.add_delivery(delivery, Act(by=by, act="channel.test", subject=channel, project=project))
        return delivery

    def delivery(self, project: str, id: str) -> Delivery:
        """Raises NotFound."""
        found = self._alerts.delivery(project, id)
        if found is None:
            raise NotFound(f"There is no delivery {id} in project {project!r}.")
        return found

    def _now(self) -> int:
        return self._clock.now_ns() // 1_000_000


class Sending(Protocol):
    """What Keeper needs of a send loop: `monitor_send.SendLoop` is imported only where work begins."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Keeper:
    """The thread that keeps rows, child and rules up to date."""

    def __init__(self, monitors: Monitors, sending: Sending) -> None:
        self._monitors = monitors
        self._sending = sending
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="monitors", daemon=True)
        self._child: subprocess.Popen[bytes] | None = None
        self._work = b""
        self._begun = 0.0
        self._pause = RESTART[0]
        self._pruned = time.monotonic()
        self._said = ""

    def start(self) -> None:
        self._sending.start()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(10.0)
        self._sending.stop()
        self._end_child()

    def _run(self) -> None:
        # At once: a monitor that is new looks at what comes from its first round on.
        while not self._stopping.is_set():
            try:
                self._round()
                self._said = ""
            except NoriaError as error:
                # Such as a database that is busy: once in the log, and tried again.
                if str(error) != self._said:
                    _log.warning("Monitors wait: %s", error)
                self._said = str(error)
            except Exception:  # A boundary: the thread goes on.
                _log.exception("A round of the monitors failed")
            self._stopping.wait(LOOK)

    def _round(self) -> None:
        wanted = self._monitors.sync()
        self._keep_child(self._monitors.child_work(wanted))
        if wanted:
            self._monitors.watch.round()
        if time.monotonic() - self._pruned > PRUNE:
            self._pruned = time.monotonic()
            self._monitors.prune()

    def _keep_child(self, work: bytes) -> None:
        now = time.monotonic()
        if work != self._work:
            self._end_child()
            self._work, self._pause = work, RESTART[0]
        elif self._child is not None and self._child.poll() is not None:
            _log.warning("The process that judges ended with status %s", self._child.returncode)
            lasted = now - self._begun > RESTART[1]
            self._pause = RESTART[0] if lasted else min(self._pause * 2, RESTART[1])
            self._child, self._begun = None, now
        if work and self._child is None and now - self._begun >= self._pause:
            self._begun = now
            self._child = self._monitors.child(work)

    def _end_child(self) -> None:
        if self._child is None:
            return
        self._child.terminate()
        try:
            self._child.wait(5.0)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._child, self._begun = None, 0.0


def _key(monitor: Monitor) -> tuple[str, str]:
    return monitor.project, monitor.name
