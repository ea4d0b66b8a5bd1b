"""The kind of each beat: dominant, premature, wide, paced or aberrant."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.delineate import Mark
from twelvelead.measure.heartbeat import Fact
from twelvelead.measure.rhythm import premature, variation
from twelvelead.signal.kernel import kernel

Floats = NDArray[np.float64]

WIDE_S = 0.120
"""A QRS complex is wide from 120 ms (AHA/ACCF/HRS, doi:10.1161/CIRCULATIONAHA.108.191095)."""
REGULAR = 0.10
"""A rhythm is regular, so that a beat can be early in it, if RR varies by less than 10 % otherwise."""
COUPLED = 0.85
"""A wide beat of another shape is early, too, if the pause after it is this much longer: as in bigeminy."""
SPIKE_BEFORE_S, SPIKE_AFTER_S = 0.10, 0.02
"""A beat is paced if a spike lies in the 100 ms up to the middle of its QRS complex, or 20 ms after it."""
LEAST_RUN = 6
"""Beats that must alternate for bigeminy: three couplets."""


class Kind(IntEnum):
    """What a beat is."""

    DOMINANT = 0  # of the commonest shape, on time
    PREMATURE = 1  # early, narrow: supraventricular
    WIDE = 2  # early, wide and of another shape: ventricular
    PACED = 3
    ABERRANT = 4  # of another shape, on time or late


@kernel
def classify_kinds(
    times_s: Floats, shape_class: NDArray[np.intp], marks_s: Floats, spikes_s: Floats
) -> NDArray[np.int8]:
    """Tell the kind of each beat.

    Parameters
    ----------
    times_s : ndarray, shape (n_beats,)
        Middle of each QRS complex, s.
    shape_class : ndarray of int, shape (n_beats,)
        0 for the commonest shape.
    marks_s : ndarray, shape (n_beats, 9)
        The marks of each beat over all leads, s; NaN where there are none.
    spikes_s : ndarray, shape (n_spikes,)
        Times of pacemaker spikes, s.

    Returns
    -------
    ndarray of int8, shape (n_beats,)
        A `Kind` each.

    Notes
    -----
    Early is an RR interval under 0.8 of the median of nine around. Among beats of the commonest shape, and of others
    that are narrow, that counts only in a rhythm that is regular otherwise: in atrial fibrillation no beat is early.

    Examples
    --------
    One beat in eight comes 300 ms early, and is wide:

    >>> times = np.array([0.0, 0.8, 1.6, 2.4, 2.9, 4.0, 4.8, 5.6])
    >>> shape = (np.arange(8) == 4).astype(np.intp)
    >>> marks = np.full((8, 9), np.nan)
    >>> marks[:, 3], marks[:, 5] = times - 0.04, times + np.where(shape, 0.10, 0.05)
    >>> classify_kinds(times, shape, marks, np.empty(0)).tolist()
    [0, 0, 0, 0, 2, 0, 0, 0]
    """
    n = times_s.size
    kinds = np.zeros(n, dtype=np.int8)
    rr = np.diff(times_s)
    early = premature(rr)
    regular = _is_regular(rr, early, shape_class)
    for k in range(n):
        is_early = k > 0 and early[k - 1]
        wide = marks_s[k, Mark.QRS_OFFSET] - marks_s[k, Mark.QRS_ONSET] >= WIDE_S
        if _is_paced(times_s[k], spikes_s):
            kinds[k] = Kind.PACED
        elif shape_class[k] > 0 and wide and (is_early or (0 < k < n - 1 and rr[k - 1] < COUPLED * rr[k])):
            kinds[k] = Kind.WIDE
        elif is_early and regular and not (shape_class[k] > 0 and wide):
            kinds[k] = Kind.PREMATURE
        elif shape_class[k] > 0:
            kinds[k] = Kind.ABERRANT
    return kinds


@kernel
def _is_paced(time_s: float, spikes_s: Floats) -> bool:
    before = time_s - spikes_s
    return bool(((before > -SPIKE_AFTER_S) & (before < SPIKE_BEFORE_S)).any())


@kernel
def _is_regular(rr: Floats, early: NDArray[np.bool_], shape_class: NDArray[np.intp]) -> bool:
    """Whether RR hardly varies, early beats and those of another shape, and the pauses after both, left aside."""
    kept, n = np.empty(rr.size), 0
    for k in range(rr.size):
        ectopic = early[k] or shape_class[k + 1] > 0 or shape_class[k] > 0 or (k > 0 and early[k - 1])
        if not ectopic:
            kept[n] = rr[k]
            n += 1
    return n < 2 or variation(kept[:n]) < REGULAR


@kernel
def count_kinds(kinds: NDArray[np.int8], facts: Floats) -> None:
    """Write the number of beats of each kind, and the share of those in bigeminy, into `facts`.

    Parameters
    ----------
    kinds : ndarray of int8, shape (n_beats,)
        From `classify_kinds`.
    facts : ndarray, shape (n_facts,)
        Written in place.
    """
    for kind in range(Kind.ABERRANT + 1):
        facts[Fact.DOMINANT_COUNT + kind] = (kinds == kind).sum()
    within, run = 0, 1
    for k in range(1, kinds.size + 1):
        if k < kinds.size and _alternate(kinds[k - 1], kinds[k]):
            run += 1
        else:
            within += run if run >= LEAST_RUN else 0
            run = 1
    facts[Fact.BIGEMINY_SHARE] = within / kinds.size


@kernel
def _alternate(first: int, second: int) -> bool:
    """Whether one of two neighbours is dominant and the other premature or wide."""
    a, b = min(first, second), max(first, second)
    return a == Kind.DOMINANT and (b in (Kind.PREMATURE, Kind.WIDE))
