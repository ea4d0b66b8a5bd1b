"""The fourteen sequences by lead that GEM's instruction data carry: measured rightly, or as FeatureDB does it."""

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twelvelead.interpret.case import Case
from twelvelead.measure import Mark
from twelvelead.terms import LEADS

Floats = NDArray[np.float64]
Form = Literal["measured", "featuredb"]

SEQUENCES = (
    "Heart_Rates", "RR1_intervals", "RR2_intervals", "P_amplitudes", "P_durations", "PR_intervals", "QRS_amplitudes",
    "QRS_durations", "T_amplitudes", "T_durations", "ST_durations", "ST_form", "QT_intervals", "QTc_intervals",
)  # fmt: skip
"""Their names, in order. The publication shows two of them as they are spelt in the data, QRS_durations and ST_form;
the others are spelt after these."""
FLAT_MV = 0.05
"""An ST segment whose straight line rises or falls by less, half a millimetre, is called horizontal."""
LEVEL_S = 0.010
"""The level that heights are taken from is the mean of so long before the QRS complex."""


class BeatMarks(NamedTuple):
    """One beat in one lead: what its sequences need.

    Parameters
    ----------
    y : ndarray, shape (n_samples,)
        The lead, mV.
    fs : float
        Sampling frequency in Hz.
    marks : ndarray, shape (9,)
        s from the start of the recording, in the order of `Mark`; NaN where there is none.
    before_s, after_s : float
        RR intervals to the beat before and to the next, s; NaN at the ends.
    """

    y: Floats
    fs: float
    marks: Floats
    before_s: float
    after_s: float


def gem_features(case: Case, *, form: Form) -> dict[str, dict[str, str]]:
    """Write down GEM's fourteen sequences of each of the twelve leads, a value per beat.

    Parameters
    ----------
    case : Case
        One recording, measured.
    form : {"measured", "featuredb"}
        Whether QT ends where T ends and begins with the QRS complex, and T is its own; or what the published FeatureDB
        takes for them: QT and T from the end of the QRS complex to the end of T.

    Returns
    -------
    dict of str to dict of str to str
        `Lead I` and so on; in each the `SEQUENCES`, values separated by a comma and a blank: ms as whole numbers, mV
        with three decimals, 1/min as whole numbers, words for the form of the ST segment; `nan` where there is none.

    Notes
    -----
    RR1 is the interval to the beat before, RR2 to the next, the rate is of RR1. Heights are from the mean level of the
    10 ms before the QRS complex: of P and T signed, of the QRS complex from its lowest to its highest point. QTc is
    Bazett's, of RR1. The sequences hold neither the height of ST nor Q, R and S apart; what is said of these rests on
    the CATALOGUE.

    References
    ----------
    Lan X, et al. GEM. doi:10.48550/arXiv.2503.06073.
    """
    return {f"Lead {lead}": _of_lead(case, lead, form=form) for lead in LEADS}


def _of_lead(case: Case, lead: str, *, form: Form) -> dict[str, str]:
    heartbeat = case.heartbeat
    rows: list[tuple[float | str, ...]] = []
    if lead in heartbeat.leads and heartbeat.usable[heartbeat.leads.index(lead)]:
        marks = heartbeat.beat_marks_s[:, :, heartbeat.leads.index(lead)]
        rr = np.diff(heartbeat.times_s)
        before, after = np.append(math.nan, rr), np.append(rr, math.nan)
        y = case.recording[lead].astype(np.float64)
        beats = [BeatMarks(y, case.recording.fs, *known) for known in zip(marks, before, after, strict=True)]
        rows = [describe_beat(beat, form=form) for beat in beats]
    columns = zip(*rows, strict=True) if rows else [()] * len(SEQUENCES)
    return {
        name: ", ".join(_write(value, name) for value in column)
        for name, column in zip(SEQUENCES, columns, strict=True)
    }


def describe_beat(beat: BeatMarks, *, form: Form) -> tuple[float | str, ...]:
    """Measure one beat in one lead.

    Parameters
    ----------
    beat : BeatMarks
        Signal and marks.
    form : {"measured", "featuredb"}
        As in `gem_features`.

    Returns
    -------
    tuple
        In the order of `SEQUENCES`; 1/min, ms and mV, and a word.

    Examples
    --------
    QRS from 0.30 to 0.38 s and T from 0.50 to 0.66 s, flat: a QT of 360 ms; FeatureDB has 280.

    >>> at = np.array([0.10, 0.15, 0.20, 0.30, 0.34, 0.38, 0.50, 0.60, 0.66])
    >>> beat = BeatMarks(np.zeros(500), 500.0, at, 1.0, 1.0)
    >>> describe_beat(beat, form="measured")
    (60.0, 1000.0, 1000.0, 0.0, 100.0, 200.0, 0.0, 80.0, 0.0, 160.0, 120.0, 'horizontal', 360.0, 360.0)
    >>> [round(number, 6) for number in describe_beat(beat, form="featuredb")[-2:]]
    [280.0, 280.0]
    """
    on, off, t_off = (float(beat.marks[mark]) for mark in (Mark.QRS_ONSET, Mark.QRS_OFFSET, Mark.T_OFFSET))
    p_on, p_off, t_on = (float(beat.marks[mark]) for mark in (Mark.P_ONSET, Mark.P_OFFSET, Mark.T_ONSET))
    t_from, qt_from = (t_on, on) if form == "measured" else (off, off)
    level = _level(beat, on)
    complex_ = _cut(beat, on, off)
    return (
        60.0 / beat.before_s, _ms(beat.before_s), _ms(beat.after_s),
        _extreme(_cut(beat, p_on, p_off), level), _ms(p_off - p_on), _ms(on - p_on),
        float(np.ptp(complex_)) if complex_.size else math.nan, _ms(off - on),
        _extreme(_cut(beat, t_from, t_off), level), _ms(t_off - t_from),
        _ms(t_on - off), st_form(_cut(beat, off, t_on)),
        _ms(t_off - qt_from), round(_ms(t_off - qt_from) / math.sqrt(beat.before_s), 6),
    )  # fmt: skip


def st_form(y: Floats) -> str:
    """Name the form of an ST segment by the straight line through it.

    Parameters
    ----------
    y : ndarray, shape (n_samples,)
        From the end of the QRS complex to the beginning of T, mV.

    Returns
    -------
    str
        horizontal, upslope or declination; `nan` of fewer than two samples.

    Examples
    --------
    >>> st_form(np.linspace(0.0, 0.2, 9)), st_form(np.linspace(0.2, 0.0, 9)), st_form(np.full(9, 0.3))
    ('upslope', 'declination', 'horizontal')
    """
    if y.size < 2:
        return "nan"
    x = np.arange(y.size) - (y.size - 1) / 2
    rise = float((x @ y) / (x @ x)) * (y.size - 1)
    if abs(rise) < FLAT_MV:
        return "horizontal"
    return "upslope" if rise > 0 else "declination"


def _cut(beat: BeatMarks, start_s: float, end_s: float) -> Floats:
    """Cut a stretch out; nothing where an end is not known or a sample is missing."""
    if not start_s < end_s:
        return np.empty(0)
    y = beat.y[max(0, round(start_s * beat.fs)) : round(end_s * beat.fs) + 1]
    return y if np.isfinite(y).all() else np.empty(0)


def _level(beat: BeatMarks, onset_s: float) -> float:
    before = _cut(beat, onset_s - LEVEL_S, onset_s)
    return float(before.mean()) if before.size else math.nan


def _extreme(y: Floats, level: float) -> float:
    """Give the height that is farthest from a level, signed."""
    if not y.size:
        return math.nan
    height = y - level
    return float(height[np.argmax(np.abs(height))])


def _ms(seconds: float) -> float:
    return round(1000.0 * seconds, 6)


def _write(value: float | str, name: str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.3f}" if name.endswith("amplitudes") else f"{value:.0f}"
