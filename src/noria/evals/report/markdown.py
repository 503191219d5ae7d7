"""A report as Markdown, for a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from noria.evals.answer import Answer
from noria.evals.report.report import Report, corrected, method, shown

_MARKS = {"pass": "✅", "fail": "❌", "undecided": "⚠️"}
_LONGEST = 300
"""Characters of an answer."""


def markdown(report: Report) -> str:
    """Gates first, then numbers, then what got worse."""
    run, now = report.run, report.run.progress
    lines = [f"## {report.title or run.spec.name}: {_state(report)}", ""]
    lines += [f"{run.spec.target.shown} over {run.spec.dataset.shown}, run `{run.id}`.", ""]
    for checked in report.gates:
        result = checked.result
        lines.append(f"- {_MARKS[result.verdict]} **{result.gate}** {result.verdict}: {cell(result.reason)}")
    if report.gates:
        lines.append("")
    if run.message:
        lines += [f"> {cell(run.message)}", ""]
    judged = any(one.corrected is not None for one in report.metrics.measures)
    lines += rows_of(
        ("scorer", "value", *(["corrected"] if judged else []), "scores", "failed"),
        [
            (
                one.name,
                ", ".join(f"{name} {count}" for name, count in one.counts.items())
                if one.kind == "category"
                else shown(one.interval),
                *([corrected(one)] if judged else []),
                str(one.scores),
                str(one.failed),
            )
            for one in report.metrics.measures
        ],
    )
    unknown = f" and {now.unknown:,} calls of unknown cost" if now.unknown else ""
    lines += [
        "",
        f"{now.answered:,} answers ({now.reused:,} used again, {now.failed:,} failed),"
        f" ${now.cost:f}{unknown}.",
        "",
    ]
    lines += _compared(report)
    for note in report.notes:
        lines += [f"> {note}", ""]
    lines += [
        "<details><summary>Method</summary>",
        "",
        *(f"- {one}" for one in method(report)),
        "",
        "</details>",
    ]
    return "\n".join(lines) + "\n"


def _compared(report: Report) -> list[str]:
    found = report.comparison
    if found is None or report.baseline is None:
        return []
    lines = [f"### Against {report.baseline.spec.target.shown} (`{report.baseline.id}`)", ""]
    lines += rows_of(
        ("scorer", "difference", "p", "win/tie/loss", "verdict"),
        [
            (
                one.name,
                shown(one.difference, sign=True),
                "-" if one.p_adjusted is None else f"{one.p_adjusted:.3g}",
                f"{one.wins}/{one.ties}/{one.losses}",
                one.verdict + (f" ({one.needed:,} more examples would tell)" if one.needed else ""),
            )
            for one in found.scorers
        ],
    )
    lines.append("")
    for one in report.worst:
        before, after = _text(one.baseline.answers), _text(one.candidate.answers)
        lines.append(f"- `{one.candidate.example.id}` ({one.scorer}): {cell(before)} → {cell(after)}")
    return [*lines, ""]


def _state(report: Report) -> str:
    if report.gates:
        verdicts = {checked.result.verdict for checked in report.gates}
        return "fail" if "fail" in verdicts else "undecided" if "undecided" in verdicts else "pass"
    return report.run.state if report.run.sound else f"{report.run.state}, not to be trusted"


def _text(answers: Sequence[Answer]) -> str:

    text = (answers[0].text or answers[0].failed) if answers else ""
    return text[:_LONGEST] + ("…" if len(text) > _LONGEST else "")


def rows_of(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table's lines."""
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    return lines + ["| " + " | ".join(map(cell, row)) + " |" for row in rows]


def cell(text: str) -> str:
    """What was answered must not become a table, a link or a heading."""
    for mark in "\\`*_{}[]<>|#!":
        text = text.replace(mark, "\\" + mark)
    return " ".join(text.split())
