"""Voltage criteria of ventricular hypertrophy, and low voltage."""

import numpy as np

from twelvelead.measure.heartbeat import Heartbeat
from twelvelead.measure.intervals import qrs_duration
from twelvelead.terms import CHEST_LEADS, LIMB_LEADS, Measurement

AHA_V = "doi:10.1161/CIRCULATIONAHA.108.191097"
AHA_II = "doi:10.1161/CIRCULATIONAHA.106.180201"
SOKOLOW = "doi:10.1016/0002-8703(49)90562-1"  # left ventricle
SOKOLOW_RIGHT = "doi:10.1016/0002-8703(49)91335-6"
CASALE = "doi:10.1016/S0735-1097(85)80115-7"
MOLLOY = "doi:10.1016/0735-1097(92)90376-X"
PEGUERO = "doi:10.1016/j.jacc.2017.01.037"


def depth(heartbeat: Heartbeat, lead: str) -> float:
    """Depth of the deepest negative QRS wave of a lead, S or QS, as a positive number in mV."""
    return -min(heartbeat.lead("s_amplitude_mv", lead), heartbeat.lead("q_amplitude_mv", lead))


def height(heartbeat: Heartbeat, lead: str) -> float:
    """Height of the tallest positive QRS wave of a lead in mV."""
    return max(heartbeat.lead("r_amplitude_mv", lead), heartbeat.lead("r_prime_amplitude_mv", lead))


def peak_to_peak(heartbeat: Heartbeat, lead: str) -> float:
    """Amplitude of the QRS complex of a lead from its deepest to its highest point, mV."""
    return height(heartbeat, lead) + depth(heartbeat, lead)


def sokolow_lyon(heartbeat: Heartbeat) -> float:
    """S in V1 plus the taller R of V5 and V6, mV."""
    return depth(heartbeat, "V1") + float(np.maximum(height(heartbeat, "V5"), height(heartbeat, "V6")))


def cornell(heartbeat: Heartbeat) -> float:
    """R in aVL plus S in V3, mV."""
    return height(heartbeat, "aVL") + depth(heartbeat, "V3")


def cornell_product(heartbeat: Heartbeat) -> float:
    """Cornell voltage times QRS duration, mV·ms."""
    return cornell(heartbeat) * qrs_duration(heartbeat)


def peguero_lo_presti(heartbeat: Heartbeat) -> float:
    """Deepest S of any of the twelve leads plus S in V4, mV."""
    return float(np.max([depth(heartbeat, lead) for lead in LIMB_LEADS + CHEST_LEADS])) + depth(heartbeat, "V4")


def _right(heartbeat: Heartbeat) -> float:
    return height(heartbeat, "V1") + float(np.maximum(depth(heartbeat, "V5"), depth(heartbeat, "V6")))


def _largest(heartbeat: Heartbeat, leads: tuple[str, ...]) -> float:
    values = [peak_to_peak(heartbeat, lead) for lead in leads]
    return max(values) if not np.isnan(values).any() else float("nan")


def _limb(heartbeat: Heartbeat) -> float:
    return _largest(heartbeat, LIMB_LEADS)


def _chest(heartbeat: Heartbeat) -> float:
    return _largest(heartbeat, CHEST_LEADS)


def low_voltage(heartbeat: Heartbeat) -> float:
    """Count which of limb (< 0.5 mV) and chest leads (< 1 mV) are low throughout: 0, 1 or 2."""
    limb, chest = _limb(heartbeat), _chest(heartbeat)
    return float("nan") if np.isnan([limb, chest]).any() else float(limb < 0.5) + float(chest < 1.0)


def _total(heartbeat: Heartbeat) -> float:
    return float(sum(peak_to_peak(heartbeat, lead) for lead in LIMB_LEADS + CHEST_LEADS))


MEASUREMENTS = (
    Measurement(
        "sokolow_lyon_mv", "mV", "S in V1 plus the taller R of V5 and V6.", SOKOLOW, sokolow_lyon,
        reference=(0.0, 3.5), reference_source=AHA_V,
    ),
    Measurement(
        "cornell_voltage_mv", "mV", "R in aVL plus S in V3; limit 2.8 for men, 2.0 for women.", CASALE, cornell,
        reference=(0.0, 2.8), reference_source=AHA_V,
    ),
    Measurement(
        "cornell_product_mvms", "mV*ms", "Cornell voltage times QRS duration, without addition for women.", MOLLOY,
        cornell_product, reference=(0.0, 244.0), reference_source=AHA_V,
    ),
    Measurement(
        "peguero_lo_presti_mv", "mV", "Deepest S of any lead plus S in V4; limit 2.8 for men, 2.3 for women.",
        PEGUERO, peguero_lo_presti, reference=(0.0, 2.8), reference_source=PEGUERO,
    ),
    Measurement(
        "right_ventricular_voltage_mv", "mV", "R in V1 plus the deeper S of V5 and V6.", SOKOLOW_RIGHT, _right,
        reference=(0.0, 1.05), reference_source=AHA_V,
    ),
    Measurement("qrs_limb_voltage_mv", "mV", "Largest peak-to-peak QRS of the limb leads.", AHA_II, _limb),
    Measurement("qrs_chest_voltage_mv", "mV", "Largest peak-to-peak QRS of the chest leads.", AHA_II, _chest),
    Measurement("qrs_total_voltage_mv", "mV", "Sum of the peak-to-peak QRS of twelve leads.", AHA_V, _total),
    Measurement(
        "qrs_low_voltage_count", "1", "Which of limb (< 0.5 mV) and chest leads (< 1 mV) are low: 0 to 2.", AHA_II,
        low_voltage,
    ),
)  # fmt: skip
