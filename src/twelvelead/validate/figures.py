"""All figures of one model, once for the recordings as they are and once for all resamples together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from twelvelead.validate.calibration import calibration_intercept, calibration_slope
from twelvelead.validate.clustered import Replicates
from twelvelead.validate.discrimination import auprc, auroc
from twelvelead.validate.logistic import log_odds, weighted_logistic
from twelvelead.validate.ranking import Ranking, rank
from twelvelead.validate.smoothing import ici, spline_design
from twelvelead.validate.utility import AT_THRESHOLD, check_thresholds, weighted_at_threshold

Floats = NDArray[np.float64]

SUBGROUP = ("auroc", "brier", "oe_ratio", "calibration_intercept", "calibration_slope")
"""What is estimated in subgroups, which are small."""

SCREENED = "number_needed_to_screen"

MOST_GROUPS = 256
"""Groups of neighbouring risks that the resampled calibration regressions are fitted on."""


def estimate(y: Floats, p: Floats, *, thresholds: Sequence[float], subgroup: bool) -> dict[str, float]:
    """Return every figure for the recordings as they are, by name; NaN where one is not defined.

    Examples
    --------
    >>> found = estimate(np.array([0.0, 1.0]), np.array([0.2, 0.6]), thresholds=[0.5], subgroup=False)
    >>> found["auroc"], round(found["brier"], 6), found["sensitivity@0.5"], found["number_needed_to_screen@0.5"]
    (1.0, 0.1, 1.0, 1.0)
    """
    sums = np.array([[np.sum(1 - y), np.sum(y), np.sum((y - p) ** 2), np.sum(p)]])
    cells = np.array([[np.sum((y == side) & _is_positive(p, t)) for side in (0, 1)] for t in thresholds])
    found = {name: float(value[0]) for name, value in _of_sums(sums).items()}
    for threshold, called in zip(thresholds, cells, strict=True):
        found |= {name: float(value[0]) for name, value in _at(threshold, sums, called[None]).items()}
    found["auroc"] = auroc(y, p)
    found["calibration_intercept"] = calibration_intercept(y, p)
    found["calibration_slope"] = calibration_slope(y, p)
    if subgroup:
        return {name: found[name] for name in SUBGROUP}
    return found | {"auprc": auprc(y, p), "ici": ici(y, p)}


@dataclass(frozen=True)
class Model:
    """One model's recordings, made ready for `replicate`.

    Parameters
    ----------
    ranking : Ranking
        With a cut at each group of neighbouring risks and at each threshold.
    columns : tuple of ndarray of shape (n_recordings,)
        What is to be summed by patient: squared errors and risks.
    group_cuts : ndarray of int, shape (n_groups,)
        Which cuts are the lower ends of the groups.
    threshold_cuts : ndarray of int, shape (n_thresholds,)
        Which cuts are the thresholds.
    recalibrate : callable
        From events and recordings per group, each of shape (n_resamples, n_groups), to the figures that are logistic
        regressions.
    """

    ranking: Ranking
    columns: tuple[Floats, Floats]
    group_cuts: NDArray[np.intp]
    threshold_cuts: NDArray[np.intp]
    recalibrate: Callable[[Floats, Floats], dict[str, Floats]]


def prepare(y: Floats, p: Floats, *, unit: NDArray[np.intp], thresholds: Sequence[float], subgroup: bool) -> Model:
    """Sort and group a model's recordings, once for all resamples.

    Parameters
    ----------
    y, p : ndarray of shape (n_recordings,)
        Outcome and risk.
    unit : ndarray of int, shape (n_recordings,)
        Number of each recording's patient, from 0.
    thresholds : sequence of float
        Risks from which one would act.
    subgroup : bool
        Whether to leave out what is not estimated in subgroups.

    Notes
    -----
    For calibration-in-the-large, slope and ICI, neighbouring risks are taken together in groups of equal width in
    log-odds, at most `MOST_GROUPS`, each with its mean: no recording is moved by more than 0.15, and the time no longer
    grows with the recordings. Everything else, and every estimate, is of single recordings.
    """
    if len(thresholds):
        check_thresholds(thresholds)
    lp = log_odds(p)
    width = max((lp.max() - lp.min()) / MOST_GROUPS, 1e-9)
    group = np.unique(np.floor((lp - lp.min()) / width), return_inverse=True)[1]
    lowest = np.full(int(group.max()) + 1, np.inf)
    np.minimum.at(lowest, group, p)
    cuts = np.concatenate([lowest, [_least_positive(t) for t in thresholds]])
    order = np.argsort(cuts, kind="stable")
    place = np.argsort(order, kind="stable")
    return Model(
        ranking=rank(y, p, unit=unit, cuts=cuts[order]),
        columns=((y - p) ** 2, p),
        group_cuts=place[: len(lowest)],
        threshold_cuts=place[len(lowest) :],
        recalibrate=_recalibration(y, p, group=group, with_ici=not subgroup),
    )


def resampled(model: Model, found: Replicates, which: int, *, thresholds: Sequence[float]) -> dict[str, Floats]:
    """Return every figure of a model in every resample, by name, each of shape (n_resamples,).

    Parameters
    ----------
    model : Model
    found : Replicates
        Whose sums are of `patient_sums` with the columns of all models, one model after the other.
    which : int
        Number of the model in `found`.
    thresholds : sequence of float
        As in `prepare`.
    """
    columns = 2 + which * len(model.columns)
    sums = np.hstack([found.sums[:, :2], found.sums[:, columns : columns + len(model.columns)]])
    values = _of_sums(sums)
    values["auroc"], values["auprc"] = found.auroc[:, which], found.auprc[:, which]
    below = found.at_cuts[which].astype(float)
    for threshold, cut in zip(thresholds, model.threshold_cuts, strict=True):
        values |= _at(threshold, sums, sums[:, :2] - below[:, :, cut])
    by_group = np.diff(below[:, :, model.group_cuts], append=sums[:, :2, None], axis=2)
    return values | model.recalibrate(by_group[:, 1], by_group.sum(axis=1))


def _is_positive(p: Floats, threshold: float) -> NDArray[np.bool_]:
    return p >= _least_positive(threshold)


def _least_positive(threshold: float) -> float:
    """Return the least risk that is positive: a risk of exactly 0 never is."""
    return max(threshold, float(np.nextafter(0, 1)))


def _of_sums(sums: Floats) -> dict[str, Floats]:
    """Figures from others, events, squared errors and risks, shape (n_resamples, 4)."""
    rest, events, squares, expected = sums.T
    n = rest + events
    prevalence = events / n
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "brier": squares / n,
            "scaled_brier": 1 - squares / n / (prevalence * (1 - prevalence)),
            "oe_ratio": events / expected,
        }


def _at(threshold: float, sums: Floats, called: Floats) -> dict[str, Floats]:
    """Figures at a threshold from others and events that are positive, shape (n_resamples, 2)."""
    # Four cells instead of recordings: false and true positives, true and false negatives.
    cells = np.hstack([called, sums[:, :2] - called])
    y, p = np.array([0.0, 1.0, 0.0, 1.0]), np.array([1.0, 1.0, 0.0, 0.0])
    values = weighted_at_threshold(y, p, threshold=threshold, weights=cells)
    found = {f"{name}@{threshold:g}": values[name] for name in AT_THRESHOLD}
    with np.errstate(divide="ignore"):
        return found | {f"{SCREENED}@{threshold:g}": 1 / values["ppv"]}


def _recalibration(
    y: Floats, p: Floats, *, group: NDArray[np.intp], with_ici: bool
) -> Callable[[Floats, Floats], dict[str, Floats]]:
    """Return the function for the figures that are logistic regressions on the log-odds."""
    size = np.bincount(group).astype(float)
    lp, mean_p = (np.bincount(group, weights=x) / size for x in (log_odds(p), p))
    ones = np.ones_like(lp)
    in_the_large = partial(weighted_logistic, ones[:, None], offset=lp)
    on_log_odds = partial(weighted_logistic, np.column_stack([ones, lp]))
    events: Floats = np.bincount(group, weights=y).astype(float)[None]
    intercept = in_the_large(events=events, weights=size[None])[0]
    slope = on_log_odds(events=events, weights=size[None])[0]
    design = spline_design(p, expit(lp)) if with_ici else None
    start = weighted_logistic(design, events=events, weights=size[None])[0] if design is not None else None

    def figures(events: Floats, total: Floats) -> dict[str, Floats]:
        found = {
            "calibration_intercept": in_the_large(events=events, weights=total, start=intercept)[:, 0],
            "calibration_slope": on_log_odds(events=events, weights=total, start=slope)[:, 1],
        }
        if not with_ici:
            return found
        if design is None:
            return found | {"ici": np.full(len(total), np.nan)}
        beta = weighted_logistic(design, events=events, weights=total, start=start)
        gap = np.abs(expit(beta @ design.T) - mean_p)
        return found | {"ici": np.einsum("bg,bg->b", total, gap) / total.sum(axis=1)}

    return figures
