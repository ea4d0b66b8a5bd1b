"""The signal made ready: spikes out, wander off, at 500 Hz for amplitudes and at 250 Hz for finding things."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure import pacing
from twelvelead.signal.filter import bridge_gaps, exact_rate, filter_bands
from twelvelead.signal.kernel import kernel
from twelvelead.signal.recording import Recording

Signal = NDArray[np.float32]

FS = 500.0
"""Rate in Hz at which waves are measured, or as near to it as `exact_rate` comes."""
WANDER_HZ = 0.4
"""Below this it is wander: half an octave under the slowest heart, without phase shift, so that ST stays level [AHA I,
doi:10.1161/CIRCULATIONAHA.106.180200, allows 0.67 Hz]."""
STEP = 2
"""`smooth` has every second sample of `whole`."""

_BLOCK = 16  # samples of 500 Hz, whose means are the signal that wander is looked for in
_PAD_S = 2.0
_FEW = 16  # blocks: half a second
# Three running means of 10 ms on one another: 40 Hz is halved, 100 Hz and its multiples are gone.
_WEIGHTS = tuple(np.float32(w / 125) for w in (19, 18, 15, 10, 6, 3, 1))  # the middle one, then those to either side


@dataclass(frozen=True, eq=False)
class Conditioned:
    """One recording's usable leads, time-major.

    Parameters
    ----------
    whole : ndarray of float32, shape (n_samples, n_leads)
        Amplitude in mV without spikes and wander, at `fs`.
    smooth : ndarray of float32, shape (n_samples / 2, n_leads)
        The same to about 40 Hz, at `fs` / 2.
    independent : tuple of int
        The leads that are not sums of others: all but III, aVR, aVL and aVF where I and II are there.
    guide : ndarray of float32, shape (n_samples / 2, n_independent)
        `smooth` of these leads: enough to find and align beats and waves.
    fs : float
        Hz, 500 or nearly so.
    spikes_s : ndarray, shape (n_spikes,)
        Pacemaker spikes, s from the start.
    wander_mv : ndarray, shape (n_leads,)
        Standard deviation of what was taken away as wander.
    """

    whole: Signal
    smooth: Signal
    independent: tuple[int, ...]
    guide: Signal
    fs: float
    spikes_s: NDArray[np.float64]
    wander_mv: NDArray[np.float64]


def condition(recording: Recording, leads: tuple[str, ...]) -> Conditioned:
    """Take spikes and wander out of the leads that are to be measured.

    Parameters
    ----------
    recording : Recording
        Any rate; gaps are bridged by straight lines.
    leads : tuple of str
        The leads wanted.

    Returns
    -------
    Conditioned
    """
    samples = np.ascontiguousarray(recording.signal.T)
    if leads != recording.leads:
        samples = np.ascontiguousarray(samples[:, [recording.leads.index(lead) for lead in leads]])
    if np.isnan(samples.sum()):
        samples = np.ascontiguousarray(bridge_gaps(samples.T).T)
    spikes = pacing.find_spikes(samples, fs=recording.fs)
    samples = pacing.remove_spikes(samples, spikes, fs=recording.fs)
    fs = exact_rate(recording.fs, FS)
    if fs != recording.fs:
        (resampled,) = filter_bands(samples.T, fs=recording.fs, bands=[(0, math.inf, FS)])
        samples = np.ascontiguousarray(resampled.T)
    wander = _wander(samples, fs=fs)
    whole = _subtract(samples, wander, _BLOCK)
    smooth = _every_second(whole)
    independent = _independent(leads)
    guide = np.ascontiguousarray(smooth[:, independent])
    return Conditioned(whole, smooth, independent, guide, fs, spikes / recording.fs, _spread(wander))


def low_pass(signal: Signal, *, fs: float, high_hz: float) -> Signal:
    """Smooth with a zero-phase Butterworth response, 1 / (1 + (f/f_c)⁴).

    Parameters
    ----------
    signal : ndarray of float32, shape (n_samples, n_leads)
        mV.
    fs, high_hz : float
        Sampling frequency and cut-off, where the amplitude is halved, in Hz.

    Returns
    -------
    ndarray of float32, shape (n_samples, n_leads)
    """
    b0, a1, a2 = _butterworth(high_hz / fs)
    smoothed: Signal = _both_ways(signal, b0, a1, a2)
    return smoothed


def _independent(leads: tuple[str, ...]) -> tuple[int, ...]:
    derived = {"III", "aVR", "aVL", "aVF"} if {"I", "II"} <= set(leads) else set()
    return tuple(k for k, lead in enumerate(leads) if lead not in derived)


def _wander(samples: Signal, *, fs: float) -> Signal:
    """Estimate what changes slower than `WANDER_HZ`, one value per block and lead."""
    blocks = _block_means(samples, _BLOCK)
    pad = min(math.ceil(_PAD_S * fs / _BLOCK), len(blocks) - 1)
    b0, a1, a2 = _butterworth(WANDER_HZ * _BLOCK / fs)
    slow: Signal = _both_ways(_reflect(blocks, pad), b0, a1, a2)
    return slow[pad : pad + len(blocks)]


def _butterworth(cut: float) -> tuple[float, float, float]:
    """Coefficients of the second-order low-pass with its cut-off at `cut` cycles per sample: b0, a1, a2."""
    k = math.tan(math.pi * min(cut, 0.499))
    norm = 1 + math.sqrt(2) * k + k * k
    return k * k / norm, 2 * (k * k - 1) / norm, (1 - math.sqrt(2) * k + k * k) / norm


@kernel
def _spread(x: Signal) -> NDArray[np.float64]:
    """Return the standard deviation of each column."""
    n, n_leads = x.shape
    total, squares = np.zeros(n_leads), np.zeros(n_leads)
    for k in range(n_leads):
        for t in range(n):
            total[k] += x[t, k]
        for t in range(n):
            squares[k] += (x[t, k] - total[k] / n) ** 2
    deviation: NDArray[np.float64] = np.sqrt(squares / n)
    return deviation


@kernel
def _block_means(x: Signal, size: int) -> Signal:
    """Means of `size` samples each, the last block what is left; shape (n_blocks, n_leads)."""
    n, n_leads = x.shape
    n_blocks = max(1, n // size)
    out = np.zeros((n_blocks, n_leads), dtype=np.float32)
    for b in range(n_blocks):
        first = b * size
        last = n if b == n_blocks - 1 else first + size
        for t in range(first, last):
            for k in range(n_leads):
                out[b, k] += x[t, k]
        share = np.float32(1) / np.float32(last - first)
        for k in range(n_leads):
            out[b, k] *= share
    return out


@kernel
def _reflect(x: Signal, pad: int) -> Signal:
    """Continue both ends by odd reflection that fades to nothing, so that a slope at the edge stays a slope.

    Reflected is about the median of the outermost half second: the very first block may hold a QRS complex.
    """
    n, n_leads = x.shape
    few = min(_FEW, n)
    out = np.empty((n + 2 * pad, n_leads), dtype=np.float32)
    out[pad : pad + n] = x
    for k in range(n_leads):
        start, end = np.median(x[:few, k]), np.median(x[n - few :, k])
        for j in range(1, pad + 1):
            fade = 0.5 + 0.5 * math.cos(math.pi * j / (pad + 1))
            out[pad - j, k] = start + (start - x[j, k]) * fade
            out[pad + n - 1 + j, k] = end + (end - x[n - 1 - j, k]) * fade
    return out


@kernel
def _both_ways(x: Signal, b0: float, a1: float, a2: float) -> Signal:
    """Run a second-order low-pass forward and backward, each time begun in the steady state of its first sample."""
    n, n_leads = x.shape
    out = np.empty((n, n_leads), dtype=np.float32)
    s1, s2 = np.empty(n_leads), np.empty(n_leads)
    for k in range(n_leads):
        s1[k] = (1 - b0) * x[0, k]
        s2[k] = (b0 - a2) * x[0, k]
    for t in range(n):
        for k in range(n_leads):
            v = x[t, k]
            y = b0 * v + s1[k]
            s1[k] = 2 * b0 * v - a1 * y + s2[k]
            s2[k] = b0 * v - a2 * y
            out[t, k] = y
    for k in range(n_leads):
        s1[k] = (1 - b0) * out[n - 1, k]
        s2[k] = (b0 - a2) * out[n - 1, k]
    for t in range(n - 1, -1, -1):
        for k in range(n_leads):
            v = out[t, k]
            y = b0 * v + s1[k]
            s1[k] = 2 * b0 * v - a1 * y + s2[k]
            s2[k] = b0 * v - a2 * y
            out[t, k] = y
    return out


@kernel
def _subtract(x: Signal, wander: Signal, size: int) -> Signal:
    """Take the wander off, by straight lines between the middles of its blocks."""
    n, n_leads = x.shape
    out = np.empty((n, n_leads), dtype=np.float32)
    last = len(wander) - 1
    for t in range(n):
        at = min(max((t - 0.5 * (size - 1)) / size, 0.0), float(last))
        b = min(int(at), max(last - 1, 0))
        part = np.float32(at - b)
        after = min(b + 1, last)
        for k in range(n_leads):
            out[t, k] = x[t, k] - (wander[b, k] + part * (wander[after, k] - wander[b, k]))
    return out


@kernel
def _every_second(x: Signal) -> Signal:
    """Smooth by `_WEIGHTS` and keep every second sample; the ends are continued level.

    The sum is written out so that it stays in registers, which makes it four times as fast as a loop over the weights.
    """
    n, n_leads = x.shape
    out = np.empty(((n + 1) // 2, n_leads), dtype=np.float32)
    w0, w1, w2, w3, w4, w5, w6 = _WEIGHTS
    for i in range(len(out)):
        t = 2 * i
        a1, a2, a3, a4, a5, a6 = t - 1, t - 2, t - 3, t - 4, t - 5, t - 6
        b1, b2, b3, b4, b5, b6 = t + 1, t + 2, t + 3, t + 4, t + 5, t + 6
        if a6 < 0 or b6 >= n:
            a1, a2, a3, a4, a5, a6 = max(a1, 0), max(a2, 0), max(a3, 0), max(a4, 0), max(a5, 0), max(a6, 0)
            b1, b2, b3 = min(b1, n - 1), min(b2, n - 1), min(b3, n - 1)
            b4, b5, b6 = min(b4, n - 1), min(b5, n - 1), min(b6, n - 1)
        for k in range(n_leads):
            near = w0 * x[t, k] + w1 * (x[a1, k] + x[b1, k]) + w2 * (x[a2, k] + x[b2, k]) + w3 * (x[a3, k] + x[b3, k])
            out[i, k] = near + w4 * (x[a4, k] + x[b4, k]) + w5 * (x[a5, k] + x[b5, k]) + w6 * (x[a6, k] + x[b6, k])
    return out
