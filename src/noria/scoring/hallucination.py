"""Numbers and names in the answer that its context does not hold: cheap, and blind to all else.

What is said wrongly in words that are there ("sold" for "bought") is for `judge.faithfulness`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from noria.scoring.factory import Unscorable, factory
from noria.scoring.judge.listed import context_of
from noria.scoring.reference import question
from noria.scoring.scorer import Described, Output, Score, Scorer

_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*(?![\w])")
_NAME = re.compile(
    r"(?<![\w'’-])[^\W\d_a-zà-öø-ÿ][\w'’-]*(?:\s+(?:of|de|van|von|der|the)?\s?[^\W\d_a-zà-öø-ÿ][\w'’-]*)*"
)
_SENTENCE = re.compile(r"(?:^|[.!?:\n]\s*|[\"“(•*-]\s*)$")
_BEFORE = 50
_SPELLED = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "ten": "10", "eleven": "11", "twelve": "12",
}  # fmt: skip


@factory(
    Described(name="hallucination", kind="share", better="lower"),
    Described(name="hallucination.numbers", kind="share", better="lower"),
    Described(name="hallucination.names", kind="share", better="lower"),
)
def hallucination(*, with_question: bool = True) -> Scorer:
    """Whether the answer has a number, or a name, that neither the context nor the question has."""

    async def score(output: Output) -> Sequence[Score]:
        source = "\n".join(context_of(output))
        if with_question:
            source += "\n" + question(output.example)
        if not output.text.strip():
            raise Unscorable("The answer is empty.")
        numbers = sorted(numbers_in(output.text) - numbers_in(source))
        plain = folded(source)
        names = [one for one in names_in(output.text) if not _held(one, plain)]
        lacking = [*numbers, *names]
        return (
            Score(name="hallucination", value=bool(lacking), reason=", ".join(lacking)[:300]),
            Score(name="hallucination.numbers", value=bool(numbers), reason=", ".join(numbers)[:300]),
            Score(name="hallucination.names", value=bool(names), reason=", ".join(names)[:300]),
        )

    return score


def numbers_in(text: str) -> set[str]:
    """Without separators of thousands and trailing zeros; small ones also where they are spelled out."""
    found: set[str] = set()
    for match in _NUMBER.findall(text):
        plain = match if re.fullmatch(r"\d+\.\d+", match) else re.sub(r"[.,](?=\d{3}(?!\d))", "", match)
        plain = plain.replace(",", ".")
        found.add(plain.rstrip("0").rstrip(".") if "." in plain else plain.lstrip("0") or "0")
    words = re.findall(r"[a-z]+", text.lower())
    return found | {_SPELLED[word] for word in words if word in _SPELLED}


def names_in(text: str) -> list[str]:
    """Runs of capitalised words; a single one at the start of a sentence does not count."""
    found: list[str] = []
    for match in _NAME.finditer(text):
        words = match[0].split()
        # What decides stands right before it; from the text's start on, many names would take for ever.
        if _SENTENCE.search(text[max(0, match.start() - _BEFORE) : match.start()]):
            words = words[1:]
        if words and not (len(words) == 1 and len(words[0]) < 2):
            found.append(" ".join(words))
    return found


def folded(text: str) -> str:
    """Lower case, without accents and punctuation."""
    bare = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return " ".join(re.findall(r"\w+", bare.casefold()))


def _held(name: str, source: str) -> bool:
    """Whether each of the name's words is in the source, also as a part ("Panther" of "Panthers")."""
    return all(word in source for word in folded(name).split() if len(word) > 2)
