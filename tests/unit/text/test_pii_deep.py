"""The deep mode, where the extra `pii` is installed."""

from __future__ import annotations

import pytest

from noria.text.pii import redacted, replaced
from noria.text.pii.deep import deep_finder


@pytest.mark.slow
def test_people_places_and_organisations() -> None:
    pytest.importorskip("presidio_analyzer")
    text = "I am Anna Schmidt and I live in Berlin. I work for Siemens. <EMAIL:bcdfghjklmnpqrst> wrote."
    after, kinds = replaced(text, deep_finder(), redacted)
    assert after == (
        "I am <PERSON> and I live in <PLACE>. I work for <ORGANISATION>. <EMAIL:bcdfghjklmnpqrst> wrote."
    )
    assert kinds == ["person", "place", "organisation"]
