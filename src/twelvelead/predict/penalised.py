"""Penalised logistic regression, its penalty chosen on whole patients: the model that a network must beat."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit

Floats = NDArray[np.float64]

INVERSE_PENALTIES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
"""scikit-learn's C, on predictors of unit variance: from nearly everything shrunk to nearly nothing."""

OF_BLOCKS = INVERSE_PENALTIES[::2]
"""The same for each of several blocks, every combination of which is tried."""

DECIMALS = 10
"""The last bits of a fit depend on where its arrays lie in memory."""


@dataclass(frozen=True)
class Penalised:
    """A fitted logistic regression.

    Parameters
    ----------
    centre, scale : tuple of float
        Mean and standard deviation of each predictor among the development recordings; a missing value counts as the
        mean.
    weights : tuple of float
        Log-odds per standard deviation.
    intercept : float
        Log-odds at the mean of everything.
    inverse_penalties : tuple of float
        The chosen C of each block.
    """

    centre: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    inverse_penalties: tuple[float, ...]

    def margin(self, X: Floats) -> Floats:
        """Return the log-odds, shape (n_recordings,).

        Examples
        --------
        >>> fitted = Penalised((1.0,), (2.0,), (3.0,), 0.5, (1.0,))
        >>> fitted.margin(np.array([[5.0], [np.nan]])).tolist()
        [6.5, 0.5]
        """
        out: Floats = standardise(X, np.array(self.centre), np.array(self.scale)) @ np.array(self.weights)
        return out + self.intercept

    def card(self) -> dict[str, Any]:
        """Say all of it in what JSON can hold; `Penalised(**card)` is this again."""
        names = ("centre", "scale", "weights", "inverse_penalties")
        return {**{name: list(getattr(self, name)) for name in names}, "intercept": self.intercept}


def fit_penalised(X: Floats, y: NDArray[np.int8], *, folds: NDArray[np.int32], sizes: Sequence[int] = ()) -> Penalised:
    """Fit a ridge-penalised logistic regression, the penalties by the log loss of patients left out.

    Parameters
    ----------
    X : ndarray of shape (n_recordings, n_features)
        NaN where missing.
    y : ndarray of shape (n_recordings,)
        1 event, 0 none.
    folds : ndarray of int, shape (n_recordings,)
        Fold of each recording's patient.
    sizes : sequence of int
        Columns of each block, in their order, where blocks are to have a penalty of their own; none: one block.

    Returns
    -------
    Penalised

    Notes
    -----
    Of the penalties, those with the least log loss over the folds left out; of equal ones the strongest. A block that
    says nothing gets a strong one, and hardly moves the risks, while the others keep theirs: with one penalty for all,
    a block of noise makes the model worse. Each fold has its own means and standard deviations.

    References
    ----------
    le Cessie S, van Houwelingen JC. Ridge estimators in logistic regression. doi:10.2307/2347628

    Examples
    --------
    >>> x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0, 3.0]).reshape(-1, 1)
    >>> fitted = fit_penalised(x, np.array([0, 1, 0, 1, 0, 1]), folds=np.array([0, 0, 0, 1, 1, 1]))
    >>> fitted.weights[0] > 0
    True
    """
    widths = tuple(sizes) or (X.shape[1],)
    tried = list(product(INVERSE_PENALTIES if len(widths) == 1 else OF_BLOCKS, repeat=len(widths)))
    tried.sort(key=lambda cs: float(np.sum(np.log(cs))))
    losses = np.zeros(len(tried))
    for fold in np.unique(folds):
        inside = folds != fold
        if len(np.unique(y[inside])) < 2:
            continue
        for i, cs in enumerate(tried):
            margin = _fit(X[inside], y[inside], cs, widths).margin(X[~inside])
            losses[i] -= float(np.sum(np.where(y[~inside] == 1, log_expit(margin), log_expit(-margin))))
    return _fit(X, y, tried[int(np.argmin(np.round(losses, 6)))], widths)


def _fit(X: Floats, y: NDArray[np.int8], inverse_penalties: tuple[float, ...], widths: tuple[int, ...]) -> Penalised:
    centre, scale = moments(X)
    # A column that is stretched needs a smaller weight, which is penalised less.
    stretch = np.sqrt(np.repeat(inverse_penalties, widths))
    beta = _newton(standardise(X, centre, scale) * stretch, y)
    weights = np.round(beta[1:] * stretch, DECIMALS)
    return Penalised(
        centre=tuple(centre.tolist()),
        scale=tuple(scale.tolist()),
        weights=tuple(weights.tolist()),
        intercept=round(float(beta[0]), DECIMALS),
        inverse_penalties=inverse_penalties,
    )


def _newton(Z: Floats, y: NDArray[np.int8]) -> Floats:
    """Minimise the log loss plus half the sum of squared weights by Newton's method; the intercept is not penalised.

    scikit-learn finds the same, in ten times the time for tables as small as these, and there are hundreds of fits.
    """
    design = np.column_stack([np.ones(len(Z)), Z])
    penalty = np.append(0.0, np.ones(Z.shape[1]))
    beta, loss = np.zeros(design.shape[1]), np.inf
    step = np.zeros_like(beta)
    for _ in range(200):
        eta = design @ (beta - step)
        now = float(np.sum(np.logaddexp(0.0, eta) - y * eta) + 0.5 * penalty @ (beta - step) ** 2)
        if now > loss + 1e-12 * abs(loss):
            step = step / 2  # too far: the loss is convex, so that half the way is better sooner or later
            continue
        beta, loss = beta - step, now
        p = expit(eta)
        gradient = design.T @ (p - y) + penalty * beta
        curvature = (design.T * (p * (1 - p))) @ design + np.diag(penalty + 1e-12)
        step = np.linalg.solve(curvature, gradient)
        if np.max(np.abs(step)) < 1e-10:
            break
    return beta


def moments(X: Floats) -> tuple[Floats, Floats]:
    """Return each column's mean and standard deviation of what is there; 0 and 1 where nothing is, or nothing varies.

    Examples
    --------
    >>> [a.tolist() for a in moments(np.array([[1.0, 5.0], [3.0, np.nan]]))]
    [[2.0, 5.0], [1.0, 1.0]]
    """
    there = np.isfinite(X)
    n = np.maximum(there.sum(axis=0), 1)
    centre = np.where(there, X, 0.0).sum(axis=0) / n
    scale = np.sqrt(np.where(there, (X - centre) ** 2, 0.0).sum(axis=0) / n)
    return centre, np.where(scale > 1e-12, scale, 1.0)


def standardise(X: Floats, centre: Floats, scale: Floats) -> Floats:
    """Return columns of mean 0 and standard deviation 1, what is missing as 0."""
    out: Floats = np.where(np.isfinite(X), (X - centre) / scale, 0.0)
    return out
