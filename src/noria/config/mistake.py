"""What is wrong in noria.toml, one sentence a mistake, with the line where it stands."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

import msgspec
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from noria.config.config import section_of
from noria.config.positions import Path
from noria.errors import ConfigError


class Mistake(msgspec.Struct, frozen=True):
    """One thing to change."""

    file: str
    """As the person named it; "" where it belongs to no file."""
    line: int
    """0 where it is not known."""
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.message}" if place else self.message


def refusal(mistakes: Iterable[Mistake]) -> ConfigError:
    """The error that shows them all, a line each."""
    return ConfigError("\n".join(str(one) for one in mistakes))


def nearest(word: str, known: Iterable[str]) -> str:
    """ "; did you mean `…`?" where a known word is near, else a full stop."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean `{found[0]}`?" if found else "."


def mistakes_of(error: ValidationError, *, file: str, lines: dict[Path, int]) -> list[Mistake]:
    """What pydantic found, as sentences, in the order of the file."""
    found = [
        Mistake(file, line_of(_clean(one["loc"]), lines), _sentence(one))
        for one in error.errors(include_url=False)
    ]
    return sorted(found, key=lambda one: one.line)


def line_of(path: Path, lines: dict[Path, int]) -> int:
    """The line of `path`, else of the nearest table around it."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return 0


def table(path: Path) -> str:
    """`path` as a table's header: "[routes.fast]"; "" at the top."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            bare = part.replace("-", "").replace("_", "").isalnum() and part.isascii()
            text += ("." if text else "") + (part if bare else f'"{part}"')
    return f"[{text}]" if text else ""


def _clean(loc: tuple[str | int, ...]) -> Path:
    return loc[:-1] if loc and loc[-1] == "[key]" else loc


def _place(path: Path) -> str:
    """ "`retries` in [routes.fast]", "[routes.fast]" or, of an element, "`targets[0]` in [routes.fast]"."""
    if not path:
        return "the file"
    keys = [index for index, part in enumerate(path) if isinstance(part, str)]
    last = keys[-1] if keys else 0
    indices = "".join(f"[{part}]" for part in path[last + 1 :])
    if section_of(path) is not None and not indices:
        return table(path)
    around = table(path[:last])
    return f"`{path[last]}{indices}`" + (f" in {around}" if around else "")


def _sentence(error: ErrorDetails) -> str:
    path = _clean(error["loc"])
    kind = error["type"]
    context: dict[str, Any] = error.get("ctx", {})
    value = error["input"]
    last = path[len(path) - 1] if path else ""
    around = f" in {table(path[:-1])}" if len(path) > 1 else ""
    if error["loc"] and error["loc"][-1] == "[key]":
        return f"{last!r} cannot be a name{around}: {_form(path)}."
    if kind == "extra_forbidden":
        section = section_of(path[:-1])
        known = section.model_fields if section is not None else ()
        if len(path) == 1:
            known = [*known, "include"]
        return f"unknown key `{last}`{around}{nearest(str(last), known)}"
    if kind == "missing":
        where = table(path[:-1]) or "the file"
        return f"{where} lacks `{last}`, which it must have."
    place = _place(path)
    if kind == "value_error":
        return f"{place} {context['error']}."
    if kind == "literal_error":
        guess = nearest(value, _words(context["expected"])) if isinstance(value, str) else "."
        return f"{place} must be {context['expected']}, not {value!r}{guess}"
    if kind == "string_pattern_mismatch":
        return f"{place} has not the form that it must have ({_form(path)}): {value!r}."
    for kinds, what in _KINDS:
        if kind in kinds:
            return f"{place} must be {what}, not {_shown(value)}."
    if kind in _BOUNDS:
        words, name = _BOUNDS[kind]
        bound = context[name]
        shown = f"{bound:g}" if isinstance(bound, float) else bound
        return f"{place} must be {words} {shown}, not {_shown(value)}."
    return f"{place}: {error['msg']}."


_KINDS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("string_type",), "a string"),
    (("int_type", "int_from_float", "int_parsing"), "a whole number"),
    (("float_type", "float_parsing", "finite_number"), "a number"),
    (("bool_type", "bool_parsing"), "true or false"),
    (("tuple_type", "list_type"), "an array"),
    (("model_type", "dict_type", "model_attributes_type"), "a table"),
)
_BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
    "string_too_short": ("of a length of at least", "min_length"),
    "string_too_long": ("of a length of at most", "max_length"),
}


def _form(path: Path) -> str:
    if path[:1] == ("models",) or path[-1:] == ("model",):
        return "`provider/name`"
    if path[:1] == ("budgets",) and path[-1:] == ("subject",):
        return (
            "`team:NAME`, `user:NAME`, `project:NAME`, `key:ID` or `tag.KEY:VALUE`, with `*` for each apart"
        )
    if path[:1] == ("server",):
        return "a host name or address"
    if path[:1] == ("routes",) and len(path) == 2:
        return "letters, digits and . _ : / @ + -, beginning with a letter or digit"
    return "letters, digits and . _ -, beginning with a letter or digit"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return "an array"
    return repr(value)


def _words(expected: str) -> list[str]:
    return [part.strip("' ") for part in expected.replace(" or ", ", ").split(",")]
