"""Spikes of a cardiac pacemaker: found on the raw signal, and taken out before anything else is measured."""

import numpy as np
from numpy.typing import NDArray

LOWEST_RATE_HZ = 240.0
_REACH_S = 0.006
_LEAST_MV = 0.1
_MERGE_S = 0.03


def find_spikes(signal: NDArray[np.float32], *, fs: float) -> NDArray[np.intp]:
    """Find pacemaker spikes: deflections that come and go within a few ms in at least two leads at once.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples)
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
    >>> x = np.zeros((2, 500), dtype=np.float32)
    >>> x[:, 250] = 1.0
    >>> find_spikes(x, fs=500).tolist()
    [250]
    """
    reach = max(1, round(_REACH_S * fs))
    if fs < LOWEST_RATE_HZ or signal.shape[1] <= 4 * reach:
        return np.empty(0, dtype=np.intp)
    needed = min(2, len(signal))
    near = _standout(signal, reach)
    # The score can't exceed m(k), so that the costlier rest is done only where enough leads stand out.
    at: NDArray[np.intp] = np.flatnonzero(np.count_nonzero(near > _LEAST_MV, axis=0) >= needed)
    if not at.size:
        return at
    score = near[:, at] - 0.6 * _standout(signal, 2 * reach)[:, at]
    nth = np.partition(score, len(signal) - needed, axis=0)[len(signal) - needed]
    at, nth = at[nth > _LEAST_MV], nth[nth > _LEAST_MV]
    if not at.size:
        return at
    cuts = np.flatnonzero(np.diff(at) > _MERGE_S * fs) + 1
    groups = zip(np.split(at, cuts), np.split(nth, cuts), strict=True)
    spikes = np.array([g[height.argmax()] for g, height in groups], dtype=np.intp)
    return spikes if len(spikes) <= 5 * signal.shape[1] / fs else spikes[:0]  # more than 5/s is noise, not a pacemaker


def remove_spikes(signal: NDArray[np.float32], spikes: NDArray[np.intp], *, fs: float) -> NDArray[np.float32]:
    """Bridge each spike by a straight line over ±10 ms.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples)
        Raw amplitude in mV.
    spikes : ndarray of int, shape (n_spikes,)
        From `find_spikes`.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    ndarray, shape (n_leads, n_samples)
        A copy without spikes; `signal` itself where there are none.
    """
    if not spikes.size:
        return signal
    out = signal.copy()
    half = round(0.010 * fs)
    for spike in spikes:
        a, b = max(spike - half, 0), min(spike + half, signal.shape[1] - 1)
        weight = (np.arange(a, b + 1) - a) / (b - a)
        out[:, a : b + 1] = out[:, [a]] * (1 - weight) + out[:, [b]] * weight
    return out


def _standout(signal: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """Return how far each sample stands out, in one direction, from the two `k` away; 0 where it does not."""
    out = np.zeros_like(signal)
    centre = signal[:, k:-k]
    before, after = centre - signal[:, : -2 * k], centre - signal[:, 2 * k :]
    # Both differences positive: the smaller; both negative: the less negative, turned; otherwise neither exceeds 0.
    upward, downward = np.minimum(before, after), -np.maximum(before, after)
    out[:, k:-k] = np.maximum(np.maximum(upward, downward), 0)
    return out
