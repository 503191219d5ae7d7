"""Prompts in noria.db, the same on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from noria.access.role import SYSTEM
from noria.core.gate import GateResult
from noria.errors import Conflict
from noria.prompts.prompt import LabelMove
from noria.prompts.reference import Reference, parse_reference
from noria.prompts.version import PromptContent, PromptMessage
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.prompts import PromptTable
from noria.testing.clock import FrozenClock


@pytest.fixture
def store(database: Database) -> Iterator[PromptTable]:
    clock = FrozenClock()
    yield PromptTable(database, AuditLog(database, clock), clock)
    assert AuditLog(database, clock).verify().broken_at is None


def content(said: str, **more: Any) -> PromptContent:
    return PromptContent(messages=(PromptMessage(role="user", template=said),), **more)


def move(number: int, digest: str, **more: Any) -> LabelMove:
    return LabelMove(project="p", prompt="a", label="live", sequence=0, number=number, digest=digest, **more)


def test_a_version_comes_back_as_it_was(store: PromptTable) -> None:
    given = content(
        "ä {{ x }} \\ 😀", variables={"properties": {"x": {"enum": [1, 0.5, None, "é"]}}}, model="m"
    )
    made, created = store.commit("p", "a", given, comment="c", by=SYSTEM)
    assert created and (made.number, made.branch, made.by, made.digest) == (1, "main", "system", given.digest)
    assert store.version("p", Reference("a", number=1)) == made == store.by_digest("p", "a", given.digest)
    assert store.commit("p", "a", given, by=SYSTEM) == (made, False)
    assert store.version("other", Reference("a", number=1)) is None
    other, _ = store.commit("p", "a", content("b"), branch="draft", parent=made.digest, by=SYSTEM)
    again, created = store.commit("p", "a", content("c"), by=SYSTEM)
    back, _ = store.commit("p", "a", given, by=SYSTEM)
    assert created and back.number == 4 and back.parent == again.digest, "going back is a version, too"
    for name, number in (("a@latest", 4), ("a@draft", 2), ("a@3", 3)):
        found = store.version("p", parse_reference(name))
        assert found is not None and found.number == number
    assert store.branches("p", "a") == {"main": 4, "draft": 2} and other.number == 2
    first = store.versions("p", "a", cursor=None, limit=3)
    assert [one.number for one in first.items] == [4, 3, 2]
    rest = store.versions("p", "a", cursor=first.next, limit=3)
    assert [one.number for one in rest.items] == [1] and rest.next is None


def test_labels_are_what_their_last_move_says(store: PromptTable) -> None:
    one, _ = store.commit("p", "a", content("1"), by=SYSTEM)
    two, _ = store.commit("p", "a", content("2"), by=SYSTEM)
    gates = (GateResult(gate="g", verdict="pass", reason="r", evidence={"run": "x"}),)
    made = store.move(move(1, one.digest, gates=gates, reason="why", approval="apr_1"), after=0, by=SYSTEM)
    assert store.moves("p", "a", "live") == [made] and made.gates == gates
    with pytest.raises(Conflict, match="meanwhile"):
        store.move(move(2, two.digest), after=0, by=SYSTEM)
    store.move(move(2, two.digest), after=1, by=SYSTEM)
    (label,) = store.labels("p", "a")
    assert (label.number, label.digest, label.by_name) == (2, two.digest, "Noria")
    found = store.version("p", parse_reference("a@live"))
    assert found == two
    with pytest.raises(Conflict, match="is a label"):
        store.commit("p", "a", content("3"), branch="live", by=SYSTEM)
    store.commit("p", "a", content("4"), branch="draft", by=SYSTEM)
    with pytest.raises(Conflict, match="is a branch"):
        store.move(
            LabelMove(project="p", prompt="a", label="draft", sequence=0, number=1), after=0, by=SYSTEM
        )
    store.move(
        LabelMove(project="p", prompt="a", label="live", sequence=0, kind="remove"), after=2, by=SYSTEM
    )
    assert store.labels(None) == [] and len(store.moves("p", "a", "live")) == 3


def test_the_catalogue(store: PromptTable) -> None:
    for name, tags in (("b", ["x", "é"]), ("a", ["xy"]), ("c_%", [])):
        said = {"description": f"About {name.upper()}", "tags": tags, "owners": [f"{name}@example.org"]}
        store.describe("p", name, **said, by=SYSTEM)  # type: ignore[arg-type]
    store.describe("q", "a", description="", tags=[], owners=[], by=SYSTEM)

    def names(**wanted: str) -> list[str]:
        return [one.name for one in store.prompts("p", cursor=None, limit=9, **wanted).items]

    assert names() == ["a", "b", "c_%"] and names(tag="x") == ["b"] and names(tag="é") == ["b"]
    assert names(owner="a@example.org") == ["a"] and names(search="about b") == ["b"]
    assert names(search="_%") == ["c_%"] and names(search="_") == ["c_%"] and names(tag="%") == []
    page = store.prompts("p", cursor="a", limit=1)
    assert [one.name for one in page.items] == ["b"] and page.next == "b"
    found = store.prompt("p", "b")
    assert found is not None and found.tags == ("x", "é") and found.latest == 0
