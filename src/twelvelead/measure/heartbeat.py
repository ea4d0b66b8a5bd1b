"""What is known of one recording's heartbeat, on which every measurement is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

KORS_LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
KORS_MATRIX = np.array([
    [0.38, -0.07, -0.13, 0.05, -0.01, 0.14, 0.06, 0.54],
    [-0.07, 0.93, 0.06, -0.02, -0.05, 0.06, -0.17, 0.13],
    [0.11, -0.23, -0.43, -0.06, -0.14, -0.20, -0.11, 0.31],
])  # fmt: skip
"""Frank leads X (left), Y (down), Z (back) by regression (Kors), doi:10.1093/oxfordjournals.eurheartj.a059647."""


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
        return self._numbers[name].get(lead, float("nan"))

    @cached_property
    def rr_ms(self) -> Floats:
        """RR intervals in ms, shape (n_beats − 1,)."""
        return np.diff(self.times_s) * 1000

    @cached_property
    def vector(self) -> Floats | None:
        """Median beat as X, Y and Z in mV (Kors), shape (3, n_window); None unless all eight leads are there."""
        at = [self.leads.index(lead) for lead in KORS_LEADS if lead in self.leads]
        if len(at) < len(KORS_LEADS) or not self.usable[at].all():
            return None
        vector: Floats = KORS_MATRIX @ self.beat[at]
        return vector

    @cached_property
    def _numbers(self) -> dict[str, dict[str, float]]:
        return {name: dict(zip(self.leads, row.tolist(), strict=True)) for name, row in self.by_lead.items()}
