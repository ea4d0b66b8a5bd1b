"""Whether the beats have a P wave and a T wave, and which leads show them: never invented."""

import math

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.delineate import Mark
from twelvelead.measure.rules import median_of
from twelvelead.signal.kernel import kernel

Floats = NDArray[np.float64]

LEAST_PROBABILITY = 0.6
"""P waves are reported from this probability; chosen on the same recordings, where 0.7 loses two more."""

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


LEAST_T_PROBABILITY = 0.5
"""T waves are reported from this probability."""
NOISE_OF_MEDIAN = 0.4
"""Noise left in a median beat, as a share of the scatter of single beats: that of ten beats."""
LEAST_WAVE_MV = 0.010
"""Where a lead is as good as free of noise, a wave half as likely as not has this height."""
_STEEPNESS = 3.0


def wave_probability(heights: Floats, scatter: Floats) -> Floats:
    """Return the probability that a wave stands out of the noise, in each lead; for T, or for one lead's P.

    Parameters
    ----------
    heights : ndarray, shape (n_leads,)
        From `wave_heights`, mV.
    scatter : ndarray, shape (n_leads,)
        Robust standard deviation of single beats about their median, mV; NaN where unknown.

    Returns
    -------
    ndarray, shape (n_leads,)
        One half at twice the noise of the median beat (and at no less than 10 µV), 0.9 at about twice that.

    Notes
    -----
    A rule, not learnt: the cardiologists of the annotated databases leave out T waves next to never.

    Examples
    --------
    >>> wave_probability(np.array([0.2, 0.008, 0.0]), np.full(3, 0.01)).round(2).tolist()
    [1.0, 0.34, 0.0]
    """
    noise = np.where(np.isfinite(scatter), NOISE_OF_MEDIAN * scatter, 0.0)
    ratio = np.abs(heights) / np.maximum(2 * noise, LEAST_WAVE_MV)
    odds = ratio**_STEEPNESS
    probability: Floats = np.where(np.isfinite(odds), odds / (1 + odds), 1.0)
    return probability


def t_probability(heights: Floats, scatter: Floats) -> float:
    """Return the probability that there is a T wave: the leads' heights together against their noise together.

    Parameters
    ----------
    heights, scatter
        As for `wave_probability`.

    Examples
    --------
    Twelve leads that each hardly show a wave show one together.

    >>> t_probability(np.full(12, 0.015), np.full(12, 0.01)) > 0.9
    True
    >>> t_probability(np.full(12, 0.001), np.full(12, 0.01)) < 0.1
    True
    """
    # A sum of squares adds up noise, too: n leads count for as many independent ones only with a wave in most of them.
    size = math.sqrt(float(heights @ heights) / len(heights)) * len(heights) ** 0.25
    known = scatter[np.isfinite(scatter)]
    noise = math.sqrt(float(known @ known) / len(known)) if known.size else math.nan
    return float(wave_probability(np.array([size]), np.array([noise]))[0])


def wave_size(beat: Floats, marks: Floats) -> float:
    """Root sum of squares over the leads of the P wave's height over the line joining its ends, mV."""
    heights = wave_heights(beat, marks[Mark.P_ONSET], marks[Mark.P_OFFSET])
    return float(np.sqrt((heights**2).sum()))


@kernel
def wave_heights(beat: Floats, onsets: Floats, offsets: Floats) -> Floats:
    """Return the height of a wave over the line joining its ends, the ends being the medians of the leads' marks.

    Parameters
    ----------
    beat : ndarray, shape (n_leads, n_window)
        Median beat, mV.
    onsets, offsets : ndarray, shape (n_leads,)
        Marks in samples.

    Returns
    -------
    ndarray, shape (n_leads,)
        The largest deflection with its sign, mV.
    """
    n_leads, n = beat.shape
    a = min(max(int(median_of(onsets)), 0), n - 4)
    b = min(max(int(median_of(offsets)), a + 3), n - 1)
    heights = np.zeros(n_leads)
    for k in range(n_leads):
        rise = (beat[k, b] - beat[k, a]) / (b - a)
        for i in range(a, b + 1):
            height = beat[k, i] - beat[k, a] - rise * (i - a)
            if abs(height) > abs(heights[k]):
                heights[k] = height
    return heights
