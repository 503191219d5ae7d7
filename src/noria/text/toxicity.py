"""Abusive words by a list: quick, blind to meaning, English alone.

On HateCheck (Röttger et al. 2021, 3,728 test cases) the slurs find a part of the hateful cases and also hit
cases that quote or reclaim a slur; `docs/guides/curate.md` gives the measured shares. A scorer with a judge
is what decides where it matters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import Literal

Severity = Literal["slur", "swear"]


def abusive(*, severity: Severity = "slur", also: Iterable[str] = ()) -> Callable[[str], list[str]]:
    """A function that gives a text's abusive words in lower case, as often as they occur. "swear" includes
    slurs; `also` are more words, in which `*` at the end stands for any ending."""
    lists = _lists()
    words = [*lists["slur"], *(lists["swear"] if severity == "swear" else ()), *also]
    parts = (re.escape(word.rstrip("*")) + (r"[a-z]*" if word.endswith("*") else "") for word in words)
    pattern = re.compile(r"(?<![\w@#])(?:" + "|".join(parts) + r")(?!\w)", re.IGNORECASE)
    return lambda text: [word.lower() for word in pattern.findall(text)]


@cache
def _lists() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in (files("noria.text") / "abuse.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            current = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            current.append(line)
    return found
