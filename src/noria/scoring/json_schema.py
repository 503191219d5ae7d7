"""Whether the answer is JSON that a schema allows."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from noria.errors import ConfigError, MissingExtra
from noria.scoring.factory import Unscorable, factory
from noria.scoring.scorer import Described, Output, Score, Scorer

_FENCE = re.compile(r"^\s*```[\w-]*\n(.*?)\n?```\s*$", re.DOTALL)


@factory(Described(name="json_schema", kind="share"))
def json_schema(*, schema: dict[str, Any] | None = None, strict: bool = True) -> Scorer:
    """Whether the answer fits `schema`; left out: the one in the example's metadata under "schema".

    Strictly the whole text must be JSON; otherwise a fence of Markdown around it is taken off. References to
    other documents are never fetched.
    """
    try:
        library: Any = import_module("jsonschema")
        referencing: Any = import_module("referencing")
    except ImportError as error:
        raise MissingExtra("The scorer json_schema", "evals") from error

    def validator(wanted: Any) -> Any:
        kind = library.validators.validator_for(wanted, default=library.Draft202012Validator)
        try:
            kind.check_schema(wanted)
        except library.SchemaError as error:
            raise ConfigError(f"The JSON Schema is wrong: {error.message}.") from None
        return kind(wanted, registry=referencing.Registry())

    fixed = None if schema is None else validator(schema)

    async def score(output: Output) -> Sequence[Score]:
        found = fixed
        if found is None:
            own = output.example.metadata.get("schema")
            if not isinstance(own, dict):
                raise Unscorable(f"Example {output.example.id} has no `schema` in its metadata.")
            found = validator(own)
        try:
            value = output.data if output.data is not None else parsed(output.text, strict=strict)
        except ValueError as error:
            return (Score(name="json_schema", value=False, reason=f"not JSON: {error}"),)
        try:
            first = library.exceptions.best_match(found.iter_errors(value))
        except referencing.exceptions.Unresolvable as error:
            raise Unscorable(f"The schema refers to what it does not hold: {error}.") from None
        if first is None:
            return (Score(name="json_schema", value=True),)
        return (Score(name="json_schema", value=False, reason=f"{first.json_path}: {first.message}"[:500]),)

    return score


def parsed(text: str, *, strict: bool) -> Any:
    """The JSON value of a text. Raises ValueError."""
    fenced = None if strict else _FENCE.match(text)
    try:
        return json.loads(fenced[1] if fenced else text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("too deeply nested") from None


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
