"""Whether the answer is JSON that a schema allows."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import islice
from typing import Any

from noria.errors import ConfigError
from noria.scoring.factory import Unscorable, factory
from noria.scoring.scorer import Described, Output, Score, Scorer

_ERRORS = 20
"""Of one answer that are looked at; the outermost is told."""
_FENCE = re.compile(r"^\s*```[\w-]*\n(.*?)\n?```\s*$", re.DOTALL)


@factory(Described(name="json_schema", kind="share"))
def json_schema(*, schema: dict[str, Any] | None = None, strict: bool = True) -> Scorer:
    """Whether the answer fits `schema`; left out: the one in the example's metadata under "schema".

    Strictly the whole text must be JSON; otherwise a fence of Markdown around it is taken off. References to
    other documents are never fetched.
    """
    fixed = None if schema is None else _validator(schema)

    async def score(output: Output) -> Sequence[Score]:
        found = fixed
        if found is None:
            own = output.example.metadata.get("schema")
            if not isinstance(own, dict):
                raise Unscorable(f"Example {output.example.id} has no `schema` in its metadata.")
            try:
                found = _validator(own)
            except ConfigError as error:
                raise Unscorable(f"Example {output.example.id}: {error}") from None
        try:
            value = output.data if output.data is not None else parsed(output.text, strict=strict)
        except ValueError as error:
            return (Score(name="json_schema", value=False, reason=f"not JSON: {error}"),)
        try:
            broken = [
                (len(one.instance_path), ".".join(map(str, one.instance_path)), one.message)
                for one in islice(found.iter_errors(value), _ERRORS)
            ]
        except (ValueError, OverflowError) as error:
            raise Unscorable(f"The answer cannot be held against the schema: {error}.") from None
        if not broken:
            return (Score(name="json_schema", value=True),)
        _, where, message = min(broken)
        return (Score(name="json_schema", value=False, reason=f"{where or 'the whole'}: {message}"[:500]),)

    return score


def _validator(schema: dict[str, Any]) -> Any:
    """No address is fetched, and no pattern takes exponential time. Raises ConfigError."""
    import jsonschema_rs

    try:
        return jsonschema_rs.validator_for(
            schema, retriever=_elsewhere, pattern_options=jsonschema_rs.RegexOptions()
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        said = str(getattr(error, "message", error)).partition("\n")[0].rstrip(".")[:300]
        raise ConfigError(f"The JSON Schema is wrong: {said}.") from None


def _elsewhere(address: str) -> Any:
    raise ValueError("references to other documents are not followed")


def parsed(text: str, *, strict: bool) -> Any:
    """The JSON value of a text. Raises ValueError."""
    fenced = None if strict else _FENCE.match(text)
    try:
        return json.loads(fenced[1] if fenced else text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("too deeply nested") from None


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
