"""What tests of builds share: a source, tools that a spawned process can make, and a way to run steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from noria.core.example import Example
from noria.datasets.curation.event import Event
from noria.datasets.curation.plan import Plan, local_of, specs_of, step_of
from noria.datasets.curation.run import Result, Run, events
from noria.datasets.curation.step import Outcome, Tools


class Listed:
    """curation.run.Source."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self._examples = examples
        self.total: int | None = len(examples)

    def examples(self, *, after: str, skip: int) -> Iterator[Example]:
        return iter(self._examples[skip:])


def make_tools(folder: Path) -> Tools:
    return Tools(folder=folder, calls=folder / "calls", project=Path(__file__).parent, secret=b"s" * 32)


def plan_of(*steps: dict[str, Any]) -> Plan:
    return Plan(specs=specs_of(steps))


def example(id: str, text: str, **more: Any) -> Example:
    return Example(id=id, input={"input": text}, **more)


def examples_of(texts: Iterable[str]) -> list[Example]:
    return [example(f"e{place:06}", text) for place, text in enumerate(texts)]


def run_of(plan: Plan, folder: Path, *, shard: int = 3, golden: Sequence[Example] = ()) -> Run:
    return Run(
        plan,
        folder,
        tools=make_tools,
        workers=2,
        report=lambda done, total, words: None,
        read=lambda name: golden,
        shard=shard,
    )


def built(
    folder: Path, texts: Iterable[str], *steps: dict[str, Any], golden: Sequence[Example] = ()
) -> tuple[Result, list[Example], list[Event]]:
    run = run_of(plan_of(*steps), folder, golden=golden)
    result = run.do(Listed(examples_of(texts)))
    return result, list(run.examples()), [event for _, event in events(folder)]


def apply(step: dict[str, Any], *given: Example, tools: Tools | None = None) -> Sequence[Outcome]:
    """What one local step makes of examples, in this process."""
    work = local_of(step_of(specs_of([step])[0])).open(tools or make_tools(Path("/nowhere")))
    return work(given)
