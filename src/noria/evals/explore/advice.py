"""Which adaptation the evidence speaks for, prompt, retrieval or fine-tuning; and where it does not tell.

Prompt: a way of asking is shown to be better than the plain question to the same model.
Retrieval: answers need words that neither the brief nor the input has, and those samples fail more often.
Fine-tuning: the best way of asking a model stays below the bar, though it was asked with examples.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import msgspec

from noria.core.example import Example
from noria.evals.comparison import Compared, Comparison, compare, together
from noria.evals.explore.candidates import fine_tunable
from noria.evals.explore.evidence import Evidence
from noria.evals.explore.exploration import ExploreSpec
from noria.evals.explore.verdict import Verdict, at_level, shown
from noria.scoring.reference import question, references
from noria.scoring.token_f1 import normalised
from noria.stats import interval

Stance = Literal["for", "against", "not told"]
NEW = 0.5
"""Share of an expected answer's words that were not given, from which it counts as knowledge."""
LEAST_EACH = 3
"""Samples of either kind under which nothing is compared."""
_WORD = re.compile(r"[^\W_]{3,}")


class Advice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the evidence says of one adaptation."""

    adaptation: Literal["prompt", "retrieval", "fine-tune"]
    stance: Stance
    sentence: str
    evidence: tuple[str, ...] = ()
    """Further sentences, each with its number."""
    needed: int | None = None
    """More samples that would probably settle it."""
    samples: tuple[str, ...] = ()


class Contrast(msgspec.Struct, frozen=True, kw_only=True):
    """One way of asking a model beside another way of asking the same one."""

    candidate: int
    baseline: int
    compared: Compared


def contrasts(found: Sequence[Evidence], measure: str, *, level: float) -> list[Contrast]:
    """Every other way beside the plain question, and most examples beside fewest; p adjusted over all."""
    pairs: list[tuple[int, int]] = []
    whole = [index for index, one in enumerate(found) if one.whole and one.quality is not None]
    for model in dict.fromkeys(found[index].arm.model for index in whole):
        mine = [index for index in whole if found[index].arm.model == model]
        plain = next((index for index in mine if found[index].arm.technique == "zero-shot"), None)
        shots = sorted((found[index].arm.shots, index) for index in mine if found[index].arm.shots)
        if plain is not None:
            pairs += [(index, plain) for index in mine if index != plain]
        if len(shots) > 1:
            pairs.append((shots[-1][1], shots[0][1]))
    made: list[Comparison] = together(
        [compare(found[a].sheet, found[b].sheet, level=level) for a, b in pairs]
    )
    return [
        Contrast(candidate=a, baseline=b, compared=one)
        for (a, b), each in zip(pairs, made, strict=True)
        for one in each.scorers
        if one.name == measure
    ]


def prompting(found: Sequence[Evidence], between: Sequence[Contrast]) -> Advice:
    """Whether examples or reasoning help."""
    those = [one for one in between if found[one.baseline].arm.technique == "zero-shot"]
    told = [_told(found, one) for one in those]
    better = [one for one in those if one.compared.verdict == "better"]
    if better:
        best = max(better, key=lambda one: abs(one.compared.difference.estimate or 0))
        sentence = (
            f"{found[best.candidate].arm.way} is shown to help {found[best.candidate].arm.model}: "
            + _by(best)
        )
        return Advice(adaptation="prompt", stance="for", sentence=sentence, evidence=tuple(told))
    if not those:
        sentence = "Only one way of asking was tried to its end, so that there is nothing to compare."
        return Advice(adaptation="prompt", stance="not told", sentence=sentence)
    needed = min((one.compared.needed for one in those if one.compared.needed), default=None)
    if all(one.compared.verdict == "worse" for one in those):
        sentence = "Every other way of asking is shown to be worse than the plain question."
        return Advice(adaptation="prompt", stance="against", sentence=sentence, evidence=tuple(told))
    sentence = "No other way of asking is shown to be better than the plain question" + (
        f"; about {needed:,} more samples would tell for the clearest of them." if needed else "."
    )
    return Advice(
        adaptation="prompt", stance="not told", sentence=sentence, evidence=tuple(told), needed=needed
    )


def retrieval(
    spec: ExploreSpec, samples: Sequence[Example], best: Evidence | None, *, level: float
) -> Advice:
    """By the words of the expected answers; labels that repeat, or that the brief lists, are no knowledge."""
    lacking = lacking_knowledge(spec, samples)
    rule = (
        f"A sample counts as needing knowledge that it was not given where at least {NEW:.0%} of the words "
        "(of three letters or more) of its expected answer are neither in its input nor in the brief."
    )
    known = [one for one in samples if one.expected is not None]
    if not known:
        sentence = (
            "No answers are expected, so that it is not told whether they need knowledge from elsewhere."
        )
        return Advice(adaptation="retrieval", stance="not told", sentence=sentence)
    count = f"{len(lacking)} of {len(known)} samples need words that they were not given"
    if not lacking:
        return Advice(adaptation="retrieval", stance="against", sentence=f"{count}.", evidence=(rule,))
    if best is None or len(lacking) < LEAST_EACH or len(known) - len(lacking) < LEAST_EACH:
        sentence = f"{count}; there are too few of one kind to compare how they do."
        return Advice(
            adaptation="retrieval", stance="not told", sentence=sentence, evidence=(rule,), samples=lacking
        )
    values = best.values(spec.measure)
    those = [values[id] for id in lacking if id in values]
    rest = [values[one.id] for one in known if one.id in values and one.id not in lacking]
    within, without = interval.mean(those, level=level), interval.mean(rest, level=level)
    sign = -1 if best.better == "lower" else 1
    apart = _below(within, without, sign=sign)
    sentence = (
        f"{count}; on them {best.arm.name} has {spec.measure} {shown(within)}, on the others "
        f"{shown(without)}, " + ("which is apart." if apart else "which is not told apart.")
    )
    return Advice(
        adaptation="retrieval",
        stance="for" if apart else "not told",
        sentence=sentence,
        evidence=(rule,),
        samples=lacking,
    )


def _below(one: interval.Interval, other: interval.Interval, *, sign: int) -> bool:
    """Whether one interval lies on the worse side of the other."""
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.high < other.low if sign > 0 else one.low > other.high


def lacking_knowledge(spec: ExploreSpec, samples: Sequence[Example]) -> tuple[str, ...]:
    """Ids of the samples whose expected answers hold mostly words that were not given."""
    counts = Counter(normalised(references(one)[0]) for one in samples if one.expected is not None)
    allowed = {normalised(one) for one in spec.brief.answers}
    told = _words(spec.brief.task)
    found: list[str] = []
    for one in samples:
        if one.expected is None:
            continue
        shares: list[float] = []
        for reference in references(one):
            words = _words(reference)
            label = counts[normalised(reference)] > 1 or normalised(reference) in allowed
            new = words - told - _words(question(one))
            shares.append(len(new) / len(words) if words and not label else 0.0)
        if min(shares) >= NEW:
            found.append(one.id)
    return tuple(found)


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}


def fine_tuning(
    spec: ExploreSpec,
    found: Sequence[Evidence],
    said: Sequence[Sequence[Verdict]],
    between: Sequence[Contrast],
    *,
    level: float,
) -> Advice:
    """For the candidates that can be fine-tuned; `said` are the verdicts of each arm."""
    tunable = {
        one.model
        for one in spec.candidates
        if not one.excluded and one.facts and all(fine_tunable(fact) for fact in one.facts)
    }
    bar = spec.brief.bar
    curve = learning(spec, found, between)
    if not tunable:
        sentence = "No candidate's card says that it can be fine-tuned."
        return Advice(adaptation="fine-tune", stance="against", sentence=sentence)
    if bar is None or not spec.measure:
        sentence = "Without a bar and a measured quality there is no gap that fine-tuning could close."
        return Advice(adaptation="fine-tune", stance="not told", sentence=sentence, evidence=tuple(curve))
    answers = {
        index: next((one for one in said[index] if one.question == "quality"), None)
        for index in range(len(found))
        if found[index].whole
    }
    reached = [index for index, one in answers.items() if one is not None and one.answer == "yes"]
    if reached:
        first = found[reached[0]].arm.name
        sentence = f"Asking alone reaches the bar of {bar:g} ({first}): there is no gap to close."
        return Advice(adaptation="fine-tune", stance="against", sentence=sentence, evidence=tuple(curve))
    tried = [index for index in answers if found[index].arm.model in tunable and found[index].arm.shots]
    missed = [index for index in tried if (one := answers[index]) is not None and one.answer == "no"]
    if tried and len(missed) == len(tried):
        best = _best(found, missed)
        quality = at_level(found[best], spec.measure, level=level)
        assert quality is not None, "its verdict was made of it"
        gap = abs(bar - (quality.estimate or 0.0))
        enough = _to_show(found[best], spec.measure, gap, level=spec.level)
        sentence = (
            f"With examples shown, {found[best].arm.name} has {shown(quality)}, {gap:.3g} from the bar of "
            f"{bar:g}, and no tunable model reaches it by asking."
        )
        settle = (
            f"To show at {spec.level:.0%} that a fine-tuned model closes that gap takes about {enough:,} "
            "test samples (paired, power 80 %)."
            if enough
            else "How many test samples would show that the gap is closed is not told: values do not vary."
        )
        caution = "How many training examples close it is not told by asking; only fine-tuning tells."
        return Advice(
            adaptation="fine-tune",
            stance="for",
            sentence=sentence,
            evidence=(settle, caution, *curve),
            needed=None if enough is None else max(enough - spec.samples, 0) or None,
        )
    needed = max((one.needed for one in answers.values() if one is not None and one.needed), default=None)
    sentence = (
        "Whether asking stays below the bar is not told"
        if tried
        else "No tunable model was asked with examples, which fine-tuning would have to beat"
    ) + (f"; about {needed:,} more samples would tell." if needed else ".")
    return Advice(
        adaptation="fine-tune", stance="not told", sentence=sentence, evidence=tuple(curve), needed=needed
    )


def learning(spec: ExploreSpec, found: Sequence[Evidence], between: Sequence[Contrast]) -> list[str]:
    """What more examples in the prompt change: the slope by doubling, and where it would reach the bar."""
    told: list[str] = []
    for one in between:
        few, many = found[one.baseline], found[one.candidate]
        if not few.arm.shots:
            continue
        difference = one.compared.difference
        doublings = math.log2(many.arm.shots / few.arm.shots)
        words = f"From {few.arm.shots} to {many.arm.shots} examples {many.arm.model} changes {_by(one)}"
        if one.compared.verdict != "better" or spec.brief.bar is None or difference.low is None:
            told.append(words)
            continue
        slope = abs(difference.estimate or 0.0) / doublings
        assert many.quality is not None, "it was compared"
        left = abs(spec.brief.bar - (many.quality.estimate or 0.0))
        if slope > 0 and 0 < left / slope <= 10:
            reach = many.arm.shots * 2 ** (left / slope)
            told.append(
                words[:-1]
                + f", {slope:.3g} a doubling; if that went on, about {reach:,.0f} examples would reach "
                "the bar, which is beyond what was measured."
            )
        else:
            told.append(words)
    return told


def _best(found: Sequence[Evidence], among: Sequence[int]) -> int:
    def value(index: int) -> float:
        quality = found[index].quality
        estimate = 0.0 if quality is None or quality.estimate is None else quality.estimate
        return -estimate if found[index].better == "lower" else estimate

    return max(among, key=value)


def _to_show(one: Evidence, measure: str, gap: float, *, level: float) -> int | None:
    """Test samples at which a paired test shows a gain of `gap`, by the spread of the values now."""
    from noria.stats.power import examples_needed

    values = list(one.values(measure).values())
    middle = math.fsum(values) / len(values)
    spread = math.sqrt(math.fsum((value - middle) ** 2 for value in values) / max(len(values) - 1, 1))
    return examples_needed(gap, spread, level=level) if spread and gap else None


def _told(found: Sequence[Evidence], one: Contrast) -> str:
    return f"{found[one.candidate].arm.name} beside {found[one.baseline].arm.way}: {_by(one)}"


def _by(one: Contrast) -> str:
    compared = one.compared
    p = "" if compared.p_adjusted is None else f", p {compared.p_adjusted:.2g} (Holm)"
    word = {"better": "better", "worse": "worse"}.get(compared.verdict, "not shown")
    return f"{compared.name} {_signed(compared.difference)} over {compared.n} samples{p}: {word}."


def _signed(one: interval.Interval) -> str:
    if one.estimate is None:
        return "by an unknown amount"
    if one.low is None or one.high is None:
        return f"by {one.estimate:+.3g} ({one.method})"
    return f"by {one.estimate:+.3g} [{one.low:+.3g}, {one.high:+.3g}]"
