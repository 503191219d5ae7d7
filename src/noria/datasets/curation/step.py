"""What a curation Step is: it keeps an example, changes it, or drops it with a reason.

    [project.entry-points.noria]
    "step.normalize" = "noria.datasets.curation.steps.normalize:Normalize"

A step is a frozen msgspec Struct whose fields are its arguments, as `steps = [{type = "normalize", …}]` gives
them. A local step judges each example alone, in any process; a global one needs to know all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

import msgspec

from noria.core.example import Example


class Drop(msgspec.Struct, frozen=True):
    """The example goes; `reason` is a word that is counted, `details` what was measured."""

    reason: str
    details: dict[str, Any] = {}


class Changed(msgspec.Struct, frozen=True):
    """The example stays, revised; each of `reasons` is counted."""

    example: Example
    reasons: tuple[str, ...]
    details: dict[str, Any] = {}


class Unable(msgspec.Struct, frozen=True):
    """The step could not be applied; the example stays as it was, and `reason` is counted."""

    reason: str
    details: dict[str, Any] = {}


Outcome = Example | Changed | Drop | Unable
"""An Example means: kept; that it differs is seen, and needs no reason."""
Work = Callable[[Sequence[Example]], Sequence[Outcome]]
"""One outcome an example, in order."""
Vectors = Sequence[Sequence[float]]


class Sealing(Protocol):
    """Encrypts what is written to disk, where that is wanted."""

    def bytes(self, data: bytes) -> bytes: ...

    def opened(self, data: bytes) -> bytes: ...


class Unsealed:
    """As it is."""

    def bytes(self, data: bytes) -> bytes:
        return data

    def opened(self, data: bytes) -> bytes:
        return data


UNSEALED = Unsealed()


class Answered(msgspec.Struct, frozen=True):
    """A model's answer; `cost` in dollars, None where it is unknown."""

    text: str
    cost: float | None = None


class Tools(msgspec.Struct, frozen=True, kw_only=True):
    """What steps may use beyond their arguments, in one process."""

    folder: Path
    """The run's own; what `prepare` left is there."""
    calls: Path = Path()
    """Where models' answers are kept from run to run."""
    project: Path = Path()
    """Of noria.toml: modules of `map` and files of arguments are looked up there."""
    embed: Callable[[str, Sequence[str]], Vectors] | None = None
    """(model, texts): one vector a text. Raises errors.NoriaError."""
    chat: Callable[[str, str, str], Answered] | None = None
    """(model, system, user). Raises errors.NoriaError."""
    seal: Sealing = UNSEALED
    """For all that holds examples or answers."""
    secret: bytes = b""
    """Under which reversible PII tokens are made."""


class Step(Protocol):
    """A local step."""

    version: ClassVar[str]
    """Changes when the same example may come out differently."""

    def open(self, tools: Tools) -> Work:
        """Called once in every process that works; loads models and lists. Raises MissingExtra."""
        ...


class Prepared(Protocol):
    """A local step that reads other datasets first."""

    def prepare(self, read: Callable[[str], Iterable[Example]], folder: Path) -> None:
        """Called once a run; `read` gives the examples of a dataset by name or `name@version`."""
        ...


class Losses(msgspec.Struct, frozen=True, kw_only=True):
    """Which examples a global step drops, as numpy arrays of one length; `ordinals` ascend."""

    ordinals: Any
    """int64: places in the stream of what was signed, from 0."""
    kept: Any
    """int64: the place of the example that stands for it; -1: none does."""
    measure: Any
    """float32: how alike they are; nan where that says nothing."""


class GlobalStep(Protocol):
    """Drops by comparing all examples: each is signed in parallel, then one process decides."""

    version: ClassVar[str]
    reason: ClassVar[str]
    """Of its drops."""

    def signer(self, tools: Tools) -> Callable[[Sequence[Example]], Sequence[bytes]]:
        """What the decision needs of each example; b"": it takes no part and stays. Raises MissingExtra."""
        ...

    def decide(self, signed: Iterator[bytes], *, total: int, folder: Path) -> Losses:
        """Holds less than some hundred bytes an example in memory; `folder` is for more."""
        ...


AnyStep = Step | GlobalStep


def each(judge: Callable[[Example], Outcome]) -> Work:
    """Work that looks at one example at a time."""
    return lambda examples: [judge(example) for example in examples]
