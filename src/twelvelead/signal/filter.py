"""Zero-phase baseline and band filters, several bands and rates from one Fourier transform."""

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from twelvelead.signal.recording import Recording
from twelvelead.terms import InputError

Band = tuple[float, float, float]
"""Lower and upper cut-off in Hz (0 and inf: none), and the wanted sampling frequency of the result in Hz."""

_PAD_S = 2.0


def band_pass(recording: Recording, *, low_hz: float, high_hz: float) -> Recording:
    """Keep what lies between two frequencies, without moving any wave in time.

    Parameters
    ----------
    recording : Recording
        Leads in mV. Missing samples stay missing; the filter bridges them by a straight line.
    low_hz, high_hz : float
        Cut-off frequencies in Hz, where the amplitude is halved; 0 and `inf` leave that side open.

    Returns
    -------
    Recording
        Same leads, samples and rate.

    Raises
    ------
    InputError
        If `low_hz` is not below `high_hz`.

    Notes
    -----
    The response is that of a second-order Butterworth filter run forward and backward, 1 / (1 + (f/f_c)⁴). A monitor's
    causal 0.5 Hz filter shifts the ST segment; the zero-phase one does not, which is why AHA/ACCF/HRS allow it up to
    0.67 Hz [1]_.

    References
    ----------
    .. [1] Kligfield P, et al. Recommendations for the standardization and interpretation of the electrocardiogram,
       part I. doi:10.1161/CIRCULATIONAHA.106.180200

    Examples
    --------
    A 1 Hz wave passes a 10 Hz low-pass; a constant does not pass a 0.5 Hz high-pass.

    >>> t = np.arange(5000) / 500
    >>> r = Recording(np.stack([np.sin(2 * np.pi * t), 1 + 0 * t]), ("I", "II"), 500)
    >>> float(band_pass(r, low_hz=0, high_hz=10)["I"].max().round(2))
    1.0
    >>> float(abs(band_pass(r, low_hz=0.5, high_hz=math.inf)["II"]).max().round(6))
    0.0
    """
    if not 0 <= low_hz < high_hz:
        msg = f"low_hz must be at least 0 and below high_hz; got {low_hz} and {high_hz}. Swap them."
        raise InputError(msg)
    (out,) = filter_bands(recording.signal, fs=recording.fs, bands=[(low_hz, high_hz, recording.fs)])
    return replace(recording, signal=np.where(np.isnan(recording.signal), np.nan, out))


def remove_baseline(recording: Recording) -> Recording:
    """Take away the wander of the baseline below 0.4 Hz, ST segments left as they are.

    Parameters
    ----------
    recording : Recording
        Leads in mV.

    Returns
    -------
    Recording
        Same leads, samples and rate.
    """
    return band_pass(recording, low_hz=0.4, high_hz=math.inf)


def filter_bands(signal: NDArray[np.floating], *, fs: float, bands: Sequence[Band]) -> list[NDArray[np.float32]]:
    """Filter and resample the same leads into several bands, with one forward transform for all.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples)
        Amplitude in mV. Not-a-number is bridged by a straight line; a lead without any number becomes zero.
    fs : float
        Sampling frequency in Hz.
    bands : sequence of (low_hz, high_hz, fs_out)
        See `Band`. The rate of the result is the nearest `fs` × p/q with q ≤ 200: exact for all common rates;
        `exact_rate` returns it.

    Returns
    -------
    list of ndarray of float32, shape (n_leads, n_samples_out)
        One array per band; sample 0 stands at the time of sample 0 of `signal`.

    Notes
    -----
    The ends are continued by odd reflection, faded out over 2 s, so that a wave at the edge keeps its shape and the
    circular transform has no step.
    """
    ratios = [_ratio(fs, fs_out) for _, _, fs_out in bands]
    step = math.lcm(*(r.denominator for r in ratios))
    bridged = bridge_gaps(signal)
    n = bridged.shape[1]
    pad = step * math.ceil(_PAD_S * fs / step)
    level = np.median(bridged[:, :: max(1, n // 500)], axis=1, keepdims=True)
    padded = _reflect(
        bridged - level, pad=pad, length=step * fft.next_fast_len(math.ceil((n + 2 * pad) / step), real=True)
    )
    spectrum = fft.rfft(padded, axis=1)
    results = []
    for (low, high, _), ratio in zip(bands, ratios, strict=True):
        n_out = padded.shape[1] * ratio.numerator // ratio.denominator
        n_bins = min(spectrum.shape[1], n_out // 2 + 1)
        gain = _response(np.arange(n_bins) * (fs / padded.shape[1]), low=low, high=high) * float(ratio)
        if n_out > padded.shape[1] and padded.shape[1] % 2 == 0:
            gain[-1] /= 2  # one Nyquist bin becomes two
        shaped = fft.irfft(spectrum[:, :n_bins] * gain.astype(np.float32), n=n_out, axis=1)
        first = pad * ratio.numerator // ratio.denominator
        result = shaped[:, first : first + (n - 1) * ratio.numerator // ratio.denominator + 1]
        results.append(result if low > 0 else result + level)
    return results


def exact_rate(fs: float, fs_out: float) -> float:
    """Return the sampling frequency in Hz that `filter_bands` gives when asked for `fs_out`.

    Examples
    --------
    >>> exact_rate(360, 500)
    500.0
    """
    ratio = _ratio(fs, fs_out)
    return fs * ratio.numerator / ratio.denominator


def bridge_gaps(signal: NDArray[np.floating]) -> NDArray[np.float32]:
    """Replace missing samples by a straight line between their neighbours; a lead without samples by zero.

    Examples
    --------
    >>> bridge_gaps(np.array([[1.0, np.nan, 3.0]]))
    array([[1., 2., 3.]], dtype=float32)
    """
    out = np.array(signal, dtype=np.float32)
    bad = ~np.isfinite(out)
    for row in np.flatnonzero(bad.any(axis=1)):
        good = ~bad[row]
        at = np.arange(out.shape[1])
        out[row] = np.interp(at, at[good], out[row, good]) if good.any() else 0
    return out


def _ratio(fs: float, fs_out: float) -> Fraction:
    ratio = Fraction(fs_out / fs).limit_denominator(200)
    return ratio if ratio else Fraction(1, math.ceil(fs / fs_out))


def _reflect(signal: NDArray[np.float32], *, pad: int, length: int) -> NDArray[np.float32]:
    """Continue both ends by odd reflection that fades to zero, into an array of `length` samples."""
    n_leads, n = signal.shape
    out = np.zeros((n_leads, length), dtype=np.float32)
    out[:, pad : pad + n] = signal
    reach = min(pad, n - 1)
    if reach > 0:
        fade = (0.5 + 0.5 * np.cos(np.pi * np.arange(1, reach + 1) / (reach + 1))).astype(np.float32)
        out[:, pad - reach : pad] = ((2 * signal[:, :1] - signal[:, 1 : reach + 1]) * fade)[:, ::-1]
        out[:, pad + n : pad + n + reach] = (2 * signal[:, -1:] - signal[:, -2 : -2 - reach : -1]) * fade
    return out


def _response(frequency: NDArray[np.float64], *, low: float, high: float) -> NDArray[np.float64]:
    gain = np.ones_like(frequency)
    if low > 0:
        relative = (frequency / low) ** 4
        gain *= relative / (1 + relative)
    if math.isfinite(high):
        gain /= 1 + (frequency / high) ** 4
    return gain
