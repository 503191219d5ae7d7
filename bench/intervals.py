"""Intervals of corpus BLEU, chrF and TER, beside sacrebleu's own, on a WMT22 system.

    python bench/intervals.py --data ../shared/data/wmt22-en-de

Both take each sentence's sufficient statistics as given: their extraction is the same work for both. On the
resamples that sacrebleu draws the scores must be equal; sacrebleu's are in single precision.
Noria's interval is BCa, which needs as many scores again as there are sentences. "One more metric" of
the same examples uses the resamples drawn for the first. The last line is what an EvalRun does: from the kept
scores to both numbers with their intervals. Medians of CPU time, by turns.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER
from sacrebleu.significance import _bootstrap_resample

from noria.evals.metrics import metrics
from noria.evals.sheet import Line, Sheet
from noria.scoring.resolve import described
from noria.scoring.scorer import Score, ScorerSpec
from noria.stats import corpus, resample
from noria.stats.interval import Rows, mean, statistic
from noria.stats.paired import compare

SACREBLEU_SEED = 12345
RESAMPLES = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data/wmt22-en-de"))
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    hypotheses = _lines(arguments.data / "generaltest2022.en-de.hyp.Online-A.de")
    references = [_lines(arguments.data / "generaltest2022.en-de.ref.A.de")]
    print(f"{len(hypotheses)} sentences, {RESAMPLES} resamples, medians of {arguments.repeats}\n")
    print("| metric | sacrebleu | Noria | ratio | one more metric | ratio | differ by at most |")
    print("|---|---|---|---|---|---|---|")
    for name, metric, rows in (
        ("BLEU", BLEU(), corpus.bleu),
        ("chrF", CHRF(), corpus.chrf),
        ("TER", TER(), corpus.ter),
    ):
        parts = metric._extract_corpus_statistics(hypotheses, references)

        def once(parts: Any = parts, rows: Any = rows) -> None:
            statistic(parts, Rows(rows), seed=SACREBLEU_SEED)

        def afresh(once: Callable[[], None] = once) -> None:
            resample._counts.cache_clear()
            once()

        theirs, first, more = _timed(
            arguments.repeats,
            lambda metric=metric, parts=parts: _bootstrap_resample(parts, metric, RESAMPLES),
            afresh,
            once,
        )
        print(
            f"| {name} | {theirs:.0f} ms | {first:.1f} ms | {theirs / first:.1f} × | {more:.1f} ms "
            f"| {theirs / more:.1f} × | {_apart(parts, metric, rows):.0e} |"
        )
    _run(arguments.repeats, hypotheses, references[0])
    print("\n| of n examples | mean, ms | compare, ms |\n|---|---|---|")
    rng = np.random.default_rng(1)
    for n in (100, 1_000, 10_000, 100_000):
        a, b = rng.random(n).tolist(), rng.random(n).tolist()
        both = _timed(arguments.repeats, lambda a=a: mean(a), lambda a=a, b=b: compare(a, b))
        print(f"| {n} | {both[0]:.1f} | {both[1]:.1f} |")


def _run(repeats: int, hypotheses: list[str], reference: list[str]) -> None:
    """BLEU and chrF of one run, as its metrics are made."""
    peers = {"bleu": BLEU(), "chrf": CHRF()}
    parts = {name: peer._extract_corpus_statistics(hypotheses, [reference]) for name, peer in peers.items()}
    measures = tuple(described(ScorerSpec(type=name))[0] for name in peers)
    columns = zip(*parts.values(), strict=True)
    lines = tuple(_line(place, dict(zip(parts, row, strict=True))) for place, row in enumerate(columns))

    def theirs() -> None:
        for name, peer in peers.items():
            _bootstrap_resample(parts[name], peer, RESAMPLES)

    def ours() -> None:
        resample._counts.cache_clear()
        metrics(Sheet(measures=measures, lines=lines))

    slow, fast = _timed(repeats, theirs, ours)
    print(f"| both, of a run | {slow:.0f} ms | {fast:.1f} ms | {slow / fast:.1f} × | | | |")


def _line(place: int, parts: dict[str, list[float]]) -> Line:
    scores = {
        name: (Score(name=name, value=0.0, parts=tuple(map(float, row))),) for name, row in parts.items()
    }
    return Line(
        id=f"{place:04}",
        revision="",
        group="",
        tags=(),
        facts={},
        length=0,
        answers=1,
        failed=0,
        scores=scores,
    )


def _apart(parts: list[list[float]], metric: Any, rows: Callable[[Any], Any]) -> float:
    """The largest difference of the two ways' scores over all resamples."""
    _, theirs = _bootstrap_resample(parts, metric, RESAMPLES)
    table = np.asarray(parts, dtype=np.float64)
    drawn = np.random.default_rng(SACREBLEU_SEED).choice(len(table), size=(RESAMPLES, len(table)))
    sums = np.stack([np.bincount(row, minlength=len(table)) @ table for row in drawn])
    return max(abs(one.score - other) for one, other in zip(theirs, rows(sums), strict=True))


def _timed(repeats: int, *ways: Callable[[], object]) -> list[float]:
    """Milliseconds of CPU time of each, taken in turn."""
    times: list[list[float]] = [[] for _ in ways]
    for _ in range(repeats):
        for way, taken in zip(ways, times, strict=True):
            start = time.process_time()
            way()
            taken.append((time.process_time() - start) * 1000)
    return [statistics.median(taken) for taken in times]


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    main()
