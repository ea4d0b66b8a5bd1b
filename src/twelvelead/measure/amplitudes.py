"""Amplitude, duration and area of each wave in each lead of the median beat."""

import math
from functools import partial

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.delineate import Mark
from twelvelead.measure.heartbeat import Heartbeats, Quantity
from twelvelead.signal.kernel import kernel
from twelvelead.terms import LEADS, Measurement

Floats = NDArray[np.float64]

AHA_II = "doi:10.1161/CIRCULATIONAHA.106.180201"  # statement list; wave and segment names
AHA_I = "doi:10.1161/CIRCULATIONAHA.106.180200"  # the electrocardiogram and its technology
AHA_III = "doi:10.1161/CIRCULATIONAHA.108.191095"  # intraventricular conduction
AHA_IV = "doi:10.1161/CIRCULATIONAHA.108.191096"  # ST segment, T and U waves

LEAST_MV = 0.020
"""A deflection counts as a wave from 20 µV …"""
LEAST_MS = 6.0
"""… that lasts 6 ms (IEC 60601-2-25)."""
NOTCH_MV = 0.025
"""A reversal of slope within the QRS complex counts as a notch from 25 µV."""
LEVEL_S = 0.016
"""What precedes QRS onset by up to 16 ms is the level of zero."""
NEAR_T_PEAK_S = 0.020
"""The T amplitude is the largest level within 20 ms of the T peak."""


@kernel
def set_level(beat: NDArray[np.floating], marks: Floats, fs: float) -> Floats:
    """Move each lead so that its level in the 16 ms before QRS onset is zero.

    Parameters
    ----------
    beat : ndarray, shape (n_leads, n_window)
        Median beat, mV.
    marks : ndarray, shape (9, n_leads)
        Its marks in samples.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    ndarray, shape (n_leads, n_window)
        mV; NaN where the lead has no QRS onset.

    Examples
    --------
    >>> beat, marks = np.array([[0.5, 0.5, 0.5, 1.5]]), np.full((9, 1), 2.0)
    >>> set_level(beat, marks, fs=50.0).tolist()
    [[0.0, 0.0, 0.0, 1.0]]
    """
    out = np.empty(beat.shape)
    n = int(np.rint(LEVEL_S * fs)) + 1
    for k in range(beat.shape[0]):
        level = np.nan
        if not np.isnan(marks[Mark.QRS_ONSET, k]):
            onset, level = int(marks[Mark.QRS_ONSET, k]), 0.0
            for i in range(n):
                level += beat[k, max(onset - i, 0)]
            level /= n
        for i in range(beat.shape[1]):
            out[k, i] = beat[k, i] - level
    return out


def measure_leads(beat: Floats, marks: Floats, *, fs: float) -> Floats:
    """Measure every wave of every lead.

    Parameters
    ----------
    beat : ndarray, shape (n_leads, n_window)
        Median beat in mV from the level at QRS onset; NaN for unusable leads.
    marks : ndarray, shape (9, n_leads)
        Its marks in samples.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    ndarray, shape (n_quantities, n_leads)
        In the order of `Quantity`. A wave that the QRS complex lacks has amplitude and duration 0; a P or T wave that
        is absent has NaN, as have the quantities that are not measured on the median beat.
    """
    out = np.full((len(Quantity), beat.shape[0]), np.nan)
    _measure_leads(beat, marks, fs, out)
    return out


def qrs_waves(y: Floats, *, fs: float) -> dict[str, float]:
    """Split a QRS complex into Q, R, S and R′.

    Parameters
    ----------
    y : ndarray, shape (n_samples,)
        From QRS onset to offset, mV from the level at onset.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    dict
        Amplitudes in mV (Q and S negative), durations in ms, R peak time in ms, number of notches. A complex without
        positive wave (QS) is a Q wave.

    Examples
    --------
    A q of 0.1 mV, an R of 1 mV and an S of 0.3 mV, 20 ms each:

    >>> w = qrs_waves(np.repeat([-0.1, 1.0, -0.3], 10), fs=500)
    >>> w["q_amplitude_mv"], w["r_amplitude_mv"], w["s_amplitude_mv"], w["r_duration_ms"]
    (-0.1, 1.0, -0.3, 20.0)
    """
    out = np.full((len(Quantity), 1), np.nan)
    _split_qrs(np.ascontiguousarray(y, dtype=np.float64), 1000 / fs, out, 0)
    of_qrs = (q for q in Quantity if Quantity.Q_AMPLITUDE_MV <= q <= Quantity.R_SHARE_RATIO)
    return {q.name.lower(): float(out[q, 0]) for q in of_qrs}


@kernel
def _measure_leads(beat: Floats, marks: Floats, fs: float, out: Floats) -> None:
    ms = 1000 / fs
    near = max(1, int(np.rint(NEAR_T_PEAK_S * fs)))
    for k in range(beat.shape[0]):
        y = beat[k]
        if np.isnan(y[0]) or np.isnan(marks[Mark.QRS_ONSET, k]) or np.isnan(marks[Mark.QRS_OFFSET, k]):
            continue
        on, off = _span(marks[Mark.QRS_ONSET, k], marks[Mark.QRS_OFFSET, k], y.size)
        _split_qrs(y[on:off], ms, out, k)
        out[Quantity.QRS_AREA_MVMS, k] = y[on:off].sum() * ms
        _measure_st(y, off - 1, fs, out, k)
        if not np.isnan(marks[Mark.T_ONSET, k] + marks[Mark.T_PEAK, k] + marks[Mark.T_OFFSET, k]):
            on, off = _span(marks[Mark.T_ONSET, k], marks[Mark.T_OFFSET, k], y.size)
            if off - on >= 3:
                peak = min(max(int(np.rint(marks[Mark.T_PEAK, k])), on), off - 1)
                _measure_t(y[on : min(peak + near + 1, y.size)], peak - on, near, out, k)
                _weigh_t(y[on:off], peak - on, ms, out, k)
        if not np.isnan(marks[Mark.P_ONSET, k] + marks[Mark.P_OFFSET, k]):
            on, off = _span(marks[Mark.P_ONSET, k], marks[Mark.P_OFFSET, k], y.size)
            if off - on >= 3:
                _measure_p(y[on:off], ms, out, k)


@kernel
def _span(onset: float, offset: float, n: int) -> tuple[int, int]:
    """First sample of a wave, and the one after its last."""
    first = min(max(int(np.rint(onset)), 0), n - 1)
    return first, min(max(int(np.rint(offset)) + 1, first + 1), n)


@kernel
def _split_qrs(y: Floats, ms: float, out: Floats, k: int) -> None:
    """Write the waves of one lead's QRS complex into column k of `out`."""
    for wave in range(4):
        out[Quantity.Q_AMPLITUDE_MV + wave, k] = out[Quantity.Q_DURATION_MS + wave, k] = 0.0
    least = math.ceil(LEAST_MS / ms)
    r_peak, seen_r, n = -1, False, y.size
    a = 0
    while a < n:
        side = _side(y[a])
        b, extreme = a + 1, a
        while b < n and _side(y[b]) == side:
            extreme = b if abs(y[b]) > abs(y[extreme]) else extreme
            b += 1
        if side != 0 and b - a >= least:
            wave = _wave_of(side, seen_r, out[Quantity.S_AMPLITUDE_MV, k] < 0)
            seen_r = seen_r or side > 0
            if abs(y[extreme]) > abs(out[Quantity.Q_AMPLITUDE_MV + wave, k]):
                out[Quantity.Q_AMPLITUDE_MV + wave, k] = y[extreme]
                out[Quantity.Q_DURATION_MS + wave, k] = (b - a) * ms
                r_peak = extreme if side > 0 and (r_peak < 0 or y[extreme] > y[r_peak]) else r_peak
        a = b
    out[Quantity.R_PEAK_TIME_MS, k] = (r_peak if r_peak >= 0 else np.abs(y).argmax()) * ms
    out[Quantity.QRS_LEAD_DURATION_MS, k] = (n - 1) * ms
    out[Quantity.QRS_NOTCH_COUNT, k] = count_notches(y)
    r = max(out[Quantity.R_AMPLITUDE_MV, k], out[Quantity.R_PRIME_AMPLITUDE_MV, k])
    s = max(-out[Quantity.S_AMPLITUDE_MV, k], -out[Quantity.Q_AMPLITUDE_MV, k])
    if r + s > 0:
        out[Quantity.R_SHARE_RATIO, k] = r / (r + s)


@kernel
def _side(value: float) -> int:
    """1 above the limit of a wave, −1 below it on the other side, 0 between."""
    return 1 if value > LEAST_MV else (-1 if value < -LEAST_MV else 0)


@kernel
def _wave_of(side: int, seen_r: bool, seen_s: bool) -> int:  # noqa: FBT001 (compiled: no keywords)
    """Which wave a deflection is: 0 Q, 1 R, 2 S, 3 R′."""
    if side > 0:
        return 3 if seen_r and seen_s else 1
    return 2 if seen_r else 0


@kernel
def count_notches(y: Floats) -> int:
    """Count the notches of a QRS complex: valleys in a positive wave and hills in a negative one, of at least 25 µV.

    Examples
    --------
    >>> count_notches(np.array([0, 0.5, 1.0, 0.9, 1.0, 0.5, 0]))
    1
    >>> count_notches(np.array([0, -0.1, 1.0, -0.3, 0]))
    0
    """
    turns = np.empty(y.size)
    turns[0], n, rising = y[0], 1, 0
    for i in range(1, y.size):
        step = y[i] - turns[n - 1]
        if rising == 0 or step * rising < 0:
            if abs(step) >= NOTCH_MV:
                turns[n] = y[i]
                n += 1
                rising = 1 if step > 0 else -1
        else:
            turns[n - 1] = y[i]
    notches = 0
    for i in range(1, n - 1):
        valley = 0 < turns[i] < min(turns[i - 1], turns[i + 1])
        hill = 0 > turns[i] > max(turns[i - 1], turns[i + 1])
        notches += 1 if valley or hill else 0
    return notches


@kernel
def _measure_st(y: Floats, off: int, fs: float, out: Floats, k: int) -> None:
    last = y.size - 1
    j = y[off]
    j60, j80 = y[min(off + int(np.rint(0.060 * fs)), last)], y[min(off + int(np.rint(0.080 * fs)), last)]
    out[Quantity.ST_J_AMPLITUDE_MV, k] = j
    out[Quantity.ST_J60_AMPLITUDE_MV, k] = j60
    out[Quantity.ST_J80_AMPLITUDE_MV, k] = j80
    out[Quantity.ST_SLOPE_MVS, k] = (j60 - j) / 0.060


@kernel
def _measure_t(y: Floats, peak: int, near: int, out: Floats, k: int) -> None:
    """Write the T wave's amplitude; `y` begins at T onset and ends `near` samples after the peak."""
    t = y[peak]
    for i in range(max(peak - near, 0), y.size):
        t = y[i] if abs(y[i]) > abs(t) else t
    r = out[Quantity.R_AMPLITUDE_MV, k]
    size = r - min(out[Quantity.Q_AMPLITUDE_MV, k], out[Quantity.S_AMPLITUDE_MV, k])
    ratio = t / max(size, 0.05)
    out[Quantity.T_AMPLITUDE_MV, k] = t
    out[Quantity.T_AMPLITUDE_TO_QRS_RATIO, k] = ratio
    out[Quantity.T_CONCORDANCE_RATIO, k] = np.sign(out[Quantity.QRS_AREA_MVMS, k]) * ratio


@kernel
def _weigh_t(y: Floats, peak: int, ms: float, out: Floats, k: int) -> None:
    """Write the T wave's area, phases and symmetry; `y` is the wave."""
    high, low, area, before, total = 0.0, 0.0, 0.0, 0.0, abs(y[peak])
    for i in range(y.size):
        high, low = max(high, y[i]), max(low, -y[i])
        area += y[i]
        total += abs(y[i])
        before += abs(y[i]) if i <= peak else 0.0
    out[Quantity.T_AREA_MVMS, k] = area * ms
    out[Quantity.T_BIPHASIC_RATIO, k] = min(high, low) / max(high, low) if min(high, low) > LEAST_MV else 0.0
    out[Quantity.T_SYMMETRY_RATIO, k] = before / max(total, 1e-9)
    out[Quantity.T_LEAD_DURATION_MS, k] = (y.size - 1) * ms


@kernel
def _measure_p(y: Floats, ms: float, out: Floats, k: int) -> None:
    """Write the P wave's size over the line that joins its ends; `y` is the wave."""
    slope = (y[-1] - y[0]) / (y.size - 1)
    largest, area, late = 0.0, 0.0, 0.0
    for i in range(y.size):
        height = y[i] - (y[0] + slope * i)
        largest = height if abs(height) > abs(largest) else largest
        area += height
        late += min(height, 0.0) if i >= y.size // 2 else 0.0
    out[Quantity.P_AMPLITUDE_MV, k] = largest
    out[Quantity.P_AREA_MVMS, k] = area * ms
    out[Quantity.P_TERMINAL_FORCE_MVMS, k] = late * ms
    out[Quantity.P_LEAD_DURATION_MS, k] = (y.size - 1) * ms


PER_LEAD: dict[str, tuple[str, str, str]] = {
    "p_amplitude_mv": ("mV", "Largest deflection of the P wave from the line joining its ends", AHA_I),
    "p_area_mvms": ("mV*ms", "Area of the P wave over the line joining its ends", AHA_I),
    "p_terminal_force_mvms": ("mV*ms", "Negative area of the second half of the P wave", "doi:10.1161/01.CIR.29.2.242"),
    "p_lead_duration_ms": ("ms", "Duration of the P wave in this lead alone", AHA_I),
    "q_amplitude_mv": ("mV", "Depth of the Q wave (QS counts as Q), negative; 0 without", AHA_I),
    "r_amplitude_mv": ("mV", "Height of the R wave over the level at QRS onset; 0 without", AHA_I),
    "s_amplitude_mv": ("mV", "Depth of the S wave, negative; 0 without", AHA_I),
    "r_prime_amplitude_mv": ("mV", "Height of the R′ wave, the positive wave after an S; 0 without", AHA_I),
    "q_duration_ms": ("ms", "Duration of the Q wave beyond 20 µV; 0 without", AHA_I),
    "r_duration_ms": ("ms", "Duration of the R wave beyond 20 µV; 0 without", AHA_I),
    "s_duration_ms": ("ms", "Duration of the S wave beyond 20 µV; 0 without", AHA_I),
    "r_prime_duration_ms": ("ms", "Duration of the R′ wave beyond 20 µV; 0 without", AHA_I),
    "r_peak_time_ms": ("ms", "From QRS onset to the peak of the tallest positive wave", AHA_II),
    "qrs_lead_duration_ms": ("ms", "Duration of the QRS complex in this lead alone", AHA_I),
    "qrs_notch_count": ("1", "Notches of the QRS complex of at least 25 µV", AHA_II),
    "r_share_ratio": ("1", "R / (R + S), the larger of each; 0.5 at the transition zone", AHA_II),
    "qrs_area_mvms": ("mV*ms", "Net area of the QRS complex", AHA_I),
    "st_j_amplitude_mv": ("mV", "Level of the J point over that at QRS onset", AHA_I),
    "st_j60_amplitude_mv": ("mV", "Level 60 ms after the J point", AHA_I),
    "st_j80_amplitude_mv": ("mV", "Level 80 ms after the J point", AHA_I),
    "st_slope_mvs": ("mV/s", "Slope of the first 60 ms of the ST segment", AHA_I),
    "t_amplitude_mv": ("mV", "Level of the T peak over that at QRS onset, negative if inverted", AHA_I),
    "t_area_mvms": ("mV*ms", "Net area of the T wave", AHA_I),
    "t_biphasic_ratio": ("1", "Smaller over larger phase of T, 1 for two equal ones; 0 if it is below 20 µV", AHA_I),
    "t_symmetry_ratio": ("1", "Share of the T wave's area before its peak", AHA_I),
    "t_lead_duration_ms": ("ms", "Duration of the T wave in this lead alone", AHA_I),
    "t_amplitude_to_qrs_ratio": ("1", "T amplitude over the QRS complex's peak-to-peak amplitude", AHA_II),
    "t_concordance_ratio": ("1", "The same, positive where T points the way the QRS complex does", AHA_II),
}
"""Unit, definition and source of what is measured in each lead."""

_REFERENCE = {("r_peak_time_ms", "V5"): (0.0, 60.0), ("r_peak_time_ms", "V6"): (0.0, 60.0)}
"""Later R peaks are a criterion of left bundle branch block."""


def of_lead(name: str, lead: str, heartbeats: Heartbeats) -> Floats:
    """Return a number of one lead that is reported as it was found; shape (n,)."""
    return heartbeats.lead(name, lead)


def _declare(name: str, lead: str) -> Measurement:
    unit, definition, source = PER_LEAD[name]
    stem, suffix = name.rsplit("_", 1)
    reference = _REFERENCE.get((name, lead))
    return Measurement(
        f"{stem}_{lead.lower()}_{suffix}",
        unit,
        f"{definition}, lead {lead}.",
        source,
        partial(of_lead, name, lead),
        level="lead",
        lead=lead,
        reference=reference,
        reference_source=AHA_III if reference else "",
    )


MEASUREMENTS = tuple(_declare(name, lead) for name in PER_LEAD for lead in LEADS)
