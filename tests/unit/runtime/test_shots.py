"""Examples from datasets: pinned with the version, drawn by seed, embedded once and resumed after a kill."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx2
import msgspec
import pytest

from noria.access.role import SYSTEM
from noria.client import AsyncNoria
from noria.core.example import Example
from noria.datasets.store import Dataset
from noria.errors import Conflict, InvalidRequest, NotFound, Unreachable
from noria.prompts.pool import Pool
from noria.prompts.technique import Shots
from noria.runtime.pool_task import make_pool
from noria.runtime.shots import drawn, pinned
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.datasets import DatasetTable
from noria.testing.clock import FrozenClock

FEW = Shots(choose="similar", k=2, dataset="d", embedder="e", field="q")


def examples(count: int, *, start: int = 0) -> Iterable[Example]:
    return [
        Example(id=f"e{n:03}", input={"q": f"question {n}"}, expected=f"answer {n}")
        for n in range(start, start + count)
    ]


@pytest.fixture
def datasets(tmp_path: Path) -> Iterator[DatasetTable]:
    database, clock = Database.open(tmp_path / "noria.db"), FrozenClock()
    table = DatasetTable(database, AuditLog(database, clock), clock)
    table.create(Dataset(id="ds_1", project="p", name="d"), by=SYSTEM)
    table.commit("p", "d", examples(150), by=SYSTEM)
    yield table
    database.close()


class Embedder:
    """Counts the texts that it was given; refuses after `allowed` of them."""

    def __init__(self, allowed: int = 10**9) -> None:
        self.seen: list[str] = []
        self.allowed = allowed

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        texts = msgspec.json.decode(request.content)["input"]
        if len(self.seen) + len(texts) > self.allowed:
            raise httpx2.ConnectError("gone")
        self.seen += texts
        data = [
            {"index": n, "object": "embedding", "embedding": [float(ord(one[-1])), float(len(one)), 1.0]}
            for n, one in enumerate(texts)
        ]
        return httpx2.Response(200, json={"object": "list", "model": "e", "data": data})

    def client(self) -> AsyncNoria:
        return AsyncNoria("http://noria.invalid", "nk-x", transport=httpx2.MockTransport(self))


def test_the_newest_version_is_pinned_and_stays(datasets: DatasetTable) -> None:
    fixed = pinned(FEW, "p", datasets)
    assert fixed.dataset == "d@1" and fixed.digest
    datasets.commit("p", "d", examples(1, start=900), by=SYSTEM)
    assert pinned(fixed, "p", datasets) == fixed
    with pytest.raises(NotFound, match="import it first"):
        pinned(msgspec.structs.replace(FEW, dataset="none"), "p", datasets)
    with pytest.raises(InvalidRequest, match="name@number"):
        pinned(msgspec.structs.replace(FEW, dataset="d@x"), "p", datasets)
    with pytest.raises(Conflict, match="not the one that was pinned"):
        pinned(msgspec.structs.replace(fixed, digest="sha256:0"), "p", datasets)


def test_random_examples_are_the_same_for_a_seed(datasets: DatasetTable) -> None:
    shots = Shots(choose="random", k=5, dataset="d@1", seed=3)
    first = drawn(shots, "p", datasets)
    assert len({one.answer for one in first}) == 5 and drawn(shots, "p", datasets) == first
    assert drawn(msgspec.structs.replace(shots, seed=4), "p", datasets) != first
    with pytest.raises(InvalidRequest, match="only 150 examples"):
        drawn(msgspec.structs.replace(shots, k=151), "p", datasets)


def test_fixed_examples_are_found_by_id(datasets: DatasetTable) -> None:
    shots = Shots(dataset="d@1", ids=("e007", "e003"))
    assert [one.answer for one in drawn(shots, "p", datasets)] == ["answer 7", "answer 3"]
    with pytest.raises(NotFound, match="e999"):
        drawn(msgspec.structs.replace(shots, ids=("e999",)), "p", datasets)


async def test_a_pool_goes_on_where_it_was_stopped(datasets: DatasetTable, tmp_path: Path) -> None:
    shots, path = pinned(FEW, "p", datasets), tmp_path / "a.pool"
    told: list[int | None] = []

    async def make(embedder: Embedder) -> int:
        async with embedder.client() as client:
            return await make_pool(
                path, shots, project="p", reader=datasets, client=client,
                report=lambda done, total, unit, message: told.append(done),
            )  # fmt: skip

    first = Embedder(allowed=100)
    with pytest.raises(Unreachable):
        await make(first)
    assert len(first.seen) == 64 and not path.exists()
    part = path.with_suffix(".part")
    part.write_bytes(part.read_bytes() + b"\x03\x00\x00\x00torn")
    second = Embedder()
    assert await make(second) == 150
    assert len(second.seen) == 86 and not set(first.seen) & set(second.seen), "nothing is paid for twice"
    assert told == [64, 128, 150] and not part.exists()
    pool = Pool(path)
    assert pool.head.count == 150 and pool.example(149).answer == "answer 149"


async def test_an_example_without_an_answer_is_named(datasets: DatasetTable, tmp_path: Path) -> None:
    datasets.commit("p", "d", [Example(id="bad", input={"q": "x"})], by=SYSTEM)
    async with Embedder().client() as client:
        with pytest.raises(InvalidRequest, match="example bad has no expected answer"):
            await make_pool(
                tmp_path / "a.pool", FEW, project="p", reader=datasets, client=client, report=_quiet
            )


def _quiet(done: int | None, total: int | None, unit: str, message: str) -> None:
    pass
