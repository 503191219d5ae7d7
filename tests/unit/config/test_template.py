"""What `noria init` writes works as it is, and so do the examples in its comments."""

import re
from pathlib import Path

from noria.config import compile_snapshot, json_schema, load, template


def test_the_template_works_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "noria.toml").write_text(template())
    snapshot = compile_snapshot(load(tmp_path), folder=tmp_path, card=lambda *_: None, price=lambda *_: None)
    assert set(snapshot.routes) == {"default", "local/smollm2-135m-instruct", "local/bge-small-en-v1.5"}
    assert not snapshot.require_key


def test_each_example_in_its_comments_is_right(tmp_path: Path) -> None:
    example = re.compile(r"^# (?=\[|[a-z_]+ = )", re.MULTILINE)
    text = example.sub("", template().replace("require_key = false", "require_key = true"))
    text = text.replace('host = "127.0.0.1"\n', "", 1)
    (tmp_path / "noria.toml").write_text(text)
    config = load(tmp_path)
    assert len(config.routes) == 3 and len(config.providers) == 5
    assert config.server.tls_in_front and config.budgets and config.limits.keys
    assert config.telemetry.export


def test_the_schema_describes_every_key() -> None:
    schema = json_schema()
    assert "include" in schema["properties"]
    for name, section in schema["$defs"].items():
        for key, value in section.get("properties", {}).items():
            assert value.get("type") or value.get("anyOf") or value.get("$ref") or value.get("enum"), (
                name,
                key,
            )
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["RouteSection"]["properties"]["backoff"]["type"] == "string"
