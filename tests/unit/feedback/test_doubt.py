"""Intervals of what people said."""

from __future__ import annotations

from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from noria.feedback.doubt import doubt
from noria.feedback.feedback import Said


def said(values: list[float], kind: str = "score") -> Said:
    squares = fmean(value * value for value in values) if values else None
    mean = fmean(values) if values else None
    return Said(kind=kind, name="", count=len(values), mean=mean, words={}, square=squares)


@given(st.lists(st.floats(-100, 100).map(lambda one: round(one, 3)), min_size=30, max_size=60))
def test_scores_have_the_normal_interval(values: list[float]) -> None:
    found = doubt(said(values))
    assert found is not None
    if found.low is None or found.high is None:
        assert max(values) - min(values) < 0.01
        return
    expected = stats.norm.interval(0.95, loc=fmean(values), scale=stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_thumbs_have_wilsons_interval() -> None:
    found = doubt(said([1.0] * 8 + [0.0] * 2, kind="thumb"))
    assert found is not None and found.method == "Wilson"
    assert (found.low, found.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_where_nothing_can_be_said_the_reason_is() -> None:
    assert doubt(said([], kind="comment")) is None
    one, same = doubt(said([3.0, 4.0] * 14)), doubt(said([3.1] * 40))
    assert one is not None and one.method == "too few" and one.low is None
    assert same is not None and same.method == "no variation" and same.low is None
