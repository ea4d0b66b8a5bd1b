"""What was measured of a thing that a text speaks of, with its tolerance and the measurements it comes from."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from twelvelead.interpret.case import Case, in_lead
from twelvelead.interpret.lexicon_quantities import QTC
from twelvelead.interpret.tolerance import RR_MS, tolerance, unit_of_measurement
from twelvelead.measure import Mark


class Reading(NamedTuple):
    """A measured value, its unit and tolerance, why this tolerance, and the measurements it was made of."""

    value: float
    unit: str
    tolerance: float
    why: str
    names: tuple[str, ...]
    lead: str | None = None

    def difference(self, low: float, high: float) -> float:
        """Say how far the value is outside a range; angles go round."""
        around = (-360.0, 0.0, 360.0) if self.unit == "deg" else (0.0,)
        return min(max(low - self.value - turn, self.value + turn - high, 0.0) for turn in around)

    def inside(self, low: float, high: float) -> bool:
        """Say whether the value is inside a range by more than its tolerance."""
        around = (-360.0, 0.0, 360.0) if self.unit == "deg" else (0.0,)
        return any(low + self.tolerance < self.value + turn < high - self.tolerance for turn in around)


def read_out(case: Case, measure: str, lead: str | None = None) -> Reading | None:
    """Look up what was measured; None if there is no number.

    Parameters
    ----------
    case : Case
        One recording, measured.
    measure : str
        A measurement's name, with `{lead}` for a lead's; or one of `PUT_TOGETHER`.
    lead : str or None
        The lead.
    """
    if measure in PUT_TOGETHER:
        return PUT_TOGETHER[measure](case, lead)
    name = in_lead(measure, lead) if lead else measure
    value = case.values.get(name, math.nan)
    if not math.isfinite(value):
        return None
    half, why = tolerance(case, name)
    return Reading(value, unit_of_measurement(name), half, why, (name,), lead)


def read_beat(case: Case, subject: str, beat: int) -> list[Reading]:
    """Give an interval of one beat, counted from 1; of RR, the one before it and the one after it."""
    times, marks = case.heartbeat.times_s, case.heartbeat.global_marks_s
    if not 1 <= beat <= times.size:
        return []
    if subject in ("rr", "pause"):
        intervals = np.diff(times) * 1000.0
        near = [intervals[k] for k in (beat - 2, beat - 1) if 0 <= k < intervals.size]
        return [Reading(float(value), "ms", RR_MS, "10 ms", ("rr_mean_ms",)) for value in near]
    name, first, last = _OF_BEAT.get(subject, ("", Mark.QRS_ONSET, Mark.QRS_OFFSET))
    value = 1000.0 * (marks[beat - 1, last] - marks[beat - 1, first])
    if not name or not math.isfinite(value):
        return []
    return [Reading(float(value), "ms", 2.0 * (case.error(name) or RR_MS), "twice that of the median beat", (name,))]


_OF_BEAT = {
    "pr": ("pr_interval_ms", Mark.P_ONSET, Mark.QRS_ONSET),
    "qrs": ("qrs_duration_ms", Mark.QRS_ONSET, Mark.QRS_OFFSET),
    "qt": ("qt_interval_ms", Mark.QRS_ONSET, Mark.T_OFFSET),
    "p": ("p_duration_ms", Mark.P_ONSET, Mark.P_OFFSET),
}


def median_rr_ms(case: Case) -> float:
    """Give the median RR interval, ms; NaN of a single beat."""
    intervals = np.diff(case.heartbeat.times_s) * 1000.0
    return float(np.median(intervals)) if intervals.size else math.nan


def _rr_median(case: Case, _: str | None) -> Reading | None:
    mean = read_out(case, "rr_mean_ms")
    return None if mean is None else mean._replace(value=median_rr_ms(case))


def _peak_to_peak(case: Case, lead: str | None) -> Reading | None:
    """Take the tallest positive from the deepest negative wave of QRS."""
    waves = ("r_amplitude_{lead}_mv", "r_prime_amplitude_{lead}_mv", "q_amplitude_{lead}_mv", "s_amplitude_{lead}_mv")
    found = [read_out(case, wave, lead) for wave in waves] if lead else []
    known = [reading for reading in found if reading is not None]
    if not known:
        return None
    value = max(r.value for r in known) - min(r.value for r in known)
    names = tuple(name for r in known if r.value for name in r.names)
    return Reading(value, "mV", max(2 * known[0].tolerance, 0.05 * value), "that of both its ends", names, lead)


def _size(wave: str) -> Callable[[Case, str | None], Reading | None]:
    def read(case: Case, lead: str | None) -> Reading | None:
        found = read_out(case, wave, lead) if lead else None
        return None if found is None else found._replace(value=abs(found.value))

    return read


def _q_pathology(case: Case, lead: str | None) -> Reading | None:
    """Say how many times a Q wave is what makes it pathological: 30 ms and 0.1 mV, 20 ms in V2 and V3."""
    if lead is None:
        return None
    depth, width = (read_out(case, name, lead) for name in ("q_amplitude_{lead}_mv", "q_duration_{lead}_ms"))
    if depth is None or width is None:
        return None
    times = min(abs(depth.value) / 0.1, width.value / (20.0 if lead in ("V2", "V3") else 30.0))
    return Reading(times, "1", 0.2, "of depth and duration together", (*depth.names, *width.names), lead)


def _qs_size(case: Case, lead: str | None) -> Reading | None:
    """Give the depth of a QS complex; 0 where there is an R wave."""
    if lead is None:
        return None
    depth, r = (read_out(case, name, lead) for name in ("q_amplitude_{lead}_mv", "r_amplitude_{lead}_mv"))
    if depth is None or r is None:
        return None
    value = abs(depth.value) if r.value <= r.tolerance else 0.0
    return depth._replace(value=value, names=(*depth.names, *r.names))


def _qtc(case: Case, _: str | None) -> Reading | None:
    """Give the corrected QT by Fridericia; words of any formula are let pass within the formulas' spread."""
    found = [read_out(case, name) for name in QTC.values()]
    known = [reading for reading in found if reading is not None]
    if not known:
        return None
    middle = next((r for r in known if r.names == (QTC["fridericia"],)), known[0])
    spread = max(abs(r.value - middle.value) for r in known)
    return middle._replace(tolerance=middle.tolerance + spread, why="that of QT, and the spread of the formulas")


def _low_voltage(case: Case, _: str | None) -> Reading | None:
    """Give the largest QRS over what low voltage is, the smaller of limb (0.5 mV) and chest leads (1 mV)."""
    found = [
        (read_out(case, name), limit) for name, limit in (("qrs_limb_voltage_mv", 0.5), ("qrs_chest_voltage_mv", 1.0))
    ]
    known = [(reading.value / limit, reading) for reading, limit in found if reading is not None]
    if not known:
        return None
    value, reading = min(known, key=lambda pair: pair[0])
    return Reading(value, "1", 0.05 * value, "5 %", reading.names)


PUT_TOGETHER: dict[str, Callable[[Case, str | None], Reading | None]] = {
    "rr_median": _rr_median,
    "qrs_peak_to_peak": _peak_to_peak,
    "s_size": _size("s_amplitude_{lead}_mv"),
    "q_size": _size("q_amplitude_{lead}_mv"),
    "u_size": _size("u_amplitude_{lead}_mv"),
    "q_pathology": _q_pathology,
    "qs_size": _qs_size,
    "qtc": _qtc,
    "low_voltage": _low_voltage,
}
OF_A_LEAD = ("qrs_peak_to_peak", "s_size", "q_size", "u_size", "q_pathology", "qs_size")
"""Those that a lead has."""


def is_of_a_lead(measure: str) -> bool:
    """Say whether a measurement is made in each lead."""
    return "{lead}" in measure or measure in OF_A_LEAD
