"""In which order contents become versions: what is included before what includes it."""

from __future__ import annotations

from collections.abc import Mapping

from noria.errors import UserError
from noria.prompts.reference import parse_reference
from noria.prompts.template import references
from noria.prompts.version import PromptContent


def in_order(contents: Mapping[str, PromptContent]) -> list[str]:
    """Names, each behind those that it includes. Raises UserError, naming the circle."""
    includes = {
        name: [
            other
            for message in content.messages
            for other in (parse_reference(text).name for text in references(message.template))
            if other in contents
        ]
        for name, content in contents.items()
    }
    done: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circle = " → ".join((*path[path.index(name) :], name))
            raise UserError(f"Prompts include one another in a circle: {circle}.")
        if name not in done:
            for other in includes[name]:
                visit(other, (*path, name))
            done.append(name)

    for name in sorted(contents):
        visit(name, ())
    return done
