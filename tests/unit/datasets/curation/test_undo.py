"""Drops and edits taken back."""

from __future__ import annotations

from pathlib import Path

from builds import built, make_tools, plan_of

from noria.core.example import Example
from noria.datasets.curation.undo import Selection, Undone, undo

_STEPS = (
    {"type": "normalize"},
    {"type": "filter", "where": 'not ("drop" in text)'},
    {"type": "exact"},
    {"type": "pii"},
    {"type": "length", "most": 40},
)
_TEXTS = [
    "plain  text",  # edited
    "drop  this of ann@example.com",  # dropped by the filter
    "plain text",  # dropped as the duplicate of the first
    "write to bob@example.com",  # edited
    "a  text that is much longer than forty characters are",  # edited, then dropped
    "drop a text that is much longer than forty characters are",
]


def _taken_back(folder: Path, **selection: object) -> tuple[dict[str, str], Undone]:
    plan = plan_of(*_STEPS)
    _, left, _ = built(folder, _TEXTS, *_STEPS)
    result = {example.id: example for example in left}
    account = Undone()
    found: list[Example] = list(
        undo(
            plan,
            folder,
            Selection(**selection),  # type: ignore[arg-type]
            find=result.get,
            tools=make_tools(folder),
            account=account,
        )
    )
    return {example.id: example.input["input"] for example in found}, account


def test_a_restored_example_goes_through_the_later_steps(tmp_path: Path) -> None:
    found, account = _taken_back(tmp_path, reason="filtered")
    assert found == {"e000001": "drop this of <EMAIL>"}
    assert (account.restored, account.reverted, account.again) == (1, 0, {"too long": 1})


def test_an_edit_is_reverted_and_the_later_ones_stay(tmp_path: Path) -> None:
    found, account = _taken_back(tmp_path, step=0)
    # The example that a later step dropped stays dropped: the edit alone was taken back.
    assert found == {"e000000": "plain  text"}
    assert (account.restored, account.reverted) == (0, 1)


def test_a_later_edit_alone_is_reverted(tmp_path: Path) -> None:
    found, _ = _taken_back(tmp_path, step=3)
    assert found == {"e000003": "write to bob@example.com"}


def test_all_of_one_example(tmp_path: Path) -> None:
    found, account = _taken_back(tmp_path, examples=("e000004", "e000002"))
    assert found == {
        "e000002": "plain text",
        "e000004": "a  text that is much longer than forty characters are",
    }
    assert account.restored == 2


def test_what_the_result_has_no_more_is_counted(tmp_path: Path) -> None:
    built(tmp_path, _TEXTS, *_STEPS)
    account = Undone()
    tools = make_tools(tmp_path)
    assert not list(
        undo(
            plan_of(*_STEPS), tmp_path, Selection(step=3), find=lambda id: None, tools=tools, account=account
        )
    )
    assert account.unknown == 1
