"""Local steps, one example at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builds import apply, example

from noria.core.example import Example
from noria.datasets.curation.plan import Plan, specs_of
from noria.datasets.curation.step import Changed, Drop, Unable
from noria.errors import ConfigError

_PROSE = (
    "The committee met on Monday to discuss what should be done with the old bridge. "
    "Several members have said that it cannot be repaired, and others think that it would be a mistake to "
    "let it go. In the end they decided to ask the people of the town, who will vote on it in the spring."
)

_LINE = "the item that is to be the one of all with that which is of number"


def _reason(step: dict[str, Any], text: str) -> str:
    """Of the drop; "": it stays."""
    (outcome,) = apply(step, example("a", text))
    return outcome.reason if isinstance(outcome, Drop) else ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (_PROSE, ""),
        ("too few words", "gopher: words"),
        ("a b c d e " * 20, "gopher: word length"),
        ("#tag the word have with " * 20, "gopher: symbols"),
        ("\n".join(f"- the item of that number {place} have" for place in range(12)), "gopher: bullets"),
        ("\n".join(f"{_LINE} {place} have ..." for place in range(12)), "gopher: ellipses"),
        ("12345 6789 the of " * 15, "gopher: alphabetic words"),
        ("lorem ipsum dolor sit amet consetetur " * 10, "gopher: stop words"),
        ("the same line of text that we have with it\n" * 12, "gopher: repeated lines"),
        ("the very same words of it and " * 12, "gopher: repeated words"),
    ],
)
def test_gopher(text: str, reason: str) -> None:
    assert _reason({"type": "gopher"}, text) == reason


def test_c4_removes_lines_and_says_why() -> None:
    text = (
        "Home | About | Contact\nThis is the first sentence of it. And here is a second one!\nToo short.\n"
        "Please enable javascript to see this page.\nBy using this you accept our privacy policy at once.\n"
        "Is this the third sentence of all?"
    )
    (outcome,) = apply({"type": "c4"}, example("a", text))
    assert isinstance(outcome, Changed)
    assert outcome.example.input["input"] == (
        "This is the first sentence of it. And here is a second one!\nIs this the third sentence of all?"
    )
    assert set(outcome.reasons) == {"c4: no end mark", "c4: short line", "c4: javascript", "c4: policy"}
    assert _reason({"type": "c4"}, "One sentence is all that there is.") == "c4: sentences"
    assert _reason({"type": "c4"}, "function() { return 1; }") == "c4: curly bracket"
    assert _reason({"type": "c4"}, "Lorem ipsum dolor sit amet.") == "c4: lorem ipsum"


def test_fineweb() -> None:
    long = "This is a line that is long enough, number"
    assert _reason({"type": "fineweb"}, "\n".join(f"{long} {place}." for place in range(9))) == ""
    assert (
        _reason({"type": "fineweb"}, "\n".join(f"{long} {place}" for place in range(9)))
        == "fineweb: punctuation"
    )
    assert _reason({"type": "fineweb"}, f"{long} 1.\n{long} 1.") == "fineweb: repeated lines"
    assert _reason({"type": "fineweb"}, "Short one.\nAnother.\nA third.") == "fineweb: short lines"
    assert _reason({"type": "fineweb"}, "") == "fineweb: empty"


def test_language_keeps_what_is_too_short_to_tell() -> None:
    step = {"type": "language", "keep": ["en"]}
    kept, short, french = apply(
        step, example("a", _PROSE), example("b", "ok"), example("c", "Je voudrais savoir où est ma carte.")
    )
    assert isinstance(kept, Example) and kept.metadata == {"language": "en"}
    assert short == Unable("too short")
    assert isinstance(french, Drop) and french.details["language"] == "fr"


@pytest.mark.parametrize("mode", ["redact", "hash", "token"])
def test_personal_data(mode: str) -> None:
    given = example("a", "ann@example.com and ann@example.com", expected=["call +1 415 555 2671"])
    (outcome,) = apply({"type": "pii", "mode": mode}, given)
    assert isinstance(outcome, Changed)
    assert outcome.reasons == ("email", "email", "phone")
    one, two = outcome.example.input["input"].split(" and ")
    assert one == two and one.startswith("<EMAIL")
    assert len(outcome.details.get("sealed", {})) == (2 if mode == "token" else 0)
    assert _reason({"type": "pii", "mode": "drop"}, "ann@example.com") == "personal data"
    assert apply({"type": "pii", "kinds": ["phone"]}, example("a", "a@b.com")) == [example("a", "a@b.com")]


def test_spelling_says_which_words() -> None:
    (outcome,) = apply({"type": "spelling"}, example("a", "to recieve it"))
    assert isinstance(outcome, Changed)
    assert (outcome.reasons, outcome.details) == (("typo",), {"words": {"recieve": "receive"}})


def test_a_users_function(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    step = {"type": "map", "function": "own_steps:shout", "arguments": {"sign": "?"}}
    made, gone, failed = apply(step, example("a", "hi"), example("b", "go"), example("c", "fail"))
    assert isinstance(made, Example) and made.input == {"input": "HI?"}
    assert gone == Drop("mapped away")
    assert failed == Unable("failed", {"error": "RuntimeError: on purpose"})
    assert apply({**step, "failed": "drop"}, example("c", "fail")) == [
        Drop("failed", {"error": "RuntimeError: on purpose"})
    ]
    (wrong,) = apply({"type": "map", "function": "own_steps:wrong"}, example("a", "hi"))
    assert wrong == Unable("no example", {"returned": "str"})


def test_a_filter(tmp_path: Path) -> None:
    step = {"type": "filter", "where": 'metadata.year >= 2020 and "x" not in tags'}
    new, old, none = apply(
        step,
        example("a", "t", metadata={"year": 2021}),
        example("b", "t", metadata={"year": 1999}),
        example("c", "t"),
    )
    assert isinstance(new, Example)
    assert old == Drop("filtered")
    assert isinstance(none, Unable) and none.reason == "cannot be compared"


def test_abusive_words_are_dropped_or_noted() -> None:
    step = {"type": "toxicity", "also": ["zounds"]}
    assert _reason(step, "Zounds!") == "abusive words"
    assert apply({**step, "mode": "note"}, example("a", "zounds, zounds")) == [
        example("a", "zounds, zounds", metadata={"abusive_words": 2})
    ]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"type": "normalize", "from": "NFC"}, "it knows: fields, form"),
        ({"type": "normalize", "form": "NFX"}, "NFX"),
        ({"type": "near", "similarity": 1.5}, "`similarity` must be"),
        ({"type": "length", "least": "ten"}, "int"),
        ({"type": "filter", "where": "__import__('os')"}, "not offered"),
        ({"type": "decontaminate", "against": []}, "must name a dataset"),
        ({"type": "rewrite", "model": "m", "instruction": "i"}, "how much it may spend"),
        ({"type": "sample", "share": 0}, "`share`"),
    ],
)
def test_wrong_arguments_are_told(step: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Plan(specs=specs_of([step])).steps()


def test_every_argument_is_recorded() -> None:
    (one,) = Plan(specs=specs_of([{"type": "length", "least": 3}])).lineage()
    assert one["version"] == "1"
    assert one["arguments"]["least"] == 3 and one["arguments"]["unit"] == "characters"
