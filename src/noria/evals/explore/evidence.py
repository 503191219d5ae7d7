"""What an arm's run shows: quality, cost and latency with intervals, and how its answers ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import combinations

import msgspec

from noria.evals.answer import Answer
from noria.evals.explore.arm import Arm
from noria.evals.metrics import Better, measure, quantile
from noria.evals.run import EvalRun
from noria.evals.sheet import Line, Sheet, groups_of, sheet
from noria.evals.store import Kept
from noria.scoring.scorer import Described
from noria.scoring.token_f1 import f1, normalised
from noria.stats import interval
from noria.stats.interval import Interval

LEVEL = 0.95


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Of one arm, as far as its run has come."""

    arm: Arm
    run: str = ""
    """Id of the EvalRun; "": it was not begun, and `message` says why."""
    state: str = ""
    sound: bool = True
    message: str = ""
    answers: int = 0
    failed: int = 0
    """Answers that there are none of."""
    unscored: int = 0
    """Answers whose score failed."""
    cut: int = 0
    """Answers that ended at the most tokens that they may have."""
    quality: Interval | None = None
    better: Better = "higher"
    cost: Interval | None = None
    """US dollars of a thousand calls; None: a price is not known."""
    latency: Interval | None = None
    """Seconds of an answer, the mean."""
    p50: float | None = None
    """Seconds."""
    p95: float | None = None
    input_tokens: int = 0
    """Of the longest input."""
    most_tokens: int = 0
    """Of the longest input with its answer."""
    agreement: Interval | None = None
    """Share of pairs of answers to one sample that say the same; None: one answer each."""
    alike: Interval | None = None
    """The same by overlap of words (F1), for answers that are never word for word the same."""
    spent: Decimal = Decimal(0)
    unknown: int = 0
    """Calls whose cost is not known."""
    sheet: Sheet
    said: dict[str, str] = {}
    """The first answer to each sample, without case, punctuation and articles."""

    @property
    def whole(self) -> bool:
        """Whether it may be concluded from."""
        return self.state == "done" and self.sound

    def values(self, name: str) -> dict[str, float]:
        """A number for each sample."""
        return {line.id: value for line in self.sheet.lines if (value := line.value(name)) is not None}


def absent(arm: Arm, why: str) -> Evidence:
    """Of an arm that was not run."""
    return Evidence(arm=arm, message=why, state="not run", sheet=Sheet(measures=(), lines=()))


def evidence(
    arm: Arm, run: EvalRun, kept: Iterable[Kept], *, described: Described | None, level: float = LEVEL
) -> Evidence:
    """`described` is what the quality is; None: it is not measured."""
    rows = list(kept)
    found = sheet(rows, [] if described is None else [described])
    if described is not None:
        found = msgspec.structs.replace(found, measures=(described,))
    lines = found.lines
    answered = [answer for one in rows for answer in one.answers if not answer.failed]
    quality = None if described is None else measure(lines, described, level=level)
    latencies = sorted(value for line in lines for value in line.latency)
    agreement, alike = _agreement(rows, lines, level=level)
    sizes = [one.usage for one in answered if one.usage is not None and one.usage.provenance != "none"]
    return Evidence(
        arm=arm,
        run=run.id,
        state=run.state,
        sound=run.sound,
        message=run.message,
        answers=run.progress.answered,
        failed=run.progress.failed,
        unscored=0 if quality is None else quality.failed - run.progress.failed,
        cut=sum(_cut(one) for one in answered),
        quality=None if quality is None else quality.interval,
        better="higher" if quality is None else quality.better,
        cost=_cost(lines, level=level),
        latency=_mean(lines, [line.latency for line in lines], level=level),
        p50=quantile(latencies, 0.5) if latencies else None,
        p95=quantile(latencies, 0.95) if latencies else None,
        input_tokens=max((one.input for one in sizes), default=0),
        most_tokens=max((one.input + one.output for one in sizes), default=0),
        agreement=agreement,
        alike=alike,
        spent=run.progress.cost,
        unknown=run.progress.unknown,
        sheet=found,
        said={one.example.id: normalised(one.answers[0].text) for one in rows if _has(one.answers)},
    )


def _has(answers: Sequence[Answer]) -> bool:
    return bool(answers) and not answers[0].failed


def _cut(answer: Answer) -> bool:
    choices = () if answer.response is None else answer.response.choices
    return any(choice.stop_reason == "length" for choice in choices)


def _mean(lines: Sequence[Line], values: Sequence[Sequence[float]], *, level: float) -> Interval | None:
    """Over samples, each the mean of its repeats."""
    some = [(line, sum(of) / len(of)) for line, of in zip(lines, values, strict=True) if of]
    if not some:
        return None
    return interval.mean(
        [value for _, value in some], groups=groups_of([line for line, _ in some]), level=level
    )


def _cost(lines: Sequence[Line], *, level: float) -> Interval | None:
    """Of a thousand calls."""
    if any(len(line.cost) < len(line.latency) for line in lines):
        return None
    return _mean(lines, [[1000 * one for one in line.cost] for line in lines], level=level)


def _agreement(
    rows: Sequence[Kept], lines: Sequence[Line], *, level: float
) -> tuple[Interval | None, Interval | None]:
    same: list[float] = []
    alike: list[float] = []
    of: list[Line] = []
    for one, line in zip(rows, lines, strict=True):
        texts = [answer.text for answer in one.answers if not answer.failed]
        pairs = list(combinations(texts, 2))
        if pairs:
            of.append(line)
            same.append(sum(normalised(a) == normalised(b) for a, b in pairs) / len(pairs))
            alike.append(sum(_overlap(a, b) for a, b in pairs) / len(pairs))
    if not of:
        return None, None
    groups = groups_of(of)
    return (
        interval.mean(same, groups=groups, level=level),
        interval.mean(alike, groups=groups, level=level),
    )


def _overlap(a: str, b: str) -> float:
    return 1.0 if normalised(a) == normalised(b) else f1(a, b)
