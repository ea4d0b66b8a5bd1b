"""What the ECG machine adds: baseline wander, mains hum, muscle noise, its filter and its converter."""

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from twelvelead.simulate.site import Site

_N_WANDER = 5
_N_LEADS = 8


def draw_noise(n_samples: int, *, site: Site, level: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw the noise of the eight independent leads.

    Parameters
    ----------
    n_samples : int
        At the site's sampling frequency.
    site : Site
        Its average noise.
    level : float
        Factor by which this recording is noisier than that.
    rng : numpy.random.Generator
        The recording's own.

    Returns
    -------
    ndarray of float32, shape (8, n_samples)
        In mV. Wander: five slow waves of 0.05 to 0.45 Hz in a mixture of each lead's own. Mains: one sine, another
        amplitude in each lead. Muscle: white, before the machine's filter.
    """
    t = np.arange(n_samples, dtype=np.float32) / np.float32(site.fs)
    rate = np.append(rng.uniform(0.05, 0.45, _N_WANDER), site.mains_hz)
    angle = (2 * np.pi * rate)[:, None].astype(np.float32) * t + (2 * np.pi * rng.random(rate.size))[:, None].astype(
        np.float32
    )
    amount = np.empty((_N_LEADS, rate.size))
    amount[:, :-1] = rng.standard_normal((_N_LEADS, _N_WANDER)) * site.wander_mv * np.sqrt(2 / _N_WANDER)
    amount[:, -1] = rng.uniform(0.3, 1.7, _N_LEADS) * site.mains_mv
    muscle = rng.standard_normal((_N_LEADS, n_samples), dtype=np.float32) * np.float32(site.muscle_mv)
    noise: NDArray[np.float32] = np.float32(level) * (amount.astype(np.float32) @ np.sin(angle) + muscle)
    return noise


def pass_band(signal: NDArray[np.float32], *, site: Site) -> NDArray[np.float32]:
    """Return what the machine's zero-phase band-pass filter lets through.

    Parameters
    ----------
    signal : ndarray of float32, shape (n_leads, n_samples)
        In mV, periodic as far as the filter is concerned: pad it.
    site : Site
        Gives sampling frequency and corners.

    Notes
    -----
    Gain 1/√(1 + (low/f)²) · 1/√(1 + (f/high)⁴): first order at the low, second order at the high end, −3 dB at either.
    """
    n = signal.shape[1]
    f = np.fft.rfftfreq(n, 1 / site.fs)
    low, high = site.band_hz
    gain = np.zeros_like(f)
    gain[1:] = 1 / np.sqrt((1 + (low / f[1:]) ** 2) * (1 + (f[1:] / high) ** 4))
    passed: NDArray[np.float32] = fft.irfft(fft.rfft(signal) * gain.astype(np.float32), n)
    return passed


def convert(signal: NDArray[np.float32], *, site: Site) -> NDArray[np.float32]:
    """Return the signal in whole steps of the site's analogue-to-digital converter (counts)."""
    counts: NDArray[np.float32] = np.rint(signal / np.float32(site.adc_step_mv))
    return counts
