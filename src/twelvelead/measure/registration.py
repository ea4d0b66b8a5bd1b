"""The marks of the median beat carried over to each single beat."""

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.delineate import Mark
from twelvelead.measure.shapes import centre, cut, fit
from twelvelead.signal.kernel import kernel

Floats = NDArray[np.float64]
Signal = NDArray[np.float32]


def register_wave(
    smooth: Signal, centres: Floats, *, beat: Signal, origin: int, span: tuple[int, int], slack: int
) -> tuple[Floats, Floats]:
    """Find by how much a wave of each beat lies earlier or later than in the median beat.

    Parameters
    ----------
    smooth : ndarray of float32, shape (n_samples, n_leads)
        Amplitude in mV.
    centres : ndarray, shape (n_beats,)
        Middle of each QRS complex, samples.
    beat : ndarray of float32, shape (n_leads, n_window)
        Median beat at the same rate, whose sample `origin` lies on the centres.
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
    wide = cut(smooth, (rough + a - origin - slack).astype(float), b - a + 2 * slack + 1)
    centre(wide, 0, wide.shape[2])
    shape = np.ascontiguousarray(beat[None, :, a : b + 1])
    centre(shape, 0, b - a + 1)
    first, resemblance = fit(wide, np.arange(len(wide)), shape[0])
    outside = (rough + a - origin < 0) | (rough + b - origin >= len(smooth))
    # A shift is counted from where the beat itself lies, not from the nearest sample.
    return np.where(outside, np.nan, first - slack + rough - centres), np.where(outside, np.nan, resemblance)


@kernel
def place(marks: Floats, centres: Floats, origin: int, p_shift: Floats, t_shift: Floats, n_samples: int) -> Floats:
    """Place the marks of the median beat on every beat.

    Parameters
    ----------
    marks : ndarray, shape (9, n_leads)
        In samples of the median beat, in the order of `Mark`; NaN where there is none.
    centres : ndarray, shape (n_beats,)
        Middle of each beat, samples.
    origin : int
        Sample of the median beat that lies on the centres.
    p_shift, t_shift : ndarray, shape (n_beats,)
        How much later the P and T wave of each beat comes than in the median beat, samples; NaN where it has none.
    n_samples : int
        Length of the recording.

    Returns
    -------
    ndarray, shape (n_beats, 9, n_leads)
        Samples of the recording; NaN outside it, and with one mark of P or T outside for the whole wave. However
        far a P or T wave is moved, it stays on its side of the QRS complex.
    """
    n_beats, n_leads = len(centres), marks.shape[1]
    out = np.empty((n_beats, 9, n_leads))
    for b in range(n_beats):
        for m in range(9):
            move = p_shift[b] if m < Mark.QRS_ONSET else (t_shift[b] if m >= Mark.T_ONSET else 0.0)
            for k in range(n_leads):
                at = marks[m, k] + move
                if m < Mark.QRS_ONSET:
                    at = min(at, marks[Mark.QRS_ONSET, k])
                elif m >= Mark.T_ONSET:
                    at = max(at, marks[Mark.QRS_OFFSET, k])
                at += centres[b] - origin
                out[b, m, k] = at if (at >= 0) & (at <= n_samples - 1) else np.nan
        for m in (0, 6):
            for k in range(n_leads):
                lost = np.isnan(out[b, m, k] + out[b, m + 1, k] + out[b, m + 2, k])
                for j in range(3):
                    out[b, m + j, k] = np.nan if lost else out[b, m + j, k]
    return out
