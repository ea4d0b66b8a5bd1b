"""Mending a model's risks in a new place, and judging them on patients who did not help to mend them."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from twelvelead.terms import StudyError
from twelvelead.validate.calibration import brier, calibration_intercept, calibration_slope, oe_ratio, scaled_brier
from twelvelead.validate.logistic import fit_logistic, log_odds
from twelvelead.validate.resample import units
from twelvelead.validate.risks import as_probabilities, in_order
from twelvelead.validate.smoothing import ici

Floats = NDArray[np.float64]

METHODS = ("none", "intercept", "logistic", "isotonic")
"""From the mildest to the freest: nothing; a shift of all log-odds; shift and stretch; any non-decreasing curve."""

FIGURES = {
    "oe_ratio": oe_ratio,
    "calibration_intercept": calibration_intercept,
    "calibration_slope": calibration_slope,
    "ici": ici,
    "brier": brier,
    "scaled_brier": scaled_brier,
}
"""What is judged on the ladder."""


@dataclass(frozen=True)
class Recalibration:
    """A curve from a model's risks to risks that agree with the outcomes of the recordings it was fitted to.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    intercept, slope : float
        The new log-odds are intercept + slope × the old …
    knots : tuple of (float, float)
        … unless there are knots: then (old, new) risks, joined by straight lines and level beyond the ends.

    Examples
    --------
    >>> Recalibration("intercept", intercept=float(np.log(4)))([0.2]).round(9).tolist()
    [0.5]
    """

    method: str
    intercept: float = 0.0
    slope: float = 1.0
    knots: tuple[tuple[float, float], ...] = ()

    def __call__(self, p: ArrayLike) -> Floats:
        """Return the recalibrated risks, shape (n_recordings,)."""
        risk = np.asarray(p, dtype=float)
        if self.method == "none":
            return risk
        if self.knots:
            old, new = zip(*self.knots, strict=True)
            level: Floats = np.interp(risk, old, new)
            return level
        out: Floats = expit(self.intercept + self.slope * log_odds(risk))
        return out


def recalibrate(y: ArrayLike, p: ArrayLike, *, method: str) -> Recalibration:
    """Fit the curve from risks to risks that agree with the outcomes.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk, of recordings declared for this; judge the result on others.
    method : {"none", "intercept", "logistic", "isotonic"}
        See `METHODS`.

    Returns
    -------
    Recalibration

    Raises
    ------
    StudyError
        If the method is unknown, or the fit has no finite value: one class only, or risks that separate the outcomes.

    Notes
    -----
    "intercept" and "logistic" are the recalibration in the large and the logistic recalibration of Steyerberg et al.
    [1]_. "isotonic" follows every wiggle of the data it is fitted to: it needs some 1,000 recordings.

    References
    ----------
    .. [1] Steyerberg EW et al. Validation and updating of predictive logistic regression models. doi:10.1002/sim.1844

    Examples
    --------
    Half have the event, all were given 20 %:

    >>> recalibrate([1, 0], [0.2, 0.2], method="intercept")([0.2]).round(9).tolist()
    [0.5]
    """
    y, p = as_probabilities(y, p)
    if method not in METHODS:
        msg = f"recalibration must be one of {', '.join(METHODS)}; got {method!r}. Choose one of them."
        raise StudyError(msg)
    if method == "none":
        return Recalibration(method)
    if method == "isotonic":
        from sklearn.isotonic import IsotonicRegression  # takes half a second

        curve = IsotonicRegression(y_min=0.0, y_max=1.0).fit(p, y)
        knots = zip(curve.X_thresholds_.tolist(), curve.y_thresholds_.tolist(), strict=True)
        return Recalibration(method, knots=tuple(knots))
    lp, ones = log_odds(p), np.ones((len(y), 1))
    if method == "intercept":
        beta = np.append(fit_logistic(ones, y, offset=lp), 1.0)
    else:
        beta = fit_logistic(np.column_stack([ones, lp]), y)
    if np.isnan(beta).any():
        msg = f"{method} recalibration must have a finite fit; got none with {int(y.sum())} events in {len(y)} "
        msg += "recordings. Declare more recordings for it, or a milder method."
        raise StudyError(msg)
    return Recalibration(method, intercept=float(beta[0]), slope=float(beta[1]))


def recalibration_ladder(
    y: ArrayLike, p: ArrayLike, patients: ArrayLike, *, seed: int, methods: tuple[str, ...] = METHODS
) -> pl.DataFrame:
    """Judge every method of recalibration on patients who had no part in it.

    Parameters
    ----------
    y, p, patients : array of shape (n_recordings,)
        Outcome, predicted risk and patient of each recording of the new place.
    seed : int
        Seed of the halves.
    methods : tuple of str
        Steps of the ladder; see `METHODS`.

    Returns
    -------
    DataFrame with columns method, n, n_events, oe_ratio, calibration_intercept, calibration_slope, ici, brier,
    scaled_brier, note
        One row per method. Each half of the patients has the risks of the curve fitted to the other half, so that
        every patient is judged once, all methods on the same recordings. Figures are null, and the note says why,
        where a half can't be fitted.
    """
    y, p = as_probabilities(y, p)
    second = halves(y, patients, seed=seed)
    # Sums below are then the same to the last bit in whichever order the rows came.
    order = in_order(y, p, units(patients))
    y, p, second = y[order], p[order], second[order]
    rows: list[dict[str, object]] = []
    for method in methods:
        row: dict[str, object] = {"method": method, "n": len(y), "n_events": int(y.sum())}
        try:
            risk = _cross_fitted(y, p, second, method=method)
            rows.append(row | {name: figure(y, risk) for name, figure in FIGURES.items()})
        except StudyError as error:
            rows.append(row | {"note": str(error)})
    counts = {"method": pl.String, "n": pl.Int64, "n_events": pl.Int64}
    return pl.DataFrame(rows, schema={**counts, **dict.fromkeys(FIGURES, pl.Float64), "note": pl.String}).fill_nan(None)


def _cross_fitted(y: Floats, p: Floats, second: NDArray[np.bool_], *, method: str) -> Floats:
    """Return each half's risks by the curve of the other half."""
    risk = np.empty_like(p)
    for judged in (second, ~second):
        risk[judged] = recalibrate(y[~judged], p[~judged], method=method)(p[judged])
    return risk


def halves(y: ArrayLike, patients: ArrayLike, *, seed: int) -> NDArray[np.bool_]:
    """Return which recordings are of the second half of the patients, shape (n_recordings,).

    Parameters
    ----------
    y, patients : array of shape (n_recordings,)
        Outcome and patient. Patients with an event, and those without, are halved each for themselves.
    seed : int
        Seed; the order of recordings changes nothing.

    Examples
    --------
    >>> second = halves([0, 0, 1, 1], ["a", "b", "c", "d"], seed=0)
    >>> int(second[:2].sum()), int(second[2:].sum())
    (1, 1)
    """
    unit = units(patients)
    event = np.bincount(unit, weights=np.asarray(y, dtype=float)) > 0
    rng = np.random.default_rng(seed)
    second = np.zeros(len(event), dtype=bool)
    for stratum in (event, ~event):
        second[rng.permutation(np.flatnonzero(stratum))[1::2]] = True
    out: NDArray[np.bool_] = second[unit]
    return out
