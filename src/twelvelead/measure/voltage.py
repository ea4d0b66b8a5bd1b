"""Voltage criteria of ventricular hypertrophy, and low voltage."""

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.heartbeat import Heartbeats, add
from twelvelead.measure.intervals import qrs_duration
from twelvelead.terms import CHEST_LEADS, LEADS, LIMB_LEADS, Measurement

Floats = NDArray[np.float64]

AHA_V = "doi:10.1161/CIRCULATIONAHA.108.191097"
AHA_II = "doi:10.1161/CIRCULATIONAHA.106.180201"
SOKOLOW = "doi:10.1016/0002-8703(49)90562-1"  # left ventricle
SOKOLOW_RIGHT = "doi:10.1016/0002-8703(49)91335-6"
CASALE = "doi:10.1016/S0735-1097(85)80115-7"
MOLLOY = "doi:10.1016/0735-1097(92)90376-X"
PEGUERO = "doi:10.1016/j.jacc.2017.01.037"


def depth(heartbeats: Heartbeats, lead: str) -> Floats:
    """Depth of the deepest negative QRS wave of a lead, S or QS, as a positive number in mV, shape (n,)."""
    return -np.minimum(heartbeats.lead("s_amplitude_mv", lead), heartbeats.lead("q_amplitude_mv", lead))


def height(heartbeats: Heartbeats, lead: str) -> Floats:
    """Height of the tallest positive QRS wave of a lead in mV, shape (n,)."""
    return np.maximum(heartbeats.lead("r_amplitude_mv", lead), heartbeats.lead("r_prime_amplitude_mv", lead))


def peak_to_peak(heartbeats: Heartbeats, lead: str) -> Floats:
    """Amplitude of the QRS complex of a lead from its deepest to its highest point, mV."""
    return height(heartbeats, lead) + depth(heartbeats, lead)


def sokolow_lyon(heartbeats: Heartbeats) -> Floats:
    """S in V1 plus the taller R of V5 and V6, mV."""
    return depth(heartbeats, "V1") + np.maximum(height(heartbeats, "V5"), height(heartbeats, "V6"))


def cornell(heartbeats: Heartbeats) -> Floats:
    """R in aVL plus S in V3, mV."""
    return height(heartbeats, "aVL") + depth(heartbeats, "V3")


def cornell_product(heartbeats: Heartbeats) -> Floats:
    """Cornell voltage times QRS duration, mV·ms."""
    return cornell(heartbeats) * qrs_duration(heartbeats)


def peguero_lo_presti(heartbeats: Heartbeats) -> Floats:
    """Deepest S of any of the twelve leads plus S in V4, mV."""
    deepest: Floats = np.max([depth(heartbeats, lead) for lead in LEADS], axis=0)
    return deepest + depth(heartbeats, "V4")


def _right(heartbeats: Heartbeats) -> Floats:
    return height(heartbeats, "V1") + np.maximum(depth(heartbeats, "V5"), depth(heartbeats, "V6"))


def _largest(heartbeats: Heartbeats, leads: tuple[str, ...]) -> Floats:
    largest: Floats = np.max([peak_to_peak(heartbeats, lead) for lead in leads], axis=0)
    return largest


def _limb(heartbeats: Heartbeats) -> Floats:
    return _largest(heartbeats, LIMB_LEADS)


def _chest(heartbeats: Heartbeats) -> Floats:
    return _largest(heartbeats, CHEST_LEADS)


def low_voltage(heartbeats: Heartbeats) -> Floats:
    """Count which of limb (< 0.5 mV) and chest leads (< 1 mV) are low throughout: 0, 1 or 2."""
    limb, chest = _limb(heartbeats), _chest(heartbeats)
    return np.where(np.isnan(limb + chest), np.nan, (limb < 0.5) + 1.0 * (chest < 1.0))


def _total(heartbeats: Heartbeats) -> Floats:
    return add(np.array([peak_to_peak(heartbeats, lead) for lead in LEADS]))


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
