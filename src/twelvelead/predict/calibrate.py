"""From a model's margin to a risk that means what it says."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from twelvelead.terms import StudyError

METHODS = ("logistic", "isotonic", "none")

LEAST_AGREEMENT = 0.05
"""Members that agree less have learnt nothing in common, and nothing is made of that little."""


@dataclass(frozen=True)
class Calibrator:
    """A non-decreasing curve from the model's log-odds to the risk.

    Parameters
    ----------
    slope, intercept : float
        The risk is expit(intercept + slope × margin) …
    knots : tuple of (float, float)
        … unless there are knots: then (margin, risk) points, joined by straight lines and level beyond the ends.

    Examples
    --------
    >>> Calibrator(slope=1.0, intercept=0.0)(np.array([0.0])).item()
    0.5
    >>> Calibrator(knots=((-1.0, 0.1), (1.0, 0.3)))(np.array([0.0, 9.0])).tolist()
    [0.2, 0.3]
    """

    slope: float = 1.0
    intercept: float = 0.0
    knots: tuple[tuple[float, float], ...] = ()

    def __call__(self, margin: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the risk of each recording, shape (n_recordings,)."""
        if self.knots:
            x, risk = zip(*self.knots, strict=True)
            level: NDArray[np.float64] = np.interp(margin, x, risk)
            return level
        out: NDArray[np.float64] = expit(self.intercept + self.slope * margin)
        return out

    def rounded(self) -> "Calibrator":
        """Return the curve to ten decimals: the last bits of a fit depend on where its arrays lie in memory.

        Examples
        --------
        >>> Calibrator(slope=1 / 3).rounded().slope
        0.3333333333
        """
        knots = tuple((round(x, 10), round(risk, 10)) for x, risk in self.knots)
        return Calibrator(slope=round(self.slope, 10), intercept=round(self.intercept, 10), knots=knots)

    def stretched(self, center: float, factor: float) -> "Calibrator":
        """Return the curve for a margin that is to be taken `factor` times as far from `center` as it lies.

        Examples
        --------
        >>> curve = Calibrator(slope=1.0).stretched(center=1.0, factor=2.0)
        >>> curve.slope, curve.intercept
        (2.0, -1.0)
        """
        return Calibrator(
            slope=self.slope * factor,
            intercept=self.intercept + self.slope * center * (1 - factor),
            knots=tuple((center + (x - center) / factor, risk) for x, risk in self.knots),
        )


def agreement(pairs: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]]) -> float:
    """Return how far two members agree about recordings that neither was trained on, from 0.05 to 1.

    Parameters
    ----------
    pairs : sequence of (ndarray, ndarray)
        Margins of two members for the same recordings; one pair per fold.

    Returns
    -------
    float
        Correlation of their margins within folds, pooled over folds. 1 where there is no pair.

    Examples
    --------
    >>> agreement([(np.array([0.0, 1.0, 2.0]), np.array([5.0, 6.0, 7.0]))])
    1.0
    """
    sums = np.zeros((2, 2))
    for first, second in pairs:
        centred = np.stack([first - np.mean(first), second - np.mean(second)])
        sums += centred @ centred.T
    spread = float(np.sqrt(sums[0, 0] * sums[1, 1]))
    return min(1.0, max(LEAST_AGREEMENT, float(sums[0, 1]) / spread)) if spread else 1.0


def calibrate(margin: NDArray[np.float64], y: NDArray[np.int8], *, method: str) -> Calibrator:
    """Find the curve from log-odds to risk that agrees with the outcomes.

    Parameters
    ----------
    margin : ndarray of shape (n_recordings,)
        Log-odds given by a model that has not seen these recordings.
    y : ndarray of shape (n_recordings,)
        1 event, 0 none.
    method : {"logistic", "isotonic", "none"}
        A logistic curve; the best non-decreasing steps; or the plain expit of the margin.

    Returns
    -------
    Calibrator

    Raises
    ------
    StudyError
        If the method is unknown.

    Notes
    -----
    Logistic: Platt's, with his targets (n₁ + 1)/(n₁ + 2) and 1/(n₀ + 2) in place of 1 and 0, which keep the slope
    finite where the margin separates the outcomes [1]_. The slope is held at 0 or above: a margin that ranks unseen
    recordings worse than chance has taught nothing, and everyone then gets the mean risk. Isotonic needs some 1,000
    recordings and gives tied risks [2]_.

    References
    ----------
    .. [1] Lin HT, Lin CJ, Weng RC. A note on Platt's probabilistic outputs. doi:10.1007/s10994-007-5018-6
    .. [2] Niculescu-Mizil A, Caruana R. Predicting good probabilities with supervised learning.
       doi:10.1145/1102351.1102430
    """
    if method == "none":
        return Calibrator()
    if method == "logistic":
        return _platt(margin, y)
    if method == "isotonic":
        curve = IsotonicRegression(y_min=0.0, y_max=1.0).fit(margin, y.astype(float))
        knots = zip(curve.X_thresholds_.tolist(), curve.y_thresholds_.tolist(), strict=True)
        return Calibrator(knots=tuple(knots))
    msg = f"calibration must be one of {', '.join(METHODS)}; got {method!r}. Choose one of them."
    raise StudyError(msg)


def _platt(margin: NDArray[np.float64], y: NDArray[np.int8]) -> Calibrator:
    events = float(np.sum(y))
    target = np.where(y == 1, (events + 1) / (events + 2), 1 / (len(y) - events + 2))
    scale = float(np.std(margin)) or 1.0
    z = (margin - np.mean(margin)) / scale
    prior = (events + 1) / (len(y) + 2)

    def loss(beta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        eta = beta[0] + beta[1] * z
        wrong = expit(eta) - target
        value = float(np.sum(np.logaddexp(0.0, eta) - target * eta))
        return value, np.array([np.sum(wrong), np.sum(wrong * z)])

    start = np.array([np.log(prior / (1 - prior)), 1.0])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(None, None), (0, None)], tol=1e-12)
    slope = float(found.x[1]) / scale
    return Calibrator(slope=slope, intercept=float(found.x[0]) - slope * float(np.mean(margin)))
