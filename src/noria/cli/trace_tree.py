"""A trace for people: its facts, and its spans as a tree with times, tokens and costs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from noria.cli.quantities import at, count, duration, money, tokens
from noria.cli.table import facts, plain, shorten, width

BAR = 20
"""Characters of the bar that shows when a span was at work."""
FIRST = 400
"""Characters of an input or output that are shown without --body."""
Span = Mapping[str, Any]


def show(trace: Mapping[str, Any], feedback: Sequence[Any], *, body: bool) -> None:
    """Print it on stdout."""
    summary = trace["summary"]
    _facts(trace["id"], summary)
    click.echo()
    for line in _lines(trace["spans"], summary):
        click.echo(line)
    if trace["truncated"]:
        click.echo(f"… of {summary['spans']:,} spans, the first {len(trace['spans']):,}.")
    for span in _speakers(trace["spans"]):
        for name, text in (("input", span["input"]), ("output", span["output"])):
            if text:
                click.echo()
                click.echo(click.style(f"{name} of {plain(span['name'])}", bold=True))
                click.echo(_words(text, whole=body))
    for one in feedback:
        click.echo()
        click.echo(_opinion(one))


def _opinion(one: Mapping[str, Any]) -> str:
    said = f"{one['kind']} {one['name']} {'' if one['value'] is None else one['value']}"
    comment = f": {one['comment']}" if one["comment"] else ""
    return plain(f"{' '.join(said.split())} by {one['by_name']}{comment}")


def _facts(id: str, one: Mapping[str, Any]) -> None:
    unknown = f", {one['unknown_costs']} calls unpriced" if one["unknown_costs"] else ""
    facts(
        {
            "trace": id,
            "began": at(one["start_ms"]),
            "took": duration(one["duration_ms"])
            + (f", first token after {duration(one['first_token_ms'])}" if one["first_token_ms"] else ""),
            "status": _verdict(one),
            "route": one["route"],
            "model": " / ".join(part for part in (one["provider"], one["model"]) if part),
            "tokens": f"{count(one['input_tokens'])} in, {count(one['output_tokens'])} out"
            if one["input_tokens"] is not None or one["output_tokens"] is not None
            else None,
            "cost": money(one["cost"]) + unknown if one["cost"] is not None or unknown else None,
            "cache": one["cache"],
            "user": one["user"],
            "session": one["session"],
            "team": one["team"],
            "key": one["key"],
            "tags": one["tags"],
            "config": one["config"],
        }
    )


def _verdict(one: Mapping[str, Any]) -> str:
    status = f"{one['http_status']}" if one["http_status"] else ""
    parts = [one["status"], status, one["error_kind"]]
    if one["unconfirmed"]:
        parts.append("unconfirmed: its process died before the end was known")
    return ", ".join(part for part in parts if part)


def _lines(spans: Sequence[Span], summary: Mapping[str, Any]) -> Iterator[str]:
    """Name, bar, duration, tokens, cost; the names take what room is left."""
    placed = list(_placed(spans))
    tails = [_tail(span) for _, span in placed]
    longest = max((len(prefix) + len(_name(span)) for prefix, span in placed), default=0)
    room = (width() or shutil.get_terminal_size((120, 24)).columns) - BAR - 3
    names = min(longest, max(room - max((len(tail) for tail in tails), default=0) - 1, 16))
    for (prefix, span), tail in zip(placed, tails, strict=True):
        text = (prefix + shorten(_name(span), max(names - len(prefix), 6))).ljust(names)
        if span["status"] == "error":
            text = click.style(text, fg="red")
        elif span["critical"]:
            text = click.style(text, bold=True)
        yield f"{text} {_bar(span, summary)} {click.style(tail, dim=False)}".rstrip()


def _placed(spans: Sequence[Span]) -> Iterator[tuple[str, Span]]:
    """Each span behind the branches that lead to it; one whose parent is missing stands at the top."""
    known = {span["id"] for span in spans}
    children: dict[str | None, list[Span]] = {}
    for span in spans:
        parent = span["parent"] if span["parent"] in known and span["parent"] != span["id"] else None
        children.setdefault(parent, []).append(span)
    # A stack, not recursion: a trace may be thousands of spans deep.
    waiting: list[tuple[str, str, Span]] = [("", "", span) for span in reversed(children.get(None, []))]
    while waiting:
        prefix, below, span = waiting.pop()
        yield prefix, span
        own = children.get(span["id"], [])
        for index in range(len(own) - 1, -1, -1):
            last = index == len(own) - 1
            branch, gap = ("└ ", "  ") if last else ("├ ", "│ ")
            waiting.append((below + branch, below + gap, own[index]))


def _name(span: Span) -> str:
    return plain(span["name"] or span["operation"] or span["id"])


def _bar(span: Span, summary: Mapping[str, Any]) -> str:
    whole = summary["duration_ms"] or 1
    start = min(int(span["offset_ms"] / whole * BAR), BAR - 1)
    length = max(1, min(round(span["duration_ms"] / whole * BAR), BAR - start))
    colour = "red" if span["status"] == "error" else "cyan"
    return "·" * start + click.style("━" * length, fg=colour) + "·" * (BAR - start - length)


def _tail(span: Span) -> str:
    parts = [duration(span["duration_ms"]).rjust(9)]
    if span["target"] and span["target"] not in span["name"]:
        parts.append(span["target"])
    if span["input_tokens"] is not None:
        parts.append(tokens(span["input_tokens"], span["output_tokens"]))
    if span["cost"] is not None:
        parts.append(money(span["cost"]))
    if span["cache"] == "hit":
        parts.append("cache")
    if span["error_kind"]:
        parts.append(span["error_kind"])
    elif span["http_status"] and span["http_status"] >= 400:
        parts.append(str(span["http_status"]))
    if not span["confirmed"]:
        parts.append("unconfirmed")
    return plain("  ".join(parts))


def _speakers(spans: Sequence[Span]) -> list[Span]:
    """The first span with words in it: of a gateway call the attempts only repeat them."""
    return [span for span in spans if span["input"] or span["output"]][:1]


def _words(text: str, *, whole: bool) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        shown = text
    else:
        shown = "\n".join(_messages(value)) or json.dumps(value, ensure_ascii=False, indent=2)
    lines = [plain(line) for line in shown.splitlines()]
    shown = "\n".join(lines)
    return shown if whole or len(shown) <= FIRST else shown[:FIRST] + "… (all of it: --body)"


def _messages(value: Any) -> Iterator[str]:
    """`role: text` of messages, in whichever of the usual forms they came."""
    if isinstance(value, dict):
        for name in ("system", "instructions", "messages", "input", "choices", "output", "message"):
            inner = value.get(name)
            if isinstance(inner, str):
                yield f"{'user' if name == 'input' else 'system'}: {inner}"
            elif inner:
                yield from _messages(inner)
        text = _said(value.get("parts", value.get("content")))
        if text:
            yield f"{value.get('role', 'assistant')}: {text}"
    elif isinstance(value, list):
        for one in value:
            yield from _messages(one)


def _said(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return _said(value.get("content", value.get("text", ""))) or f"({value.get('type', 'part')})"
    return " ".join(_said(one) for one in value) if isinstance(value, list) else ""
