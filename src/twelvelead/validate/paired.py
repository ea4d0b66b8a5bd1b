"""Two models' risks for the same recordings, and what every comparison of them by its changes of risk needs."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.special import ndtr

from twelvelead.terms import StudyError
from twelvelead.validate.bootstrap import Bootstrap
from twelvelead.validate.discrimination import as_outcome_and_risk
from twelvelead.validate.resample import interval, resamples, units

Floats = NDArray[np.float64]
Parts = Callable[[Floats], Floats]
"""From sums over recordings, shape (n_sums, n_resamples) or (n_sums,), to figures of the same further shape."""

WARNING = (
    "Not evidence that the new model is better: with an uninformative marker the net reclassification index and the "
    "integrated discrimination improvement are too often positive, and called significant, even in new patients, "
    "wherever the models are not well calibrated (doi:10.1007/s12561-014-9118-0, doi:10.1002/sim.5804). Read the "
    "parts for events and non-events apart, never their sum alone (doi:10.1097/EDE.0000000000000018); judge by the "
    "difference of AUROC, calibration and net benefit."
)
"""To be printed wherever an NRI or an IDI is."""

TOO_FEW = "fewer than 10 patients with, or without, the event: not estimable"


@dataclass(frozen=True)
class Pair:
    """Outcome and two models' risks for the same recordings.

    Parameters
    ----------
    y : array of shape (n_recordings,)
        1 event, 0 none.
    new, base : array of shape (n_recordings,)
        Risks of the model in question and of the one it is to improve on.
    patients : array of shape (n_recordings,) or None
        Patient of each recording. None: every recording is a patient of its own.
    """

    y: ArrayLike
    new: ArrayLike
    base: ArrayLike
    patients: ArrayLike | None = None


@dataclass(frozen=True)
class Figure:
    """A figure with its standard error, its test against 0, and its interval.

    Parameters
    ----------
    estimate : float
        The figure.
    standard_error, z, p_value : float or None
        Closed form, two-sided; None where a test has no sense or patients are too few.
    lower, upper : float or None
        Percentile interval over resampled patients; None where it can't be had.
    """

    estimate: float
    standard_error: float | None
    z: float | None
    p_value: float | None
    lower: float | None
    upper: float | None


def arrays(pair: Pair) -> tuple[Floats, Floats, Floats, NDArray[np.intp]]:
    """Return outcome, new risks, base risks and patient numbers of a pair, each of shape (n_recordings,).

    Raises
    ------
    StudyError
        If lengths differ, a risk is not in [0, 1], or a class of outcome is absent.
    """
    y, new = as_outcome_and_risk(pair.y, pair.new)
    _, base = as_outcome_and_risk(pair.y, pair.base)
    both = np.concatenate([new, base])
    if both.min() < 0 or both.max() > 1:
        wrong = both[(both < 0) | (both > 1)][0]
        msg = f"risks must be in [0, 1]; got {wrong}. Reclassification needs risks, not scores."
        raise StudyError(msg)
    if y.min() == y.max():
        msg = f"both classes must occur; got only {int(y[0])} in {len(y)} recordings. Leave this target out."
        raise StudyError(msg)
    unit = np.arange(len(y)) if pair.patients is None else units(pair.patients)
    if len(unit) != len(y):
        msg = f"patients must be one per recording; got {len(unit)} for {len(y)}. Align them."
        raise StudyError(msg)
    return y, new, base, unit


def standard_errors(y: Floats, change: Floats, unit: NDArray[np.intp], *, form: str) -> list[float | None]:
    """Return standard errors of the mean change in events, of that in non-events, and of their difference.

    Parameters
    ----------
    y, change : ndarray of shape (n_recordings,)
        Outcome; change of risk, or its sign.
    unit : ndarray of int, shape (n_recordings,)
        Number of each recording's patient.
    form : {"pooled", "unpooled", "sample"}
        Squares about 0; about the mean; about the mean, with n − 1.
    """
    parts, variances = [], []
    for side in (1, 0):
        mine = y == side
        centre = 0.0 if form == "pooled" else float(np.mean(change[mine]))
        by_patient = np.bincount(unit[mine], weights=change[mine] - centre, minlength=int(unit.max()) + 1)
        parts.append(by_patient / mine.sum())
        n = np.unique(unit[mine]).size
        factor = n / (n - 1) if form == "sample" and n > 1 else 1.0
        variances.append(factor * float(np.sum(parts[-1] ** 2)))
    difference = sum(variances) - 2 * float(np.sum(parts[0] * parts[1]))
    return [float(np.sqrt(max(variance, 0.0))) for variance in (*variances, difference)]


def patient_sums(unit: NDArray[np.intp], *columns: Floats) -> Floats:
    """Return the sums of each column by patient, shape (n_columns, n_patients)."""
    return np.array([np.bincount(unit, weights=column) for column in columns])


def figures(
    parts: Parts, sums: Floats, errors: list[float | None], *, enough: bool, choices: Bootstrap
) -> tuple[list[Figure], int]:
    """Return each figure with its test and its interval, and how many resamples gave no value.

    Parameters
    ----------
    parts : callable
        From sums over recordings to the figures.
    sums : ndarray of shape (n_sums, n_patients)
        See `patient_sums`.
    errors : list of float or None, one per figure
        Standard errors; None where a figure has no test.
    enough : bool
        Whether patients suffice for a test and an interval.
    choices : Bootstrap
        How the intervals are made.
    """
    drawn = resamples(np.arange(sums.shape[1]), n_resamples=choices.n_resamples, seed=choices.seed)
    # A sparse product stays on this thread: the many small dense ones, shared out to threads, mostly wait.
    of_patient = csr_array(sums)
    values = np.concatenate([parts(of_patient @ counts.T) for counts in drawn], axis=1)
    limits = [interval(row, level=choices.level) for row in values]
    found = []
    for estimate, error, limit in zip(parts(sums.sum(axis=1)), errors, limits, strict=True):
        if not enough:
            found.append(Figure(float(estimate), None, None, None, None, None))
            continue
        z, p_value = (None, None) if error is None else _test(float(estimate), error)
        found.append(Figure(float(estimate), error, z, p_value, limit.lower, limit.upper))
    return found, max(limit.n_discarded for limit in limits)


def _test(estimate: float, error: float) -> tuple[float, float]:
    """Return z and its two-sided p; where nobody moves, rounding leaves some 1e-17 of either."""
    if abs(estimate) < 1e-15:
        return 0.0, 1.0
    z = estimate / error if error > 1e-15 else float(np.copysign(np.inf, estimate))
    return z, float(2 * ndtr(-abs(z)))
