"""Onset, peak and offset of P, QRS and T in each lead of a median beat."""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure import refine as refining
from twelvelead.measure.rules import follow_rules, r_wave

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
        Amplitude in mV, 0.5–40 Hz.
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


def middle(values: NDArray[np.number]) -> float:
    """Return the median of a few numbers, in a tenth of the time that `np.median` takes.

    Examples
    --------
    >>> middle(np.array([3, 1, 2, 9]))
    2.5
    """
    ordered = sorted(values.tolist())
    return float(0.5 * (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]))
