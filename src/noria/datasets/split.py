"""Splits by hash: an example's place depends on its group (else its id) alone, so it stays put."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import msgspec

from noria.core.example import Example
from noria.errors import InvalidRequest

BUCKETS = 1 << 32
_NAME = 64
"""Characters that a split's name may have."""
Shares = Mapping[str, float]
"""The share of each split, in an order that counts: {"train": 0.8, "test": 0.2}."""


def bucket(example: Example) -> int:
    """From 0 to BUCKETS - 1, evenly, and the same for all of a group."""
    return int.from_bytes(hashlib.sha256((example.group or example.id).encode()).digest()[:4], "big")


def ranges(shares: Shares) -> dict[str, tuple[int, int]]:
    """The buckets of each split, the end excluded; together all of them, where there are shares.

    Raises InvalidRequest for shares that are none.
    """
    if not shares:
        return {}
    for name, share in shares.items():
        if not name or len(name) > _NAME or not name.isprintable():
            raise InvalidRequest(f"A split needs a name of up to {_NAME} characters.", param="splits")
        if not 0 < share <= 1:
            raise InvalidRequest(
                f"The share of split {name!r} must be above 0 and at most 1, not {share}.", param="splits"
            )
    total = sum(shares.values())
    if abs(total - 1) > 1e-6:
        raise InvalidRequest(f"The shares of all splits must add up to 1, not {total:g}.", param="splits")
    found: dict[str, tuple[int, int]] = {}
    at, start = 0.0, 0
    for name, share in shares.items():
        at += share
        end = round(at * BUCKETS)
        found[name] = (start, end)
        start = end
    last = next(reversed(found))
    # Whatever the shares' sum lost to rounding.
    found[last] = (found[last][0], BUCKETS)
    return found


def split_of(bucket: int, ranges: Mapping[str, tuple[int, int]]) -> str:
    """The name of the split that holds the bucket; "" where there are no splits."""
    for name, (start, end) in ranges.items():
        if start <= bucket < end:
            return name
    return ""


class Stratum(msgspec.Struct, frozen=True, kw_only=True):
    """Examples of one value in each split."""

    value: str
    total: int
    splits: dict[str, int]


def stratified(
    examples: Iterable[Example], shares: Shares, *, by: str, limit: int = 200
) -> tuple[list[Stratum], int]:
    """How the values of a field fall on the splits, most frequent first; and how many examples lack it.

    `by`: "expected", "tags", or a field such as "metadata.category" or "input.language".
    """
    places = ranges(shares)
    counts: dict[str, dict[str, int]] = {}
    lacking = 0
    for example in examples:
        values = values_of(example, by)
        lacking += not values
        split = split_of(bucket(example), places)
        for value in values:
            if value not in counts and len(counts) >= _MOST_VALUES:
                raise InvalidRequest(
                    f"{by} has more than {_MOST_VALUES:,} different values; choose a field that has few.",
                    param="by",
                )
            row = counts.setdefault(value, dict.fromkeys(places, 0))
            row[split] = row.get(split, 0) + 1
    rows = [Stratum(value=value, total=sum(row.values()), splits=row) for value, row in counts.items()]
    rows.sort(key=lambda row: (-row.total, row.value))
    return rows[:limit], lacking


_MOST_VALUES = 10_000


def values_of(example: Example, by: str) -> list[str]:
    """The values of a field as texts; all of them where it is a list."""
    if by == "tags":
        return list(example.tags)
    where, _, name = by.partition(".")
    if by == "expected":
        found = example.expected
    elif where in ("input", "metadata") and name:
        found = (example.input if where == "input" else example.metadata).get(name)
    else:
        raise InvalidRequest(
            f'A field is "expected", "tags", "input.NAME" or "metadata.NAME", not {by!r}.', param="by"
        )
    if found is None:
        return []
    return [_text(one) for one in found] if isinstance(found, list) else [_text(found)]


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value, order="sorted").decode()
