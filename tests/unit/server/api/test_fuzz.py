"""No body and no query makes the API fail: it answers, or it refuses with a sentence."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from noria.access import password
from noria.server.api.app import surface

Client = Callable[..., TestClient]
_ODD: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**400, 0.5, 1e308, "", "x", "1", "0",
    "\0", "😀", "\ud800", "'; DROP TABLE keys; --", "../../etc/passwd", "a" * 5000, "nan", "Infinity",
    "1e999", [], [1], ["*"], {}, {"a": 1}, {"*": "admin"}, [{"unit": "money", "amount": "1e400"}], "key:x",
    "team:*", "day", "*", "user:", "tag.:x", "sha256:" + "0" * 64, "0" * 32, "now", "-1h", "-999999w", "%",
    "[", "*" * 200, '"', "latency>9999999999999999999h", "cost>1e300", "-" * 100, "a:" * 500,
    "999999999999999", {"noria.toml": "[server]\nport = 99999999999999999999"},
    {"a\0": {"b": ["\ud800"]}}, {"x": float("nan")},
]  # fmt: skip
_TEXTS = [str(one) for one in _ODD if isinstance(one, str | int | float) and one not in (10**400, "\ud800")]


Operation = tuple[str, str, list[str], list[str], list[str]]


def _operations() -> list[Operation]:
    """(method, path, names in the path, names in the query, names in the body)."""
    document = surface().openapi()
    schemas = document["components"]["schemas"]
    found: list[Operation] = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            query = [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            name = body.get("schema", {}).get("$ref", "").rpartition("/")[2]
            fields = list(schemas[name]["properties"]) if name else []
            found.append((method, path, re.findall(r"{(\w+)}", path), query, fields))
    return found


OPERATIONS = _operations()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one[0]} {one[1]}")
def test_nothing_makes_it_fail(
    client: Client,
    operation: Operation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(password, "_LOG_N", 4)
    chance = random.Random(operation[1])
    with client(local=True) as admin:
        _fuzz(admin, operation, chance)


def _fuzz(admin: TestClient, operation: Operation, chance: random.Random) -> None:
    method, path, parts, query, fields = operation
    for _ in range(25):
        url = path
        for name in parts:
            url = url.replace(
                "{" + name + "}", chance.choice(["x", "1", "0", "%00", "%27", "9" * 30, "%F0%9F"])
            )
        params = {name: chance.choice(_TEXTS) for name in query if chance.random() < 0.5}
        body: Any = {name: chance.choice(_ODD) for name in fields if chance.random() < 0.7}
        if chance.random() < 0.1:
            body = chance.choice(_ODD)
        arguments: dict[str, Any] = {"params": params}
        if method != "get":
            arguments["content"] = _json(body)
            arguments["headers"] = {"content-type": "application/json"}
        answer = admin.request(method, url, **arguments, follow_redirects=False)
        no_gateway = path.startswith("/api/playground") and answer.status_code == 503
        assert answer.status_code < 500 or no_gateway, (url, params, body, answer.text)
        if answer.status_code >= 400:
            assert set(answer.json()) == {"error"} and answer.json()["error"]["message"]


@pytest.mark.parametrize("raw", [b"", b"{", b"[" * 5000, b"\xff\xfe", b'{"name": "\\ud800"}', b"null"])
def test_bodies_that_are_no_json_are_refused(client: Client, raw: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = client(local=True).post("/api/keys", content=raw, headers=headers)
    assert answer.status_code == 400 and answer.json()["error"]["code"] == "invalid_request"


def _json(value: Any) -> bytes:
    import json

    return json.dumps(value).encode("utf-8", "surrogatepass")
