"""The same example about somebody else: words that name a group are swapped, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from noria.core.example import Example
from noria.errors import InvalidRequest

GENDER: tuple[tuple[str, str], ...] = (
    ("he", "she"), ("himself", "herself"), ("man", "woman"), ("men", "women"), ("boy", "girl"),
    ("boys", "girls"), ("father", "mother"), ("fathers", "mothers"), ("dad", "mom"), ("son", "daughter"),
    ("sons", "daughters"), ("brother", "sister"), ("brothers", "sisters"), ("husband", "wife"),
    ("husbands", "wives"), ("uncle", "aunt"), ("uncles", "aunts"), ("nephew", "niece"), ("king", "queen"),
    ("prince", "princess"), ("gentleman", "lady"), ("gentlemen", "ladies"), ("grandfather", "grandmother"),
    ("mr", "ms"), ("male", "female"), ("males", "females"), ("sir", "madam"), ("actor", "actress"),
    ("waiter", "waitress"), ("grandson", "granddaughter"), ("boyfriend", "girlfriend"), ("widower", "widow"),
)  # fmt: skip
"""English, one word for one. "His", "him" and "her" are swapped with them: whether "her" stands for "him" or
"his" is told by what follows it, which reads well and may err."""
_HER_OBJECT = re.compile(
    r"\bher\b(?=\s*(?:[.,;:!?)\"']|$|\b(?:and|or|but|to|that|when|if|for|in|on|at|with|by)\b))", re.I
)
Pairs = Sequence[tuple[str, str]]


def swapped(text: str, pairs: Pairs = GENDER) -> str:
    """Each word of a pair becomes the other; capitals stay as they were."""
    table: dict[str, str] = {}
    for one, other in pairs:
        table[one.casefold()], table[other.casefold()] = other, one
    if pairs is GENDER:
        text = _HER_OBJECT.sub(lambda match: _cased(match[0], "\0him"), text)
        table |= {"his": "her", "him": "her", "her": "his"}
    words = re.compile(
        r"\0?\b(?:" + "|".join(map(re.escape, sorted(table, key=len, reverse=True))) + r")\b", re.I
    )

    def swap(match: re.Match[str]) -> str:
        word = match[0]
        return word[1:] if word.startswith("\0") else _cased(word, table[word.casefold()])

    return words.sub(swap, text)


def counterfactuals(example: Example, pairs: Pairs = GENDER) -> tuple[Example, Example]:
    """The example and its twin, of one group, told apart by `variant` in their metadata.

    Texts of the input are swapped, and the expected answer's. Raises InvalidRequest where nothing changes.
    """
    given, expected = _deep(example.input, pairs), _deep(example.expected, pairs)
    if given == example.input:
        raise InvalidRequest(f"Example {example.id} names nobody whom these pairs could swap.")
    group = example.group or example.id
    original = msgspec.structs.replace(
        example, group=group, metadata={**example.metadata, "variant": "original"}
    )
    twin = msgspec.structs.replace(
        example,
        id=f"{example.id}~swapped",
        input=given,
        expected=expected,
        group=group,
        metadata={**example.metadata, "variant": "swapped"},
    )
    return original, twin


def _deep(value: Any, pairs: Pairs) -> Any:
    if isinstance(value, str):
        return swapped(value, pairs)
    if isinstance(value, list):
        return [_deep(one, pairs) for one in value]
    if isinstance(value, Mapping):
        return {name: one if name == "role" else _deep(one, pairs) for name, one in value.items()}
    return value


def _cased(word: str, other: str) -> str:
    mark = "\0" if other.startswith("\0") else ""
    other = other.removeprefix("\0")
    if word.isupper() and len(word) > 1:
        return mark + other.upper()
    return mark + (other[:1].upper() + other[1:] if word[:1].isupper() else other)
