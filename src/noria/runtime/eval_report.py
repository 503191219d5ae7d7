"""A run's report put together, in the form that is asked for."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

import noria
from noria.evals.comparison import Comparison
from noria.evals.formats.imported import Log
from noria.evals.formats.inspect_log import InspectLog, write_inspect
from noria.evals.formats.promptfoo import PromptfooLog, promptfoo
from noria.evals.gate import Gate
from noria.evals.report.html import html
from noria.evals.report.junit import junit
from noria.evals.report.markdown import markdown
from noria.evals.report.report import Beside, Report
from noria.evals.run import EvalRun
from noria.evals.sheet import Line
from noria.evals.store import Kept
from noria.runtime.evals import Evals

Form = Literal["html", "markdown", "junit", "json", "inspect", "promptfoo"]
TYPES: dict[Form, str] = {
    "html": "text/html; charset=utf-8",
    "markdown": "text/markdown; charset=utf-8",
    "junit": "application/xml",
    "json": "application/json",
    "inspect": "application/zip",
    "promptfoo": "application/json",
}
ENDINGS: dict[Form, str] = {
    "html": "html",
    "markdown": "md",
    "junit": "xml",
    "json": "json",
    "inspect": "eval",
    "promptfoo": "json",
}
_WORST, _FAILURES, _SLICED = 6, 12, 3


def report(
    evals: Evals, run: EvalRun, *, baseline: EvalRun | None = None, gates: Sequence[Gate] = (), made_ms: int
) -> Report:
    """Everything that a report of `run` says."""
    sheet = evals.sheet(run)
    comparison = None if baseline is None else evals.compare(run, baseline)
    bad = [line.id for line in sheet.lines if _bad(line)][:_FAILURES]
    failures = evals.kept_of(run, bad)
    sliced = [one for one in sheet.measures if one.kind in ("mean", "share")][:_SLICED]
    return Report(
        run=run,
        metrics=evals.metrics(run),
        baseline=baseline,
        comparison=comparison,
        gates=tuple(evals.check(run.project, gate, run) for gate in gates),
        worst=() if baseline is None or comparison is None else _worst(evals, run, baseline, comparison),
        failures=tuple(failures[id] for id in bad if id in failures),
        slices={one.name: parts for one in sliced if (parts := tuple(evals.slices(run, one.name)))},
        made_ms=made_ms,
        version=noria.__version__,
    )


def written(evals: Evals, made: Report, form: Form, *, examples: bool = False) -> bytes:
    """The bytes of a file. With `examples` JUnit has a test for each."""
    if form == "html":
        return html(made).encode()
    if form == "markdown":
        return markdown(made).encode()
    if form == "junit":
        return junit(made, evals.sheet(made.run) if examples else None)
    if form == "promptfoo":
        return promptfoo(made.run, evals.kept(made.run))
    if form == "inspect":
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run.eval"
            write_inspect(path, made.run, made.metrics, evals.kept(made.run))
            return path.read_bytes()
    return msgspec.json.format(msgspec.json.encode(made), indent=2)


def opened(path: Path, form: Literal["inspect", "promptfoo"], *, column: int | None = None) -> Log:
    """A log of another program. Raises ConfigError."""
    return InspectLog(path) if form == "inspect" else PromptfooLog(path, prompt=column)


def _bad(line: Line) -> bool:
    scores = [score for found in line.scores.values() for score in found]
    return bool(line.failed) or any(score.failed or score.value is False for score in scores)


def _worst(evals: Evals, run: EvalRun, baseline: EvalRun, comparison: Comparison) -> tuple[Beside, ...]:
    """The worst of each scorer in turn, an example once."""
    rows = [list(found) for found in comparison.regressions.values()]
    names = list(comparison.regressions)
    picked: dict[str, str] = {}
    for rank in range(max(map(len, rows), default=0)):
        for name, found in zip(names, rows, strict=True):
            if rank < len(found) and len(picked) < _WORST:
                picked.setdefault(found[rank].example, name)
    ours: dict[str, Kept] = evals.kept_of(run, list(picked))
    theirs = evals.kept_of(baseline, list(picked))
    return tuple(
        Beside(scorer=scorer, candidate=ours[id], baseline=theirs[id])
        for id, scorer in picked.items()
        if id in ours and id in theirs
    )
