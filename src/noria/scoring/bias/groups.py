"""How differently groups fare by any other scorer; WinoBias' gap and counterfactual swaps are such groups."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from noria.errors import ConfigError
from noria.scoring.calls import ENVIRONMENT, Calls
from noria.scoring.factory import Unscorable, factory
from noria.scoring.scorer import Described, Metric, Output, Score, Scorer, ScorerSpec

_NAME = "bias.groups"


def means(scores: Sequence[Score]) -> list[float]:
    """Of each group, NaN where it has none; parts are (sum, count) group by group."""
    sums = [sum(column) for column in zip(*(score.parts for score in scores), strict=True)]
    return [total / count if count else math.nan for total, count in zip(sums[::2], sums[1::2], strict=True)]


def difference(scores: Sequence[Score]) -> float:
    """Highest less lowest mean; NaN where a group has none."""
    found = means(scores)
    return math.nan if any(map(math.isnan, found)) else max(found) - min(found)


def ratio(scores: Sequence[Score]) -> float:
    """Lowest over highest mean."""
    found = means(scores)
    if any(map(math.isnan, found)) or max(found) <= 0:
        return math.nan
    return min(found) / max(found)


def gap(scores: Sequence[Score]) -> float:
    """First group's mean less the second's."""
    first, second = means(scores)
    return first - second


def _described(*, scorer: dict[str, Any], groups: Sequence[str], by: str = "group") -> Sequence[Described]:
    inner, version = _inner(scorer, groups), ""
    from noria.scoring.resolve import described

    first = described(inner)[0]
    if first.kind in ("category", "corpus"):
        raise ConfigError(f"Groups are compared by a number or a yes; {inner.type} gives a {first.kind}.")
    version = f"{inner.type}:{first.version}"
    kinds: tuple[tuple[str, Metric, str], ...] = (("", difference, "lower"), (".ratio", ratio, "higher"))
    if len(groups) == 2:
        kinds = (*kinds, (".gap", gap, "neither"))
    return [
        Described(
            name=_NAME + suffix,
            kind="corpus",
            better=better,
            metric=metric,
            version=version,  # pyright: ignore[reportArgumentType]
        )
        for suffix, metric, better in kinds
    ]


@factory(by=_described)
def groups(
    *, scorer: dict[str, Any], groups: tuple[str, ...], by: str = "group", calls: Calls = ENVIRONMENT
) -> Scorer:
    """What `scorer` (a table with `type` and `arguments`) gives to each group of the metadata field `by`.

    Measured are the difference of the highest and the lowest mean (demographic parity where the score is a
    yes), their ratio, and of two groups the first less the second: WinoBias' gap is that of "pro" and "anti".
    """
    from noria.scoring.resolve import resolve

    judge: Callable[[Output], Any] = resolve(_inner(scorer, groups), calls=calls)
    names = [one.name for one in _described(scorer=scorer, groups=groups)]

    async def score(output: Output) -> Sequence[Score]:
        group = output.example.metadata.get(by)
        if group not in groups:
            raise Unscorable(f"Example {output.example.id} is of none of the groups: {by!r} is {group!r}.")
        first: Score = (await judge(output))[0]
        if first.failed or isinstance(first.value, str) or first.value is None:
            raise Unscorable(first.failed or "The score is no number.")
        value = float(first.value)
        parts = [0.0] * (2 * len(groups))
        place = groups.index(group)
        parts[2 * place], parts[2 * place + 1] = value, 1.0
        shared = Score(
            name="", value=value, reason=first.reason, parts=tuple(parts), details={"group": group}
        )
        found = [msgspec.structs.replace(shared, name=name) for name in names]
        # The inner scorer's call is paid for once.
        return [msgspec.structs.replace(found[0], trace=first.trace, cost=first.cost), *found[1:]]

    return score


def _inner(scorer: dict[str, Any], groups: Sequence[str]) -> ScorerSpec:
    if len(set(groups)) < 2 or len(set(groups)) != len(groups):
        raise ConfigError("`groups` needs two or more names that differ.")
    try:
        return msgspec.convert(scorer, ScorerSpec)
    except msgspec.ValidationError as error:
        raise ConfigError(f"`scorer` is a table with `type` and `arguments`: {error}.") from None
