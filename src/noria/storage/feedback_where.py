"""A filter's term on feedback as conditions in SQL: `feedback:down`, `feedback.helpful>=0.5`."""

from __future__ import annotations

import operator

from sqlalchemy import ColumnElement, or_

from noria.storage.tables import feedback as table
from noria.tracing.filters import Term

_COMPARE = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


def condition(term: Term) -> list[ColumnElement[bool]]:
    """What a feedback must be for its trace to be meant."""
    found: list[ColumnElement[bool]] = []
    name = term.field.partition(".")[2]
    if name:
        found.append(table.c.name == name)
    if term.op == ":":
        found.append(or_(*(_equal(value) for value in term.values)))
    else:
        found.append(_COMPARE[term.op](table.c.number, term.number()))
    return found


def _equal(value: str) -> ColumnElement[bool]:
    """A word, a kind, or a number."""
    if value == "*":
        return table.c.id != ""
    try:
        return or_(table.c.word == value, table.c.number == float(value))
    except ValueError:
        pattern = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")
        word = table.c.word.like(pattern, escape="\\") if "*" in value else table.c.word == value
        return or_(word, table.c.kind == value)
