"""Multiple choice: which of the choices the answer takes, by its letter, its text or its likelihood."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from noria.scoring.factory import Unscorable, factory
from noria.scoring.reference import text_of
from noria.scoring.scorer import Described, Output, Score, Scorer

By = Literal["auto", "text", "likelihood"]
Normalise = Literal["none", "tokens", "bytes"]
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NAMED = re.compile(
    r"(?:answer|choice|option)\W{0,4}\s*(?:is|:)\W{0,5}\(?([A-Z])\)?(?![A-Za-z])", re.IGNORECASE
)
_LEADING = re.compile(r"\W{0,3}\(?([A-Z])(?:\)|\.|:|,|\s|$)")


@factory(Described(name="choice", kind="share"))
def choice(*, by: By = "auto", normalise: Normalise = "none", choices: str = "choices") -> Scorer:
    """Whether the right choice is taken. The metadata holds the choices, `expected` the right ones' text,
    letter or number from 0.

    By likelihood, the target's data has under "logprobs" the log-probability of each choice, and under
    "tokens" their counts where it is normalised by them; "auto" takes that where it is there.
    """

    async def score(output: Output) -> Sequence[Score]:
        texts = choices_of(output, choices)
        right = right_ones(output.example.expected, texts)
        taken = chosen(output, texts, by=by, normalise=normalise)
        if taken is None:
            return (Score(name="choice", value=False, reason="the answer names no single choice"),)
        return (
            Score(
                name="choice",
                value=taken in right,
                reason=f"took {_LETTERS[taken] if taken < 26 else taken}",
                details={"taken": taken},
            ),
        )

    return score


def choices_of(output: Output, name: str = "choices") -> list[str]:
    """Of the example's metadata. Raises Unscorable."""
    found = output.example.metadata.get(name)
    if not isinstance(found, list) or len(found) < 2:
        raise Unscorable(f"Example {output.example.id} has no list {name!r} of choices in its metadata.")
    return [text_of(one) for one in found]


def right_ones(expected: Any, texts: Sequence[str]) -> set[int]:
    """Places of the right choices. Raises Unscorable where `expected` is none of them."""
    found: set[int] = set()
    for one in expected if isinstance(expected, list) else [expected]:
        if isinstance(one, int) and not isinstance(one, bool) and 0 <= one < len(texts):
            found.add(one)
        elif isinstance(one, str) and one in texts:
            found.add(texts.index(one))
        elif isinstance(one, str) and len(one.strip()) == 1 and one.strip().upper() in _LETTERS[: len(texts)]:
            found.add(_LETTERS.index(one.strip().upper()))
        else:
            raise Unscorable(f"The expected answer {text_of(one)[:60]!r} is none of the choices.")
    return found


def chosen(
    output: Output, texts: Sequence[str], *, by: By = "auto", normalise: Normalise = "none"
) -> int | None:
    """The place of the choice that is taken; None: none, or several. Raises Unscorable."""
    has = isinstance(output.data, Mapping) and "logprobs" in output.data
    if by == "likelihood" or (by == "auto" and has):
        likely = likelihoods(output, texts, normalise=normalise)
        return max(range(len(likely)), key=likely.__getitem__)
    return named(output.text, texts)


def likelihoods(output: Output, texts: Sequence[str], *, normalise: Normalise = "none") -> list[float]:
    """Log-probability of each choice. Raises Unscorable."""
    data: Any = output.data if isinstance(output.data, Mapping) else {}
    found, counts = data.get("logprobs"), data.get("tokens")
    if not isinstance(found, list) or len(found) != len(texts):
        raise Unscorable(f"The target gave no log-probability for each of the {len(texts)} choices.")
    if any(isinstance(one, bool) or not isinstance(one, int | float) or one != one for one in found):
        raise Unscorable("A log-probability is not a number.")
    if normalise == "none":
        return [float(one) for one in found]
    if normalise == "bytes":
        counts = [len(text.encode()) for text in texts]
    if not isinstance(counts, list) or len(counts) != len(texts) or not all(counts):
        raise Unscorable("The target did not say how many tokens each choice has.")
    return [float(one) / count for one, count in zip(found, counts, strict=True)]


def named(text: str, texts: Sequence[str]) -> int | None:
    """The choice that a text names: by "Answer: B", a letter at its start, or the choice's own words."""
    letters = _LETTERS[: len(texts)]
    stripped = text.strip()
    if stripped in texts:
        return texts.index(stripped)
    spoken = {match.upper() for match in _NAMED.findall(text)} & set(letters)
    if len(spoken) == 1:
        return letters.index(spoken.pop())
    first = _LEADING.match(stripped)
    # "A" alone may be the article: only what is set off as a letter counts, or stands by itself.
    if first and first[1] in letters and (first[1] not in "AI" or not re.match(r"\W*[AI]\s+\w", stripped)):
        return letters.index(first[1])
    plain = text.casefold()
    within = [place for place, one in enumerate(texts) if one.strip() and one.strip().casefold() in plain]
    # A choice inside another one that is there too ("Paris", "Paris, Texas") does not count by itself.
    longest = [
        place
        for place in within
        if not any(
            place != other and texts[place].strip().casefold() in texts[other].strip().casefold()
            for other in within
        )
    ]
    return longest[0] if len(longest) == 1 else None
