"""The language in which traces are searched: `model:gpt-* latency>2s status:error "refund" -cache:hit`.

Terms are separated by spaces and must all hold. `field:value` compares names (`*` stands for anything,
commas separate alternatives), `field>number` quantities, `feedback:down` and `feedback.NAME>0.5` what people
and programs said, a bare or quoted word searches the text that went
in or came out, `has:thing` asks whether it is there, and a leading `-` negates. A Filter renders back to its
text.
"""

from __future__ import annotations

import difflib
import re
from typing import Literal

import msgspec

from noria.errors import InvalidRequest

NAMES = (
    "cache", "config", "episode", "error", "key", "model", "name", "operation", "prompt", "provider",
    "route", "service", "session", "status", "team", "trace", "user",
)  # fmt: skip
"""Fields with a text; `tag.NAME` is one more for each tag. `prompt` is a name, name@number or name@label."""
QUANTITIES = (
    "attempts", "cost", "errors", "first_token", "http", "input_tokens", "latency", "output_tokens", "spans",
    "tokens",
)  # fmt: skip
"""Fields with a number. Durations need a unit (us, ms, s, m, h), cost is in dollars."""
THINGS = ("cost", "error", "feedback", "first_token", "input", "output", "session", "tags", "tokens", "user")
DURATIONS = ("latency", "first_token")
STATUSES = ("ok", "error", "unset")
CACHES = ("hit", "miss", "off", "bypass")
MAX_LENGTH = 2_000
MAX_TERMS = 50
Op = Literal[":", ">", ">=", "<", "<="]

_TOKEN = re.compile(r'\s*(?P<token>(?:"(?:[^"\\]|\\.)*"|[^\s"])+)', re.S)
_PARTS = re.compile(r"(?P<field>[A-Za-z_][\w.\-]*?)(?P<op>:|>=|<=|>|<)(?P<value>.*)", re.S)
_VALUE = re.compile(r'"(?:[^"\\]|\\.)*"|[^,"]+|,', re.S)
_NUMBER = re.compile(r"(?P<number>\d+(?:\.\d+)?|\.\d+)(?P<unit>[a-zµ]*)")
_UNITS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PLAIN = re.compile(r'[^\s",:<>\-][^\s",:<>]*')


class Term(msgspec.Struct, frozen=True):
    """One condition; it holds where any of `values` fits, or none of them if `negated`."""

    field: str
    """A name of NAMES or QUANTITIES, "tag.NAME", "feedback", "feedback.NAME", "has", or "text"."""
    op: Op
    values: tuple[str, ...]
    negated: bool = False
    traces: tuple[str, ...] | None = None
    """Ids of those that a term on feedback stands for, which another store knows; None: not looked up."""

    def number(self, index: int = 0) -> float:
        """A quantity's value: seconds for durations, dollars for cost, else as typed."""
        match = _NUMBER.fullmatch(self.values[index])
        assert match is not None, "parsed terms hold numbers"
        return float(match["number"]) * _UNITS.get(match["unit"], 1.0)

    def render(self) -> str:
        sign = "-" if self.negated else ""
        values = ",".join(_quote(value) for value in self.values)
        return sign + values if self.field == "text" else f"{sign}{self.field}{self.op}{values}"


class Filter(msgspec.Struct, frozen=True):
    """Conditions that must all hold; without any, everything matches."""

    terms: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __str__(self) -> str:
        return " ".join(term.render() for term in self.terms)

    @property
    def texts(self) -> tuple[Term, ...]:
        return tuple(term for term in self.terms if term.field == "text")

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(term.field for term in self.terms)


def parse(text: str) -> Filter:
    """The filter that `text` says. Raises InvalidRequest with a sentence that names the offending term."""
    if len(text) > MAX_LENGTH:
        raise InvalidRequest(f"A filter has at most {MAX_LENGTH} characters.", param="filter")
    terms: list[Term] = []
    at = 0
    rest = text.rstrip()
    while at < len(rest):
        match = _TOKEN.match(rest, at)
        if match is None:
            raise InvalidRequest(
                'A quotation mark in the filter is not closed; add the missing `"`.', param="filter"
            )
        terms.append(_term(match["token"]))
        at = match.end()
    if len(terms) > MAX_TERMS:
        raise InvalidRequest(f"A filter has at most {MAX_TERMS} terms.", param="filter")
    return Filter(tuple(terms))


def _term(token: str) -> Term:
    negated = token.startswith("-") and len(token) > 1
    bare = token[1:] if negated else token
    parts = _PARTS.fullmatch(bare)
    if parts is None:
        words = _unquote(bare)
        if not words.strip():
            raise InvalidRequest(
                "An empty text is in the filter; put words between the quotation marks.", param="filter"
            )
        return Term("text", ":", (words,), negated)
    field, op, raw = parts["field"].lower(), parts["op"], parts["value"]
    if field.startswith(("tag.", "feedback.")):
        kind, _, name = parts["field"].partition(".")
        field = f"{kind.lower()}.{name}"
    elif field == "feedback":
        pass
    elif field not in NAMES and field not in QUANTITIES and field != "has":
        raise _unknown(parts["field"], bare)
    values = _values(raw, bare)
    _check(field, op, values, bare)
    if field in ("status", "cache", "has"):
        values = tuple(value.lower() for value in values)
    return Term(field, op, values, negated)  # pyright: ignore[reportArgumentType]


def _values(raw: str, token: str) -> tuple[str, ...]:
    values: list[str] = []
    piece: str | None = None
    for match in _VALUE.finditer(raw):
        if match[0] == ",":
            if piece is None:
                break
            values.append(piece)
            piece = None
        else:
            piece = (piece or "") + (_unquote(match[0]) if match[0].startswith('"') else match[0])
    if piece is None:
        raise InvalidRequest(f"A value is missing in `{token}`.", param="filter")
    return (*values, piece)


def _check(field: str, op: str, values: tuple[str, ...], token: str) -> None:
    if field in QUANTITIES or (field.startswith("feedback") and op != ":"):
        if len(values) > 1 and op != ":":
            raise InvalidRequest(f"`{token}` compares with one number only.", param="filter")
        for value in values:
            match = _NUMBER.fullmatch(value)
            unit = match["unit"] if match else ""
            if match is None or (unit and (field not in DURATIONS or unit not in _UNITS)):
                example = "latency>2s" if field in DURATIONS else f"{field}>10"
                raise InvalidRequest(f"`{token}` needs a number, such as `{example}`.", param="filter")
            if field in DURATIONS and not unit:
                raise InvalidRequest(f"`{token}` needs a unit: us, ms, s, m or h.", param="filter")
        return
    if op != ":":
        raise InvalidRequest(f"`{token}`: {field} is a name, so write `{field}:value`.", param="filter")
    if field == "feedback.":
        raise InvalidRequest(f"`{token}` must name what was judged: `feedback.helpful:up`.", param="filter")
    if field == "tag.":
        raise InvalidRequest(f"`{token}` must name its tag, such as `tag.env:prod`.", param="filter")
    choices = {"status": STATUSES, "cache": CACHES, "has": THINGS}.get(field)
    for value in values if choices else ():
        if value.lower() not in choices:  # pyright: ignore[reportOperatorIssue]
            raise InvalidRequest(f"`{token}`: {field} is one of {', '.join(choices or ())}.", param="filter")


def _unknown(field: str, token: str) -> InvalidRequest:
    near = difflib.get_close_matches(field.lower(), (*NAMES, *QUANTITIES, "feedback", "has", "tag."), n=1)
    hint = f"did you mean `{near[0]}`?" if near else f'to search for the text, write `"{token}"`.'
    return InvalidRequest(f"There is no filter field `{field}`; {hint}", param="filter")


def _quote(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unquote(text: str) -> str:
    """Text with its quotation marks taken off, wherever they stand in it."""
    pieces = re.split(r'"((?:[^"\\]|\\.)*)"', text)
    for index in range(1, len(pieces), 2):
        pieces[index] = re.sub(r"\\(.)", r"\1", pieces[index], flags=re.S)
    return "".join(pieces)
