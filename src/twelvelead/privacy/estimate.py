"""A figure of an attack with its interval: people are drawn again and again, never pairs or beats."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from twelvelead.privacy.comparison import Comparison
from twelvelead.privacy.protocols import LEAST_PEOPLE, NotEstimable
from twelvelead.privacy.units import Places
from twelvelead.validate import Bootstrap, draw_counts, interval

Floats = NDArray[np.float64]

Weighted = Callable[[Floats], Floats]
"""From how often each person of `subject_ids` is drawn, shape (n_draws, n_people), to a figure's values, (n_draws,)."""

Figure = Callable[[Sequence[Comparison]], Weighted | NotEstimable]
"""Something that can be said of comparisons: `rank_share(1)`, `eer`, …"""

_CELLS = 2_000_000  # weights of pairs held at a time


@dataclass(frozen=True)
class Estimate:
    """A figure and its interval.

    Parameters
    ----------
    value : float
        The figure.
    lower, upper : float or None
        Limits; None where more than one in twenty resamples has no such figure.
    n_people : int
        People who were looked for.
    n_draws : int
        Resamples of people.
    """

    value: float
    lower: float | None
    upper: float | None
    n_people: int
    n_draws: int

    def __str__(self) -> str:
        limits = "no interval" if self.lower is None or self.upper is None else f"{self.lower:.3f} to {self.upper:.3f}"
        return f"{self.value:.3f} ({limits}; n = {self.n_people})"


def estimate(
    figure: Figure, comparisons: Sequence[Comparison] | NotEstimable, *, bootstrap: Bootstrap, share: bool = True
) -> Estimate | NotEstimable:
    """Estimate a figure.

    Parameters
    ----------
    figure : Figure
        What is asked.
    comparisons : sequence of Comparison, or NotEstimable
        From `compare`.
    bootstrap : Bootstrap
        How often people are drawn, the seed, and the level of the interval.
    share : bool
        Whether the figure is a share of people. Where all draws then give 0, or 1, the limits are exact binomial ones
        [1]_ of as many people as were looked for, since nobody is shown by drawing those who agree.

    Returns
    -------
    Estimate or NotEstimable

    Notes
    -----
    Each person counts once, however often looked for. A person drawn twice counts twice as probe, and twice as
    impostor of each other probe; never as impostor of themself. Who is enrolled is not redrawn where ranks are asked
    for: a gallery with doubles would be another one.

    References
    ----------
    .. [1] Clopper CJ, Pearson ES. The use of confidence or fiducial limits illustrated in the case of the binomial.
       doi:10.1093/biomet/26.4.404
    """
    if isinstance(comparisons, NotEstimable):
        return comparisons
    n = len(people_sought(comparisons))
    if n < LEAST_PEOPLE:
        return NotEstimable(f"{LEAST_PEOPLE} people must be looked for, and {n} are")
    weighted = figure(comparisons)
    if isinstance(weighted, NotEstimable):
        return weighted
    value = float(weighted(np.ones((1, len(comparisons[0].subject_ids))))[0])
    values = weighted(_draw(people_in(comparisons), len(comparisons[0].subject_ids), bootstrap))
    return _enclose(value, values, n=n, bootstrap=bootstrap, share=share)


def _enclose(value: float, values: Floats, *, n: int, bootstrap: Bootstrap, share: bool) -> Estimate:
    found = interval(values, level=bootstrap.level)
    lower, upper = found.lower, found.upper
    if share and value in {0.0, 1.0} and (values[np.isfinite(values)] == value).all():
        lower, upper = binomial_limits(round(value * n), n, level=bootstrap.level)
    return Estimate(value, lower, upper, n, bootstrap.n_resamples)


def difference(
    figure: Figure, first: Sequence[Comparison], second: Sequence[Comparison], *, bootstrap: Bootstrap
) -> Estimate | NotEstimable:
    """Estimate by how much a figure is larger in the second of two attacks on the same people.

    Parameters
    ----------
    figure : Figure
        What is asked.
    first, second : sequence of Comparison
        Of two attackers, or of two releases whose people have the same `subject_id`. People who are not looked for, or
        not enrolled, in both are left out of both.
    bootstrap : Bootstrap
        The same people are drawn for both.

    Returns
    -------
    Estimate or NotEstimable
        Second less first.
    """
    both = _names(first, people_in(first)) & _names(second, people_in(second))
    pair = [_restrict(comparisons, both) for comparisons in (first, second)]
    sought = _names(pair[0], people_sought(pair[0])) & _names(pair[1], people_sought(pair[1]))
    if len(sought) < LEAST_PEOPLE:
        return NotEstimable(f"{LEAST_PEOPLE} people must be looked for in both, and {len(sought)} are")
    names = sorted(both)
    results = []
    for comparisons in pair:
        weighted = figure(comparisons)
        if isinstance(weighted, NotEstimable):
            return weighted
        ids = comparisons[0].subject_ids
        drawn = _draw(np.array([ids.index(name) for name in names]), len(ids), bootstrap)
        results.append((weighted(np.ones((1, len(ids)))), weighted(drawn)))
    value = float((results[1][0] - results[0][0])[0])
    values = results[1][1] - results[0][1]
    return _enclose(value, values, n=len(sought), bootstrap=bootstrap, share=False)


def people_sought(comparisons: Sequence[Comparison]) -> Places:
    """Return the people who are looked for in any of the comparisons, ascending."""
    return np.unique(np.concatenate([c.probe for c in comparisons]))


def people_in(comparisons: Sequence[Comparison]) -> Places:
    """Return the people who are looked for or enrolled in any of the comparisons, ascending."""
    return np.unique(np.concatenate([np.concatenate([c.probe, c.person]) for c in comparisons]))


def shares_of(people: Places) -> Floats:
    """Return one over the number of entries of each entry's person, so that each person counts once.

    Examples
    --------
    >>> shares_of(np.array([4, 4, 9])).tolist()
    [0.5, 0.5, 1.0]
    """
    _, place, n = np.unique(people, return_inverse=True, return_counts=True)
    share: Floats = 1 / n[place]
    return share


def in_chunks(weighted: Weighted, n_cells: int) -> Weighted:
    """Return the same figure, which weighs no more than 2,000,000 pairs at a time."""
    at_once = max(1, _CELLS // max(n_cells, 1))

    def chunked(weights: Floats) -> Floats:
        return np.concatenate([weighted(weights[k : k + at_once]) for k in range(0, len(weights), at_once)])

    return chunked


def binomial_limits(k: int, n: int, *, level: float) -> tuple[float, float]:
    """Return the exact limits of a share of which `k` of `n` were seen.

    Examples
    --------
    None of 90: up to 1 − 0.025^(1/90).

    >>> [round(limit, 4) for limit in binomial_limits(0, 90, level=0.95)]
    [0.0, 0.0402]
    """
    alpha = 1 - level
    lower = 0.0 if k == 0 else float(beta.ppf(alpha / 2, k, n - k + 1))
    upper = 1.0 if k == n else float(beta.ppf(1 - alpha / 2, k + 1, n - k))
    return lower, upper


def _draw(people: Places, n_ids: int, bootstrap: Bootstrap) -> Floats:
    """Draw people; shape (n_draws, n_ids), 0 for who takes no part."""
    weights = np.zeros((bootstrap.n_resamples, n_ids))
    weights[:, people] = draw_counts(len(people), first=0, size=bootstrap.n_resamples, seed=bootstrap.seed).T
    return weights


def _names(comparisons: Sequence[Comparison], people: Places) -> set[str]:
    return {comparisons[0].subject_ids[k] for k in people}


def _restrict(comparisons: Sequence[Comparison], names: set[str]) -> list[Comparison]:
    """Keep the rows and columns of some people."""
    kept = []
    for c in comparisons:
        chosen = np.array([name in names for name in c.subject_ids])
        columns = c.take(chosen[c.probe])
        at = chosen[c.person]
        kept.append(
            replace(
                columns,
                scores=columns.scores[:, at],
                fair=columns.fair[:, at],
                person=c.person[at],
                person_device=c.person_device[at],
            )
        )
    return [c for c in kept if len(c.probe) and len(c.person)]
