"""What no data can go beyond: the smallest p value that an NRI can have, the smallest error of an AUROC."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr


def least_p_of_nri(nri: float, *, n_largest: int, form: str) -> float:
    """Return the smallest two-sided p value that the z test of a net reclassification index can give.

    Parameters
    ----------
    nri : float
        The index, as a sum of shares (not of percent).
    n_largest : int
        Events or non-events, whichever are more. Unknown: all people but one.
    form : {"pooled", "unpooled"}
        Form of the standard error; see `categorical_nri`.

    Returns
    -------
    float
        Of the categorical index and of the continuous one alike.

    Notes
    -----
    Of E events a net go up, of N non-events k net go down: NRI = a/E + k/N. At least |a| and |k| people move, so
    the pooled variance V is at least |a|/E² + |k|/N². Let M = max(E, N). If a and k have one sign, Cauchy and
    Schwarz give NRI² ≤ (|a| + |k|) V, and |a| + |k| ≤ M |NRI|. If they differ, say a < 0 < k, then
    NRI < k/N, V > k/N² ≥ NRI/N, and NRI²/V < N NRI. So z² ≤ M |NRI| in either case.

    Unpooled, the variance is at least x(1 − x)/M + w(1 − w)/M with x = |k|/N, w = |a|/E; as d = |x ± w| =
    |NRI| has d(1 − d) ≤ x(1 − x) + w(1 − w) for either sign, z² ≤ M |NRI| / (1 − |NRI|).

    Examples
    --------
    395 people and an NRI of 0.0153:

    >>> round(least_p_of_nri(0.0153, n_largest=394, form="pooled"), 3)
    0.014
    >>> round(least_p_of_nri(0.0153, n_largest=394, form="unpooled"), 3)
    0.013
    """
    size = abs(nri)
    z_squared = n_largest * size
    if form == "unpooled":
        z_squared = z_squared / (1 - size) if size < 1 else np.inf
    return float(2 * ndtr(-np.sqrt(z_squared)))


def least_error_of_auroc(auroc: float, *, n_events: int, n_nonevents: int) -> float:
    """Return the smallest standard error that an AUROC of different people, no two with one risk, can have.

    Parameters
    ----------
    auroc : float
        Between 0.5 and 1; below 0.5 take 1 − AUROC.
    n_events, n_nonevents : int
        People.

    Returns
    -------
    float

    Notes
    -----
    Without ties an ROC curve R(t) is any non-decreasing function on [0, 1] with area A. DeLong's variance is
    (∫R² − A²)/n + (∫2t(1 − R) − (1 − A)²)/m for m events and n non-events. Point by point, with a multiplier for the
    area, it is least for R(t) = λ + t n/m, cut off at 0 and 1; λ follows from the area.
    Where many people share a risk the error can be smaller.

    References
    ----------
    Birnbaum ZW, Klose OM. Bounds for the variance of the Mann-Whitney statistic. Ann Math Stat 1957;28:933-45.

    Examples
    --------
    With few events this is the least when all of them have about one risk: √(A(1 − A)/n) then.

    >>> round(least_error_of_auroc(0.8, n_events=450, n_nonevents=22950), 4)
    0.0026
    """
    steep = n_nonevents / n_events

    def ends(start: float) -> tuple[float, float]:
        return max(0.0, -start / steep), min(1.0, (1 - start) / steep)

    def area(start: float) -> float:
        low, high = ends(start)
        return start * (high - low) + steep * (high**2 - low**2) / 2 + 1 - high

    start = float(brentq(lambda value: area(value) - auroc, -steep, 1.0, xtol=1e-14))
    low, high = ends(start)
    bottom, top = start + steep * low, start + steep * high
    of_nonevents = (top**3 - bottom**3) / (3 * steep) + 1 - high - auroc**2
    under = start * (high**2 - low**2) / 2 + steep * (high**3 - low**3) / 3 + (1 - high**2) / 2
    of_events = 1 - 2 * under - (1 - auroc) ** 2
    return float(np.sqrt(max(of_nonevents, 0.0) / n_nonevents + max(of_events, 0.0) / n_events))


def usual_error_of_auroc(auroc: float, *, n_events: int, n_nonevents: int) -> float:
    """Return the standard error that an AUROC commonly has, for negative exponential risks.

    Parameters
    ----------
    auroc : float
        Area under the curve.
    n_events, n_nonevents : int
        People.

    References
    ----------
    Hanley JA, McNeil BJ. The meaning and use of the area under a ROC curve. doi:10.1148/radiology.143.1.7063747

    Examples
    --------
    >>> round(usual_error_of_auroc(0.845, n_events=40, n_nonevents=355), 4)
    0.0394
    """
    one, two = auroc / (2 - auroc), 2 * auroc**2 / (1 + auroc)
    spread = (n_events - 1) * (one - auroc**2) + (n_nonevents - 1) * (two - auroc**2)
    return float(np.sqrt((auroc * (1 - auroc) + spread) / (n_events * n_nonevents)))
