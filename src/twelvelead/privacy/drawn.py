"""A number for each segment, as it is and as it comes out when people are drawn again, and how two such rank alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twelvelead.privacy.comparison import Comparison
from twelvelead.privacy.estimate import Estimate, Figure, Weighted, people_in, people_sought, shares_of
from twelvelead.privacy.identification import places, weighted_mean
from twelvelead.privacy.protocols import NotEstimable
from twelvelead.privacy.segments import SEGMENTS
from twelvelead.terms import InputError
from twelvelead.validate import Bootstrap, draw_counts, interval

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Drawn:
    """A number for each segment.

    Parameters
    ----------
    names : tuple of str
        The segments.
    value : ndarray, shape (n_segments,)
        The numbers.
    draws : ndarray, shape (n_draws, n_segments)
        The same of people drawn with replacement; row by row the same people in everything of one `Bootstrap`.
    n_people : int
        People who were looked for.
    level : float
        Of the intervals.
    """

    names: tuple[str, ...]
    value: Floats
    draws: Floats
    n_people: int
    level: float

    def of(self, name: str) -> Estimate:
        """Return the number of one segment with its interval."""
        return _enclose(self, self.names.index(name), level=self.level)

    def apart_from(self, number: float) -> tuple[str, ...]:
        """Return the segments whose number differs from a value.

        The intervals are made wider so that, where none differs, one is named in no more than 1 − `level` of the cases:
        Bonferroni's rule.
        """
        level = 1 - (1 - self.level) / len(self.names)
        found = [(name, _enclose(self, k, level=level)) for k, name in enumerate(self.names)]
        return tuple(
            name
            for name, e in found
            if e.lower is not None and e.upper is not None and not e.lower <= number <= e.upper
        )

    def top(self) -> str:
        """Return the part with the largest number; of wholes, such as QRS, their parts count."""
        parts = [name for name in self.names if name in SEGMENTS]
        return max(parts, key=lambda name: float(self.value[self.names.index(name)]))

    def parts(self) -> tuple[Floats, Floats]:
        """Return `value` and `draws` of the parts alone, in the order of `SEGMENTS`."""
        at = [self.names.index(name) for name in SEGMENTS]
        return self.value[at], self.draws[:, at]


def _enclose(drawn: Drawn, k: int, *, level: float) -> Estimate:
    found = interval(drawn.draws[:, k], level=level)
    return Estimate(float(drawn.value[k]), found.lower, found.upper, drawn.n_people, len(drawn.draws))


def weights_of(comparisons: Sequence[Comparison], bootstrap: Bootstrap) -> Floats:
    """Return how often each person of `subject_ids` counts; shape (1 + n_draws, n_people), first everybody once."""
    people = people_in(comparisons)
    weights = np.zeros((1 + bootstrap.n_resamples, len(comparisons[0].subject_ids)))
    weights[0, people] = 1
    weights[1:, people] = draw_counts(len(people), first=0, size=bootstrap.n_resamples, seed=bootstrap.seed).T
    return weights


def figures_of(figure: Figure, comparisons: Sequence[Comparison], weights: Floats) -> Floats:
    """Return a figure for each row of weights; shape (1 + n_draws,).

    Raises
    ------
    InputError
        If the comparisons have no such figure.
    """
    weighted = figure(comparisons)
    if isinstance(weighted, NotEstimable):
        msg = f"a figure must be to be had of whole beats; got one {weighted}. Ask for another."
        raise InputError(msg)
    return weighted(weights)


def make_drawn(names: Sequence[str], columns: Sequence[Floats], *, n_people: int, level: float) -> Drawn:
    """Put columns of shape (1 + n_draws,) together, one for each segment."""
    table = np.stack(columns, axis=1)
    return Drawn(tuple(names), table[0], table[1:], n_people, level)


def impostors_beaten(comparisons: Sequence[Comparison]) -> Weighted | NotEstimable:
    """Return the figure "share of impostors who score lower than the person": 0.5 by chance, 1 at best; a tie is half.

    Unlike rank 1 it does not fall with the size of the gallery, and unlike a score it has no unit of its own.
    """
    people, better, tied, n = places(comparisons)
    if not len(people) or not n.all():
        return NotEstimable("somebody who is looked for is not enrolled, or alone")
    return weighted_mean(people, 1 - (better + tied / 2) / n)


def genuine_margin(comparisons: Sequence[Comparison]) -> Weighted | NotEstimable:
    """Return the figure "genuine score less the mean score of the impostors", in the attacker's own unit.

    Less, because where all beats lose a segment all scores rise together, also those of strangers.
    """
    people, margins = [], []
    for c in comparisons:
        at = np.flatnonzero((c.genuine & c.fair).any(axis=1) & (c.fair & ~c.genuine).any(axis=1))
        impostor = (c.fair & ~c.genuine)[at]
        means = (c.scores[at] * impostor).sum(axis=1) / impostor.sum(axis=1)
        people.append(c.probe[at])
        margins.append(c.scores[at][(c.genuine & c.fair)[at]] - means)
    if not sum(len(own) for own in people):
        return NotEstimable("nobody who is looked for is enrolled")
    return weighted_mean(np.concatenate(people), np.concatenate(margins))


def n_sought(comparisons: Sequence[Comparison]) -> int:
    """Return how many people were looked for."""
    return len(people_sought(comparisons))


def mean_per_person(values: Floats, subject: NDArray[np.intp], weights: Floats) -> Floats:
    """Return the mean over people of each one's mean, for each row of weights.

    Parameters
    ----------
    values : ndarray, shape (n_beats, n)
        NaN where a beat has none.
    subject : ndarray of int, shape (n_beats,)
        Whose the beat is.
    weights : ndarray, shape (n_rows, n_people)
        From `weights_of`.

    Returns
    -------
    ndarray, shape (n_rows, n)
        NaN where nobody drawn has a value.
    """
    known = np.isfinite(values).all(axis=1)
    values, subject = values[known], subject[known]
    drawn = weights[:, subject] * shares_of(subject)
    with np.errstate(invalid="ignore"):
        means: Floats = drawn @ values / drawn.sum(axis=1, keepdims=True)
    return means


def kendall(first: Drawn, second: Drawn) -> Estimate:
    """Return Kendall's τ-b between two rankings of the segments, with its interval over people.

    Examples
    --------
    One swap of neighbours among 8 segments makes 1 of 28 pairs discordant.

    >>> values = np.arange(8.0)
    >>> swapped = values[[1, 0, 2, 3, 4, 5, 6, 7]]
    >>> a, b = (Drawn(SEGMENTS, v, np.tile(v, (20, 1)), 10, 0.95) for v in (values, swapped))
    >>> round(kendall(a, b).value * 28)
    26
    """
    (a, a_draws), (b, b_draws) = first.parts(), second.parts()
    draws = _tau(a_draws, b_draws)
    found = interval(draws, level=first.level)
    return Estimate(float(_tau(a[None], b[None])[0]), found.lower, found.upper, first.n_people, len(draws))


def _tau(a: Floats, b: Floats) -> Floats:
    """Return τ-b of each pair of rows; NaN where one of them is all alike."""
    i, j = np.triu_indices(a.shape[1], k=1)
    sign_a, sign_b = np.sign(a[:, i] - a[:, j]), np.sign(b[:, i] - b[:, j])
    untied = np.sqrt((sign_a**2).sum(axis=1) * (sign_b**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        tau: Floats = (sign_a * sign_b).sum(axis=1) / untied
    return tau
