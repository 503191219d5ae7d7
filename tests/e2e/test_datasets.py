"""Datasets on a running Noria: real data sets in and out again, the SDK, spans, and a kill in mid-import."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from noria import errors
from noria.client import AsyncNoria, Noria
from noria.core.example import Example
from noria.testing.stack import free_port

DATA = Path(os.environ.get("NORIA_DATA", Path(__file__).parents[3] / "shared" / "data"))
CONFIG = """
[server]
port = {port}

[providers.acme]
dialect = "openai"
base_url = "{upstream}/v1"
api_key = "env:ACME_KEY"
models = ["mock"]

[routes.fast]
targets = ["acme/mock"]

[datasets.declared]
description = "From noria.toml."
tags = ["small"]
files = ["data/*.jsonl"]
splits = {{ train = 0.5, test = 0.5 }}
schema_file = "schema.json"

[datasets.declared.columns]
input = {{ question = "q" }}
expected = "a"
"""
SETS: dict[str, list[str]] = {
    "banking77": ["banking77/train.csv", "banking77/test.csv", "--input", "text", "--expected", "category"],
    "gsm8k": ["gsm8k/test.jsonl", "--input", "question", "--expected", "answer"],
    "truthfulqa": [
        "truthfulqa/TruthfulQA.csv", "--input", "question=Question", "--expected", "Best Answer",
        "--tags", "Category",
    ],
    "wmt22": [
        "--parallel", "source=wmt22-en-de/generaltest2022.en-de.src.en",
        "--parallel", "a=wmt22-en-de/generaltest2022.en-de.ref.A.de",
        "--parallel", "b=wmt22-en-de/generaltest2022.en-de.ref.B.de",
        "--input", "source", "--expected", "a", "--id", "#",
    ],
    "xquad": [
        "xquad/xquad.en.json", "--input", "question", "--input", "context", "--expected", "answers.0",
        "--id", "id", "--group", "group",
    ],
}  # fmt: skip
SIZES = {"banking77": 13_083, "gsm8k": 1319, "truthfulqa": 817, "wmt22": 2037, "xquad": 1190}


NORIA = [sys.executable, "-m", "noria"]


class Up:
    """`noria up`, and its command line."""

    def __init__(self, folder: Path, upstream: str) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        (folder / "data").mkdir()
        (folder / "data" / "a.jsonl").write_text('{"q": "1+1", "a": "2"}\n{"q": "1+2", "a": "3"}\n')
        (folder / "schema.json").write_text('{"required": ["input", "expected"]}')
        path = folder / "noria.toml"
        path.write_text(CONFIG.format(port=port, upstream=upstream))
        self._environment = {**os.environ, "ACME_KEY": "sk-mock", "NORIA_CONFIG": str(path)}
        self._environment.pop("NORIA_HOME", None)
        self.start()

    def start(self) -> None:
        log = self.folder / "up.log"
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [*NORIA, "up", "--workers", "1"],
                env=self._environment,
                cwd=self.folder,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        until = time.monotonic() + 60
        while b"Noria answers" not in log.read_bytes():
            assert time.monotonic() < until and self.process.poll() is None, log.read_text()
            time.sleep(0.1)

    def stop(self, kind: signal.Signals) -> None:
        os.killpg(self.process.pid, kind)
        self.process.wait(60)

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [*NORIA, *arguments], env=self._environment, cwd=self.folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def begin(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*NORIA, *arguments], env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def version(self, name: str) -> Any:
        return json.loads(self.run("dataset", "show", name, "--json"))["version"]

    def rows(self) -> int:
        """Of the log of all datasets."""
        with sqlite3.connect(self.folder / ".noria" / "noria.db") as file:
            return file.execute("SELECT count(*) FROM example_log").fetchone()[0]


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "noria.testing.upstream", "--model", "mock"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, upstream: str) -> Iterator[Up]:
    found = Up(tmp_path_factory.mktemp("noria"), upstream)
    yield found
    found.stop(signal.SIGTERM)


@pytest.fixture(scope="module")
def key(up: Up) -> str:
    return up.run("key", "create", "sdk", "--role", "editor").strip()


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="the public data sets are not here; set NORIA_DATA")
@pytest.mark.parametrize("name", SETS)
def test_real_data_comes_out_as_it_went_in(up: Up, tmp_path: Path, name: str) -> None:
    arguments = [
        str(DATA / one) if "/" in one and "=" not in one else one.replace("=wmt22", f"={DATA}/wmt22")
        for one in SETS[name]
    ]
    up.run("dataset", "import", name, *arguments)
    version = up.version(name)
    assert version["examples"] == SIZES[name]
    up.run("dataset", "import", name, *arguments)
    assert up.version(name) == version
    for format in ("jsonl", "csv", "parquet"):
        path = tmp_path / f"out.{format}"
        up.run("dataset", "export", name, str(path))
        up.run("dataset", "import", f"{name}-{format}", str(path))
        assert up.version(f"{name}-{format}")["digest"] == version["digest"]


def test_what_noria_toml_declares_is_imported(up: Up) -> None:
    up.run("dataset", "import", "declared")
    found = json.loads(up.run("dataset", "show", "declared", "--json"))
    assert (found["dataset"]["description"], found["dataset"]["tags"]) == ("From noria.toml.", ["small"])
    assert found["dataset"]["schema"] == {"required": ["input", "expected"]}
    assert found["version"]["examples"] == 2 and sum(found["version"]["splits"].values()) == 2


async def test_the_sdk_streams_examples(up: Up, key: str) -> None:
    examples = [Example(id=f"{n:05}", input={"q": str(n)}, expected=n, tags=("t",)) for n in range(2500)]
    with Noria(up.url, key) as client:
        dataset = client.dataset("sdk")
        with pytest.raises(errors.NotFound):
            list(dataset.examples())
        assert dataset.add(examples, comment="from a program") == 3
        assert list(dataset.examples()) == examples
        assert sum(1 for _ in dataset.examples(version=1)) == 1000
        assert dataset.version(2)["examples"] == 2000 and dataset.version()["comment"] == "from a program"
        with pytest.raises(errors.NotFound, match="golden"):
            dataset.version("golden")
    async with AsyncNoria(up.url, key) as noria:
        assert [one async for one in noria.dataset("sdk").examples()] == examples
        assert await noria.dataset("sdk").add([examples[0]]) == 3


def test_a_span_is_saved_as_an_example(up: Up, key: str) -> None:
    said: list[Any] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Why is it so?"},
    ]
    with Noria(up.url, key) as client:
        answer = client.chat("fast", said)
    until = time.monotonic() + 20
    while len(json.loads(up.run("trace", "list", "--json"))) < 1:
        assert time.monotonic() < until
        time.sleep(0.2)
    up.run("dataset", "import", "traffic", "--spans", "route:fast", "--tag", "live")
    found = json.loads(up.run("dataset", "examples", "traffic", "--json"))
    assert [(one["input"], one["expected"], one["tags"]) for one in found] == [
        ({"messages": said}, answer.text, ["live"])
    ]
    assert found[0]["source"].startswith("span:")
    before = up.version("traffic")
    assert before["lineage"]["spans"]["filter"] == "route:fast"
    up.run("dataset", "import", "traffic", "--spans", "route:fast", "--tag", "live")
    assert up.version("traffic") == before


@pytest.mark.slow
def test_an_import_that_is_killed_goes_on_and_writes_nothing_twice(up: Up, tmp_path: Path) -> None:
    path = tmp_path / "big.jsonl"
    with path.open("w") as file:
        for number in range(40_000):
            row = {"id": f"{number:06}", "q": f"{number} " * 40, "a": str(number)}
            file.write(json.dumps(row) + "\n")
    before = up.rows()
    command = up.begin("dataset", "import", "big", str(path), "--input", "q", "--expected", "a", "--id", "id")
    until = time.monotonic() + 60
    while up.rows() < before + 5000:
        assert time.monotonic() < until and command.poll() is None
        time.sleep(0.05)
    up.stop(signal.SIGKILL)
    command.wait(90)
    assert before + 5000 <= up.rows() < before + 40_000
    up.start()
    while (found := json.loads(up.run("job", "list", "--json"))[0])["state"] in ("queued", "running"):
        assert time.monotonic() < until + 60
        time.sleep(0.5)
    assert found["message"] == "big: version 1 with 40,000 examples"
    assert up.rows() == before + 40_000
    assert up.version("big")["number"] == 1
    with sqlite3.connect(up.folder / ".noria" / "noria.db") as file:
        open_commits = "SELECT count(*) FROM dataset_commits WHERE touched_ms IS NOT NULL"
        file.execute("CREATE TEMP TABLE used AS SELECT revision, count(*) AS n FROM example_log GROUP BY 1")
        joined = "SELECT count(*) FROM example_bodies b LEFT JOIN used u USING (revision) WHERE b.uses <> u.n"
        assert file.execute(joined).fetchone()[0] == file.execute(open_commits).fetchone()[0] == 0
