"""What is known of the heartbeat of one recording, and of many, on which every measurement is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from twelvelead.terms import LEADS

Floats = NDArray[np.float64]

Fact = IntEnum(
    "Fact",
    "RR_MEAN_MS RR_MEDIAN_MS RR_SD_MS RR_RMSSD_MS RR_PNN50 RR_MIN_MS RR_MAX_MS RR_USUAL_VARIATION RR_IRREGULARITY "
    "PREMATURE_SHARE OTHER_SHAPE_SHARE SHAPE_COUNT BEAT_COUNT "
    "DOMINANT_COUNT PREMATURE_COUNT WIDE_COUNT PACED_COUNT ABERRANT_COUNT BIGEMINY_SHARE "
    "P_ONSET_MS P_PEAK_MS P_OFFSET_MS QRS_ONSET_MS R_PEAK_MS QRS_OFFSET_MS T_ONSET_MS T_PEAK_MS T_OFFSET_MS "
    "QRS_MEAN_X QRS_MEAN_Y QRS_MEAN_Z QRS_PEAK_X QRS_PEAK_Y QRS_PEAK_Z "
    "T_MEAN_X T_MEAN_Y T_MEAN_Z T_PEAK_X T_PEAK_Y T_PEAK_Z QRST_X QRST_Y QRST_Z "
    "QRS_ONSET_SLOPE QT_LEAD_SD_MS QRS_COMPLEXITY T_COMPLEXITY USABLE_COUNT SPIKE_COUNT "
    "P_PROBABILITY P_RESEMBLANCE F_WAVE_MV F_WAVE_SHARE FLUTTER_SHARE FLUTTER_HZ "
    "NOISE_MV WANDER_MV SCATTER_MV EINTHOVEN_MV",
    start=0,
)
"""Numbers that a recording has one of: of its beats' times and kinds, the marks of all leads together in the median
beat (ms from its start), the heart vector (mV, sums in mV·ms), and what was found on the way (`Heartbeat.facts`)."""

Quantity = IntEnum(
    "Quantity",
    "P_AMPLITUDE_MV P_AREA_MVMS P_TERMINAL_FORCE_MVMS P_LEAD_DURATION_MS "
    "Q_AMPLITUDE_MV R_AMPLITUDE_MV S_AMPLITUDE_MV R_PRIME_AMPLITUDE_MV "
    "Q_DURATION_MS R_DURATION_MS S_DURATION_MS R_PRIME_DURATION_MS "
    "R_PEAK_TIME_MS QRS_LEAD_DURATION_MS QRS_NOTCH_COUNT R_SHARE_RATIO QRS_AREA_MVMS "
    "ST_J_AMPLITUDE_MV ST_J60_AMPLITUDE_MV ST_J80_AMPLITUDE_MV ST_SLOPE_MVS "
    "T_AMPLITUDE_MV T_AREA_MVMS T_BIPHASIC_RATIO T_SYMMETRY_RATIO T_LEAD_DURATION_MS "
    "T_AMPLITUDE_TO_QRS_RATIO T_CONCORDANCE_RATIO U_AMPLITUDE_MV NOISE_MV",
    start=0,
)
"""Numbers that each lead has one of. All but the noise are measured on the median beat."""

_FACT = {fact.name.lower(): fact.value for fact in Fact}
_QUANTITY = {quantity.name.lower(): quantity.value for quantity in Quantity}
_LEAD = {lead: k for k, lead in enumerate(LEADS)}


@dataclass(frozen=True, eq=False)
class Heartbeat:
    """One recording, condensed: its beats, the median of the commonest ones, and the marks.

    Parameters
    ----------
    recording_id : str
        The recording.
    leads : tuple of str
        All its leads.
    usable : ndarray of bool, shape (n_leads,)
        Which of them may be measured.
    fs : float
        Rate of the beats below, about 500 Hz.
    times_s : ndarray, shape (n_beats,)
        Middle of each QRS complex, s from the start.
    shape_class : ndarray of int, shape (n_beats,)
        0 for the commonest shape of QRS complex, from 1 for others.
    beat : ndarray, shape (n_leads, n_window)
        Median beat of the commonest shape, from 0.4 Hz up, in mV from the level at QRS onset; NaN for unusable leads.
    marks : ndarray, shape (9, n_leads)
        Its marks in samples, in the order of `Mark`; NaN where there is none.
    global_marks : ndarray, shape (9,)
        The marks of all leads together.
    beat_marks_s : ndarray, shape (n_beats, 9, n_leads)
        The marks of each beat, s from the start.
    global_marks_s : ndarray, shape (n_beats, 9)
        The same for all leads together.
    scatter_mv : ndarray, shape (n_leads,)
        Scatter of single beats about the median beat.
    facts : mapping of str to float
        Single numbers found on the way, by the lower-case names of `Fact`, from p_probability on.
    by_lead : mapping of str to ndarray of shape (n_leads,)
        The same for each lead, by the names of `Quantity`: noise_mv.
    spikes_s : ndarray, shape (n_spikes,)
        Times of pacemaker spikes, s from the start.
    confidence : ndarray, shape (9, n_leads), or None
        How sure each mark of the median beat is, 0 to 1; NaN or None where unknown.
    global_confidence : ndarray, shape (9,), or None
        The same for all leads together.
    """

    recording_id: str
    leads: tuple[str, ...]
    usable: NDArray[np.bool_]
    fs: float
    times_s: Floats
    shape_class: NDArray[np.intp]
    beat: Floats
    marks: Floats
    global_marks: Floats
    beat_marks_s: Floats
    global_marks_s: Floats
    scatter_mv: Floats
    facts: Mapping[str, float]
    by_lead: Mapping[str, Floats]
    spikes_s: Floats = field(default_factory=lambda: np.empty(0))
    confidence: Floats | None = None
    global_confidence: Floats | None = None


@dataclass(frozen=True, eq=False)
class Heartbeats:
    """Many recordings side by side: the numbers from which every measurement follows by a formula.

    Parameters
    ----------
    facts : ndarray, shape (n_facts, n)
        One row per `Fact`, one column per recording.
    by_lead : ndarray, shape (n_quantities, 12, n)
        One plane per `Quantity`, one row per lead of `terms.LEADS`; NaN for leads that are missing or unusable.

    Notes
    -----
    A formula works on whole rows, element by element, so that a recording's number does not depend on its neighbours.
    Sums over leads are written out (`add`), since NumPy groups the terms of a sum by the array's shape.
    """

    facts: Floats
    by_lead: Floats

    def fact(self, name: str) -> Floats:
        """Return one number of each recording, by its lower-case name in `Fact`; shape (n,)."""
        row: Floats = self.facts[_FACT[name]]
        return row

    def lead(self, name: str, lead: str) -> Floats:
        """Return one number of one lead, by its lower-case name in `Quantity`; shape (n,)."""
        row: Floats = self.by_lead[_QUANTITY[name], _LEAD[lead]]
        return row

    def leads(self, name: str, leads: Sequence[str]) -> Floats:
        """Return one number of several leads; `-aVR` is aVR upside down; shape (n_leads, n)."""
        rows: Floats = self.by_lead[_QUANTITY[name]][[_LEAD[lead.removeprefix("-")] for lead in leads]]
        for k, lead in enumerate(leads):
            if lead.startswith("-"):
                rows[k] *= -1
        return rows


def add(rows: Floats) -> Floats:
    """Sum the rows, first to last; shape (n,).

    Examples
    --------
    >>> add(np.array([[1.0, 2.0], [10.0, 20.0]])).tolist()
    [11.0, 22.0]
    """
    total: Floats = rows[0].copy()
    for row in rows[1:]:
        total += row
    return total
