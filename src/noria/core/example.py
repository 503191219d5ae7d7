"""An Example: what a model is given, and what is known of a good answer. The only word for it."""

from __future__ import annotations

from typing import Any

import msgspec

from noria.core.digest import digest

Fields = dict[str, Any]
"""JSON values by name."""


class Example(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One example of a dataset. All values are JSON."""

    id: str
    """Stays the same while the example is revised."""
    input: Fields
    """A prompt's variables by name; a conversation is under "messages" (OpenAI's form), a bare text under
    "input"."""
    expected: Any = None
    """The reference answer, or a list of equally good ones; None: there is none."""
    metadata: Fields = {}
    """Anything else that is known: category, difficulty, retrieved context, choices."""
    tags: tuple[str, ...] = ()
    source: str = ""
    """Where it came from: "span:<trace>/<span>", "review:<id>", "file:<name>#<line>"; "": not known."""
    group: str = ""
    """Examples of one group depend on one another (same document, same conversation): intervals are
    clustered by it, and a split keeps it together; "": a group of its own."""

    @property
    def revision(self) -> str:
        """The content address of all but the id."""
        values = msgspec.to_builtins(self)
        del values["id"]
        return digest(values)
