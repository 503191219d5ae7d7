"""Unicode and white space in one form, without changing what can be read."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\ufeff\ufff9-\ufffb]")
"""Controls, soft hyphen, zero-width space, word joiner, byte-order mark, annotations. The zero-width joiner
and non-joiner stay: Persian, Hindi and emoji are written with them."""
_LINE_ENDS = re.compile("\r\n?|\x85|\u2028|\u2029")
_BLANKS = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_TRAILING = re.compile("[ \t]+(?=\n|$)")
_EMPTY_LINES = re.compile("\n{3,}")
_RUNS = re.compile("(?<=[^\\s]) {2,}(?=[^\\s|])")
"""Blanks between two words; at the beginning of a line they indent, before a bar they align a table."""
_PLAIN = re.compile("[\t\n -~]*")


def normal(text: str, *, form: Literal["NFC", "NFKC"] = "NFC") -> str:
    """Idempotent. Lines keep their indentation; no more than one empty line stays between two paragraphs."""
    if _PLAIN.fullmatch(text) is None:
        text = _LINE_ENDS.sub("\n", text)
        text = unicodedata.normalize(form, _INVISIBLE.sub("", text))
        # A composition can make a blank, and blanks that are alike cannot be told apart by a reader.
        text = _BLANKS.sub(" ", text)
    text = _TRAILING.sub("", text)
    text = _EMPTY_LINES.sub("\n\n", text)
    return _RUNS.sub(" ", text).strip("\n")
