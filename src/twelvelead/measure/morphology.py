"""Patterns over several leads: progression of R, Q waves, ST deviation, T inversion, fragmentation."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.heartbeat import Heartbeats, add
from twelvelead.measure.rhythm import fact
from twelvelead.terms import CHEST_LEADS, LEADS, Measurement

Floats = NDArray[np.float64]

AHA_III = "doi:10.1161/CIRCULATIONAHA.108.191095"
AHA_IV = "doi:10.1161/CIRCULATIONAHA.108.191096"
AHA_VI = "doi:10.1161/CIRCULATIONAHA.108.191098"
MI4 = "doi:10.1161/CIR.0000000000000617"
MACFARLANE = "doi:10.1007/978-1-84882-046-3"
DAS = "doi:10.1161/CIRCULATIONAHA.105.595892"

NEIGHBOURS = (("aVL", "I"), ("I", "-aVR"), ("-aVR", "II"), ("II", "aVF"), ("aVF", "III"),
              ("V1", "V2"), ("V2", "V3"), ("V3", "V4"), ("V4", "V5"), ("V5", "V6"))  # fmt: skip
"""Contiguous leads, in Cabrera's order and across the chest."""
TERRITORIES = {
    "inferior": ("II", "III", "aVF"),
    "anterior": ("V1", "V2", "V3", "V4"),
    "lateral": ("I", "aVL", "V5", "V6"),
}
T_UPRIGHT = ("I", "II", "V3", "V4", "V5", "V6")
"""Leads in which an adult's T wave is upright."""
LATERAL = ("I", "V5", "V6")
ALL_BUT_AVR = ("I", "II", "III", "aVL", "aVF", *CHEST_LEADS)
Q_LEADS = ("I", "II", "aVL", "aVF", "V2", "V3", "V4", "V5", "V6")
"""Leads in which a Q wave may be that of an infarction: III, aVR and V1 often have one without."""
LEAST_Q_MS = np.array([20.0 if lead in {"V2", "V3"} else 30.0 for lead in Q_LEADS])


def transition_zone(r_share: Floats) -> Floats:
    """Where across the chest R overtakes S: 3.5 is midway between V3 and V4.

    Parameters
    ----------
    r_share : ndarray, shape (6, n)
        R / (R + S) in V1 to V6.

    Returns
    -------
    ndarray, shape (n,)
        1 if R exceeds S already in V1, 7 if it never does; NaN if a lead is missing.

    Examples
    --------
    >>> transition_zone(np.array([[0.1, 0.2, 0.4, 0.6, 0.8, 0.9]]).T).tolist()
    [3.5]
    """
    zone = np.full(r_share.shape[1], 7.0)
    for k in range(5, 0, -1):  # backwards, so that the first lead has the last word
        before, here = r_share[k - 1], r_share[k]
        rises = (here >= 0.5) & (before < 0.5)
        zone = np.where(rises, k + (0.5 - before) / np.where(rises, here - before, 1.0), zone)
    zone = np.where(r_share[0] >= 0.5, 1.0, zone)
    return np.where(np.isnan(r_share).any(axis=0), np.nan, zone)


def _transition(heartbeats: Heartbeats) -> Floats:
    return transition_zone(heartbeats.leads("r_share_ratio", CHEST_LEADS))


def _r_progression(heartbeats: Heartbeats) -> Floats:
    return heartbeats.lead("r_amplitude_mv", "V4") - heartbeats.lead("r_amplitude_mv", "V1")


def highest(name: str, leads: Sequence[str], heartbeats: Heartbeats) -> Floats:
    """Largest number of several leads, NaN if one is missing; shape (n,)."""
    largest: Floats = heartbeats.leads(name, leads).max(axis=0)
    return largest


def lowest(name: str, leads: Sequence[str], heartbeats: Heartbeats) -> Floats:
    """Smallest number of several leads, NaN if one is missing; shape (n,)."""
    smallest: Floats = heartbeats.leads(name, leads).min(axis=0)
    return smallest


def average(name: str, leads: Sequence[str], heartbeats: Heartbeats) -> Floats:
    """Mean of several leads, NaN if one is missing; shape (n,)."""
    return add(heartbeats.leads(name, leads)) / len(leads)


def count(which: NDArray[np.bool_], values: Floats) -> Floats:
    """Count the leads of which something is true, NaN if a lead has no value; both of shape (n_leads, n)."""
    return np.where(np.isnan(values).any(axis=0), np.nan, which.sum(axis=0))


def count_known(which: NDArray[np.bool_], values: Floats) -> Floats:
    """Count the leads that have a value and of which something is true; NaN if none has a value."""
    return np.where(np.isnan(values).all(axis=0), np.nan, which.sum(axis=0))


def q_lead_count(heartbeats: Heartbeats) -> Floats:
    """Count the leads of `Q_LEADS` with a Q wave of at least 0.1 mV and 30 ms, in V2 and V3 20 ms; shape (n,)."""
    depth, duration = heartbeats.leads("q_amplitude_mv", Q_LEADS), heartbeats.leads("q_duration_ms", Q_LEADS)
    return count((depth <= -0.1) & (duration >= LEAST_Q_MS[:, None]), depth)


def _contiguous(side: int, heartbeats: Heartbeats) -> Floats:
    """Pairs of neighbouring leads in which ST at J deviates by 0.1 mV up (side 1) or 0.05 mV down (side −1)."""
    limit = 0.1 if side > 0 else 0.05
    first, second = (side * heartbeats.leads("st_j_amplitude_mv", leads) for leads in zip(*NEIGHBOURS, strict=True))
    return count((first >= limit) & (second >= limit), first + second)


def _t_inversion(heartbeats: Heartbeats) -> Floats:
    t = heartbeats.leads("t_amplitude_mv", T_UPRIGHT)
    return count(t < -0.1, t)


def _t_flat(heartbeats: Heartbeats) -> Floats:
    ratio = heartbeats.leads("t_amplitude_to_qrs_ratio", T_UPRIGHT)
    return count(np.abs(ratio) < 0.1, ratio)


def _t_biphasic(heartbeats: Heartbeats) -> Floats:
    t, ratio = (heartbeats.leads(name, LEADS) for name in ("t_amplitude_mv", "t_biphasic_ratio"))
    return count_known((ratio >= 0.3) & (np.abs(t) >= 0.05), ratio)


def _qs(heartbeats: Heartbeats) -> Floats:
    q, r = heartbeats.leads("q_amplitude_mv", Q_LEADS), heartbeats.leads("r_amplitude_mv", Q_LEADS)
    return count((q <= -0.1) & (r == 0), q)


def _rsr(heartbeats: Heartbeats) -> Floats:
    again = heartbeats.leads("r_prime_amplitude_mv", ("V1", "V2"))
    return count(again >= 0.1, again)


def _concordance(heartbeats: Heartbeats) -> Floats:
    leads = ("I", "II", "aVL", "aVF", *CHEST_LEADS)
    qrs, t = heartbeats.leads("qrs_area_mvms", leads), heartbeats.leads("t_area_mvms", leads)
    return add(qrs * t) / np.sqrt(add(qrs**2) * add(t**2))


def _fragmented(heartbeats: Heartbeats) -> Floats:
    notches = heartbeats.leads("qrs_notch_count", LEADS)
    return count_known(notches > 0, notches)


MEASUREMENTS = (
    Measurement("r_transition_ratio", "1", "Chest lead at which R overtakes S: 3.5 is between V3 and V4.",
                MACFARLANE, _transition),
    Measurement("r_progression_mv", "mV", "R in V4 minus R in V1.", AHA_VI, _r_progression),
    Measurement(
        "r_anterior_minimum_mv", "mV", "Smallest R of V2 to V4.", AHA_VI,
        partial(lowest, "r_amplitude_mv", ("V2", "V3", "V4")),
    ),
    Measurement("q_pathological_count", "1", "Leads but aVR, III, V1 with a pathological Q wave.", MI4, q_lead_count),
    Measurement(
        "q_inferior_duration_ms", "ms", "Longer Q of II and aVF.", MI4,
        partial(highest, "q_duration_ms", ("II", "aVF")),
    ),
    Measurement(
        "q_inferior_amplitude_mv", "mV", "Deeper Q of II and aVF.", MI4,
        partial(lowest, "q_amplitude_mv", ("II", "aVF")),
    ),
    Measurement(
        "st_elevation_count", "1", "Pairs of contiguous leads with J at 0.1 mV or more.", MI4,
        partial(_contiguous, 1),
    ),
    Measurement("st_depression_count", "1", "Pairs of contiguous leads with J at −0.05 mV or less.", MI4,
                partial(_contiguous, -1)),
    Measurement(
        "st_highest_amplitude_mv", "mV", "Highest ST level 60 ms after J, aVR aside.", AHA_VI,
        partial(highest, "st_j60_amplitude_mv", ALL_BUT_AVR),
    ),
    Measurement(
        "st_lowest_amplitude_mv", "mV", "Lowest ST level 60 ms after J, aVR aside.", AHA_VI,
        partial(lowest, "st_j60_amplitude_mv", ALL_BUT_AVR),
    ),
    Measurement(
        "st_inferior_amplitude_mv", "mV", "Mean ST level of II, III, aVF.", AHA_VI,
        partial(average, "st_j60_amplitude_mv", TERRITORIES["inferior"]),
    ),
    Measurement(
        "st_anterior_amplitude_mv", "mV", "Mean ST level of V1 to V4.", AHA_VI,
        partial(average, "st_j60_amplitude_mv", TERRITORIES["anterior"]),
    ),
    Measurement(
        "st_lateral_amplitude_mv", "mV", "Mean ST level of I, aVL, V5, V6.", AHA_VI,
        partial(average, "st_j60_amplitude_mv", TERRITORIES["lateral"]),
    ),
    Measurement(
        "st_lateral_minimum_mv", "mV", "Lowest ST level of I, V5, V6.", AHA_VI,
        partial(lowest, "st_j60_amplitude_mv", LATERAL),
    ),
    Measurement("t_inverted_count", "1", "Leads of I, II, V3–V6 with T below −0.1 mV.", AHA_IV, _t_inversion),
    Measurement("t_flat_count", "1", "Leads of I, II, V3–V6 with T below a tenth of QRS.", AHA_IV, _t_flat),
    Measurement("t_biphasic_count", "1", "Leads with a T of 0.05 mV or more whose smaller phase has 0.3 of the larger.",
                AHA_IV, _t_biphasic),
    Measurement("qs_count", "1", "Leads but aVR, III, V1 with a QS complex of 0.1 mV or more.", MI4, _qs),
    Measurement("rsr_count", "1", "Leads of V1, V2 with an R′ of 0.1 mV or more.", AHA_III, _rsr),
    Measurement(
        "t_lowest_ratio", "1", "Lowest T over QRS of I, II, V3–V6.", AHA_IV,
        partial(lowest, "t_amplitude_to_qrs_ratio", T_UPRIGHT),
    ),
    Measurement(
        "t_lateral_minimum_mv", "mV", "Lowest T of I, V5, V6.", AHA_IV,
        partial(lowest, "t_amplitude_mv", LATERAL),
    ),
    Measurement(
        "t_inferior_ratio", "1", "Mean T over QRS of II, III, aVF.", AHA_IV,
        partial(average, "t_amplitude_to_qrs_ratio", TERRITORIES["inferior"]),
    ),
    Measurement(
        "t_anterior_ratio", "1", "Mean T over QRS of V1 to V4.", AHA_IV,
        partial(average, "t_amplitude_to_qrs_ratio", TERRITORIES["anterior"]),
    ),
    Measurement(
        "t_lateral_ratio", "1", "Mean T over QRS of I, aVL, V5, V6.", AHA_IV,
        partial(average, "t_amplitude_to_qrs_ratio", TERRITORIES["lateral"]),
    ),
    Measurement("qrs_t_concordance_ratio", "1", "Cosine between the leads' QRS areas and T areas.", AHA_IV,
                _concordance),
    Measurement("qrs_fragmented_count", "1", "Leads with a notched QRS complex.", DAS, _fragmented),
    Measurement("s_lateral_duration_ms", "ms", "Shorter S of I and V6, long in right bundle branch block.", AHA_III,
                partial(lowest, "s_duration_ms", ("I", "V6"))),
    Measurement("qrs_onset_slope_ratio", "1", "Mean slope of the first 30 ms of QRS over its steepest.", AHA_III,
                partial(fact, "qrs_onset_slope")),
)  # fmt: skip
