"""The AHA/ACCF/HRS pack against cases written by hand, on both sides of each published limit."""

import math

import numpy as np
import pytest
from tests.interpret.plain_case import case, in_leads, normal_values, verdict

from twelvelead.interpret.beat_to_beat import steady_p_probability, without_ectopy
from twelvelead.interpret.engine import judge
from twelvelead.interpret.packs import AHA_ACCF_HRS_2009 as PACK
from twelvelead.interpret.waves import late_s_ms, terminal_force
from twelvelead.measure.presence import p_probability

LATERAL, CHEST = ("I", "aVL", "V5", "V6"), ("V1", "V2", "V3", "V4", "V5", "V6")
LBBB = {
    "qrs_duration_ms": 150, **in_leads(LATERAL, r_duration_ms=100, r_peak_time_ms=80, s_amplitude_mv=0.0),
    **in_leads(("V1", "V2", "V3"), r_amplitude_mv=0.05, s_amplitude_mv=-1.5),
    "r_share_v1_ratio": 0.03,
}  # fmt: skip
RBBB = {
    "qrs_duration_ms": 140, "r_prime_amplitude_v1_mv": 0.8, "r_prime_duration_v1_ms": 60, "r_share_v1_ratio": 0.5,
    "s_late_duration_i_ms": 55, "s_late_duration_v6_ms": 55,
    **in_leads(("I", "V6"), s_amplitude_mv=-0.4, s_duration_ms=55),
}  # fmt: skip
AF = {"p_steady_probability": 0.1, "rr_unprovoked_variation_ratio": 0.2, "pr_interval_ms": math.nan}


def test_a_normal_ecg_is_normal_and_nothing_else():
    assert judge(case(), PACK).met == ("sinus_origin", "sinus_rhythm", "normal_ecg")


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"heart_rate_bpm": 49}, "sinus_bradycardia"),
        ({"heart_rate_bpm": 101}, "sinus_tachycardia"),
        ({"rr_unprovoked_range_ms": 121}, "sinus_arrhythmia"),
        (AF, "atrial_fibrillation"),
        ({"p_steady_probability": 0.1, "flutter_evidence_probability": 0.9}, "atrial_flutter"),
        ({"pacing_onset_share": 0.9, "qrs_duration_ms": 160}, "paced_rhythm"),
        ({"beat_ventricular_premature_count": 1}, "ventricular_premature"),
        ({"beat_supraventricular_premature_count": 1}, "supraventricular_premature"),
        ({"beat_bigeminy_share": 0.6}, "bigeminy"),
        ({"rr_max_ms": 3001}, "pause"),
        ({"pr_interval_ms": 201}, "first_degree_av_block"),
        ({"pr_interval_ms": 220}, "pr_220"),
        ({"rr_longest_to_preceding_ratio": 1.9, "p_unconducted_in_pause_count": 1}, "second_degree_av_block"),
        ({"pr_interval_ms": 100, "qrs_duration_ms": 130, "qrs_onset_slope_ratio": 0.1}, "preexcitation"),
        (LBBB, "complete_lbbb"),
        (RBBB, "complete_rbbb"),
        (RBBB | {"qrs_duration_ms": 115}, "incomplete_rbbb"),
        ({"qrs_duration_ms": 111}, "intraventricular_delay"),
        ({"qrs_axis_deg": -60, "q_amplitude_avl_mv": -0.1, "r_peak_time_avl_ms": 45}, "left_anterior_fascicular_block"),
        ({"qrs_axis_deg": -31}, "left_axis_deviation"),
        ({"qrs_axis_deg": 91}, "right_axis_deviation"),
        ({"qrs_axis_deg": -91}, "extreme_axis_deviation"),
        (in_leads(("I", "II", "III", "aVR", "aVL", "aVF"), r_share_ratio=0.5), "indeterminate_axis"),
        ({"sokolow_lyon_mv": 3.5}, "lvh"),
        ({"r_amplitude_avl_mv": 1.11}, "lvh"),
        ({"cornell_voltage_mv": 2.81}, "lvh"),
        ({"cornell_product_mvms": 245}, "lvh"),
        ({"romhilt_estes_count": 5}, "lvh"),
        ({"peguero_lo_presti_mv": 2.8}, "lvh_peguero_lo_presti"),
        (
            {"sokolow_lyon_mv": 4, **in_leads(("V5", "V6"), st_j_amplitude_mv=-0.1, t_amplitude_mv=-0.3)},
            "lvh_repolarisation",
        ),
        ({"qrs_axis_deg": 110, "r_amplitude_v1_mv": 0.7}, "rvh"),
        ({"p_terminal_product_v1_mvms": 4}, "left_atrial_abnormality"),
        ({"p_duration_ms": 120}, "prolonged_p"),
        ({"p_amplitude_ii_mv": 0.26}, "right_atrial_abnormality"),
        ({"p_amplitude_v1_mv": 0.16}, "right_atrial_abnormality"),
        (in_leads(("II", "aVF"), st_j_amplitude_mv=0.1), "st_elevation"),
        (in_leads(("V5", "V6"), st_j_amplitude_mv=-0.1), "st_depression"),
        (in_leads(("V2", "V3"), st_j_amplitude_mv=-0.05), "st_depression"),
        (in_leads(("V4", "V5"), t_amplitude_mv=-0.1), "t_inversion"),
        (in_leads(("V4",), t_amplitude_mv=-0.5), "deep_t_inversion"),
        (in_leads(("V5", "V6"), t_amplitude_mv=0.05), "flat_t"),
        ({"t_amplitude_v3_mv": 1.45}, "tall_t"),
        (in_leads(("V4", "V5"), st_j_amplitude_mv=0.1), "early_repolarisation"),
        ({"u_amplitude_v2_mv": 0.3, "t_amplitude_v2_mv": 0.2}, "prominent_u"),
        ({"u_amplitude_v3_mv": -0.06}, "inverted_u"),
        ({"qtc_framingham_ms": 450}, "long_qt"),
        ({"qtc_framingham_ms": 390}, "short_qt"),
        ({"qrs_limb_voltage_mv": 0.49}, "low_voltage"),
        ({"qrs_chest_voltage_mv": 0.99}, "low_voltage"),
        ({"lead_arm_reversal_ratio": 1}, "arm_electrodes"),
        ({"lead_leg_reversal_ratio": 1}, "arm_leg_electrodes"),
        ({"lead_limb_flattest_mv": 0.04}, "right_leg_electrode"),
        ({"lead_chest_order_ratio": 0.6}, "chest_electrodes"),
        (in_leads(("II", "aVF"), q_amplitude_mv=-0.2, q_duration_ms=40), "abnormal_q"),
    ],
)
def test_a_finding_is_made_at_its_limit(changes, finding):
    assert verdict(finding, PACK, case()) == "not met"
    assert verdict(finding, PACK, case(**changes)) == "met"


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"pr_interval_ms": 200}, "first_degree_av_block"),
        ({"qrs_duration_ms": 110}, "intraventricular_delay"),
        (LBBB | {"qrs_duration_ms": 119}, "complete_lbbb"),
        (LBBB | {"q_amplitude_v6_mv": -0.1}, "complete_lbbb"),
        (LBBB | {"r_share_v1_ratio": 0.7}, "complete_lbbb"),
        (LBBB | in_leads(("V5", "V6"), r_peak_time_ms=60), "complete_lbbb"),
        (RBBB | {"qrs_duration_ms": 119}, "complete_rbbb"),
        (RBBB | {"s_late_duration_i_ms": 30, "s_late_duration_v6_ms": 30}, "complete_rbbb"),
        (RBBB | {"r_prime_amplitude_v1_mv": 0.1, "r_prime_duration_v1_ms": 10}, "complete_rbbb"),
        ({"qrs_axis_deg": -44, "q_amplitude_avl_mv": -0.1, "r_peak_time_avl_ms": 50}, "left_anterior_fascicular_block"),
        ({"qrs_axis_deg": -60, "q_amplitude_avl_mv": 0, "r_peak_time_avl_ms": 50}, "left_anterior_fascicular_block"),
        ({"qrs_axis_deg": -60, "q_amplitude_avl_mv": -0.1, "r_peak_time_avl_ms": 44}, "left_anterior_fascicular_block"),
        ({"qrs_axis_deg": 80, "r_amplitude_v1_mv": 0.7}, "rvh"),
        (in_leads(("II", "V1"), st_j_amplitude_mv=0.15), "st_elevation"),
        (in_leads(("V2", "V3"), st_j_amplitude_mv=0.19), "st_elevation"),
        (AF | {"p_steady_probability": 0.9}, "atrial_fibrillation"),
        (AF | {"rr_unprovoked_variation_ratio": 0.05}, "atrial_fibrillation"),
        (AF | {"flutter_evidence_probability": 0.9}, "atrial_fibrillation"),
        ({"rr_longest_to_preceding_ratio": 1.9}, "second_degree_av_block"),
    ],
)
def test_a_finding_needs_all_it_says(changes, finding):
    assert verdict(finding, PACK, case(**changes)) == "not met"


def test_limits_by_sex_and_age():
    long = {"qtc_framingham_ms": 455}
    assert [verdict("long_qt", PACK, case(sex=sex, **long)) for sex in ("male", "female", None)] == [
        "met", "not met", "indeterminate",
    ]  # fmt: skip
    cornell = {"cornell_voltage_mv": 2.4}
    assert [verdict("lvh", PACK, case(sex=sex, **cornell)) for sex in ("male", "female")] == ["not met", "met"]
    # Under 35, voltage says nothing; the points still do.
    assert verdict("lvh", PACK, case(age_years=30, sokolow_lyon_mv=4.5)) == "not met"
    assert verdict("lvh", PACK, case(age_years=30, romhilt_estes_count=6)) == "met"
    tall = {"t_amplitude_v2_mv": 1.5}
    assert [verdict("tall_t", PACK, case(age_years=age, **tall)) for age in (25, 50)] == ["not met", "met"]


@pytest.mark.parametrize("changes", [LBBB, {"pacing_onset_share": 1, "qrs_duration_ms": 160}])
def test_wide_complexes_silence_repolarisation(changes):
    elevated = changes | in_leads(CHEST, st_j_amplitude_mv=0.4, t_amplitude_mv=-0.6)
    for finding in ("st_elevation", "st_depression", "t_inversion", "lvh", "long_qt", "abnormal_q"):
        proof = judge(case(**elevated), PACK).findings[finding]
        assert proof.verdict == "indeterminate"
        assert "can't be judged" in proof.why


def test_fibrillation_silences_what_needs_p_waves():
    for finding in ("first_degree_av_block", "supraventricular_premature", "left_atrial_abnormality", "arm_electrodes"):
        assert verdict(finding, PACK, case(**AF)) == "indeterminate"
    assert verdict("sinus_rhythm", PACK, case(**AF)) == "not met"


def test_an_ecg_is_not_normal_where_something_is_unknown():
    assert verdict("normal_ecg", PACK, case(pr_interval_ms=math.nan)) == "indeterminate"
    assert verdict("normal_ecg", PACK, case(pr_interval_ms=math.nan, qrs_axis_deg=-50)) == "not met"


@pytest.mark.parametrize(
    "changes", [{"qtc_framingham_ms": 380}, {"p_duration_ms": 125}, {"rr_unprovoked_range_ms": 200}]
)
def test_what_a_normal_ecg_may_have(changes):
    assert verdict("normal_ecg", PACK, case(**changes)) == "met"


def test_every_finding_can_be_denied_in_the_normal_case():
    values = normal_values()
    assert sum(math.isfinite(value) for value in values.values()) > 200
    proofs = judge(case(), PACK).findings
    assert not [key for key, proof in proofs.items() if proof.verdict == "indeterminate"]


# --- numbers made for the pack ----------------------------------------------------------------------------------------


def test_rr_without_ectopy():
    rr = np.array([800.0, 800, 500, 1100, 800, 800])
    assert without_ectopy(rr, np.zeros(7, dtype=int)).tolist() == [800, 800, 800, 800]
    shapes = np.array([0, 1, 0, 0, 0, 0, 0])  # an interpolated beat of another shape takes both its intervals along
    assert without_ectopy(np.full(6, 800.0), shapes).size == 4


def test_p_waves_as_if_the_rhythm_were_regular():
    """Independently: the model itself with RR at rest."""
    seen = {"resemblance": 0.8, "signal_to_noise": 2.5, "spread_ms": 6.0}
    for variation in (0.0, 0.07, 0.25, 0.4):
        irregular = p_probability(rr_variation=variation, **seen)
        assert steady_p_probability(irregular, variation) == pytest.approx(p_probability(rr_variation=0, **seen))
    assert math.isnan(steady_p_probability(math.nan, 0.1))


def test_late_s_lasts_until_the_complex_ends():
    y = np.concatenate([np.full(40, 0.9), np.full(25, -0.3), np.zeros(10)])
    assert late_s_ms(y, 500.0) == 50.0
    assert late_s_ms(np.full(40, 0.9), 500.0) == 0.0
    assert late_s_ms(np.full(40, -0.9), 500.0) == 0.0


def test_terminal_force_is_depth_times_duration():
    y = np.concatenate([[0.0], np.full(30, 0.1), np.full(20, -0.08), [0.0]])
    assert terminal_force(y, 500.0) == pytest.approx(0.08 * 40)
    assert terminal_force(np.concatenate([[0.0], np.full(30, 0.1), [0.0]]), 500.0) == 0.0
