"""Whose turn it is: chosen and held within one transaction, so that no two people get the same one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    ScalarSelect,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    select,
)

from noria.reviews.item import Part, Turn
from noria.reviews.queue import Queue
from noria.reviews.work import Reviewer
from noria.storage import review_rows as rows
from noria.storage.seal import Seal
from noria.storage.tables import review_items as items
from noria.storage.tables import review_turns as turns
from noria.storage.tables import reviews


def take(connection: Connection, queue: Queue, by: Reviewer, part: Part, seal: Seal) -> str | None:
    """The id of the item whose turn they now hold; None: there is none for them."""
    held = (
        select(turns.c.item)
        .join(items, items.c.id == turns.c.item)
        .where(_theirs(by, part), turns.c.queue == queue.id, turns.c.state == "held")
        .where(turns.c.until_ms > by.now_ms, items.c.state == _state(part))
        .limit(1)
    )
    found = connection.scalar(held)
    if found is None:
        query = select(items.c.id).where(_free(queue, by, part))
        found = connection.scalar(query.order_by(items.c.rank, items.c.number).limit(1))
    if found is None:
        return None
    row = connection.execute(select(turns).where(_theirs(by, part), turns.c.item == found)).mappings().first()
    before = None if row is None else rows.turn(row, seal)
    live = before is not None and before.live(by.now_ms)
    put(
        connection,
        Turn(
            item=found,
            queue=queue.id,
            reviewer=by.id,
            part=part,
            name=by.who.name,
            state="held",
            assigned=before is not None and before.assigned,
            since_ms=before.since_ms if before is not None and live else by.now_ms,
            until_ms=by.now_ms + queue.lock_s * 1000,
        ),
        seal,
        names=by.names,
    )
    return found


def left(connection: Connection, queue: Queue, by: Reviewer, part: Part) -> int:
    """How many items they could be given: by counting what is not for them, which is little, and never by
    looking at every item."""
    still = _still(queue, part)
    mine = select(turns.c.item).where(_theirs(by, part), turns.c.queue == queue.id).distinct()
    if part == "review" and queue.assignment != "open":
        waiting = mine.where(turns.c.assigned, turns.c.state.in_(("assigned", "held")))
        for_them = items.c.id.in_(waiting)
        found = _count(connection, waiting, still)
    else:
        over = mine.where(turns.c.state.in_(("answered", "skipped")))
        if part == "adjudication":
            own = (reviews.c.queue == queue.id) & (reviews.c.reviewer == by.id)
            over = over.union(select(reviews.c.item).where(own))
        for_them = items.c.id.not_in(over)
        every = connection.scalar(select(func.count()).select_from(items).where(still)) or 0
        found = every - _count(connection, over, still)
    held = (
        select(turns.c.item, func.count().label("others"))
        .where(turns.c.queue == queue.id, turns.c.part == part, turns.c.state == "held")
        .where(turns.c.until_ms > by.now_ms, turns.c.reviewer.not_in(by.names))
        .group_by(turns.c.item)
        .subquery()
    )
    room = items.c.answered + held.c.others < items.c.wanted if part == "review" else held.c.others == 0
    joined = select(func.count()).select_from(items).join(held, held.c.item == items.c.id)
    return found - (connection.scalar(joined.where(still, ~room, for_them)) or 0)


def _count(
    connection: Connection, chosen: Select[tuple[str]] | CompoundSelect[Any], still: ColumnElement[bool]
) -> int:
    """How many items of these ids are still so; begun at the ids, which are few, and not at the items."""
    few = chosen.subquery()
    query = select(func.count()).select_from(few).join(items, items.c.id == few.c.item, isouter=True)
    return connection.scalar(query.where(still)) or 0


def put(connection: Connection, turn: Turn, seal: Seal, *, names: tuple[str, ...] = ()) -> None:
    """Instead of the one that this person, under any of the names, has at the item."""
    own = turns.c.reviewer.in_((turn.reviewer, *names))
    connection.execute(delete(turns).where(turns.c.item == turn.item, turns.c.part == turn.part, own))
    connection.execute(insert(turns).values(rows.of_turn(turn, seal)))


def _state(part: Part) -> str:
    return "open" if part == "review" else "disputed"


def _theirs(by: Reviewer, part: Part) -> ColumnElement[bool]:
    return and_(turns.c.reviewer.in_(by.names), turns.c.part == part)


def _still(queue: Queue, part: Part) -> ColumnElement[bool]:
    return and_(items.c.queue == queue.id, items.c.state == _state(part))


def _others(by: Reviewer, part: Part) -> ScalarSelect[int]:
    """Turns at the item that others hold now."""
    return (
        select(func.count())
        .where(turns.c.item == items.c.id, turns.c.part == part, turns.c.state == "held")
        .where(turns.c.until_ms > by.now_ms, turns.c.reviewer.not_in(by.names))
        .scalar_subquery()
    )


def _free(queue: Queue, by: Reviewer, part: Part) -> ColumnElement[bool]:
    """Items with a turn left for them."""
    over = exists(
        select(1).where(
            turns.c.item == items.c.id, _theirs(by, part), turns.c.state.in_(("answered", "skipped"))
        )
    )
    if part == "adjudication":
        reviewed = exists(select(1).where(reviews.c.item == items.c.id, reviews.c.reviewer == by.id))
        return and_(_still(queue, part), ~over, ~reviewed, _others(by, part) == 0)
    room = items.c.answered + _others(by, part) < items.c.wanted
    if queue.assignment == "open":
        return and_(_still(queue, part), ~over, room)
    assigned = exists(select(1).where(turns.c.item == items.c.id, _theirs(by, part), turns.c.assigned))
    return and_(_still(queue, part), ~over, room, assigned)
