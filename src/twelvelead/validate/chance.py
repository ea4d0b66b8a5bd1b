"""Whether a model ranks better than chance: a test whose size holds with several recordings per patient."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from twelvelead.terms import StudyError
from twelvelead.validate.discrimination import as_outcome_and_risk
from twelvelead.validate.resample import units

Floats = NDArray[np.float64]


def chance_z(y: ArrayLike, p: ArrayLike, *, patients: ArrayLike | None = None) -> float:
    """Return by how many standard errors the AUROC is above 0.5, were the outcome no matter of the risk.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk, or any score.
    patients : array of shape (n_recordings,) or None
        Patient of each recording. None: every recording is a patient of its own.

    Returns
    -------
    float
        About standard normal if risk and outcome are independent. 0 where all risks are equal.

    Raises
    ------
    StudyError
        If a class is absent.

    Notes
    -----
    With m events, n non-events and centred midranks r (mean 0), AUROC − ½ = Σ y r / (mn). For patient g let S be the
    sum of its ranks, f the share of its recordings with the event, and f̄ that of all recordings. Then
    Σ y r = Σ (f − f̄) S + Σ W, with W the sum of (y − f)(r − S/k) over the patient's k recordings.

    If outcomes say nothing of the scores, patients with equally many recordings could exchange outcomes: given k, the
    expectation of (f − f̄)² S² is the mean of (f − f̄)² times that of S². So the first term has the variance
    Σ (f − f̄)² k² s², with s² the mean of (S/k)² over patients with about as many recordings (k of 1, 2-3, 4-7, …). If
    all have equally many, that is the permutation variance Σ (f − f̄)² Σ S² / (G − 1) of G patients, whose G/(G − 1) is
    applied. Patients with more recordings may well have more events: that does not matter. W is 0 for patients whose
    recordings have one outcome; others add W², as within a patient neither scores nor outcomes need be exchangeable.

    A mean over all patients stands where the clustered DeLong variance has the squares of the few with the event:
    with few of them, that variance goes up and down with the estimate, and 6 % instead of 5 % of true null
    hypotheses are rejected, with tails so heavy that among a thousand targets some always are.

    References
    ----------
    Hoeffding W. A combinatorial central limit theorem. doi:10.1214/aoms/1177729545
    Obuchowski NA. Nonparametric analysis of clustered ROC curve data. doi:10.2307/2533958

    Examples
    --------
    One recording each: Wilcoxon's test. Σ y r = ½ + 1½ and the variance is (4 · ¼)(5/4)(4/3) = 5/3.

    >>> round(chance_z([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4]), 6)
    1.549193
    """
    y, p = as_outcome_and_risk(y, p)
    if y.min() == y.max():
        msg = f"both classes must occur; got only {int(y[0])} in {len(y)} recordings. Leave this target out."
        raise StudyError(msg)
    unit = np.arange(len(y)) if patients is None else units(patients)
    return z_of_ranks(y, rankdata(p) - (len(p) + 1) / 2, unit)


def z_of_ranks(y: Floats, ranks: Floats, unit: NDArray[np.intp]) -> float:
    """Return `chance_z` for centred midranks and patient numbers from 0."""
    size = np.bincount(unit)
    events = np.bincount(unit, weights=y)
    of_patient = np.bincount(unit, weights=ranks)
    of_events = np.bincount(unit, weights=ranks * y)
    share = events / size
    within = of_events - share * of_patient
    stratum = np.frexp(size)[1]
    squares = np.bincount(stratum, weights=(of_patient / size) ** 2) / np.maximum(np.bincount(stratum), 1)
    n = len(size)
    between = float(np.sum(((share - y.mean()) * size) ** 2 * squares[stratum])) * n / (n - 1)
    variance = between + float(np.sum(within**2))
    return float(of_events.sum() / np.sqrt(variance)) if variance > 0 else 0.0
