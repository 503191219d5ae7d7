"""A Filter as conditions in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from noria.errors import InvalidRequest
from noria.tracing.filters import Filter, Term
from noria.tracing.histogram import SMALLEST_NS
from noria.tracing.prompt_tag import PROMPT_TAG, prompt_pattern

Condition = tuple[str, list[object]]
Parts = tuple[list[str], list[object]]
TRACE_NAMES = {
    "cache": "cache", "config": "config", "episode": "episode", "error": "error_kind", "key": "key",
    "model": "model", "name": "name", "operation": "operation", "provider": "provider", "route": "route",
    "service": "service", "session": "session", "status": "status", "team": "team", "user": "user",
    "trace": "lower(hex(trace))",
}  # fmt: skip
TRACE_QUANTITIES = {
    "attempts": "attempts", "cost": "cost_pico", "errors": "errors", "first_token": "first_token",
    "http": "http_status", "input_tokens": "input_tokens", "latency": "duration",
    "output_tokens": "output_tokens", "spans": "spans",
    "tokens": "coalesce(input_tokens, 0) + coalesce(output_tokens, 0)",
}  # fmt: skip
TRACE_THINGS = {
    "cost": "cost_pico IS NOT NULL", "error": "errors > 0", "feedback": "feedback > 0",
    "first_token": "first_token IS NOT NULL", "session": "session <> ''", "tags": "tags IS NOT NULL",
    "tokens": "input_tokens IS NOT NULL", "user": "user <> ''",
    "input": "EXISTS (SELECT 1 FROM snippets s WHERE s.seq = traces.seq AND s.input <> '')",
    "output": "EXISTS (SELECT 1 FROM snippets s WHERE s.seq = traces.seq AND s.output <> '')",
}  # fmt: skip
_IN_TRACE = "EXISTS (SELECT 1 FROM traces t WHERE t.seq = spans.id >> 16 AND {})"
CALL_NAMES = {
    **{name: column for name, column in TRACE_NAMES.items() if name != "trace"},
    "model": "CASE target WHEN '' THEN model ELSE substr(target, instr(target, '/') + 1) END",
    "trace": "(SELECT lower(hex(trace)) FROM traces t WHERE t.seq = spans.id >> 16)",
}
CALL_QUANTITIES = {
    **TRACE_QUANTITIES,
    "errors": "(status = 'error')",
    "first_token": "(first_token - start)",
    "latency": '("end" - start)',
    "spans": "(SELECT t.spans FROM traces t WHERE t.seq = spans.id >> 16)",
}
CALL_THINGS = {
    **TRACE_THINGS,
    "error": "status = 'error'",
    "feedback": _IN_TRACE.format("t.feedback > 0"),
    "input": "EXISTS (SELECT 1 FROM snippets s WHERE s.seq = spans.id >> 16 AND s.input <> '')",
    "output": "EXISTS (SELECT 1 FROM snippets s WHERE s.seq = spans.id >> 16 AND s.output <> '')",
}
ROLLUP_NAMES = {"route": "route", "model": "model", "team": "team"}
_SCALES = {"cost": 1e12, "first_token": 1e9, "latency": 1e9}


class Columns:
    """Which SQL stands for which field."""

    def __init__(
        self,
        names: Mapping[str, str],
        quantities: Mapping[str, str],
        things: Mapping[str, str],
        *,
        on_traces: bool = False,
    ) -> None:
        self.on_traces = on_traces
        """Of `traces`; else of `spans`."""
        self.names = names
        self.quantities = quantities
        self.things = things


TRACES = Columns(TRACE_NAMES, TRACE_QUANTITIES, TRACE_THINGS, on_traces=True)
CALLS = Columns(CALL_NAMES, CALL_QUANTITIES, CALL_THINGS)
ROLLUPS = Columns(ROLLUP_NAMES, {}, {})


def conditions(filter: Filter, columns: Columns) -> list[Condition]:
    """One for each term that is not a text."""
    return [_condition(term, columns) for term in filter.terms if term.field != "text"]


def word_query(text: str) -> tuple[str, bool] | None:
    """An FTS5 query that every span holding `text` matches, and whether it is exact; None: it has no word.

    The index knows words and not their order, so of several words a hit is to be verified.
    """
    prefix = text.endswith("*")
    words = "".join(char if char.isalnum() else " " for char in text).split()
    if not words:
        return None
    quoted = [f'"{word}"' for word in words]
    if prefix:
        quoted[-1] += "*"
    return " AND ".join(quoted), len(words) == 1 and text.rstrip("*") == words[0]


def _condition(term: Term, columns: Columns) -> Condition:
    if term.field == "has":
        parts: list[str] = [columns.things[value] for value in term.values]
        values: list[object] = []
        if term.traces:
            _of_traces(term.traces, columns, parts, values)
    elif term.field == "feedback" or term.field.startswith("feedback."):
        parts, values = ["0"], []
        _of_traces(term.traces or (), columns, parts, values)
    elif term.field == "status":  # One of a fixed set; as literals, so that a partial index is found.
        parts, values = [f"status = '{value}'" for value in term.values], []
    elif term.field in columns.quantities:
        parts, values = _quantity(term, columns.quantities[term.field])
    elif term.field == "prompt":
        prompts = msgspec.structs.replace(term, values=tuple(map(prompt_pattern, term.values)))
        parts, values = _text(prompts, "json_extract(tags, ?)", before=[f'$."{PROMPT_TAG}"'])
    elif term.field.startswith("tag."):
        parts, values = _text(term, "json_extract(tags, ?)", before=[f'$."{_json_name(term.field[4:])}"'])
    else:
        parts, values = _text(term, columns.names[term.field], before=[])
    joined = " OR ".join(parts)
    if term.negated:
        return f"NOT coalesce({joined}, 0)", values
    # SQLite takes a partial index only where its condition is said in so many words.
    partial = f" AND {term.field} <> ''" if term.field in ("user", "session") and all(term.values) else ""
    return f"({joined}){partial}", values


def _of_traces(traces: Sequence[str], columns: Columns, parts: list[str], values: list[object]) -> None:
    """Those whose ids another store gave: one list, whatever its length."""
    column, around = ("trace", "{}") if columns.on_traces else ("t.trace", _IN_TRACE)
    parts.append(around.format(f"{column} IN (SELECT unhex(value) FROM json_each(?))"))
    values.append(msgspec.json.encode(traces).decode())


def _json_name(name: str) -> str:
    if '"' in name:
        raise InvalidRequest("A tag's name in a filter must not contain `\"`.", param="filter")
    return name


def _quantity(term: Term, column: str) -> Parts:
    scale = _SCALES.get(term.field, 1)
    op = "=" if term.op == ":" else term.op
    numbers = [term.number(index) * scale for index in range(len(term.values))]
    if term.field == "latency" and op == "=":
        return [f"abs({column} - ?) < {SMALLEST_NS}"] * len(numbers), list(numbers)
    return [f"{column} {op} ?"] * len(numbers), list(numbers)


def _text(term: Term, column: str, *, before: list[object]) -> Parts:
    parts: list[str] = []
    values: list[object] = []
    for value in term.values:
        values += before
        lowered = value.lower() if term.field == "trace" else value
        if "*" in lowered:
            parts.append(f"{column} GLOB ?")
            values.append(lowered.replace("[", "[[]").replace("?", "[?]"))
        else:
            parts.append(f"{column} = ?")
            values.append(lowered)
    return parts, values
