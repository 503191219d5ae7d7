"""A suite's report: every part of it in one page, for somebody to read, judge and sign."""

from __future__ import annotations

from html import escape
from importlib.resources import files

import msgspec

from noria.evals.metrics import Measure
from noria.evals.report.html import examples_of, measures_table, sign_off, when
from noria.evals.report.markdown import cell, rows_of
from noria.evals.report.report import Report, corrected, shown
from noria.evals.suites.suite import Part, Suite

_COLUMNS = ("part", "what", "value", "corrected", "better", "scores", "failed")


class Chapter(msgspec.Struct, frozen=True, kw_only=True):
    """One part and its run."""

    part: Part
    report: Report


class SuiteReport(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    suite: Suite
    chapters: tuple[Chapter, ...]
    missing: tuple[str, ...] = ()
    """Parts that were not run."""
    made_ms: int = 0
    version: str = ""

    @property
    def target(self) -> str:
        """Whose report it is."""
        return (
            ", ".join(dict.fromkeys(one.report.run.spec.target.model for one in self.chapters)) or "nothing"
        )


def suite_html(made: SuiteReport, *, examples: bool = True) -> str:
    """The whole document; without `examples` it holds no text of the data sets, and may be published."""
    suite = made.suite
    title = escape(suite.title)
    style = files("noria.evals.report").joinpath("report.css").read_text()
    body = [
        f"<header><h1>{title}</h1><p>{escape(made.target)} · {escape(suite.about)}</p></header>",
        _warnings(made),
        "".join(f'<p class="warning">{escape(note)}</p>' for note in suite.notes),
        "<section><h2>Summary</h2>" + _summary(made) + "</section>",
    ]
    for chapter in made.chapters:
        report = chapter.report
        run = report.run
        body.append(
            f"<section><h2>{escape(chapter.part.name)}</h2><p>{escape(chapter.part.about)}</p>"
            f"<p><small>Run {escape(run.id)}, {report.metrics.examples:,} examples, {escape(run.state)}."
            f" Data {escape(run.spec.dataset.digest[:19])}.</small></p>"
            + measures_table(report.metrics)
            + (examples_of(report) if examples else "")
            + "</section>"
        )
    body.append(
        f"<section><h2>Method</h2><p>Suite {escape(made.name)} {escape(suite.digest[:19])}, Noria "
        f"{escape(made.version)}, made {when(made.made_ms)}. Intervals are at 95 %: Wilson's for shares, the "
        "bias-corrected and accelerated bootstrap for numbers, by group where examples depend on one "
        "another. A failed score is left out of the number and counted.</p></section>"
    )
    if suite.sign:
        body.append(sign_off(", ".join(one.report.run.id for one in made.chapters)))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} · {escape(made.target)}</title><style>{style}</style></head><body><main>"
        + "".join(body)
        + "</main></body></html>\n"
    )


def suite_markdown(made: SuiteReport) -> str:
    """The summary alone."""
    lines = [f"## {cell(made.suite.title)}: {cell(made.target)}", "", cell(made.suite.about), ""]
    lines += rows_of(
        ("part", "what", "value", "corrected", "scores", "failed"),
        [
            (chapter.part.name, one.name, _value(one), corrected(one), str(one.scores), str(one.failed))
            for chapter in made.chapters
            for one in chapter.report.metrics.measures
        ],
    )
    lines += ["", *(f"> {cell(note)}" for note in made.suite.notes)]
    if made.missing:
        lines += ["", f"Not run: {', '.join(made.missing)}."]
    return "\n".join(lines) + "\n"


def _warnings(made: SuiteReport) -> str:
    said = [f"Not run, and so not judged here: {', '.join(made.missing)}."] if made.missing else []
    for chapter in made.chapters:
        run = chapter.report.run
        if run.state != "done" or not run.sound:
            said.append(f"{chapter.part.name} is {run.state}, and not to be relied on: {run.message}")
    return "".join(f'<p class="warning">{escape(one)}</p>' for one in said)


def _summary(made: SuiteReport) -> str:
    rows = [
        f"<tr><td>{escape(chapter.part.name)}</td><td>{escape(one.name)}</td><td>{escape(_value(one))}</td>"
        f"<td>{escape(corrected(one))}</td>"
        f"<td>{escape(_better(one))}</td><td>{one.scores:,}</td><td>{one.failed:,}</td></tr>"
        for chapter in made.chapters
        for one in chapter.report.metrics.measures
    ]
    head = "".join(f"<th>{one}</th>" for one in _COLUMNS)
    return (
        f"<div class='wide'><table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _value(one: Measure) -> str:
    if one.kind == "category":
        return ", ".join(f"{name} {count:,}" for name, count in one.counts.items())
    return shown(one.interval)


def _better(one: Measure) -> str:
    return {"higher": "higher", "lower": "lower", "neither": "-"}[one.better]
