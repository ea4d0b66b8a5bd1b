"""Where on the signal a measurement was made."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from twelvelead.interpret.proof import Span
from twelvelead.measure import Heartbeat, Mark

Floats = NDArray[np.float64]

_WAVES = {
    "p_axis": ("P", Mark.P_ONSET, Mark.P_OFFSET),
    "pr_interval": ("PR", Mark.P_ONSET, Mark.QRS_ONSET),
    "pr_segment": ("PR", Mark.P_OFFSET, Mark.QRS_ONSET),
    "p": ("P", Mark.P_ONSET, Mark.P_OFFSET),
    "qt": ("QT", Mark.QRS_ONSET, Mark.T_OFFSET),
    "qtc": ("QT", Mark.QRS_ONSET, Mark.T_OFFSET),
    "jt": ("JT", Mark.QRS_OFFSET, Mark.T_OFFSET),
    "tpeak": ("T", Mark.T_PEAK, Mark.T_OFFSET),
    "st": ("ST", Mark.QRS_OFFSET, Mark.T_ONSET),
    "t": ("T", Mark.T_ONSET, Mark.T_OFFSET),
    "ventricular": ("QRST", Mark.QRS_ONSET, Mark.T_OFFSET),
    "qrs_t": ("QRST", Mark.QRS_ONSET, Mark.T_OFFSET),
    "u": ("U", Mark.T_OFFSET, Mark.T_OFFSET),
    "q": ("QRS", Mark.QRS_ONSET, Mark.QRS_OFFSET),
    "qs": ("QRS", Mark.QRS_ONSET, Mark.QRS_OFFSET),
    "qrs": ("QRS", Mark.QRS_ONSET, Mark.QRS_OFFSET),
    "r": ("QRS", Mark.QRS_ONSET, Mark.QRS_OFFSET),
    "rsr": ("QRS", Mark.QRS_ONSET, Mark.QRS_OFFSET),
    "s": ("QRS", Mark.QRS_ONSET, Mark.QRS_OFFSET),
    "sokolow": ("QRS", Mark.QRS_ONSET, Mark.QRS_OFFSET),
    "cornell": ("QRS", Mark.QRS_ONSET, Mark.QRS_OFFSET),
    "peguero": ("QRS", Mark.QRS_ONSET, Mark.QRS_OFFSET),
    "right": ("QRS", Mark.QRS_ONSET, Mark.QRS_OFFSET),
}
"""By the first words of a measurement's name, the longest that fits: the wave and the marks that bound it. What is not
here belongs to the whole recording: rhythm, counts of beats, noise."""
_LEADS_OF = {"sokolow": ("V1", "V5", "V6"), "cornell": ("aVL", "V3"), "right": ("V1", "V5", "V6")}
"""Voltages added up over leads: where they can be seen."""
_WHOLE = ("p_present", "p_resemblance")
U_S = 0.16
"""The U wave is looked for in so many seconds after the end of T."""


def locate(name: str, lead: str | None, heartbeat: Heartbeat) -> tuple[Span, ...]:
    """Say where a measurement of the CATALOGUE was made.

    Parameters
    ----------
    name : str
        Of the measurement.
    lead : str or None
        Its lead, if it has one.
    heartbeat : Heartbeat
        The beats and their marks.

    Returns
    -------
    tuple of Span
        Of a wave, its stretch in `show_beat`'s beat: where the median beat's number can be seen. Of everything else,
        from the first to the last beat, or the whole if there is one only.
    """
    found = _wave_of(name)
    if found is None:
        return (_whole(heartbeat, lead),)
    of = _LEADS_OF.get(name.split("_", maxsplit=1)[0], ()) if lead is None else ()
    return tuple(_stretch(found, one, heartbeat) for one in of if one in heartbeat.leads) or (
        _stretch(found, lead, heartbeat),
    )


def _stretch(found: tuple[str, Mark, Mark], lead: str | None, heartbeat: Heartbeat) -> Span:
    """Give a wave's stretch in `show_beat`'s beat: by the lead's own marks, where it has them."""
    wave, first, last = found
    beat = show_beat(heartbeat)
    marks = heartbeat.global_marks_s[beat]
    if lead is not None and lead in heartbeat.leads:
        own = heartbeat.beat_marks_s[beat, :, heartbeat.leads.index(lead)]
        marks = own if np.isfinite(own[[first, last]]).all() else marks
    start, end = float(marks[first]), float(marks[last]) + (U_S if wave == "U" else 0.0)
    if not start < end:  # NaN, or no room between the two
        return _whole(heartbeat, lead)
    return Span(lead, start, end, wave, beat)


@lru_cache(maxsize=2)  # every number of a recording asks for it
def show_beat(heartbeat: Heartbeat) -> int:
    """Choose the beat to point at: of the commonest shape, with most marks, and of the most usual length."""
    common = np.flatnonzero(heartbeat.shape_class == 0)
    marks = heartbeat.global_marks_s[common]
    n_missing = np.isnan(marks).sum(axis=1)
    length = marks[:, Mark.QRS_OFFSET] - marks[:, Mark.QRS_ONSET]
    with np.errstate(invalid="ignore"):
        oddity = np.abs(length - np.median(length[np.isfinite(length)])) if np.isfinite(length).any() else length
    return int(common[np.lexsort((common, np.nan_to_num(oddity, nan=np.inf), n_missing))[0]])


def _wave_of(name: str) -> tuple[str, Mark, Mark] | None:
    if name.startswith(_WHOLE):
        return None
    words = name.split("_")
    keys = ("_".join(words[:2]), words[0])
    return next((_WAVES[key] for key in keys if key in _WAVES), None)


def _whole(heartbeat: Heartbeat, lead: str | None) -> Span:
    times = heartbeat.times_s
    if times.size > 1:
        return Span(lead, float(times[0]), float(times[-1]), "RR")
    marks = heartbeat.global_marks_s[0]
    known = marks[np.isfinite(marks)]
    start, end = (float(known.min()), float(known.max())) if known.size > 1 else (0.0, float(times[0]))
    return Span(lead, start, end, "beat", 0)
