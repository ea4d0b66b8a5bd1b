"""How many recordings a model needs before it is worth fitting: the criteria of Riley and colleagues."""

from dataclasses import dataclass
from math import ceil, exp, inf, log, log1p, sqrt

import numpy as np
from scipy.special import expit, ndtri

from twelvelead.terms import StudyError

SHRINKAGE = 0.9
"""The share of a predictor's effect that is left in new patients; less is too much overfitting."""

OPTIMISM = 0.05
"""By how much the apparent R² (Nagelkerke's) may be above the true one."""

MARGIN = 0.05
"""How precisely the overall risk has to be known."""

NODES = 120
"""Points of Gauss and Hermite: the R² of a C-statistic is then right to ten digits."""


@dataclass(frozen=True)
class SampleSize:
    """The least number of recordings, and what asks for it.

    Parameters
    ----------
    shrinkage, optimism, overall_risk : int
        By each criterion.
    """

    shrinkage: int
    optimism: int
    overall_risk: int

    @property
    def n(self) -> int:
        """The least number that meets all three."""
        return max(self.shrinkage, self.optimism, self.overall_risk)


def minimum_sample_size(*, n_parameters: int, prevalence: float, r2: float) -> SampleSize:
    """Return how many recordings a model of a binary outcome needs to be developed on.

    Parameters
    ----------
    n_parameters : int
        Candidate parameters: all that were tried, not only those kept.
    prevalence : float
        Share that has the event, in (0, 1).
    r2 : float
        Anticipated Cox-Snell R² of the model; see `anticipated_r2`.

    Returns
    -------
    SampleSize

    Raises
    ------
    StudyError
        If a number can't be such.

    Notes
    -----
    (i) uniform shrinkage of at least 0.9: n = P / ((S − 1) ln(1 − R²/S)); (ii) apparent Nagelkerke R² at most 0.05 too
    high: the same with S = R² / (R² + 0.05 max R²); (iii) overall risk ± 0.05: n = (1.96/0.05)² φ(1 − φ).
    The criteria are for unpenalised regression of independent recordings: trees need more, and recordings of one
    patient count for less.

    References
    ----------
    Riley RD et al. Minimum sample size for developing a multivariable prediction model: Part II. doi:10.1002/sim.7992

    Examples
    --------
    The paper's own: a diagnostic model for Chagas disease.

    >>> minimum_sample_size(n_parameters=24, prevalence=0.174, r2=0.288)
    SampleSize(shrinkage=623, optimism=662, overall_risk=221)
    """
    most = _most_r2(prevalence)
    if n_parameters < 1 or not 0 < r2 < most:
        msg = (
            f"a model must have parameters, and an R² below the {most:.3f} that this prevalence allows; "
            f"got {n_parameters} and {r2:g}. Count what was tried."
        )
        raise StudyError(msg)
    shrinkages = (SHRINKAGE, r2 / (r2 + OPTIMISM * most))
    first, second = (n_parameters / ((s - 1) * log1p(-r2 / s)) if r2 < s else inf for s in shrinkages)
    third = (float(ndtri(0.975)) / MARGIN) ** 2 * prevalence * (1 - prevalence)
    return SampleSize(ceil(first), ceil(second), ceil(third))


def anticipated_r2(*, auroc: float, prevalence: float) -> float:
    """Return the Cox-Snell R² of a calibrated model with this AUROC, where log-odds are normal in either class.

    Parameters
    ----------
    auroc : float
        In (0.5, 1).
    prevalence : float
        Share that has the event, in (0, 1).

    Returns
    -------
    float

    Raises
    ------
    StudyError
        If a number can't be such.

    Notes
    -----
    With a score N(0, 1) in those without and N(√2 Φ⁻¹(C), 1) in those with the event, the risk is logistic in the score
    and R² = 1 − exp(−2 × gain in mean log-likelihood). The source draws a large sample; here the mean is integrated.

    References
    ----------
    Riley RD et al. A note on estimating the Cox-Snell R² from a reported C statistic. doi:10.1002/sim.8806

    Examples
    --------
    >>> round(anticipated_r2(auroc=0.89, prevalence=0.174), 3)
    0.291
    """
    if not 0.5 < auroc < 1:
        msg = f"auroc must be in (0.5, 1); got {auroc:g}. No sample is enough for a model that tells nothing."
        raise StudyError(msg)
    entropy = _entropy(prevalence)
    apart = sqrt(2) * float(ndtri(auroc))
    z, weights = np.polynomial.hermite_e.hermegauss(NODES)
    weights = weights / weights.sum()
    # Log-odds = log(φ/(1 − φ)) + apart × score − apart²/2.
    start = log(prevalence / (1 - prevalence)) - apart**2 / 2
    with_event = -np.logaddexp(0, -(start + apart * (z + apart)))
    without = np.log(expit(-(start + apart * z)))
    mean = prevalence * (weights @ with_event) + (1 - prevalence) * (weights @ without)
    return 1 - exp(-2 * (float(mean) + entropy))


def _entropy(prevalence: float) -> float:
    """Return minus the mean log-likelihood of the bare prevalence."""
    if not 0 < prevalence < 1:
        msg = f"prevalence must be in (0, 1); got {prevalence:g}. Both outcomes must occur."
        raise StudyError(msg)
    return -(prevalence * log(prevalence) + (1 - prevalence) * log1p(-prevalence))


def _most_r2(prevalence: float) -> float:
    """Return the Cox-Snell R² of a model that knows every outcome."""
    return 1 - exp(-2 * _entropy(prevalence))
