"""A value that a JSON Schema allows, the same one each time."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_FORMATS = {
    "date": "2026-01-02",
    "time": "03:04:05Z",
    "date-time": "2026-01-02T03:04:05Z",
    "email": "someone@example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.com/",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "hostname": "example.com",
    "duration": "PT1S",
}


def schema_value(schema: Schema) -> Any:
    """A small value; every property that is named is there, unless that would never end."""
    return _value(schema, schema, ())


def _value(schema: Schema | bool, root: Schema, within: tuple[str, ...]) -> Any:
    if isinstance(schema, bool):
        return None
    if "$ref" in schema:
        return _value(_target(root, schema["$ref"]), root, (*within, schema["$ref"]))
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "allOf" in schema:
        merged: Schema = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema["allOf"]:
            part = _target(root, part["$ref"]) if "$ref" in part else part
            properties = {**merged.get("properties", {}), **part.get("properties", {})}
            merged = {**merged, **part, **({"properties": properties} if properties else {})}
        return _value(merged, root, within)
    for either in ("anyOf", "oneOf"):
        if either in schema:
            ending = [one for one in schema[either] if one.get("$ref") not in within]
            return _value((ending or schema[either])[0], root, within)
    return _typed(schema, root, within)


def _typed(schema: Schema, root: Schema, within: tuple[str, ...]) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object":
        required = schema.get("required", [])
        return {
            name: _value(one, root, within)
            for name, one in schema.get("properties", {}).items()
            if name in required or not _returns(one, within)
        }
    if kind == "array":
        items = schema.get("items", {})
        least = schema.get("minItems", 0 if _returns(items, within) else 1)
        return [_value(items, root, within) for _ in range(least)]
    if kind == "string":
        text = _FORMATS.get(schema.get("format", ""), "text")
        text = text.ljust(schema.get("minLength", 0), "x")
        return text[: schema["maxLength"]] if "maxLength" in schema else text
    if kind in ("integer", "number"):
        return _number(schema, step=1 if kind == "integer" else 0.5)
    return True if kind == "boolean" else None


def _number(schema: Schema, *, step: float) -> float:
    if "multipleOf" in schema:
        return schema["multipleOf"] * max(1, -(-schema.get("minimum", 0) // schema["multipleOf"]))
    if "minimum" in schema:
        return schema["minimum"]
    if "exclusiveMinimum" in schema:
        return schema["exclusiveMinimum"] + step
    return min(schema.get("maximum", 1), schema.get("exclusiveMaximum", 1 + step) - step, 1)


def _returns(schema: Any, within: tuple[str, ...]) -> bool:
    """Whether a schema leads back to one that it lies in."""
    if not isinstance(schema, dict):
        return False
    if schema.get("$ref") in within:
        return True
    inner = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), schema.get("items")]
    return any(_returns(one, within) for one in inner)


def _target(root: Schema, reference: str) -> Schema:
    found: Any = root
    for name in reference.removeprefix("#").strip("/").split("/"):
        if name:
            found = found[name.replace("~1", "/").replace("~0", "~")]
    return found
