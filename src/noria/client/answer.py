"""What the client's methods return: the answer, and the receipt of the call."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from noria.client.receipt import Receipt
from noria.core.messages import Message, Response, Text, ToolCall
from noria.core.usage import Usage


class Answer(msgspec.Struct, frozen=True):
    """Of a chat."""

    response: Response
    receipt: Receipt

    @property
    def text(self) -> str:
        """What the first choice says; "" where it only calls tools."""
        return "".join(part.text for part in self._message.parts if isinstance(part, Text))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The first choice's."""
        return tuple(part for part in self._message.parts if isinstance(part, ToolCall))

    @property
    def usage(self) -> Usage:
        return self.response.usage

    @property
    def trace(self) -> str:
        return self.receipt.trace

    @property
    def cost(self) -> Decimal | None:
        return self.receipt.cost

    @property
    def _message(self) -> Message:
        return self.response.choices[0].message


class Embeddings(msgspec.Struct, frozen=True):
    """One vector a text, in order."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage
    receipt: Receipt


class Responded(msgspec.Struct, frozen=True):
    """Of the Responses API: `body` is the response object as sent."""

    body: dict[str, Any]
    receipt: Receipt

    @property
    def id(self) -> str:
        return self.body["id"]

    @property
    def text(self) -> str:
        """The text of all its messages."""
        messages = (item for item in self.body.get("output", ()) if item.get("type") == "message")
        parts = (part for message in messages for part in message.get("content", ()))
        return "".join(part["text"] for part in parts if part.get("type") == "output_text")
