"""Where a queue's items come from; `runtime` turns what is wanted into Contents."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

import msgspec

from noria.core.digest import digest
from noria.core.example import Example
from noria.reviews.item import Candidate, Content


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """An item sent whole."""

    id: str = ""
    input: dict[str, Any]
    outputs: tuple[Candidate, ...] = ()
    expected: Any = None
    shown: dict[str, Any] = {}
    hidden: dict[str, Any] = {}
    group: str = ""
    trace: str = ""

    def content(self) -> Content:
        id = self.id or "ex_" + digest((self.input, [output.text for output in self.outputs]))[7:27]
        example = Example(id=id, input=self.input, expected=self.expected, group=self.group)
        return Content(
            example=example, outputs=self.outputs, shown=self.shown, hidden=self.hidden, trace=self.trace
        )


class Spans(msgspec.Struct, frozen=True, kw_only=True):
    """Recorded traces, one item each."""

    q: str = ""
    """In the filter language of traces."""
    start: str = "-7d"
    end: str = "now"
    limit: int = 100


class Examples(msgspec.Struct, frozen=True, kw_only=True):
    """Of a dataset's version; None: the newest."""

    name: str
    version: int | None = None
    split: str = ""
    limit: int = 1_000


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Answers of an EvalRun; with `against` pairs of both runs' answers to the same example."""

    id: str
    against: str = ""
    only: Literal["all", "failed", "disagreement"] = "all"
    limit: int = 1_000


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Exactly one of them."""

    items: tuple[Given, ...] | None = None
    spans: Spans | None = None
    dataset: Examples | None = None
    run: Run | None = None


class LeftOut:
    """What could not be made into items, by reason; grows while Contents are read."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()

    def count(self, reason: str) -> None:
        self.reasons[reason] += 1
