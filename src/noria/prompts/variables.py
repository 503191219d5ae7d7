"""Variables are checked by their JSON Schema, in every process alike; nothing is ever coerced.

The part of JSON Schema (2020-12) that is understood is in `KEYWORDS`; a schema with any other keyword is
refused when the version is made, so that no rule is silently left out. `pattern` is not among them: a regular
expression can hang the worker that it runs in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import ge, gt, le, lt
from typing import Any

from noria.errors import InvalidRequest
from noria.prompts.budget import refuse

NOTES = frozenset(
    {"title", "description", "examples", "deprecated", "$schema", "$comment", "default", "format"}
)
"""Say something to people, and check nothing. A property's `default` is given where the caller gives none."""
KEYWORDS = frozenset({
    "type", "properties", "required", "additionalProperties", "items", "enum", "const", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems", "anyOf",
})  # fmt: skip
_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: (
        not isinstance(value, bool)
        and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
    ),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
_DEEPEST = 20
MOST_CHECKS = 100_000
"""Of the schema's rules on values."""


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raises InvalidRequest where it is not an object schema of the part that is understood."""
    if not schema:
        return
    if schema.get("type", "object") != "object":
        raise _refused("`variables` must be the schema of an object: its `properties` are the variables.")
    _check_schema(schema, "variables", 0)


def names(schema: Mapping[str, Any]) -> set[str]:
    """The variables that are declared."""
    return set(schema.get("properties", {}))


def completed(schema: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The variables with the defaults of those that are not given.

    Raises InvalidRequest, naming the variable and what it must be.
    """
    values = dict(given)
    for name, inner in schema.get("properties", {}).items():
        if isinstance(inner, Mapping) and "default" in inner:
            values.setdefault(name, inner["default"])
    problem = _problem(schema, values, "", _Left()) if schema else ""
    if problem:
        raise refuse(problem)
    return values


class _Left:
    """How many checks are left: what a caller sends is looked at where other calls wait."""

    __slots__ = ("_checks",)

    def __init__(self) -> None:
        self._checks = MOST_CHECKS

    def count(self, checks: int) -> None:
        self._checks -= checks
        if self._checks < 0:
            raise _refused(f"The variables take more than {MOST_CHECKS:,} checks; give fewer values.")


def _refused(sentence: str) -> InvalidRequest:
    return InvalidRequest(sentence, param="variables")


def _check_schema(schema: Any, path: str, depth: int) -> None:
    if isinstance(schema, bool):
        return
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        raise _refused(f"`{path}` must be a JSON Schema of at most {_DEEPEST} levels.")
    for keyword, value in schema.items():
        if keyword not in KEYWORDS and keyword not in NOTES:
            raise _refused(
                f"`{path}.{keyword}` is not understood; schemas of variables have "
                f"{', '.join(sorted(KEYWORDS))}."
            )
        _check_keyword(keyword, value, f"{path}.{keyword}", depth)


def _check_keyword(keyword: str, value: Any, path: str, depth: int) -> None:
    wrong = ""
    if keyword == "type":
        kinds = value if isinstance(value, list) else [value]
        if not kinds or not all(isinstance(one, str) and one in _TYPES for one in kinds):
            wrong = f"must be one of {', '.join(_TYPES)}, or a list of them"
    elif keyword == "properties":
        if not isinstance(value, Mapping):
            wrong = "must be a mapping of schemas"
        else:
            for name, inner in value.items():
                _check_schema(inner, f"{path}.{name}", depth + 1)
    elif keyword == "required":
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            wrong = "must be a list of names"
    elif keyword in ("items", "additionalProperties"):
        _check_schema(value, path, depth + 1)
    elif keyword == "anyOf":
        if not isinstance(value, list) or not value:
            wrong = "must be a list of schemas"
        else:
            for index, inner in enumerate(value):
                _check_schema(inner, f"{path}.{index}", depth + 1)
    elif keyword == "enum":
        wrong = "" if isinstance(value, list) and value else "must be a list of values"
    elif keyword.startswith(("min", "max", "exclusive")):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        wrong = "" if number else "must be a number"
    if wrong:
        raise _refused(f"`{path}` {wrong}.")


def _problem(schema: Any, value: Any, path: str, left: _Left) -> str:
    """What is wrong, as a sentence; "" where nothing is."""
    left.count(1)
    shown = f"The variable {path!r}" if path else "The object of variables"
    if schema is True:
        return ""
    if schema is False:
        return f"{shown} is not allowed; leave it out."
    kinds = schema.get("type")
    if kinds is not None:
        allowed = kinds if isinstance(kinds, list) else [kinds]
        if not any(_TYPES[one](value) for one in allowed):
            return f"{shown} must be {' or '.join(allowed)}, not {_kind(value)}."
    left.count(len(schema.get("enum", ())))
    if "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
        return f"{shown} must be one of {', '.join(map(repr, schema['enum']))}."
    if "const" in schema and not _same(value, schema["const"]):
        return f"{shown} must be {schema['const']!r}."
    if "anyOf" in schema:
        problems = [_problem(one, value, path, left) for one in schema["anyOf"]]
        if all(problems):
            return problems[0]
    if isinstance(value, str):
        return _bounds(schema, len(value), "minLength", "maxLength", f"{shown} must have", "characters")
    if isinstance(value, list):
        return _list_problem(schema, value, path, shown, left)
    if isinstance(value, dict):
        return _object_problem(schema, value, path, shown, left)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number_problem(schema, value, shown)
    return ""


def _list_problem(schema: Any, value: list[Any], path: str, shown: str, left: _Left) -> str:
    problem = _bounds(schema, len(value), "minItems", "maxItems", f"{shown} must have", "items")
    if problem or "items" not in schema:
        return problem
    found = (_problem(schema["items"], one, f"{path}[{index}]", left) for index, one in enumerate(value))
    return next(filter(None, found), "")


def _object_problem(schema: Any, value: dict[str, Any], path: str, shown: str, left: _Left) -> str:
    for name in schema.get("required", ()):
        if name not in value:
            return f"The variable {_below(path, name)!r} is missing; give it."
    properties = schema.get("properties", {})
    for name, inner in value.items():
        rule = properties.get(name, schema.get("additionalProperties", True))
        if rule is False and name not in properties:
            known = ", ".join(sorted(properties)) or "none"
            return f"There is no variable {_below(path, name)!r}; there are {known}."
        problem = _problem(rule, inner, _below(path, name), left)
        if problem:
            return problem
    return ""


def _number_problem(schema: Any, value: float, shown: str) -> str:
    for keyword, (holds, words) in _LIMITS.items():
        if keyword in schema and not holds(value, schema[keyword]):
            return f"{shown} must be {words} {schema[keyword]}, not {value}."
    return ""


_LIMITS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "minimum": (ge, "at least"),
    "maximum": (le, "at most"),
    "exclusiveMinimum": (gt, "above"),
    "exclusiveMaximum": (lt, "below"),
}


def _bounds(schema: Any, size: int, least: str, most: str, shown: str, unit: str) -> str:
    if size < schema.get(least, 0):
        return f"{shown} at least {schema[least]} {unit}, not {size}."
    if most in schema and size > schema[most]:
        return f"{shown} at most {schema[most]} {unit}, not {size}."
    return ""


def _same(left: Any, right: Any) -> bool:
    """JSON's equality: true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[name], right[name]) for name in left)
    return left == right


def _below(path: str, name: str) -> str:
    name = name if len(name) <= 80 else name[:80] + "…"
    return f"{path}.{name}" if path else name


def _kind(value: Any) -> str:
    return next(
        (name for name in ("null", "boolean", "integer", "number", "string", "array") if _TYPES[name](value)),
        "object",
    )
