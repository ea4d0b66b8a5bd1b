"""The baseline between T and the next P or QRS: fibrillation waves."""

import math

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.delineate import Mark
from twelvelead.signal.kernel import kernel

Floats = NDArray[np.float64]

_LEAST_S = 0.16
_CLEAR_S = 0.02
_MOST_GAPS = 40
_LOW_HZ, _HIGH_HZ = 4, 9


def f_waves(signal: NDArray[np.float32], marks_s: Floats, *, fs: float) -> tuple[float, float]:
    """Measure the 4–9 Hz activity between T offset and the next P onset (QRS onset where there is no P).

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples)
        Amplitude in mV of the leads to look at, up to about 40 Hz.
    marks_s : ndarray, shape (n_beats, 9)
        Global marks of each beat, s.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    amplitude_mv, share : float
        Root mean square of 4–9 Hz, and its share of the power from 2 Hz; medians over the gaps, the larger of the
        leads. NaN without a gap of 160 ms.

    Notes
    -----
    Each gap, its straight trend taken away, is continued by zeros to 1 s, so that its spectrum has lines at whole Hz.
    The power from 2 Hz is that of the samples (Parseval) less the lines at 0 and 1 Hz.
    """
    amplitude, share = _f_waves(signal, _find_gaps(marks_s), fs)
    return float(amplitude), float(share)


def _find_gaps(marks_s: Floats) -> Floats:
    """Begin and end of each stretch without P, QRS and T, s; shape (n_gaps, 2)."""
    following = marks_s[1:, Mark.P_ONSET]
    ends = np.where(np.isnan(following), marks_s[1:, Mark.QRS_ONSET], following) - _CLEAR_S
    gaps = np.column_stack([marks_s[:-1, Mark.T_OFFSET] + _CLEAR_S, ends])
    return np.ascontiguousarray(gaps[gaps[:, 1] - gaps[:, 0] >= _LEAST_S][:_MOST_GAPS])


@kernel
def _f_waves(signal: NDArray[np.float32], gaps: Floats, fs: float) -> tuple[float, float]:
    """Return the largest median amplitude and the largest median share of the leads."""
    amplitude, share = np.nan, np.nan
    if not len(gaps):
        return amplitude, share
    of_gaps = np.empty((2, len(gaps)))
    for k in range(len(signal)):
        for g in range(len(gaps)):
            a = max(int(np.rint(gaps[g, 0] * fs)), 0)
            b = min(int(np.rint(gaps[g, 1] * fs)) + 1, a + int(np.rint(fs)), signal.shape[1])
            piece = _without_trend(signal[k, a:b])
            inside, above = _line_powers(piece, fs)
            part = inside / max(above, 1e-12)
            of_gaps[0, g] = math.sqrt(part * (piece**2).sum() / piece.size)
            of_gaps[1, g] = part
        amplitude = np.fmax(amplitude, np.median(of_gaps[0]))
        share = np.fmax(share, np.median(of_gaps[1]))
    return amplitude, share


@kernel
def _without_trend(piece: NDArray[np.float32]) -> Floats:
    """Take the mean and the straight line that fits best away."""
    n = piece.size
    level, slope, squares = 0.0, 0.0, 0.0
    for i in range(n):
        at = i - (n - 1) / 2
        level += piece[i]
        slope += piece[i] * at
        squares += at * at
    flat = np.empty(n)
    for i in range(n):
        flat[i] = piece[i] - level / n - slope / squares * (i - (n - 1) / 2)
    return flat


@kernel
def _line_powers(piece: Floats, fs: float) -> tuple[float, float]:
    """Power of the lines from 4 to 9 Hz, and of all from 2 Hz, by Goertzel's recursion for all lines at once."""
    n_lines = _HIGH_HZ + 1
    twice_cosine = 2 * np.cos(2 * np.pi * np.arange(n_lines) / np.rint(fs))
    last, before = np.zeros(n_lines), np.zeros(n_lines)
    total = 0.0
    for value in piece:
        total += value * value
        for line in range(n_lines):
            now = value + twice_cosine[line] * last[line] - before[line]
            before[line] = last[line]
            last[line] = now
    power = last**2 + before**2 - twice_cosine * last * before
    all_of_it = (np.rint(fs) * total - power[0]) / 2 - power[1]
    return power[_LOW_HZ:].sum(), all_of_it
