"""The share that has the event as a smooth function of the risk, and how far the risks are from it."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, ndtri

from twelvelead.terms import StudyError
from twelvelead.validate.local_regression import loess, lowess
from twelvelead.validate.logistic import fit_logistic, log_odds, logistic_covariance
from twelvelead.validate.resample import units
from twelvelead.validate.risks import as_probabilities, in_order

Floats = NDArray[np.float64]

SMOOTHERS = ("spline", "loess", "lowess")
"""How the share is smoothed. The spline works on log-odds, the other two on risks, as R's defaults."""

KNOT_QUANTILES = (0.05, 0.275, 0.5, 0.725, 0.95)
"""Where Harrell sets the knots of a five-knot restricted cubic spline."""

GRID = 101
"""Risks at which a curve is drawn unless others are asked for."""


@dataclass(frozen=True)
class CalibrationError:
    """How far risks are from the smoothed share that has the event.

    Parameters
    ----------
    ici, e50, e90, emax : float
        Mean, median, 90th percentile and largest of |risk − smoothed share| over the recordings.
    eci : float
        Estimated calibration index: 100 × the mean of its square.
    smoother : str
        What smoothed; the figures depend on it.
    """

    ici: float
    e50: float
    e90: float
    emax: float
    eci: float
    smoother: str


def calibration_error(y: ArrayLike, p: ArrayLike, *, smoother: str = "spline") -> CalibrationError:
    """Return how far the risks are from the smoothed share that has the event.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk.
    smoother : {"spline", "loess", "lowess"}
        Logistic regression on a restricted cubic spline of the log-odds; or a local regression on the risk.

    Returns
    -------
    CalibrationError
        NaN throughout where the curve can't be fitted: one class only, or too few different risks.

    Raises
    ------
    StudyError
        If the smoother is unknown.

    Notes
    -----
    The spline has five knots at the 5th, 27.5th, 50th, 72.5th and 95th percentile. The figures depend on the smoother,
    so name it: on one and the same data the ICI is .044 by lowess, .051 by loess and .054 by this spline. Being means
    of absolute values they are above 0 even for perfect risks, the more so the fewer the recordings.

    References
    ----------
    Austin PC, Steyerberg EW. The Integrated Calibration Index (ICI). doi:10.1002/sim.8281
    Van Hoorde K et al. A spline-based tool to assess and visualize the calibration of multiclass risk predictions.
    doi:10.1016/j.jbi.2014.12.016
    """
    y, p = as_probabilities(y, p)
    order = in_order(y, p)
    y, p = y[order], p[order]
    share = smooth(y, p, at=p, smoother=smoother)
    gap = np.abs(share - p) if share is not None else np.array([np.nan])
    return CalibrationError(
        ici=float(np.mean(gap)),
        e50=float(np.median(gap)),
        e90=float(np.quantile(gap, 0.9)),
        emax=float(np.max(gap)),
        eci=100 * float(np.mean(gap**2)),
        smoother=smoother,
    )


def ici(y: ArrayLike, p: ArrayLike, *, smoother: str = "spline") -> float:
    """Return the integrated calibration index: how far, on average, a risk is from the share that has the event.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk.
    smoother : {"spline", "loess", "lowess"}
        See `calibration_error`.

    Returns
    -------
    float
        Mean |risk − smoothed share|; NaN where the curve can't be fitted.
    """
    return calibration_error(y, p, smoother=smoother).ici


def smooth_curve(
    y: ArrayLike,
    p: ArrayLike,
    *,
    level: float,
    at: ArrayLike | None = None,
    patients: ArrayLike | None = None,
) -> pl.DataFrame:
    """Return the flexible calibration curve with a pointwise interval.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk.
    level : float
        Confidence level of the limits.
    at : array of shape (n_at,) or None
        Risks at which to give the curve. None: `GRID` quantiles of the risks, from least to greatest.
    patients : array of shape (n_recordings,) or None
        The patient of each recording: then the limits rest on the cluster-robust covariance, else on the model's.

    Returns
    -------
    DataFrame with columns predicted, observed, lower, upper
        Risk; smoothed share that has the event; its limits. Null where the curve can't be fitted.

    Notes
    -----
    Logistic regression on a restricted cubic spline of the log-odds; the limits are Wald's on the log-odds, pointwise:
    of a perfect model's curve a part may leave them.

    References
    ----------
    Harrell FE. Regression Modeling Strategies, 2.4.5. doi:10.1007/978-3-319-19425-7
    Van Calster B et al. Calibration: the Achilles heel of predictive analytics. doi:10.1186/s12916-019-1466-7
    """
    y, p = as_probabilities(y, p)
    unit = None if patients is None else units(patients)
    order = in_order(y, p, unit)
    y, p, unit = y[order], p[order], None if unit is None else unit[order]
    grid = np.unique(np.quantile(p, np.linspace(0, 1, GRID))) if at is None else np.asarray(at, dtype=float)
    design = spline_design(p, p)
    beta = fit_logistic(design, y) if design is not None else np.array([np.nan])
    where = spline_design(p, grid)
    if design is None or where is None or np.isnan(beta).any():
        nothing = pl.Series([None] * len(grid), dtype=pl.Float64)
        return pl.DataFrame({"predicted": grid, "observed": nothing, "lower": nothing, "upper": nothing})
    covariance = logistic_covariance(design, beta, y=y, unit=unit)
    middle = where @ beta
    half = float(ndtri((1 + level) / 2)) * np.sqrt(np.einsum("nk,kl,nl->n", where, covariance, where))
    return pl.DataFrame(
        {"predicted": grid, "observed": expit(middle), "lower": expit(middle - half), "upper": expit(middle + half)}
    )


def smooth(y: Floats, p: Floats, *, at: Floats, smoother: str = "spline") -> Floats | None:
    """Return the smoothed share at risks `at`, shape (n_at,); None where it can't be fitted."""
    if smoother not in SMOOTHERS:
        msg = f"smoother must be one of {', '.join(SMOOTHERS)}; got {smoother!r}. Use spline."
        raise StudyError(msg)
    if smoother != "spline":
        if y.min() == y.max() or len(np.unique(p)) < len(KNOT_QUANTILES):
            return None
        found = (loess if smoother == "loess" else lowess)(p, y, at=at)
        return None if np.isnan(found).any() else found
    design = spline_design(p, p)
    if design is None:
        return None
    beta = fit_logistic(design, y)
    grid = spline_design(p, at)
    if grid is None or np.isnan(beta).any():
        return None
    out: Floats = expit(grid @ beta)
    return out


def spline(x: Floats, knots: Floats) -> Floats:
    """Return the restricted cubic spline basis: 1, x, and a cubic per knot but two, straight beyond the outer knots.

    Parameters
    ----------
    x : ndarray of shape (n,)
    knots : ndarray of shape (n_knots,)
        Ascending.

    Returns
    -------
    ndarray of shape (n, n_knots)

    References
    ----------
    Harrell FE. Regression Modeling Strategies, 2.4.5. doi:10.1007/978-3-319-19425-7
    """
    last, before = knots[-1], knots[-2]

    def cube(knot: float) -> Floats:
        out: Floats = np.maximum(x - knot, 0.0) ** 3
        return out

    columns = [np.ones_like(x), x]
    for knot in knots[:-2]:
        tail = (cube(before) * (last - knot) - cube(last) * (before - knot)) / (last - before)
        columns.append((cube(knot) - tail) / (last - knots[0]) ** 2)
    return np.column_stack(columns)


def spline_design(p: Floats, at: Floats) -> Floats | None:
    """Return the spline basis at risks `at`, knots from the risks `p`; None where the knots coincide."""
    lp = log_odds(p)
    knots = np.quantile(lp, KNOT_QUANTILES)
    if np.diff(knots).min() < 1e-6:
        return None
    return spline(log_odds(at), knots)
