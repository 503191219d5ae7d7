"""Near-duplicates by datasketch and datatrove, in a Python of their own: prints CPU seconds and places.

Both take word 5-grams and reject at a Jaccard similarity of about 0.8, datasketch with 128 permutations,
datatrove with its defaults (14 bands of 8). datatrove 0.10 needs xxhash below 4.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

WORD = re.compile(r"\w+")


def cpu() -> float:
    return sum(os.times()[:4])


def with_datasketch(texts: list[str]) -> tuple[float, list[int]]:
    from datasketch import MinHash, MinHashLSH

    before = cpu()
    index = MinHashLSH(threshold=0.8, num_perm=128)
    lost = []
    for place, text in enumerate(texts):
        words = WORD.findall(text.lower())
        grams = {" ".join(words[at : at + 5]).encode() for at in range(max(len(words) - 4, 1))}
        one = MinHash(num_perm=128)
        one.update_batch(list(grams))
        if index.query(one):
            lost.append(place)
        index.insert(str(place), one)
    return cpu() - before, lost


def with_datatrove(path: str, folder: str, count: int) -> tuple[float, list[int]]:
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import (
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter

    config = MinhashConfig()
    before = cpu()

    def read() -> JsonlReader:
        return JsonlReader(folder, glob_pattern=Path(path).name)

    stages = (
        [read(), MinhashDedupSignature(f"{folder}/signatures", config=config)],
        [MinhashDedupBuckets(f"{folder}/signatures", f"{folder}/buckets", config=config)],
        [MinhashDedupCluster(f"{folder}/buckets", f"{folder}/remove", config=config)],
        [read(), MinhashDedupFilter(f"{folder}/remove"), JsonlWriter(f"{folder}/left", compression=None)],
    )
    for number, stage in enumerate(stages):
        tasks = config.num_buckets if number == 1 else 1
        LocalPipelineExecutor(stage, tasks=tasks, workers=1, logging_dir=f"{folder}/logs/{number}").run()
    took = cpu() - before
    left = set()
    for written in Path(folder, "left").iterdir():
        left |= {int(json.loads(line)["id"]) for line in written.read_text().splitlines()}
    return took, [place for place in range(count) if place not in left]


if __name__ == "__main__":
    peer, path, folder = sys.argv[1:]
    with open(path) as file:
        texts = [json.loads(line)["text"] for line in file]
    found = with_datasketch(texts) if peer == "datasketch" else with_datatrove(path, folder, len(texts))
    print(json.dumps({"cpu": found[0], "lost": found[1]}))
