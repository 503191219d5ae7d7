"""The quality and repetition rules of MassiveText."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from noria.core.example import Example
from noria.datasets.curation.fields import TEXTS, text_of
from noria.datasets.curation.step import Drop, Outcome, Tools, Work, each
from noria.text import repetition

_STOP_WORDS = frozenset(("the", "be", "to", "of", "and", "that", "have", "with"))
_TOP = {2: 0.20, 3: 0.18, 4: 0.16}
_DUPLICATE = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}


class Gopher(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Drops documents by the rules of MassiveText, for English web pages and the like: not for single
    questions.

    Every default is a threshold of Rae et al. 2021, "Scaling Language Models", appendix A.1.1 and table A1.
    """

    least_words: int = 50
    most_words: int = 100_000
    shortest_mean: float = 3.0
    """Mean length of a word, characters."""
    longest_mean: float = 10.0
    symbols: float = 0.1
    """Most of `#` and `…` a word, each."""
    bullets: float = 0.9
    """Most lines that begin with a bullet, as a share."""
    ellipses: float = 0.3
    """Most lines that end with an ellipsis."""
    alphabetic: float = 0.8
    """Least words with a letter."""
    stop_words: int = 2
    """How many of the, be, to, of, and, that, have, with must occur."""
    repetition: bool = True
    """Also the rules on repeated lines, paragraphs and n-grams."""
    fields: tuple[str, ...] = TEXTS
    version: ClassVar[str] = "1"

    def open(self, tools: Tools) -> Work:
        def judge(example: Example) -> Outcome:
            text = text_of(example, self.fields)
            return self._quality(text) or (self._repetition(text) if self.repetition else None) or example

        return each(judge)

    def _quality(self, text: str) -> Drop | None:
        words = text.split()
        if not self.least_words <= len(words) <= self.most_words:
            return Drop("gopher: words", {"words": len(words)})
        mean = sum(map(len, words)) / len(words)
        if not self.shortest_mean <= mean <= self.longest_mean:
            return Drop("gopher: word length", {"mean": round(mean, 2)})
        for symbol, count in (("#", text.count("#")), ("…", text.count("...") + text.count("…"))):
            if count / len(words) > self.symbols:
                return Drop("gopher: symbols", {"symbol": symbol, "share": round(count / len(words), 3)})
        lines = text.splitlines()
        bullets = sum(line.lstrip().startswith(("•", "-", "*", "‣")) for line in lines) / len(lines)
        if bullets > self.bullets:
            return Drop("gopher: bullets", {"share": round(bullets, 3)})
        ellipses = sum(line.rstrip().endswith(("...", "…")) for line in lines) / len(lines)
        if ellipses > self.ellipses:
            return Drop("gopher: ellipses", {"share": round(ellipses, 3)})
        alphabetic = sum(word.isalpha() or any(map(str.isalpha, word)) for word in words) / len(words)
        if alphabetic < self.alphabetic:
            return Drop("gopher: alphabetic words", {"share": round(alphabetic, 3)})
        found = len(_STOP_WORDS.intersection(word.lower() for word in words))
        if found < self.stop_words:
            return Drop("gopher: stop words", {"found": found})
        return None

    def _repetition(self, text: str) -> Drop | None:
        for what, found, most, most_characters in (
            ("paragraphs", repetition.paragraphs(text), 0.30, 0.20),
            ("lines", repetition.lines(text), 0.30, 0.20),
        ):
            if found.of_all > most or found.of_characters > most_characters:
                measured = {"share": round(found.of_all, 3), "characters": round(found.of_characters, 3)}
                return Drop(f"gopher: repeated {what}", measured)
        words = text.split()
        for n, most in _TOP.items():
            share = repetition.top_ngram(words, n, len(text))
            if share > most:
                return Drop("gopher: repeated words", {"n": n, "characters": round(share, 3)})
        for n, most in _DUPLICATE.items():
            share = repetition.duplicate_ngrams(words, n, len(text))
            if share > most:
                return Drop("gopher: repeated words", {"n": n, "characters": round(share, 3)})
            if not share:
                return None  # Longer n-grams repeat no more than shorter ones.
        return None
