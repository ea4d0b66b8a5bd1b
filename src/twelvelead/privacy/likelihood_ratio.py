"""What a score is worth as evidence: the cost of its likelihood ratios, and how linkable it makes two recordings."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from scipy.special import ndtri

from twelvelead.privacy.comparison import Comparison
from twelvelead.privacy.estimate import Weighted
from twelvelead.privacy.protocols import LEAST_PEOPLE, NotEstimable, deal
from twelvelead.privacy.units import Flags
from twelvelead.privacy.verification import Pairs, pairs_of

Floats = NDArray[np.float64]

_N_FOLDS = 5
_SEED = 0  # of the folds, which are no choice that anybody should make
_MOST_BINS = 100
_PER_BIN = 10


def cllr(comparisons: Sequence[Comparison]) -> Weighted | NotEstimable:
    """Return the figure "cost of the log-likelihood ratios", in bits: 0 tells everything, 1 nothing.

    Scores become log-likelihood ratios by logistic regression on the pairs of four fifths of the people, and are judged
    on the pairs among the other fifth. What the regression sees is a score's place among those learnt from, both kinds
    weighing the same, as a normal deviate, and no ratio goes beyond the number of genuine pairs learnt from: on a scale
    as crooked as that of a cosine a single pair beyond the others would otherwise cost more than all of them.

    References
    ----------
    Brümmer N, du Preez J. Application-independent evaluation of speaker detection. doi:10.1016/j.csl.2005.08.001
    """
    pairs = pairs_of(comparisons)
    if isinstance(pairs, NotEstimable):
        return pairs
    people = np.unique(pairs.probe[pairs.genuine])
    if len(people) < 2 * LEAST_PEOPLE:
        return NotEstimable(f"calibrating needs {2 * LEAST_PEOPLE} people, and there are {len(people)}")
    table = np.full(int(max(pairs.probe.max(), pairs.person.max())) + 1, -1)
    table[people] = deal(people, _N_FOLDS, seed=_SEED)
    first, second = table[pairs.probe], table[pairs.person]
    cost, judged = np.zeros(len(pairs.score)), (first == second) & (first >= 0)
    for fold in range(_N_FOLDS):
        learn, judge = (first != fold) & (second != fold), judged & (first == fold)
        llr = _calibrate(pairs, learn, judge)
        cost[judge] = np.logaddexp(0, np.where(pairs.genuine[judge], -llr, llr)) / np.log(2)
    part = pairs.take(judged)
    return lambda drawn: _mean_cost(part, cost[judged], part.weights(drawn))


def _calibrate(pairs: Pairs, learn: Flags, judge: Flags) -> Floats:
    """Turn the scores of `judge` into log-likelihood ratios learnt from `learn`."""
    from sklearn.linear_model import LogisticRegression

    genuine = pairs.genuine[learn]
    weights = np.where(genuine, 0.5 / genuine.sum(), 0.5 / (~genuine).sum())
    knots, place = np.unique(pairs.score[learn], return_inverse=True)
    mass = np.bincount(place, weights=weights)
    margin = 0.5 / genuine.sum()
    at_knots = ndtri(np.clip(np.cumsum(mass) - mass / 2, margin, 1 - margin))
    x = np.interp(pairs.score, knots, at_knots)[:, None]
    model = LogisticRegression(C=100.0).fit(x[learn], genuine, 2 * genuine.sum() * weights)
    most = np.log(genuine.sum())
    llr: Floats = np.clip(model.decision_function(x[judge]), -most, most)
    return llr


def _mean_cost(pairs: Pairs, cost: Floats, weights: Floats) -> Floats:
    """Return the mean of the mean costs of the two kinds of pairs."""
    out = np.zeros(len(weights))
    for kind in (pairs.genuine, ~pairs.genuine):
        with np.errstate(invalid="ignore"):
            out += 0.5 * (weights[:, kind] @ cost[kind]) / weights[:, kind].sum(axis=1)
    return out


def min_cllr(comparisons: Sequence[Comparison]) -> Weighted | NotEstimable:
    """Return the figure "least cost that any monotone reading of the scores could have", in bits.

    The pool-adjacent-violators algorithm makes probabilities of the scores, both kinds of pairs weighing the same. It
    knows the answers, so that this is a lower bound; with few people it is below 1 even where scores tell nothing.
    """
    pairs = pairs_of(comparisons)
    if isinstance(pairs, NotEstimable):
        return pairs

    def weighted(drawn: Floats) -> Floats:
        return np.array([_least_cost(pairs, pairs.weights(one[None])[0]) for one in drawn])

    return weighted


def _least_cost(pairs: Pairs, weights: Floats) -> float:
    genuine, impostor = weights[pairs.genuine].sum(), weights[~pairs.genuine].sum()
    if not genuine or not impostor:
        return float("nan")
    ends = pairs.ends
    own = np.diff(np.cumsum(weights * pairs.genuine / genuine / 2)[ends], prepend=0.0)
    other = np.diff(np.cumsum(weights * ~pairs.genuine / impostor / 2)[ends], prepend=0.0)
    kept = own + other > 1e-15
    own, other = np.maximum(own[kept], 0), np.maximum(other[kept], 0)
    p = isotonic_regression(own / (own + other), weights=own + other, increasing=False).x
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = np.where(own > 0, own * np.log2(p), 0.0) + np.where(other > 0, other * np.log2(1 - p), 0.0)
    return float(-bits.sum())


def linkability(comparisons: Sequence[Comparison]) -> Weighted | NotEstimable:
    """Return the figure D_sys: how far, on average, a genuine score tells that two recordings are of one person.

    0: no score tells anything; 1: every one does. With the same prior probability of either kind, each score has
    D = max(0, 2 p − 1), p being the share of genuine density in that of both, and D_sys is its mean over genuine
    pairs [1]_. Densities are histograms of one bin per ten genuine pairs, at most 100, from the lowest to the highest
    score. With few pairs it is above 0 even where scores tell nothing: `chance_linkability`.

    References
    ----------
    .. [1] Gomez-Barrero M, et al. General framework to evaluate unlinkability in biometric template protection systems.
       doi:10.1109/TIFS.2017.2788000
    """
    pairs = pairs_of(comparisons)
    if isinstance(pairs, NotEstimable):
        return pairs
    bins, n_bins = _bins(pairs)

    def weighted(drawn: Floats) -> Floats:
        return np.array([_linked(bins, pairs.genuine, pairs.weights(one[None])[0], n_bins) for one in drawn])

    return weighted


def chance_linkability(comparisons: Sequence[Comparison], *, seed: int, n_shuffles: int = 200) -> float | NotEstimable:
    """Return what `linkability` would be on average if the same scores fell to pairs by lot.

    Parameters
    ----------
    comparisons : sequence of Comparison
        From `compare`.
    seed, n_shuffles : int
        Of the lots, and how many are drawn.

    Returns
    -------
    float or NotEstimable
    """
    pairs = pairs_of(comparisons)
    if isinstance(pairs, NotEstimable):
        return pairs
    rng = np.random.default_rng(seed)
    bins, n_bins = _bins(pairs)
    weights = np.ones(len(bins))
    return float(np.mean([_linked(bins, rng.permutation(pairs.genuine), weights, n_bins) for _ in range(n_shuffles)]))


def _bins(pairs: Pairs) -> tuple[NDArray[np.intp], int]:
    """Return the bin of each pair, and how many there are."""
    n = int(np.clip(pairs.genuine.sum() // _PER_BIN, 1, _MOST_BINS))
    edges = np.linspace(pairs.score.min(), pairs.score.max(), n + 1)
    return np.clip(np.searchsorted(edges, pairs.score, side="right") - 1, 0, n - 1), n


def _linked(bins: NDArray[np.intp], genuine: Flags, weights: Floats, n_bins: int) -> float:
    own = np.bincount(bins[genuine], weights=weights[genuine], minlength=n_bins)
    other = np.bincount(bins[~genuine], weights=weights[~genuine], minlength=n_bins)
    if not own.sum() or not other.sum():
        return float("nan")
    own, other = own / own.sum(), other / other.sum()
    both = own + other
    p = np.divide(own, both, out=np.zeros_like(own), where=both > 0)
    return float((own * np.maximum(0, 2 * p - 1)).sum())
