"""What reviews need of a store. A method that is given an act writes its event in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import msgspec

from noria.access.audit import Act
from noria.reviews.item import Change, Item, Part, Review, Standing, State, Turn
from noria.reviews.queue import Queue
from noria.reviews.work import Reviewer


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Items of a queue by state; full ones count as open."""

    open: int = 0
    disputed: int = 0
    done: int = 0
    dropped: int = 0
    flagged: int = 0

    @property
    def items(self) -> int:
        return self.open + self.disputed + self.done + self.dropped


class ReviewStore(Protocol):
    """Keeps queues, items, turns and reviews."""

    def queues(self, project: str) -> list[Queue]:
        """By name."""
        ...

    def queue(self, project: str, name: str) -> Queue | None: ...

    def add_queue(self, queue: Queue, act: Act) -> None:
        """Raises Conflict where the name is taken."""
        ...

    def save_queue(self, queue: Queue, act: Act, *, unless_reviewed: bool = False) -> bool:
        """False, and nothing written: there are reviews by now."""
        ...

    def delete_queue(self, queue: Queue, act: Act) -> bool:
        """False, and nothing deleted: there are reviews."""
        ...

    def has_reviews(self, queue: Queue) -> bool: ...

    def add_items(
        self, queue: Queue, added: Sequence[Item], assigned: Sequence[Turn], act: Callable[[list[Item]], Act]
    ) -> list[Item]:
        """Those whose content the queue did not have; their numbers are given here."""
        ...

    def take(self, queue: Queue, by: Reviewer, part: Part) -> Standing | None:
        """Hold a turn, atomically: the one that they hold already, else the first item by rank and number
        that has a turn left and that they have not answered or skipped. None: there is none."""
        ...

    def left(self, queue: Queue, by: Reviewer, part: Part) -> int:
        """How many items `take` could give them, one after the other, if nobody else worked."""
        ...

    def standing(self, queue: Queue, item: str) -> Standing | None: ...

    def change(self, queue: Queue, item: str, decide: Callable[[Standing], Change]) -> Standing:
        """Read, decide and write in one transaction, which what `decide` raises undoes. Raises NotFound."""
        ...

    def due(self, queue: Queue, *, full_before_ms: int, limit: int) -> list[str]:
        """Ids of items that are full since before then."""
        ...

    def items(
        self, queue: Queue, *, states: Sequence[State], after: int, limit: int, flagged: bool = False
    ) -> list[Standing]:
        """By number, from behind `after`."""
        ...

    def all(self, queue: Queue, *, states: Sequence[State]) -> Iterator[Standing]:
        """By number, streamed."""
        ...

    def mine(self, queue: Queue, reviewer: str, *, limit: int) -> list[Review]:
        """A person's last reviews that are not withdrawn, newest first."""
        ...

    def history(self, queue: Queue, item: str, reviewer: str) -> list[Review]:
        """All revisions of one's own, oldest first."""
        ...

    def progress(self, queue: Queue) -> Progress: ...

    def erase(self, project: str, matches: Callable[[Item], bool]) -> dict[str, list[str]]:
        """Delete the items that match, with all that was answered; their ids by name of the queue."""
        ...
