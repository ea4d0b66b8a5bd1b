"""How far a number in a text may be from what was measured, and why so far."""

import math
from typing import NamedTuple

from twelvelead.interpret.case import Z95, Case, in_lead
from twelvelead.measure import CATALOGUE

_UNITS = {m.name: m.unit for m in CATALOGUE}
_LEADS = {m.name: m.lead for m in CATALOGUE}
AMPLITUDE_MV, AMPLITUDE_SHARE = 0.025, 0.05
"""IEC 60601-2-25 lets an electrocardiograph's amplitudes be wrong by 25 µV, or by 5 % where that is more."""
RR_MS = 10.0
RATE_BPM = 1.0
SHARE = 0.05
_LIKE = (
    ("q_duration", "qrs_duration_ms"), ("r_duration", "qrs_duration_ms"), ("s_duration", "qrs_duration_ms"),
    ("r_prime_duration", "qrs_duration_ms"), ("qrs_lead_duration", "qrs_duration_ms"),
    ("s_lateral_duration", "qrs_duration_ms"),
    ("r_peak_time", "qrs_duration_ms"), ("q_inferior_duration", "qrs_duration_ms"),
    ("p_lead_duration", "p_duration_ms"),
    ("t_lead_duration", "t_duration_ms"), ("qt_lead", "qt_interval_ms"),
)  # fmt: skip
"""Durations in one lead, whose error nobody annotated: they are bounded by the same marks."""


class Tolerance(NamedTuple):
    """Half the width of what is let pass, in the measurement's unit; and where it is from."""

    half: float
    why: str


def tolerance(case: Case, name: str) -> Tolerance:
    """Say how far from a measurement's number another may be that means the same.

    Parameters
    ----------
    case : Case
        One recording, measured.
    name : str
        Of the measurement.

    Returns
    -------
    Tolerance
        Intervals: 95 % limits of our own error on annotated databases (`Case.error`); a duration in one lead has that
        of the wave. Amplitudes: the beats' scatter, and at least what IEC 60601-2-25 allows. Rate and RR: their
        standard error over the recording, and at least 1/min and 10 ms. Axes: what the scatter of the limb leads does
        to them. Counts: nothing. All else: 5 %.
    """
    value, unit = case.values[name], _UNITS.get(name, "1")
    like = next((other for start, other in _LIKE if name.startswith(start)), name)
    error = case.error(like)
    if unit == "mV":
        return _of_amplitude(error, value)
    if name == "heart_rate_bpm" or (name.startswith("rr_") and unit == "ms"):
        return _of_rhythm(case, name)
    if error is not None:
        return Tolerance(error, "95 % limits of our error on annotated recordings")
    if unit == "deg":
        return _of_axis(case, name)
    return Tolerance(0.0, "a count") if name.endswith("_count") else Tolerance(SHARE * abs(value), "5 %")


def _of_rhythm(case: Case, name: str) -> Tolerance:
    """Give the standard error of the mean RR interval, or of the rate, over the recording."""
    if name in ("rr_min_ms", "rr_max_ms"):
        return Tolerance(RR_MS, "10 ms of one RR interval")
    share = Z95 * case.values["rr_variation_ratio"] / math.sqrt(max(1.0, case.values["beat_count"] - 1.0))
    spread = _finite(share * case.values[name])
    if name == "heart_rate_bpm":
        return Tolerance(max(RATE_BPM, spread), "standard error of the mean RR interval, at least 1/min")
    return Tolerance(max(RR_MS, spread), "standard error of the mean RR interval, at least 10 ms")


def _of_amplitude(error: float | None, value: float) -> Tolerance:
    allowed = max(AMPLITUDE_MV, AMPLITUDE_SHARE * abs(value))
    if error is not None and error > allowed:
        return Tolerance(error, "scatter of the beats")
    return Tolerance(allowed, "25 µV or 5 %, as IEC 60601-2-25 allows")


def _of_axis(case: Case, name: str) -> Tolerance:
    """Turn the amplitude errors of I and aVF into an angle, by the wave's height in these leads; at least 5°."""
    wave = {"p": "p_amplitude_{lead}_mv", "t": "t_amplitude_{lead}_mv"}.get(name[0])
    sizes, errors = [], []
    for lead in ("I", "aVF"):
        names = (
            [in_lead(wave, lead)]
            if wave
            else [in_lead(n, lead) for n in ("r_amplitude_{lead}_mv", "s_amplitude_{lead}_mv")]
        )
        sizes.append(sum(_finite(case.values[n]) for n in names))
        errors.append(_finite(case.error(names[0]) or 0.0))
    size = math.hypot(*sizes)
    angle = math.degrees(math.atan2(math.hypot(*errors), size)) if size > 0 else 180.0
    return Tolerance(max(5.0, angle), "scatter of the beats in I and aVF, at least 5°")


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0


def unit_of_measurement(name: str) -> str:
    """Give the unit of a measurement of the CATALOGUE; "1" for a number without one."""
    return _UNITS.get(name, "1")


def lead_of_measurement(name: str) -> str | None:
    """Give the lead of a measurement of the CATALOGUE; None if it is not one lead's."""
    return _LEADS.get(name)
