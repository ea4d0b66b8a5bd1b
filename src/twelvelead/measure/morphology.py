"""Patterns over several leads: progression of R, Q waves, ST deviation, T inversion, fragmentation."""

import math
from collections.abc import Sequence

import numpy as np

from twelvelead.measure.delineate import Mark
from twelvelead.measure.heartbeat import Heartbeat
from twelvelead.terms import CHEST_LEADS, Measurement

AHA_III = "doi:10.1161/CIRCULATIONAHA.108.191095"
AHA_IV = "doi:10.1161/CIRCULATIONAHA.108.191096"
AHA_VI = "doi:10.1161/CIRCULATIONAHA.108.191098"
MI4 = "doi:10.1161/CIR.0000000000000617"
MACFARLANE = "doi:10.1007/978-1-84882-046-3"
DAS = "doi:10.1161/CIRCULATIONAHA.105.595892"
NAN = float("nan")

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


def transition_zone(r_share: Sequence[float]) -> float:
    """Where across the chest R overtakes S: 3.5 is midway between V3 and V4.

    Parameters
    ----------
    r_share : sequence of 6 float
        R / (R + S) in V1 to V6.

    Returns
    -------
    float
        1 if R exceeds S already in V1, 7 if it never does; NaN if a lead is missing.

    Examples
    --------
    >>> transition_zone([0.1, 0.2, 0.4, 0.6, 0.8, 0.9])
    3.5
    """
    if np.isnan(r_share).any():
        return NAN
    for k, share in enumerate(r_share):
        if share >= 0.5:
            before = r_share[k - 1]
            return 1.0 if k == 0 else float(k + (0.5 - before) / (share - before))
    return 7.0


def _transition(heartbeat: Heartbeat) -> float:
    return transition_zone([heartbeat.lead("r_share_ratio", lead) for lead in CHEST_LEADS])


def _r_progression(heartbeat: Heartbeat) -> float:
    return heartbeat.lead("r_amplitude_mv", "V4") - heartbeat.lead("r_amplitude_mv", "V1")


def _values(heartbeat: Heartbeat, name: str, leads: Sequence[str]) -> list[float]:
    """Look up a quantity in several leads; `-aVR` is aVR upside down."""
    return [-heartbeat.lead(name, x[1:]) if x[0] == "-" else heartbeat.lead(name, x) for x in leads]


def pathological_q(heartbeat: Heartbeat, lead: str) -> float:
    """1 if a lead has a Q wave of at least 30 ms and 0.1 mV (20 ms or QS in V2–V3), else 0; NaN if unusable."""
    amplitude, duration = heartbeat.lead("q_amplitude_mv", lead), heartbeat.lead("q_duration_ms", lead)
    if math.isnan(amplitude):
        return NAN
    least = 20.0 if lead in {"V2", "V3"} else 30.0
    return float(amplitude <= -0.1 and duration >= least)


def q_lead_count(heartbeat: Heartbeat) -> float:
    """Count the leads, other than aVR, III and V1, with a pathological Q wave."""
    leads = ("I", "II", "aVL", "aVF", "V2", "V3", "V4", "V5", "V6")
    return float(sum(pathological_q(heartbeat, lead) for lead in leads))


def _contiguous(heartbeat: Heartbeat, *, side: int) -> float:
    """Pairs of neighbouring leads in which ST at J deviates by 0.1 mV up (side 1) or 0.05 mV down (side −1)."""
    limit = 0.1 if side > 0 else 0.05
    pairs = np.array([_values(heartbeat, "st_j_amplitude_mv", pair) for pair in NEIGHBOURS])
    return NAN if np.isnan(pairs).any() else float((side * pairs >= limit).all(axis=1).sum())


def _st_elevation(heartbeat: Heartbeat) -> float:
    return _contiguous(heartbeat, side=1)


def _st_depression(heartbeat: Heartbeat) -> float:
    return _contiguous(heartbeat, side=-1)


def _t_inversion(heartbeat: Heartbeat) -> float:
    t = np.array(_values(heartbeat, "t_amplitude_mv", T_UPRIGHT))
    return NAN if np.isnan(t).any() else float((t < -0.1).sum())


def _t_flat(heartbeat: Heartbeat) -> float:
    ratio = np.array(_values(heartbeat, "t_amplitude_to_qrs_ratio", T_UPRIGHT))
    return NAN if np.isnan(ratio).any() else float((np.abs(ratio) < 0.1).sum())


def _lowest_t_ratio(heartbeat: Heartbeat) -> float:
    return float(np.min(_values(heartbeat, "t_amplitude_to_qrs_ratio", T_UPRIGHT)))


def _lowest_lateral_t(heartbeat: Heartbeat) -> float:
    return float(np.min(_values(heartbeat, "t_amplitude_mv", ("I", "V5", "V6"))))


def _lowest_lateral_st(heartbeat: Heartbeat) -> float:
    return float(np.min(_values(heartbeat, "st_j60_amplitude_mv", ("I", "V5", "V6"))))


def _highest_st(heartbeat: Heartbeat) -> float:
    return float(np.max(_values(heartbeat, "st_j60_amplitude_mv", ("I", "II", "III", "aVL", "aVF", *CHEST_LEADS))))


def _lowest_st(heartbeat: Heartbeat) -> float:
    return float(np.min(_values(heartbeat, "st_j60_amplitude_mv", ("I", "II", "III", "aVL", "aVF", *CHEST_LEADS))))


def _concordance(heartbeat: Heartbeat) -> float:
    leads = ("I", "II", "aVL", "aVF", *CHEST_LEADS)
    qrs = np.array(_values(heartbeat, "qrs_area_mvms", leads))
    t = np.array(_values(heartbeat, "t_area_mvms", leads))
    size = float(np.linalg.norm(qrs) * np.linalg.norm(t))
    return float(qrs @ t) / size if size > 0 else NAN


def _territory(heartbeat: Heartbeat, *, name: str, leads: Sequence[str]) -> float:
    return float(np.mean(_values(heartbeat, name, leads)))


def _inferior_st(heartbeat: Heartbeat) -> float:
    return _territory(heartbeat, name="st_j60_amplitude_mv", leads=TERRITORIES["inferior"])


def _anterior_st(heartbeat: Heartbeat) -> float:
    return _territory(heartbeat, name="st_j60_amplitude_mv", leads=TERRITORIES["anterior"])


def _lateral_st(heartbeat: Heartbeat) -> float:
    return _territory(heartbeat, name="st_j60_amplitude_mv", leads=TERRITORIES["lateral"])


def _inferior_t(heartbeat: Heartbeat) -> float:
    return _territory(heartbeat, name="t_amplitude_to_qrs_ratio", leads=TERRITORIES["inferior"])


def _anterior_t(heartbeat: Heartbeat) -> float:
    return _territory(heartbeat, name="t_amplitude_to_qrs_ratio", leads=TERRITORIES["anterior"])


def _lateral_t(heartbeat: Heartbeat) -> float:
    return _territory(heartbeat, name="t_amplitude_to_qrs_ratio", leads=TERRITORIES["lateral"])


def _inferior_q(heartbeat: Heartbeat) -> float:
    return float(np.max(_values(heartbeat, "q_duration_ms", ("II", "aVF"))))


def _inferior_q_depth(heartbeat: Heartbeat) -> float:
    return float(np.min(_values(heartbeat, "q_amplitude_mv", ("II", "aVF"))))


def _anterior_r(heartbeat: Heartbeat) -> float:
    return float(np.min(_values(heartbeat, "r_amplitude_mv", ("V2", "V3", "V4"))))


def _fragmented(heartbeat: Heartbeat) -> float:
    notches = heartbeat.by_lead["qrs_notch_count"]
    return float((notches[heartbeat.usable] > 0).sum())


def _lateral_s(heartbeat: Heartbeat) -> float:
    return float(np.min(_values(heartbeat, "s_duration_ms", ("I", "V6"))))


def _slur(heartbeat: Heartbeat) -> float:
    on, off = heartbeat.global_marks[Mark.QRS_ONSET], heartbeat.global_marks[Mark.QRS_OFFSET]
    first, last = max(round(on) - 1, 0), round(off) + 2
    speed = np.linalg.norm(np.gradient(heartbeat.beat[heartbeat.usable, first:last], axis=1), axis=0)
    speed = speed[round(on) - first : round(off) - first + 1]
    early = speed[: max(1, round(0.030 * heartbeat.fs))]
    return float(early.mean() / speed.max()) if speed.size and speed.max() > 0 else NAN


MEASUREMENTS = (
    Measurement("r_transition_ratio", "1", "Chest lead at which R overtakes S: 3.5 is between V3 and V4.",
                MACFARLANE, _transition),
    Measurement("r_progression_mv", "mV", "R in V4 minus R in V1.", AHA_VI, _r_progression),
    Measurement("r_anterior_minimum_mv", "mV", "Smallest R of V2 to V4.", AHA_VI, _anterior_r),
    Measurement("q_pathological_count", "1", "Leads but aVR, III, V1 with a pathological Q wave.", MI4, q_lead_count),
    Measurement("q_inferior_duration_ms", "ms", "Longer Q of II and aVF.", MI4, _inferior_q),
    Measurement("q_inferior_amplitude_mv", "mV", "Deeper Q of II and aVF.", MI4, _inferior_q_depth),
    Measurement("st_elevation_count", "1", "Pairs of contiguous leads with J at 0.1 mV or more.", MI4, _st_elevation),
    Measurement("st_depression_count", "1", "Pairs of contiguous leads with J at −0.05 mV or less.", MI4,
                _st_depression),
    Measurement("st_highest_amplitude_mv", "mV", "Highest ST level 60 ms after J, aVR aside.", AHA_VI, _highest_st),
    Measurement("st_lowest_amplitude_mv", "mV", "Lowest ST level 60 ms after J, aVR aside.", AHA_VI, _lowest_st),
    Measurement("st_inferior_amplitude_mv", "mV", "Mean ST level of II, III, aVF.", AHA_VI, _inferior_st),
    Measurement("st_anterior_amplitude_mv", "mV", "Mean ST level of V1 to V4.", AHA_VI, _anterior_st),
    Measurement("st_lateral_amplitude_mv", "mV", "Mean ST level of I, aVL, V5, V6.", AHA_VI, _lateral_st),
    Measurement("st_lateral_minimum_mv", "mV", "Lowest ST level of I, V5, V6.", AHA_VI, _lowest_lateral_st),
    Measurement("t_inverted_count", "1", "Leads of I, II, V3–V6 with T below −0.1 mV.", AHA_IV, _t_inversion),
    Measurement("t_flat_count", "1", "Leads of I, II, V3–V6 with T below a tenth of QRS.", AHA_IV, _t_flat),
    Measurement("t_lowest_ratio", "1", "Lowest T over QRS of I, II, V3–V6.", AHA_IV, _lowest_t_ratio),
    Measurement("t_lateral_minimum_mv", "mV", "Lowest T of I, V5, V6.", AHA_IV, _lowest_lateral_t),
    Measurement("t_inferior_ratio", "1", "Mean T over QRS of II, III, aVF.", AHA_IV, _inferior_t),
    Measurement("t_anterior_ratio", "1", "Mean T over QRS of V1 to V4.", AHA_IV, _anterior_t),
    Measurement("t_lateral_ratio", "1", "Mean T over QRS of I, aVL, V5, V6.", AHA_IV, _lateral_t),
    Measurement("qrs_t_concordance_ratio", "1", "Cosine between the leads' QRS areas and T areas.", AHA_IV,
                _concordance),
    Measurement("qrs_fragmented_count", "1", "Leads with a notched QRS complex.", DAS, _fragmented),
    Measurement("s_lateral_duration_ms", "ms", "Shorter S of I and V6, long in right bundle branch block.", AHA_III,
                _lateral_s),
    Measurement("qrs_onset_slope_ratio", "1", "Mean slope of the first 30 ms of QRS over its steepest.", AHA_III,
                _slur),
)  # fmt: skip
