"""Uno's concordance: of two, who was given the higher risk, and who was diagnosed first."""

import numpy as np
from numpy.typing import NDArray

from twelvelead.signal.kernel import kernel
from twelvelead.validate.follow_up import CENSORED, DIAGNOSED, DIED, FollowUp

Floats = NDArray[np.float64]


def weighted_concordance(
    seen: FollowUp, rank: NDArray[np.int64], *, weights: Floats, observed: Floats, horizon: float
) -> Floats:
    """Return Uno's C of every resample.

    Parameters
    ----------
    seen : FollowUp
    rank : ndarray of int, shape (n_recordings,)
        Number of each recording's risk among the different ones, from 0, in the order of `seen`.
    weights : ndarray of shape (n_resamples, n_recordings)
        How often each recording was drawn, in the order of `seen`.
    observed : ndarray of shape (n_resamples, n_times + 1)
        Of `Curves`.
    horizon : float
        Diagnoses up to and including this time count.

    Returns
    -------
    ndarray of shape (n_resamples,)
        NaN where nobody can be compared.

    Notes
    -----
    A recording diagnosed at T by the horizon is compared with all who are then free of the diagnosis: those followed
    beyond T, each pair with weight 1/G(T−)² [1]_; and those who died by T, with 1/(G(T−) G(D−)), since the diagnosis
    will never come [2]_. G is the chance to be still observed. Equal risks count half. Without deaths it is Uno's
    C, without censoring Harrell's.

    References
    ----------
    .. [1] Uno H et al. On the C-statistics for evaluating overall adequacy of risk prediction procedures with censored
       survival data. doi:10.1002/sim.4154
    .. [2] Wolbers M et al. Concordance for prognostic models with competing risks. doi:10.1093/biostatistics/kxt059
    """
    chance = observed[:, seen.place]
    inverse = np.divide(1.0, chance, out=np.zeros_like(chance), where=chance > 0)
    case = (seen.status == DIAGNOSED) & (seen.time <= horizon)
    followed = _steps(-seen.place, np.where(seen.status == CENSORED, 0, 2), joins=np.ones_like(case), case=case)
    died = seen.status == DIED
    dead = _steps(seen.place, np.zeros_like(rank), joins=died & (seen.time <= horizon), case=case)
    out = np.full(len(weights), np.nan)
    for b, (weight, at) in enumerate(zip(np.ascontiguousarray(weights), inverse, strict=True)):
        won, pairs = _compare(*followed, rank, weight, weight * case * at**2)
        if died.any():
            won_by_dead, pairs_with_dead = _compare(*dead, rank, weight * at, weight * case * at)
            won, pairs = won + won_by_dead, pairs + pairs_with_dead
        if pairs > 0:
            out[b] = won / pairs
    return out


def _steps(
    moment: NDArray[np.intp], turn: NDArray[np.int64], *, joins: NDArray[np.bool_], case: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return who comes when, and whether to be compared (else to join): by moment, cases between turns 0 and 2."""
    who = np.concatenate([np.flatnonzero(joins), np.flatnonzero(case)])
    asks = np.arange(len(who)) >= joins.sum()
    order = np.lexsort((np.where(asks, 1, turn[who]), moment[who]))
    return who[order], asks[order]


@kernel
def _compare(
    who: NDArray[np.intp], asks: NDArray[np.bool_], rank: NDArray[np.int64], amount: Floats, case: Floats
) -> tuple[float, float]:
    """Compare each case with the amounts that have joined before its turn, kept in a Fenwick tree by rank."""
    tree = np.zeros(rank.max() + 2)
    joined, won, pairs = 0.0, 0.0, 0.0
    for k in range(len(who)):
        i = who[k]
        if asks[k]:
            if case[i] > 0:
                won += case[i] * (_sum(tree, rank[i]) + _sum(tree, rank[i] + 1)) / 2
                pairs += case[i] * joined
        elif amount[i] > 0:
            joined += amount[i]
            _add(tree, rank[i], amount[i])
    return won, pairs


@kernel
def _add(tree: Floats, rank: int, amount: float) -> None:
    i = rank + 1
    while i < len(tree):
        tree[i] += amount
        i += i & -i


@kernel
def _sum(tree: Floats, rank: int) -> float:
    """Return what lies below a rank."""
    total = 0.0
    while rank > 0:
        total += tree[rank]
        rank -= rank & -rank
    return total
