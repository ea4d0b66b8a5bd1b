"""What criteria need of the median beat's waves beside the CATALOGUE: late S, terminal P, points of hypertrophy."""

import math
from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from twelvelead.interpret.derivation import Derived
from twelvelead.interpret.proof import Span
from twelvelead.interpret.where import locate
from twelvelead.measure import Heartbeat, Mark

Floats = NDArray[np.float64]

AHA_III = "doi:10.1161/CIRCULATIONAHA.108.191095"
AHA_V = "doi:10.1161/CIRCULATIONAHA.108.191097"
MORRIS = "doi:10.1161/01.CIR.29.2.242"

LEAST_MV = 0.020
"""A deflection counts as a wave from 20 µV, as in the CATALOGUE."""


def late_s_ms(y: Floats, fs: float) -> float:
    """Measure how long the last negative wave lasts, from the end of R to the end of the QRS complex of all leads.

    Parameters
    ----------
    y : ndarray, shape (n_samples,)
        One lead from its QRS onset to the QRS offset of all leads, mV from the level at onset.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    float
        ms; 0 if no wave below −20 µV follows the last one above 20 µV, or nothing is above.

    Examples
    --------
    20 ms of R and then 50 ms of S, at 1 kHz:

    >>> late_s_ms(np.repeat([1.0, -0.2], [20, 50]), 1000.0)
    50.0
    """
    above = np.flatnonzero(y > LEAST_MV)
    if not above.size:
        return 0.0
    return float((y[above[-1] + 1 :] < -LEAST_MV).sum() * 1000 / fs)


def terminal_force(y: Floats, fs: float) -> float:
    """Measure Morris's P terminal force: depth times duration of the negative end of the P wave.

    Parameters
    ----------
    y : ndarray, shape (n_samples,)
        The P wave in V1, mV, from onset to offset.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    float
        mV·ms, 0 or more; 4 is 0.04 mm·s. Heights are taken from the line that joins the ends.

    Examples
    --------
    50 ms at −0.1 mV are 5 mV·ms (at 1 kHz, the ends at zero):

    >>> y = np.concatenate([[0.0], np.full(50, 0.1), np.full(50, -0.1), [0.0]])
    >>> round(terminal_force(y, 1000.0), 6)
    5.0
    """
    height = y - np.linspace(y[0], y[-1], y.size)
    up = np.flatnonzero(height[:-1] > 0)
    end = height[up[-1] + 1 :] if up.size else height
    below = end[end < 0]
    return float(-below.min() * below.size * 1000 / fs) if below.size else 0.0


def _late_s(lead: str, heartbeat: Heartbeat, _: Mapping[str, float]) -> float:
    if lead not in heartbeat.leads:
        return math.nan
    k = heartbeat.leads.index(lead)
    first, last = heartbeat.marks[Mark.QRS_ONSET, k], heartbeat.global_marks[Mark.QRS_OFFSET]
    y = _stretch(heartbeat.beat[k], first, last)
    return late_s_ms(y, heartbeat.fs) if y.size else math.nan


def _terminal_force(heartbeat: Heartbeat, _: Mapping[str, float]) -> float:
    if "V1" not in heartbeat.leads:
        return math.nan
    k = heartbeat.leads.index("V1")
    y = _stretch(heartbeat.beat[k], heartbeat.marks[Mark.P_ONSET, k], heartbeat.marks[Mark.P_OFFSET, k])
    return terminal_force(y, heartbeat.fs) if y.size else math.nan


def _stretch(y: Floats, first: float, last: float) -> Floats:
    """Cut from one mark to another; nothing where one is missing or there are fewer than three samples."""
    if not math.isfinite(first + last) or last - first < 2:
        return np.empty(0)
    cut: Floats = y[round(first) : round(last) + 1]
    return cut if np.isfinite(cut).all() else np.empty(0)


def _romhilt_estes(_: Heartbeat, values: Mapping[str, float]) -> float:
    """Add the points of Romhilt and Estes, as the recommendations give them; without digitalis."""

    def largest(name: str, *leads: str) -> float:
        return max(abs(values[name.replace("{lead}", lead)]) for lead in leads)

    limb, chest = ("i", "ii", "iii", "avr", "avl", "avf"), ("v5", "v6")
    voltage = (
        largest("r_amplitude_{lead}_mv", *limb) >= 2.0
        or max(largest("s_amplitude_{lead}_mv", *limb), largest("q_amplitude_{lead}_mv", "avr")) >= 2.0
        or largest("s_amplitude_{lead}_mv", "v1", "v2") >= 3.0
        or largest("r_amplitude_{lead}_mv", *chest) >= 3.0
    )
    strain = any(
        values[f"st_j60_amplitude_{lead}_mv"] <= -0.05 and values[f"t_amplitude_{lead}_mv"] <= -0.1 for lead in chest
    )
    needed = [values[name] for name in ("qrs_axis_deg", "qrs_duration_ms", "r_peak_time_v5_ms", "r_peak_time_v6_ms")]
    needed += [values[f"r_amplitude_{lead}_mv"] for lead in (*limb, "v1", "v2", *chest)]
    if not all(map(math.isfinite, needed)):
        return math.nan
    axis, width, peak = needed[0], needed[1], max(needed[2:4])
    force = values["p_terminal_product_v1_mvms"]
    atrium = math.isfinite(force) and force >= 4.0
    return 3.0 * voltage + 3.0 * strain + 3.0 * atrium + 2.0 * (-180 < axis <= -30) + (width >= 90) + (peak >= 50)


def _at(name: str, lead: str, heartbeat: Heartbeat) -> tuple[Span, ...]:
    return locate(name, lead, heartbeat)


DERIVED = (
    *(
        Derived(
            f"s_late_duration_{lead.lower()}_ms", "ms",
            f"From the end of R to the end of the QRS complex of all leads, while below −20 µV, lead {lead}.",
            AHA_III, partial(_late_s, lead), partial(_at, "s_duration", lead), lead,
        )
        for lead in ("I", "V6")
    ),
    Derived(
        "p_terminal_product_v1_mvms", "mV*ms",
        "P terminal force in V1: depth times duration of the negative end of the P wave; 4 is 0.04 mm·s.",
        MORRIS, _terminal_force, partial(_at, "p_terminal", "V1"), "V1",
    ),
    Derived(
        "romhilt_estes_count", "1",
        "Points of Romhilt and Estes, without digitalis: voltage 3, strain in V5 or V6 3, P terminal force 3, axis "
        "from −30° leftwards 2, QRS from 90 ms 1, R peak time in V5 or V6 from 50 ms 1.",
        AHA_V, _romhilt_estes,
    ),
)  # fmt: skip
