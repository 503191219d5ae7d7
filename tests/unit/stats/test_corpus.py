import pytest
from hypothesis import given
from hypothesis import strategies as st

np = pytest.importorskip("numpy")
metrics = pytest.importorskip("sacrebleu.metrics")

from noria.stats import corpus  # noqa: E402
from noria.stats.interval import Rows, statistic  # noqa: E402

counts = st.integers(0, 60)


@st.composite
def bleu_sums(draw: st.DrawFn) -> list[int]:
    ngrams = [draw(counts)]
    for _ in range(3):
        ngrams.append(draw(st.integers(0, ngrams[-1])))
    matches = [draw(st.integers(0, n)) for n in ngrams]
    return [ngrams[0], draw(counts), *matches, *ngrams]


@given(bleu_sums(), st.sampled_from(["exp", "floor", "add-k", "none"]))
def test_bleu_of_sums_is_sacrebleus(sums: list[int], smooth: str) -> None:
    theirs = metrics.BLEU(smooth_method=smooth)._compute_score_from_stats(list(sums)).score
    ours = corpus.bleu(np.array([sums, sums], dtype=float), smooth=smooth)
    assert ours.tolist() == pytest.approx([theirs, theirs], abs=1e-9)


@given(
    st.lists(st.tuples(counts, counts, st.floats(0, 1)), min_size=6, max_size=6), st.sampled_from([1, 2, 3])
)
def test_chrf_of_sums_is_sacrebleus(orders: list[tuple[int, int, float]], beta: int) -> None:
    sums = [value for a, b, part in orders for value in (a, b, int(part * min(a, b)))]
    theirs = metrics.CHRF(beta=beta)._compute_score_from_stats(sums).score
    assert corpus.chrf(np.array([sums], dtype=float), beta=beta)[0] == pytest.approx(theirs, abs=1e-9)


@given(counts, st.sampled_from([0, 0.5, 1, 7.25, 33]))
def test_ter_of_sums_is_sacrebleus(edits: int, reference: float) -> None:
    theirs = metrics.TER()._compute_score_from_stats([edits, reference]).score
    assert corpus.ter(np.array([[edits, reference]], dtype=float))[0] == pytest.approx(theirs, abs=1e-9)


def test_many_at_once_are_the_same_interval() -> None:
    rng = np.random.default_rng(1)
    parts = [[20, 19, *sorted(rng.integers(1, 15, 4))[::-1], 20, 19, 18, 17] for _ in range(50)]
    one = metrics.BLEU()
    slow = statistic(parts, lambda sums: one._compute_score_from_stats(sums).score)
    fast = statistic(parts, Rows(corpus.bleu))
    assert (fast.estimate, fast.low, fast.high) == pytest.approx(
        (slow.estimate, slow.low, slow.high), abs=1e-9
    )
