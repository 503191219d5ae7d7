"""Which log records are GenAI events."""

from __future__ import annotations

from typing import Any

from noria.tracing.span import Event

NOT_GENAI = (
    "Of logs only GenAI events are kept: an event name that begins with `gen_ai.`, and the ids of its span."
)


def event_of(name: str, at: int, attributes: dict[str, Any], body: Any) -> Event | None:
    """The event that a log record is, with its body as an attribute; None where it is none of ours."""
    name = name or str(attributes.get("event.name", ""))
    if not name.startswith("gen_ai."):
        return None
    if body is not None and body != "":
        attributes = attributes | {"body": body}
    return Event(name, at, attributes)
