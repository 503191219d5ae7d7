"""The JSON Schema of noria.toml, for editors."""

from __future__ import annotations

from typing import Any

from noria.config.config import Config

COMMENT = "#:schema .noria/noria.schema.json"
"""The line by which editors that know Taplo's convention find the schema."""


def json_schema() -> dict[str, Any]:
    """Of the file as it is written: `include` beside the sections."""
    schema = Config.model_json_schema(mode="validation")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "noria.toml"
    schema["description"] = "Configuration of Noria. Relative paths are relative to the file that names them."
    properties = {
        "include": {
            "description": "Further files, as paths or globs relative to this one.",
            "type": "array",
            "items": {"type": "string"},
        },
        **schema["properties"],
    }
    schema["properties"] = properties
    target = schema["$defs"]["TargetSection"]
    schema["$defs"]["TargetSection"] = {
        "anyOf": [{"type": "string", "description": "`provider/name`."}, target]
    }
    return schema
