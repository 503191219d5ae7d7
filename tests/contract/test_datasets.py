"""Datasets on both engines: versions that pin revisions, commits that are whole or nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from noria.access.role import SYSTEM
from noria.core.clock import SystemClock
from noria.core.example import Example
from noria.datasets.reference import resolve
from noria.datasets.store import Dataset, DatasetVersion
from noria.errors import Conflict, InvalidRequest, NotFound
from noria.storage import dataset_commit
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.datasets import DatasetTable
from noria.storage.tables import dataset_commits, example_bodies, example_log


@pytest.fixture
def log(database: Database) -> AuditLog:
    return AuditLog(database, SystemClock())


@pytest.fixture
def store(database: Database, log: AuditLog) -> DatasetTable:
    found = DatasetTable(database, log, SystemClock())
    found.create(Dataset(id="", project="p", name="d", tags=("first",)), by=SYSTEM)
    return found


def example(id: str, answer: str = "a", **fields: object) -> Example:
    return Example(id=id, input={"question": f"what is {id}?"}, expected=answer, **fields)  # pyright: ignore


def commit(store: DatasetTable, *examples: Example, **options: object) -> DatasetVersion:
    return store.commit("p", "d", examples, by=SYSTEM, **options)  # pyright: ignore


def ids(store: DatasetTable, version: DatasetVersion, **options: str) -> list[str]:
    return [one.id for one in store.examples(version, **options)]


def rows(database: Database) -> tuple[int, int]:
    """(rows of the log, bodies)."""
    with database.read() as connection:
        return (
            connection.scalar(select(func.count()).select_from(example_log)) or 0,
            connection.scalar(select(func.count()).select_from(example_bodies)) or 0,
        )


def test_a_version_is_what_was_committed(store: DatasetTable, log: AuditLog) -> None:
    whole = example("ü", tags=("x",), metadata={"n": 1, "f": 1.0, "s": "\0"}, source="file:a#1", group="g")
    made = commit(store, example("b"), whole, example("B"), comment="first", lineage={"files": ["a"]})
    assert (made.number, made.examples, made.comment) == (1, 3, "first")
    assert ids(store, made) == sorted(["b", "ü", "B"])
    assert store.example(made, "ü") == whole
    assert store.version("p", "d") == made == store.version("p", "d", 1)
    assert [event.act for event in log.page(act="dataset.").items] == ["dataset.commit", "dataset.create"]


def test_versions_stay_as_they_were(store: DatasetTable) -> None:
    first = commit(store, example("a"), example("b"), example("c"))
    second = commit(store, example("b", "new"), example("d"), removed=["a", "nobody"])
    assert ids(store, first) == ["a", "b", "c"] and ids(store, second) == ["b", "c", "d"]
    assert store.example(first, "b") == example("b")
    assert store.example(second, "b") == example("b", "new")
    assert ids(store, second, after="b") == ["c", "d"]
    changes = [(change.kind, change.example) for change in store.diff(first, second)]
    assert changes == [("delete", "a"), ("patch", "b"), ("create", "d")]
    back = [(change.kind, change.example) for change in store.diff(second, first)]
    assert back == [("create", "a"), ("patch", "b"), ("delete", "d")]
    assert store.counted(first, second) == {"create": 1, "patch": 1, "delete": 1}
    assert [(one.version, one.kind) for one in store.history("p", "d", "a")] == [(2, "delete"), (1, "create")]
    assert [(one.version, one.kind) for one in store.history("p", "d", "b")] == [(2, "patch"), (1, "create")]


def test_the_same_content_makes_no_version(store: DatasetTable, database: Database) -> None:
    made = commit(store, *(example(str(number)) for number in range(2500)))
    before = rows(database)
    assert commit(store, example("7")) == made
    assert commit(store, *(example(str(number)) for number in range(2500)), replace=True) == made
    assert commit(store, example("7", "other"), example("7")) == made
    assert rows(database) == before
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(dataset_commits)) == 1


def test_replacing_deletes_what_is_not_said(store: DatasetTable) -> None:
    commit(store, *(example(f"{number:05}") for number in range(2500)))
    second = commit(store, example("00007"), example("new"), replace=True)
    assert ids(store, second) == ["00007", "new"]
    assert commit(store, replace=True).examples == 0


def test_of_one_id_the_last_counts(store: DatasetTable, database: Database) -> None:
    many = [example(str(number % 10), str(number)) for number in range(3000)]
    made = commit(store, *many)
    assert made.examples == 10
    assert {one.id: one.expected for one in store.examples(made)} == {
        str(n): str(2990 + n) for n in range(10)
    }
    assert rows(database) == (10, 10)


def test_bodies_are_shared_and_counted(store: DatasetTable, database: Database) -> None:
    commit(store, example("a"), example("b"))
    store.create(Dataset(id="", project="q", name="d"), by=SYSTEM)
    store.commit("q", "d", [example("a"), example("b")], by=SYSTEM)
    assert rows(database) == (4, 2)
    store.delete("p", "d", by=SYSTEM)
    assert rows(database) == (2, 2)
    assert store.dataset("p", "d") is None
    store.create(Dataset(id="", project="p", name="d"), by=SYSTEM)
    store.delete("q", "d", by=SYSTEM)
    assert rows(database) == (0, 0)


def test_deleting_a_version_takes_what_only_it_has(store: DatasetTable, database: Database) -> None:
    commit(store, example("a", "1"), example("b"))
    commit(store, example("a", "2"), removed=["b"])
    third = commit(store, example("a", "3"))
    store.delete_version("p", "d", 2, by=SYSTEM)
    assert rows(database) == (4, 3)
    first = store.version("p", "d", 1)
    assert first is not None
    assert ids(store, first) == ["a", "b"] and ids(store, third) == ["a"]
    store.delete_version("p", "d", 3, by=SYSTEM)
    assert rows(database) == (2, 2)
    assert store.version("p", "d") == first
    again = commit(store, example("c"))
    assert again.number == 4 and ids(store, again) == ["a", "b", "c"]
    store.delete_version("p", "d", 1, by=SYSTEM)
    assert ids(store, again) == ["a", "b", "c"]
    with pytest.raises(NotFound):
        list(store.examples(first))
    store.delete_version("p", "d", 4, by=SYSTEM)
    assert rows(database) == (0, 0)
    assert commit(store, example("x")).number == 5


def test_a_golden_version_stays(store: DatasetTable, log: AuditLog) -> None:
    commit(store, example("a"))
    commit(store, example("b"))
    assert store.golden("p", "d") is None
    signed = store.sign("p", "d", 1, comment="looked at all", by=SYSTEM)
    assert (signed.golden, signed.golden_name) == (SYSTEM.id, SYSTEM.name)
    assert store.golden("p", "d") == signed == resolve(store, "p", "d@golden")[0]
    dataset = store.dataset("p", "d")
    assert dataset is not None and (dataset.golden, dataset.latest) == (1, 2)
    assert store.page("p").items == (dataset,)
    for act in (
        lambda: store.delete("p", "d", by=SYSTEM),
        lambda: store.delete_version("p", "d", 1, by=SYSTEM),
        lambda: store.sign("p", "d", 1, by=SYSTEM),
    ):
        with pytest.raises(Conflict):
            act()
    assert log.page(act="dataset.sign").items[0].details == {"comment": "looked at all", "version": 1}


def test_splits_are_counted_and_read(store: DatasetTable) -> None:
    shares = {"train": 0.8, "test": 0.2}
    first = commit(store, *(example(str(number)) for number in range(500)), splits=shares)
    assert sum(first.splits.values()) == 500 and 60 < first.splits["test"] < 140
    test = ids(store, first, split="test")
    assert len(test) == first.splits["test"]
    assert sorted(test + ids(store, first, split="train")) == ids(store, first)
    grown = commit(store, *(example(str(number)) for number in range(500, 900)))
    assert grown.shares == shares
    assert [id for id in ids(store, grown, split="test") if int(id) < 500] == test
    other = commit(store, splits={"a": 0.5, "b": 0.5})
    assert other.number == 3 and other.digest != grown.digest
    with pytest.raises(NotFound, match="no split"):
        list(store.examples(other, split="test"))
    with pytest.raises(InvalidRequest, match="add up to 1"):
        commit(store, splits={"a": 0.5})
    assert resolve(store, "p", "d@2:test") == (grown, "test")


def test_a_schema_is_inferred_or_enforced(store: DatasetTable, database: Database) -> None:
    made = commit(store, example("a"), example("b", metadata={"level": 2}))
    assert made.schema["properties"]["input"]["required"] == ["question"]
    assert made.schema["properties"]["metadata"]["properties"] == {"level": {"type": "integer"}}
    strict = {"properties": {"expected": {"type": "string"}}, "required": ["expected"]}
    store.patch("p", "d", schema=strict, by=SYSTEM)
    before = rows(database)
    bad = Example(id="z", input={}, expected=3)
    with pytest.raises(InvalidRequest, match="Example 'z' breaks the dataset's schema at expected"):
        commit(store, *(example(str(number)) for number in range(1500)), bad)
    assert rows(database) == before and store.version("p", "d") == made
    assert commit(store, example("c")).schema == strict
    with pytest.raises(InvalidRequest, match="Example 'a'"):
        store.patch("p", "d", schema={"properties": {"expected": {"type": "null"}}}, by=SYSTEM)


def test_half_a_commit_is_seen_by_nobody_and_swept_by_the_next(
    store: DatasetTable, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = commit(store, example("a"))
    half = dataset_commit.Commit(database, SystemClock(), 1, replace=False)
    for number in range(1200):
        half.add(example(f"x{number}"))
    half.flush()
    dataset_commit._living.discard(half.number)  # As if its process had been killed.
    assert rows(database)[0] == 1201
    assert ids(store, first) == ["a"]
    second = commit(store, example("b"), example("x7", "mine"))
    assert ids(store, second) == ["a", "b", "x7"] and ids(store, first) == ["a"]
    assert rows(database) == (3, 3)
    with pytest.raises(Conflict):
        half.flush() or half.add(example("late")) or half.flush()


def test_two_at_once_wait_for_one_another(store: DatasetTable) -> None:
    errors: list[Exception] = []

    def work(name: str) -> None:
        try:
            for number in range(5):
                commit(store, example(f"{name}{number}"))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    last = store.version("p", "d")
    assert last is not None and (last.number, last.examples) == (15, 15)


def test_one_that_waits_too_long_is_told(
    store: DatasetTable, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset_commit, "_WAIT", 0.1)
    other = dataset_commit.Commit(database, SystemClock(), 1, replace=False)
    with pytest.raises(Conflict, match="under way"):
        commit(store, example("a"))
    other.close()
    assert commit(store, example("a")).number == 1


def test_the_catalog(store: DatasetTable) -> None:
    for name in ("c", "a", "b"):
        made = Dataset(id="", project="p", name=name, description=f"About 50% {name}", tags=("x", name))
        store.create(made, by=SYSTEM)
    assert [one.name for one in store.page("p").items] == ["a", "b", "c", "d"]
    page = store.page("p", limit=2)
    assert page.next and [one.name for one in store.page("p", limit=2, cursor=page.next).items] == ["c", "d"]
    assert [one.name for one in store.page("p", tag="x").items] == ["a", "b", "c"]
    assert [one.name for one in store.page("p", text="50% A").items] == ["a"]
    assert store.page("q").items == ()
    with pytest.raises(Conflict):
        store.create(Dataset(id="", project="p", name="a"), by=SYSTEM)
    changed = store.patch("p", "a", description="new", tags=("y",), by=SYSTEM)
    assert (changed.description, changed.tags) == ("new", ("y",))


def test_large_examples_are_read_in_small_pages(store: DatasetTable, database: Database) -> None:
    import random

    words = random.Random(1).randbytes(2_000_000).hex()
    made = commit(store, *(example(str(number), words[number:]) for number in range(9)))
    assert [len(one.expected) for one in store.examples(made)] == [len(words) - number for number in range(9)]


def test_an_erased_example_is_a_tombstone_in_every_version_and_gone_from_the_next(
    store: DatasetTable, database: Database
) -> None:
    others = [example(f"o{number:04}") for number in range(1_200)]
    first = commit(store, example("a"), *others[:600])
    second = commit(store, example("a", "revised"), *others[600:], splits={"train": 0.5, "test": 0.5})
    store.create(Dataset(id="", project="other", name="d"), by=SYSTEM)
    theirs = store.commit("other", "d", [example("a")], by=SYSTEM)
    assert store.erase("p", lambda one: one.expected == "revised", by=SYSTEM) == {"d": 1}
    newest = store.version("p", "d")
    assert newest is not None and newest.number == 3 and newest.examples == 1_200 and newest.erased == 0
    for before in (first, second):
        after = store.version("p", "d", before.number)
        assert after is not None and (after.digest, after.examples) == (before.digest, before.examples)
        assert after.erased == 1 and store.verify(after) and store.example(after, "a") is None
        assert "a" not in ids(store, after) and len(ids(store, after)) == before.examples - 1
    assert store.verify(newest) and store.verify(theirs) and ids(store, theirs) == ["a"]
    assert [(one.version, one.kind, one.erased) for one in store.history("p", "d", "a")] == [
        (3, "delete", False), (2, "patch", True), (1, "create", True),
    ]  # fmt: skip
    assert store.counted(second, newest) == {"create": 0, "patch": 0, "delete": 1}
    assert store.erase("p", lambda one: one.expected == "revised", by=SYSTEM) == {}
    # Bodies are counted rightly: with the last version the others' go too.
    store.delete("p", "d", by=SYSTEM)
    store.delete("other", "d", by=SYSTEM)
    assert rows(database) == (0, 0)


def test_an_erasure_that_a_commit_keeps_from_its_end_goes_on(
    store: DatasetTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(store, example("a"), example("b"))
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> Iterator[Example]:
        yield example("a")
        begun.set()
        assert go_on.wait(30)
        yield example("c")

    made: list[DatasetVersion] = []
    writing = threading.Thread(
        target=lambda: made.append(store.commit("p", "d", slow(), comment="slow", by=SYSTEM))
    )
    writing.start()
    assert begun.wait(30)
    monkeypatch.setattr(dataset_commit, "_WAIT", 0.1)
    with pytest.raises(Conflict, match="under way"):
        store.erase("p", lambda one: one.id == "a", by=SYSTEM)
    first = store.version("p", "d", 1)
    assert first is not None and ids(store, first) == ["b"], "what is erased stays erased"
    go_on.set()
    writing.join()
    store.erase("p", lambda one: one.id == "a", by=SYSTEM)
    newest = store.version("p", "d")
    assert newest is not None and ids(store, newest) == ["b", "c"] and store.verify(newest)
    assert store.verify(made[0])
