"""How much a call may use at most: what `models.bound` needs, read from the call."""

from __future__ import annotations

import msgspec

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
_PLAIN = frozenset(
    {
        "message", "text", "input_text", "output_text", "summary_text", "refusal", "function_call",
        "tool_use",
        "reasoning", "thinking", "redacted_thinking", "function_call_output", "tool_result",
    }
)  # fmt: skip
"""Types of messages and parts that hold no media of their own."""


_FETCHING = {
    "openai": ("web_search_options",),
    "responses": ("previous_response_id", "conversation", "prompt"),
    "anthropic": ("mcp_servers", "container"),
}
"""Fields by which a provider adds to the input what the body does not hold."""
_CALLERS_TOOLS = (
    "function", "custom", "local_shell", "apply_patch", "computer", "bash_", "text_editor_", "memory_",
)  # fmt: skip
"""How the types of tools begin that the caller runs: what they give comes back in another request's body."""
_NULL = msgspec.Raw(b"null")


class _Tool(msgspec.Struct):
    type: str = "custom"


class _Piece(msgspec.Struct):
    type: str = "text"
    content: msgspec.Raw = _NULL
    output: msgspec.Raw = _NULL


_pieces = msgspec.json.Decoder(list[_Piece])
_tools = msgspec.json.Decoder(list[_Tool])


def open_ended(front: str, fields: ask.Fields) -> str:
    """Why the body of a passed-through call does not bound its input, in a sentence; "" where it does."""
    for name in _FETCHING.get(front, ()):
        if name in fields and bytes(fields[name]) != b"null":
            return f"`{name}` brings in more input than the body holds; leave it out."
    raw = fields.get("tools")
    if raw is None or bytes(raw) == b"null":
        return ""
    try:
        tools = _tools.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "`tools` cannot be read; send a list of tools."
    theirs = next((tool.type for tool in tools if not tool.type.startswith(_CALLERS_TOOLS)), "")
    return theirs and f"The provider runs the tool {theirs!r}, and bills what it brings in; leave it out."


def plain_demand(front: str, fields: ask.Fields, body: bytes, card: Card) -> Demand | None:
    """The demand of a passed-through body without media; None where it must be decoded whole to be sure."""
    if front in ("embeddings", "completions"):
        inputs = _inputs(fields.get("input" if front == "embeddings" else "prompt"))
        if front == "embeddings":
            return Demand(body_bytes=len(body), messages=inputs, max_output=0)
        messages = choices = inputs
    else:
        found = _count(fields.get("input" if front == "responses" else "messages", _NULL))
        if found is None:
            return None
        messages, choices = found + 1, 1
    limits = [ask.count(fields, name) for name in _LIMITS[front]]
    asked = max((limit for limit in limits if limit is not None), default=None)
    if "n" in fields or "best_of" in fields:
        choices *= max(ask.count(fields, "n") or 1, ask.count(fields, "best_of") or 1)
    return Demand(body_bytes=len(body), messages=messages, max_output=_output(asked, card), choices=choices)


def _count(raw: msgspec.Raw) -> int | None:
    """How many messages and parts there are, parts within parts too; None where one may hold media."""
    if bytes(memoryview(raw)[:1]) != b"[":
        return 1
    try:
        pieces = _pieces.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    total = len(pieces)
    for piece in pieces:
        if piece.type not in _PLAIN:
            return None
        for inner in (piece.content, piece.output):
            within = _count(inner)
            if within is None:
                return None
            total += within - 1
    return total


def _inputs(raw: msgspec.Raw | None) -> int:
    """At least the number of texts: each of a list is separated by a comma."""
    text = bytes(raw or b"")
    return text.count(b",") + 1 if text[:1] == b"[" else 1


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
