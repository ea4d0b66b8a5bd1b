"""Chambers: hypertrophy of the ventricles, abnormality of the atria."""

import math

from twelvelead.interpret.criteria import All, ByPerson, Criterion, Finding, Has, InLeads, Is, any_of
from twelvelead.interpret.packs.sources import AHA_V, PEGUERO

_YOUNG = 35.0
"""Years up to which the recommendation says that voltage tells nothing of hypertrophy."""


def _older(limit: float) -> ByPerson:
    return ByPerson(((None, 0, _YOUNG, math.inf), (None, _YOUNG, math.inf, limit)))


def _older_by_sex(male: float, female: float) -> ByPerson:
    return ByPerson(
        ((None, 0, _YOUNG, math.inf), ("male", _YOUNG, math.inf, male), ("female", _YOUNG, math.inf, female))
    )


_VOLTAGE = (
    Criterion(
        "sokolow_lyon",
        "S in V1 plus the taller R of V5 and V6 of 3.5 mV or more, from 35 years (Sokolow–Lyon)",
        Is("sokolow_lyon_mv", ">=", _older(3.5)),
        AHA_V,
    ),
    Criterion("r_avl", "R in aVL above 1.1 mV, from 35 years", Is("r_amplitude_avl_mv", ">", _older(1.1)), AHA_V),
    Criterion(
        "cornell_voltage",
        "R in aVL plus S in V3 above 2.8 mV in men, 2.0 mV in women, from 35 years (Cornell)",
        Is("cornell_voltage_mv", ">", _older_by_sex(2.8, 2.0)),
        AHA_V,
    ),
    Criterion(
        "cornell_product",
        "Cornell voltage times QRS duration above 244 mV·ms, from 35 years",
        Is("cornell_product_mvms", ">", _older(244)),
        AHA_V,
    ),
)
_ROMHILT_ESTES = Criterion(
    "romhilt_estes", "five points of Romhilt and Estes or more", Is("romhilt_estes_count", ">=", 5), AHA_V
)

LVH = Finding(
    "lvh", "Left ventricular hypertrophy", "chambers", any_of(*_VOLTAGE, _ROMHILT_ESTES),
    AHA_V, unless=("paced_rhythm", "preexcitation", "complete_lbbb"),
)  # fmt: skip
PEGUERO_LO_PRESTI = Finding(
    "lvh_peguero_lo_presti", "Left ventricular hypertrophy by Peguero and Lo Presti's voltage", "chambers",
    Criterion(
        "deepest_s", "deepest S plus S in V4 of 2.8 mV or more in men, 2.3 mV in women",
        Is("peguero_lo_presti_mv", ">=", ByPerson((("male", 0, math.inf, 2.8), ("female", 0, math.inf, 2.3)))), PEGUERO,
    ),
    PEGUERO, unless=("paced_rhythm", "preexcitation", "complete_lbbb"),
)  # fmt: skip

STRAIN = Finding(
    "lvh_repolarisation", "Secondary ST–T abnormality of left ventricular hypertrophy", "chambers",
    All(
        Has("lvh"),
        Criterion(
            "strain", "ST depressed and T inverted in two or more of I, aVL, V5, V6 where R is dominant",
            InLeads(
                ("I", "aVL", "V5", "V6"),
                All(
                    Is("st_j_amplitude_{lead}_mv", "<=", -0.05), Is("t_amplitude_{lead}_mv", "<=", -0.1),
                    Is("r_share_{lead}_ratio", ">", 0.5),
                ),
                2,
            ),
            AHA_V,
        ),
    ),
    AHA_V, unless=("paced_rhythm", "preexcitation", "complete_lbbb"),
)  # fmt: skip

RVH = Finding(
    "rvh", "Right ventricular hypertrophy", "chambers",
    All(
        Criterion("axis", "frontal axis to the right of 90 degrees", Is("qrs_axis_deg", ">", 90), AHA_V),
        Criterion(
            "tall_r_v1", "tall R or little S in V1, or deep S in V5 or V6: one or more of the measures in use",
            any_of(
                Is("r_amplitude_v1_mv", ">", 0.6),
                All(Is("r_share_v1_ratio", ">", 0.5), Is("r_amplitude_v1_mv", ">=", 0.2)),
                Is("right_ventricular_voltage_mv", ">", 1.05),
                Is("s_amplitude_v5_mv", "<", -1.0),
                Is("s_amplitude_v6_mv", "<", -0.3),
                Is("r_share_v5_ratio", "<", 0.75 / 1.75),
                Is("r_share_v6_ratio", "<", 0.4 / 1.4),
            ),
            AHA_V,
        ),
    ),
    AHA_V, unless=("paced_rhythm", "preexcitation", "complete_lbbb", "complete_rbbb"),
)  # fmt: skip

LEFT_ATRIUM = Finding(
    "left_atrial_abnormality", "Left atrial abnormality", "chambers",
    Criterion(
        "terminal_force", "P terminal force in V1 of 0.04 mm·s or more",
        Is("p_terminal_product_v1_mvms", ">=", 4.0), AHA_V,
    ),
    AHA_V, unless=("atrial_fibrillation", "atrial_flutter"),
)  # fmt: skip

LONG_P = Finding(
    "prolonged_p", "Intra-atrial conduction delay", "chambers",
    Criterion("long_p", "P duration of 120 ms or more", Is("p_duration_ms", ">=", 120), AHA_V),
    AHA_V, unless=("atrial_fibrillation", "atrial_flutter"),
)  # fmt: skip

RIGHT_ATRIUM = Finding(
    "right_atrial_abnormality", "Right atrial abnormality", "chambers",
    Criterion(
        "tall_p", "P above 0.25 mV in II, or upright above 0.15 mV in V1 or V2",
        any_of(
            Is("p_amplitude_ii_mv", ">", 0.25), InLeads(("V1", "V2"), Is("p_amplitude_{lead}_mv", ">", 0.15)),
        ),
        AHA_V,
    ),
    AHA_V, unless=("atrial_fibrillation", "atrial_flutter"),
)  # fmt: skip

CHAMBERS = (LVH, PEGUERO_LO_PRESTI, STRAIN, RVH, LEFT_ATRIUM, LONG_P, RIGHT_ATRIUM)
