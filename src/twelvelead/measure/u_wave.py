"""The U wave: what rises between T and the next P."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.amplitudes import LEAST_MV, of_lead
from twelvelead.measure.delineate import Mark
from twelvelead.measure.heartbeat import Quantity
from twelvelead.signal.kernel import kernel
from twelvelead.terms import Measurement

Floats = NDArray[np.float64]

AHA_IV = "doi:10.1161/CIRCULATIONAHA.108.191096"

CLEAR_S = 0.020
"""The U wave begins at least 20 ms after T offset, and ends 20 ms before the next P."""
LONGEST_S = 0.200
LEAST_S = 0.100
"""With less room than 100 ms there is no telling whether there is a U wave."""


@kernel
def measure_u(beat: Floats, marks: Floats, rr_ms: float, fs: float, out: Floats) -> None:
    """Measure the largest deflection between T and the next P from the line that joins the ends of that stretch.

    Parameters
    ----------
    beat : ndarray, shape (n_leads, n_window)
        Median beat, mV; NaN for unusable leads.
    marks : ndarray, shape (9, n_leads)
        Its marks in samples.
    rr_ms : float
        From one beat to the next; NaN for a single beat, after which there is room.
    fs : float
        Sampling frequency in Hz.
    out : ndarray, shape (n_quantities, n_leads)
        Written in place: mV, 0 for less than 20 µV; left as it is where the next beat leaves no room.

    Examples
    --------
    A hill of 0.1 mV, 100 ms after a T wave that ends at 400 ms:

    >>> beat, marks = np.zeros((1, 400)), np.full((9, 1), np.nan)
    >>> marks[3], marks[8] = 100, 200
    >>> beat[0, 220:280] = 0.1 * np.hanning(60)
    >>> out = np.full((len(Quantity), 1), np.nan)
    >>> measure_u(beat, marks, 1000.0, 500.0, out)
    >>> out[Quantity.U_AMPLITUDE_MV].round(3).tolist()
    [0.1]
    """
    clear = CLEAR_S * fs
    for k in range(beat.shape[0]):
        t_offset, onset = marks[Mark.T_OFFSET, k], marks[Mark.P_ONSET, k]
        onset = marks[Mark.QRS_ONSET, k] if np.isnan(onset) else onset
        if np.isnan(beat[k, 0]) or np.isnan(t_offset) or np.isnan(onset):
            continue
        room = beat.shape[1] - 1.0 if np.isnan(rr_ms) else min(onset + rr_ms * fs / 1000 - clear, beat.shape[1] - 1.0)
        a = int(np.rint(t_offset + clear))
        b = int(min(a + LONGEST_S * fs, room))
        if b - a < LEAST_S * fs:
            continue
        u, slope = 0.0, (beat[k, b] - beat[k, a]) / (b - a)
        for i in range(a, b + 1):
            height = beat[k, i] - (beat[k, a] + slope * (i - a))
            u = height if abs(height) > abs(u) else u
        out[Quantity.U_AMPLITUDE_MV, k] = u if abs(u) >= LEAST_MV else 0.0


MEASUREMENTS = tuple(
    Measurement(
        f"u_amplitude_{lead.lower()}_mv",
        "mV",
        f"Largest deflection in the 200 ms after T over the line joining their ends; 0 below 20 µV, lead {lead}.",
        AHA_IV,
        partial(of_lead, "u_amplitude_mv", lead),
        level="lead",
        lead=lead,
    )
    for lead in ("V2", "V3")
)
