"""What is done to the samples before an encoder's first layer: it must be what was done when it was trained.

All have one form, (samples, fs), whether or not they need the rate.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, filtfilt, iirnotch, medfilt

Samples = NDArray[np.float32]

TINY = 1e-8  # what the publications add to a divisor


def as_recorded(samples: Samples, fs: float) -> Samples:
    """Leave the samples in mV, as ECG-JEPA was trained on them."""
    return samples


def to_unit_range(samples: Samples, fs: float) -> Samples:
    """Bring the least sample of all leads to 0 and the greatest to 1, as MERL does.

    Examples
    --------
    >>> to_unit_range(np.array([[-1.0, 0.0], [1.0, 3.0]], dtype=np.float32), 500.0).round(4).tolist()
    [[0.0, 0.25], [0.5, 1.0]]
    """
    least = samples.min()
    out: Samples = ((samples - least) / (samples.max() - least + TINY)).astype(np.float32)
    return out


def filter_and_standardise(samples: Samples, fs: float) -> Samples:
    """Filter each lead, then bring all together to mean 0 and standard deviation 1, as ECGFounder does.

    Parameters
    ----------
    samples : ndarray of float32, shape (n_leads, n_samples)
        mV.
    fs : float
        Hz.

    Returns
    -------
    ndarray of float32, shape (n_leads, n_samples)

    Notes
    -----
    Forward and backward: a 50 Hz notch of quality 30, and a Butterworth band-pass of order 4 from 0.67 to 40 Hz; then
    the running median of 0.4 s (an odd number of samples) is taken away. The publication says that figures can't be
    had without [1]_.

    References
    ----------
    .. [1] Li J, et al. An electrocardiogram foundation model built on over 10 million recordings.
       doi:10.48550/arXiv.2410.04133
    """
    x = filtfilt(*iirnotch(50, 30, fs), samples.astype(np.float64), axis=1)
    x = filtfilt(*butter(4, [0.67, 40], btype="bandpass", fs=fs), x, axis=1)
    length = int(0.4 * fs) + 1
    length += 1 - length % 2
    x = x - np.stack([medfilt(lead, length) for lead in x])
    out: Samples = ((x - x.mean()) / (x.std() + TINY)).astype(np.float32)
    return out
