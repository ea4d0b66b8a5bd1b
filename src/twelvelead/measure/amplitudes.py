"""Amplitude, duration and area of each wave in each lead of the median beat."""

import math
from functools import partial
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.delineate import Mark
from twelvelead.measure.heartbeat import Heartbeat
from twelvelead.terms import LEADS, Measurement

Floats = NDArray[np.float64]

AHA_II = "doi:10.1161/CIRCULATIONAHA.106.180201"  # statement list; wave and segment names
AHA_I = "doi:10.1161/CIRCULATIONAHA.106.180200"  # the electrocardiogram and its technology
AHA_III = "doi:10.1161/CIRCULATIONAHA.108.191095"  # intraventricular conduction

LEAST_MV = 0.020
"""A deflection counts as a wave from 20 µV …"""
LEAST_MS = 6.0
"""… that lasts 6 ms (IEC 60601-2-25)."""
NOTCH_MV = 0.025
"""A reversal of slope within the QRS complex counts as a notch from 25 µV."""


def set_level(beat: Floats, marks: Floats, *, fs: float) -> Floats:
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
    """
    onset = marks[Mark.QRS_ONSET]
    first = np.where(np.isnan(onset), 0, onset).astype(int)
    at = np.maximum(first[:, None] - np.arange(round(0.016 * fs) + 1), 0)
    level = np.take_along_axis(beat, at, axis=1).mean(axis=1)
    return np.where(np.isnan(onset)[:, None], np.nan, beat - level[:, None])


def measure_leads(beat: Floats, marks: Floats, *, fs: float) -> dict[str, Floats]:
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
    dict of str to ndarray of shape (n_leads,)
        One entry per quantity of `PER_LEAD`. A wave that the QRS complex lacks has amplitude and duration 0; a P or T
        wave that is absent has NaN.
    """
    rows = [_measure_lead(y, m, fs=fs) for y, m in zip(beat, marks.T, strict=True)]
    return {key: np.array([row.get(key, np.nan) for row in rows]) for key in PER_LEAD}


def _measure_lead(y: Floats, marks: Floats, *, fs: float) -> dict[str, float]:
    if np.isnan(y[0]) or np.isnan(marks[Mark.QRS_ONSET]):
        return {}
    ms = 1000 / fs
    on, off = round(marks[Mark.QRS_ONSET]), round(marks[Mark.QRS_OFFSET])
    out = qrs_waves(y[on : off + 1], fs=fs)
    out |= _st_segment(y, off, fs=fs)
    span = out["r_amplitude_mv"] - min(out["q_amplitude_mv"], out["s_amplitude_mv"])
    out["qrs_area_mvms"] = float(y[on : off + 1].sum()) * ms
    if not np.isnan(marks[Mark.T_PEAK]):
        out |= _t_wave(y, marks, fs=fs)
        out["t_amplitude_to_qrs_ratio"] = out["t_amplitude_mv"] / max(span, 0.05)
        out["t_concordance_ratio"] = float(np.sign(out["qrs_area_mvms"])) * out["t_amplitude_to_qrs_ratio"]
    if not np.isnan(marks[Mark.P_PEAK]):
        out |= _p_wave(y, marks, fs=fs)
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
    ms = 1000 / fs
    values = y.tolist()  # plain floats: a loop over 50 of them is faster than a dozen array operations
    out = dict.fromkeys(_QRS_KEYS, 0.0)
    seen_r = False
    r_peak: int | None = None
    for side, a, b in _runs(values, least=math.ceil(LEAST_MS / ms)):
        extreme = max(values[a:b]) if side > 0 else min(values[a:b])
        name = ("r_prime" if seen_r and out["s_amplitude_mv"] < 0 else "r") if side > 0 else ("s" if seen_r else "q")
        if side > 0:
            seen_r = True
        if abs(extreme) > abs(out[f"{name}_amplitude_mv"]):
            out[f"{name}_amplitude_mv"] = extreme
            out[f"{name}_duration_ms"] = (b - a) * ms
            if side > 0 and (r_peak is None or extreme > values[r_peak]):
                r_peak = values.index(extreme, a, b)
    main = r_peak if r_peak is not None else int(np.abs(y).argmax())
    out["r_peak_time_ms"] = main * ms
    out["qrs_lead_duration_ms"] = (len(y) - 1) * ms
    out["qrs_notch_count"] = float(count_notches(y))
    r, s = max(out["r_amplitude_mv"], out["r_prime_amplitude_mv"]), max(-out["s_amplitude_mv"], -out["q_amplitude_mv"])
    out["r_share_ratio"] = r / (r + s) if r + s > 0 else float("nan")
    return out


def _runs(values: list[float], *, least: int) -> list[tuple[int, int, int]]:
    """Stretches of at least `least` samples above (1) or below (−1) the limit of a wave: side, first, last + 1."""
    runs, at = [], 0
    for side, stretch in groupby((v > LEAST_MV) - (v < -LEAST_MV) for v in values):
        length = sum(1 for _ in stretch)
        if side and length >= least:
            runs.append((side, at, at + length))
        at += length
    return runs


def count_notches(y: Floats) -> int:
    """Count the notches of a QRS complex: valleys in a positive wave and hills in a negative one, of at least 25 µV.

    Examples
    --------
    >>> count_notches(np.array([0, 0.5, 1.0, 0.9, 1.0, 0.5, 0]))
    1
    >>> count_notches(np.array([0, -0.1, 1.0, -0.3, 0]))
    0
    """
    first, *rest = y.tolist()
    turns = [first]
    rising = 0
    for value in rest:
        step = value - turns[-1]
        if rising == 0 or step * rising < 0:
            if abs(step) >= NOTCH_MV:
                turns.append(value)
                rising = 1 if step > 0 else -1
        else:
            turns[-1] = value
    inner = turns[1:-1]
    return sum(1 for a, b, c in zip(turns[:-2], inner, turns[2:], strict=True) if _dips(a, b, c))


def _dips(a: float, b: float, c: float) -> bool:
    """Whether b is a valley between two positive tops, or a hill between two negative ones."""
    return (b > 0 and b < min(a, c)) or (b < 0 and b > max(a, c))


def _st_segment(y: Floats, off: int, *, fs: float) -> dict[str, float]:
    last = len(y) - 1
    j, j60, j80 = (float(y[min(off + round(s * fs), last)]) for s in (0.0, 0.060, 0.080))
    return {
        "st_j_amplitude_mv": j,
        "st_j60_amplitude_mv": j60,
        "st_j80_amplitude_mv": j80,
        "st_slope_mvs": (j60 - j) / 0.060,
    }


def _t_wave(y: Floats, marks: Floats, *, fs: float) -> dict[str, float]:
    on, peak, off = (round(marks[k]) for k in (Mark.T_ONSET, Mark.T_PEAK, Mark.T_OFFSET))
    wave = y[on : off + 1]
    if wave.size < 3:
        return {}
    near = y[max(peak - 10, on) : peak + 11]
    extreme = float(near[np.abs(near).argmax()])
    high, low = max(float(wave.max()), 0.0), max(float(-wave.min()), 0.0)
    before, after = float(np.abs(y[on : peak + 1]).sum()), float(np.abs(y[peak : off + 1]).sum())
    return {
        "t_amplitude_mv": extreme,
        "t_area_mvms": float(wave.sum()) * 1000 / fs,
        "t_biphasic_ratio": min(high, low) / max(high, low, 1e-9),
        "t_symmetry_ratio": before / max(before + after, 1e-9),
        "t_lead_duration_ms": (off - on) * 1000 / fs,
    }


def _p_wave(y: Floats, marks: Floats, *, fs: float) -> dict[str, float]:
    on, off = round(marks[Mark.P_ONSET]), round(marks[Mark.P_OFFSET])
    wave = y[on : off + 1]
    if wave.size < 3:
        return {}
    wave = wave - (wave[0] + (wave[-1] - wave[0]) / (wave.size - 1) * np.arange(wave.size))
    ms = 1000 / fs
    return {
        "p_amplitude_mv": float(wave[np.abs(wave).argmax()]),
        "p_area_mvms": float(wave.sum()) * ms,
        "p_terminal_force_mvms": float(np.minimum(wave[wave.size // 2 :], 0).sum()) * ms,
        "p_lead_duration_ms": (off - on) * ms,
    }


_QRS_KEYS = (
    "q_amplitude_mv",
    "r_amplitude_mv",
    "s_amplitude_mv",
    "r_prime_amplitude_mv",
    "q_duration_ms",
    "r_duration_ms",
    "s_duration_ms",
    "r_prime_duration_ms",
)

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
    "t_biphasic_ratio": ("1", "Smaller over larger phase of the T wave; 0 for one phase, 1 for two equal ones", AHA_I),
    "t_symmetry_ratio": ("1", "Share of the T wave's area before its peak", AHA_I),
    "t_lead_duration_ms": ("ms", "Duration of the T wave in this lead alone", AHA_I),
    "t_amplitude_to_qrs_ratio": ("1", "T amplitude over the QRS complex's peak-to-peak amplitude", AHA_II),
    "t_concordance_ratio": ("1", "The same, positive where T points the way the QRS complex does", AHA_II),
}
"""Unit, definition and source of what is measured in each lead."""

_REFERENCE = {("r_peak_time_ms", "V5"): (0.0, 60.0), ("r_peak_time_ms", "V6"): (0.0, 60.0)}
"""Later R peaks are a criterion of left bundle branch block."""


def _of_lead(heartbeat: Heartbeat, *, name: str, lead: str) -> float:
    return heartbeat.lead(name, lead)


def _declare(name: str, lead: str) -> Measurement:
    unit, definition, source = PER_LEAD[name]
    stem, suffix = name.rsplit("_", 1)
    reference = _REFERENCE.get((name, lead))
    return Measurement(
        f"{stem}_{lead.lower()}_{suffix}",
        unit,
        f"{definition}, lead {lead}.",
        source,
        partial(_of_lead, name=name, lead=lead),
        level="lead",
        lead=lead,
        reference=reference,
        reference_source=AHA_III if reference else "",
    )


MEASUREMENTS = tuple(_declare(name, lead) for name in PER_LEAD for lead in LEADS)
