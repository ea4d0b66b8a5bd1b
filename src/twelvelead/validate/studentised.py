"""Intervals of an AUROC, and of a difference of two, that hold with few events and several recordings per patient."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtr, ndtri

from twelvelead.terms import StudyError
from twelvelead.validate.clustered import patient_sums, replicate
from twelvelead.validate.discrimination import as_outcome_and_risk, auroc_covariance
from twelvelead.validate.ranking import rank
from twelvelead.validate.resample import Interval, enough_patients, interval, units

Floats = NDArray[np.float64]

METHODS = ("studentised", "percentile")

TOO_FEW = "not estimable: fewer than 10 patients with, or without, the event"
UNSTABLE = "undefined in more than 5 % of resamples: no interval"
NO_ERROR = "all pairs are ranked right, or wrong, or tied: no standard error, no interval"

NO_VARIANCE = 1e-18
"""Rounding leaves some 1e-34 of variance where two models rank alike; one pair in a billion would leave more."""


@dataclass(frozen=True)
class AurocInterval:
    """An AUROC with its bootstrap interval, and DeLong's beside it.

    Parameters
    ----------
    estimate : float or None
        None where it is not estimable: see `note`.
    lower, upper : float or None
        Limits by the bootstrap; None where there is no interval.
    delong_lower, delong_upper : float or None
        Limits in closed form: cluster-robust DeLong on the scale of log-odds.
    level : float
        Confidence level.
    n_resamples, n_discarded : int
        Resamples drawn, and those in which the AUROC or its standard error does not exist.
    note : str or None
        Why something is missing.
    """

    estimate: float | None
    lower: float | None
    upper: float | None
    delong_lower: float | None
    delong_upper: float | None
    level: float
    n_resamples: int
    n_discarded: int
    note: str | None


@dataclass(frozen=True)
class DeltaAurocInterval(AurocInterval):
    """A paired difference of two AUROCs with its intervals; DeLong's is on the plain scale.

    Parameters
    ----------
    p_value : float or None
        Two-sided, by DeLong's cluster-robust test that there is no difference.
    """

    p_value: float | None


def auroc_interval(  # noqa: PLR0913 (every choice is an argument)
    y: ArrayLike,
    p: ArrayLike,
    *,
    patients: ArrayLike | None,
    level: float,
    n_resamples: int,
    seed: int,
    method: str = "studentised",
    n_threads: int = 1,
) -> AurocInterval:
    """Return the AUROC with an interval that knows who the patients are.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk, or any score.
    patients : array of shape (n_recordings,) or None
        Patient of each recording. None: every recording is a patient of its own.
    level : float
        Confidence level, e.g. 0.95.
    n_resamples, seed : int
        Resamples of whole patients, 1000 or more, and their seed.
    method : {"studentised", "percentile"}
        "percentile" is the field's habit and too narrow with few events.
    n_threads : int
        Threads; the result is the same whatever their number.

    Returns
    -------
    AurocInterval
        Without any number where fewer than `LEAST_PATIENTS` patients have the event, or have a recording without it.

    Raises
    ------
    StudyError
        If outcomes and risks don't fit each other, or a choice can't be carried out.

    Notes
    -----
    In each resample the log-odds of the AUROC, less those of the estimate, are divided by their standard error in that
    resample (see `auroc_covariance`); the quantiles of these take the place of ±1.96 [1]_. Resamples of k patients vary
    as if there were k − 1, so the quantiles are a little further out: those of ±1.96 √(k/(k − 1)), k being the patients
    with the event or those without, whichever are fewer [2]_.

    A resample in which no pair is ranked wrong has log-odds that are infinite and no standard error. It is taken to
    have half a pair of patients ranked wrong, and a standard error of 1, which is the limit as the last patient ranked
    wrong has ever fewer such pairs. To leave these resamples out would raise the lower limit.

    The percentile interval covers the truth in 80 % instead of 95 % where 10 of 2,000 patients have the event and the
    AUROC is 0.95; this one in 91 %, and in 94 to 96 % with 50 patients or more and an AUROC up to 0.9.

    References
    ----------
    .. [1] Efron B, Tibshirani RJ. An Introduction to the Bootstrap, chapter 12. Chapman & Hall, 1993.
    .. [2] Hesterberg TC. What teachers should know about the bootstrap. doi:10.1080/00031305.2015.1089789

    Examples
    --------
    >>> y, p = np.arange(60) % 2, np.arange(60) % 7
    >>> found = auroc_interval(y, p, patients=None, level=0.95, n_resamples=200, seed=0)
    >>> round(found.estimate, 4), found.lower < found.estimate < found.upper, found.n_discarded
    (0.51, True, 0)
    >>> auroc_interval(y[:19], p[:19], patients=None, level=0.95, n_resamples=200, seed=0).note
    'not estimable: fewer than 10 patients with, or without, the event'
    """
    _check(method, level)
    outcome, risk = as_outcome_and_risk(y, p)
    unit = np.arange(len(outcome)) if patients is None else units(patients)
    if not enough_patients(outcome, unit):
        return AurocInterval(None, None, None, None, None, level, 0, 0, TOO_FEW)
    auroc, covariance = auroc_covariance(outcome, [risk], patients=unit)
    found = replicate(
        [rank(outcome, risk, unit=unit)],
        patient_sums(outcome, unit=unit),
        n_resamples=n_resamples,
        seed=seed,
        with_covariance=method == "studentised",
        n_threads=n_threads,
    )
    estimate, variance = float(auroc[0]), float(covariance[0, 0])
    if method == "percentile":
        limits = interval(found.auroc[:, 0], level=level)
    else:
        spread = np.sqrt(found.covariance[:, 0, 0])
        limits = studentised_auroc(
            (estimate, variance), (found.auroc[:, 0], spread), level=level, n_patients=count_patients(outcome, unit)
        )
    beside = delong_auroc(estimate, variance, level=level)
    note = None if limits.lower is not None else NO_ERROR if beside[0] is None else UNSTABLE
    return AurocInterval(
        estimate,
        limits.lower,
        limits.upper,
        delong_lower=beside[0],
        delong_upper=beside[1],
        level=level,
        n_resamples=limits.n_resamples,
        n_discarded=limits.n_discarded,
        note=note,
    )


def delta_auroc_interval(  # noqa: PLR0913 (every choice is an argument)
    y: ArrayLike,
    new: ArrayLike,
    base: ArrayLike,
    *,
    patients: ArrayLike | None,
    level: float,
    n_resamples: int,
    seed: int,
    method: str = "studentised",
    n_threads: int = 1,
) -> DeltaAurocInterval:
    """Return by how much the new model's AUROC is above the base's on the same recordings, with an interval.

    Parameters
    ----------
    y : array of shape (n_recordings,)
        1 event, 0 none.
    new, base : array of shape (n_recordings,)
        Risks of the two models.
    patients, level, n_resamples, seed, method, n_threads
        As `auroc_interval`. Both models see the same resamples.

    Returns
    -------
    DeltaAurocInterval
        Studentised as `auroc_interval`, but on the plain scale. Two models that rank every pair alike differ by
        0, from 0 to 0.

    Raises
    ------
    StudyError
        As `auroc_interval`.

    Examples
    --------
    >>> y, p = np.arange(60) % 2, np.arange(60) % 7
    >>> same = delta_auroc_interval(y, p, p**3, patients=None, level=0.95, n_resamples=200, seed=0)
    >>> same.estimate, same.lower, same.upper, same.p_value
    (0.0, 0.0, 0.0, 1.0)
    """
    _check(method, level)
    outcome, newer = as_outcome_and_risk(y, new)
    older = as_outcome_and_risk(y, base)[1]
    unit = np.arange(len(outcome)) if patients is None else units(patients)
    if not enough_patients(outcome, unit):
        return DeltaAurocInterval(None, None, None, None, None, level, 0, 0, TOO_FEW, None)
    auroc, covariance = auroc_covariance(outcome, [newer, older], patients=unit)
    found = replicate(
        [rank(outcome, risk, unit=unit) for risk in (newer, older)],
        patient_sums(outcome, unit=unit),
        n_resamples=n_resamples,
        seed=seed,
        with_covariance=method == "studentised",
        n_threads=n_threads,
    )
    estimate, variance = float(auroc[0] - auroc[1]), variance_of_difference(covariance).item()
    values = found.auroc[:, 0] - found.auroc[:, 1]
    if method == "percentile":
        limits = interval(values, level=level)
    else:
        spread = np.sqrt(variance_of_difference(found.covariance))
        limits = studentised_difference(
            (estimate, variance), (values, spread), level=level, n_patients=count_patients(outcome, unit)
        )
    beside = delong_difference(estimate, variance, level=level)
    z = 0.0 if estimate == 0 else estimate / np.sqrt(variance) if variance > 0 else np.inf
    return DeltaAurocInterval(
        estimate,
        limits.lower,
        limits.upper,
        delong_lower=beside[0],
        delong_upper=beside[1],
        level=level,
        n_resamples=limits.n_resamples,
        n_discarded=limits.n_discarded,
        note=UNSTABLE if limits.lower is None else None,
        p_value=float(2 * ndtr(-abs(z))),
    )


def studentised_auroc(
    known: tuple[float, float], resampled: tuple[Floats, Floats], *, level: float, n_patients: tuple[int, int]
) -> Interval:
    """Return the studentised interval of an AUROC on the scale of log-odds; see `auroc_interval`.

    Parameters
    ----------
    known : (float, float)
        AUROC and its variance.
    resampled : (ndarray of shape (n_resamples,), ndarray of shape (n_resamples,))
        AUROC and its standard error in each resample; NaN where there is none.
    level : float
        Confidence level.
    n_patients : (int, int)
        See `count_patients`.
    """
    auroc, variance = known
    values, errors = resampled
    if not 0 < auroc < 1 or variance <= NO_VARIANCE:
        return Interval(None, None, len(values), 0)
    half_a_pair = 0.5 / (n_patients[0] * n_patients[1])
    perfect = (values == 0) | (values == 1)
    held = np.where(perfect, np.clip(values, half_a_pair, 1 - half_a_pair), values)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (logit(held) - logit(auroc)) / np.where(perfect, 1.0, errors / (held * (1 - held)))
    error = float(np.sqrt(variance)) / (auroc * (1 - auroc))
    limits = _from_t((float(logit(auroc)), error), t, level=level, n=min(n_patients))
    if limits.lower is None or limits.upper is None:
        return limits
    return Interval(float(expit(limits.lower)), float(expit(limits.upper)), limits.n_resamples, limits.n_discarded)


def studentised_difference(
    known: tuple[float, float], resampled: tuple[Floats, Floats], *, level: float, n_patients: tuple[int, int]
) -> Interval:
    """Return the studentised interval of a difference of AUROCs, parameters as `studentised_auroc`."""
    estimate, variance = known
    values, errors = resampled
    same = np.abs(values - estimate) < 1e-12
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(same, 0.0, (values - estimate) / errors)
    t[np.isnan(values)] = np.nan
    return _from_t((estimate, float(np.sqrt(variance))), t, level=level, n=min(n_patients))


def count_patients(y: Floats, unit: NDArray[np.intp]) -> tuple[int, int]:
    """Return how many patients have a recording without the event, and how many with it.

    Examples
    --------
    >>> count_patients(np.array([0.0, 1.0, 1.0]), np.array([0, 0, 1]))
    (1, 2)
    """
    return np.unique(unit[y == 0]).size, np.unique(unit[y == 1]).size


def delong_auroc(auroc: float, variance: float, *, level: float) -> tuple[float, float] | tuple[None, None]:
    """Return limits of an AUROC from its variance, symmetric in log-odds so that they stay between 0 and 1.

    Examples
    --------
    Log-odds 0 ± 1.96 × 0.05 / 0.25.

    >>> [round(limit, 4) for limit in delong_auroc(0.5, 0.0025, level=0.95)]
    [0.4032, 0.5968]
    """
    if not 0 < auroc < 1 or variance <= NO_VARIANCE:
        return None, None
    reach = float(ndtri((1 + level) / 2)) * np.sqrt(variance) / (auroc * (1 - auroc))
    return float(expit(logit(auroc) - reach)), float(expit(logit(auroc) + reach))


def delong_difference(estimate: float, variance: float, *, level: float) -> tuple[float, float]:
    """Return limits of a difference of AUROCs from its variance."""
    reach = float(ndtri((1 + level) / 2) * np.sqrt(variance))
    return estimate - reach, estimate + reach


def variance_of_difference(covariance: Floats, *, of: tuple[int, int] = (0, 1)) -> Floats:
    """Return the variance of the difference of two AUROCs from covariances of shape (…, n, n); 0 where it is rounding.

    Examples
    --------
    >>> variance_of_difference(np.array([[0.5, 0.25], [0.25, 1.0]])).item()
    1.0
    """
    i, j = of
    found = covariance[..., i, i] + covariance[..., j, j] - 2 * covariance[..., i, j]
    out: Floats = np.where(found <= NO_VARIANCE, 0.0, found)
    return np.where(np.isnan(found), np.nan, out)


def _check(method: str, level: float) -> None:
    if method not in METHODS:
        msg = f"method must be one of {', '.join(METHODS)}; got {method!r}. Use studentised."
        raise StudyError(msg)
    if not 0 < level < 1:
        msg = f"level must be in (0, 1); got {level}. Use 0.95."
        raise StudyError(msg)


def _from_t(known: tuple[float, float], t: Floats, *, level: float, n: int) -> Interval:
    """Return estimate less quantile times standard error; `n` patients widen the level of the quantiles."""
    estimate, error = known
    further = float(1 - 2 * ndtr(ndtri((1 - level) / 2) * np.sqrt(n / (n - 1))))
    found = interval(t, level=further)
    if found.lower is None or found.upper is None:
        return found
    return Interval(
        estimate - found.upper * error, estimate - found.lower * error, found.n_resamples, found.n_discarded
    )
