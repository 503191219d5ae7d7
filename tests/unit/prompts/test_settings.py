"""Settings of a technique, as a study changes them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from noria.errors import InvalidRequest
from noria.prompts.settings import with_settings

SIMILAR = {"examples": {"choose": "similar", "k": 2, "dataset": "d@3", "digest": "x", "embedder": "e"}}
GIVEN = [{"input": {"q": str(n)}, "answer": str(n)} for n in range(3)]


@pytest.mark.parametrize(
    ("technique", "settings", "made"),
    [
        (SIMILAR, {"examples.k": 0}, {}),
        (SIMILAR, {"examples.k": 5}, {"examples": {**SIMILAR["examples"], "k": 5}}),
        (
            SIMILAR,
            {"examples.dataset": "d@4"},
            {"examples": {"choose": "similar", "k": 2, "dataset": "d@4", "embedder": "e"}},
        ),
        (
            {"examples": {"given": GIVEN}},
            {"examples.choose": "random", "examples.dataset": "d@1"},
            {"examples": {"choose": "random", "dataset": "d@1"}},
        ),
        ({"examples": {"given": GIVEN}}, {"examples.k": 1}, {"examples": {"given": GIVEN[:1], "k": 1}}),
        ({}, {"samples.n": 3, "samples.temperature": 0.5}, {"samples": {"n": 3, "temperature": 0.5}}),
        ({"samples": {"n": 5}}, {"samples.n": 1}, {}),
        ({}, {"reasoning": True}, {"reasoning": {}}),
        ({"reasoning": {"answer": "So:"}}, {"reasoning": True}, {"reasoning": {"answer": "So:"}}),
        ({"reasoning": {"answer": "So:"}}, {"reasoning": False}, {}),
    ],
)
def test_settings_take_the_place_of_the_prompts_own(
    technique: dict[str, Any], settings: dict[str, Any], made: dict[str, Any]
) -> None:
    before = repr(technique)
    assert json.loads(json.dumps(with_settings(technique, settings))) == made
    assert repr(technique) == before


@pytest.mark.parametrize(
    ("technique", "settings", "said"),
    [
        ({}, {"examples.kk": 1}, "no setting 'examples.kk'"),
        (SIMILAR, {"examples.k": 101}, "at most 100"),
        (SIMILAR, {"examples.k": True}, "whole number"),
        (SIMILAR, {"examples.choose": "nearest"}, "not understood"),
        ({}, {"examples.choose": "random"}, "dataset"),
        ({"examples": {"given": GIVEN}}, {"examples.k": 4}, "only 3 fixed examples"),
        ({}, {"samples.n": 0}, "between 2 and 50"),
        ({}, {"reasoning": "yes"}, "true or false"),
    ],
)
def test_what_makes_no_technique_is_refused(
    technique: dict[str, Any], settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidRequest, match=said):
        with_settings(technique, settings)
