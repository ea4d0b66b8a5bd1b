"""What one pass over the samples tells of each lead: extent, rails, standing runs, noise."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twelvelead.signal.kernel import kernel

Floats = NDArray[np.float64]

_MOST_RANKED = 512
"""Samples of a lead, evenly spread, from which percentiles are taken."""
_MOST_BENDS = 120
"""The same for its noise."""
NOISE_STEP_S = 0.004
# White noise of SD s has second differences of SD sqrt(6) s, and a range of about 4 s.
_NOISE_RANGE = 4 / (0.6745 * math.sqrt(6))


class Survey(NamedTuple):
    """One value per lead; NaN where a lead has no sample.

    Parameters
    ----------
    known : ndarray, shape (n_leads,)
        Number of samples that were recorded.
    low, high : ndarray, shape (n_leads,)
        Smallest and largest, mV.
    spread : ndarray, shape (n_leads,)
        From the 1st to the 99th percentile, mV.
    at_rail : ndarray, shape (n_leads,)
        Number of samples that equal `low` or `high`.
    standing : ndarray, shape (n_leads,)
        Most samples in a row with one value.
    noise : ndarray, shape (n_leads,)
        Peak-to-peak size of what changes faster than any wave: the median second difference over 4 ms, to which the
        QRS complexes are too few to matter; mV.
    """

    known: Floats
    low: Floats
    high: Floats
    spread: Floats
    at_rail: Floats
    standing: Floats
    noise: Floats


def survey(samples: NDArray[np.float32], *, fs: float) -> Survey:
    """Describe each lead by its samples.

    Parameters
    ----------
    samples : ndarray of float32, shape (n_samples, n_leads)
        Amplitude in mV; NaN where no sample was recorded.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    Survey

    Examples
    --------
    >>> found = survey(np.array([[0.0], [2.0], [2.0], [1.0]], dtype=np.float32), fs=500)
    >>> float(found.high[0]), float(found.at_rail[0]), float(found.standing[0])
    (2.0, 3.0, 2.0)
    """
    low, high, known, standing = _extent(samples)
    return Survey(
        known.astype(float),
        low.astype(float),
        high.astype(float),
        _rank_ranges(samples, 0.01),
        _count_at(samples, low, high),
        standing.astype(float),
        _noise(samples, max(1, round(NOISE_STEP_S * fs))),
    )


@kernel
def _extent(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Smallest, largest, number of known samples, and the longest run of one value; shape (4, n_leads).

    Counts are kept as float32 beside the samples, so that one instruction serves several leads.
    """
    n, n_leads = x.shape
    one, zero = np.float32(1), np.float32(0)
    low, high, known, longest, run = 0, 1, 2, 3, 4
    s = np.zeros((5, n_leads), dtype=np.float32)
    s[low], s[high] = np.inf, -np.inf
    for t in range(n):
        for k in range(n_leads):
            v = x[t, k]
            s[low, k] = min(s[low, k], v)
            s[high, k] = max(s[high, k], v)
            s[known, k] += one if v == v else zero  # noqa: PLR0124 (NaN is not equal to itself)
    for t in range(1, n):
        for k in range(n_leads):
            stood = s[run, k] + one if x[t, k] == x[t - 1, k] else zero
            s[run, k] = stood
            s[longest, k] = max(s[longest, k], stood)
    for k in range(n_leads):
        if s[known, k] == 0:
            s[low, k], s[high, k] = np.nan, np.nan
        else:
            s[longest, k] += one
    return s[:run]


@kernel
def _count_at(x: NDArray[np.float32], low: NDArray[np.float32], high: NDArray[np.float32]) -> Floats:
    """Count the samples at either limit."""
    n, n_leads = x.shape
    one, zero = np.float32(1), np.float32(0)
    count = np.zeros(n_leads, dtype=np.float32)
    for t in range(n):
        for k in range(n_leads):
            count[k] += one if (x[t, k] == low[k]) | (x[t, k] == high[k]) else zero
    return count.astype(np.float64)


@kernel
def _rank_ranges(x: NDArray[np.float32], share: float) -> Floats:
    """Distance between the samples that `share` of all lie below and above, to the nearest rank."""
    n, n_leads = x.shape
    step = max(1, n // _MOST_RANKED)
    some = np.empty((n + step - 1) // step, dtype=np.float32)
    out = np.full(n_leads, np.nan)
    for k in range(n_leads):
        m = 0
        for t in range(0, n, step):
            some[m] = x[t, k]
            m += 1 if some[m] == some[m] else 0
        if m > 0:
            cut = round(share * (m - 1))
            out[k] = _extreme(some[:m], cut, 1.0) - _extreme(some[:m], cut, -1.0)
    return out


@kernel
def _extreme(values: NDArray[np.float32], rank: int, sign: float) -> float:
    """Return the value that `rank` others exceed (sign 1) or fall short of (sign −1); `rank` is small."""
    top = np.full(rank + 1, -np.inf)
    for value in values:
        v = sign * value
        if v > top[0]:
            j = 0
            while j < rank and top[j + 1] < v:
                top[j] = top[j + 1]
                j += 1
            top[j] = v
    return float(sign * top[0])


@kernel
def _noise(x: NDArray[np.float32], step: int) -> Floats:
    """Robust range of the second differences over `step` samples."""
    n, n_leads = x.shape
    every = max(1, n // _MOST_BENDS)
    out = np.zeros(n_leads)
    bend = np.empty(n // every + 1, dtype=np.float32)
    for k in range(n_leads):
        m = 0
        for t in range(step, n - step, every):
            bend[m] = abs(x[t + step, k] - 2 * x[t, k] + x[t - step, k])
            m += 1 if bend[m] == bend[m] else 0
        if m > 0:
            out[k] = _NOISE_RANGE * np.partition(bend[:m], m // 2)[m // 2]
    return out
