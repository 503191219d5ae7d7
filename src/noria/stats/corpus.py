"""Corpus metrics of many resamples at once, from their sums; equal to sacrebleu's.

Each makes [r] of [r, k] sums of sacrebleu's sufficient statistics, and is given to `interval.statistic` as
`Rows(bleu)`, or with its arguments bound by functools.partial.
"""

from __future__ import annotations

from typing import Literal

from noria.stats.arrays import Floats, np

Smoothing = Literal["exp", "floor", "add-k", "none"]


def bleu(sums: Floats, *, smooth: Smoothing = "exp", order: int = 4) -> Floats:
    """0 to 100; columns: length, reference length, matches of each order, n-grams of each order.

    Papineni et al. 2002, smoothed as sacrebleu does with its own default values (Chen, Cherry 2014).
    """
    length, reference = sums[:, 0], sums[:, 1]
    matches, ngrams = sums[:, 2 : 2 + order], sums[:, 2 + order :]
    none = ~(matches > 0).any(axis=1)
    if smooth == "add-k":
        matches, ngrams = matches.copy(), ngrams.copy()
        matches[:, 1:] += 1
        ngrams[:, 1:] += 1
    missed = matches == 0
    precision = matches.copy()
    if smooth == "exp":
        precision = np.where(missed, 0.5 ** missed.cumsum(axis=1), precision)
    elif smooth == "floor":
        precision = np.where(missed, 0.1, precision)
    # From the first order on that has no n-gram at all, precisions are 0.
    some = np.logical_and.accumulate(ngrams > 0, axis=1)
    precision = np.where(some, precision / np.where(some, ngrams, 1), 0)
    zero = none | (precision == 0).any(axis=1)
    mean = np.exp(np.log(np.where(precision > 0, precision, 1)).mean(axis=1))
    short = length < reference
    brevity = np.where(short, np.exp(1 - reference / np.where(length > 0, length, np.nan)), 1)
    return np.where(zero, 0, 100 * np.nan_to_num(brevity) * mean)


def chrf(sums: Floats, *, beta: float = 2.0) -> Floats:
    """0 to 100; columns: n-grams of the output, of the reference, matches, for each order (Popović 2015)."""
    output, reference, matches = sums[:, 0::3], sums[:, 1::3], sums[:, 2::3]
    both = (output > 0) & (reference > 0)
    orders = np.maximum(both.sum(axis=1), 1)
    precision = np.where(both, matches / np.where(both, output, 1), 0).sum(axis=1) / orders
    recall = np.where(both, matches / np.where(both, reference, 1), 0).sum(axis=1) / orders
    below = beta**2 * precision + recall
    return np.where(below > 0, 100 * (1 + beta**2) * precision * recall / np.where(below > 0, below, 1), 0)


def ter(sums: Floats) -> Floats:
    """0 and up; columns: edits, mean reference length (Snover et al. 2006)."""
    edits, reference = sums[:, 0], sums[:, 1]
    known = reference > 0
    return np.where(known, 100 * edits / np.where(known, reference, 1), np.where(edits > 0, 100, 0))
