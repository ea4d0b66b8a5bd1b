"""Whether two recordings are of one person, answered by a threshold: EER, and TAR at a stated FAR."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twelvelead.privacy.comparison import Comparison
from twelvelead.privacy.estimate import Figure, Weighted, in_chunks, shares_of
from twelvelead.privacy.protocols import NotEstimable
from twelvelead.privacy.units import Flags, Places

Floats = NDArray[np.float64]

RULE_OF_30 = 30
"""Errors that must be expected before their rate is given: within 30 % of the truth nine times out of ten."""
NO_PAIRS = NotEstimable("there must be pairs of one person and of two")


@dataclass(frozen=True, eq=False)
class Pairs:
    """All fair pairs of probe and person, best first.

    Parameters
    ----------
    score : ndarray, shape (n_pairs,)
        Descending.
    genuine : ndarray of bool, shape (n_pairs,)
        Whether both are one person.
    probe, person : ndarray of int, shape (n_pairs,)
        Who they are.
    share : ndarray, shape (n_pairs,)
        One over the number of probes of the person, so that people with many do not count for more.
    """

    score: Floats
    genuine: Flags
    probe: Places
    person: Places
    share: Floats

    def weights(self, drawn: Floats) -> Floats:
        """Return the weight of each pair, shape (n_draws, n_pairs), from how often each person is drawn.

        A genuine pair has that of its person; an impostor pair the product of those of the two.
        """
        weights: Floats = drawn[:, self.probe] * self.share
        weights[:, ~self.genuine] *= drawn[:, self.person[~self.genuine]]
        return weights

    def take(self, which: Flags) -> "Pairs":
        """Return some of the pairs."""
        own, share = self.probe[which], self.share[which]
        return Pairs(self.score[which], self.genuine[which], own, self.person[which], share)

    @property
    def ends(self) -> Places:
        """Last place of each run of equal scores."""
        return np.flatnonzero(np.r_[self.score[1:] != self.score[:-1], True])


def pairs_of(comparisons: Sequence[Comparison]) -> Pairs | NotEstimable:
    """Return the pairs of all comparisons; NotEstimable where one of the two kinds is missing."""
    parts = []
    shares = shares_of(np.concatenate([c.probe for c in comparisons]))
    start = 0
    for c in comparisons:
        row, column = np.nonzero(c.fair)
        genuine = c.probe[row] == c.person[column]
        parts.append((c.scores[row, column], genuine, c.probe[row], c.person[column], shares[start + row]))
        start += len(c.probe)
    score, genuine, probe, person, share = (np.concatenate(column) for column in zip(*parts, strict=True))
    if genuine.all() or not genuine.any():
        return NO_PAIRS
    order = np.argsort(-score, kind="stable")
    return Pairs(score[order], genuine[order], probe[order], person[order], share[order])


def rates(pairs: Pairs, drawn: Floats) -> tuple[Floats, Floats]:
    """Return false and true acceptance at each different score as threshold, from above all scores downwards.

    Parameters
    ----------
    pairs : Pairs
        From `pairs_of`.
    drawn : ndarray, shape (n_draws, n_people)
        How often each person is drawn.

    Returns
    -------
    far, tar : ndarray, shape (n_draws, n_scores + 1)
        NaN where no pair of the kind was drawn. Pairs of equal score are accepted together.
    """
    weights, ends = pairs.weights(drawn), pairs.ends
    out = []
    for kind in (~pairs.genuine, pairs.genuine):
        passed = np.cumsum(weights * kind, axis=1)[:, ends]
        with np.errstate(invalid="ignore"):
            out.append(np.c_[np.zeros(len(drawn)), passed] / passed[:, -1:])
    return out[0], out[1]


def eer(comparisons: Sequence[Comparison]) -> Weighted | NotEstimable:
    """Return the figure "equal error rate": where as many genuine pairs are refused as impostors accepted.

    Between two thresholds the rates are taken as straight lines, which is what deciding by lot between the two gives.
    Where all scores are equal it is therefore 0.5.
    """
    pairs = pairs_of(comparisons)
    if isinstance(pairs, NotEstimable):
        return pairs

    def weighted(drawn: Floats) -> Floats:
        return equal_error(*rates(pairs, drawn))

    return in_chunks(weighted, len(pairs.score))


def equal_error(far: Floats, tar: Floats) -> Floats:
    """Return where 1 − `tar` and `far` meet; shape (n_draws,).

    Examples
    --------
    >>> equal_error(np.array([[0.0, 0.0, 0.4, 1.0]]), np.array([[0.0, 0.8, 0.8, 1.0]])).round(6).tolist()
    [0.2]
    """
    gap = far - (1 - tar)
    after = (gap >= 0).argmax(axis=1)
    row = np.arange(len(far))
    before = np.maximum(after - 1, 0)
    low, high = gap[row, before], gap[row, after]
    with np.errstate(invalid="ignore", divide="ignore"):
        step = np.where(after > 0, -low / (high - low), 0.0)
    crossing: Floats = far[row, before] + step * (far[row, after] - far[row, before])
    return crossing


def tar_at_far(rate: float) -> Figure:
    """Return the figure "share of genuine pairs accepted where no more than `rate` of the impostors are".

    Given only where there are 30 / `rate` impostor pairs [1]_: with fewer the threshold hangs on a handful.

    References
    ----------
    .. [1] Doddington GR, et al. The NIST speaker recognition evaluation - overview, methodology, systems, results,
       perspective. doi:10.1016/S0167-6393(99)00080-1
    """

    def figure(comparisons: Sequence[Comparison]) -> Weighted | NotEstimable:
        pairs = pairs_of(comparisons)
        if isinstance(pairs, NotEstimable):
            return pairs
        n, needed = int((~pairs.genuine).sum()), RULE_OF_30 / rate
        if n < needed:
            return NotEstimable(
                f"a false acceptance rate of {rate:g} needs {needed:.0f} impostor pairs, and there are {n}"
            )

        def weighted(drawn: Floats) -> Floats:
            return accepted_at(*rates(pairs, drawn), rate=rate)

        return in_chunks(weighted, len(pairs.score))

    return figure


def accepted_at(far: Floats, tar: Floats, *, rate: float) -> Floats:
    """Return the largest `tar` at which `far` is no more than `rate`; shape (n_draws,)."""
    last = (far <= rate * (1 + 1e-12)).sum(axis=1) - 1
    best: Floats = tar[np.arange(len(tar)), np.maximum(last, 0)]
    return best
