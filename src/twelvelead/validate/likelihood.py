"""Whether a larger model fits the same recordings better than chance allows: the likelihood-ratio test."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, xlog1py, xlogy

from twelvelead.terms import StudyError
from twelvelead.validate.discrimination import as_outcome_and_risk

ROUNDING = 1e-6
"""By how much a larger model's log-likelihood may be below the smaller one's: fits stop a little short of the top."""


@dataclass(frozen=True)
class Fit:
    """A model fitted by maximum likelihood, as it describes the recordings that it was fitted to.

    Parameters
    ----------
    y : array of shape (n_recordings,)
        1 event, 0 none.
    p : array of shape (n_recordings,)
        Fitted risks of the same recordings.
    n_parameters : int
        Coefficients that were fitted, the intercept included.
    """

    y: ArrayLike
    p: ArrayLike
    n_parameters: int


@dataclass(frozen=True)
class LikelihoodRatio:
    """Twice the gain in log-likelihood, with its degrees of freedom and p value."""

    statistic: float
    degrees_of_freedom: int
    p_value: float


def likelihood_ratio_test(base: Fit, new: Fit) -> LikelihoodRatio:
    """Return how surprising the larger model's better fit would be if what it adds had no effect.

    Parameters
    ----------
    base, new : Fit
        The smaller model and the larger one that contains it, both fitted without penalty to the same recordings, in
        the same order, one recording per patient.

    Returns
    -------
    LikelihoodRatio

    Raises
    ------
    StudyError
        If the outcomes differ, the number of parameters does not grow, the larger model fits worse, or a fitted risk
        of 0 or 1 is contradicted.

    Notes
    -----
    The difference of the deviances is chi-squared with the added parameters as degrees of freedom (Wilks). This is
    the test of "any effect" that Kerr et al. advise instead of one of NRI or IDI. It holds for maximum likelihood
    only: not for penalised fits, boosted trees, cross-fitted risks, nor several recordings per patient.

    References
    ----------
    Wilks SS. The large-sample distribution of the likelihood ratio. doi:10.1214/aoms/1177732360
    Kerr KF et al. Net reclassification indices: a critical review. doi:10.1097/EDE.0000000000000018

    Examples
    --------
    Half have the event; told apart by one predictor, of four exposed three have it and of four others one.

    >>> y = [1, 1, 1, 0, 1, 0, 0, 0]
    >>> found = likelihood_ratio_test(Fit(y, [0.5] * 8, 1), Fit(y, [0.75] * 4 + [0.25] * 4, 2))
    >>> round(found.statistic, 4), found.degrees_of_freedom, round(found.p_value, 4)
    (2.093, 1, 0.148)
    """
    y, smaller = as_outcome_and_risk(base.y, base.p)
    other, larger = as_outcome_and_risk(new.y, new.p)
    if not np.array_equal(y, other):
        n = int(np.sum(y != other)) if len(y) == len(other) else abs(len(y) - len(other))
        msg = f"both models must be fitted to the same recordings; got {n} outcomes that differ. Align or refit them."
        raise StudyError(msg)
    added = new.n_parameters - base.n_parameters
    if added < 1:
        msg = (
            f"the larger model must have more parameters; got {new.n_parameters}, not above {base.n_parameters}. Swap."
        )
        raise StudyError(msg)
    gain = _log_likelihood(y, larger) - _log_likelihood(y, smaller)
    if gain < -ROUNDING * len(y):
        msg = (
            f"the larger model must fit at least as well; got a log-likelihood lower by {-gain:.6g}. "
            "The models are not nested or not fitted here by maximum likelihood: compare AUROCs instead."
        )
        raise StudyError(msg)
    statistic = max(2 * gain, 0.0)
    return LikelihoodRatio(statistic, added, float(chdtrc(added, statistic)))


def _log_likelihood(y: np.ndarray, p: np.ndarray) -> float:
    total = float(np.sum(xlogy(y, p) + xlog1py(1 - y, -p)))
    if not np.isfinite(total):
        msg = "fitted risks must leave every outcome possible; got one of 0 or 1 that is contradicted. Refit."
        raise StudyError(msg)
    return total
