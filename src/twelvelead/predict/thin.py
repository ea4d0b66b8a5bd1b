"""Fewer recordings without the event, where there are more of them than a question needs."""

import numpy as np
from numpy.typing import NDArray

MANY = 20_000
"""So many recordings are always looked at; beyond them, the commoner class is thinned out."""


def thin(y: NDArray[np.int8], *, per_event: int, seed: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Choose the recordings of the rarer class and a few times as many of the commoner one.

    Parameters
    ----------
    y : ndarray of shape (n_recordings,)
        1 event, 0 none.
    per_event : int
        Recordings of the commoner class kept for each of the rarer, at least 1.
    seed : int
        Which of them.

    Returns
    -------
    ndarray of int, ndarray of float64
        Positions of those kept, ascending; how many recordings each stands for.

    Notes
    -----
    Nothing is left out up to `MANY` recordings, and no fewer are kept. Where the rarer class itself has more than
    `MANY`, as many of it are drawn. What is estimated from c controls per case has (1 + 1/c) times the variance of what
    all controls would give [1]_: 4 cost an eighth of a standard error.

    References
    ----------
    .. [1] Breslow NE, Day NE. Statistical methods in cancer research, volume I: the analysis of case-control studies.
       IARC Scientific Publications 32, 1980.

    Examples
    --------
    >>> y = np.zeros(1_000_000, dtype=np.int8)
    >>> y[:10_000] = 1
    >>> rows, weights = thin(y, per_event=4, seed=0)
    >>> int(y[rows].sum()), len(rows), weights[:1].item(), weights[-1:].item()
    (10000, 50000, 1.0, 24.75)
    """
    if len(y) <= MANY:
        return np.arange(len(y)), np.ones(len(y))
    rarer = int(2 * np.count_nonzero(y) <= len(y))
    few, rest = np.flatnonzero(y == rarer), np.flatnonzero(y != rarer)
    n_few = min(len(few), MANY)
    n_rest = min(len(rest), max(per_event * n_few, MANY - n_few))
    rng = np.random.default_rng(seed)
    rows = np.concatenate([_draw(few, n_few, rng), _draw(rest, n_rest, rng)])
    weights = np.repeat([len(few) / max(n_few, 1), len(rest) / max(n_rest, 1)], [n_few, n_rest])
    order = np.argsort(rows)
    return rows[order], weights[order]


def _draw(places: NDArray[np.intp], n: int, rng: np.random.Generator) -> NDArray[np.intp]:
    return places if n == len(places) else rng.choice(places, n, replace=False, shuffle=False)
