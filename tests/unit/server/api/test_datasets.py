"""Datasets over the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from noria.errors import Conflict
from noria.runtime import datasets as module
from noria.runtime.control import Control

Client = Callable[..., TestClient]
ROWS = "question,answer,kind\nOne?,1,easy\nTwo?,2,hard\nBad\nThree?,3,easy\n"
MAPPING = json.dumps({"input": {"question": "question"}, "expected": "answer", "tags": ["kind"]})


@pytest.fixture
def api(client: Client) -> TestClient:
    return client(local=True)


def bring(api: TestClient, text: str = ROWS, **query: object) -> dict[str, object]:
    asked = {"file": "rows.csv", "mapping": MAPPING, **query}
    answer = api.post("/api/datasets/d/import", params=asked, content=text.encode())
    assert answer.status_code == 200, answer.text
    return answer.json()["report"]


def test_a_file_becomes_a_version(api: TestClient) -> None:
    report = bring(api)
    assert {name: report[name] for name in ("read", "bad", "version", "made", "examples", "created")} == {
        "read": 4, "bad": 1, "version": 1, "made": True, "examples": 3, "created": 3,
    }  # fmt: skip
    assert report["problems"] == [
        {"file": "rows.csv", "line": 4, "reason": "The row has 1 cells, and the header 3."}
    ]
    again = bring(api)
    assert (again["version"], again["made"]) == (1, False)
    changed = bring(api, ROWS.replace("Two?,2", "Two?,two"), replace=True)
    assert [changed[name] for name in ("version", "created", "patched", "deleted")] == [2, 1, 0, 1]
    imports = api.get("/api/datasets/d/imports").json()["items"]
    assert [one["report"]["version"] for one in imports] == [2, 1, 1]
    detail = api.get("/api/datasets/d").json()
    assert detail["version"]["lineage"]["files"][0]["name"] == "rows.csv"
    assert detail["version"]["schema"]["properties"]["input"]["required"] == ["question"]


def test_examples_are_found_by_split_text_and_tag(api: TestClient) -> None:
    bring(api, splits=json.dumps({"train": 0.5, "test": 0.5}))
    page = api.get("/api/datasets/d/examples", params={"limit": 2}).json()
    assert len(page["items"]) == 2 and page["total"] == 3 and page["complete"]
    rest = api.get("/api/datasets/d/examples", params={"cursor": page["next"]}).json()
    assert len(rest["items"]) == 1 and rest["next"] is None
    easy = api.get("/api/datasets/d/examples", params={"tag": "easy", "q": "thr"}).json()
    assert [one["input"] for one in easy["items"]] == [{"question": "Three?"}]
    splits = api.get("/api/datasets/d").json()["version"]["splits"]
    for split in ("train", "test"):
        found = api.get("/api/datasets/d/examples", params={"split": split}).json()
        assert len(found["items"]) == splits[split] == found["total"]
    assert api.get("/api/datasets/d/examples", params={"split": "x"}).status_code == 404
    strata = api.get("/api/datasets/d/splits", params={"by": "tags"}).json()
    assert {row["value"]: row["total"] for row in strata["items"]} == {"easy": 2, "hard": 1}


def test_an_example_has_a_history(api: TestClient) -> None:
    first = {"id": "a/b c#1", "input": {"q": "?"}, "expected": "x"}
    made = api.post("/api/datasets/new/examples", json={"examples": [first]})
    assert made.status_code == 201 and made.json()["ids"] == ["a/b c#1"]
    where = "/api/datasets/new/examples/" + quote("a/b c#1", safe="")
    changed = api.patch(where, json={"expected": "y", "tags": ["t"], "comment": "fixed"})
    assert changed.json()["version"]["number"] == 2
    api.post("/api/datasets/new/examples", json={"remove": ["a/b c#1"]})
    detail = api.get(where).json()
    assert detail["example"] is None
    assert [(one["version"], one["kind"]) for one in detail["history"]] == [
        (3, "delete"), (2, "patch"), (1, "create"),
    ]  # fmt: skip
    assert api.get(where, params={"version": "2"}).json()["example"]["expected"] == "y"
    diff = api.get("/api/datasets/new/diff", params={"from": 1, "to": 2}).json()
    assert diff["counts"] == {"create": 0, "patch": 1, "delete": 0}
    fields = diff["items"][0]["fields"]
    assert [(one["path"], one["kind"], one["before"], one["after"]) for one in fields] == [
        ("expected", "changed", "x", "y"), ("tags", "changed", [], ["t"]),
    ]  # fmt: skip
    assert api.get("/api/datasets/new/diff", params={"from": 0, "to": 1}).json()["counts"]["create"] == 1
    assert api.get("/api/datasets/new/examples/never").status_code == 404


def test_exports_come_back_equal(api: TestClient) -> None:
    bring(api)
    version = api.get("/api/datasets/d").json()["version"]
    for format in ("jsonl", "csv"):
        answer = api.get("/api/datasets/d/export", params={"format": format})
        assert answer.headers["content-disposition"] == f'attachment; filename="d-v1.{format}"'
        api.post(f"/api/datasets/{format}/import", params={"file": f"x.{format}"}, content=answer.content)
        assert api.get(f"/api/datasets/{format}").json()["version"]["digest"] == version["digest"]
    chat = api.get("/api/datasets/d/export", params={"format": "chat"}).text.splitlines()
    assert json.loads(chat[0])["messages"][1]["role"] == "assistant"
    check = api.get("/api/datasets/d/export/check", params={"format": "preference"}).json()
    assert (check["written"], check["left_out"]) == (0, 3)
    assert list(check["reasons"]) == ["It has no metadata.rejected, the answer that is worse."]


def test_a_golden_set_is_a_persons_word(api: TestClient, client: Client) -> None:
    bring(api)
    key = api.post("/api/keys", json={"name": "k", "role": "editor"}).json()["token"]
    refused = client(key=key).post("/api/datasets/d/versions/1/sign", json={})
    assert refused.status_code == 403 and "person" in refused.json()["error"]["message"]
    signed = api.post("/api/datasets/d/versions/1/sign", json={"comment": "read all"}).json()
    assert signed["golden_name"] == "this machine"
    assert api.get("/api/datasets").json()["items"][0]["golden"] == 1
    assert api.get("/api/datasets/d/examples", params={"version": "golden"}).json()["version"] == 1
    assert api.delete("/api/datasets/d/versions/1").status_code == 409
    assert api.delete("/api/datasets/d").status_code == 409
    assert api.get("/api/audit", params={"act": "dataset.sign"}).json()["items"][0]["subject"] == "d"


def test_a_declared_schema_refuses(api: TestClient) -> None:
    schema = {"properties": {"expected": {"enum": ["yes", "no"]}}}
    assert api.post("/api/datasets", json={"name": "strict", "schema": schema}).status_code == 201
    body = {"examples": [{"id": "a", "input": {"q": 1}, "expected": "maybe"}]}
    refused = api.post("/api/datasets/strict/examples", json=body)
    assert refused.status_code == 400 and refused.json()["error"]["param"] == "expected"
    said = refused.json()["error"]["message"]
    assert "Example 'a' breaks the dataset's schema at expected" in said and "maybe" not in said
    assert api.get("/api/datasets/strict").json()["version"] is None
    patched = api.patch("/api/datasets/strict", json={"schema": {}, "tags": ["x"]}).json()
    assert patched["schema"] == {} and patched["tags"] == ["x"]
    assert api.post("/api/datasets/strict/examples", json=body).status_code == 201


def test_files_of_the_machine_are_for_its_command_line(
    api: TestClient, client: Client, tmp_path: Path
) -> None:
    for language, line in (("en", "Hello"), ("de", "Hallo")):
        (tmp_path / f"x.{language}").write_text(f"{line}\n{line}\n")
    columns = {"source": str(tmp_path / "x.en"), "reference": str(tmp_path / "x.de")}
    body = {
        "sources": [{"parallel": columns, "name": "x"}],
        "mapping": {"input": {"source": "source"}, "expected": "reference", "id": "#"},
    }
    report = api.post("/api/datasets/mt/import-local", json=body).json()["report"]
    assert (report["examples"], report["repeated"]) == (2, 0)
    body["mapping"].pop("id")  # pyright: ignore
    report = api.post("/api/datasets/mt2/import-local", json=body).json()["report"]
    assert (report["examples"], report["repeated"]) == (1, 1)
    key = api.post("/api/keys", json={"name": "k", "role": "admin"}).json()["token"]
    assert client(key=key).post("/api/datasets/mt/import-local", json=body).status_code == 403


def test_a_large_file_is_a_job(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SMALL", 10)
    answer = api.post("/api/datasets/d/import", params={"file": "r.csv", "mapping": MAPPING}, content=ROWS)
    job = answer.json()["job"]
    assert answer.json()["report"] is None
    for _ in range(200):
        found = api.get(f"/api/jobs/{job}").json()
        if found["state"] not in ("queued", "running"):
            break
        import time

        time.sleep(0.1)
    assert (found["state"], found["message"]) == (
        "done",
        "d: version 1 with 3 examples; 1 of 4 records were left out",
    )
    assert api.get("/api/datasets/d/imports").json()["items"][0]["report"]["bad"] == 1


@pytest.mark.parametrize(
    ("query", "content", "said"),
    [
        ({"file": "x.bin"}, b"", "does not say what is in the file"),
        ({"file": "x.csv"}, ROWS.encode(), "Say which columns are the input (the record has question,"),
        ({"file": "x.csv", "mapping": "{"}, b"", "mapping of columns is wrong"),
        ({"file": "x.csv", "splits": '{"a":2}'}, ROWS.encode(), "must be above 0 and at most 1"),
        ({"file": "x.parquet"}, b"nonsense", "cannot be read as Parquet"),
        ({"file": "x.jsonl.gz"}, b"nonsense", "is damaged"),
        ({"file": "x.json"}, b'{"a": 1}', "neither an array of objects nor in SQuAD's form"),
    ],
)  # fmt: skip
def test_a_mistake_is_a_sentence(api: TestClient, query: dict[str, str], content: bytes, said: str) -> None:
    answer = api.post("/api/datasets/d/import", params=query, content=content)
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


def test_what_was_uploaded_does_not_stay_whatever_becomes_of_it(
    api: TestClient, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = control.datasets.uploads
    assert api.post("/api/datasets/a/import?file=a.jsonl", content=b"no json\n").status_code == 400
    assert list(uploads.iterdir()) == []

    def refuse(*given: object, **more: object) -> None:
        raise Conflict("Not now.")

    with monkeypatch.context() as patched:
        patched.setattr("noria.runtime.datasets.SMALL", 0)
        patched.setattr(control.jobs, "start", refuse)
        assert api.post("/api/datasets/a/import?file=a.jsonl", content=b"{}\n").status_code == 409
    assert list(uploads.iterdir()) == []
    (uploads / "of-a-job-that-was-cancelled.jsonl").write_text("{}")
    control.datasets.clear_uploads()
    assert list(uploads.iterdir()) == []


def test_two_who_revise_an_example_at_once_both_have_their_way(api: TestClient, control: Control) -> None:
    api.post("/api/datasets/d/examples", json={"examples": [{"id": "a", "input": {"q": "1"}}]})

    def patch(changes: dict[str, Any]) -> None:
        assert api.patch("/api/datasets/d/examples/a", json=changes).status_code == 200

    with ThreadPoolExecutor(2) as pool:
        for number in range(8):
            both = [{"expected": f"x{number}"}, {"tags": [f"t{number}"]}]
            list(pool.map(patch, both))
            found = api.get("/api/datasets/d/examples/a").json()["example"]
            assert (found["expected"], found["tags"]) == (f"x{number}", [f"t{number}"])
