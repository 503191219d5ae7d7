"""`noria dataset` against a running Noria."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from noria.errors import UserError

from .conftest import Running

ROWS = "text,intent,kind\nWhere is my card?,arrival,a\nIt was stolen!,stolen,b\nbad\n"


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text(ROWS)
    return path


def test_a_file_is_imported_looked_at_and_exported(running: Running, rows: Path, tmp_path: Path) -> None:
    columns = ("--input", "text", "--expected", "intent", "--tags", "kind")
    done = running.run("dataset", "import", "bank", str(rows), *columns, "-m", "first")
    assert "rows.csv, line 4: The row has 1 cells, and the header 3.\n" in done.stderr
    assert "1 of 3 records were left out.\n" in done.stderr
    assert "Version 1 of bank: 2 examples (2 created, 0 patched, 0 deleted).\n" in done.stderr
    again = running.run("dataset", "import", "bank", str(rows), *columns)
    assert "Nothing is new: version 1 of bank has these examples already." in again.stderr
    found = json.loads(running.run("dataset", "examples", "bank", "--tag", "b", "--json").stdout)
    assert [(one["input"], one["expected"]) for one in found] == [({"text": "It was stolen!"}, "stolen")]
    assert found[0]["id"] in running.run("dataset", "examples", "bank", "--search", "STOLEN").stdout
    assert "holds: version 1 of bank, 2 examples." in running.run("dataset", "verify", "bank", "1").stderr
    shown = running.run("dataset", "examples", "bank", found[0]["id"]).stdout
    assert "It was stolen!" in shown and "create" in shown
    assert "first" in running.run("dataset", "show", "bank").stdout
    for name in ("out.jsonl", "out.csv"):
        running.run("dataset", "export", "bank", str(tmp_path / name))
        running.run("dataset", "import", name, str(tmp_path / name))
        assert _digest(running, name) == _digest(running, "bank")
    chat = running.run("dataset", "export", "bank", "--format", "chat")
    assert len(chat.stdout.splitlines()) == 2 and "2 examples were written as 2 rows." in chat.stderr
    listed = json.loads(running.run("dataset", "list", "--json").stdout)
    assert {"bank", "out.csv", "out.jsonl"} <= {one["name"] for one in listed}
    assert "bank" in running.run("dataset", "list", "--search", "BANK").stdout


def test_versions_splits_golden_sets_and_their_end(running: Running, tmp_path: Path) -> None:
    lines = [
        json.dumps({"id": f"e{n:03}", "input": {"q": str(n)}, "metadata": {"odd": n % 2}}) for n in range(100)
    ]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(lines))
    running.run("dataset", "import", "numbers", str(path), "--split", "train=0.7", "--split", "test=0.3")
    path.write_text("\n".join([lines[0].replace('"odd": 0', '"odd": 5'), *lines[1:99]]))
    running.run("dataset", "import", "numbers", str(path), "--replace")
    diff = running.run("dataset", "diff", "numbers")
    assert "version 1 to 2: 0 created, 1 patched, 1 deleted." in diff.stderr
    assert "~ e000\n    metadata.odd: 0 → 5\n" in diff.stdout and "- e099" in diff.stdout
    assert (
        json.loads(running.run("dataset", "diff", "numbers", "0", "1", "--json").stdout)["counts"]["create"]
        == 100
    )
    assert "metadata.odd" in running.run("dataset", "split", "numbers", "--by", "metadata.odd").stdout.lower()
    assert "Version 3: a " in running.run("dataset", "split", "numbers", "a=0.5", "b=0.5").stderr
    signed = running.run("dataset", "sign", "numbers", "2", "--yes", "-m", "read it all")
    assert "is a golden set, signed off by this machine." in signed.stderr
    golden = running.run("dataset", "export", "numbers", "--version", "golden").stdout
    assert len(golden.splitlines()) == 99
    for more in ([], ["--version", "2"]):
        refused = running.attempt("dataset", "delete", "numbers", "--yes", *more)
        assert isinstance(refused.exception, UserError) and "golden" in str(refused.exception)
    running.run("dataset", "delete", "numbers", "--version", "3", "--yes")
    assert json.loads(running.run("dataset", "show", "numbers", "--json").stdout)["dataset"]["latest"] == 2


def test_mistakes_are_sentences(running: Running, rows: Path) -> None:
    for arguments, said in (
        (("import", "x", str(rows)), "Say which columns are the input (the record has text, intent, kind)"),
        (("import", "x", "/nowhere.csv"), "cannot be read"),
        (("import", "nobody"), "has no [datasets.nobody]"),
        (("import", "nobody", "--input", "a"), "Name the files"),
        (("show", "nobody"), "There is no dataset called 'nobody'"),
        (("split", "x", "train"), "NAME=SHARE"),
    ):
        refused = running.attempt("dataset", *arguments)
        assert isinstance(refused.exception, UserError), arguments
        assert said in str(refused.exception)


def _digest(running: Running, name: str) -> str:
    return json.loads(running.run("dataset", "show", name, "--json").stdout)["version"]["digest"]
