"""How much a call may use at most: what `models.bound` needs, read from the call."""

from __future__ import annotations

from noria.core import messages
from noria.gateway import ask
from noria.models.bound import Demand
from noria.models.card import Card

_LIMITS = {
    "openai": ("max_completion_tokens", "max_tokens"),
    "completions": ("max_tokens",),
    "responses": ("max_output_tokens",),
    "anthropic": ("max_tokens",),
}
_MEDIA = (b"image", b"file", b"document", b"audio", b"\\u00")
"""Text that a body with media in it must contain, or that may spell it in another way."""


def plain_demand(front: str, fields: ask.Fields, body: bytes, card: Card) -> Demand | None:
    """The demand of a passed-through body without media; None where it must be decoded to be sure.

    Counting the quoted keys counts at least every message, which is enough for an upper bound.
    """
    if any(mark in body for mark in _MEDIA):
        return None
    if front == "embeddings":
        return Demand(body_bytes=len(body), messages=body.count(b"[") + body.count(b'"'), max_output=0)
    limits = [ask.count(fields, name) for name in _LIMITS[front]]
    asked = max((limit for limit in limits if limit is not None), default=None)
    choices = max(ask.count(fields, "n") or 1, ask.count(fields, "best_of") or 1)
    return Demand(
        body_bytes=len(body),
        messages=body.count(b'"role"') + body.count(b'"type"') + 1,
        max_output=_output(asked, card),
        choices=choices * _prompts(front, fields),
    )


def request_demand(request: messages.Request, body: bytes, card: Card) -> Demand:
    """The demand of a decoded request whose upstream body is `body`."""
    images = files = media = 0
    for message in request.messages:
        for part in message.parts:
            for piece in part.parts if isinstance(part, messages.ToolResult) else (part,):
                if isinstance(piece, messages.Image):
                    images += 1
                    media += len(piece.data or "")
                elif isinstance(piece, messages.File):
                    files += 1
                    media += len(piece.data or "")
    return Demand(
        body_bytes=max(len(body) - media, 0),
        messages=len(request.messages) + 1,
        images=images,
        files=files,
        max_output=_output(request.max_tokens, card),
        choices=request.n or 1,
    )


def _output(asked: int | None, card: Card) -> int | None:
    """Tokens: what the caller allows, else the card's limit, else all of the context."""
    return asked if asked is not None else card.max_output or card.context


def _prompts(front: str, fields: ask.Fields) -> int:
    """Prompts of a text completion: each of a list is continued by itself."""
    if front != "completions":
        return 1
    raw = bytes(fields.get("prompt", b""))
    return raw.count(b",") + 1 if raw[:1] == b"[" else 1
