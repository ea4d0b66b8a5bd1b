"""Whether acting on the risks does more good than harm: net benefit, and the counts behind it."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from twelvelead.terms import StudyError
from twelvelead.validate.risks import as_probabilities

Floats = NDArray[np.float64]

AT_THRESHOLD = ("net_benefit", "sensitivity", "specificity", "ppv", "npv")
"""What is counted at a threshold; a risk at or above it is positive."""


def net_benefit(y: ArrayLike, p: ArrayLike, *, threshold: float, prevalence: float | None = None) -> float:
    """Return the true positives per recording, less the false ones at the exchange rate that the threshold implies.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk.
    threshold : float
        Risk from which one would act, in [0, 1). To act at 10 % is to accept 9 needless actions for a needed one.
    prevalence : float or None
        Share with the event among those whom the model is for, where events were sampled apart from the rest, as in a
        case-control study. None: the share here.

    Returns
    -------
    float
        TP/n − FP/n × threshold/(1 − threshold). Acting on nobody gives 0; no model gives more than the prevalence.

    Raises
    ------
    StudyError
        If the threshold is not in [0, 1), or the prevalence not in (0, 1) or a class absent for it.

    References
    ----------
    Vickers AJ, Elkin EB. Decision curve analysis. doi:10.1177/0272989X06295361

    Examples
    --------
    One true and one false positive among four, acting from 20 %: 1/4 − 1/4 × 1/4.

    >>> net_benefit([1, 0, 0, 1], [0.9, 0.2, 0.1, 0.1], threshold=0.2)
    0.1875
    """
    y, p = as_probabilities(y, p)
    counts = weighted_at_threshold(y, p, threshold=threshold, weights=np.ones((1, len(y))))
    if prevalence is None:
        return float(counts["net_benefit"][0])
    check_prevalence(y, prevalence)
    true_positive = prevalence * counts["sensitivity"][0]
    false_positive = (1 - prevalence) * (1 - counts["specificity"][0])
    return float(true_positive - false_positive * threshold / (1 - threshold))


def decision_curve(
    y: ArrayLike, p: ArrayLike, thresholds: Sequence[float], *, prevalence: float | None = None
) -> pl.DataFrame:
    """Return the net benefit of acting on the risks, on everybody and on nobody, over a range of thresholds.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk.
    thresholds : sequence of float
        Risks from which one would act, each in [0, 1).
    prevalence : float or None
        See `net_benefit`.

    Returns
    -------
    DataFrame with columns threshold, model, all, none
        With intervals, and several models: `decision_curves`.

    Examples
    --------
    >>> decision_curve([1, 0], [0.9, 0.1], [0.5]).rows()
    [(0.5, 0.5, 0.0, 0.0)]
    """
    everyone = np.ones(len(np.asarray(p)))
    rows = [
        (
            t,
            net_benefit(y, p, threshold=t, prevalence=prevalence),
            net_benefit(y, everyone, threshold=t, prevalence=prevalence),
            0.0,
        )
        for t in thresholds
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(("threshold", "model", "all", "none"), pl.Float64), orient="row")


def number_needed_to_screen(y: ArrayLike, p: ArrayLike, *, threshold: float, prevalence: float | None = None) -> float:
    """Return how many positives must be looked at to find one event: one over the positive predictive value.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk.
    threshold : float
        Risk from which one is positive, in [0, 1).
    prevalence : float or None
        See `net_benefit`.

    Returns
    -------
    float
        Infinite where no positive has the event, NaN where nobody is positive.

    Examples
    --------
    >>> number_needed_to_screen([1, 0, 0, 1], [0.9, 0.3, 0.2, 0.1], threshold=0.2)
    3.0
    """
    y, p = as_probabilities(y, p)
    found = weighted_at_threshold(y, p, threshold=threshold, weights=np.ones((1, len(y))))
    if prevalence is None:
        ppv = found["ppv"][0]
    else:
        check_prevalence(y, prevalence)
        true_positive = prevalence * found["sensitivity"][0]
        positive = true_positive + (1 - prevalence) * (1 - found["specificity"][0])
        ppv = true_positive / positive if positive else np.nan
    return float(1 / ppv) if ppv else float("inf")


def weighted_at_threshold(y: Floats, p: Floats, *, threshold: float, weights: Floats) -> dict[str, Floats]:
    """Return everything in `AT_THRESHOLD` for every resample at once.

    Parameters
    ----------
    y, p : ndarray of shape (n_recordings,)
        Outcome and risk.
    threshold : float
        In [0, 1). A risk of exactly 0 is never positive: whoever has none gains nothing, not even from threshold 0.
    weights : ndarray of shape (n_resamples, n_recordings)
        How often each recording was drawn.

    Returns
    -------
    dict of str to ndarray of shape (n_resamples,)
        NaN where a rate has nobody to count, e.g. the positive predictive value where nobody is positive.
    """
    check_thresholds([threshold])
    positive = ((p >= threshold) & (p > 0)).astype(float)
    counts = weights @ np.column_stack([positive * y, positive, y, np.ones_like(y)])
    tp, called, events, n = counts.T
    fp = called - tp
    tn = n - events - fp
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "net_benefit": tp / n - fp / n * threshold / (1 - threshold),
            "sensitivity": tp / events,
            "specificity": tn / (n - events),
            "ppv": tp / called,
            "npv": tn / (n - called),
        }


def check_thresholds(thresholds: Sequence[float]) -> None:
    """Raise `StudyError` unless there are thresholds and all are in [0, 1)."""
    if not len(thresholds):
        msg = "there must be a threshold; got none. Give risks from which one would act."
        raise StudyError(msg)
    for threshold in thresholds:
        if not 0 <= threshold < 1:
            msg = f"threshold must be a risk in [0, 1); got {threshold}. At 1 no harm is too great: choose less."
            raise StudyError(msg)


def check_prevalence(y: Floats, prevalence: float) -> None:
    """Raise `StudyError` unless the prevalence is in (0, 1) and both classes occur."""
    if not 0 < prevalence < 1:
        msg = f"prevalence must be in (0, 1); got {prevalence}. Take it from those whom the model is for."
        raise StudyError(msg)
    if y.min() == y.max():
        msg = f"a given prevalence needs both classes; got only {int(y[0])} in {len(y)} recordings. Leave it out."
        raise StudyError(msg)
