"""Whether acting on the risks does more good than harm: net benefit, and the counts behind it."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from twelvelead.terms import StudyError
from twelvelead.validate.discrimination import as_outcome_and_risk

Floats = NDArray[np.float64]

AT_THRESHOLD = ("net_benefit", "sensitivity", "specificity", "ppv", "npv")
"""What is counted at a threshold; a risk at or above it is positive."""


def net_benefit(y: ArrayLike, p: ArrayLike, *, threshold: float) -> float:
    """Return the true positives per recording, less the false ones at the exchange rate that the threshold implies.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk.
    threshold : float
        Risk from which one would act, in [0, 1). To act at 10 % is to accept 9 needless actions for a needed one.

    Returns
    -------
    float
        TP/n − FP/n × threshold/(1 − threshold). Acting on nobody gives 0.

    Raises
    ------
    StudyError
        If the threshold is not in [0, 1).

    References
    ----------
    Vickers AJ, Elkin EB. Decision curve analysis. doi:10.1177/0272989X06295361

    Examples
    --------
    One true and one false positive among four, acting from 20 %: 1/4 − 1/4 × 1/4.

    >>> net_benefit([1, 0, 0, 1], [0.9, 0.2, 0.1, 0.1], threshold=0.2)
    0.1875
    """
    y, p = as_outcome_and_risk(y, p)
    counts = weighted_at_threshold(y, p, threshold=threshold, weights=np.ones((1, len(y))))
    return float(counts["net_benefit"][0])


def decision_curve(y: ArrayLike, p: ArrayLike, thresholds: Sequence[float]) -> pl.DataFrame:
    """Return the net benefit of acting on the risks, on everybody and on nobody, over a range of thresholds.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk.
    thresholds : sequence of float
        Risks from which one would act, each in [0, 1).

    Returns
    -------
    DataFrame with columns threshold, model, all, none

    Examples
    --------
    >>> decision_curve([1, 0], [0.9, 0.1], [0.5]).rows()
    [(0.5, 0.5, 0.0, 0.0)]
    """
    rows = [
        (t, net_benefit(y, p, threshold=t), net_benefit(y, np.ones(len(np.asarray(p))), threshold=t), 0.0)
        for t in thresholds
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(("threshold", "model", "all", "none"), pl.Float64), orient="row")


def weighted_at_threshold(y: Floats, p: Floats, *, threshold: float, weights: Floats) -> dict[str, Floats]:
    """Return everything in `AT_THRESHOLD` for every resample at once.

    Parameters
    ----------
    y, p : ndarray of shape (n_recordings,)
        Outcome and risk.
    threshold : float
        In [0, 1).
    weights : ndarray of shape (n_resamples, n_recordings)
        How often each recording was drawn.

    Returns
    -------
    dict of str to ndarray of shape (n_resamples,)
        NaN where a rate has nobody to count, e.g. the positive predictive value where nobody is positive.
    """
    if not 0 <= threshold < 1:
        msg = f"threshold must be a risk in [0, 1); got {threshold}. At 1 no harm is too great: choose less."
        raise StudyError(msg)
    positive = (p >= threshold).astype(float)
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
