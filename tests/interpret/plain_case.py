"""A case whose every number is written by hand: a normal adult's, but for what a test changes."""

import math
from functools import cache

from twelvelead.interpret.case import Case, examine
from twelvelead.interpret.derived import DERIVED
from twelvelead.interpret.engine import judge
from twelvelead.measure import CATALOGUE
from twelvelead.simulate import SITE_A, hospital, recording
from twelvelead.terms import LEADS

# Q, R, S and T of a normal adult, mV.
QRST = {
    "I": (0, 0.8, -0.1, 0.25), "II": (0, 1.0, -0.1, 0.3), "III": (0, 0.3, -0.1, 0.1),
    "aVR": (-0.9, 0, 0, -0.28), "aVL": (0, 0.4, -0.1, 0.1), "aVF": (0, 0.6, -0.1, 0.2),
    "V1": (0, 0.2, -0.8, 0.1), "V2": (0, 0.4, -1.0, 0.5), "V3": (0, 0.7, -0.8, 0.5),
    "V4": (0, 1.3, -0.4, 0.5), "V5": (0, 1.3, -0.2, 0.4), "V6": (0, 1.1, -0.1, 0.3),
}  # fmt: skip
NORMAL = {
    "heart_rate_bpm": 70, "rr_max_ms": 880, "rr_unprovoked_variation_ratio": 0.03, "rr_unprovoked_range_ms": 60,
    "p_steady_probability": 0.97, "pr_interval_ms": 160, "p_duration_ms": 105, "qrs_duration_ms": 90,
    "qtc_framingham_ms": 410, "qrs_axis_deg": 45, "qrs_onset_slope_ratio": 0.18, "pacing_onset_share": 0,
    "flutter_evidence_probability": 0.01, "beat_ventricular_premature_count": 0,
    "beat_supraventricular_premature_count": 0, "beat_bigeminy_share": 0, "sokolow_lyon_mv": 2.1,
    "cornell_voltage_mv": 1.2, "cornell_product_mvms": 108, "peguero_lo_presti_mv": 1.4, "romhilt_estes_count": 1,
    "right_ventricular_voltage_mv": 0.4, "p_terminal_product_v1_mvms": 0.5, "qrs_limb_voltage_mv": 1.1,
    "qrs_chest_voltage_mv": 1.7, "lead_arm_reversal_ratio": 0, "lead_leg_reversal_ratio": 0,
    "lead_limb_flattest_mv": 0.4, "lead_chest_order_ratio": 1.05, "rr_longest_to_preceding_ratio": 1.03,
    "p_unconducted_in_pause_count": 0,
    "s_late_duration_i_ms": 20, "s_late_duration_v6_ms": 20, "u_amplitude_v2_mv": 0.02, "u_amplitude_v3_mv": 0.02,
    "p_area_ii_mvms": 5, "p_area_avr_mvms": -4, "p_amplitude_ii_mv": 0.12,
}  # fmt: skip


@cache
def base():
    """One simulated recording, whose marks say where the numbers lie."""
    row = hospital(1, site=SITE_A, seed=1).truth.row(0, named=True)
    return examine(recording(row, site=SITE_A))


def normal_values():
    """Every number there is, NaN where no criterion of these packs asks for it."""
    values = dict.fromkeys([m.name for m in (*CATALOGUE, *DERIVED)], math.nan) | {
        k: float(v) for k, v in NORMAL.items()
    }
    for lead in LEADS:
        values |= wave(lead, *QRST[lead])
    return values


def wave(lead, q, r, s, t):
    """Name the numbers of one lead's QRS complex and T wave; J at zero."""
    deep = max(-q, -s)
    numbers = {
        "q_amplitude_{}_mv": q, "r_amplitude_{}_mv": r, "s_amplitude_{}_mv": s, "t_amplitude_{}_mv": t,
        "q_duration_{}_ms": 15 if q else 0, "r_duration_{}_ms": 45 if r else 0, "s_duration_{}_ms": 30 if s else 0,
        "r_prime_amplitude_{}_mv": 0, "r_prime_duration_{}_ms": 0, "qrs_notch_{}_count": 0, "r_peak_time_{}_ms": 40,
        "r_share_{}_ratio": r / (r + deep), "st_j_amplitude_{}_mv": 0, "st_j60_amplitude_{}_mv": 0,
        "st_j80_amplitude_{}_mv": 0, "p_amplitude_{}_mv": 0.08,
    }  # fmt: skip
    return {name.format(lead.lower()): float(value) for name, value in numbers.items()}


def case(age_years=50.0, sex="male", **changes):
    """A normal adult's case, with some numbers changed."""
    values = normal_values()
    unknown = set(changes) - set(values)
    assert not unknown, unknown
    return Case(
        base().recording, base().heartbeat, base().quality, values | {k: float(v) for k, v in changes.items()},
        age_years, sex,
    )  # fmt: skip


def in_leads(leads, **numbers):
    """Set the same numbers in several leads: q_amplitude_mv=-0.2 becomes q_amplitude_ii_mv and so on."""
    changes = {}
    for lead in leads:
        for name, value in numbers.items():
            stem, unit = name.rsplit("_", 1)
            changes[f"{stem}_{lead.lower()}_{unit}"] = value
    return changes


def verdict(finding, pack, of):
    """Decide one finding: met, not met or indeterminate."""
    return judge(of, pack).findings[finding].verdict.value
