"""`prompts/<name>.md`: TOML between `+++` lines, then the messages, each behind a line `@role`.

    +++
    description = "Answers questions about an order."
    model = "fast"

    [variables]
    question = "string"
    +++
    @system
    You answer questions about orders.

    @user
    {{ question }}

TOML, since noria.toml is: no second language, no value whose type depends on how it looks (YAML's `no`). A
body without a first `@role` is one user message. A text line that looks like a mark has one more `@`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

import msgspec

from noria.errors import ConfigError
from noria.prompts.version import PromptContent, PromptMessage

FENCE = "+++"
_MARK = re.compile(r"@(system|developer|user|assistant)[ \t]*")
_ESCAPED = re.compile(r"@(@+(?:system|developer|user|assistant)[ \t]*)")
_LIKE = re.compile(r"@+(?:system|developer|user|assistant)[ \t]*")


class PromptFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says: a content, and what the catalogue says of the prompt."""

    content: PromptContent
    description: str = ""
    tags: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()


class _Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    description: str = ""
    tags: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    model: str = ""
    parameters: dict[str, Any] = {}
    variables: dict[str, Any] = {}
    tools: tuple[dict[str, Any], ...] = ()
    response_format: dict[str, Any] | None = None
    technique: dict[str, Any] = {}


def read(text: str, *, where: str) -> PromptFile:
    """Raises ConfigError that begins with `where` and the line."""
    text = text.replace("\r\n", "\n")
    head, body, first = _split(text, where)
    try:
        values = tomllib.loads(head)
        said = msgspec.convert(values, _Head)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: the front matter is not valid TOML: {error}.") from None
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: the front matter is not understood: {error}.") from None
    strange = next(_no_json(values, ""), None)
    if strange is not None:
        raise ConfigError(f"{where}: {strange} is a value that JSON has no place for; write it as a text.")
    content = PromptContent(
        messages=_messages(body, where, first),
        variables=full_schema(said.variables),
        model=said.model,
        parameters=said.parameters,
        tools=said.tools,
        response_format=said.response_format,
        technique=said.technique,
    )
    return PromptFile(content=content, description=said.description, tags=said.tags, owners=said.owners)


def write(file: PromptFile) -> str:
    """The text from which `read` makes the same file."""
    import tomlkit

    content = file.content
    head: dict[str, Any] = {
        "description": file.description, "tags": list(file.tags), "owners": list(file.owners),
        "model": content.model, "parameters": content.parameters,
        "variables": short_schema(content.variables), "tools": list(content.tools),
        "response_format": content.response_format, "technique": content.technique,
    }  # fmt: skip
    kept = {name: value for name, value in head.items() if value not in ("", [], {}, None)}
    body = "\n\n".join(f"@{one.role}\n{_escaped(one.template)}" for one in content.messages)
    if not kept:
        return body + "\n"
    return f"{FENCE}\n{tomlkit.dumps(kept).strip()}\n{FENCE}\n{body}\n"


def full_schema(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON Schema that the short form stands for: each variable with its type or its own schema, required
    unless it has a default, and no others. What has `properties` is a whole schema already."""
    if not variables or isinstance(variables.get("properties"), Mapping):
        return dict(variables)
    properties = {name: {"type": one} if isinstance(one, str) else one for name, one in variables.items()}
    required = sorted(
        name for name, one in properties.items() if not (isinstance(one, Mapping) and "default" in one)
    )
    return {
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def short_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `full_schema` where there is a short form, else the schema itself."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return dict(schema)
    short = {
        name: one["type"]
        if isinstance(one, Mapping) and list(one) == ["type"] and isinstance(one["type"], str)
        else one
        for name, one in properties.items()
    }
    return short if full_schema(short) == schema else dict(schema)


def _split(text: str, where: str) -> tuple[str, str, int]:
    """(front matter, body, number of the body's first line)."""
    lines = text.split("\n")
    if lines[0].rstrip() != FENCE:
        return "", text, 1
    for index in range(1, len(lines)):
        if lines[index].rstrip() == FENCE:
            return "\n".join(lines[1:index]), "\n".join(lines[index + 1 :]), index + 2
    raise ConfigError(f"{where}: the front matter has no end; write a line {FENCE} behind it.")


def _messages(body: str, where: str, first: int) -> tuple[PromptMessage, ...]:
    found: list[tuple[Any, list[str]]] = []
    for number, line in enumerate(body.split("\n"), first):
        mark = _MARK.fullmatch(line)
        if mark is not None:
            found.append((mark[1], []))
            continue
        if not found:
            if not line.strip():
                continue
            found.append(("user", []))
            if line.startswith("@") and line[1:].strip().isalpha():
                raise ConfigError(
                    f"{where}:{number}: {line.strip()} is no role; there are @system, @developer, @user and "
                    "@assistant."
                )
        escaped = _ESCAPED.fullmatch(line)
        found[-1][1].append(escaped[1] if escaped is not None else line)
    if not found:
        raise ConfigError(
            f"{where}: there is no message; write a text, or a line @system or @user before it."
        )
    return tuple(PromptMessage(role=role, template="\n".join(lines).strip("\n")) for role, lines in found)


def _no_json(value: Any, path: str) -> Iterator[str]:
    """The keys whose values are no JSON: dates and times, infinity."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _no_json(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _no_json(inner, path)
    elif not isinstance(value, str | bool | int) and not (isinstance(value, float) and isfinite(value)):
        yield path


def _escaped(template: str) -> str:
    return "\n".join("@" + line if _LIKE.fullmatch(line) else line for line in template.split("\n"))
