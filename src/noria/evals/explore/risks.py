"""How hard the task looks and what may go wrong, each with the number that says so."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec

from noria.core.example import Example
from noria.evals.explore.evidence import Evidence
from noria.evals.explore.exploration import ExploreSpec
from noria.evals.explore.verdict import shown
from noria.scoring.reference import question, references
from noria.scoring.token_f1 import normalised

FEW = 30
"""Samples under which a share's 95 % interval is at least 0.3 wide in its middle (Wilson)."""
WIDE = 0.3
"""Width of a share's interval that leaves more open than it tells."""
FULL = 0.8
"""Share of a context that is nearly full."""


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One finding in a sentence, with the samples that it is about."""

    about: str
    sentence: str
    samples: tuple[str, ...] = ()


def complexity(spec: ExploreSpec, samples: Sequence[Example]) -> list[Said]:
    """What the samples themselves say."""
    lengths = sorted(len(question(one)) for one in samples)
    if not lengths:
        return []
    found = [
        Said(
            about="inputs",
            sentence=f"Inputs are {lengths[len(lengths) // 2]:,} characters long in the middle and "
            f"{lengths[-1]:,} at most, in {_fields(spec.fields)}.",
        )
    ]
    texts = [references(one)[0] for one in samples if one.expected is not None]
    if texts:
        counts = Counter(texts)
        most, number = counts.most_common(1)[0]
        found.append(
            Said(
                about="answers",
                sentence=f"{len(texts)} of {len(samples)} samples have an expected answer, {len(counts)} of "
                f"them different; always answering {_cut(most)} would be right on {number / len(texts):.0%}.",
            )
        )
    else:
        found.append(Said(about="answers", sentence="No sample has an expected answer."))
    return found


def risks(spec: ExploreSpec, samples: Sequence[Example], found: Sequence[Evidence]) -> list[Said]:
    """In the order of what touches most conclusions first."""
    said = [
        *_few(samples, found),
        *_unanswered(found),
        *_labels(samples),
        *_doubted(samples, found),
        *_cut_short(found),
        *_context(spec, found),
        *_prices(spec, found),
        *_languages(spec),
    ]
    if spec.barred:
        said.insert(0, Said(about="judge", sentence=spec.barred))
    return said


def _few(samples: Sequence[Example], found: Sequence[Evidence]) -> list[Said]:
    said: list[Said] = []
    if len(samples) < FEW:
        said.append(
            Said(
                about="few samples",
                sentence=f"{len(samples)} samples are few: a share of one half has a 95 % interval about "
                f"{_width(len(samples)):.2f} wide.",
            )
        )
    wide = [
        one
        for one in found
        if one.whole and one.quality is not None and one.quality.low is not None
        and one.quality.high is not None and one.quality.high - one.quality.low > WIDE
        and one.quality.low >= 0 and one.quality.high <= 1
    ]  # fmt: skip
    if wide:
        first = wide[0]
        assert first.quality is not None
        said.append(
            Said(
                about="wide intervals",
                sentence=f"{len(wide)} of {len(found)} intervals of quality are wider than {WIDE:g}, such as "
                f"that of {first.arm.name}: {shown(first.quality)}.",
            )
        )
    groups = {one.group for one in samples if one.group}
    grouped = sum(bool(one.group) for one in samples)
    if groups and len(groups) < grouped:
        said.append(
            Said(
                about="grouped samples",
                sentence=f"{grouped} samples come from {len(groups)} groups and depend on one another; "
                "intervals are by group.",
            )
        )
    return said


def _unanswered(found: Sequence[Evidence]) -> list[Said]:
    said = [Said(about="not run", sentence=f"{one.arm.name}: {one.message}") for one in found if not one.run]
    for one in found:
        if one.run and not one.whole:
            said.append(Said(about="not whole", sentence=f"{one.arm.name} is {one.state}: {_why(one)}"))
        elif one.failed or one.unscored:
            said.append(
                Said(
                    about="failures",
                    sentence=f"{one.arm.name}: {one.failed} of {one.answers} answers and {one.unscored} "
                    "scores of answers failed, and are left out of its numbers.",
                )
            )
    return said


def _why(one: Evidence) -> str:
    return one.message or f"{one.answers} answers so far."


def _labels(samples: Sequence[Example]) -> list[Said]:
    """The same input with different expected answers."""
    by_input: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in samples:
        if one.expected is not None:
            answers = "\0".join(sorted(map(normalised, references(one))))
            by_input[normalised(question(one))][answers].append(one.id)
    apart = [
        ids for answers in by_input.values() if len(answers) > 1 for of in answers.values() for ids in of
    ]
    if not apart:
        return []
    sentence = (
        f"{len(apart)} samples have the same input as others and different expected answers; no model can be "
        "right on all."
    )
    return [Said(about="labels that disagree", sentence=sentence, samples=tuple(sorted(apart)))]


def _doubted(samples: Sequence[Example], found: Sequence[Evidence]) -> list[Said]:
    """Where every model gives the same answer, and it is not the expected one."""
    by_model: dict[str, Evidence] = {}
    for one in found:
        if one.whole and one.said:
            by_model.setdefault(one.arm.model, one)
    if len(by_model) < 2:
        return []
    doubted: list[str] = []
    for sample in samples:
        if sample.expected is None:
            continue
        said = {one.said.get(sample.id) for one in by_model.values()}
        if len(said) == 1 and (answer := said.pop()) and answer not in map(normalised, references(sample)):
            doubted.append(sample.id)
    if not doubted:
        return []
    sentence = (
        f"On {len(doubted)} samples all {len(by_model)} models give one and the same answer, and not the "
        "expected one: look whether these labels are right."
    )
    return [Said(about="doubtful labels", sentence=sentence, samples=tuple(doubted))]


def _cut_short(found: Sequence[Evidence]) -> list[Said]:
    return [
        Said(
            about="cut answers",
            sentence=f"{one.arm.name}: {one.cut} of {one.answers} answers ended at the most tokens that they "
            "may have; raise max_tokens or reasoning_tokens.",
        )
        for one in found
        if one.cut
    ]


def _context(spec: ExploreSpec, found: Sequence[Evidence]) -> list[Said]:
    contexts = {
        one.model: min((fact.context for fact in one.facts if fact.context is not None), default=None)
        for one in spec.candidates
    }
    said: list[Said] = []
    for one in found:
        context = contexts.get(one.arm.model)
        if context is not None and one.most_tokens >= FULL * context:
            said.append(
                Said(
                    about="context nearly full",
                    sentence=f"{one.arm.name}: the longest input with its answer is {one.most_tokens:,} of "
                    f"{context:,} tokens.",
                )
            )
    return said


def _prices(spec: ExploreSpec, found: Sequence[Evidence]) -> list[Said]:
    unknown = list(dict.fromkeys(one.arm.model for one in found if one.run and one.unknown))
    said: list[Said] = []
    if unknown:
        calls = sum(one.unknown for one in found)
        said.append(
            Said(
                about="price unknown",
                sentence=f"The cost of {calls} calls is not known ({', '.join(unknown)}): give these models "
                "a `price` in noria.toml.",
            )
        )
    for one in spec.candidates:
        if one.unknown and not one.excluded:
            said.append(Said(about="card unknown", sentence=f"{one.model}: {'; '.join(one.unknown)}."))
    return said


def _languages(spec: ExploreSpec) -> list[Said]:
    if not spec.brief.languages:
        return []
    models = ", ".join(one.model for one in spec.candidates if not one.excluded) or "none"
    return [
        Said(
            about="languages",
            sentence=f"{', '.join(spec.brief.languages)}: cards do not state which languages a model covers "
            f"({models}), so that only the samples tell.",
        )
    ]


def _width(n: int) -> float:
    from noria.stats.interval import share

    found = share(n // 2, n)
    return 0.0 if found.low is None or found.high is None else found.high - found.low


def _fields(names: Sequence[str]) -> str:
    return f"{len(names)} fields ({', '.join(names)})" if len(names) != 1 else f"one field ({names[0]})"


def _cut(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
