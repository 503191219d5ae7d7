"""The rules of C4."""

from __future__ import annotations

import re
from typing import ClassVar

import msgspec

from noria.core.example import Example
from noria.datasets.curation.fields import TEXTS, Path, replaced, text_of, texts
from noria.datasets.curation.step import Changed, Drop, Outcome, Tools, Work, each

_ENDS = (".", "!", "?", '"', "”", "。", "！", "？")
_SENTENCE = re.compile(r"[.!?。！？][\"”')\]]*(?:\s|$)")
_POLICY = (
    "terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies",
)  # fmt: skip


class C4(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Removes lines that are no sentences, and drops what is then too short: for web pages.

    Raffel et al. 2020, "Exploring the Limits of Transfer Learning", section 2.2, gives every rule and
    default. Its list of bad words is the step `toxicity`.
    """

    sentences: int = 3
    """A page with fewer is dropped."""
    words: int = 5
    """A line with fewer is removed."""
    braces: bool = True
    """Pages with a curly bracket, which are mostly code, are dropped."""
    fields: tuple[str, ...] = TEXTS
    version: ClassVar[str] = "1"

    def open(self, tools: Tools) -> Work:
        def judge(example: Example) -> Outcome:
            whole = text_of(example, self.fields)
            if "lorem ipsum" in whole.lower():
                return Drop("c4: lorem ipsum")
            if self.braces and "{" in whole:
                return Drop("c4: curly bracket")
            reasons: dict[str, None] = {}
            new: dict[Path, str] = {}
            for path, text in texts(example, self.fields):
                kept = self._lines(text, reasons)
                if kept != text:
                    new[path] = kept
            after = replaced(example, new)
            sentences = len(_SENTENCE.findall(text_of(after, self.fields)))
            if sentences < self.sentences:
                return Drop("c4: sentences", {"sentences": sentences})
            return Changed(after, tuple(reasons)) if new else example

        return each(judge)

    def _lines(self, text: str, reasons: dict[str, None]) -> str:
        kept: list[str] = []
        for line in text.split("\n"):
            reason = self._refused(line.strip())
            if reason is None:
                kept.append(line)
            elif line.strip():
                reasons[reason] = None
        return "\n".join(kept)

    def _refused(self, line: str) -> str | None:
        if not line.endswith(_ENDS) or line.endswith("..."):
            return "c4: no end mark"
        if len(line.split()) < self.words:
            return "c4: short line"
        lower = line.lower()
        if "javascript" in lower:
            return "c4: javascript"
        return "c4: policy" if any(words in lower for words in _POLICY) else None
