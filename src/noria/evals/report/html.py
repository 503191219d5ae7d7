"""A report as one HTML file that stands alone: no script, no font, nothing fetched; light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from importlib.resources import files
from typing import Any

import msgspec

from noria.evals.metrics import Measure, Metrics
from noria.evals.report.forest import Row, forest
from noria.evals.report.report import Report, corrected, method, shown
from noria.evals.store import Kept

_LONGEST = 1500
"""Characters of an input or answer."""


def html(report: Report) -> str:
    """The whole document."""
    run = report.run
    title = report.title or run.spec.name
    style = files("noria.evals.report").joinpath("report.css").read_text()
    body = [
        f"<header><h1>{escape(title)}</h1><p>{escape(run.spec.target.shown)} over "
        f"{escape(run.spec.dataset.shown)}</p></header>",
        _gates(report),
        _message(report),
        _numbers(report),
        _comparison(report),
        _worst(report),
        _slices(report),
        _failures(report),
        _method(report),
        sign_off(report.run.id) if report.signature else "",
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · Noria</title><style>{style}</style></head><body><main>"
        + "".join(body)
        + "</main></body></html>\n"
    )


def _gates(report: Report) -> str:
    if not report.gates:
        return ""
    out = ["<section><h2>Gates</h2>"]
    for checked in report.gates:
        result = checked.result
        out.append(
            f'<h3><span class="verdict {result.verdict}">{result.verdict}</span> {escape(result.gate)}</h3>'
        )
        rows = [
            (
                f'<span class="verdict {one.verdict}">{one.verdict}</span>',
                escape(condition.shown),
                escape(one.reason),
            )
            for condition, one in checked.conditions
        ]
        out.append(_table(("", "condition", "why"), rows) if rows else f"<p>{escape(result.reason)}</p>")
    return "".join(out) + "</section>"


def _message(report: Report) -> str:
    run = report.run
    if run.state == "done" and run.sound and not run.message and not report.notes:
        return ""
    said = [run.message] if run.message else []
    if run.state != "done":
        said.insert(0, f"The run is {run.state}: what follows is of what there is so far.")
    return "".join(f'<p class="warning">{escape(one)}</p>' for one in (*said, *report.notes))


def _numbers(report: Report) -> str:
    metrics, now = report.metrics, report.run.progress
    passes = [
        (escape(one.name), str(tries.k), escape(shown(tries.any)), escape(shown(tries.all)))
        for one in metrics.measures
        for tries in one.passes
    ]
    unknown = f" and {now.unknown:,} calls of unknown cost" if now.unknown else ""
    facts = {
        "examples": f"{metrics.examples:,}",
        "answers": f"{now.answered:,} ({now.reused:,} used again, {now.failed:,} failed)",
        "cost": f"${now.cost:f}{unknown}",
    }
    if metrics.latency is not None:
        facts["latency"] = f"median {metrics.latency.p50:.3f} s, 95 % under {metrics.latency.p95:.3f} s"
    if metrics.cost is not None:
        facts["cost of 1,000 answers"] = f"${(metrics.cost.mean.estimate or 0) * 1000:.4f}"
    out = "<section><h2>What was measured</h2>"
    out += (
        "<dl>"
        + "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())
        + "</dl>"
    )
    out += measures_table(metrics)
    if passes:
        out += "<h3>Several tries</h3>" + _table(("scorer", "k", "pass@k", "pass^k"), passes)
    return out + "</section>"


def measures_table(metrics: Metrics) -> str:
    """A line a scorer."""
    judged = any(one.corrected is not None for one in metrics.measures)
    rows = [
        (
            escape(one.name),
            escape(_value(one)),
            *([escape(corrected(one))] if judged else []),
            str(one.scores),
            _failed(one),
            escape(_how(one)),
        )
        for one in metrics.measures
    ]
    columns = ("scorer", "value", *(["corrected"] if judged else []), "scores", "failed", "interval")
    return _table(columns, rows)


def _comparison(report: Report) -> str:
    found = report.comparison
    if found is None or report.baseline is None:
        return ""
    tones = {"better": "good", "worse": "bad"}
    rows = [
        Row(one.name, one.difference, tones.get(one.verdict, "plain"), one.verdict) for one in found.scorers
    ]
    table = [
        (
            escape(one.name),
            _number(one.candidate),
            _number(one.baseline),
            escape(shown(one.difference, sign=True)),
            "-" if one.p_adjusted is None else f"{one.p_adjusted:.3g}",
            f"{one.wins} / {one.ties} / {one.losses}",
            f'<span class="{tones.get(one.verdict, "plain")}">{one.verdict}</span>'
            + (f"<br><small>{one.needed:,} more examples would tell</small>" if one.needed else ""),
        )
        for one in found.scorers
    ]
    apart = found.only_candidate + found.only_baseline
    left_out = f" {apart:,} examples that only one run has are left out." if apart else ""
    if found.revised:
        left_out += f" {found.revised:,} that were revised between the two are left out."
    return (
        f"<section><h2>Against {escape(report.baseline.spec.target.shown)}</h2>"
        f"<p>Run {escape(report.baseline.id)}, over {found.examples:,} examples.{left_out}</p>"
        + forest(rows, label="difference, candidate less baseline")
        + _table(
            ("scorer", "candidate", "baseline", "difference", "p (Holm)", "win / tie / loss", "verdict"),
            table,
        )
        + "</section>"
    )


def _worst(report: Report) -> str:
    if not report.worst:
        return ""
    out = ["<section><h2>Worst regressions</h2>"]
    for one in report.worst:
        example, scorer = escape(one.candidate.example.id), escape(one.scorer)
        out.append(
            f"<details open><summary>{example} <small>{scorer}</small></summary>"
            f"{_asked(one.candidate)}<div class='two'><div><h4>candidate</h4>{_answered(one.candidate)}</div>"
            f"<div><h4>baseline</h4>{_answered(one.baseline)}</div></div></details>"
        )
    return "".join(out) + "</section>"


def _slices(report: Report) -> str:
    if not report.slices:
        return ""
    out = ["<section><h2>Parts</h2><p>Among many parts some look bad by chance: a hint, not a finding.</p>"]
    for scorer, parts in report.slices.items():
        rows = [
            Row(f"{part.by}: {part.value}", part.measure.interval, "plain", f"{part.examples:,} examples")
            for part in parts
            if part.measure.interval is not None
        ]
        out.append(f"<h3>{escape(scorer)}</h3>" + forest(rows, label=scorer, zero=False))
    return "".join(out) + "</section>"


def _failures(report: Report) -> str:
    if not report.failures:
        return ""
    return f"<section><h2>Examples that failed or were wrong</h2>{examples_of(report)}</section>"


def examples_of(report: Report) -> str:
    """The examples that failed or were wrong, to be opened."""
    return "".join(
        f"<details><summary>{escape(kept.example.id)}</summary>{_asked(kept)}{_answered(kept)}</details>"
        for kept in report.failures
    )


def _method(report: Report) -> str:
    run = report.run
    spec = run.spec
    facts = {
        "run": run.id,
        "target": spec.target.shown,
        "prompt": spec.target.content.digest if spec.target.content is not None else "",
        "parameters": msgspec.json.encode(spec.target.parameters).decode() if spec.target.parameters else "",
        "dataset": f"{spec.dataset.shown} {spec.dataset.digest}",
        "scorers": "; ".join(
            f"{one.name or one.type}: {one.type}"
            + (f" {msgspec.json.encode(one.arguments).decode()}" if one.arguments else "")
            for one in spec.scorers
        ),
        "begun by": run.by_name,
        "begun": when(run.created_ms),
        "report made": when(report.made_ms),
        "Noria": report.version,
    }
    rows = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts.items() if value)
    return (
        "<section><h2>Method</h2>"
        + "".join(f"<p>{escape(one)}</p>" for one in method(report))
        + f"<dl>{rows}</dl></section>"
    )


def sign_off(runs: str) -> str:
    """Lines for whoever signs. `runs` are what is signed."""
    lines = (
        "Reviewed by",
        "Decision (approve, approve with conditions, reject)",
        "Conditions",
        "Date and signature",
    )
    return (
        "<section class='sign'><h2>Sign-off</h2>"
        + "".join(f"<p>{one}<span></span></p>" for one in lines)
        + f"<p><small>This page is about {escape(runs)} alone.</small></p></section>"
    )


def _asked(kept: Kept) -> str:
    example = kept.example
    expected = "" if example.expected is None else f"<h4>expected</h4><pre>{_cut(example.expected)}</pre>"
    return f"<h4>input</h4><pre>{_cut(example.input)}</pre>{expected}"


def _answered(kept: Kept) -> str:
    out: list[str] = []
    for answer in kept.answers:
        words = (
            f"<pre class='failed'>{escape(answer.failed)}</pre>"
            if answer.failed
            else f"<pre>{_cut(answer.text)}</pre>"
        )
        scores = [
            f"<li>{escape(score.name)}: "
            + (
                f"<b class='bad'>failed</b> {escape(score.failed)}"
                if score.failed
                else escape(_score(score.value))
            )
            + (f" <small>{escape(score.reason)}</small>" if score.reason else "")
            + "</li>"
            for judgement in kept.judgements
            if judgement.repeat == answer.repeat
            for score in judgement.scores
        ]
        out.append(words + f"<ul>{''.join(scores)}</ul>")
    return "".join(out)


def _cut(value: Any) -> str:
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    text = (
        value
        if isinstance(value, str)
        else msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    )
    return escape(text if len(text) <= _LONGEST else text[:_LONGEST] + "…")


def _score(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _value(one: Measure) -> str:
    if one.kind == "category":
        return ", ".join(f"{name} {count:,}" for name, count in one.counts.items()) or "none"
    interval = one.interval
    if interval is None or interval.estimate is None:
        return "not known"
    ends = (
        "" if interval.low is None or interval.high is None else f" [{interval.low:.4g}, {interval.high:.4g}]"
    )
    return f"{interval.estimate:.4g}{ends}"


def _how(one: Measure) -> str:
    return one.interval.method if one.interval is not None else ""


def _failed(one: Measure) -> str:
    if not one.failed:
        return "0"
    reasons = "; ".join(f"{count:,} × {reason}" for reason, count in one.why_failed)
    return f"<b class='bad'>{one.failed:,}</b><br><small>{escape(reasons)}</small>"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in columns)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<div class='wide'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def when(ms: int) -> str:
    """A time, for a reader."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC") if ms else ""
