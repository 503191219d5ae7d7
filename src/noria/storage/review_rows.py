"""Queues, items, turns, reviews and flags as rows, and back; what people wrote or said is sealed."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import RowMapping

from noria.reviews.item import Content, Flag, Item, Review, Settled, Turn
from noria.reviews.queue import Queue
from noria.storage.seal import Seal

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


def of_item(item: Item, seal: Seal) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(item),
        "key": item.content.key,
        "trace": item.content.trace,
        "content": seal.json(msgspec.to_builtins(item.content)),
        "settled": None if item.settled is None else seal.json(msgspec.to_builtins(item.settled)),
    }


def item(row: RowMapping, seal: Seal) -> Item:
    values = {name: row[name] for name in Item.__struct_fields__}
    settled = seal.opened_json(row["settled"])
    values["content"] = msgspec.convert(seal.opened_json(row["content"]), Content)
    values["settled"] = None if settled is None else msgspec.convert(settled, Settled)
    return Item(**values)


def of_turn(turn: Turn, seal: Seal) -> dict[str, Any]:
    return {**msgspec.structs.asdict(turn), "reason": seal.text(turn.reason)}


def turn(row: RowMapping, seal: Seal) -> Turn:
    values: dict[str, Any] = {name: row[name] for name in _TURN}
    values["reason"] = seal.opened_text(row["reason"])
    return Turn(**values)


def of_review(review: Review, seal: Seal) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(review),
        "answers": seal.json(review.answers),
        "comment": seal.text(review.comment),
        "order": list(review.order),
        "latest": True,
    }


def review(row: RowMapping, seal: Seal) -> Review:
    values = {name: row[name] for name in _REVIEW}
    values["answers"] = seal.opened_json(row["answers"])
    values["comment"] = seal.opened_text(row["comment"])
    values["order"] = tuple(values["order"])
    return Review(**values)


def of_flag(flag: Flag, seal: Seal) -> dict[str, Any]:
    return {**msgspec.structs.asdict(flag), "reason": seal.text(flag.reason)}


def flag(row: RowMapping, seal: Seal) -> Flag:
    values: dict[str, Any] = dict(row)
    values["reason"] = seal.opened_text(row["reason"])
    return Flag(**values)
