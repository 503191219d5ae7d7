"""What the mock upstream is to do with a request, and how to say it within a model's name.

A model that is called `anything/chunks=20,gap=5ms,fail=429:2` carries its own plan, so that a program that
can only choose a model can still ask for any behaviour. Values are percent-decoded, and `+` is a space.
"""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import unquote_plus

import msgspec


class ToolUse(msgspec.Struct, frozen=True):
    """A call of a tool; without arguments they are made up by the tool's own schema."""

    name: str
    arguments: dict[str, Any] | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One behaviour. Times are milliseconds."""

    text: str = ""
    """What to say; empty: a greeting, or `words` words, or JSON where a schema is asked for."""
    words: int = 0
    reason: str = ""
    """Reasoning that comes before the text."""
    calls: tuple[ToolUse, ...] = ()
    """Tools to call; none: only where the request forces one."""
    refuse: str = ""
    """A refusal instead of the text."""
    finish: str = ""
    """Stop reason to report, in the dialect's own word."""
    chunks: int = 0
    """Pieces that a streamed text comes in; 0: one a token. Without a text there are so many words."""
    gap: float = 0
    """Between two pieces."""
    first: float = 0
    """Before the first piece, or before a whole answer."""
    fail: int = 0
    """Status to refuse with."""
    fail_count: int = -1
    """How many of the calls are refused; -1: all."""
    retry_after: float | None = None
    """Seconds, in the Retry-After of refusals."""
    error: Literal["", "before", "after"] = ""
    """An error within a 200: before the first piece, or after half of them."""
    truncate: Literal["", "end", "cut"] = ""
    """Half of the stream, and then a proper end of the body, or a closed connection."""
    usage: bool = True
    hang: Literal["", "head", "body"] = ""
    """Never answer, or never go on after half of the answer."""
    garbage: bool = False
    """Bytes that are of no dialect."""
    close: Literal["", "before", "after", "next"] = ""
    """Close the connection: instead of answering, after the answer unannounced, or when it is used again."""
    length: Literal["", "short", "long"] = ""
    """A Content-Length that says less, or more, than is sent."""
    drip: int = 0
    """Write so many bytes at a time, a millisecond apart."""
    input: int | None = None
    """Tokens to report; None: counted."""
    output: int | None = None
    cached: int = 0
    cache_write: int = 0


_DURATIONS = {"gap", "first"}
_SHORT = {"in": "input", "out": "output"}
_TEXTS = {"text", "reason", "refuse", "finish", "error", "truncate", "hang", "close", "length"}
_FLAGS = {"usage", "garbage"}


def parse_plan(text: str) -> Plan:
    """The plan in `name=value,name=value`. Raises ValueError for a name or value that there is none of."""
    found: dict[str, Any] = {}
    for item in filter(None, text.split(",")):
        name, _, raw = item.partition("=")
        name = _SHORT.get(name, name)
        value = unquote_plus(raw)
        if name in _TEXTS:
            found[name] = value
        elif name in _FLAGS:
            found[name] = value not in ("0", "none", "false")
        elif name in _DURATIONS:
            found[name] = _milliseconds(value)
        elif name == "fail":
            status, _, count = value.partition(":")
            found["fail"] = int(status)
            if count:
                found["fail_count"] = int(count)
        elif name == "retry_after":
            found[name] = float(value)
        elif name == "call":
            found["calls"] = [{"name": one} for one in value.split()]
        else:
            found[name] = int(value)
    try:
        return msgspec.convert(found, Plan)
    except msgspec.ValidationError as error:
        raise ValueError(f"no such plan: {error}") from None


def plan_in(model: str) -> Plan | None:
    """The plan that a model's name carries, or None."""
    _, slash, text = model.rpartition("/")
    return parse_plan(text) if slash and "=" in text else None


def _milliseconds(value: str) -> float:
    if value.endswith("ms"):
        return float(value[:-2])
    return float(value[:-1]) * 1000 if value.endswith("s") else float(value)
