"""An exploration's report as one HTML file that stands alone: no script, no font, nothing fetched."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files

from noria.evals.explore.report import ExploreReport
from noria.evals.explore.table import ARMS, CANDIDATES, arm_rows, candidate_rows, method, place_of
from noria.evals.report.forest import Row, forest
from noria.evals.report.html import when

_TONES = {"feasible": "pass", "not feasible": "fail", "not told": "undecided"}
_STANCES = {"for": "pass", "against": "fail", "not told": "undecided", "yes": "pass", "no": "fail"}


def html(made: ExploreReport) -> str:
    """The whole document."""
    one = made.exploration
    spec = one.spec
    title = escape(spec.brief.title or spec.dataset.name)
    style = files("noria.evals.report").joinpath("report.css").read_text()
    body = [
        f"<header><h1>{title}</h1><p>{escape(one.id)} over {escape(spec.dataset.shown)}</p></header>",
        _conclusion(made),
        _measured(made),
        _advice(made),
        _said("Complexity", [(each.about, each.sentence) for each in made.complexity]),
        _said("Risks", [(each.about, each.sentence) for each in made.risks]),
        f"<section><h2>Candidates</h2>{_table(CANDIDATES, candidate_rows(spec))}</section>",
        _brief(made),
        _method(made),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} · Noria</title><style>{style}</style></head><body><main>"
        + "".join(body)
        + "</main></body></html>\n"
    )


def _conclusion(made: ExploreReport) -> str:
    state = made.exploration.state
    running = (
        f'<p class="warning">It is {state}: what follows is of what there is so far.</p>'
        if state != "done"
        else ""
    )
    if made.exploration.spec.kind == "comparison":
        return running
    mark = f'<span class="verdict {_TONES[made.feasible]}">{made.feasible}</span>'
    return f"{running}<section><h2>{mark}</h2><p>{escape(made.sentence)}</p></section>"


def _measured(made: ExploreReport) -> str:
    spec = made.exploration.spec
    rows = [
        Row(
            one.evidence.arm.name,
            one.evidence.quality,
            {"front": "good", "dominated": "bad"}.get(one.place.standing, "plain"),
            place_of(made, one),
        )
        for one in made.findings
        if one.evidence.quality is not None
    ]
    verdicts = [
        (one.evidence.arm.name, verdict.question, verdict.answer, verdict.sentence)
        for one in made.findings
        for verdict in one.verdicts
    ]
    asked = (
        "<h3>Held against the brief</h3>" + _table(("way", "question", "answer", "why"), verdicts)
        if verdicts
        else ""
    )
    return (
        "<section><h2>What was measured</h2>"
        + (forest(rows, label=spec.measure, zero=False) if rows else "")
        + _table(ARMS, arm_rows(made))
        + asked
        + "</section>"
    )


def _advice(made: ExploreReport) -> str:
    if not made.advice:
        return ""
    out = ["<section><h2>Which adaptation</h2>"]
    for one in made.advice:
        mark = f'<span class="verdict {_STANCES[one.stance]}">{one.stance}</span>'
        out.append(f"<h3>{mark} {escape(one.adaptation)}</h3><p>{escape(one.sentence)}</p>")
        if one.evidence:
            out.append("<ul>" + "".join(f"<li>{escape(each)}</li>" for each in one.evidence) + "</ul>")
    return "".join(out) + "</section>"


def _said(name: str, said: Sequence[tuple[str, str]]) -> str:
    if not said:
        return ""
    rows = "".join(f"<dt>{escape(about)}</dt><dd>{escape(sentence)}</dd>" for about, sentence in said)
    return f"<section><h2>{name}</h2><dl>{rows}</dl></section>"


def _brief(made: ExploreReport) -> str:
    task = made.exploration.spec.brief.task
    return f"<section><h2>Brief</h2><pre>{escape(task)}</pre></section>" if task else ""


def _method(made: ExploreReport) -> str:
    one = made.exploration
    runs = [each.evidence.run for each in made.findings if each.evidence.run]
    facts = {
        "runs": ", ".join(runs),
        "begun by": one.by_name,
        "begun": when(one.created_ms),
        "report made": when(made.made_ms),
        "Noria": made.version,
    }
    rows = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts.items() if value)
    return (
        "<section><h2>Method</h2>"
        + "".join(f"<p>{escape(each)}</p>" for each in method(made))
        + f"<dl>{rows}</dl></section>"
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<div class='wide'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
