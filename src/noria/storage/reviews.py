"""Review queues in noria.db."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec
from sqlalchemy import Connection, delete, exists, func, insert, select, update

from noria.access.audit import Act
from noria.errors import Conflict, NotFound
from noria.reviews.item import Change, Item, Part, Review, Standing, State, Turn
from noria.reviews.queue import Queue
from noria.reviews.store import Progress
from noria.reviews.work import Reviewer
from noria.storage import review_rows as rows
from noria.storage import review_turns
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.tables import review_flags as flags
from noria.storage.tables import review_items as items
from noria.storage.tables import review_queues as queues
from noria.storage.tables import review_turns as turns
from noria.storage.tables import reviews

BATCH = 1_000
"""Rows of one transaction, and of one read."""


class ReviewTable:
    """reviews.ReviewStore."""

    def __init__(self, database: Database, log: AuditLog) -> None:
        self._database = database
        self._seal = database.seal
        self._log = log

    def queues(self, project: str) -> list[Queue]:
        query = select(queues).where(queues.c.project == project).order_by(queues.c.name)
        with self._database.read() as connection:
            return [rows.queue(row) for row in connection.execute(query).mappings()]

    def queue(self, project: str, name: str) -> Queue | None:
        query = select(queues).where(queues.c.project == project, queues.c.name == name)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
            return None if row is None else rows.queue(row)

    def add_queue(self, queue: Queue, act: Act) -> None:
        with self._database.write() as connection:
            connection.execute(insert(queues).values(rows.of_queue(queue)))
            self._log.append(connection, act)

    def save_queue(self, queue: Queue, act: Act, *, unless_reviewed: bool = False) -> bool:
        with self._database.write() as connection:
            if unless_reviewed and self._reviewed(connection, queue):
                return False
            connection.execute(update(queues).where(queues.c.id == queue.id).values(rows.of_queue(queue)))
            self._log.append(connection, act)
            return True

    def delete_queue(self, queue: Queue, act: Act) -> bool:
        with self._database.write() as connection:
            if self._reviewed(connection, queue):
                return False
            connection.execute(delete(queues).where(queues.c.id == queue.id))
            self._log.append(connection, act)
            return True

    def has_reviews(self, queue: Queue) -> bool:
        with self._database.read() as connection:
            return self._reviewed(connection, queue)

    def _reviewed(self, connection: Connection, queue: Queue) -> bool:
        query = select(exists(select(1).where(reviews.c.queue == queue.id)))
        return bool(connection.scalar(query))

    def add_items(
        self, queue: Queue, added: Sequence[Item], assigned: Sequence[Turn], act: Callable[[list[Item]], Act]
    ) -> list[Item]:
        made: list[Item] = []
        by_item: dict[str, list[Turn]] = {}
        for turn in assigned:
            by_item.setdefault(turn.item, []).append(turn)
        for start in range(0, len(added), BATCH):
            with self._database.write() as connection:
                fresh = self._fresh(connection, queue, added[start : start + BATCH])
                if fresh:
                    connection.execute(insert(items), [rows.of_item(one, self._seal) for one in fresh])
                    theirs = [
                        rows.of_turn(turn, self._seal) for one in fresh for turn in by_item.get(one.id, ())
                    ]
                    if theirs:
                        connection.execute(insert(turns), theirs)
                    self._log.append(connection, act(fresh))
            made += fresh
        return made

    def take(self, queue: Queue, by: Reviewer, part: Part) -> Standing | None:
        with self._database.write() as connection:
            item = review_turns.take(connection, queue, by, part, self._seal)
            return None if item is None else self._standing(connection, queue, item)

    def left(self, queue: Queue, by: Reviewer, part: Part) -> int:
        with self._database.read() as connection:
            return review_turns.left(connection, queue, by, part)

    def standing(self, queue: Queue, item: str) -> Standing | None:
        with self._database.read() as connection:
            return self._standing(connection, queue, item)

    def change(self, queue: Queue, item: str, decide: Callable[[Standing], Change]) -> Standing:
        with self._database.write() as connection:
            standing = self._standing(connection, queue, item)
            if standing is None:
                raise NotFound(f"The queue {queue.name!r} has no item {item!r}.")
            now = connection.execute(select(queues).where(queues.c.id == queue.id)).mappings().one()
            if rows.queue(now) != queue:
                raise Conflict("The queue was changed just now; try again.")
            self._write(connection, decide(standing))
            changed = self._standing(connection, queue, item)
            assert changed is not None, "the item was read in this transaction"
            return changed

    def due(self, queue: Queue, *, full_before_ms: int, limit: int) -> list[str]:
        query = (
            select(items.c.id)
            .where(items.c.queue == queue.id, items.c.state == "full", items.c.full_ms <= full_before_ms)
            .limit(limit)
        )
        with self._database.read() as connection:
            return list(connection.scalars(query))

    def items(
        self, queue: Queue, *, states: Sequence[State], after: int, limit: int, flagged: bool = False
    ) -> list[Standing]:
        query = select(items).where(items.c.queue == queue.id, items.c.number > after)
        query = query.where(items.c.state.in_(states))
        if flagged:
            query = query.where(exists(select(1).where(flags.c.item == items.c.id)))
        with self._database.read() as connection:
            found = connection.execute(query.order_by(items.c.number).limit(limit)).mappings()
            return self._standings(connection, [rows.item(row, self._seal) for row in found])

    def all(self, queue: Queue, *, states: Sequence[State]) -> Iterator[Standing]:
        after = 0
        while True:
            page = self.items(queue, states=states, after=after, limit=BATCH // 2)
            yield from page
            if len(page) < BATCH // 2:
                return
            after = page[-1].item.number

    def mine(self, queue: Queue, reviewer: str, *, limit: int) -> list[Review]:
        chosen = (
            reviews.c.queue == queue.id, reviews.c.reviewer == reviewer, reviews.c.latest,
            ~reviews.c.withdrawn,
        )  # fmt: skip
        query = select(reviews).where(*chosen).order_by(reviews.c.at_ms.desc(), reviews.c.id.desc())
        with self._database.read() as connection:
            return [rows.review(row, self._seal) for row in connection.execute(query.limit(limit)).mappings()]

    def history(self, queue: Queue, item: str, reviewer: str) -> list[Review]:
        chosen = (reviews.c.queue == queue.id, reviews.c.item == item, reviews.c.reviewer == reviewer)
        query = select(reviews).where(*chosen).order_by(reviews.c.id, reviews.c.revision)
        with self._database.read() as connection:
            return [rows.review(row, self._seal) for row in connection.execute(query).mappings()]

    def progress(self, queue: Queue) -> Progress:
        counts = select(items.c.state, func.count()).where(items.c.queue == queue.id).group_by(items.c.state)
        flagged = (
            select(func.count(flags.c.item.distinct()))
            .join(items, items.c.id == flags.c.item)
            .where(items.c.queue == queue.id, items.c.state != "dropped")
        )
        with self._database.read() as connection:
            found: dict[str, int] = {row[0]: row[1] for row in connection.execute(counts)}
            found["open"] = found.get("open", 0) + found.pop("full", 0)
            return Progress(**found, flagged=connection.scalar(flagged) or 0)

    def erase(self, project: str, matches: Callable[[Item], bool]) -> dict[str, list[str]]:
        """Delete the items that match, with all that was said of them; their ids by name of the queue."""
        erased: dict[str, list[str]] = {}
        after = ""
        query = (
            select(items, queues.c.name.label("queue_name"))
            .join(queues, queues.c.id == items.c.queue)
            .where(items.c.project == project)
            .order_by(items.c.id)
            .limit(BATCH // 2)
        )
        while True:
            with self._database.read() as connection:
                page = connection.execute(query.where(items.c.id > after)).mappings().all()
            found = [row for row in page if matches(rows.item(row, self._seal))]
            if found:
                with self._database.write() as connection:
                    connection.execute(delete(items).where(items.c.id.in_([row["id"] for row in found])))
            for row in found:
                erased.setdefault(row["queue_name"], []).append(row["id"])
            if len(page) < BATCH // 2:
                return erased
            after = page[-1]["id"]

    def _fresh(self, connection: Connection, queue: Queue, added: Sequence[Item]) -> list[Item]:
        """Those that the queue does not have, numbered."""
        known = select(items.c.key).where(items.c.queue == queue.id)
        last = connection.scalar(select(func.max(items.c.number)).where(items.c.queue == queue.id)) or 0
        keys = {one.content.key for one in added}
        seen: set[str] = set()
        listed = sorted(keys)
        for start in range(0, len(listed), 500):
            seen.update(connection.scalars(known.where(items.c.key.in_(listed[start : start + 500]))))
        fresh: list[Item] = []
        for one in added:
            key = one.content.key
            if key not in seen:
                seen.add(key)
                fresh.append(msgspec.structs.replace(one, number=last + len(fresh) + 1))
        return fresh

    def _write(self, connection: Connection, change: Change) -> None:
        if change.item is not None:
            values = rows.of_item(change.item, self._seal)
            connection.execute(update(items).where(items.c.id == change.item.id).values(values))
        if change.turn is not None:
            review_turns.put(connection, change.turn, self._seal, names=change.names)
        if change.review is not None:
            chosen = (reviews.c.id == change.review.id) & reviews.c.latest
            connection.execute(update(reviews).where(chosen).values(latest=False))
            connection.execute(insert(reviews).values(rows.of_review(change.review, self._seal)))
        if change.flag is not None:
            one = change.flag
            own = (flags.c.item == one.item) & (flags.c.reviewer == one.reviewer)
            connection.execute(delete(flags).where(own))
            connection.execute(insert(flags).values(rows.of_flag(one, self._seal)))
        if change.act is not None:
            self._log.append(connection, change.act)

    def _standing(self, connection: Connection, queue: Queue, item: str) -> Standing | None:
        query = select(items).where(items.c.id == item, items.c.queue == queue.id)
        row = connection.execute(query).mappings().first()
        return None if row is None else self._standings(connection, [rows.item(row, self._seal)])[0]

    def _standings(self, connection: Connection, found: Sequence[Item]) -> list[Standing]:
        ids = [one.id for one in found]
        theirs: dict[str, tuple[list[Turn], list[Review], list[rows.Flag]]] = {id: ([], [], []) for id in ids}
        if ids:
            for row in connection.execute(select(turns).where(turns.c.item.in_(ids))).mappings():
                theirs[row["item"]][0].append(rows.turn(row, self._seal))
            latest = select(reviews).where(reviews.c.item.in_(ids), reviews.c.latest)
            for row in connection.execute(latest.order_by(reviews.c.id)).mappings():
                theirs[row["item"]][1].append(rows.review(row, self._seal))
            flagged = select(flags).where(flags.c.item.in_(ids)).order_by(flags.c.at_ms)
            for row in connection.execute(flagged).mappings():
                theirs[row["item"]][2].append(rows.flag(row, self._seal))
        return [
            Standing(item=one, turns=tuple(mine), reviews=tuple(said), flags=tuple(flagged))
            for one in found
            for mine, said, flagged in [theirs[one.id]]
        ]
