"""Which spans a trace's duration waited for.

From the end of a span backwards, the child that ended last is what was waited for; before that child's start,
the next one that had ended by then, and so on, within each child alike. Source: the last-returning-child rule
of Zhang et al., CRISP, USENIX ATC 2022, section 3.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol


class Timed(Protocol):
    """Times in nanoseconds."""

    @property
    def span_id(self) -> bytes: ...
    @property
    def parent_id(self) -> bytes | None: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


def critical_path(spans: Iterable[Timed]) -> set[bytes]:
    """Ids of the spans on the path; several roots are walked as children of the trace itself."""
    spans = list(spans)
    ids = {span.span_id for span in spans}
    children: dict[bytes | None, list[Timed]] = defaultdict(list)
    for span in spans:
        children[span.parent_id if span.parent_id in ids else None].append(span)
    found: set[bytes] = set()
    until = max((span.end for span in spans), default=0)
    stack: list[tuple[bytes | None, int]] = [(None, until)]
    while stack:
        parent, limit = stack.pop()
        clock = limit
        for child in sorted(children.pop(parent, ()), key=lambda span: span.end, reverse=True):
            # A child that runs on after its parent was not waited for to its end, only until the parent's.
            end = min(child.end, limit) if child.start < limit else child.end
            if end <= clock and child.span_id not in found:
                found.add(child.span_id)
                stack.append((child.span_id, end))
                clock = child.start
    return found
