"""The QRS complex from the first lead that begins to the last that ends, and what is measured at these two ends."""

import math
from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from twelvelead.interpret.derivation import Derived
from twelvelead.interpret.proof import Span
from twelvelead.interpret.where import show_beat
from twelvelead.measure import Heartbeat, Mark
from twelvelead.terms import LEADS

Floats = NDArray[np.float64]

AHA_I = "doi:10.1161/CIRCULATIONAHA.106.180200"  # global intervals: earliest onset to latest offset of all leads
AHA_VI = "doi:10.1161/CIRCULATIONAHA.108.191098"


def extent_s(heartbeat: Heartbeat, beat: int) -> tuple[float, float]:
    """Give the earliest QRS onset and the latest QRS offset of the leads in one beat.

    Parameters
    ----------
    heartbeat : Heartbeat
        The beats and their marks.
    beat : int
        Which beat, from 0.

    Returns
    -------
    tuple of (start_s, end_s)
        s from the start of the recording; NaN where no lead has the mark.
    """
    return _first(heartbeat.beat_marks_s[beat, Mark.QRS_ONSET]), _last(heartbeat.beat_marks_s[beat, Mark.QRS_OFFSET])


def atrial_onset_s(heartbeat: Heartbeat, beat: int) -> float:
    """Give the earliest P onset of the leads in one beat, s from the start of the recording; NaN without P."""
    return _first(heartbeat.beat_marks_s[beat, Mark.P_ONSET])


def _first(marks: Floats) -> float:
    known = marks[np.isfinite(marks)]
    return float(known.min()) if known.size else math.nan


def _last(marks: Floats) -> float:
    known = marks[np.isfinite(marks)]
    return float(known.max()) if known.size else math.nan


def _duration(heartbeat: Heartbeat, _: Mapping[str, float]) -> float:
    return 1000.0 * (_last(heartbeat.marks[Mark.QRS_OFFSET]) - _first(heartbeat.marks[Mark.QRS_ONSET])) / heartbeat.fs


def _pr(heartbeat: Heartbeat, _: Mapping[str, float]) -> float:
    return 1000.0 * (_first(heartbeat.marks[Mark.QRS_ONSET]) - _first(heartbeat.marks[Mark.P_ONSET])) / heartbeat.fs


def _common_j(lead: str, heartbeat: Heartbeat, _: Mapping[str, float]) -> float:
    """Level of one lead where the last lead's QRS complex ends."""
    end = _last(heartbeat.marks[Mark.QRS_OFFSET])
    if lead not in heartbeat.leads or not math.isfinite(end):
        return math.nan
    return float(heartbeat.beat[heartbeat.leads.index(lead), min(round(end), heartbeat.beat.shape[1] - 1)])


def _cornell(_: Heartbeat, values: Mapping[str, float]) -> float:
    return values["cornell_voltage_mv"] * values["qrs_extent_ms"]


def _span(wave: str, lead: str | None, heartbeat: Heartbeat) -> tuple[Span, ...]:
    beat = show_beat(heartbeat)
    start, end = extent_s(heartbeat, beat)
    if wave == "PR":
        start, end = atrial_onset_s(heartbeat, beat), start
    return (Span(lead, start, end, wave, beat),) if start < end else ()


DERIVED: tuple[Derived, ...] = (
    Derived("qrs_extent_ms", "ms", "Earliest QRS onset to latest QRS offset, no lead left out.", AHA_I, _duration,
            partial(_span, "QRS", None)),
    Derived("pr_extent_ms", "ms", "Earliest P onset to earliest QRS onset, no lead left out.", AHA_I, _pr,
            partial(_span, "PR", None)),
    Derived("cornell_extent_mvms", "mV*ms", "R in aVL plus S in V3, times the QRS duration over all leads.",
            "doi:10.1016/0735-1097(92)90376-X", _cornell, partial(_span, "QRS", None)),
    *(
        Derived(f"st_common_j_{lead.lower()}_mv", "mV",
                f"Level of lead {lead}, over that at its QRS onset, where the last lead's QRS complex ends.", AHA_VI,
                partial(_common_j, lead), partial(_span, "QRS", lead), lead)
        for lead in LEADS
    ),
)  # fmt: skip
