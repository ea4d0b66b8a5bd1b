"""The heart vector through QRS and T, and how far the leads of the median beat agree on its course."""

import math

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.delineate import Mark
from twelvelead.measure.heartbeat import Fact, Heartbeat
from twelvelead.signal.kernel import kernel

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

KORS_MATRIX = np.array([
    [0.38, -0.07, -0.13, 0.05, -0.01, 0.14, 0.06, 0.54],
    [-0.07, 0.93, 0.06, -0.02, -0.05, 0.06, -0.17, 0.13],
    [0.11, -0.23, -0.43, -0.06, -0.14, -0.20, -0.11, 0.31],
])  # fmt: skip
"""Frank leads X (left), Y (down), Z (back) from I, II and V1–V6 by regression (Kors).

doi:10.1093/oxfordjournals.eurheartj.a059647"""

EARLY_S = 0.030
"""The first 30 ms of QRS, in which a delta wave is slow."""


def find_loops(heartbeat: Heartbeat, kors: NDArray[np.intp], facts: Floats) -> None:
    """Write the marks, the heart vector and the complexity of the median beat into `facts`.

    Parameters
    ----------
    heartbeat : Heartbeat
        From `observe`.
    kors : ndarray of int, shape (8,)
        Where I, II, V1–V6 are among its leads; −1 for a missing one, without which there is no heart vector.
    facts : ndarray, shape (n_facts,)
        Written in place.
    """
    h = heartbeat
    _find_marks(h.beat, h.usable, h.marks, h.global_marks, h.fs, facts)
    if (kors >= 0).all() and h.usable[kors].all():
        _find_vectors(h.beat, kors, h.global_marks, h.fs, facts)
    if h.usable.sum() >= 3:
        waves = np.zeros((2, len(h.leads), len(h.leads)))
        _multiply_leads(h.beat, h.usable, h.global_marks, waves)
        facts[Fact.QRS_COMPLEXITY], facts[Fact.T_COMPLEXITY] = _second_share(waves)


def second_component(waves: Floats) -> float:
    """Size of the second principal component relative to the first; 0 for waves that differ in size only.

    Parameters
    ----------
    waves : ndarray, shape (n_leads, n_samples)

    Examples
    --------
    >>> round(second_component(np.array([[0.0, 1.0, 2.0], [0.0, 2.0, 4.0]])), 6)
    0.0
    """
    centred = waves - waves.mean(axis=1, keepdims=True)
    return float(_second_share(centred @ centred.T))


def _second_share(products: Floats) -> Floats:
    """Return the same from the sums of products of each two leads, one matrix for each wave; NaN for no wave."""
    power = np.linalg.eigvalsh(products)  # squared singular values of the waves, smallest first
    largest = np.where(power[..., -1] > 0, power[..., -1], np.nan)
    share: Floats = np.sqrt(np.maximum(power[..., -2], 0.0) / largest)
    return share


@kernel
def _multiply_leads(beat: Floats, usable: Flags, global_marks: Floats, out: Floats) -> None:
    """Sum the products of each two leads, about their means, over QRS and over T."""
    for wave in range(2):
        first = global_marks[Mark.QRS_ONSET if wave == 0 else Mark.T_ONSET]
        last = global_marks[Mark.QRS_OFFSET if wave == 0 else Mark.T_OFFSET]
        if np.isnan(first) or np.isnan(last):
            continue
        a, b = max(int(np.rint(first)), 0), min(int(np.rint(last)) + 1, beat.shape[1])
        centred = _centre(beat, usable, a, b)
        for j in range(beat.shape[0]):
            for k in range(j + 1):
                total = 0.0
                for i in range(b - a):
                    total += centred[j, i] * centred[k, i]
                out[wave, j, k] = out[wave, k, j] = total


@kernel
def _centre(beat: Floats, usable: Flags, a: int, b: int) -> Floats:
    """Cut samples a to b − 1 and take the mean of each lead away; 0 for unusable leads."""
    centred = np.zeros((beat.shape[0], max(b - a, 0)))
    for k in range(beat.shape[0]):
        if usable[k]:
            level = 0.0
            for i in range(a, b):
                level += beat[k, i]
            level /= b - a
            for i in range(a, b):
                centred[k, i - a] = beat[k, i] - level
    return centred


@kernel
def _find_marks(beat: Floats, usable: Flags, marks: Floats, global_marks: Floats, fs: float, facts: Floats) -> None:
    for m in range(9):
        facts[Fact.P_ONSET_MS + m] = global_marks[m] * 1000 / fs
    facts[Fact.QT_LEAD_SD_MS] = _spread_of_qt(marks, usable) * 1000 / fs
    facts[Fact.QRS_ONSET_SLOPE] = _early_slope(beat, usable, global_marks, fs)


@kernel
def _find_vectors(beat: Floats, kors: NDArray[np.intp], global_marks: Floats, fs: float, facts: Floats) -> None:
    ms = 1000 / fs
    vector = np.zeros((3, beat.shape[1]))
    for axis in range(3):
        for k in range(8):
            weight, lead = KORS_MATRIX[axis, k], kors[k]
            for i in range(beat.shape[1]):
                vector[axis, i] += weight * beat[lead, i]
    _sum_loop(vector, global_marks[Mark.QRS_ONSET], global_marks[Mark.QRS_OFFSET], ms, facts, Fact.QRS_MEAN_X)
    _peak_of_loop(vector, global_marks[Mark.QRS_ONSET], global_marks[Mark.QRS_OFFSET], facts, Fact.QRS_PEAK_X)
    _sum_loop(vector, global_marks[Mark.T_ONSET], global_marks[Mark.T_OFFSET], ms, facts, Fact.T_MEAN_X)
    _peak_of_loop(vector, global_marks[Mark.T_ONSET], global_marks[Mark.T_OFFSET], facts, Fact.T_PEAK_X)
    _sum_loop(vector, global_marks[Mark.QRS_ONSET], global_marks[Mark.T_OFFSET], ms, facts, Fact.QRST_X)


@kernel
def _sum_loop(vector: Floats, first: float, last: float, ms: float, facts: Floats, at: int) -> None:
    if np.isnan(first) or np.isnan(last):
        return
    a, b = max(int(np.rint(first)), 0), min(int(np.rint(last)) + 1, vector.shape[1])
    for axis in range(3):
        total = 0.0
        for i in range(a, b):
            total += vector[axis, i]
        facts[at + axis] = total * ms


@kernel
def _peak_of_loop(vector: Floats, first: float, last: float, facts: Floats, at: int) -> None:
    if np.isnan(first) or np.isnan(last):
        return
    a, b = max(int(np.rint(first)), 0), min(int(np.rint(last)) + 1, vector.shape[1])
    longest = -1.0
    for i in range(a, b):
        size = vector[0, i] ** 2 + vector[1, i] ** 2 + vector[2, i] ** 2
        if size > longest:
            longest = size
            facts[at], facts[at + 1], facts[at + 2] = vector[0, i], vector[1, i], vector[2, i]


@kernel
def _spread_of_qt(marks: Floats, usable: Flags) -> float:
    """Return the standard deviation of QT over the leads that have one, in samples; NaN for fewer than two."""
    n, total = 0, 0.0
    for k in range(marks.shape[1]):
        qt = marks[Mark.T_OFFSET, k] - marks[Mark.QRS_ONSET, k]
        if usable[k] and not np.isnan(qt):
            n += 1
            total += qt
    if n < 2:
        return np.nan
    squares = 0.0
    for k in range(marks.shape[1]):
        qt = marks[Mark.T_OFFSET, k] - marks[Mark.QRS_ONSET, k]
        if usable[k] and not np.isnan(qt):
            squares += (qt - total / n) ** 2
    return math.sqrt(squares / n)


@kernel
def _early_slope(beat: Floats, usable: Flags, global_marks: Floats, fs: float) -> float:
    """Return the mean speed over all leads in the first 30 ms of QRS, over the highest in QRS."""
    if np.isnan(global_marks[Mark.QRS_ONSET]) or np.isnan(global_marks[Mark.QRS_OFFSET]):
        return np.nan
    on, off = int(np.rint(global_marks[Mark.QRS_ONSET])), int(np.rint(global_marks[Mark.QRS_OFFSET]))
    n_early = max(1, int(np.rint(EARLY_S * fs)))
    last = beat.shape[1] - 1
    early, n, fastest = 0.0, 0, 0.0
    for i in range(max(on, 0), min(off, last) + 1):
        square = 0.0
        for k in range(beat.shape[0]):
            if usable[k]:
                square += (beat[k, min(i + 1, last)] - beat[k, max(i - 1, 0)]) ** 2
        speed = math.sqrt(square)
        fastest = max(fastest, speed)
        if i < on + n_early:
            early += speed
            n += 1
    return early / n / fastest if fastest > 0 else np.nan
