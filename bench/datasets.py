"""Rows a second and memory of importing and exporting datasets, each in a process of its own.

    python bench/datasets.py [--examples 1000000]

The file is JSON Lines of questions and answers, about 400 bytes each, made by a seeded generator. Import is
what the durable job does: read, map, compress, commit in batches, pin a version. Whatever else runs counts.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import table

_STEPS = ("import", "import again", "append 1,000", "diff", "export jsonl", "export parquet")
_WORDS = ["account", "card", "payment", "refund", "limit", "transfer", "rate", "fee", "cash", "pending"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=1_000_000)
    parser.add_argument("--step", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        _run(given.step, given.folder, given.examples)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _make(folder / "data.jsonl", given.examples)
        print(
            f"{given.examples:,} examples, {(folder / 'data.jsonl').stat().st_size / 1e6:,.0f} MB", flush=True
        )
        rows: list[list[str]] = []
        for step in _STEPS:
            asked = ["--step", step, "--folder", name, "--examples", str(given.examples)]
            said = subprocess.run(
                [sys.executable, __file__, *asked], check=True, capture_output=True, text=True
            )
            found = json.loads(said.stdout)
            rate = f"{found['rows'] / found['seconds']:,.0f}"
            rows.append([step, f"{found['seconds']:.1f}", rate, f"{found['cpu']:.1f}", f"{found['rss']:.0f}"])
            print(f"{step} done in {found['seconds']:.1f} s", flush=True)
        size = sum(path.stat().st_size for path in folder.glob("noria.db*"))
        print("\n" + table(["step", "s", "rows/s", "CPU s", "peak RSS MB"], rows))
        print(f"noria.db: {size / 1e6:,.0f} MB; load of the machine: {os.getloadavg()[0]:.2f}")


def _make(path: Path, examples: int) -> None:
    chance = random.Random(7)
    with path.open("w") as file:
        for number in range(examples):
            question = " ".join(chance.choices(_WORDS, k=chance.randint(20, 50)))
            answer = " ".join(chance.choices(_WORDS, k=chance.randint(5, 25)))
            row = {
                "id": f"{number:09}",
                "question": question,
                "answer": answer,
                "intent": chance.choice(_WORDS),
            }
            file.write(json.dumps(row) + "\n")


def _run(step: str, folder: Path, examples: int) -> None:
    from noria.access.role import SYSTEM
    from noria.core.clock import SystemClock
    from noria.core.example import Example
    from noria.datasets.exporting import write
    from noria.datasets.importing import Source
    from noria.datasets.mapping import Mapping
    from noria.datasets.store import Dataset
    from noria.runtime.dataset_import import Importer, Order, run
    from noria.storage.audit import AuditLog
    from noria.storage.database import Database
    from noria.storage.datasets import DatasetTable

    database = Database.open(folder / "noria.db")
    store = DatasetTable(database, AuditLog(database, SystemClock()), SystemClock())
    if store.dataset("default", "d") is None:
        store.create(Dataset(id="", project="default", name="d"), by=SYSTEM)
    order = Order(
        id=f"imp_{step}",
        project="default",
        dataset="d",
        sources=(Source(path=str(folder / "data.jsonl")),),
        mapping=Mapping(input={"question": "question"}, expected="answer", id="id"),
        splits={"train": 0.9, "test": 0.1},
        by=Importer(id="bench", name="bench"),
    )
    started, cpu, rows = time.monotonic(), time.process_time(), examples
    if step.startswith("import"):
        report = run(store, order)
        assert report.examples == examples and report.made == (step == "import"), report
    elif step.startswith("append"):
        rows = 1000
        store.commit(
            "default", "d", (Example(id=f"x{n}", input={"q": str(n)}) for n in range(1000)), by=SYSTEM
        )
    else:
        version = store.version("default", "d", 1)
        assert version is not None
        if step == "diff":
            newest = store.version("default", "d")
            assert newest is not None and sum(1 for _ in store.diff(version, newest)) == 1000
        else:
            size = sum(map(len, write(lambda: store.examples(version), format=step.removeprefix("export "))))
            assert size > 100 * examples / 10
    seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu": time.process_time() - cpu, "rows": rows, "rss": peak}))


if __name__ == "__main__":
    main()
