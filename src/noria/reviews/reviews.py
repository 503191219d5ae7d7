"""Queues at work: make them, fill them, take turns, answer, decide. Every rule is kept here, whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from noria.access.audit import Act
from noria.access.role import Principal
from noria.core.clock import Clock
from noria.core.ids import new_id
from noria.core.pages import Page
from noria.errors import Conflict, Forbidden, InvalidRequest, NotFound
from noria.reviews import work
from noria.reviews.blind import Seen, seen
from noria.reviews.item import CLOSED, Change, Content, Item, Part, Review, Standing, State, Turn
from noria.reviews.order import check_order, rank_of
from noria.reviews.queue import Queue, checked
from noria.reviews.store import Progress, ReviewStore
from noria.reviews.work import Reviewer

MOST_ITEMS = 100_000
"""Added by one call."""
_SETTLED_AT_ONCE = 1_000


class Added(msgspec.Struct, frozen=True):
    """How many items are new, and how many the queue had already."""

    items: int
    known: int


class Reviews:
    """The queues of all projects."""

    def __init__(self, store: ReviewStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def queues(self, project: str) -> list[Queue]:
        return self._store.queues(project)

    def queue(self, project: str, name: str) -> Queue:
        """Items whose reviews are all given, and can no longer be changed, are settled by the way."""
        found = self._store.queue(project, name)
        if found is None:
            raise NotFound(f"There is no queue {name!r} in project {project!r}.")
        self._settle(found)
        return found

    def create(self, queue: Queue, *, by: Principal) -> Queue:
        """`queue.id` and who made it are given here. Raises InvalidRequest, Conflict."""
        made = msgspec.structs.replace(
            checked(queue), id=new_id("que"), created_ms=self._now(), created_by=by.name
        )
        check_order(made.order)
        self._store.add_queue(made, _act("create", made, by))
        return made

    def patch(self, project: str, name: str, changes: Mapping[str, Any], *, by: Principal) -> Queue:
        """The form stays as it is once there are reviews: answers would otherwise be to other questions."""
        before = self.queue(project, name)
        after = checked(msgspec.structs.replace(before, **changes))
        if after == before:
            return before
        check_order(after.order)
        changed = sorted(field for field in changes if getattr(after, field) != getattr(before, field))
        act = _act("patch", after, by, changed=changed)
        if not self._store.save_queue(after, act, unless_reviewed=after.form != before.form):
            raise Conflict("There are reviews by this form; make a new queue for other questions.")
        return after

    def delete(self, project: str, name: str, *, by: Principal) -> None:
        """Only one without reviews: close the others."""
        queue = self.queue(project, name)
        if not self._store.delete_queue(queue, _act("delete", queue, by)):
            raise Conflict(f"The queue {name!r} has reviews; close it instead of deleting them.")

    def add(
        self, queue: Queue, contents: Iterable[Content], *, by: Principal, assign: Sequence[str] = ()
    ) -> Added:
        """Put items into the queue. `assign`: to whom, where the queue assigns them one by one."""
        if queue.closed:
            raise Conflict(f"The queue {queue.name!r} is closed.")
        if queue.assignment == "assigned" and not assign:
            raise InvalidRequest(f"Say whom the items of {queue.name!r} are for.", param="assign")
        if assign and queue.assignment != "assigned":
            raise InvalidRequest(f"The queue {queue.name!r} does not assign items by name.", param="assign")
        pairs = any(question.kind == "preference" for question in queue.form)
        now = self._now()
        items: list[Item] = []
        for content in contents:
            if pairs and len(content.outputs) != 2:
                raise InvalidRequest(
                    f"{queue.name!r} asks for a preference: {content.example.id!r} needs two outputs.",
                    param="items",
                )
            if len(items) == MOST_ITEMS:
                raise InvalidRequest(
                    f"More than {MOST_ITEMS:,} items at once; add them in parts.", param="items"
                )
            rank = rank_of(queue.order, content, seed=queue.id)
            items.append(
                Item(
                    id=new_id("itm"), queue=queue.id, project=queue.project, number=0, content=content,
                    rank=rank, wanted=queue.reviews, added_ms=now,
                )
            )  # fmt: skip
        turns = _assigned(queue, items, assign, start=self._store.progress(queue).items, now_ms=now)
        made = self._store.add_items(queue, items, turns, lambda some: work.added(queue, some, by))
        return Added(len(made), len(items) - len(made))

    def next(self, queue: Queue, by: Principal, *, part: Part = "review") -> Standing | None:
        """Take a turn, or the one that they have; None: nothing is left for them."""
        reviewer = self._reviewer(by)
        if queue.closed:
            return None
        named = queue.reviewers if part == "review" else queue.adjudicators
        if not reviewer.among(named):
            raise Forbidden(f"The queue {queue.name!r} is worked on by others.")
        return self._store.take(queue, reviewer, part)

    def left(self, queue: Queue, by: Principal, *, part: Part = "review") -> int:
        """How many items they could be given."""
        reviewer = self._reviewer(by)
        named = queue.reviewers if part == "review" else queue.adjudicators
        if queue.closed or not reviewer.among(named):
            return 0
        return self._store.left(queue, reviewer, part)

    def answer(
        self, queue: Queue, item: str, answers: Mapping[str, Any], *, comment: str = "", by: Principal
    ) -> Standing:
        """Give a review, or change one's own while the item is open."""
        who = self._reviewer(by)
        return self._change(
            queue, item,
            lambda it: work.answer(it, queue, who, answers, id=new_id("rev"), comment=comment),
        )  # fmt: skip

    def withdraw(self, queue: Queue, item: str, *, by: Principal) -> Standing:
        """Take one's own review back; the turn is one's own again."""
        return self._change(queue, item, lambda it: work.withdraw(it, queue, self._reviewer(by)))

    def skip(self, queue: Queue, item: str, reason: str, *, by: Principal) -> Standing:
        return self._change(queue, item, lambda it: work.skip(it, queue, self._reviewer(by), reason))

    def release(self, queue: Queue, item: str, *, part: Part = "review", by: Principal) -> Standing:
        """Give a turn back."""
        return self._change(queue, item, lambda it: work.release(it, self._reviewer(by), part))

    def flag(self, queue: Queue, item: str, reason: str, *, by: Principal) -> Standing:
        return self._change(queue, item, lambda it: work.flag(it, queue, self._reviewer(by), reason))

    def drop(self, queue: Queue, item: str, *, by: Principal) -> Standing:
        return self._change(queue, item, lambda it: work.drop(it, queue, self._reviewer(by)))

    def assign(self, queue: Queue, item: str, reviewer: str, *, by: Principal) -> Standing:
        return self._change(queue, item, lambda it: work.assign(it, queue, self._reviewer(by), reviewer))

    def adjudicate(
        self, queue: Queue, item: str, answers: Mapping[str, Any], *, comment: str = "", by: Principal
    ) -> Standing:
        """Decide what the reviewers dispute; by somebody who is none of them."""
        who = self._reviewer(by)
        found = self._change(
            queue, item,
            lambda it: work.adjudicate(it, queue, who, answers, id=new_id("rev"), comment=comment),
        )  # fmt: skip
        self.settled(queue, found)
        return found

    def settled(self, queue: Queue, standing: Standing) -> None:
        """Called when an item is done, or decided anew; twice is once. Here nothing comes of it."""

    def seen(self, queue: Queue, standing: Standing, *, by: Principal) -> Seen:
        """As `by` may see it."""
        return seen(standing, queue, self._reviewer(by), admin=by.may("admin", queue.project))

    def item(self, queue: Queue, item: str, *, by: Principal) -> Seen:
        found = self._store.standing(queue, item)
        if found is None:
            raise NotFound(f"The queue {queue.name!r} has no item {item!r}.")
        return self.seen(queue, found, by=by)

    def items(
        self,
        queue: Queue,
        *,
        state: State | None = None,
        flagged: bool = False,
        cursor: int = 0,
        limit: int,
        by: Principal,
    ) -> Page[Seen]:
        """In the order added. Full items are among the open ones: before one closes, nobody need know that
        all of its reviews are given."""
        if flagged and not by.may("admin", queue.project):
            raise Forbidden("Flags are for administrators.")
        states: tuple[State, ...] = ("open", "full", *CLOSED)
        if state is not None:
            states = ("open", "full") if state in ("open", "full") else (state,)
        found = self._store.items(queue, states=states, after=cursor, limit=limit + 1, flagged=flagged)
        shown = tuple(self.seen(queue, one, by=by) for one in found[:limit])
        return Page(shown, str(found[limit - 1].item.number) if len(found) > limit else None)

    def closed(self, queue: Queue, *, done: bool = False) -> Iterator[Standing]:
        """Whole, for agreement and export: what nobody can change any more; `done`: settled ones only."""
        return self._store.all(queue, states=("done",) if done else ("disputed", "done"))

    def mine(self, queue: Queue, *, by: Principal, limit: int) -> list[Review]:
        """What one has answered, newest first, preferences by output and not as shown."""
        return self._store.mine(queue, by.id, limit=limit)

    def history(self, queue: Queue, item: str, *, by: Principal) -> list[Review]:
        """All revisions of one's own reviews of an item."""
        return self._store.history(queue, item, by.id)

    def progress(self, queue: Queue) -> Progress:
        return self._store.progress(queue)

    def _change(self, queue: Queue, item: str, decide: Callable[[Standing], Change]) -> Standing:
        found = self._store.change(queue, item, decide)
        return self._closed(queue, item, self._now()) if found.item.state == "full" else found

    def _closed(self, queue: Queue, item: str, now: int) -> Standing:
        found = self._store.change(queue, item, lambda it: work.close(it, queue, now))
        if found.item.state == "done":
            self.settled(queue, found)
        return found

    def _settle(self, queue: Queue) -> None:
        now = self._now()
        before = now - queue.grace_s * 1000
        while due := self._store.due(queue, full_before_ms=before, limit=_SETTLED_AT_ONCE):
            for item in due:
                self._closed(queue, item, now)

    def _reviewer(self, who: Principal) -> Reviewer:
        return Reviewer(who, self._now())

    def _now(self) -> int:
        return self._clock.now_ns() // 1_000_000


def _assigned(
    queue: Queue, items: Sequence[Item], assign: Sequence[str], *, start: int, now_ms: int
) -> list[Turn]:
    """Who is to review what: those named, or the queue's reviewers in turn."""
    found: list[Turn] = []
    for number, item in enumerate(items, start):
        who = list(assign)
        if queue.assignment == "round_robin":
            at = number * queue.reviews
            who = [queue.reviewers[(at + step) % len(queue.reviewers)] for step in range(queue.reviews)]
        found += [
            Turn(item=item.id, queue=queue.id, reviewer=one, state="assigned", assigned=True, since_ms=now_ms)
            for one in who
        ]
    return found


def _act(verb: str, queue: Queue, by: Principal, **details: Any) -> Act:
    told = {"name": queue.name, **details}
    return Act(by=by, act=f"queue.{verb}", subject=queue.id, project=queue.project, details=told)
