"""Whether the beats have a P wave: never invented, null in atrial fibrillation."""

import math

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.delineate import Mark

Floats = NDArray[np.float64]

LEAST_PROBABILITY = 0.7
"""P waves are reported from this probability; chosen on the same recordings, where 0.6 invents two more."""

# Logistic regression on the 100 odd-numbered recordings of the Lobachevsky database (doi:10.13026/eegm-h675), 12 of
# them annotated without P: leave-one-out area under the curve 0.99. So few absences make this a first estimate.
_INTERCEPT = 1.72
_RESEMBLANCE = 0.47
_LOG_SIGNAL_TO_NOISE = 1.33
_RR_VARIATION = -15.7
_SPREAD_PER_MS = -0.127


def p_probability(*, resemblance: float, signal_to_noise: float, rr_variation: float, spread_ms: float) -> float:
    """Return the probability that the beats have a P wave.

    Parameters
    ----------
    resemblance : float
        Median correlation of single beats with the median P wave.
    signal_to_noise : float
        Size of the median P wave over the scatter of single beats.
    rr_variation : float
        Standard deviation over mean of RR; 0 where unknown.
    spread_ms : float
        Standard deviation of the P wave's position, ms.

    Returns
    -------
    float
        0 to 1; NaN where nothing is known of size or resemblance.

    Examples
    --------
    >>> p_probability(resemblance=0.9, signal_to_noise=6, rr_variation=0.03, spread_ms=2) > 0.95
    True
    >>> p_probability(resemblance=0.4, signal_to_noise=0.6, rr_variation=0.25, spread_ms=15) < 0.05
    True
    """
    logit = (
        _INTERCEPT
        + _RESEMBLANCE * resemblance
        + _LOG_SIGNAL_TO_NOISE * math.log(max(signal_to_noise, 0.05))
        + _RR_VARIATION * min(rr_variation, 0.3)
        + _SPREAD_PER_MS * min(spread_ms, 20.0)
    )
    return 1 / (1 + math.exp(-logit))


def wave_size(beat: Floats, marks: Floats) -> float:
    """Root sum of squares over the leads of the P wave's height over the line joining its ends, mV."""
    a, b = (int(np.nanmedian(marks[m])) for m in (Mark.P_ONSET, Mark.P_OFFSET))
    wave = beat[:, a : max(b, a + 3) + 1]
    line = np.linspace(0, 1, wave.shape[1])
    height = np.abs(wave - wave[:, :1] * (1 - line) - wave[:, -1:] * line).max(axis=1)
    return float(np.sqrt((height**2).sum()))
