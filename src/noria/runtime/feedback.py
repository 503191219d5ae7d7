"""Feedback in the control process: about traces that are there, and as a term of their filters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import ColumnElement

from noria.access.role import Principal
from noria.core.clock import Clock
from noria.errors import InvalidRequest, NotFound, RequestError
from noria.feedback.feedback import Feedback
from noria.feedback.giving import Draft, Feedbacks
from noria.storage.feedback import FeedbackTable
from noria.storage.feedback_where import condition
from noria.tracing.filters import Filter, Term
from noria.tracing.store import SpanReader

MOST_TRACES = 20_000
"""Traces that a filter on feedback can name; more are refused, and never cut off silently."""


class Given(msgspec.Struct, frozen=True):
    """What became of one of a batch: exactly one of the two is there."""

    feedback: Feedback | None = None
    refused: RequestError | None = None


class FeedbackDesk(Feedbacks):
    """Feedbacks beside the spans."""

    def __init__(self, table: FeedbackTable, spans: Callable[[], SpanReader], clock: Clock) -> None:
        super().__init__(table, clock)
        self.table = table
        self._spans = spans

    def give_known(self, project: str, draft: Draft, *, by: Principal) -> Feedback:
        """As `give`. Raises NotFound where the project has no such trace."""
        if draft.trace and not self.seen(project, draft.trace):
            raise NotFound(f"There is no trace {draft.trace} in project {project!r}.", param="trace")
        return self.give(project, draft, by=by)

    def give_all(self, project: str, drafts: Sequence[Draft], *, by: Principal) -> list[Given]:
        """One by one, in order: what cannot be kept is told and the rest goes on."""
        found: list[Given] = []
        for draft in drafts:
            try:
                found.append(Given(self.give(project, draft, by=by)))
            except RequestError as error:
                found.append(Given(refused=error))
        return found

    def seen(self, project: str, trace: str) -> bool:
        """Whether the trace is recorded already."""
        try:
            return self._spans().trace(project, bytes.fromhex(trace)) is not None
        except ValueError:
            raise InvalidRequest("`trace` is 32 lower-case hexadecimal digits.", param="trace") from None

    def resolve(self, project: str, filter: Filter) -> Filter:
        """`filter` with every term on feedback knowing the traces that it stands for."""
        if not any(_on_feedback(term) for term in filter.terms):
            return filter
        return Filter(tuple(self._resolved(project, term) for term in filter.terms))

    def _resolved(self, project: str, term: Term) -> Term:
        if not _on_feedback(term):
            return term
        chosen: list[ColumnElement[bool]] = [] if term.field == "has" else condition(term)
        found = self.table.traces(project, chosen, limit=MOST_TRACES + 1)
        if len(found) > MOST_TRACES:
            raise InvalidRequest(
                f"More than {MOST_TRACES:,} traces have such feedback; say more than `{term.render()}`.",
                param="filter",
            )
        return msgspec.structs.replace(term, traces=tuple(found))


def _on_feedback(term: Term) -> bool:
    named = term.field == "feedback" or term.field.startswith("feedback.")
    return named or (term.field == "has" and "feedback" in term.values)
