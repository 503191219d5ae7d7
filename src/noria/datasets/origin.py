"""Which examples hold words of certain traces: what lineage tells, for the erasure of a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from noria.core.example import Example

ORIGIN = "origin"
"""Metadata of an example that a review was made of: the source that it had before."""


class Origins:
    """Traces, and the items of review queues that were made of them. Grows while more is found."""

    def __init__(self, traces: Iterable[str]) -> None:
        """`traces` are ids in hex."""
        self.traces = frozenset(traces)
        self.items: set[str] = set()
        self.examples: set[str] = set()
        """Ids of the examples that were found."""

    def of(self, example: Example) -> bool:
        """Whether it holds what was said in one of the traces; if so, its id is noted."""
        # An example of a review queue is named after its trace.
        found = example.id.partition("-")[0] in self.traces or any(map(self.names, _sources(example)))
        if found:
            self.examples.add(example.id)
        return found

    def names(self, source: str) -> bool:
        """Whether a source, as in `Example.source`, is one of the traces or items."""
        kind, _, rest = source.partition(":")
        if kind == "span":
            return rest.partition("/")[0] in self.traces
        return kind == "review" and rest in self.items


def _sources(example: Example) -> Iterator[str]:
    yield example.source
    before = example.metadata.get(ORIGIN)
    if isinstance(before, str):
        yield before
