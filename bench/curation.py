"""Curation: a whole pipeline over many documents, and near-duplicates beside datasketch and datatrove.

    python bench/curation.py --documents 100000
    python bench/curation.py --near 20000 --peers /tmp/peers/bin/python

`--peers` is a Python in which datasketch, datatrove and nltk are installed. Documents are random sentences of
XQuAD and Cranfield (NORIA_DATA, else ../shared/data), 150 words on the average, with planted near-duplicates,
typos, mojibake and personal data; seeded. Times of the pipeline are wall seconds with two processes; near-
duplicates are CPU seconds of one process, from texts to the list of what goes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import machine

from noria.core.example import Example
from noria.datasets.curation.plan import Plan, global_of, specs_of, step_of
from noria.datasets.curation.run import Run
from noria.datasets.curation.step import Tools

DATA = Path(os.environ.get("NORIA_DATA", Path(__file__).parents[2] / "shared" / "data"))
NOISE = (
    " Write to {name}@example.com.",
    " Call +1 415 555 {number:04} about it.",
    " They did not recieve the mesage.",
    " The schÃ¶n cafÃ© closed.",
    " The card was 4111 1111 1111 1111.",
)
STEPS = [
    {"type": "encoding"},
    {"type": "normalize"},
    {"type": "spelling"},
    {"type": "language", "keep": ["en"]},
    {"type": "gopher"},
    {"type": "fineweb"},
    {"type": "exact"},
    {"type": "near"},
    {"type": "decontaminate", "against": ["golden"]},
    {"type": "pii"},
    {"type": "toxicity"},
    {"type": "length", "least": 20, "most": 100_000},
]
PEERS = Path(__file__).with_name("curation_peers.py")


def sentences() -> list[str]:
    """All of the two corpora, each once."""
    xquad = json.loads((DATA / "xquad" / "xquad.en.json").read_text())
    texts = [part["context"] for article in xquad["data"] for part in article["paragraphs"]]
    cranfield = (DATA / "cranfield" / "cran.all.1400.xml").read_text()
    texts += re.findall(r"<text>(.*?)</text>", cranfield, re.DOTALL)
    split = (re.split(r"(?<=[.?!])\s+(?=\w)", " ".join(text.split())) for text in texts)
    return sorted({one for text in split for one in text if len(one) > 40})


def documents(count: int, *, planted: float = 0.1, noise: float = 0.2, seed: int = 1) -> Iterator[str]:
    """The last `planted` of them are earlier ones with a word changed, in order from the first."""
    chance = random.Random(seed)
    pool = sentences()
    fresh = count - int(count * planted)
    kept: list[str] = []
    for place in range(fresh):
        text = " ".join(chance.choices(pool, k=chance.randint(4, 8)))
        if len(kept) < count - fresh:
            kept.append(text)
        if chance.random() < noise:
            text += chance.choice(NOISE).format(name=f"user{place}", number=place % 10_000)
        yield text
    for text in kept:
        words = text.split(" ")
        words[chance.randrange(len(words))] = "changed"
        yield " ".join(words)


class Generated:
    """curation.run.Source."""

    def __init__(self, count: int) -> None:
        self.total: int | None = count

    def examples(self, *, after: str, skip: int) -> Iterator[Example]:
        for place, text in enumerate(documents(self.total or 0)):
            if place >= skip:
                yield Example(id=f"{place:09}", input={"input": text})


def golden(name: str) -> Iterator[Example]:
    chance = random.Random(7)
    pool = sentences()
    for place in range(20):
        yield Example(id=str(place), input={"input": chance.choice(pool)})


def make_tools(folder: Path) -> Tools:
    return Tools(folder=folder)


def pipeline(count: int, workers: int) -> None:
    peak: dict[int, float] = {}
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            for pid in machine.tree(os.getpid()):
                try:
                    peak[pid] = max(peak.get(pid, 0), machine.rss_mb(pid))
                except OSError:
                    continue

    threading.Thread(target=watch, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(
            Plan(specs=specs_of(STEPS)),
            Path(folder),
            tools=make_tools,
            workers=workers,
            report=lambda done, total, words: None,
            read=golden,
        )
        began, before = time.monotonic(), os.times()
        result = run.do(Generated(count))
        took, after = time.monotonic() - began, os.times()
    over.set()
    cpu = sum(after[:4]) - sum(before[:4])
    print(f"{count:,} documents, {workers} processes: {took:.0f} s wall, {cpu:.0f} s CPU,")
    print(f"{count / took:,.0f} documents/s; {result.left:,} left")
    own = peak.pop(os.getpid(), 0)
    print(f"peak memory: {own:.0f} MB the first process, {max(peak.values()):.0f} MB a worker")
    for place, counted in result.counts.items():
        print(f"  {STEPS[place]['type']:14} {counted.changed:7,} changed {counted.dropped:7,} dropped")


def near(count: int, peers: str) -> None:
    texts = list(documents(count, noise=0))
    pairs = int(count * 0.1)
    rows = [("noria", *ours(texts, pairs))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.jsonl"
        path.write_text(
            "".join(json.dumps({"text": text, "id": str(i)}) + "\n" for i, text in enumerate(texts))
        )
        for peer in ("datasketch", "datatrove") if peers else ():
            said = subprocess.run(
                [peers, str(PEERS), peer, str(path), folder], check=True, stdout=subprocess.PIPE, text=True
            ).stdout.splitlines()[-1]
            found = json.loads(said)
            rows.append((peer, found["cpu"], *share(set(found["lost"]), count, pairs)))
    for name, cpu, recall, others in rows:
        words = f"{count / cpu:8,.0f} documents/s of CPU ({cpu / rows[0][1]:4.1f} × Noria's time)"
        print(f"{name:11} {words}, recall {recall:.3f}, {others} others")


def ours(texts: list[str], pairs: int) -> tuple[float, float, int]:
    step = global_of(step_of(specs_of([{"type": "near"}])[0]))
    examples = [Example(id=str(place), input={"input": text}) for place, text in enumerate(texts)]
    with tempfile.TemporaryDirectory() as folder:
        before = time.process_time()
        sign = step.signer(make_tools(Path(folder)))
        signs = [
            one for start in range(0, len(examples), 1000) for one in sign(examples[start : start + 1000])
        ]
        found = step.decide(iter(signs), total=len(signs), folder=Path(folder))
        cpu = time.process_time() - before
    return cpu, *share(set(found.ordinals.tolist()), len(texts), pairs)


def share(lost: set[int], count: int, pairs: int) -> tuple[float, int]:
    """(planted pairs of which one went, others that went)."""
    fresh = count - pairs
    caught = sum(place in lost or place - fresh in lost for place in range(fresh, count))
    planted = set(range(fresh, count)) | set(range(pairs))
    return caught / pairs, len(lost - planted)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--near", type=int, default=0)
    parser.add_argument("--peers", default="")
    given = parser.parse_args()
    if given.documents:
        pipeline(given.documents, given.workers)
    if given.near:
        near(given.near, given.peers)
