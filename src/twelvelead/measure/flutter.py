"""Flutter waves: one narrow peak of the spectrum near 300 per minute, once the QRS complexes are bridged."""

import math

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.delineate import Mark
from twelvelead.signal.kernel import kernel

Floats = NDArray[np.float64]

_RATE_HZ = 31.25
"""Enough for waves of up to 12 Hz."""
_BRIDGE_BEFORE_S, _BRIDGE_AFTER_S = 0.01, 0.02
_PEAK_HZ = (3.7, 6.2)  # 222 to 372 per minute
_WIDTH_HZ = 0.25
_ALL_HZ = (0.7, 12.0)
_LEAST_FFT = 512
FLUTTER_SHARE = 0.48
"""From this share on it is flutter. Set on 450 recordings, 9 of them with flutter: 8 of those lie above it, none of the
others. A sinus tachycardia of 121 per minute came nearest, since twice its rate is the frequency of flutter."""


def find_flutter(signal: NDArray[np.float32], marks_s: Floats, *, fs: float) -> tuple[float, float]:
    """Measure how much of the activity between the QRS complexes is of one frequency from 3.7 to 6.2 Hz.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples)
        Amplitude in mV of the leads to look at, II and V1.
    marks_s : ndarray, shape (n_beats, 9)
        Global marks of each beat, s.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    share : float
        Power within 0.25 Hz of the peak over that from 0.7 to 12 Hz, the larger of the leads; NaN for less than 2 s.
    peak_hz : float
        Frequency of that peak.

    Notes
    -----
    Flutter with 2:1 conduction repeats with every beat, so that what a beat has in common can't be taken away as for
    fibrillation: P and T stay in, whose power lies at the heart rate and falls with each of its multiples.
    """
    step = max(1, round(fs / _RATE_HZ))
    coarse = _bridge(signal, marks_s, fs, step)
    n = coarse.shape[1]
    if n < 2 * _RATE_HZ:
        return math.nan, math.nan
    size = max(_LEAST_FFT, 1 << (n - 1).bit_length())
    lines = np.fft.rfft(coarse, size, axis=1)
    power = lines.real**2 + lines.imag**2
    share, peak_hz = _find_peak(power, fs / step / size)
    return float(share), float(peak_hz)


@kernel
def _bridge(signal: NDArray[np.float32], marks_s: Floats, fs: float, step: int) -> Floats:
    """Replace QRS complexes by straight lines, take means of `step` samples, and taper both ends (Hann)."""
    n_leads, n = signal.shape
    n_coarse = n // step
    out = np.zeros((n_leads, n_coarse))
    for k in range(n_leads):
        y = signal[k].copy()
        for beat in range(len(marks_s)):
            on, off = marks_s[beat, Mark.QRS_ONSET], marks_s[beat, Mark.QRS_OFFSET]
            if np.isnan(on) or np.isnan(off):
                continue
            a = min(max(int((on - _BRIDGE_BEFORE_S) * fs), 0), n - 1)
            b = min(max(int((off + _BRIDGE_AFTER_S) * fs), a), n - 1)
            first, slope = y[a], (y[b] - y[a]) / max(b - a, 1)
            for i in range(a, b + 1):
                y[i] = first + slope * (i - a)
        level = y.mean()
        for i in range(n_coarse):
            total = 0.0
            for j in range(i * step, (i + 1) * step):
                total += y[j] - level
            out[k, i] = total / step * (0.5 - 0.5 * math.cos(2 * math.pi * i / (n_coarse - 1)))
    return out


@kernel
def _find_peak(power: Floats, line_hz: float) -> tuple[float, float]:
    """Return the largest share of one peak, and its frequency."""
    share, peak_hz = np.nan, np.nan
    width = max(1, int(_WIDTH_HZ / line_hz))
    low, high = math.ceil(_PEAK_HZ[0] / line_hz), int(_PEAK_HZ[1] / line_hz)
    for k in range(len(power)):
        peak = low + power[k, low : high + 1].argmax()
        total = power[k, math.ceil(_ALL_HZ[0] / line_hz) : int(_ALL_HZ[1] / line_hz) + 1].sum()
        part = power[k, peak - width : peak + width + 1].sum() / total if total > 0 else 0.0
        if not part <= share:
            share, peak_hz = part, peak * line_hz
    return share, peak_hz
