"""An exploration's arms and candidates as rows of words, for every form of the report."""

from __future__ import annotations

from collections.abc import Sequence

from noria.evals.explore.candidates import Candidate, Facts
from noria.evals.explore.exploration import ExploreSpec
from noria.evals.explore.report import ExploreReport, Finding
from noria.evals.explore.verdict import shown

ARMS = ("way", "quality", "$ of 1,000 calls", "latency p50 / p95", "failed", "place")
CANDIDATES = ("model", "licence", "parameters", "context", "price in / out", "of", "runs", "tried")


def arm_rows(made: ExploreReport) -> list[tuple[str, ...]]:
    """A row an arm."""
    return [_arm(made, one) for one in made.findings]


def _arm(made: ExploreReport, one: Finding) -> tuple[str, ...]:
    found = one.evidence
    if not found.run:
        return (found.arm.name, found.message, "", "", "", "")
    quality = "not measured" if found.quality is None else shown(found.quality)
    if found.quality is None and found.agreement is not None:
        quality = f"not measured; answers agree {shown(found.agreement)}"
    times = "" if found.p50 is None or found.p95 is None else f"{found.p50:.3g} s / {found.p95:.3g} s"
    failed = f"{found.failed} of {found.answers}" + (f", {found.unscored} scores" if found.unscored else "")
    state = "" if found.whole else f"{found.state}, not whole: "
    cost = "not known" if found.cost is None else shown(found.cost, unit="$")
    return (found.arm.name, quality, cost, times, failed, state + place_of(made, one))


def place_of(made: ExploreReport, one: Finding) -> str:
    """Where it stands, beside whom."""
    place = one.place
    if place.by is None:
        return "on the front" if place.standing == "front" else place.standing
    name = made.findings[place.by].evidence.arm.name
    return f"{'dominated by' if place.standing == 'dominated' else 'not told apart from'} {name}"


def candidate_rows(spec: ExploreSpec) -> list[tuple[str, ...]]:
    """A row for each model that may answer."""
    return [_candidate(one, facts) for one in spec.candidates for facts in one.facts]


def _candidate(one: Candidate, facts: Facts) -> tuple[str, ...]:
    name = one.model if one.model == facts.model else f"{one.model} → {facts.model}"
    why = "no: " + "; ".join(one.excluded) if one.excluded else "yes"
    return (
        name,
        "not known" if facts.licence is None else f"{facts.licence} ({facts.licence_kind})",
        "not known" if facts.parameters is None else f"{facts.parameters:,}",
        "not known" if facts.context is None else f"{facts.context:,}",
        price(facts),
        facts.price_date or "",
        "here" if facts.local else facts.region or "region not stated",
        why + (f"; not known: {'; '.join(one.unknown)}" if one.unknown else ""),
    )


def price(facts: Facts) -> str:
    """US dollars for a million tokens in and out."""
    if facts.price_input is None or facts.price_output is None:
        return "not known"
    if not facts.price_input and not facts.price_output:
        return "free"
    return f"${facts.price_input.normalize():f} / ${facts.price_output.normalize():f}"


def method(made: ExploreReport) -> Sequence[str]:
    """How the numbers were made, in sentences."""
    spec = made.exploration.spec
    repeats = f"{spec.repeats} answers each" if spec.repeats > 1 else "one answer each"
    said = [
        f"{spec.samples} samples of {spec.dataset.shown} (content {spec.dataset.digest[:19]}), {repeats}, "
        f"seed {spec.seed}, {spec.concurrency} calls at a time, which latency is measured under.",
        f"Quality: {spec.measure or 'not measured'}. {spec.why_measure}",
        f"Intervals of the table are at {spec.level:.0%} each. What is held against a bar or limit is at "
        f"{made.corrected:.2%}, so that all of them together hold at {spec.level:.0%} (Bonferroni).",
        "The front: a way is dominated only where another is shown to be better in quality, and better or "
        "exactly equal in cost and latency (paired tests, Holm over all pairs); else it is not told apart.",
        f"Spent: ${made.spent:f}"
        + (f" and {made.unknown:,} calls of unknown cost." if made.unknown else ".")
        + " An answer that an earlier run has paid for is used again.",
    ]
    if any(arm.shots for arm in spec.arms):
        said.insert(
            1,
            "Few-shot shows each sample others than itself, and none with the same input or of the same "
            "group (leave-one-out), fewer where there are no more such; different answers come first.",
        )
    return said
