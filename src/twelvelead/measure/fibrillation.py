"""The baseline between T and the next P or QRS: fibrillation waves."""

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from twelvelead.measure.delineate import Mark

Floats = NDArray[np.float64]

_LEAST_S = 0.16
_MOST_GAPS = 40
_BAND_HZ = (4.0, 9.0)


def f_waves(signal: NDArray[np.float32], marks_s: Floats, *, fs: float) -> tuple[float, float]:
    """Measure the 4–9 Hz activity between T offset and the next P onset (QRS onset where there is no P).

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples)
        Amplitude in mV of the leads to look at.
    marks_s : ndarray, shape (n_beats, 9)
        Global marks of each beat, s.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    amplitude_mv, share : float
        Root mean square of 4–9 Hz, and its share of the power from 2 to 40 Hz; medians over the gaps, the larger of
        the leads. NaN without a gap of 160 ms.
    """
    ends = np.where(np.isnan(marks_s[1:, Mark.P_ONSET]), marks_s[1:, Mark.QRS_ONSET], marks_s[1:, Mark.P_ONSET]) - 0.02
    starts = marks_s[:-1, Mark.T_OFFSET] + 0.02
    gaps = [(a, b) for a, b in zip(starts, ends, strict=True) if b - a >= _LEAST_S][:_MOST_GAPS]
    if not gaps or not len(signal):
        return float("nan"), float("nan")
    n = round(fs)
    frequency = fft.rfftfreq(n, 1 / fs)
    inside = (frequency >= _BAND_HZ[0]) & (frequency <= _BAND_HZ[1])
    all_of_it = (frequency >= 2) & (frequency <= 40)
    pieces = np.zeros((len(gaps), len(signal), n))
    lengths = np.empty((len(gaps), 1))
    for k, (a, b) in enumerate(gaps):
        piece = signal[:, round(a * fs) : round(b * fs) + 1][:, :n].astype(float)
        lengths[k] = piece.shape[1]
        pieces[k, :, : piece.shape[1]] = _without_trend(piece)
    power = np.abs(fft.rfft(pieces, axis=2)) ** 2
    share = power[:, :, inside].sum(axis=2) / np.maximum(power[:, :, all_of_it].sum(axis=2), 1e-12)
    amplitude = np.sqrt(share * (pieces**2).sum(axis=2) / lengths)
    return float(np.median(amplitude, axis=0).max()), float(np.median(share, axis=0).max())


def _without_trend(piece: Floats) -> Floats:
    """Take the mean and the straight line that fits best away from each row."""
    line = np.arange(piece.shape[1]) - (piece.shape[1] - 1) / 2
    level = piece - piece.mean(axis=1, keepdims=True)
    flat: Floats = level - (level @ line / (line @ line))[:, None] * line
    return flat
