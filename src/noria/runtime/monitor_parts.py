"""Monitors put together over the stores of control."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

from noria.config.config import Config
from noria.core.clock import Clock
from noria.providers.secrets import required_vault
from noria.runtime.monitors import Monitors
from noria.runtime.sealing import WANTED
from noria.runtime.versions import Versions
from noria.storage.alerts import AlertTable
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.home import Home
from noria.storage.monitors import MonitorTable
from noria.storage.spans.watched import WatchedSpans
from noria.tracing.store import SpanReader


def open_monitors(
    database: Database,
    audit: AuditLog,
    clock: Clock,
    *,
    home: Home,
    folder: Path,
    versions: Versions,
    spans: Callable[[], SpanReader],
    address: Callable[[], str],
) -> Monitors:
    """`folder` is noria.toml's, `address` that of the page."""
    plain = WatchedSpans(home.spans)

    @cache
    def sealed() -> WatchedSpans:
        return WatchedSpans(home.spans, cipher=required_vault(os.environ, base=folder))

    def config() -> Config | None:
        return versions.config() if versions.current() else None

    def watched() -> WatchedSpans:
        running = config()
        return sealed() if running is not None and running.encryption.payloads else plain

    return Monitors(
        MonitorTable(database),
        AlertTable(database, audit),
        clock,
        home=home,
        folder=folder,
        config=config,
        spans=spans,
        watched=watched,
        address=address,
        environment={WANTED: "1" if database.seal.wanted else ""},
    )
