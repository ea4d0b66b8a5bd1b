"""Rules that find the waves of a median beat: where it is steep, where it bends, where a trapezium is largest."""

import numpy as np
from numpy.typing import NDArray

from twelvelead.signal.kernel import kernel

Floats = NDArray[np.float64]

# Mean differences from the cardiologists' marks in the Lobachevsky database (doi:10.13026/eegm-h675), in ms, found by
# bench/accuracy.py with all of these at zero; they are subtracted. Slope rules leave the first and last few ms of a
# wave outside; cardiologists do not. Of the 4 ms by which their P peaks lie earlier half is left: a symmetric wave has
# its peak in the middle.
BIAS_MS = (-1.5, 2.0, 14.1, 17.0, 0.0, -16.8, 3.1, 0.0, 6.1)

# How much of a lead's own deviation from the median of the leads is kept: a lead's mark carries noise of its own, the
# median hardly any. Between 0.3 and 0.7 the errors on LUDB change by less than 1 ms.
P_SHARE = 0.4
QRS_SHARE = 0.5
T_SHARE = 0.5

QRS_SLOPE = 0.15
LEAST_R_MV = 0.020
T_DELAY_S = 0.32
T_SPREAD_S = 0.09
PEAK_P_S = 0.105
P_SPREAD_S = 0.07
LEAST_ROOM_S = 0.040
"""Window that is searched for a P or T wave where the rate leaves less."""


@kernel
def follow_rules(beat: Floats, fs: float, origin: int, rr_s: float) -> Floats:
    """Find the nine marks of each lead by rules alone.

    Parameters
    ----------
    beat : ndarray, shape (n_leads, n_window)
        Median beat, 0.4–40 Hz, mV.
    fs : float
        Sampling frequency in Hz.
    origin : int
        Sample in the middle of the QRS complex.
    rr_s : float
        RR interval in s, which limits where P and T can lie.

    Returns
    -------
    ndarray, shape (9, n_leads)
        Samples, in the order of `Mark`.
    """
    n_leads, n = beat.shape
    marks = np.empty((9, n_leads))
    marks[3:6] = _mark_qrs(beat, slope_of(beat), fs, origin)
    for m in range(3, 6):
        marks[m] -= BIAS_MS[m] * fs / 1000
    start = min(max(int(median_of(marks[3])), 2), n - 4)
    end = min(max(int(median_of(marks[5])), start + 1), n - 3)
    marks[6:] = _mark_t(beat, fs, (start, end), rr_s)
    marks[:3] = _mark_p(beat, fs, start, rr_s)
    for m in (0, 1, 2, 6, 7, 8):
        marks[m] -= BIAS_MS[m] * fs / 1000
    for m in range(9):
        for k in range(n_leads):
            marks[m, k] = min(max(marks[m, k], 0.0), n - 1.0)
            if m:
                marks[m, k] = max(marks[m, k], marks[m - 1, k])
    return marks


@kernel
def median_of(values: Floats) -> float:
    """Return the median."""
    ordered = np.sort(values)
    n = len(ordered)
    middle: float = 0.5 * (ordered[(n - 1) // 2] + ordered[n // 2])
    return middle


@kernel
def slope_of(beat: Floats) -> Floats:
    """Rise per sample of each lead, from its two neighbours; shape (n_leads, n_window)."""
    n_leads, n = beat.shape
    slope = np.empty((n_leads, n))
    for k in range(n_leads):
        slope[k, 0] = beat[k, 1] - beat[k, 0]
        slope[k, n - 1] = beat[k, n - 1] - beat[k, n - 2]
        for i in range(1, n - 1):
            slope[k, i] = 0.5 * (beat[k, i + 1] - beat[k, i - 1])
    return slope


@kernel
def speed_of(slope: Floats) -> Floats:
    """Rise per sample of all leads together; shape (n_window,)."""
    n_leads, n = slope.shape
    speed = np.zeros(n)
    for k in range(n_leads):
        for i in range(n):
            speed[i] += slope[k, i] ** 2
    return np.sqrt(speed)


@kernel
def _draw_together(values: Floats, share: float) -> float:
    """Draw the leads' marks towards their median, in place; returns the median."""
    centre = median_of(values)
    for k in range(len(values)):
        values[k] = centre + share * (values[k] - centre)
    return centre


@kernel
def _mark_qrs(beat: Floats, slope: Floats, fs: float, origin: int) -> Floats:
    """Onset, R wave and offset of the QRS complex of each lead; shape (3, n_leads)."""
    n_leads, n = beat.shape
    marks = np.empty((3, n_leads))
    first, last = _extent(speed_of(slope), fs, origin)
    a, b = max(first - round(0.040 * fs), 1), min(last + round(0.050 * fs), n - 2)
    ahead = max(0, a - round(0.06 * fs))
    for k in range(n_leads):
        quiet = median_of(np.abs(slope[k, ahead : a + 1]))
        marks[0, k], marks[2, k] = _steep_part(slope[k], (a, b), quiet, (first, last))
    start = max(int(_draw_together(marks[0], QRS_SHARE)) - 5, 0)
    stop = min(max(int(_draw_together(marks[2], QRS_SHARE)), origin) + 1, n - 1)
    for k in range(n_leads):
        marks[1, k] = start + r_wave(beat[k, start : stop + 1])
    return marks


@kernel
def _extent(speed: Floats, fs: float, origin: int) -> tuple[int, int]:
    """First and last sample of the QRS complex of all leads together."""
    n = len(speed)
    half = max(1, round(0.008 * fs)) // 2
    a, b = max(origin - round(0.11 * fs), half), min(origin + round(0.13 * fs), n - 1 - half)
    smooth = np.zeros(n)
    highest = 0.0
    for i in range(a, b + 1):
        smooth[i] = np.mean(speed[i - half : i + half])
        if abs(i - origin) <= round(0.06 * fs):
            highest = max(highest, smooth[i])
    gap = round(0.016 * fs)
    first = last = origin
    for i in range(origin, a - 1, -1):
        if smooth[i] > 0.12 * highest:
            first = i
        elif first - i > gap:
            break
    for i in range(origin, b + 1):
        if smooth[i] > 0.12 * highest:
            last = i
        elif i - last > gap:
            break
    return first, last


@kernel
def _steep_part(slope: Floats, span: tuple[int, int], quiet: float, otherwise: tuple[int, int]) -> tuple[int, int]:
    """First and last of two neighbours in a row that are steeper than a share of the steepest."""
    a, b = span
    limit = QRS_SLOPE * np.max(np.abs(slope[a : b + 1])) + 1.5 * quiet
    first, last = otherwise
    found = False
    for i in range(a, b):
        if abs(slope[i]) > limit and abs(slope[i + 1]) > limit:
            first = first if found else i
            last = i
            found = True
    return first, last


@kernel
def r_wave(qrs: Floats) -> int:
    """Sample of the R wave of one lead, or of the deepest point of a complex without one (QS).

    The tallest positive deflection; where a negative one is larger (rS, Qr), the tallest before it, otherwise the one
    behind it, of at least 20 µV. That is what the cardiologists of the Lobachevsky database mark: the R wave however
    small, and not the largest deflection. With the latter 59 % of its 10 732 R marks in 100 recordings lie within
    6 ms, with this rule 92 %.
    """
    level = qrs[0]
    low, high = int(np.argmin(qrs)), int(np.argmax(qrs))
    if qrs[high] - level >= level - qrs[low]:
        return high
    before = int(np.argmax(qrs[: low + 1]))
    if qrs[before] - level >= LEAST_R_MV:
        return before
    behind = low + int(np.argmax(qrs[low:]))
    # Still rising at the end: the ST segment, not a wave.
    if qrs[behind] - level >= LEAST_R_MV and behind < len(qrs) - 1:
        return behind
    return low


@kernel
def _mark_t(beat: Floats, fs: float, qrs: tuple[int, int], rr_s: float) -> Floats:
    """Onset, peak and offset of the T wave of each lead; shape (3, n_leads)."""
    n = beat.shape[1]
    room = round(LEAST_ROOM_S * fs)
    # Wide complexes at a very high rate leave next to no room for T: look just behind them.
    start = min(qrs[1] + round(0.050 * fs), n - 2 - room)
    end = max(min(qrs[0] + round(min(0.62, 0.80 * rr_s + 0.02) * fs), n - 2), start + room)
    stop = min(qrs[0] + round(min(0.70, 0.93 * rr_s) * fs), n - 1)
    held = beat.copy()
    for k in range(len(beat)):
        held[k, : qrs[1]] = beat[k, qrs[1]]
    expected = (qrs[0] + T_DELAY_S * np.sqrt(min(rr_s, 1.5)) * fs, T_SPREAD_S * fs)
    reach = (0.080 * fs, 0.060 * fs, 0.13 * fs, 0.14 * fs, 0.10 * fs)
    return _mark_wave(held, (start, end), (qrs[1], stop), expected, reach, T_SHARE)


@kernel
def _mark_p(beat: Floats, fs: float, qrs_onset: int, rr_s: float) -> Floats:
    """Onset, peak and offset of the P wave of each lead, if there is one; shape (3, n_leads)."""
    end = qrs_onset - round(0.030 * fs)
    start = max(qrs_onset - round(min(0.40, 0.50 * rr_s) * fs), round(0.050 * fs))
    start = max(min(start, end - round(LEAST_ROOM_S * fs)), 0)
    end = max(end, start + 2)
    held = beat.copy()
    for k in range(len(beat)):
        held[k, qrs_onset:] = beat[k, qrs_onset]
    expected = (qrs_onset - PEAK_P_S * fs, P_SPREAD_S * fs)
    reach = (0.050 * fs, 0.030 * fs, 0.10 * fs, 0.09 * fs, 0.06 * fs)
    return _mark_wave(held, (start, end), (0, qrs_onset - 2), expected, reach, P_SHARE)


@kernel
def _mark_wave(
    beat: Floats,
    search: tuple[int, int],
    limits: tuple[int, int],
    expected: tuple[float, float],
    reach: tuple[float, float, float, float, float],
    share: float,
) -> Floats:
    """Mark a wave: where all leads together bend most, weighted by where it is expected, and each lead's edges there.

    `reach`, in samples: of a bend to either side, of a lead's peak from that of all leads, of onset and offset from
    it, and of the steepest point from the peak.
    """
    n_leads, n = beat.shape
    bend = _bend(beat, search, round(reach[0]))
    together = speed_of(bend)
    best, centre = -1.0, 0
    for i in range(len(together)):
        away = (search[0] + i - expected[0]) / expected[1]
        weighed = together[i] * np.exp(-0.5 * away * away)
        if weighed > best:
            best, centre = weighed, i
    marks = np.empty((3, n_leads))
    a, b = max(centre - round(reach[1]), 0), min(centre + round(reach[1]) + 1, len(together))
    for k in range(n_leads):
        marks[1, k] = search[0] + a + np.argmax(np.abs(bend[k, a:b]))
    centre += search[0]
    first = min(max(limits[0], centre - round(reach[2])), int(np.min(marks[1])) - 4)
    last = max(min(limits[1], centre + round(reach[3])), int(np.max(marks[1])) + 4)
    for k in range(n_leads):
        peak = int(marks[1, k])
        marks[0, k] = _edge(beat[k], peak, max(first, 0), round(reach[4]))
        marks[2, k] = _edge(beat[k], peak, min(last, n - 1), round(reach[4]))
    for m in range(3):
        _draw_together(marks[m], share)
    return marks


@kernel
def _bend(beat: Floats, search: tuple[int, int], reach: int) -> Floats:
    """Height of each sample searched over the chord between its neighbours `reach` samples away."""
    n_leads, n = beat.shape
    bend = np.zeros((n_leads, search[1] - search[0]))
    for k in range(n_leads):
        for i in range(max(search[0], reach), min(search[1], n - reach)):
            bend[k, i - search[0]] = beat[k, i] - 0.5 * (beat[k, i - reach] + beat[k, i + reach])
    return bend


@kernel
def _edge(lead: Floats, peak: int, far: int, within: int) -> int:
    """Sample between peak and `far` whose trapezium with the steepest point is largest.

    Vázquez-Seisdedos CR, et al., doi:10.1186/1475-925X-10-77
    """
    step = 1 if far > peak else -1
    up = 1.0 if lead[peak] >= lead[far] else -1.0
    steepest, best = peak + step, -np.inf
    for i in range(peak + step, peak + step * min(within, abs(far - peak) + 1), step):
        behind = min(max(i - 1, 0), len(lead) - 3)
        fall = up * step * (lead[behind] - lead[behind + 2])
        if fall > best:
            steepest, best = i, fall
    edge, best = steepest, -np.inf
    for i in range(steepest, far + step, step):
        area = up * (lead[steepest] - lead[i]) * (abs(far - i) + abs(far - steepest))
        if area > best:
            edge, best = i, area
    return edge
