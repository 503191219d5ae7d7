"""An exploration's report as Markdown."""

from __future__ import annotations

from noria.evals.explore.report import ExploreReport
from noria.evals.explore.table import ARMS, CANDIDATES, arm_rows, candidate_rows, method
from noria.evals.report.markdown import cell, rows_of


def markdown(made: ExploreReport) -> str:
    """The conclusion first, then what it is made of."""
    one = made.exploration
    spec = one.spec
    title = spec.brief.title or f"{spec.dataset.name}"
    lines = [f"## {cell(title)}: {made.feasible}" if spec.kind == "exploration" else f"## {cell(title)}", ""]
    if spec.kind == "exploration":
        lines += [cell(made.sentence), ""]
    lines += [f"`{one.id}`, {one.state}, over {cell(spec.dataset.shown)}.", ""]
    lines += ["### What was measured", "", *rows_of(ARMS, arm_rows(made)), ""]
    for finding in made.findings:
        lines += [
            f"- {cell(finding.evidence.arm.name)}: **{verdict.question} {verdict.answer}**. "
            f"{cell(verdict.sentence)}"
            for verdict in finding.verdicts
        ]
    if made.advice:
        lines += ["", "### Which adaptation", ""]
        for advice in made.advice:
            lines.append(f"- **{advice.adaptation}: {advice.stance}**. {cell(advice.sentence)}")
            lines += [f"  - {cell(sentence)}" for sentence in advice.evidence]
    for name, said in (("Complexity", made.complexity), ("Risks", made.risks)):
        if said:
            lines += ["", f"### {name}", ""]
            lines += [f"- **{cell(each.about)}**: {cell(each.sentence)}" for each in said]
    lines += ["", "### Candidates", "", *rows_of(CANDIDATES, candidate_rows(spec)), ""]
    lines += ["### Method", "", *(f"- {cell(sentence)}" for sentence in method(made))]
    return "\n".join(lines) + "\n"
