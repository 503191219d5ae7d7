"""What a run of spool records comes to: spans, stored answers, and changes to the books."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from noria.errors import InvalidRequest
from noria.runtime.tail import Run
from noria.storage.ledger import Change, Entry, Pending, settled_with
from noria.storage.spans.day import Applied
from noria.tracing import otlp_json, otlp_protobuf
from noria.tracing.assemble import Owner, attempt_span, call_span, owner_of
from noria.tracing.otlp import PriceOf, Received, Sender
from noria.tracing.record import Begin, End, Otlp, Reservation, Stored
from noria.tracing.span import Span
from noria.tracing.totals import Role

BeginOf = Callable[[bytes], Begin | None]
"""The first Begin of a call that has not ended, by the call's span id."""
NOBODY = Owner("default", "", "", "", "")


class Derived(msgspec.Struct):
    """Of one or more runs of records."""

    spans: list[Span] = []
    stored: list[Stored] = []
    change: Change = msgspec.field(default_factory=Change)
    reservations: dict[bytes, tuple[Reservation, ...]] = {}
    """By span id of the attempt."""
    rejected: int = 0
    """Of OTLP records: what could not be kept."""

    def add(self, run: Run, *, begin_of: BeginOf, price_of: PriceOf) -> None:
        """Take in records that follow one another."""
        begun: dict[bytes, Begin] = {}
        for record in run.batch.records:
            if isinstance(record, End):
                self._end(record, begun, begin_of)
            elif isinstance(record, Begin):
                begun.setdefault(record.root, record)
                self.change.begun.append(Pending(record, *run.key, run.process))
            elif isinstance(record, Stored):
                self.stored.append(record)
            else:
                received = received_of(record, price_of)
                self.spans += received.spans
                self.rejected += received.rejected

    def _end(self, record: End, begun: dict[bytes, Begin], begin_of: BeginOf) -> None:
        call = record.call
        if call is not None:
            self.spans.append(call_span(call))
            self.change.finished.append(record.root)
        if not record.attempts:
            return
        source = call or begun.get(record.root) or begin_of(record.root)
        owner = owner_of(source) if source is not None else NOBODY
        for attempt in record.attempts:
            self.spans.append(attempt_span(attempt, trace=record.trace, root=record.root, owner=owner))
            if attempt.reservations:
                self.reservations[attempt.span] = attempt.reservations
            if call is None:
                self.change.ended.append(attempt.span)

    def book(self, applied: Applied) -> None:
        """Enter what the spans turned out to count for."""
        for counted in applied.counted:
            span = counted.span
            of_gateway = span.source == "gateway"
            if counted.role is Role.ATTEMPT or (
                counted.role is Role.CALL and (not of_gateway or not span.attempts)
            ):
                held = self.reservations.get(span.span_id, ())
                self.change.entries.append(Entry(span, held, settled_with(span, held) if held else 0))
        self.change.covered += [(trace, span) for _, trace, span in applied.covered]


def received_of(record: Otlp, price_of: PriceOf) -> Received:
    """What an export request that was spooled held; one that cannot be read counts as one rejected."""
    sender = Sender(project=record.project, key=record.key)
    try:
        if record.signal == "logs":
            read = otlp_json.logs if record.json else otlp_protobuf.logs
            return read(record.body, sender)
        decode = otlp_json.traces if record.json else otlp_protobuf.traces
        return decode(record.body, sender, price_of)
    except InvalidRequest as error:
        return Received(rejected=1, reasons=[error.message])
