"""Whether the right person comes first: ranks, the CMC curve, and what a larger gallery would change."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import gammaln

from twelvelead.privacy.comparison import Comparison
from twelvelead.privacy.estimate import Figure, Weighted, shares_of
from twelvelead.privacy.protocols import NotEstimable
from twelvelead.privacy.units import Places

Floats = NDArray[np.float64]

NOBODY_KNOWN = NotEstimable("nobody who is looked for is enrolled")


def rank_share(rank: int) -> Figure:
    """Return the figure "share of people whose own name is among the first `rank`".

    Where scores tie, each order of the tied is as likely: a probe that ties with three others at the top is at rank 1
    with a probability of one in four, and counts for a quarter.
    """

    def figure(comparisons: Sequence[Comparison]) -> Weighted | NotEstimable:
        people, better, tied, _ = places(comparisons)
        if not len(people):
            return NOBODY_KNOWN
        return weighted_mean(people, among_first(better, tied, rank))

    return figure


def among_first(better: Places, tied: Places, rank: int) -> Floats:
    """Return the probability of being among the first `rank`, of which `better` are surely ahead and `tied` perhaps.

    Examples
    --------
    >>> among_first(np.array([0, 0, 1]), np.array([0, 3, 0]), 1).tolist()
    [1.0, 0.25, 0.0]
    """
    return np.clip((rank - better) / (tied + 1), 0.0, 1.0)


def places(comparisons: Sequence[Comparison]) -> tuple[Places, Places, Places, Places]:
    """Count, for each probe of somebody enrolled, the impostors who score higher and as high.

    Returns
    -------
    people, better, tied, n_impostors : ndarray of int, shape (n_known_probes,)
        Whose the probe is, and impostors that score higher, that score the same, and altogether.
    """
    parts = []
    for c in comparisons:
        at = np.flatnonzero((c.genuine & c.fair).any(axis=1))
        own = c.scores[at][c.genuine[at]]
        impostor = (c.fair & ~c.genuine)[at]
        better = (impostor & (c.scores[at] > own[:, None])).sum(axis=1)
        tied = (impostor & (c.scores[at] == own[:, None])).sum(axis=1)
        parts.append((c.probe[at], better, tied, impostor.sum(axis=1)))
    people, better, tied, n = (np.concatenate(column) for column in zip(*parts, strict=True))
    return people, better, tied, n


def weighted_mean(people: Places, values: Floats) -> Weighted:
    """Return the mean over people of the mean of each person's values, for any weights of people."""
    share = shares_of(people)

    def mean(weights: Floats) -> Floats:
        drawn = weights[:, people] * share
        with np.errstate(invalid="ignore"):
            out: Floats = drawn @ values / drawn.sum(axis=1)
        return out

    return mean


def cmc(comparisons: Sequence[Comparison]) -> pl.DataFrame:
    """Return the cumulative match characteristic.

    Returns
    -------
    DataFrame with columns rank, share, gallery_smallest, gallery_largest
        One row per rank, up to the size of the largest gallery.
    """
    people, better, tied, n = places(comparisons)
    share = shares_of(people)
    ranks = np.arange(1, n.max() + 2)
    values = [float(among_first(better, tied, rank) @ share / share.sum()) for rank in ranks]
    return pl.DataFrame(
        {
            "rank": ranks,
            "share": values,
            "gallery_smallest": np.full(len(ranks), n.min() + 1),
            "gallery_largest": np.full(len(ranks), n.max() + 1),
        }
    )


def gallery_curve(comparisons: Sequence[Comparison], *, sizes: Sequence[int]) -> pl.DataFrame:
    """Return the share at rank 1 in galleries of other sizes.

    Parameters
    ----------
    comparisons : sequence of Comparison
        From `compare`.
    sizes : sequence of int
        Numbers of people enrolled, 1 or more.

    Returns
    -------
    DataFrame with columns gallery, share, extrapolated
        Up to the smallest gallery at hand the exact mean over all ways to enrol that many of its people, the right one
        among them; beyond, a straight line in the logarithm of the size through the upper half of the logarithms seen,
        marked as extrapolated, and not below chance.

    Examples
    --------
    See `of_smaller_gallery`.
    """
    people, better, tied, n = places(comparisons)
    share = shares_of(people)
    largest = int(n.min()) + 1

    def at(size: int) -> float:
        return float(of_smaller_gallery(better, tied, n, size=size) @ share / share.sum())

    seen = np.unique(np.geomspace(max(2, largest**0.5), largest, 12).astype(int))
    slope, level = (
        np.polyfit(np.log(seen), [at(int(size)) for size in seen], 1) if len(seen) > 1 else (0.0, at(largest))
    )
    rows = [
        (size, at(size), False)
        if size <= largest
        else (size, float(np.clip(level + slope * np.log(size), 1 / size, 1.0)), True)
        for size in sizes
    ]
    return pl.DataFrame(
        rows, schema={"gallery": pl.Int64, "share": pl.Float64, "extrapolated": pl.Boolean}, orient="row"
    )


def of_smaller_gallery(better: Places, tied: Places, n: Places, *, size: int) -> Floats:
    """Return the probability of coming first when only some of the impostors are enrolled, drawn at random.

    Parameters
    ----------
    better, tied, n : ndarray of int, shape (n_probes,)
        Impostors that score higher, that score the same, and altogether.
    size : int
        People enrolled, the right one among them: `size` − 1 impostors.

    Returns
    -------
    ndarray, shape (n_probes,)

    Notes
    -----
    With m = `size` − 1 of n impostors drawn, none of the b better ones comes with a probability of C(n−b, m) / C(n, m).
    Of N = n − b others t are tied; the mean of 1 / (1 + number of tied drawn) is
    (C(N+1, m+1) − C(N−t, m+1)) / ((t + 1) C(N, m)).

    Examples
    --------
    One of two impostors is better: when one of them is drawn, it is the other in half of the cases.

    >>> of_smaller_gallery(np.array([1]), np.array([0]), np.array([2]), size=2).round(6).tolist()
    [0.5]

    One impostor, tied:

    >>> of_smaller_gallery(np.array([0]), np.array([1]), np.array([1]), size=2).round(6).tolist()
    [0.5]
    """
    m = np.full(len(n), size - 1)
    rest = n - better
    none_better = np.exp(_log_ways(rest, m) - _log_ways(n, m))
    with np.errstate(invalid="ignore"):
        base = np.log(tied + 1) + _log_ways(rest, m)
        first = np.exp(_log_ways(rest + 1, m + 1) - base) - np.exp(_log_ways(rest - tied, m + 1) - base)
    return np.where(rest >= m, none_better * first, 0.0)


def _log_ways(n: Places, k: Places) -> Floats:
    """Return the logarithm of the number of ways to choose k of n; −inf where there is none."""
    possible = (k >= 0) & (k <= n)
    n, k = np.where(possible, n, 0), np.where(possible, k, 0)
    return np.where(possible, gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1), -np.inf)


def subject_risk(comparisons: Sequence[Comparison]) -> pl.DataFrame:
    """Return how well each person can be picked out.

    Returns
    -------
    DataFrame with columns subject_id, n_probes, rank_1, rank_5, beaten
        One row per person who is enrolled and looked for, ascending: the share of the probes at rank 1 and among the
        first 5, and the mean share of the impostors who score lower than the person (a tie counts half).
    """
    people, better, tied, n = places(comparisons)
    table = pl.DataFrame(
        {
            "person": people,
            "rank_1": among_first(better, tied, 1),
            "rank_5": among_first(better, tied, 5),
            "beaten": 1 - (better + tied / 2) / np.maximum(n, 1),
        }
    )
    ids = comparisons[0].subject_ids
    return (
        table.group_by("person")
        .agg(pl.len().cast(pl.Int64).alias("n_probes"), pl.col("rank_1", "rank_5", "beaten").mean())
        .sort("person")
        .select(pl.col("person").replace_strict(range(len(ids)), ids).alias("subject_id"), pl.exclude("person"))
    )
