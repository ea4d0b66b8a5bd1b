"""Another sampling frequency."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from scipy.signal import resample_poly

from twelvelead.signal.recording import Recording
from twelvelead.terms import InputError

_FINEST = 1000  # largest denominator of the ratio of two sampling frequencies
_DRIFT = 1e-4  # by which the resulting frequency may be off


def resample(recording: Recording, *, fs: float) -> Recording:
    """Resample a recording by a polyphase filter; gaps stay gaps.

    Parameters
    ----------
    recording : Recording
        At any sampling frequency.
    fs : float
        Wanted sampling frequency in Hz.

    Returns
    -------
    Recording
        At `fs`. A sample is NaN where the nearest recorded sample is.

    Raises
    ------
    InputError
        If `fs` is not positive, or no ratio of whole numbers up to 1000 leads to it within a ten-thousandth (1 ms in
        10 s).

    Examples
    --------
    >>> resample(Recording(np.zeros((1, 5000)), ("I",), 500), fs=250).signal.shape
    (1, 2500)
    """
    if not (np.isfinite(fs) and fs > 0):
        msg = f"fs must be a positive number of Hz; got {fs!r}. Give the wanted sampling frequency."
        raise InputError(msg)
    if fs == recording.fs or recording.n_samples == 0:
        return replace(recording, fs=fs)
    ratio = Fraction(fs / recording.fs).limit_denominator(_FINEST)
    if abs(float(ratio) * recording.fs / fs - 1) > _DRIFT:
        msg = (
            f"fs must be a simple fraction or multiple of {recording.fs:g} Hz; got {fs!r} for recording "
            f"{recording.id!r}. Give a nearby frequency."
        )
        raise InputError(msg)
    gaps = np.isnan(recording.signal)
    filled = _bridge(recording.signal, gaps) if gaps.any() else recording.signal
    signal = resample_poly(filled, ratio.numerator, ratio.denominator, axis=1, padtype="line").astype(np.float32)
    if gaps.any():
        nearest = np.minimum(np.rint(np.arange(signal.shape[1]) / float(ratio)).astype(int), gaps.shape[1] - 1)
        signal[gaps[:, nearest]] = np.nan
    return replace(recording, signal=signal, fs=fs)


def _bridge(signal: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """Fill gaps by straight lines, so that the filter does not spread them."""
    filled = np.array(signal, dtype=np.float64)
    at = np.arange(signal.shape[1])
    for row, gap in zip(filled, gaps, strict=True):
        row[gap] = 0.0 if gap.all() else np.interp(at[gap], at[~gap], row[~gap])
    return filled
