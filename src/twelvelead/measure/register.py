"""The marks of the median beat carried over to each single beat."""

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.delineate import Mark
from twelvelead.measure.template import best_shift, correlate_shifts, cut

Floats = NDArray[np.float64]


def register_wave(
    signal: NDArray[np.float32], centres: Floats, *, beat: Floats, origin: int, span: tuple[int, int], slack: int
) -> tuple[Floats, Floats]:
    """Find by how much a wave of each beat lies earlier or later than in the median beat.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples)
        Amplitude in mV.
    centres : ndarray, shape (n_beats,)
        Middle of each QRS complex, samples.
    beat : ndarray, shape (n_leads, n_window)
        Median beat, whose sample `origin` lies on the centres.
    origin : int
        See `beat`.
    span : (int, int)
        First and last sample of the wave in the median beat.
    slack : int
        Largest shift, in samples.

    Returns
    -------
    shift, resemblance : ndarray, shape (n_beats,)
        Samples, and the correlation of all leads at that shift; NaN where the wave lies outside the recording.
    """
    a, b = span
    rough = np.round(centres).astype(np.intp)
    step = max(1, slack // 12)
    wide = cut(signal, rough + a - origin, before=slack, after=b - a + slack)[:, :, ::step]
    shape = beat[:, a : b + 1 : step].astype(np.float32)
    shape = shape - shape.mean(axis=1, keepdims=True)
    wide = wide - wide.mean(axis=2, keepdims=True)
    shift, resemblance = best_shift(correlate_shifts(wide, shape))
    outside = (rough + a - origin < 0) | (rough + b - origin >= signal.shape[1])
    shift = np.where(outside, np.nan, shift * step - slack)
    return shift, np.where(outside, np.nan, resemblance)


def place(marks: Floats, centres: Floats, *, origin: int, p_shift: Floats, t_shift: Floats) -> Floats:
    """Place the marks of the median beat on every beat, in samples of the recording; shape (n_beats, 9, n_leads)."""
    placed = centres[:, None, None] - origin + np.repeat(marks[None], len(centres), axis=0)
    placed[:, : Mark.QRS_ONSET] += p_shift[:, None, None]
    placed[:, Mark.T_ONSET :] += t_shift[:, None, None]
    return placed
