"""What is known of one recording's heartbeat, on which every measurement is made."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


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
        Median beat of the commonest shape, 0.4–150 Hz, in mV from the level at QRS onset; NaN for unusable leads.
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
        Single numbers found on the way: p_probability, n_spikes, f_wave_mv, …
    by_lead : mapping of str to ndarray of shape (n_leads,)
        Amplitudes, durations and areas of each lead, named without lead, e.g. `r_amplitude_mv`.
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

    def lead(self, name: str, lead: str) -> float:
        """Return the number called `name` of one lead; NaN where the lead is missing or unusable."""
        if lead not in self.leads:
            return float("nan")
        return float(self.by_lead[name][self.leads.index(lead)])
