"""Splits stay put, keep groups together and have the sizes that were asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.core.example import Example
from noria.datasets.split import BUCKETS, bucket, ranges, split_of, stratified
from noria.errors import InvalidRequest

_shares = st.lists(st.floats(0.01, 1), min_size=1, max_size=6).map(
    lambda found: {f"s{number}": share / sum(found) for number, share in enumerate(found)}
)
_examples = st.builds(Example, id=st.text(min_size=1), input=st.just({}), group=st.text(max_size=3))


@given(_shares)
def test_ranges_part_all_buckets(shares: dict[str, float]) -> None:
    found = ranges(shares)
    assert list(found) == list(shares)
    ends = [0, *(end for _, end in found.values())]
    assert [start for start, _ in found.values()] == ends[:-1] and ends[-1] == BUCKETS
    for name, (start, end) in found.items():
        assert abs((end - start) / BUCKETS - shares[name]) < 1e-6


@given(_shares, _examples, st.text(), st.dictionaries(st.text(), st.text()))
def test_a_split_depends_on_nothing_but_the_group_else_the_id(
    shares: dict[str, float], example: Example, text: str, metadata: dict[str, str]
) -> None:
    other_id = "other" if example.group else example.id
    revised = Example(id=other_id, input={"x": text}, metadata=metadata, group=example.group, tags=("t",))
    assert split_of(bucket(example), ranges(shares)) == split_of(bucket(revised), ranges(shares)) != ""


@given(st.floats(0.05, 0.5), st.floats(0.05, 0.4))
def test_a_first_split_that_grows_keeps_what_it_has(first: float, more: float) -> None:
    small, large = ranges({"test": first, "train": 1 - first}), None
    large = ranges({"test": first + more, "train": 1 - first - more})
    for number in range(50):
        at = bucket(Example(id=str(number), input={}))
        assert split_of(at, small) != "test" or split_of(at, large) == "test"


def test_shares_hold() -> None:
    places = ranges({"train": 0.8, "dev": 0.1, "test": 0.1})
    counts = dict.fromkeys(places, 0)
    for number in range(20_000):
        counts[split_of(bucket(Example(id=f"id-{number}", input={})), places)] += 1
    # Five standard deviations of a binomial.
    assert abs(counts["train"] - 16_000) < 283 and abs(counts["test"] - 2000) < 212


@pytest.mark.parametrize(
    "shares", [{"a": 0.5}, {"a": 1.5}, {"a": 0, "b": 1}, {"": 1}, {"a": -1, "b": 2}, {"a": float("nan")}]
)
def test_shares_that_are_none(shares: dict[str, float]) -> None:
    with pytest.raises(InvalidRequest):
        ranges(shares)


def test_strata_are_counted() -> None:
    examples = [
        Example(id=str(n), input={"l": ["en", "de"][n % 2]}, metadata={"x": [1, 2]} if n else {})
        for n in range(100)
    ]
    shares = {"a": 0.5, "b": 0.5}
    rows, lacking = stratified(examples, shares, by="input.l")
    assert [(row.value, row.total, sum(row.splits.values())) for row in rows] == [
        ("de", 50, 50),
        ("en", 50, 50),
    ]
    rows, lacking = stratified(examples, shares, by="metadata.x")
    assert [(row.value, row.total) for row in rows] == [("1", 99), ("2", 99)] and lacking == 1
    with pytest.raises(InvalidRequest, match="A field is"):
        stratified(examples, shares, by="nonsense")
