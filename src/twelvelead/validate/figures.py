"""All figures of one model, once for the recordings as they are and once for all resamples together."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from twelvelead.validate.calibration import (
    calibration_intercept,
    calibration_slope,
    ici,
    log_odds,
    spline_design,
    weighted_logistic,
)
from twelvelead.validate.discrimination import weighted_auprc, weighted_auroc
from twelvelead.validate.utility import AT_THRESHOLD, weighted_at_threshold

Floats = NDArray[np.float64]
Figures = Callable[[Floats], dict[str, Floats]]
"""From weights of shape (n_resamples, n_recordings) to named values of shape (n_resamples,)."""

SUBGROUP = ("auroc", "brier", "oe_ratio", "calibration_intercept", "calibration_slope")
"""What is estimated in subgroups, which are small."""

MOST_GROUPS = 1000
"""Groups of neighbouring risks that the resampled calibration regressions are fitted on."""


def estimate(y: Floats, p: Floats, *, thresholds: Sequence[float], subgroup: bool) -> dict[str, float]:
    """Return every figure for the recordings as they are, by name; NaN where one is not defined.

    Examples
    --------
    >>> found = estimate(np.array([0.0, 1.0]), np.array([0.2, 0.6]), thresholds=[0.5], subgroup=False)
    >>> found["auroc"], round(found["brier"], 6), found["sensitivity@0.5"]
    (1.0, 0.1, 1.0)
    """
    once = np.ones((1, len(y)))
    found = {name: float(value[0]) for name, value in _simple(y, p, thresholds, once).items()}
    found["calibration_intercept"] = calibration_intercept(y, p)
    found["calibration_slope"] = calibration_slope(y, p)
    if subgroup:
        return {name: found[name] for name in SUBGROUP}
    found["ici"] = ici(y, p)
    return found


def resampled(y: Floats, p: Floats, *, thresholds: Sequence[float], subgroup: bool) -> Figures:
    """Return the function that gives every figure for a chunk of resamples.

    Parameters
    ----------
    y, p : ndarray of shape (n_recordings,)
        Outcome and risk.
    thresholds : sequence of float
        Risks from which one would act.
    subgroup : bool
        Whether to leave out what is not estimated in subgroups.

    Returns
    -------
    callable
        From weights of shape (n_resamples, n_recordings) to a dict of arrays of shape (n_resamples,).

    Notes
    -----
    For calibration-in-the-large, slope and ICI, neighbouring risks are taken together in at most `MOST_GROUPS` groups:
    what that changes is far below the width of an interval, and the time no longer grows with the recordings.
    Everything else, and every estimate, is of single recordings.
    """
    # Sorted once here, the risks need no sorting in any resample.
    order = np.argsort(p, kind="stable")
    y, p = y[order], p[order]
    recalibrated = _recalibration(y, p, with_ici=not subgroup)

    def figures(weights: Floats) -> dict[str, Floats]:
        weights = weights[:, order]
        found = _simple(y, p, thresholds, weights) | recalibrated(weights)
        return {name: found[name] for name in SUBGROUP} if subgroup else found

    return figures


def _simple(y: Floats, p: Floats, thresholds: Sequence[float], weights: Floats) -> dict[str, Floats]:
    found = {"auroc": weighted_auroc(y, p, weights=weights), "auprc": weighted_auprc(y, p, weights=weights)}
    squares, events, expected, n = (weights @ np.column_stack([(y - p) ** 2, y, p, np.ones_like(p)])).T
    prevalence = events / n
    with np.errstate(invalid="ignore", divide="ignore"):
        found["brier"] = squares / n
        found["scaled_brier"] = 1 - squares / n / (prevalence * (1 - prevalence))
        found["oe_ratio"] = events / expected
    for threshold in thresholds:
        counts = weighted_at_threshold(y, p, threshold=threshold, weights=weights)
        found |= {f"{name}@{threshold:g}": counts[name] for name in AT_THRESHOLD}
    return found


def _recalibration(y: Floats, p: Floats, *, with_ici: bool) -> Figures:
    """Return the function for the figures that are logistic regressions on the log-odds; `p` ascending."""
    starts = np.unique(np.linspace(0, len(p), min(len(p), MOST_GROUPS), endpoint=False).astype(int))
    size = np.diff(np.append(starts, len(p))).astype(float)
    lp = np.add.reduceat(log_odds(p), starts) / size
    mean_p = np.add.reduceat(p, starts) / size
    ones = np.ones_like(lp)
    in_the_large = partial(weighted_logistic, ones[:, None], offset=lp)
    on_log_odds = partial(weighted_logistic, np.column_stack([ones, lp]))
    events, whole = np.add.reduceat(y, starts)[None], size[None]
    intercept = in_the_large(events=events, weights=whole)[0]
    slope = on_log_odds(events=events, weights=whole)[0]
    smooth = _ici(p, lp, mean_p, events=events[0], size=size) if with_ici else None

    def figures(weights: Floats) -> dict[str, Floats]:
        total = np.add.reduceat(weights, starts, axis=1)
        events = np.add.reduceat(weights * y, starts, axis=1)
        found = {
            "calibration_intercept": in_the_large(events=events, weights=total, start=intercept)[:, 0],
            "calibration_slope": on_log_odds(events=events, weights=total, start=slope)[:, 1],
        }
        return found | {"ici": smooth(events, total)} if smooth else found

    return figures


def _ici(p: Floats, lp: Floats, mean_p: Floats, *, events: Floats, size: Floats) -> Callable[[Floats, Floats], Floats]:
    """Return the function for the ICI of resamples from events and recordings per group."""
    design = spline_design(p, expit(lp))
    if design is None:
        return lambda _, total: np.full(len(total), np.nan)
    start = weighted_logistic(design, events=events[None], weights=size[None])[0]

    def smooth(events: Floats, total: Floats) -> Floats:
        beta = weighted_logistic(design, events=events, weights=total, start=start)
        gap = np.abs(expit(beta @ design.T) - mean_p)
        out: Floats = np.einsum("bg,bg->b", total, gap) / total.sum(axis=1)
        return out

    return smooth
