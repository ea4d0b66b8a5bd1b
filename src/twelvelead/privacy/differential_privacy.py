"""Measurements given away with noise so large that any one recording could as well have been another one."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import log_ndtr

from twelvelead.privacy.transforms_numbers import NumbersTransform, keep_measurements
from twelvelead.privacy.units import Units
from twelvelead.terms import InputError

Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]

RANGES: dict[str, tuple[float, float]] = {
    "heart_rate_bpm": (30.0, 200.0),
    "p_duration_ms": (40.0, 180.0),
    "pr_interval_ms": (80.0, 320.0),
    "qrs_duration_ms": (50.0, 200.0),
    "qt_interval_ms": (250.0, 600.0),
    "qtc_fridericia_ms": (300.0, 600.0),
    "p_axis_deg": (-180.0, 180.0),
    "qrs_axis_deg": (-180.0, 180.0),
    "t_axis_deg": (-180.0, 180.0),
}
"""Between which limits each measurement is cut off. Declared without a look at the data, or they would tell of them."""


def add_laplace(epsilon: float, *, ranges: Mapping[str, tuple[float, float]], seed: int) -> NumbersTransform:
    """Return the transform that makes each row ε-differentially private by Laplace noise [1]_.

    Parameters
    ----------
    epsilon : float
        For the row as a whole. By composition each of its d measurements has ε / d, so that one whose range is r gets
        noise of scale r d / ε. A person of whom m recordings are given away has spent m ε.
    ranges : mapping of str to (float, float)
        The measurements that are given away, and between which limits.
    seed : int
        A row's noise is a function of this and the recording's id alone.

    Returns
    -------
    Transform of numbers
        A gap becomes the middle of the range before the noise: that something can't be measured would tell, too. What
        comes out is cut off at the limits again.

    Raises
    ------
    InputError
        If `epsilon` is not above 0, or a range is not one.

    Notes
    -----
    Local privacy: nobody need be trusted with the rows as they were. Noise is of floating point numbers; for a real
    release use a mechanism that is safe against attacks on their last bits [2]_.

    References
    ----------
    .. [1] Dwork C, Roth A. The algorithmic foundations of differential privacy. doi:10.1561/0400000042
    .. [2] Mironov I. On significance of the least significant bits for differential privacy.
       doi:10.1145/2382196.2382264
    """
    _check(epsilon, ranges)
    scale = len(ranges) / epsilon

    def draw(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        return rng.laplace(0.0, scale, n)

    return _add(ranges, draw, seed=seed)


def add_gaussian(
    epsilon: float, delta: float, *, ranges: Mapping[str, tuple[float, float]], seed: int
) -> NumbersTransform:
    """Return the transform that makes each row (ε, δ)-differentially private by Gaussian noise; see `add_laplace`.

    The d measurements are one vector of numbers from 0 to 1, which can change by √d at most: `gaussian_scale` says how
    much noise that takes.
    """
    _check(epsilon, ranges)
    scale = math.sqrt(len(ranges)) * gaussian_scale(epsilon, delta)

    def draw(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        return rng.normal(0.0, scale, n)

    return _add(ranges, draw, seed=seed)


def gaussian_scale(epsilon: float, delta: float) -> float:
    """Return the least standard deviation of Gaussian noise for a vector that can change by 1.

    Parameters
    ----------
    epsilon, delta : float
        Above 0; `delta` below 1.

    Raises
    ------
    InputError
        If they are not.

    Notes
    -----
    σ is the root of Φ(1/2σ − εσ) − exp(ε) Φ(−1/2σ − εσ) = δ [1]_, which falls with σ.

    References
    ----------
    .. [1] Balle B, Wang YX. Improving the Gaussian mechanism for differential privacy: analytical calibration and
       optimal denoising. doi:10.48550/arXiv.1805.06530

    Examples
    --------
    Less than the textbook's √(2 ln(1.25 / δ)) / ε, which is 4.84 here:

    >>> round(gaussian_scale(1.0, 1e-5), 2)
    3.73
    """
    if not (epsilon > 0 and 0 < delta < 1):
        msg = f"epsilon must be above 0 and delta between 0 and 1; got {epsilon} and {delta}. Use 1 and 1e-5, say."
        raise InputError(msg)

    def excess(log_sigma: float) -> float:
        sigma = math.exp(log_sigma)
        first = float(log_ndtr(0.5 / sigma - epsilon * sigma))
        second = epsilon + float(log_ndtr(-0.5 / sigma - epsilon * sigma))
        return math.exp(first) - math.exp(second) - delta

    return math.exp(brentq(excess, math.log(1e-4), math.log(1e6), xtol=1e-10))


def _add(ranges: Mapping[str, tuple[float, float]], draw: Draw, *, seed: int) -> NumbersTransform:
    low, high = np.array(list(ranges.values())).T
    keep = keep_measurements(tuple(ranges))

    def change(units: Units) -> Units:
        kept = keep(units)
        share = (np.clip(kept.x, low, high) - low) / (high - low)
        share[~np.isfinite(kept.x)] = 0.5
        for k, recording in enumerate(kept.recording):
            rng = np.random.default_rng([seed, crc32(kept.recording_ids[recording].encode())])
            share[k] += draw(rng, len(ranges))
        noisy = low + np.clip(share, 0.0, 1.0) * (high - low)
        return replace(kept, x=noisy.astype(np.float32))

    return change


def _check(epsilon: float, ranges: Mapping[str, tuple[float, float]]) -> None:
    bad = [name for name, (low, high) in ranges.items() if not low < high]
    if not epsilon > 0 or bad or not ranges:
        msg = f"epsilon must be above 0, and each range rise; got {epsilon} and {bad or dict(ranges)}. Use 10, say."
        raise InputError(msg)
