"""Makes the pool that a prompt's similar examples are chosen from; goes on where it was stopped."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from noria.client import AsyncNoria
from noria.core.clock import SystemClock
from noria.datasets.store import DatasetReader
from noria.errors import InvalidRequest
from noria.prompts.apply import shot_of
from noria.prompts.pool import MOST, text_of, write_pool
from noria.prompts.technique import Shots
from noria.runtime.own_calls import own_client
from noria.runtime.sealing import open_database
from noria.runtime.shots import dataset_version
from noria.storage.audit import AuditLog
from noria.storage.datasets import DatasetTable
from noria.storage.home import Home

BATCH = 64
"""Texts of one embedding call."""
Report = Callable[[int | None, int | None, str, str], None]


def build_pool(arguments: dict[str, Any], report: Report) -> object:
    """The job; the result is the number of examples."""
    home = Home(Path(arguments["home"]))
    shots = msgspec.convert(arguments["shots"], Shots)
    database = open_database(home)
    try:
        clock = SystemClock()
        reader = DatasetTable(database, AuditLog(database, clock), clock)
        return asyncio.run(_build(arguments, shots, reader, home, report))
    finally:
        database.close()


async def _build(
    arguments: dict[str, Any], shots: Shots, reader: DatasetReader, home: Home, report: Report
) -> int:
    project: str = arguments["project"]
    client = own_client(home, project=project, by=arguments["by"], by_name=arguments["by_name"])
    async with client:
        return await make_pool(
            Path(arguments["pool"]), shots, project=project, reader=reader, client=client, report=report
        )


async def make_pool(
    path: Path, shots: Shots, *, project: str, reader: DatasetReader, client: AsyncNoria, report: Report
) -> int:
    """Embed the examples of the dataset's version and split, and write the pool; how many there are.

    Vectors are appended to a file aside as they come, so that a kill costs one batch at most. Raises
    InvalidRequest where there are none or too many, or one has no answer.
    """
    version = dataset_version(shots, project, reader)
    found = [
        (text_of(shots, one.input), shot_of(one))
        for one in islice(reader.examples(version, split=shots.split), MOST + 1)
    ]
    if not 0 < len(found) <= MOST:
        raise InvalidRequest(
            f"{shots.dataset} has {'more than ' if found else ''}{min(len(found), MOST):,} examples in split "
            f"{shots.split or 'all'!r}; a pool has between 1 and {MOST:,}, so name a `split`.",
            param="technique",
        )
    aside = path.with_suffix(".part")
    vectors = _kept(aside)
    del vectors[len(found) :]
    with aside.open("ab") as file:
        async for batch in _embedded([text for text, _ in found[len(vectors) :]], shots.embedder, client):
            for vector in batch:
                file.write(len(vector).to_bytes(4, "little") + array("f", vector).tobytes())
            file.flush()
            vectors += batch
            report(len(vectors), len(found), "examples", f"embedding {shots.dataset}")
    write_pool(path, [shot for _, shot in found], vectors)
    aside.unlink()
    return len(found)


async def _embedded(
    texts: list[str], model: str, client: AsyncNoria
) -> AsyncIterator[list[tuple[float, ...]]]:
    for start in range(0, len(texts), BATCH):
        answer = await client.embeddings(model, texts[start : start + BATCH])
        yield list(answer.vectors)


def _kept(path: Path) -> list[tuple[float, ...]]:
    """The whole vectors of an earlier attempt; a torn one at the end is cut off."""
    if not path.exists():
        return []
    data = path.read_bytes()
    vectors = list(_vectors(data))
    whole = sum(4 + 4 * len(one) for one in vectors)
    if whole < len(data):
        with path.open("r+b") as file:
            file.truncate(whole)
    return vectors


def _vectors(data: bytes) -> Iterator[tuple[float, ...]]:
    at = 0
    while at + 4 <= len(data):
        end = at + 4 + 4 * int.from_bytes(data[at : at + 4], "little")
        if end > len(data):
            return
        yield tuple(array("f", data[at + 4 : end]))
        at = end
