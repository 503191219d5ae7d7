"""Examples of a prompt that come from a dataset: pinned, drawn, or made into a pool to choose from."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from noria.access.role import Principal
from noria.core.digest import digest
from noria.core.example import Example
from noria.datasets.store import DatasetReader, DatasetVersion
from noria.errors import Conflict, InvalidRequest, NotFound
from noria.prompts.apply import shot_of
from noria.prompts.compiled import CompiledPrompt
from noria.prompts.technique import Shot, Shots
from noria.runtime.jobs import Job, Jobs

TASK = "prompt.pool"


def pinned(shots: Shots, project: str, reader: DatasetReader) -> Shots:
    """With the number and the digest of the dataset's version. Raises NotFound."""
    version = dataset_version(shots, project, reader)
    name = shots.dataset.partition("@")[0]
    return msgspec.structs.replace(shots, dataset=f"{name}@{version.number}", digest=version.digest)


def dataset_version(shots: Shots, project: str, reader: DatasetReader) -> DatasetVersion:
    """Raises NotFound, and Conflict where the version has another content than when it was pinned."""
    name, _, number = shots.dataset.partition("@")
    if number and not number.isdigit():
        raise InvalidRequest(
            f"{shots.dataset!r} names no dataset version; write name@number.", param="technique"
        )
    found = reader.version(project, name, int(number) if number else None)
    if found is None:
        raise NotFound(f"There is no dataset version {shots.dataset!r}; import it first.", param="technique")
    if shots.digest and found.digest != shots.digest:
        raise Conflict(
            f"The dataset version {shots.dataset!r} is not the one that was pinned.", param="technique"
        )
    return found


def drawn(shots: Shots, project: str, reader: DatasetReader) -> tuple[Shot, ...]:
    """Fixed examples by id, or `k` at random: the same ones for the same seed (reservoir sampling)."""
    version = dataset_version(shots, project, reader)
    every = reader.examples(version, split=shots.split)
    if shots.choose == "fixed":
        wanted = set(shots.ids)
        found = {one.id: one for one in every if one.id in wanted}
        missing = [id for id in shots.ids if id not in found]
        if missing:
            raise NotFound(f"The dataset {shots.dataset} has no example {missing[0]!r}.", param="technique")
        return tuple(shot_of(found[id]) for id in shots.ids)
    kept = _reservoir(every, shots.k, random.Random(shots.seed))
    if len(kept) < shots.k:
        raise InvalidRequest(
            f"The dataset {shots.dataset} has only {len(kept)} examples in split {shots.split or 'all'!r}, "
            f"and {shots.k} are asked for.",
            param="technique",
        )
    return tuple(shot_of(one) for one in kept)


def _reservoir(examples: Iterator[Example], k: int, rng: random.Random) -> list[Example]:
    """Vitter's algorithm R."""
    kept: list[Example] = []
    for index, one in enumerate(examples):
        if index < k:
            kept.append(one)
        elif (place := rng.randrange(index + 1)) < k:
            kept[place] = one
    return kept


def pool_name(project: str, shots: Shots) -> str:
    """Of the pool that these are chosen from; `shots` are pinned."""
    return digest([project, shots.digest, shots.split, shots.field, shots.embedder]).removeprefix("sha256:")[
        :32
    ]


class Pools:
    """Pools to choose similar examples from: one file for each dataset version, split, field and embedder."""

    def __init__(self, folder: Path, home: Path, jobs: Jobs) -> None:
        self._folder = folder
        self._home = home
        self._jobs = jobs

    def path(self, name: str) -> Path:
        return self._folder / f"{name}.pool"

    def prepare(self, prompt: CompiledPrompt, *, by: Principal) -> Job | None:
        """The job that makes the pool, begun where none is under way; None: the pool is there, or none is
        needed."""
        if not prompt.pool or self.path(prompt.pool).exists():
            return None
        shots = prompt.technique.examples
        assert shots is not None, "only examples have a pool"
        arguments: dict[str, Any] = {
            "home": str(self._home), "project": prompt.project, "by": by.id, "by_name": by.name,
            "pool": str(self.path(prompt.pool)), "shots": msgspec.to_builtins(shots),
        }  # fmt: skip
        return self._jobs.start(prompt.project, TASK, prompt.pool, arguments=arguments, by=by)

    def require(self, prompt: CompiledPrompt, *, by: Principal) -> None:
        """Raises Conflict while the pool is being made."""
        job = self.prepare(prompt, by=by)
        if job is not None:
            raise Conflict(
                f"The examples of {prompt.name}@{prompt.number} are being embedded ({job.id}); move the "
                "label again when `noria job list` shows it done.",
                code="not_ready",
                param="label",
            )
