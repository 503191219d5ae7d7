"""What changed in a span of time, to be marked on time charts: configuration versions, moves of labels."""

from __future__ import annotations

from collections.abc import Iterator

from noria.access.audit import AuditEvent
from noria.runtime.versions import Versions
from noria.storage.audit import AuditLog
from noria.tracing.store import Mark, Window

MOST = 500
"""Marks of label moves; a chart with more could not be read."""


def changes(versions: Versions, audit: AuditLog, project: str, window: Window) -> list[Mark]:
    """Oldest first."""
    found = [*versions.marks(window), *(_mark(event) for event in _moves(audit, project, window))]
    return sorted(found, key=lambda mark: mark.at_ms)


def _moves(audit: AuditLog, project: str, window: Window) -> Iterator[AuditEvent]:
    start, end = window.start // 1_000_000, window.end // 1_000_000
    cursor, left = None, MOST
    while True:
        page = audit.page(act="prompt.label.", cursor=cursor, limit=MOST)
        for event in page.items:
            if event.at_ms < start or not left:
                return
            if event.project == project and event.at_ms < end:
                left -= 1
                yield event
        cursor = page.next
        if cursor is None:
            return


def _mark(event: AuditEvent) -> Mark:
    details = event.details
    where = f"version {details['to']}" if details.get("to") else "nowhere"
    label = f"{event.subject}: {details.get('label', '')} to {where}"
    return Mark(at_ms=event.at_ms, kind="label", label=label, ref=event.subject)
