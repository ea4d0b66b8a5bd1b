"""Whether one model ranks better than another on the same recordings, or one model here better than there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from twelvelead.terms import StudyError
from twelvelead.validate.discrimination import auroc_covariance


@dataclass(frozen=True)
class Difference:
    """A difference of two AUROCs.

    Parameters
    ----------
    estimate : float
        First minus second.
    lower, upper : float
        Confidence limits.
    level : float
        Confidence level.
    z : float
        Estimate in standard errors; 0 where the two rank every pair alike.
    p_value : float
        Two-sided, of the hypothesis that there is no difference.
    degrees_of_freedom : float
        Of the t distribution that limits and p value come from; infinite for the normal one.
    """

    estimate: float
    lower: float
    upper: float
    level: float
    z: float
    p_value: float
    degrees_of_freedom: float = float("inf")


def delta_auroc(
    y: ArrayLike, first: ArrayLike, second: ArrayLike, *, patients: ArrayLike | None = None, level: float
) -> Difference:
    """Return by how much the first model's AUROC is above the second's, on the same recordings.

    Parameters
    ----------
    y : array of shape (n_recordings,)
        1 event, 0 none.
    first, second : array of shape (n_recordings,)
        Risks of the two models.
    patients : array of shape (n_recordings,) or None
        Patient of each recording. None: every recording is a patient of its own.
    level : float
        Confidence level in (0, 1).

    Returns
    -------
    Difference
        Closed form, to set beside the bootstrap's: see `auroc_covariance`.

    Raises
    ------
    StudyError
        If the level is not in (0, 1), or there are too few patients.

    Notes
    -----
    For a model and its own extension the test is conservative while neither adds anything: it then finds fewer
    differences than its level says.

    Examples
    --------
    >>> same = delta_auroc([0, 0, 1, 1], [0.1, 0.6, 0.5, 0.9], [1, 6, 5, 9], level=0.95)
    >>> same.estimate, same.p_value
    (0.0, 1.0)
    """
    _check_level(level)
    auc, covariance = auroc_covariance(y, np.array([first, second], dtype=float), patients=patients)
    estimate = float(auc[0] - auc[1])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    error = float(np.sqrt(max(variance, 0.0)))
    # Rounding leaves some 1e-17 of variance where both models rank alike.
    z = estimate / error if error > 1e-9 else 0.0
    reach = float(ndtri((1 + level) / 2)) * error
    return Difference(estimate, estimate - reach, estimate + reach, level, z, float(2 * ndtr(-abs(z))))


@dataclass(frozen=True)
class Sample:
    """Recordings of one database or subgroup, with the outcome and one model's risks.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk.
    patients : array of shape (n_recordings,) or None
        Patient of each recording. None: every recording is a patient of its own.
    """

    y: ArrayLike
    p: ArrayLike
    patients: ArrayLike | None = None


def unpaired_delta_auroc(first: Sample, second: Sample, *, level: float) -> Difference:
    """Return by how much the AUROC of one sample is above that of another one with other patients.

    Parameters
    ----------
    first, second : Sample
        Two samples without a patient in common, as two databases are, or women and men.
    level : float
        Confidence level in (0, 1).

    Returns
    -------
    Difference
        From a t distribution, as the two variances are estimated apart.

    Raises
    ------
    StudyError
        If the level is not in (0, 1), a patient is in both samples, or there are too few patients.

    Notes
    -----
    The variances of `auroc_covariance` add up. The degrees of freedom are Welch's, with patients for recordings:
    (V₁ + V₂)² / (V₁²/(n₁ − 1) + V₂²/(n₂ − 1)).

    References
    ----------
    DeLong ER et al. Comparing the areas under two or more correlated ROC curves. doi:10.2307/2531595
    Welch BL. The generalization of 'Student's' problem. doi:10.1093/biomet/34.1-2.28

    Examples
    --------
    >>> here = Sample([0, 0, 1, 1], [0.1, 0.6, 0.5, 0.9])
    >>> there = Sample([0, 0, 1, 1], [0.9, 0.5, 0.6, 0.1])
    >>> found = unpaired_delta_auroc(here, there, level=0.95)
    >>> found.estimate, found.z, found.degrees_of_freedom
    (0.5, 1.0, 6.0)
    """
    _check_level(level)
    _check_apart(first, second)
    estimates, variances, patients = [], [], []
    for sample in (first, second):
        auc, covariance = auroc_covariance(sample.y, sample.p, patients=sample.patients)
        estimates.append(auc[0])
        variances.append(covariance[0, 0])
        patients.append(
            len(np.asarray(sample.y) if sample.patients is None else np.unique(np.asarray(sample.patients)))
        )
    variance, n = np.array(variances), np.array(patients)
    estimate, error = float(estimates[0] - estimates[1]), float(np.sqrt(variance.sum()))
    if error < 1e-9:
        msg = (
            "an unpaired difference needs AUROCs that vary; "
            f"got {estimates[0]:g} and {estimates[1]:g} with variance 0. Take more patients."
        )
        raise StudyError(msg)
    freedom = float(variance.sum() ** 2 / np.sum(variance**2 / (n - 1)))
    t = estimate / error
    reach = float(stdtrit(freedom, (1 + level) / 2)) * error
    p_value = float(2 * stdtr(freedom, -abs(t)))
    return Difference(estimate, estimate - reach, estimate + reach, level, t, p_value, freedom)


def _check_apart(first: Sample, second: Sample) -> None:
    if first.patients is None or second.patients is None:
        return
    both = np.intersect1d(np.asarray(first.patients), np.asarray(second.patients))
    if len(both):
        msg = (
            f"the samples must have no patient in common; got {len(both)}, first {str(both[0])!r}. "
            "Compare on the same recordings with delta_auroc, or subgroups with subgroup_differences."
        )
        raise StudyError(msg)


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        msg = f"level must be in (0, 1); got {level}. Use 0.95."
        raise StudyError(msg)
