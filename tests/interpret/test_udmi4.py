"""The fourth universal definition against cases written by hand, on both sides of each published limit."""

import pytest
from tests.interpret.plain_case import case, in_leads, verdict

from twelvelead.interpret.engine import judge
from twelvelead.interpret.packs import UDMI4_PACK as PACK

QS = {"q_amplitude_mv": -0.8, "q_duration_ms": 70, "r_amplitude_mv": 0.0, "s_amplitude_mv": 0.0, "r_share_ratio": 0.0}
Q = {"q_amplitude_mv": -0.15, "q_duration_ms": 35}


def test_nothing_in_a_normal_case():
    assert judge(case(), PACK).met == ()


@pytest.mark.parametrize(
    ("sex", "age", "limit"), [("male", 39, 0.25), ("male", 40, 0.2), ("female", 30, 0.15), ("female", 70, 0.15)]
)
def test_st_elevation_in_v2_and_v3(sex, age, limit):
    for j, expected in ((limit - 0.001, "not met"), (limit, "met")):
        of = case(age_years=age, sex=sex, **in_leads(("V2", "V3"), st_j_amplitude_mv=j))
        assert verdict("st_elevation_anterior", PACK, of) == expected


def test_st_elevation_without_age_or_sex():
    j = {level: in_leads(("V2", "V3"), st_j_amplitude_mv=level) for level in (0.14, 0.17, 0.22, 0.26)}
    unknown = [verdict("st_elevation_anterior", PACK, case(age_years=None, sex=None, **j[level])) for level in j]
    assert unknown == ["not met", "indeterminate", "indeterminate", "met"]
    man = [verdict("st_elevation_anterior", PACK, case(age_years=None, sex="male", **j[level])) for level in j]
    assert man == ["not met", "not met", "indeterminate", "met"]


@pytest.mark.parametrize(
    ("leads", "region"),
    [(("II", "aVF"), "inferior"), (("aVF", "III"), "inferior"), (("I", "aVL"), "lateral"), (("V5", "V6"), "lateral"),
     (("V3", "V4"), "anterior"), (("V1", "V2"), "anterior")],
)  # fmt: skip
def test_st_elevation_in_two_neighbours(leads, region):
    up = in_leads(leads, st_j_amplitude_mv=0.21)
    assert verdict(f"st_elevation_{region}", PACK, case(**up)) == "met"
    others = {"inferior", "lateral", "anterior"} - {region}
    assert {verdict(f"st_elevation_{other}", PACK, case(**up)) for other in others} == {"not met"}
    alone = in_leads(leads[:1], st_j_amplitude_mv=0.21)
    assert verdict(f"st_elevation_{region}", PACK, case(**alone)) == "not met"


def test_st_elevation_in_leads_that_are_no_neighbours():
    assert verdict("st_elevation_inferior", PACK, case(**in_leads(("II", "III"), st_j_amplitude_mv=0.2))) == "not met"
    assert verdict("st_elevation_anterior", PACK, case(**in_leads(("V1", "V4"), st_j_amplitude_mv=0.2))) == "not met"


@pytest.mark.parametrize(
    ("j", "j80", "expected"),
    [(-0.05, -0.05, "met"), (-0.05, -0.1, "met"), (-0.1, -0.02, "not met"), (-0.04, -0.1, "not met")],
)
def test_st_depression_that_does_not_rise(j, j80, expected):
    of = case(**in_leads(("V5", "V6"), st_j_amplitude_mv=j, st_j80_amplitude_mv=j80))
    assert verdict("ischaemic_st_depression", PACK, of) == expected


def test_t_inversion_where_r_is_dominant():
    assert verdict("ischaemic_t_inversion", PACK, case(**in_leads(("V4", "V5"), t_amplitude_mv=-0.11))) == "met"
    assert verdict("ischaemic_t_inversion", PACK, case(**in_leads(("V4", "V5"), t_amplitude_mv=-0.1))) == "not met"
    assert verdict("ischaemic_t_inversion", PACK, case(**in_leads(("V1", "V2"), t_amplitude_mv=-0.3))) == "not met"


@pytest.mark.parametrize(
    ("finding", "changes"),
    [
        ("prior_mi_inferior", in_leads(("II", "aVF"), **Q)),
        ("prior_mi_inferior", in_leads(("III", "aVF"), **QS)),
        ("prior_mi_lateral", in_leads(("I", "aVL"), **Q)),
        ("prior_mi_lateral", in_leads(("V5", "V6"), **Q)),
        ("prior_mi_anterior", in_leads(("V4", "V5"), **Q)),
        ("prior_mi_anteroseptal", in_leads(("V2", "V3"), **QS)),
        ("prior_mi_anteroseptal", {"q_amplitude_v3_mv": -0.1, "q_duration_v3_ms": 21}),
        (
            "prior_mi_posterior",
            in_leads(("V1", "V2"), r_duration_ms=41, r_share_ratio=0.6, r_amplitude_mv=0.6, t_amplitude_mv=0.3),
        ),
    ],
)
def test_prior_infarction(finding, changes):
    assert verdict(finding, PACK, case(**changes)) == "met"


@pytest.mark.parametrize(
    ("finding", "changes"),
    [
        ("prior_mi_inferior", in_leads(("III",), **QS)),
        ("prior_mi_inferior", in_leads(("II", "aVF"), q_amplitude_mv=-0.15, q_duration_ms=29)),
        ("prior_mi_inferior", in_leads(("II", "aVF"), q_amplitude_mv=-0.09, q_duration_ms=40)),
        ("prior_mi_anteroseptal", in_leads(("V1", "V2"), **QS)),
        ("prior_mi_anteroseptal", {"q_amplitude_v3_mv": -0.1, "q_duration_v3_ms": 20}),
        ("prior_mi_lateral", in_leads(("aVL", "V6"), **Q)),
        (
            "prior_mi_posterior",
            in_leads(("V1", "V2"), r_duration_ms=41, r_share_ratio=0.6, r_amplitude_mv=0.6, t_amplitude_mv=-0.3),
        ),
    ],
)
def test_no_prior_infarction(finding, changes):
    assert verdict(finding, PACK, case(**changes)) == "not met"


@pytest.mark.parametrize(
    ("why", "changes"),
    [
        ("paced rhythm", {"pacing_onset_share": 1, "qrs_duration_ms": 150}),
        ("pre-excitation", {"pr_interval_ms": 100, "qrs_duration_ms": 130, "qrs_onset_slope_ratio": 0.1}),
        (
            "left bundle branch block",
            {
                "qrs_duration_ms": 150,
                **in_leads(("I", "aVL", "V5", "V6"), r_duration_ms=100, r_peak_time_ms=80),
            },
        ),
        (
            "hypertrophy",
            {"sokolow_lyon_mv": 4, **in_leads(("V5", "V6"), st_j_amplitude_mv=-0.1, t_amplitude_mv=-0.3)},
        ),
    ],
)
def test_what_can_not_be_judged(why, changes):
    of = case(**(changes | in_leads(("II", "III", "aVF"), st_j_amplitude_mv=0.3) | in_leads(("II", "aVF"), **Q)))
    for finding in ("st_elevation_inferior", "ischaemic_st_depression", "prior_mi_inferior"):
        proof = judge(of, PACK).findings[finding]
        assert proof.verdict == "indeterminate"
        assert why in proof.why


def test_voltage_alone_hides_nothing():
    of = case(sokolow_lyon_mv=4, **in_leads(("II", "III", "aVF"), st_j_amplitude_mv=0.3))
    assert verdict("lvh", PACK, of) == "met"
    assert verdict("st_elevation_inferior", PACK, of) == "met"


def test_right_bundle_branch_block_leaves_q_waves():
    blocked = {
        "qrs_duration_ms": 140, "r_prime_amplitude_v1_mv": 0.8, "r_prime_duration_v1_ms": 60,
        "s_late_duration_i_ms": 55, "s_amplitude_i_mv": -0.4,
    }  # fmt: skip
    of = case(**blocked, **in_leads(("II", "aVF"), **Q), **in_leads(("V5", "V6"), st_j_amplitude_mv=0.3))
    assert verdict("prior_mi_inferior", PACK, of) == "met"
    assert verdict("st_elevation_lateral", PACK, of) == "indeterminate"
