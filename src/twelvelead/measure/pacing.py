"""Spikes of a cardiac pacemaker: found on the raw signal, and taken out before anything else is measured."""

import numpy as np
from numpy.typing import NDArray

from twelvelead.signal.kernel import kernel

Signal = NDArray[np.float32]

LOWEST_RATE_HZ = 240.0
_REACH_S = 0.006
_LEAST_MV = 0.1
_MERGE_S = 0.03
_MOST_PER_S = 5  # more is noise, not a pacemaker


def find_spikes(samples: Signal, *, fs: float) -> NDArray[np.intp]:
    """Find pacemaker spikes: deflections that come and go within a few ms in at least two leads at once.

    Parameters
    ----------
    samples : ndarray of float32, shape (n_samples, n_leads)
        Raw amplitude in mV, no missing samples.
    fs : float
        Sampling frequency in Hz. Below 240 Hz spikes are not to be told from R waves, and none is reported.

    Returns
    -------
    ndarray of int, shape (n_spikes,)
        Sample numbers of the spikes.

    Notes
    -----
    Let m(k) be how far a sample stands out from both its neighbours k samples away. A spike narrower than k has
    m(2k) ≈ m(k); a linear peak has m(2k) = 2 m(k), a round one 4 m(k). The spike score m(k) − 0.6 m(2k) is therefore
    positive for spikes alone.

    Examples
    --------
    >>> x = np.zeros((500, 2), dtype=np.float32)
    >>> x[250] = 1.0
    >>> find_spikes(x, fs=500).tolist()
    [250]
    """
    n, n_leads = samples.shape
    reach = max(1, round(_REACH_S * fs))
    if fs < LOWEST_RATE_HZ or n <= 4 * reach:
        return np.empty(0, dtype=np.intp)
    needed = min(2, n_leads)
    # The score can't exceed m(k), so that the costlier rest is done only where enough leads stand out.
    at: NDArray[np.intp] = np.flatnonzero(_leads_standing_out(samples, reach, np.float32(_LEAST_MV)) >= needed)
    at = at[(at >= 2 * reach) & (at < n - 2 * reach)]
    if not at.size:
        return at
    score = _standout(samples, at, reach) - 0.6 * _standout(samples, at, 2 * reach)
    nth = np.partition(score, n_leads - needed, axis=1)[:, n_leads - needed]
    at, nth = at[nth > _LEAST_MV], nth[nth > _LEAST_MV]
    if not at.size:
        return at
    cuts = np.flatnonzero(np.diff(at) > _MERGE_S * fs) + 1
    groups = zip(np.split(at, cuts), np.split(nth, cuts), strict=True)
    spikes = np.array([g[height.argmax()] for g, height in groups], dtype=np.intp)
    return spikes if len(spikes) <= _MOST_PER_S * n / fs else spikes[:0]


def remove_spikes(samples: Signal, spikes: NDArray[np.intp], *, fs: float) -> Signal:
    """Bridge each spike by a straight line over ±10 ms.

    Parameters
    ----------
    samples : ndarray of float32, shape (n_samples, n_leads)
        Raw amplitude in mV.
    spikes : ndarray of int, shape (n_spikes,)
        From `find_spikes`.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    ndarray of float32, shape (n_samples, n_leads)
        A copy without spikes; `samples` itself where there are none.
    """
    if not spikes.size:
        return samples
    out = samples.copy()
    half = round(0.010 * fs)
    for spike in spikes:
        a, b = max(spike - half, 0), min(spike + half, len(samples) - 1)
        weight = ((np.arange(a, b + 1) - a) / (b - a))[:, None]
        out[a : b + 1] = out[a] * (1 - weight) + out[b] * weight
    return out


@kernel
def _leads_standing_out(x: Signal, reach: int, least: np.float32) -> Signal:
    """Count the leads in which each sample stands out from both those `reach` away by more than `least` mV."""
    n, n_leads = x.shape
    out = np.zeros(n, dtype=np.float32)
    one, zero = np.float32(1), np.float32(0)
    for t in range(reach, n - reach):
        count = zero
        for k in range(n_leads):
            before, after = x[t, k] - x[t - reach, k], x[t, k] - x[t + reach, k]
            count += one if (min(before, after) > least) | (max(before, after) < -least) else zero
        out[t] = count
    return out


def _standout(samples: Signal, at: NDArray[np.intp], reach: int) -> Signal:
    """Return how far samples stand out, in one direction, from the two `reach` away; shape (n_at, n_leads)."""
    before, after = samples[at] - samples[at - reach], samples[at] - samples[at + reach]
    upward, downward = np.minimum(before, after), -np.maximum(before, after)
    standout: Signal = np.maximum(np.maximum(upward, downward), 0)
    return standout
