"""Whether one model ranks better than another on the same recordings."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from twelvelead.terms import StudyError
from twelvelead.validate.discrimination import auroc_covariance


@dataclass(frozen=True)
class Difference:
    """A paired difference of two AUROCs.

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
    """

    estimate: float
    lower: float
    upper: float
    level: float
    z: float
    p_value: float


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
    if not 0 < level < 1:
        msg = f"level must be in (0, 1); got {level}. Use 0.95."
        raise StudyError(msg)
    auc, covariance = auroc_covariance(y, np.array([first, second], dtype=float), patients=patients)
    estimate = float(auc[0] - auc[1])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    error = float(np.sqrt(max(variance, 0.0)))
    # Rounding leaves some 1e-17 of variance where both models rank alike.
    z = estimate / error if error > 1e-9 else 0.0
    reach = float(ndtri((1 + level) / 2)) * error
    return Difference(estimate, estimate - reach, estimate + reach, level, z, float(2 * ndtr(-abs(z))))
