"""English typos, corrected only where there is one likely reading, and never in names, numbers or code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib.resources import as_file, files
from typing import Any, NamedTuple

from noria.errors import MissingExtra

_PROTECTED = re.compile(
    r"```[\s\S]*?(?:```|\Z)"  # fenced code
    r"|`[^`\n]*`"  # code within a line
    r"|^(?: {4}|\t).*$"  # indented code
    r"|\$\$[\s\S]*?\$\$|\$[^$\n]+\$|\\[a-zA-Z]+(?:\{[^}\n]{0,2000}\})?"  # formulas
    r"|\{\{.{0,2000}?\}\}|\{%.{0,2000}?%\}|<[^<>\n]{1,200}>"  # templates and tags
    r"|\b[a-z][a-z0-9+.-]{0,20}://\S+|\bwww\.\S+"  # addresses
    # Bounded, since the search begins anew at every letter of a text without spaces.
    r"|\S{0,64}[/\\_#@=(){}\[\]|~^]\S*"  # paths, identifiers, calls, mentions
    r"|\b\w++(?:[.-]\w++)+"  # file names, versions, compounds
    r"|\S{0,64}\d\S*"  # anything with a number
    r"|\b\w++['’]\w+",  # contractions
    re.MULTILINE,
)
_WORD = re.compile(r"\b[a-z]{4,30}\b")
"""Lower case only: a word with a capital may be a name."""
_LEAST = 500_000
"""Occurrences, in the dictionary's corpus, of a word that is a correction."""
_TIMES = 10
"""By how much it must be commoner than the next."""


_CONTRACTIONS = {
    "aint", "arent", "cant", "couldnt", "couldve", "didn", "didnt", "doesn", "doesnt", "dont", "hadnt",
    "hasnt", "havent", "havnt", "hes", "isn", "isnt", "itll", "ive", "lets", "mightnt", "mustnt", "neednt",
    "shes", "shouldnt", "shouldve", "thats", "theres", "theyll", "theyre", "theyve", "wasn", "wasnt", "wed",
    "werent", "whats", "wheres", "whos", "wont", "wouldn", "wouldnt", "wouldve", "youd", "youll", "youre",
    "youve",
}  # fmt: skip
"""Without their apostrophes, which are not letters to insert."""
_VARIANTS = [
    (re.compile(pattern), american)
    for pattern, american in (
        ("our", "or"), ("tre(?=s?$)", "ter"), ("ll(?=ed|ing|er|or|ment)", "l"), ("enc(?=e)", "ens"),
        ("ium", "um"), ("is(?=e|ing|ation)", "iz"), ("ys(?=e)", "yz"), ("ogue", "og"), ("ae", "e"),
        ("oe", "e"), ("mme", "m"), ("ey(?=s?$)", "y"), ("ement", "ment"), ("mould", "mold"),
        ("cheque", "check"), ("grey", "gray"),
    )
]  # fmt: skip


class Typo(NamedTuple):
    """One correction."""

    before: str
    after: str


def protected(text: str) -> list[tuple[int, int]]:
    """Spans that are never touched."""
    return [found.span() for found in _PROTECTED.finditer(text)]


def corrector(*, known: Iterable[str] = ()) -> Callable[[str], tuple[str, list[Typo]]]:
    """A function that gives a text corrected, and what was corrected. Words in `known` are right.

    A word is corrected that the dictionary of symspellpy (82,765 English words with frequencies) lacks, where
    one edit (Damerau: insert, delete, replace, swap) makes a common word of it and any other such word is ten
    times rarer. Raises MissingExtra.
    """
    speller, nearest = _speller()
    right = {word.lower() for word in known}

    @lru_cache(maxsize=65_536)
    def correction(word: str) -> str | None:
        if word in right or word in speller.words:
            return None
        found = speller.lookup(word, nearest, max_edit_distance=1)
        if not found or found[0].count < _LEAST:
            return None
        if len(found) > 1 and found[0].count < _TIMES * found[1].count:
            return None
        term: str = found[0].term
        return None if _other_word(word, term, speller.words) else term

    def corrected(text: str) -> tuple[str, list[Typo]]:
        typos: list[Typo] = []
        parts: list[str] = []
        at = 0

        def put(found: re.Match[str]) -> str:
            after = correction(found[0])
            if after is None:
                return found[0]
            typos.append(Typo(found[0], after))
            return after

        for start, end in [*protected(text), (len(text), len(text))]:
            parts += (_WORD.sub(put, text[at:start]), text[start:end])
            at = end
        return ("".join(parts), typos) if typos else (text, typos)

    return corrected


def _other_word(word: str, term: str, words: dict[str, int]) -> bool:
    """Whether it is rather a right word that the dictionary lacks."""
    if word in _CONTRACTIONS or word[0] != term[0]:
        return True  # Few typos are in the first letter (Yannakoudakis and Fawthrop 1983, section 4).
    if word.startswith(term) or term.startswith(word):
        return True  # A letter more or less at the end is an inflection or a shortening: "crypto", "crypt".
    if _american(word) == _american(term):
        return True  # The dictionary is British.
    for ending in ("s", "es", "ed", "ing", "er", "ers", "ly", "able", "less", "ness"):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 2 and (stem in words or stem + "e" in words):
            return True
    return False


def _american(word: str) -> str:
    for pattern, american in _VARIANTS:
        word = pattern.sub(american, word)
    return word


@lru_cache(maxsize=1)
def _speller() -> tuple[Any, Any]:
    try:
        from symspellpy import SymSpell, Verbosity
    except ImportError as error:
        raise MissingExtra("Correcting typos", "curate") from error
    speller = SymSpell(max_dictionary_edit_distance=1, prefix_length=7)
    with as_file(files("symspellpy") / "frequency_dictionary_en_82_765.txt") as path:
        speller.load_dictionary(path, 0, 1)
    return speller, Verbosity.CLOSEST
