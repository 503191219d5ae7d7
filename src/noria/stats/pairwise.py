"""Contests of two: who wins how often, and a strength for each that explains it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from noria.errors import InvalidRequest
from noria.stats.arrays import Flags, Floats, np
from noria.stats.interval import Interval, mean
from noria.stats.quantile import two_sided
from noria.stats.resample import Units, resampled

Outcome = Literal["a", "b", "tie"]
MOST_ROUNDS = 10_000
"""Of the fit; with the tolerances below a handful to some hundreds are usual."""


class Contest(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison of two, by a person or a judge."""

    a: str
    b: str
    winner: Outcome
    group: str = ""
    """Contests of one group (same prompt, same reviewer) depend on one another; "": a group of its own."""


class Strength(msgspec.Struct, frozen=True, kw_only=True):
    """Of one contestant among all."""

    name: str
    log_odds: Interval
    """Natural; the mean of all contestants is 0. Two of them win against each other with the odds
    exp(difference); 400/ln 10 of it are Elo points."""
    win_rate: Interval
    """A tie is half a win."""
    wins: int
    ties: int
    losses: int


def bradley_terry(
    contests: Sequence[Contest], *, level: float = 0.95, seed: int = 0, resamples: int = 1000
) -> list[Strength]:
    """The strongest first. Bradley, Terry 1952 by Hunter's MM (2004), a tie being half a win for each, with
    bootstrap intervals over contests or their groups.

    Raises InvalidRequest where strengths do not exist: someone (or a set of them) won, or lost, every contest
    with the others.
    """
    two_sided(level)
    names = sorted({name for contest in contests for name in (contest.a, contest.b)})
    place = {name: index for index, name in enumerate(names)}
    k = len(names)
    if k < 2:
        raise InvalidRequest("Strengths need contests of at least two contestants.")
    for index, contest in enumerate(contests):
        if contest.a == contest.b:
            raise InvalidRequest(f"Contest {index} is of {contest.a!r} with itself: leave it out.")
    # A contest is two entries of the table of wins: (winner, loser) 1 and 0, or ½ and ½.
    forth = np.array([place[c.a] * k + place[c.b] for c in contests])
    back = np.array([place[c.b] * k + place[c.a] for c in contests])
    for_a = np.array([{"a": 1.0, "b": 0.0, "tie": 0.5}[c.winner] for c in contests])
    units = Units.of([contest.group for contest in contests], len(contests))

    def tables(drawn: Floats) -> Floats:
        weights = drawn[:, units.index]
        rows = np.arange(len(drawn))[:, None] * (k * k)
        cells = np.concatenate([forth + rows, back + rows], axis=1)
        won = np.concatenate([weights * for_a, weights * (1 - for_a)], axis=1)
        counted = np.bincount(cells.ravel(), won.ravel(), minlength=len(drawn) * k * k)
        return counted.astype(np.float64).reshape(-1, k, k)

    whole = tables(np.ones((1, units.count)))
    if not _connected(whole)[0]:
        raise InvalidRequest(
            "Strengths do not exist: some contestants won, or lost, every contest with the others; "
            "add contests until each has both won and lost."
        )
    best = _fit(whole, start=np.zeros((1, k)), tolerance=1e-11)

    def strengths(drawn: Floats) -> Floats:
        won = tables(drawn)
        found, fits = np.full((len(drawn), k), np.nan), _connected(won)
        if fits.any():
            found[fits] = _fit(won[fits], start=np.repeat(best, fits.sum(), axis=0), tolerance=1e-6)
        return found

    runs = resampled(strengths, units, seed=seed, resamples=resamples)
    found = [
        _strength(name, run.bca(level=level), contests, level=level, seed=seed)
        for name, run in zip(names, runs, strict=True)
    ]
    return sorted(found, key=lambda strength: -(strength.log_odds.estimate or 0.0))


def _strength(
    name: str, log_odds: Interval, contests: Sequence[Contest], *, level: float, seed: int
) -> Strength:
    own = [contest for contest in contests if name in (contest.a, contest.b)]
    ties = sum(contest.winner == "tie" for contest in own)
    wins = sum(contest.winner == ("a" if contest.a == name else "b") for contest in own)
    points = [0.5 if c.winner == "tie" else float(c.winner == ("a" if c.a == name else "b")) for c in own]
    return Strength(
        name=name,
        log_odds=log_odds,
        win_rate=mean(points, groups=[contest.group for contest in own], level=level, seed=seed),
        wins=wins,
        ties=ties,
        losses=len(own) - wins - ties,
    )


def _connected(won: Floats) -> Flags:
    """[r, k, k] to [r]: whether everyone can be reached from everyone by wins (Ford 1957)."""
    k = won.shape[1]
    reach = ((won > 0) | np.eye(k, dtype=bool)).astype(np.float64)
    for _ in range(max(1, (k - 1).bit_length())):
        reach = (reach @ reach > 0).astype(np.float64)
    return np.asarray((reach > 0).all(axis=(1, 2)))


def _fit(won: Floats, *, start: Floats, tolerance: float) -> Floats:
    """Log-strengths [r, k] of tables of wins [r, k, k]."""
    contests = won + won.transpose(0, 2, 1)
    wins, log = won.sum(axis=2), start.copy()
    going = np.arange(len(won))
    for _ in range(MOST_ROUNDS):
        p = np.exp(log[going])
        shared = (contests[going] / (p[:, :, None] + p[:, None, :])).sum(axis=2)
        new = np.log(wins[going] / shared)
        new -= new.mean(axis=1, keepdims=True)
        moved = np.abs(new - log[going]).max(axis=1)
        log[going] = new
        going = going[moved > tolerance]
        if not len(going):
            return log
    log[going] = np.nan
    return log
