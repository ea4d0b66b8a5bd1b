"""Whether a risk of 20 % means that 20 in 100 have the event."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from twelvelead.terms import StudyError
from twelvelead.validate.logistic import fit_logistic, log_odds, logistic_covariance
from twelvelead.validate.proportions import shares
from twelvelead.validate.resample import enough_patients, units
from twelvelead.validate.risks import as_probabilities, in_order
from twelvelead.validate.smoothing import smooth

Floats = NDArray[np.float64]

TOO_FEW = "fewer than 10 patients with, or without, the event: no interval"
UNDEFINED = "not defined for these recordings"


def brier(y: ArrayLike, p: ArrayLike) -> float:
    """Return the mean squared difference of risk and outcome; 0 is perfect.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcomes, 0 or 1, and predicted risks.

    References
    ----------
    Brier GW. Verification of forecasts expressed in terms of probability.
    doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2

    Examples
    --------
    >>> round(brier([1, 0], [0.8, 0.4]), 6)
    0.1
    """
    y, p = as_probabilities(y, p)
    return float(np.mean((y - p) ** 2))


def scaled_brier(y: ArrayLike, p: ArrayLike) -> float:
    """Return how much of the Brier score of the bare prevalence the risks take away; 1 is perfect, 0 useless.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcomes, 0 or 1, and predicted risks.

    Examples
    --------
    >>> scaled_brier([1, 0], [0.5, 0.5])
    0.0
    """
    y, p = as_probabilities(y, p)
    prevalence = float(np.mean(y))
    worst = prevalence * (1 - prevalence)
    return 1 - brier(y, p) / worst if worst else float("nan")


def oe_ratio(y: ArrayLike, p: ArrayLike) -> float:
    """Return observed events per expected event; above 1 the risks are too low.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcomes, 0 or 1, and predicted risks.

    Examples
    --------
    >>> oe_ratio([1, 0, 1, 0], [0.25, 0.25, 0.25, 0.25])
    2.0
    """
    y, p = as_probabilities(y, p)
    return float(np.sum(y) / np.sum(p)) if np.sum(p) else float("nan")


def calibration_intercept(y: ArrayLike, p: ArrayLike) -> float:
    """Return calibration-in-the-large: by how much log-odds the risks are too low on the whole; 0 is perfect.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk.

    Returns
    -------
    float
        Intercept of a logistic regression of the outcome with the risk's log-odds as offset, that is with slope 1. NaN
        where one class is absent.

    References
    ----------
    Van Calster B et al. Calibration: the Achilles heel of predictive analytics. doi:10.1186/s12916-019-1466-7

    Examples
    --------
    Half have the event, all were given 20 %: log-odds 0 against log(1/4).

    >>> round(calibration_intercept([1, 0], [0.2, 0.2]), 6)
    1.386294
    """
    y, p = as_probabilities(y, p)
    lp = log_odds(p)
    return float(fit_logistic(np.ones((len(y), 1)), y, offset=lp)[0])


def calibration_slope(y: ArrayLike, p: ArrayLike) -> float:
    """Return how far the risks' spread is right: below 1 they are too extreme, above 1 too timid.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk.

    Returns
    -------
    float
        Slope of a logistic regression of the outcome on the risk's log-odds, with free intercept. NaN where it has no
        finite value: one class only, one risk only, or risks that separate the outcomes.

    References
    ----------
    Cox DR. Two further applications of a model for binary regression. doi:10.1093/biomet/45.3-4.562

    Examples
    --------
    Given 0.2 and 0.8, a third and two thirds have the event: log 4 per log 16 of log-odds.

    >>> round(calibration_slope([1, 0, 0, 1, 1, 0], [0.2, 0.2, 0.2, 0.8, 0.8, 0.8]), 6)
    0.5
    """
    y, p = as_probabilities(y, p)
    design = np.column_stack([np.ones(len(y)), log_odds(p)])
    return float(fit_logistic(design, y)[1])


def calibration_summary(y: ArrayLike, p: ArrayLike, *, level: float, patients: ArrayLike | None = None) -> pl.DataFrame:
    """Return calibration-in-the-large, slope and O:E, each with standard errors and intervals.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk.
    level : float
        Confidence level of the limits.
    patients : array of shape (n_recordings,) or None
        The patient of each recording. None: every recording is a patient of its own.

    Returns
    -------
    DataFrame with columns metric, estimate, se, lower, upper, clustered_se, clustered_lower, clustered_upper, note
        One row for calibration_intercept, calibration_slope and oe_ratio. First what the model tells of independent
        recordings; then what holds where recordings of a patient resemble one another (null without `patients`).
        O:E's standard errors are those of its logarithm. Limits are null, and the note says why, where fewer than 10
        patients have the event, or a recording without it.

    Notes
    -----
    Limits are Wald's: of the coefficients; of log O:E, whose variance is (1 − prevalence)/O for independent recordings
    [1]_. Clustered ones rest on scores, or on y − O:E × p, summed by patient.

    References
    ----------
    .. [1] Debray TPA et al. A framework for meta-analysis of prediction model studies with binary and time-to-event
       outcomes. doi:10.1177/0962280218785504

    Examples
    --------
    Half of 40 have the event, all were given 20 %. The variance of the log-odds is 1/20 + 1/20.

    >>> found = calibration_summary([0, 1] * 20, [0.2] * 40, level=0.95).row(0, named=True)
    >>> found["metric"], round(found["estimate"], 6), round(found["se"] ** 2, 6)
    ('calibration_intercept', 1.386294, 0.1)
    """
    y, p = as_probabilities(y, p)
    unit = np.arange(len(y)) if patients is None else units(patients)
    order = in_order(y, p, None if patients is None else unit)
    y, p, unit = y[order], p[order], unit[order]
    z = float(ndtri((1 + level) / 2)) if enough_patients(y, unit) else float("nan")
    rows = []
    for metric, estimate, naive, clustered in _coefficients(y, p, unit):
        logarithmic = metric == "oe_ratio"
        errors = {"": naive, "clustered_": clustered if patients is not None else float("nan")}
        row: dict[str, object] = {"metric": metric, "estimate": estimate}
        for prefix, se in errors.items():
            reach = np.array([-z, z]) * se
            limits = estimate * np.exp(reach) if logarithmic else estimate + reach
            row |= {f"{prefix}se": se, f"{prefix}lower": limits[0], f"{prefix}upper": limits[1]}
        row["note"] = UNDEFINED if np.isnan(estimate) else TOO_FEW if np.isnan(z) else None
        rows.append(row)
    return pl.DataFrame(rows, schema_overrides={"note": pl.String}).fill_nan(None)


def _coefficients(y: Floats, p: Floats, unit: NDArray[np.intp]) -> Iterator[tuple[str, float, float, float]]:
    """Yield name, estimate, model-based and clustered standard error of each figure of the summary."""
    lp = log_odds(p)
    ones = np.ones((len(y), 1))
    fits = (("calibration_intercept", ones, lp, 0), ("calibration_slope", np.column_stack([ones, lp]), None, 1))
    for name, design, offset, which in fits:
        beta = fit_logistic(design, y, offset=offset)
        naive, clustered = (
            float(np.sqrt(logistic_covariance(design, beta, y=y, offset=offset, unit=u)[which, which]))
            for u in (None, unit)
        )
        yield name, float(beta[which]), naive, clustered
    ratio, events = oe_ratio(y, p), float(np.sum(y))
    if not events or np.isnan(ratio):
        yield "oe_ratio", ratio, float("nan"), float("nan")
        return
    of_patient = np.bincount(unit, weights=y - ratio * p)
    n = len(of_patient)
    clustered = float(np.sqrt(of_patient @ of_patient * n / max(n - 1, 1))) / events
    yield "oe_ratio", ratio, float(np.sqrt((1 - events / len(y)) / events)), clustered


def calibration_curve(
    y: ArrayLike, p: ArrayLike, *, n_bins: int = 10, patients: ArrayLike | None = None, level: float = 0.95
) -> pl.DataFrame:
    """Return the share that has the event by tenths of risk, and the smoothed share beside it.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk.
    n_bins : int
        Number of groups with about equally many recordings. Equal risks are never parted.
    patients : array of shape (n_recordings,) or None
        The patient of each recording. None: every recording is a patient of its own.
    level : float
        Confidence level of the limits.

    Returns
    -------
    DataFrame with columns n, n_events, predicted, observed, lower, upper, smoothed
        One row per group, by rising risk: recordings, events, mean risk, share with the event and its limits, and the
        smoothed share at the mean risk (the spline of `ici`; null where it can't be fitted).

    Notes
    -----
    The limits are Wilson's of a design effect; see `proportions.shares`.

    Examples
    --------
    >>> calibration_curve([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9], n_bins=2)["observed"].to_list()
    [0.0, 1.0]
    """
    y, p = as_probabilities(y, p)
    unit = np.arange(len(y)) if patients is None else units(patients)
    order = in_order(y, p)
    y, p, unit = y[order], p[order], unit[order]
    group = bins(p, n_bins)
    table = shares(y, group, unit, level=level)
    predicted = np.bincount(group, weights=p)[table["group"]] / table["n"].to_numpy()
    share = smooth(y, p, at=predicted)
    return table.select(
        "n",
        "n_events",
        pl.Series("predicted", predicted),
        "observed",
        "lower",
        "upper",
        pl.Series("smoothed", share if share is not None else [None] * table.height, dtype=pl.Float64),
    )


def bins(p: Floats, n_bins: int) -> NDArray[np.intp]:
    """Return the number of each recording's quantile group, shape (n_recordings,); equal risks share a group."""
    if n_bins < 1:
        msg = f"n_bins must be at least 1; got {n_bins}. Use 10."
        raise StudyError(msg)
    edges = np.unique(np.quantile(p, np.arange(1, n_bins) / n_bins))
    return np.searchsorted(edges, p, side="left")
