"""Onset, peak and offset of P, QRS and T in each lead of a median beat."""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure import refine as refining
from twelvelead.measure.rules import follow_rules, median_of, r_wave
from twelvelead.signal.kernel import kernel

Floats = NDArray[np.float64]


class Mark(IntEnum):
    """The nine fiducial points, in the order of `terms.FIDUCIAL_TIMES`."""

    P_ONSET = 0
    P_PEAK = 1
    P_OFFSET = 2
    QRS_ONSET = 3
    R_PEAK = 4
    QRS_OFFSET = 5
    T_ONSET = 6
    T_PEAK = 7
    T_OFFSET = 8


TOLERANCE_MS = (10.2, 10.0, 12.7, 6.5, 6.5, 11.6, 30.6, 20.0, 30.6)
"""What confidence refers to: two standard deviations of the referees in the Common Standards for Electrocardiography
study for onset and offset of P and QRS and for the end of T; the peaks and the onset of T, without such a figure, like
their neighbours."""


class Marks(NamedTuple):
    """The marks of a median beat.

    Parameters
    ----------
    at : ndarray, shape (9, n_leads)
        Samples of the window, in the order of `Mark`.
    confidence : ndarray, shape (9, n_leads)
        Probability that a cardiologist's mark of a single beat lies within `TOLERANCE_MS`; NaN where unknown.
    """

    at: Floats
    confidence: Floats


def delineate(beat: NDArray[np.floating], *, fs: float, origin: int, rr_s: float, refine: bool = True) -> Marks:
    """Find the nine marks in each lead of a median beat.

    Parameters
    ----------
    beat : ndarray, shape (n_leads, n_window)
        Amplitude in mV, 0.4–40 Hz.
    fs : float
        Sampling frequency in Hz.
    origin : int
        Sample in the middle of the QRS complex.
    rr_s : float
        RR interval in s, which limits where P and T can lie.
    refine : bool
        Whether to correct the rules' marks by what was learnt from cardiologists' marks; without, no mark has a
        confidence.

    Returns
    -------
    Marks

    Notes
    -----
    QRS: the slope of each lead exceeds a share of its steepest. P and T: where the leads together curve most, weighted
    by where the wave is to be expected; in each lead the boundary that encloses the largest trapezium [1]_. Each
    lead's mark is then drawn towards the median of the leads, and corrected (`refine.refine`).

    References
    ----------
    .. [1] Vázquez-Seisdedos CR, et al. New approach for T-wave end detection on electrocardiogram.
       doi:10.1186/1475-925X-10-77
    """
    course: Floats = np.ascontiguousarray(beat, dtype=np.float64)
    marks = follow_rules(course, float(fs), origin, float(rr_s))
    if not refine:
        return Marks(marks, np.full(marks.shape, np.nan))
    return Marks(*refining.refine(course, marks, fs=float(fs), rr_s=float(rr_s), refiner=refining.load_refiner()))


OUTWARD = 0.4
"""A global onset is this quantile of the leads' onsets, a global offset the same quantile from the other end.

The very first and last lead carry the noise of all leads. On 100 LUDB records (median over leads annotated) the first
quartile gives QRS 7 ms and QT 10 ms too long, 0.4 gives 3 and 6 ms, the median 0 and 3 ms."""
_QUANTILE = (OUTWARD, 0.5, 1 - OUTWARD)
UNSURE = 0.5
"""A lead less than half as sure of a mark as the leads usually are does not count for the global mark."""


def global_marks(marks: Floats, confidence: Floats) -> Floats:
    """Combine the marks of all leads: onsets and offsets a little outward of the median, the median of peaks.

    Parameters
    ----------
    marks : ndarray, shape (9, n_leads)
        NaN in all leads where there is no wave.
    confidence : ndarray, shape (9, n_leads)
        From `delineate`; where it is NaN, all leads count.

    Returns
    -------
    ndarray, shape (9,)

    Examples
    --------
    >>> marks = np.arange(9.0)[:, None] + np.array([0, 0, 8, 8, 8.0])
    >>> global_marks(marks, np.full((9, 5), 0.8))[3:6].round(3).tolist()
    [7.8, 12.0, 13.0]
    """
    return _combine(np.ascontiguousarray(marks, dtype=np.float64), np.ascontiguousarray(confidence, dtype=np.float64))


@kernel
def _combine(marks: Floats, confidence: Floats) -> Floats:
    """Quantile of the leads that are sure enough, between two of them by a straight line."""
    together = np.full(9, np.nan)
    n_leads = marks.shape[1]
    for m in range(9):
        limit = UNSURE * median_of(confidence[m])
        sure = np.empty(n_leads)
        n = 0
        for k in range(n_leads):
            if not (confidence[m, k] < limit or np.isnan(marks[m, k])):
                sure[n] = marks[m, k]
                n += 1
        if n:
            ordered = np.sort(sure[:n])
            at = _QUANTILE[m % 3] * (n - 1)
            low = int(at)
            high = min(low + 1, n - 1)
            together[m] = ordered[low] + (at - low) * (ordered[high] - ordered[low])
    return together


def r_waves(qrs: Floats) -> NDArray[np.intp]:
    """Return the sample of the R wave of each lead, or of the deepest point of a complex without R wave (QS).

    Parameters
    ----------
    qrs : ndarray, shape (n_leads, n_samples)
        QRS complex in mV.

    Returns
    -------
    ndarray of int, shape (n_leads,)

    Examples
    --------
    An rS complex has its R wave at the small first deflection; a QS complex has none.

    >>> r_waves(np.array([[0.0, 0.2, 0.0, -0.9, 0.0, 0.0], [0.0, -0.1, -0.4, -0.9, -0.2, 0.0]])).tolist()
    [1, 3]
    """
    return np.array([r_wave(np.ascontiguousarray(lead, dtype=np.float64)) for lead in qrs], dtype=np.intp)
