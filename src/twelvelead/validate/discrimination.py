"""How well risks rank those with the event above those without: AUROC, average precision, DeLong's variance."""

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from twelvelead.terms import StudyError

Floats = NDArray[np.float64]


def auroc(y: ArrayLike, p: ArrayLike) -> float:
    """Return the chance that a recording with the event is given a higher risk than one without.

    Parameters
    ----------
    y : array of shape (n_recordings,)
        1 event, 0 none.
    p : array of shape (n_recordings,)
        Predicted risks, or any score.

    Returns
    -------
    float
        Area under the receiver operating characteristic; a tie counts half. NaN where one class is absent.

    References
    ----------
    Hanley JA, McNeil BJ. The meaning and use of the area under a ROC curve. doi:10.1148/radiology.143.1.7063747

    Examples
    --------
    Of four pairs three are ranked right and one is tied.

    >>> auroc([0, 1, 0, 1], [0.1, 0.4, 0.4, 0.8])
    0.875
    """
    y, p = as_outcome_and_risk(y, p)
    return float(weighted_auroc(y, p, weights=np.ones((1, len(y))))[0])


def auprc(y: ArrayLike, p: ArrayLike) -> float:
    """Return the average precision: the mean share of true events among those at least as risky as each event.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk.

    Returns
    -------
    float
        Area under the precision-recall steps, without interpolation; its value by chance is the prevalence. NaN
        where one class is absent.

    References
    ----------
    Davis J, Goadrich M. The relationship between precision-recall and ROC curves. doi:10.1145/1143844.1143874

    Examples
    --------
    The events rank first and third: (1/1 + 2/3) / 2.

    >>> round(auprc([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1]), 4)
    0.8333
    """
    y, p = as_outcome_and_risk(y, p)
    return float(weighted_auprc(y, p, weights=np.ones((1, len(y))))[0])


def roc_curve(y: ArrayLike, p: ArrayLike) -> pl.DataFrame:
    """Return sensitivity and specificity at every risk that occurs, taking a risk at or above it as positive.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk.

    Returns
    -------
    DataFrame with columns threshold, sensitivity, specificity
        From threshold +inf (nobody positive) down to the lowest risk (everybody).

    Raises
    ------
    StudyError
        If one class is absent.

    Examples
    --------
    >>> roc_curve([0, 1], [0.2, 0.7]).rows()
    [(inf, 0.0, 1.0), (0.7, 1.0, 1.0), (0.2, 1.0, 0.0)]
    """
    y, p = as_outcome_and_risk(y, p)
    _need_both_classes(y)
    values, place = np.unique(-p, return_inverse=True)
    events = np.cumsum(np.bincount(place, weights=y))
    rest = np.cumsum(np.bincount(place, weights=1 - y))
    return pl.DataFrame(
        {
            "threshold": np.concatenate([[np.inf], -values]),
            "sensitivity": np.concatenate([[0.0], events / events[-1]]),
            "specificity": np.concatenate([[1.0], 1 - rest / rest[-1]]),
        }
    )


def weighted_auroc(y: Floats, p: Floats, *, weights: Floats) -> Floats:
    """Return the AUROC of every resample at once.

    Parameters
    ----------
    y, p : ndarray of shape (n_recordings,)
        Outcome and risk. Fastest where `p` is already in ascending order.
    weights : ndarray of shape (n_resamples, n_recordings)
        How often each recording was drawn.

    Returns
    -------
    ndarray of shape (n_resamples,)
        NaN where a resample has one class only.
    """
    p, (y, weights) = _ascending(p, y, weights)
    events = weights * y
    rest = weights - events
    starts = np.flatnonzero(np.r_[True, p[1:] != p[:-1]])
    if len(starts) < len(p):
        events = np.add.reduceat(events, starts, axis=1)
        rest = np.add.reduceat(rest, starts, axis=1)
    n_rest = rest.sum(axis=1)
    below = np.cumsum(rest, axis=1)
    below -= rest / 2
    wins = np.einsum("bn,bn->b", events, below)
    with np.errstate(invalid="ignore"):
        out: Floats = wins / (events.sum(axis=1) * n_rest)
    return out


def weighted_auprc(y: Floats, p: Floats, *, weights: Floats) -> Floats:
    """Return the average precision of every resample at once; see `weighted_auroc`."""
    p, (y, weights) = _ascending(p, y, weights)
    y, weights = y[::-1], weights[:, ::-1]
    events = weights * y
    ends = np.flatnonzero(np.r_[p[::-1][1:] != p[::-1][:-1], True])
    found = np.cumsum(events, axis=1)
    called = np.cumsum(weights, axis=1)
    if len(ends) < len(p):
        found, called = found[:, ends], called[:, ends]
    precision = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
    n_events = found[:, -1]
    gained = events if len(ends) == len(p) else np.diff(found, axis=1, prepend=0.0)
    one_class = (n_events == 0) | (n_events == called[:, -1])
    with np.errstate(invalid="ignore"):
        total = np.einsum("bn,bn->b", gained, precision) / n_events
    out: Floats = np.where(one_class, np.nan, total)
    return out


def auroc_covariance(y: ArrayLike, scores: ArrayLike, *, patients: ArrayLike | None = None) -> tuple[Floats, Floats]:
    """Return the AUROCs of several scores on the same recordings, and their covariance, without resampling.

    Parameters
    ----------
    y : array of shape (n_recordings,)
        1 event, 0 none.
    scores : array of shape (n_scores, n_recordings)
        Risks of each model.
    patients : array of shape (n_recordings,) or None
        Patient of each recording. None: every recording is a patient of its own.

    Returns
    -------
    ndarray of shape (n_scores,), ndarray of shape (n_scores, n_scores)
        AUROCs; their covariance.

    Raises
    ------
    StudyError
        If events, or recordings without event, come from fewer than two patients.

    Notes
    -----
    DeLong's placement values; where patients have several recordings their placements are summed by patient, events
    and non-events of one patient being correlated, as Obuchowski wrote it. With one recording per patient the two are
    equal.

    References
    ----------
    DeLong ER et al. Comparing the areas under two or more correlated ROC curves. doi:10.2307/2531595
    Obuchowski NA. Nonparametric analysis of clustered ROC curve data. doi:10.2307/2533958

    Examples
    --------
    >>> auc, cov = auroc_covariance([0, 0, 1, 1], [[0.1, 0.6, 0.5, 0.9]])
    >>> auc.item(), cov.item()
    (0.75, 0.125)
    """
    matrix = np.atleast_2d(np.asarray(scores, dtype=float))
    y, _ = as_outcome_and_risk(y, matrix[0])
    ids = np.arange(len(y)) if patients is None else np.unique(np.asarray(patients), return_inverse=True)[1]
    event = y == 1
    counts = [np.unique(ids[side]).size for side in (event, ~event)]
    if min(counts) < 2:
        msg = (
            "a variance needs events from two patients and non-events from two; "
            f"got {counts[0]} and {counts[1]} patient(s). Leave this target out."
        )
        raise StudyError(msg)
    n_ids = int(ids.max()) + 1
    aucs, sums = [], []
    for score in matrix:
        # Twice the pairs, in whole numbers: their sums are exact, whatever the order of recordings.
        below, above = _pairs(score[event], score[~event])
        pairs = 2.0 * len(below) * len(above)
        auc = float(below.sum() / pairs)
        aucs.append(auc)
        spread = [
            np.bincount(ids[side], weights=won, minlength=n_ids) / (2 * others)
            - auc * np.bincount(ids[side], minlength=n_ids)
            for side, won, others in ((event, below, len(above)), (~event, above, len(below)))
        ]
        sums.append(spread)
    return np.array(aucs), _covariance(np.array(sums), ids=ids, event=event)


def _covariance(sums: Floats, *, ids: NDArray[np.intp], event: NDArray[np.bool_]) -> Floats:
    """Combine patients' sums of placements, shape (n_scores, 2, n_patients), into a covariance of AUROCs."""
    n = np.array([event.sum(), (~event).sum()], dtype=float)
    with_both = [np.unique(ids[event]).size, np.unique(ids[~event]).size]
    cross_factor = (ids.max() + 1) / ids.max()
    out = np.zeros((len(sums), len(sums)))
    for side in (0, 1):
        part = sums[:, side] / n[side]
        out += with_both[side] / (with_both[side] - 1) * part @ part.T
    cross = (sums[:, 0] / n[0]) @ (sums[:, 1] / n[1]).T
    out += cross_factor * (cross + cross.T)
    return out


def _pairs(events: Floats, rest: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Twice the non-events below each event, and twice the events above each non-event; a tie counts once."""
    order_rest, order_events = np.sort(rest), np.sort(events)
    below = np.searchsorted(order_rest, events, "left") + np.searchsorted(order_rest, events, "right")
    not_above = np.searchsorted(order_events, rest, "left") + np.searchsorted(order_events, rest, "right")
    return below, 2 * len(events) - not_above


def as_outcome_and_risk(y: ArrayLike, p: ArrayLike) -> tuple[Floats, Floats]:
    """Return `y` and `p` as float arrays, or raise `StudyError` saying what is wrong with them."""
    outcome = np.asarray(y, dtype=float)
    risk = np.asarray(p, dtype=float)
    if outcome.ndim != 1 or outcome.shape != risk.shape or not len(outcome):
        msg = f"y and p must have one value per recording; got shapes {outcome.shape} and {risk.shape}. Align them."
        raise StudyError(msg)
    if not np.isin(outcome, (0.0, 1.0)).all():
        msg = f"y must be 0 or 1; got {outcome[~np.isin(outcome, (0.0, 1.0))][0]}. Drop unknown outcomes."
        raise StudyError(msg)
    if np.isnan(risk).any():
        msg = f"p must not be NaN; got {int(np.isnan(risk).sum())} of {len(risk)}. Drop them or predict them."
        raise StudyError(msg)
    return outcome, risk


def _need_both_classes(y: Floats) -> None:
    if y.min() == y.max():
        msg = f"both classes must occur; got only {int(y[0])} in {len(y)} recordings. Leave this target out."
        raise StudyError(msg)


def _ascending(p: Floats, y: Floats, weights: Floats) -> tuple[Floats, tuple[Floats, Floats]]:
    if np.all(p[1:] >= p[:-1]):
        return p, (y, weights)
    order = np.argsort(p, kind="stable")
    return p[order], (y[order], weights[:, order])
