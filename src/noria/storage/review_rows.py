"""Queues, items, turns, reviews and flags as rows, and back."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import RowMapping

from noria.reviews.item import Content, Flag, Item, Review, Settled, Turn
from noria.reviews.queue import Queue

_REVIEW = Review.__struct_fields__
_TURN = Turn.__struct_fields__


def of_queue(queue: Queue) -> dict[str, Any]:
    body = msgspec.to_builtins(queue)
    return {
        "id": queue.id,
        "project": queue.project,
        "name": queue.name,
        "closed": queue.closed,
        "body": body,
    }


def queue(row: RowMapping) -> Queue:
    return msgspec.convert(row["body"], Queue)


def of_item(item: Item) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(item),
        "key": item.content.key,
        "trace": item.content.trace,
        "content": msgspec.to_builtins(item.content),
        "settled": None if item.settled is None else msgspec.to_builtins(item.settled),
    }


def item(row: RowMapping) -> Item:
    values = {name: row[name] for name in Item.__struct_fields__}
    values["content"] = msgspec.convert(row["content"], Content)
    values["settled"] = None if row["settled"] is None else msgspec.convert(row["settled"], Settled)
    return Item(**values)


def of_turn(turn: Turn) -> dict[str, Any]:
    return msgspec.structs.asdict(turn)


def turn(row: RowMapping) -> Turn:
    return Turn(**{name: row[name] for name in _TURN})


def of_review(review: Review) -> dict[str, Any]:
    return {**msgspec.structs.asdict(review), "order": list(review.order), "latest": True}


def review(row: RowMapping) -> Review:
    values = {name: row[name] for name in _REVIEW}
    values["order"] = tuple(values["order"])
    return Review(**values)


def flag(row: RowMapping) -> Flag:
    return Flag(**row)
