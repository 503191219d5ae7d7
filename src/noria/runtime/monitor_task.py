"""The child process that judges live calls: `python -m noria.runtime.monitor_task`, its Work on stdin.

It follows the spans for every monitor that has scorers, and dies with its parent: when the rest of stdin
ends, so does it. The next one goes on where the rows in noria.db say.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import apsw
import msgspec

from noria.client import AsyncNoria
from noria.core.clock import SystemClock
from noria.errors import NoriaError
from noria.monitoring.monitor import OWN_TEAM, Monitor
from noria.providers.secrets import required_vault
from noria.runtime.child import hold, log_to_stderr
from noria.runtime.judge_prompts import judge_prompts
from noria.runtime.monitor_follow import WIDTH, Follower
from noria.runtime.own_calls import own_client
from noria.runtime.sealing import open_database
from noria.scoring.calls import Calls
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.home import Home
from noria.storage.monitors import MonitorTable
from noria.storage.prompts import PromptTable
from noria.storage.spans import SpanStore
from noria.storage.spans.watched import WatchedSpans

POLL = 0.5
"""Seconds between two looks at spans that have not changed."""
PAUSES = (1.0, 30.0)
"""Seconds after a failure: the first, and the longest."""
NICE = 10
"""Calls that are answered come before calls that are judged."""
_log = logging.getLogger("noria.monitors")


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What the process is told."""

    home: str
    sealed: bool
    """Whether payloads are encrypted, under the key of the environment."""
    monitors: tuple[Monitor, ...]


class Follow:
    """All monitors over one home."""

    def __init__(self, work: Work, database: Database) -> None:
        self._home = Home(Path(work.home))
        self._database = database
        self._clock = SystemClock()
        self._store = MonitorTable(database)
        cipher = required_vault(os.environ) if work.sealed else None
        self._watched = WatchedSpans(self._home.spans, cipher=cipher)
        self._spans = SpanStore(self._home.spans, cipher=cipher)
        self._clients: dict[str, AsyncNoria] = {}

    async def follow(self, monitor: Monitor) -> None:
        """For ever: what fails is noted where people see it, and tried again."""
        follower: Follower | None = None
        pause, noted = PAUSES[0], ""
        while True:
            try:
                if follower is None:
                    follower = Follower(
                        monitor, store=self._store, watched=self._watched, spans=self._spans,
                        calls=self._calls_of(monitor.project), clock=self._clock,
                    )  # fmt: skip
                busy = await follower.round()
                if noted:
                    await asyncio.to_thread(self._store.note, monitor, "")
                pause, noted = PAUSES[0], ""
                await asyncio.sleep(0 if busy else POLL)
                continue
            except (NoriaError, apsw.Error, OSError) as error:
                problem = str(error)
            except Exception as error:  # A boundary: one monitor that fails must not end the others.
                _log.exception("Monitor %s failed", monitor.name)
                problem = f"{type(error).__name__}: {error}"
            if problem != noted:
                _log.warning("Monitor %s waits: %s", monitor.name, problem)
                await self._note(monitor, problem)
            follower, noted = None, problem
            await asyncio.sleep(pause)
            pause = min(pause * 2, PAUSES[1])

    async def _note(self, monitor: Monitor, problem: str) -> None:
        try:
            await asyncio.to_thread(self._store.note, monitor, problem)
        except NoriaError as error:
            _log.warning("That monitor %s waits cannot be kept: %s", monitor.name, error)

    def _calls_of(self, project: str) -> Callable[[], Calls]:
        """Made where a scorer asks models. The function raises Unreachable while no gateway runs."""

        def calls() -> Calls:
            if project not in self._clients:
                self._clients[project] = own_client(
                    self._home, project=project, by="monitors", by_name="monitors", team=OWN_TEAM,
                    width=WIDTH * 4,
                )  # fmt: skip
            client = self._clients[project]
            prompts = PromptTable(self._database, AuditLog(self._database, self._clock), self._clock)
            return Calls(chat=client, embedder=client, prompt=judge_prompts(prompts, project))

        return calls


async def _follow(work: Work, database: Database) -> None:
    follow = Follow(work, database)
    await asyncio.gather(*(follow.follow(monitor) for monitor in work.monitors))


def main() -> None:
    """Until stdin ends."""
    log_to_stderr("monitors")
    line = sys.stdin.buffer.readline()
    work = msgspec.json.decode(line, type=Work)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    os.nice(NICE)
    try:
        # One that was left by a killed control ends by itself; two would judge the same calls.
        hold(Home(Path(work.home)), "monitors")
        asyncio.run(_follow(work, open_database(Home(Path(work.home)))))
    except NoriaError as error:
        print(f"noria: monitors: {error}", file=sys.stderr)
        sys.stderr.flush()
        os._exit(2)


def _die_with_parent() -> None:
    for _ in sys.stdin.buffer:
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
