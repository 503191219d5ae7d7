"""Write the pages of docs/reference that follow from the program: run it after a change, and commit both.

    .venv/bin/python docs/reference/generate.py

`tests/docs/test_reference.py` fails when a page is not what this would write.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

from noria import errors
from noria.cli import reference
from noria.config import json_schema
from noria.config.units import duration, size
from noria.gateway import answers

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SOURCE = ROOT / "src" / "noria"
Json = dict[str, Any]


# noria.toml.


def noria_toml() -> str:
    """Every section and key, from the JSON Schema."""
    schema = json_schema()
    parts: Json = schema["$defs"]
    lines = [
        "# noria.toml",
        "",
        schema["description"],
        "",
        "Durations are texts such as `250ms`, `30s`, `5m`, `12h`, `7d`; sizes such as `512KiB`, `32MiB`;",
        "money is US dollars, such as `2.50`. Secrets are references: `env:NAME`, `file:PATH` or `enc:…`.",
        "`noria schema` prints the JSON Schema that editors use.",
        "",
    ]
    for name, found in schema["properties"].items():
        if name == "include":
            lines += ["## include", "", found["description"] + ' Such as `include = ["conf.d/*.toml"]`.', ""]
        elif (entry := _entry(found)) is not None:
            word = '"provider/name"' if name == "models" else "NAME"
            lines += _section(f"[{name}.{word}]", entry, parts)
        else:
            lines += _section(f"[{name}]", _choices(found)[0], parts)
    return "\n".join(lines)


def _section(header: str, found: Json, parts: Json) -> list[str]:
    part = parts[_name_of(found)]
    if "anyOf" in part:  # A target, which may be a text as well.
        part = part["anyOf"][1]
    lines = [f"## {header}", "", _prose(part.get("description", "")), ""]
    lines += ["| key | type | default | |", "|---|---|---|---|"]
    needed = part.get("required", [])
    below: list[tuple[str, Json]] = []
    for key, value in part["properties"].items():
        default = "needed" if key in needed else _default(value)
        row = (f"`{key}`", _type(value, parts), default, value.get("description", ""))
        lines.append("| " + " | ".join(_cell(cell) for cell in row) + " |")
        below += ((inner, one) for inner, one in _below(header, key, value))
    lines.append("")
    for inner, one in below:
        lines += _section(inner, one, parts)
    return lines


def _below(header: str, key: str, value: Json) -> Generator[tuple[str, Json]]:
    """The tables within a key, with the header that they are written under."""
    inside = header.strip("[]")
    for one in _choices(value):
        if "$ref" in one:
            yield f"[{inside}.{key}]", one
        elif "$ref" in one.get("items", {}):
            yield f"[[{inside}.{key}]]", one["items"]
        elif (entry := _entry(one)) is not None:
            yield f"[{inside}.{key}.NAME]", entry


def _entry(found: Json) -> Json | None:
    """The table that each name of a collection holds."""
    for one in (*found.get("patternProperties", {}).values(), found.get("additionalProperties")):
        if isinstance(one, dict) and "$ref" in one:
            return one
    return None


def _choices(value: Json) -> list[Json]:
    return [one for one in value.get("anyOf", [value]) if one.get("type") != "null"]


def _name_of(found: Json) -> str:
    return found["$ref"].rpartition("/")[2]


def _type(value: Json, parts: Json) -> str:
    found = _choices(value)
    if all("const" in one or "enum" in one for one in found):
        words = [word for one in found for word in one.get("enum", [one.get("const")])]
        return " or ".join(f"`{json.dumps(word)}`" for word in words)
    return " or ".join(dict.fromkeys(_one_type(one, parts) for one in found))


def _one_type(one: Json, parts: Json) -> str:
    if "$ref" in one:
        return "table" if "properties" in parts.get(_name_of(one), {}) else "text or table"
    pattern = one.get("pattern", "")
    for mark, name in (("(ms|s|m|h|d)", "duration"), ("[kKMGT]", "size"), ("^(env:", "secret")):
        if mark in pattern:
            return name
    match one.get("type"):
        case "array":
            return f"list of {_type(one['items'], parts)}"
        case "object":
            return "table"
        case kind:
            return {
                "string": "text",
                "integer": "whole number",
                "boolean": "true or false",
                None: "text or number",
            }.get(kind, str(kind))


def _default(value: Json) -> str:
    default = value.get("default")
    if default is None or default in ({}, []) or "$ref" in value:
        return ""
    pattern = value.get("pattern", "")
    if "(ms|s|m|h|d)" in pattern and isinstance(default, int | float):
        return f'`"{duration(default)}"`'
    if "[kKMGT]" in pattern and isinstance(default, int):
        return f'`"{size(default)}"`'
    return f"`{json.dumps(default)}`"


# The control process's API.


def api() -> str:
    """Every path of ui/openapi.json, with its parameters and bodies."""
    document = json.loads((ROOT / "ui" / "openapi.json").read_text())
    parts = document["components"]["schemas"]
    lines = [
        "# API",
        "",
        "What the page and the command line use. Send a virtual key of role viewer, editor or admin as",
        "`Authorization: Bearer nk-…`. Every call may say `?project=NAME`; without it the project is",
        "`default`.",
        "The calls that models answer (`/v1/…`) are those of OpenAI's and",
        "Anthropic's own references; see [headers](headers.md) for what Noria adds.",
        "",
        "The machine-readable document is `ui/openapi.json`. Every answer with a status of 400 or more is",
        '`{"error": {"code", "message", "param"}}`; see [errors](errors.md).',
        "",
    ]
    calls: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            calls.setdefault(call["tags"][0], []).extend(_call(method.upper(), path, call, parts))
    for tag in sorted(calls):
        lines += [f"## {tag}", "", *calls[tag]]
    return "\n".join(lines)


def _call(method: str, path: str, call: Json, parts: Json) -> list[str]:
    lines = [f"### {method} {path}", ""]
    lines += [_prose(call.get("description") or call["summary"] + "."), ""]
    rows = [
        (f"`{one['name']}`", one["in"], _type(one["schema"], parts), one.get("description", ""))
        for one in call.get("parameters", [])
        if one["name"] != "project"
    ]
    body = call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if "$ref" in body:
        part = parts[_name_of(body)]
        needed = part.get("required", [])
        rows += [
            (
                f"`{key}`",
                "body, needed" if key in needed else "body",
                _type(value, parts),
                value.get("description", ""),
            )
            for key, value in part.get("properties", {}).items()
        ]
    if rows:
        lines += ["| name | in | type | |", "|---|---|---|---|"]
        lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows] + [""]
    lines += [f"Answers {_answer(call['responses'], parts)}", ""]
    return lines


def _answer(responses: Json, parts: Json) -> str:
    status, found = next((status, one) for status, one in responses.items() if status[0] in "23")
    shape = found.get("content", {}).get("application/json", {}).get("schema", {})
    if "$ref" not in shape:
        return f"{status}."
    properties = parts[_name_of(shape)].get("properties", {})
    return f"{status} with {', '.join(f'`{key}`' for key in properties)}."


# Errors.


def error_codes() -> str:
    """The tree of errors.py, and each further code that the source gives."""
    lines = [
        "# Errors",
        "",
        "A refused call has an HTTP status, a stable `code` and a `message` that says what to change. The",
        "body has the form of the API that was called, so that OpenAI's and Anthropic's SDKs raise their own",
        "exceptions.",
        "",
        "| code | status | class | meaning |",
        "|---|---|---|---|",
    ]
    meanings = dict(_meanings())
    for found in _classes(errors.RequestError):
        lines.append(
            f"| `{found.code}` | {found.status} | {found.__name__} | {meanings.get(found.__name__, '')} |"
        )
    lines += [
        "",
        "More precise codes, each of a class above:",
        "",
        "| code | status | such as |",
        "|---|---|---|",
    ]
    statuses = {found.__name__: found.status for found in _classes(errors.RequestError)}
    for code, (name, words) in sorted(_codes(statuses).items()):
        lines.append(f"| `{code}` | {statuses[name]} | {_cell(words)} |")
    lines += [
        "",
        "## When an upstream fails",
        "",
        "Every attempt that fails has one of these classes. It decides whether the next target is tried",
        "(`fallback_on` of a route) and is on the span of the attempt.",
        "",
        "| class | meaning |",
        "|---|---|",
    ]
    for name, words in _upstream_classes():
        lines.append(f"| `{name}` | {words} |")
    lines += [
        "",
        "What the caller is told when the last attempt has failed:",
        "",
        "| class of the last attempt | status | code |",
        "|---|---|---|",
    ]
    for name, _ in _upstream_classes():
        failed = errors.UpstreamError("", kind=name, status=418)  # pyright: ignore[reportArgumentType]
        told = answers.refusal(failed, attempts=1)
        status = "the upstream's own" if told.status == 418 else str(told.status)
        lines.append(f"| `{name}` | {status} | `{told.code}` |")
    return "\n".join([*lines, ""])


def _classes(root: type[errors.RequestError]) -> Generator[type[errors.RequestError]]:
    for found in root.__subclasses__():
        yield found
        yield from _classes(found)


def _meanings() -> Generator[tuple[str, str]]:
    """Of the tree that is drawn at the top of errors.py."""
    yield from re.findall(r"[├└]── (\w+) +(?:\d{3})? *(.*)", errors.__doc__ or "")


def _codes(statuses: dict[str, int]) -> dict[str, tuple[str, str]]:
    """Class and sentence by code, of every `Class("sentence", code="…")` in the source."""
    found: dict[str, tuple[str, str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        if "testing" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and (name := _called(node)) in statuses and node.args:
                for keyword in node.keywords:
                    if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                        found.setdefault(str(keyword.value.value), (name, _sentence(node.args[0])))
    return found


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def _sentence(node: ast.expr) -> str:
    """A text or f-string, with … for what is put in."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return ""


def _upstream_classes() -> list[tuple[str, str]]:
    """Names and meanings, from the text under `UpstreamClass`."""
    source = inspect.getsource(errors)
    match = re.search(r'^UpstreamClass = .*?^"""(.*?)"""', source, re.M | re.S)
    assert match is not None
    words = " ".join(match[1].split()).rstrip(".")
    return [(name, text) for name, _, text in (item.partition(": ") for item in words.split("; "))]


def _prose(text: str) -> str:
    return "\n".join(line.strip() for line in inspect.cleandoc(text.replace("\b", "")).splitlines())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": reference.render,
    "noria-toml.md": noria_toml,
    "api.md": api,
    "errors.md": error_codes,
}


def generated() -> Iterable[tuple[Path, str]]:
    """Each page, and what it should say."""
    for name, write in PAGES.items():
        yield HERE / name, write().rstrip() + "\n"


if __name__ == "__main__":
    for path, text in generated():
        path.write_text(text)
