"""Where the beats are, as anybody would find them who has little signal and no scruples."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.signal import find_peaks

from twelvelead.signal.filter import filter_bands

Floats = NDArray[np.float64]

_FS = 250.0
_BAND_HZ = (4.0, 20.0)
_LEAST_RR = 100  # samples: 400 ms
_ENERGY = 25  # samples: 100 ms
_HALF = 30  # samples: a template of 240 ms
_ROUNDS = 3


def find_rough_beats(signal: NDArray[np.floating], *, fs: float) -> Floats:
    """Find the beats that resemble each other in a signal of any quality.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples)
        mV.
    fs : float
        Hz.

    Returns
    -------
    ndarray, shape (n_beats,)
        Middle of each QRS complex in s, to 4 ms; empty where there are none.

    Notes
    -----
    Between 4 and 20 Hz: peaks of the speed's energy, at least 400 ms apart; then, three times, the peaks of the
    correlation with their median. It has no idea of rhythm, and takes a tall T wave for a beat now and then.
    """
    passed = filter_bands(signal, fs=fs, bands=[(*_BAND_HZ, _FS)])[0].astype(float)
    if passed.shape[1] < 4 * _HALF:
        return np.empty(0)
    energy = uniform_filter1d(np.square(np.gradient(passed, axis=1)).sum(axis=0), _ENERGY)
    peaks = _inner(find_peaks(energy, distance=_LEAST_RR, height=0.35 * np.quantile(energy, 0.98))[0], len(energy))
    for _ in range(_ROUNDS):
        if not peaks.size:
            break
        template = np.median(passed[:, peaks[:, None] + np.arange(-_HALF, _HALF + 1)], axis=1)
        template -= template.mean(axis=1, keepdims=True)
        matches = [np.correlate(lead, part, "same") for lead, part in zip(passed, template, strict=True)]
        match = np.sum(matches, axis=0)
        peaks = _inner(find_peaks(match, distance=_LEAST_RR, height=0.5 * np.median(match[peaks]))[0], len(energy))
    return peaks / _FS


def _inner(peaks: NDArray[np.intp], n: int) -> NDArray[np.intp]:
    """Keep the peaks round which a template fits."""
    return peaks[(peaks > _HALF) & (peaks < n - _HALF - 1)]
