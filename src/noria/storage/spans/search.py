"""Which traces match: a Filter over one day's file."""

from __future__ import annotations

from noria.errors import InvalidRequest
from noria.storage.spans.days import DayReader
from noria.storage.spans.schema import SPAN_BITS
from noria.storage.spans.where import Columns, Condition, conditions, word_query
from noria.storage.sqlite import rows, value
from noria.tracing.filters import Filter
from noria.tracing.words import words

FEW = 20_000
"""Hits up to which it is quicker to fetch them all than to walk and look each up."""


class Search:
    """The conditions of a filter, as far as SQL can say them, and what is left to verify on the texts."""

    def __init__(self, reader: DayReader, filter: Filter, columns: Columns, *, sealed: bool) -> None:
        """`sealed`: payloads are encrypted, so that there is no word index."""
        self._reader = reader
        self.conditions = conditions(filter, columns)
        self.selective = any(
            term.field in ("user", "session", "trace", "feedback")
            or term.field.startswith("feedback.")
            or term.values == ("error",)
            for term in filter.terms
            if not term.negated
        )
        """Whether a term has an index of its own that leaves few rows."""
        self.few = False
        """Whether the word index narrows it down to few traces."""
        self._phrases: list[tuple[str, str, bool]] = []
        if sealed and filter.texts:
            raise InvalidRequest(
                "Texts cannot be searched while payloads are encrypted; filter by fields.", param="filter"
            )
        seq = "traces.seq" if columns.on_traces else f"(spans.id >> {SPAN_BITS})"
        for term in filter.texts:
            for text in term.values:
                self._add(text, seq, negated=term.negated)

    @property
    def exact(self) -> bool:
        """Whether SQL alone decides."""
        return not self._phrases

    def verify(self, seq: int) -> bool:
        """Whether the phrases hold in a trace that the conditions let through."""
        return all(self._has(seq, query, phrase) is not negated for phrase, query, negated in self._phrases)

    def _add(self, text: str, seq: str, *, negated: bool) -> None:
        found = word_query(text)
        if found is None:
            raise InvalidRequest(
                f'Nothing in "{text}" can be searched; use letters or digits.', param="filter"
            )
        query, exact = found
        if not exact:
            self._phrases.append((_flat(text.rstrip("*")), query, negated))
        if negated and not exact:
            return
        self.conditions.append(self._condition(query, seq, negated=negated))

    def _condition(self, query: str, seq: str, *, negated: bool) -> Condition:
        hits = "SELECT rowid >> 16 FROM words WHERE words MATCH ?"
        limited = f"SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT {FEW + 1})"
        few = value(self._reader.connection, limited, (query,)) <= FEW
        self.few = self.few or (few and not negated)
        if few or negated:
            return f"{seq} {'NOT ' if negated else ''}IN ({hits})", [query]
        low = f"({seq} << {SPAN_BITS})"
        return (
            "EXISTS (SELECT 1 FROM words WHERE words MATCH ? AND"
            f" rowid BETWEEN {low} AND {low} + {(1 << SPAN_BITS) - 1})",
            [query],
        )

    def _has(self, seq: int, query: str, phrase: str) -> bool:
        low = seq << SPAN_BITS
        ids = rows(
            self._reader.connection,
            "SELECT rowid FROM words WHERE words MATCH ? AND rowid BETWEEN ? AND ?",
            (query, low, low + (1 << SPAN_BITS) - 1),
        )
        for (id,) in ids:
            wide = self._reader.body(id)
            if wide is None:
                continue
            texts = (words(wide.input), words(wide.output), wide.status_message)
            if any(phrase in _flat(text) for text in texts if text):
                return True
        return False


def _flat(text: str) -> str:
    return " ".join(text.casefold().split())
