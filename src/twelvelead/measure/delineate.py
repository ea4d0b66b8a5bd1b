"""Onset, peak and offset of P, QRS and T in each lead of a median beat."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

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


# Mean differences from the cardiologists' marks in the Lobachevsky database (doi:10.13026/eegm-h675), in ms, found by
# bench/accuracy.py with all of these at zero; they are subtracted. Slope rules leave the first and last few ms of a
# wave outside; cardiologists do not. Of the 4 ms by which their P peaks lie earlier half is left: a symmetric wave has
# its peak in the middle.
BIAS_MS = {
    Mark.P_ONSET: -1.5,
    Mark.P_PEAK: 2.0,
    Mark.P_OFFSET: 14.1,
    Mark.QRS_ONSET: 17.0,
    Mark.R_PEAK: 0.0,
    Mark.QRS_OFFSET: -16.8,
    Mark.T_ONSET: 3.1,
    Mark.T_PEAK: 0.0,
    Mark.T_OFFSET: 6.1,
}

# How much of a lead's own deviation from the median of the leads is kept: a lead's mark carries noise of its own, the
# median hardly any. Between 0.3 and 0.7 the errors on LUDB change by less than 1 ms.
OWN_SHARE = {"qrs": 0.5, "p": 0.4, "t": 0.5}

QRS_SLOPE = 0.15
LEAST_R_MV = 0.020
T_DELAY_S = 0.32
T_SPREAD = 0.09
PR_S = 0.155
PR_SPREAD_S = 0.07
P_BEFORE_S = 0.1
P_AFTER_S = 0.09
T_BEFORE_S = 0.13
T_AFTER_S = 0.14


def delineate(beat: Floats, *, fs: float, origin: int, rr_s: float) -> Floats:
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

    Returns
    -------
    ndarray, shape (9, n_leads)
        Marks in samples of the window, in the order of `Mark`.

    Notes
    -----
    QRS: the slope of each lead exceeds a share of its steepest. P and T: where the leads together curve most, weighted
    by where the wave is to be expected; in each lead the boundary that encloses the largest trapezium [1]_. Each
    lead's mark is then drawn towards the median of the leads.

    References
    ----------
    .. [1] Vázquez-Seisdedos CR, et al. New approach for T-wave end detection on electrocardiogram.
       doi:10.1186/1475-925X-10-77
    """
    marks = np.full((len(Mark), len(beat)), np.nan)
    bias = np.array([BIAS_MS[m] for m in Mark])[:, None] * fs / 1000
    marks[Mark.QRS_ONSET : Mark.T_ONSET] = delineate_qrs(beat, fs=fs, origin=origin)
    marks[Mark.QRS_ONSET : Mark.T_ONSET] -= bias[Mark.QRS_ONSET : Mark.T_ONSET]
    start = int(middle(marks[Mark.QRS_ONSET]))
    end = int(middle(marks[Mark.QRS_OFFSET]))
    marks[Mark.T_ONSET :] = delineate_t(beat, fs=fs, qrs=(start, end), rr_s=rr_s)
    marks[: Mark.QRS_ONSET] = delineate_p(beat, fs=fs, qrs_onset=start, rr_s=rr_s)
    bias[Mark.QRS_ONSET : Mark.T_ONSET] = 0
    return np.clip(marks - bias, 0, beat.shape[1] - 1)


LEAST_ROOM_S = 0.040
"""Window in s that is searched for a P or T wave where the rate leaves less."""


def delineate_qrs(beat: Floats, *, fs: float, origin: int) -> Floats:
    """Onset, R wave and offset of the QRS complex of each lead, in samples; shape (3, n_leads)."""
    slope = np.abs(np.gradient(beat, axis=1))
    velocity = _smooth(np.sqrt((slope**2).sum(axis=0)), round(0.008 * fs))
    first, last = _extent(velocity, origin=origin, fs=fs)
    ahead, behind = round(0.040 * fs), round(0.050 * fs)
    a, b = max(first - ahead, 1), min(last + behind, beat.shape[1] - 2)
    steep = slope[:, a : b + 1]
    quiet = np.median(slope[:, max(0, a - round(0.06 * fs)) : a + 1], axis=1)
    limit = QRS_SLOPE * steep.max(axis=1) + 1.5 * quiet
    above = steep > limit[:, None]
    sure = above & np.roll(above, -1, axis=1)
    sure[:, -1] = False
    onset = a + np.where(sure.any(axis=1), sure.argmax(axis=1), first - a)
    offset = a + np.where(sure.any(axis=1), steep.shape[1] - 1 - sure[:, ::-1].argmax(axis=1), last - a)
    onset, offset = _towards_median(onset, "qrs"), _towards_median(offset, "qrs")
    start, stop = max(int(middle(onset)) - 5, 0), max(int(middle(offset)), origin) + 1
    peak = start + r_waves(beat[:, start : stop + 1] - beat[:, [start]])
    return np.stack([onset, peak.astype(float), offset])


def r_waves(qrs: Floats) -> NDArray[np.intp]:
    """Return the sample of the R wave of each lead, or of the deepest point of a complex without R wave (QS).

    Parameters
    ----------
    qrs : ndarray, shape (n_leads, n_samples)
        QRS complex in mV from the level at its onset.

    Returns
    -------
    ndarray of int, shape (n_leads,)

    Notes
    -----
    The tallest positive deflection; where a negative one is larger (rS, Qr), the tallest before it, otherwise the one
    behind it, of at least 20 µV. That is what the cardiologists of the Lobachevsky database mark: the R wave however
    small, and not the largest deflection. With the latter 59 % of its 10 732 R marks in 100 recordings lie within
    6 ms, with this rule 92 %.

    Examples
    --------
    An rS complex has its R wave at the small first deflection; a QS complex has none.

    >>> r_waves(np.array([[0.0, 0.2, 0.0, -0.9, 0.0, 0.0], [0.0, -0.1, -0.4, -0.9, -0.2, 0.0]])).tolist()
    [1, 3]
    """
    rows, at = np.arange(len(qrs)), np.arange(qrs.shape[1])
    lowest, tallest = qrs.argmin(axis=1), qrs.argmax(axis=1)
    before = np.where(at <= lowest[:, None], qrs, -np.inf).argmax(axis=1)
    behind = np.where(at >= lowest[:, None], qrs, -np.inf).argmax(axis=1)
    ends = behind == qrs.shape[1] - 1  # still rising at the end: the ST segment, not a wave
    other = np.where((qrs[rows, behind] >= LEAST_R_MV) & ~ends, behind, lowest)
    other = np.where(qrs[rows, before] >= LEAST_R_MV, before, other)
    peak: NDArray[np.intp] = np.where(qrs[rows, tallest] >= -qrs[rows, lowest], tallest, other)
    return peak


def delineate_t(beat: Floats, *, fs: float, qrs: tuple[int, int], rr_s: float) -> Floats:
    """Onset, peak and offset of the T wave of each lead, in samples; shape (3, n_leads)."""
    start = qrs[1] + round(0.050 * fs)
    end = min(qrs[0] + round(min(0.62, 0.80 * rr_s + 0.02) * fs), beat.shape[1] - 2)
    # Wide complexes at a very high rate leave next to no room for T: look just behind them.
    start = min(start, beat.shape[1] - 2 - round(LEAST_ROOM_S * fs))
    end = max(end, start + round(LEAST_ROOM_S * fs))
    reach = round(0.080 * fs)
    held = beat.copy()
    held[:, : qrs[1]] = beat[:, [qrs[1]]]
    bend = _curvature(held, reach=reach)[:, start:end]
    expected = qrs[0] + T_DELAY_S * np.sqrt(min(rr_s, 1.5)) * fs
    prior = np.exp(-0.5 * ((np.arange(start, end) - expected) / (T_SPREAD * fs)) ** 2)
    consensus = start + int((np.sqrt((bend**2).sum(axis=0)) * prior).argmax())
    peak = _own_peak(bend, consensus - start, reach=round(0.060 * fs)) + start
    stop = min(qrs[0] + round(min(0.70, 0.93 * rr_s) * fs), beat.shape[1] - 1)
    off = _boundary(beat, peak, steepest_within=round(0.10 * fs), far=min(stop, consensus + round(T_AFTER_S * fs)))
    back = beat[:, ::-1]
    n = beat.shape[1] - 1
    on = n - _boundary(
        back, n - peak, steepest_within=round(0.10 * fs), far=n - max(qrs[1], consensus - round(T_BEFORE_S * fs))
    )
    return np.stack([_towards_median(on, "t"), _towards_median(peak, "t"), _towards_median(off, "t")])


def delineate_p(beat: Floats, *, fs: float, qrs_onset: int, rr_s: float) -> Floats:
    """Onset, peak and offset of the P wave of each lead, if there is one, in samples; shape (3, n_leads)."""
    reach = round(0.050 * fs)
    end = qrs_onset - round(0.030 * fs)
    start = max(qrs_onset - round(min(0.32, 0.45 * rr_s) * fs), reach)
    start = max(min(start, end - round(LEAST_ROOM_S * fs)), 0)
    end = max(end, start + 2)
    held = beat.copy()
    held[:, qrs_onset:] = beat[:, [qrs_onset]]
    bend = _curvature(held, reach=reach)[:, start:end]
    expected = qrs_onset - (PR_S - 0.05) * fs
    prior = np.exp(-0.5 * ((np.arange(start, end) - expected) / (PR_SPREAD_S * fs)) ** 2)
    consensus = start + int((np.sqrt((bend**2).sum(axis=0)) * prior).argmax())
    peak = _own_peak(bend, consensus - start, reach=round(0.030 * fs)) + start
    off = _boundary(
        held, peak, steepest_within=round(0.06 * fs), far=min(qrs_onset - 2, consensus + round(P_AFTER_S * fs))
    )
    n = beat.shape[1] - 1
    far = n - max(0, consensus - round(P_BEFORE_S * fs))
    on = n - _boundary(held[:, ::-1], n - peak, steepest_within=round(0.06 * fs), far=far)
    return np.stack([_towards_median(on, "p"), _towards_median(peak, "p"), _towards_median(off, "p")])


def _extent(velocity: Floats, *, origin: int, fs: float) -> tuple[int, int]:
    """First and last sample of the QRS complex of all leads together."""
    a, b = max(origin - round(0.11 * fs), 0), min(origin + round(0.13 * fs), len(velocity) - 1)
    height = velocity[max(origin - round(0.06 * fs), 0) : origin + round(0.06 * fs)].max()
    above = velocity > 0.12 * height
    gap = round(0.016 * fs)
    first = last = origin
    for k in range(origin, a - 1, -1):
        if above[k]:
            first = k
        elif first - k > gap:
            break
    for k in range(origin, b + 1):
        if above[k]:
            last = k
        elif k - last > gap:
            break
    return first, last


def _curvature(beat: Floats, *, reach: int) -> Floats:
    """Height of each sample over the chord between its neighbours `reach` samples away."""
    out = np.zeros_like(beat)
    out[:, reach:-reach] = beat[:, reach:-reach] - 0.5 * (beat[:, : -2 * reach] + beat[:, 2 * reach :])
    return out


def _own_peak(bend: Floats, consensus: int, *, reach: int) -> NDArray[np.intp]:
    """Return the strongest bend of each lead near that of all leads."""
    a, b = max(consensus - reach, 0), min(consensus + reach + 1, bend.shape[1])
    strongest: NDArray[np.intp] = a + np.abs(bend[:, a:b]).argmax(axis=1)
    return strongest


def _boundary(beat: Floats, peak: NDArray[np.intp], *, steepest_within: int, far: int) -> NDArray[np.intp]:
    """Find the sample after `peak` whose trapezium with the steepest point is largest; shape (n_leads,)."""
    n_leads, n = beat.shape
    rows = np.arange(n_leads)
    far = min(max(far, int(peak.max()) + 4), n - 1)
    slope = np.gradient(beat, axis=1)
    at = np.minimum(peak[:, None] + np.arange(1, steepest_within), far)
    falling = slope[rows[:, None], at]
    direction = np.sign(beat[rows, peak] - beat[:, far])[:, None]
    steepest = at[rows, (-falling * direction).argmax(axis=1)]
    x = np.minimum(steepest[:, None] + np.arange(n), far)[:, : far - int(steepest.min()) + 1]
    height = direction * (beat[rows, steepest][:, None] - beat[rows[:, None], x])
    area = height * (2 * far - x - steepest[:, None])
    largest: NDArray[np.intp] = x[rows, area.argmax(axis=1)]
    return largest


def middle(values: NDArray[np.number]) -> float:
    """Return the median of a few numbers, in a tenth of the time that `np.median` takes.

    Examples
    --------
    >>> middle(np.array([3, 1, 2, 9]))
    2.5
    """
    ordered = sorted(values.tolist())
    return float(0.5 * (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]))


def _towards_median(marks: NDArray[np.number], wave: str) -> Floats:
    centre = middle(marks)
    drawn: Floats = centre + OWN_SHARE[wave] * (marks.astype(float) - centre)
    return drawn


def _smooth(values: Floats, n: int) -> Floats:
    return np.convolve(values, np.ones(max(1, n)) / max(1, n), mode="same")
