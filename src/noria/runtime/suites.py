"""Suites: their parts made into runs, and their runs into one report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec

import noria
from noria.core.example import Example
from noria.errors import ConfigError, InvalidRequest, NotFound
from noria.evals.report.suite import Chapter, SuiteReport
from noria.evals.run import DatasetRef, EvalRun, RunSpec, TargetSpec
from noria.evals.source import chosen, file_digest
from noria.evals.suites.data import read
from noria.evals.suites.suite import Part, Suite, load
from noria.prompts.compiled import CompiledPrompt
from noria.prompts.version import PromptVersion
from noria.runtime.eval_report import report
from noria.runtime.evals import Evals
from noria.storage.home import Home

_encode = msgspec.json.Encoder().encode
SEED = 0
"""A part's examples are the same for every model."""


def part_spec(
    evals: Evals,
    home: Home,
    suite: str,
    part: str,
    *,
    model: str,
    data: Path,
    limit: int,
    judge: str = "",
    concurrency: int = 4,
) -> RunSpec:
    """The run of one part on a route or model; its examples are written beside the database.

    Raises NotFound, ConfigError where the data is not there, MissingExtra.
    """
    found = _part(load(suite), part)
    content = found.content()
    dataset = _written(home, suite, found, data, limit)
    return RunSpec(
        name=f"{suite}.{found.name}",
        target=TargetSpec(
            model=model,
            serves=evals.resolver.serves(model),
            content=content,
            compiled=None if content is None else _compiled(found),
            parameters=found.parameters,
            choices=found.choices,
        ),
        dataset=dataset,
        scorers=found.specs(judge),
        seed=SEED,
        concurrency=concurrency,
        tags={"suite": suite, "part": found.name},
    )


def suite_report(evals: Evals, suite: str, runs: Sequence[EvalRun], *, made_ms: int) -> SuiteReport:
    """Of one run a part, in the suite's order. Raises InvalidRequest where a run is of no part."""
    found = load(suite)
    by_part = {run.spec.tags.get("part", ""): run for run in runs}
    names = {part.name for part in found.parts}
    strange = [run.id for name, run in by_part.items() if name not in names]
    if strange:
        raise InvalidRequest(f"The run {strange[0]} is of no part of the suite {suite!r}.")
    chapters = [
        Chapter(part=part, report=report(evals, by_part[part.name], made_ms=made_ms))
        for part in found.parts
        if part.name in by_part
    ]
    missing = [part.name for part in found.parts if part.name not in by_part]
    return SuiteReport(
        name=suite,
        suite=found,
        chapters=tuple(chapters),
        missing=tuple(missing),
        made_ms=made_ms,
        version=noria.__version__,
    )


def _part(suite: Suite, name: str) -> Part:
    part = next((one for one in suite.parts if one.name == name), None)
    if part is None:
        raise NotFound(
            f"The suite has no part {name!r}; it has {', '.join(one.name for one in suite.parts)}."
        )
    return part


def _compiled(part: Part) -> CompiledPrompt:
    from noria.prompts.compose import compiled, composed

    def nothing(*_: str) -> PromptVersion:
        raise ConfigError("A suite's prompt includes no other.")

    content = part.content()
    assert content is not None, "only parts with a prompt are compiled"
    content, included = composed(content, name=part.name, resolve=nothing, by_digest=nothing)
    return compiled(content, included, project="", name=part.name, number=0, digest=content.digest)


def _written(home: Home, suite: str, part: Part, data: Path, limit: int) -> DatasetRef:
    examples: Iterator[Example] | list[Example] = read(part.data, data)
    if limit:
        examples = chosen(examples, limit=limit, seed=SEED)
    folder = home.folder / "suites"
    folder.mkdir(exist_ok=True, mode=0o700)
    path = folder / f"{suite}.{part.name}.{limit or 'all'}.jsonl"
    aside = path.with_suffix(".part")
    with aside.open("wb") as file:
        rows = iter(examples)
        while some := list(islice(rows, 1000)):
            file.write(b"".join(_encode(one) + b"\n" for one in some))
    aside.replace(path)
    return DatasetRef(file=str(path), digest=file_digest(path))
