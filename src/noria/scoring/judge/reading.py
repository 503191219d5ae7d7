"""Makes sense of what a judge said: JSON where it can be found, else the forms that models fall into."""

from __future__ import annotations

import json
import re
from typing import Any

from noria.scoring.factory import written
from noria.scoring.judge.scale import Scale
from noria.scoring.scorer import Value

_BRACKETS = re.compile(r"\[\[\s*([^\[\]]{1,60}?)\s*\]\]")
_RESULT = re.compile(r"\[RESULT\]\s*\(?\s*([\w-]{1,60})", re.IGNORECASE)
_NAMED = re.compile(
    r"(?:final )?(?:verdict|score|rating|answer|judge?ment|result|category|label)\W{0,4}\s*(?:is|:|=)\W{0,5}"
    r"(-?\d+(?:[./]\d+)?|[^\s.,;*\"'()\[\]{}]{1,60})",
    re.IGNORECASE,
)
_JSON = json.JSONDecoder(parse_constant=lambda name: None)
MOST = 100_000
"""Characters that are looked at; a judge that says more than that has said nothing."""


def objects(text: str) -> list[dict[str, Any]]:
    """Every JSON object in a text, outermost, in order; fences and words around them do not matter."""
    text, found, at = text[:MOST], [], 0
    while (at := text.find("{", at)) >= 0 and len(found) < 20:
        try:
            value, at = _JSON.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def verdict(text: str, scale: Scale) -> tuple[Value, str] | None:
    """The verdict and the reason given for it; None: nonsense, or two verdicts that differ."""
    for value in reversed(objects(text)):
        for name in ("verdict", "score", "rating", "answer", "label", "result"):
            if name in value:
                read = scale.read(value[name])
                reason = written(str(value.get("reason") or value.get("explanation") or ""))
                return None if read is None else (read, reason)
    said = text[:MOST].strip()
    if (read := scale.read(said)) is not None:
        return read, ""
    for form in (_RESULT, _BRACKETS, _NAMED):
        values = {one for match in form.findall(said) if (one := scale.read(match)) is not None}
        if len(values) == 1:
            return values.pop(), said
        if values:
            return None
    first = re.match(r"\W{0,5}(\w+)", said)
    if first and not scale.most and (read := scale.read(first[1])) is not None:
        return read, said
    return None


def listed(text: str) -> list[tuple[str, bool, str]] | None:
    """(item, verdict, reason) for each in `{"items": [{"item", "reason", "verdict"}]}`; None: nonsense."""
    for value in reversed(objects(text)):
        items = value.get("items")
        if not isinstance(items, list):
            continue
        found: list[tuple[str, bool, str]] = []
        for one in items:
            read = Scale().read(one.get("verdict")) if isinstance(one, dict) else None
            if not isinstance(read, bool):
                return None
            found.append((written(str(one.get("item", ""))), read, written(str(one.get("reason", "")))))
        return found
    return None
