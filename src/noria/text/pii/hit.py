"""A Hit: where personal data stands in a text, and of which kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple, get_args

Kind = Literal[
    "email", "phone", "iban", "card", "ssn", "ip", "mac", "secret", "person", "place", "organisation"
]
"""The last three are found by the deep mode alone."""
KINDS: tuple[Kind, ...] = get_args(Kind)
PATTERNS: tuple[Kind, ...] = KINDS[:8]
"""What the recognisers here find."""


class Hit(NamedTuple):
    """Characters `start` up to `end`."""

    start: int
    end: int
    kind: Kind


Recogniser = Callable[[str], Iterator[Hit]]
"""Finds one kind. Where it can check (checksum, length, range), a hit has passed the check."""


def settled(hits: list[Hit]) -> list[Hit]:
    """In order and apart: of those that overlap, the one that begins first, then the longest."""
    found: list[Hit] = []
    for hit in sorted(hits, key=lambda one: (one.start, -one.end)):
        if not found or hit.start >= found[-1].end:
            found.append(hit)
        elif hit.end > found[-1].end:
            # The rest of a hit that begins inside another belongs to a person as well.
            found[-1] = found[-1]._replace(end=hit.end)
    return found
