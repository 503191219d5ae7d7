"""Feedback over the wire, without I/O: requests made ready, answers read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from noria.client.wire import Ask

FeedbackKind = Literal["thumb", "score", "choice", "comment", "correction", "demonstration"]
FeedbackSource = Literal["person", "program"]
FeedbackValue = float | bool | str | Sequence[Any] | Mapping[str, Any] | None
_PATH = "/v1/feedback"
_encode = msgspec.json.Encoder().encode


class FeedbackOutcome(msgspec.Struct, frozen=True):
    """What became of one of a batch; `id` is "" where it was refused, and then `refused` says why."""

    id: str = ""
    refused: str = ""


def give(*, project: str | None, metadata: Mapping[str, Any] | None, **fields: Any) -> Ask:
    return Ask(_path("", project), _encode({**fields, "metadata": metadata or {}}))


def batch(items: Sequence[Mapping[str, Any]], *, project: str | None) -> Ask:
    return Ask(_path("/batch", project), _encode({"items": list(items)}))


def revise(id: str, changes: Mapping[str, Any], *, project: str | None) -> Ask:
    return Ask(_path(f"/{quote(id, safe='')}/revise", project), _encode(changes))


def retract(id: str, *, project: str | None) -> Ask:
    return Ask(_path(f"/{quote(id, safe='')}/retract", project), b"{}")


def outcomes(body: bytes) -> list[FeedbackOutcome]:
    found = msgspec.json.decode(body)["items"]
    return [
        FeedbackOutcome(refused=one["error"]["message"])
        if one["feedback"] is None
        else FeedbackOutcome(id=one["feedback"]["id"])
        for one in found
    ]


def _path(rest: str, project: str | None) -> str:
    return _PATH + rest + (f"?project={quote(project, safe='')}" if project else "")
