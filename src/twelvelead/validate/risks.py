"""A risk is a probability; a score that only ranks can't be calibrated or acted on."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twelvelead.terms import StudyError
from twelvelead.validate.discrimination import as_outcome_and_risk

Floats = NDArray[np.float64]


def as_probabilities(y: ArrayLike, p: ArrayLike) -> tuple[Floats, Floats]:
    """Return `y` and `p` as float arrays.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcomes, 0 or 1, and risks in [0, 1].

    Raises
    ------
    StudyError
        If lengths differ, an outcome is not 0 or 1, or a risk is NaN or outside [0, 1].

    Examples
    --------
    >>> as_probabilities([0, 1], [0.1, 7])
    Traceback (most recent call last):
    twelvelead.terms.errors.StudyError: p must be a risk in [0, 1]; got 7.0 in 1 of 2. Give risks, not scores.
    """
    outcome, risk = as_outcome_and_risk(y, p)
    wrong = (risk < 0) | (risk > 1)
    if wrong.any():
        msg = f"p must be a risk in [0, 1]; got {risk[wrong][0]} in {int(wrong.sum())} of {len(risk)}. "
        msg += "Give risks, not scores."
        raise StudyError(msg)
    return outcome, risk


def in_order(y: Floats, p: Floats, unit: NDArray[np.intp] | None = None) -> NDArray[np.intp]:
    """Return the places of recordings by patient, risk and outcome: sums are then the same however rows came.

    Examples
    --------
    >>> in_order(np.array([1.0, 0.0, 0.0]), np.array([0.2, 0.2, 0.1])).tolist()
    [2, 1, 0]
    """
    return np.lexsort((y, p) if unit is None else (y, p, unit))
