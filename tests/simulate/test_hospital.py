"""The hospital: identifiers, contracts, determinism, case mix, and true distributions."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from twelvelead.simulate import OUTCOMES, SITE_A, SITE_B, hospital
from twelvelead.simulate.draws import stream
from twelvelead.simulate.patients import CONDITIONS
from twelvelead.terms import COHORT, EVENTS, InputError


def test_tables_keep_their_contracts_and_everything_says_that_it_is_simulated(hospital_a, hospital_b):
    for sim, code in ((hospital_a, "a"), (hospital_b, "b")):
        COHORT.check(sim.cohort)
        EVENTS.check(sim.events)
        assert sim.name.startswith("Simulated")
        for table, column in ((sim.cohort, "recording_id"), (sim.cohort, "patient_id"), (sim.events, "patient_id")):
            assert table[column].str.starts_with(f"sim-{code}-p").all()
        assert sim.cohort["recording_id"].equals(sim.truth["recording_id"])
        assert set(sim.cohort["sex"]) == {"female", "male"}
        assert sim.cohort["age_years"].is_between(18, 90).all()
        assert sim.cohort["stay_id"].n_unique() == sim.cohort.height
        assert sim.cohort["recorded_at"].dt.year().min() >= 2150
        assert sim.outcomes is OUTCOMES


def test_the_same_seed_gives_the_same_hospital_and_another_seed_another():
    one, two, other = (hospital(40, site=SITE_A, seed=seed) for seed in (3, 3, 4))
    for name in ("cohort", "events", "truth"):
        assert_frame_equal(getattr(one, name), getattr(two, name), check_exact=True)
        assert not getattr(one, name).equals(getattr(other, name))


def test_no_patient_depends_on_how_many_others_there_are(hospital_b):
    few = hospital(30, site=SITE_B, seed=7)
    for name in ("cohort", "events", "truth"):
        many = getattr(hospital_b, name).filter(pl.col("patient_id") < "sim-b-p000030")
        assert_frame_equal(getattr(few, name), many, check_exact=True)


def test_recordings_of_one_patient_follow_one_another_at_least_a_month_apart(hospital_a):
    per_patient = hospital_a.cohort.group_by("patient_id").len()["len"]
    assert set(per_patient) == {1, 2, 3}
    gaps = hospital_a.cohort.select(
        gap=pl.col("recorded_at").diff().over("patient_id"), aged=pl.col("age_years").diff().over("patient_id")
    ).drop_nulls()
    # Tables hold results up to 20 days after and 3 days before a recording; no two windows may meet.
    assert (gaps["gap"] >= pl.Series([pl.Series([29 * 1440 * 60 * 10**6]).cast(pl.Duration("us"))[0]])).all()
    assert (gaps["aged"] >= 0).all()


@pytest.mark.parametrize(
    ("column", "low", "high"),
    [
        ("heart_rate_bpm", 45, 130),
        ("pr_interval_ms", 120, 220),
        ("p_duration_ms", 80, 145),
        ("qrs_duration_ms", 72, 160),
        ("qtc_fridericia_ms", 375, 500),
        ("r_amplitude_v5_mv", 0.1, 4.0),
        ("qrs_nadir_v1_mv", -4.5, 0.0),
        ("fibrillation_mv", 0.0, 0.11),
    ],
)
def test_truth_lies_in_physiological_ranges(hospital_a, hospital_b, column, low, high):
    for sim in (hospital_a, hospital_b):
        assert sim.truth[column].drop_nulls().is_between(low, high).all()


def test_qt_is_fridericias(hospital_a):
    truth = hospital_a.truth
    rr = 60 / truth["heart_rate_bpm"]
    assert (truth["qtc_fridericia_ms"] * rr.cbrt() - truth["qt_interval_ms"]).abs().max() < 1e-9


def test_no_p_wave_in_fibrillation_and_only_there(hospital_a):
    absent = hospital_a.truth.filter(pl.col("pr_interval_ms").is_null())
    assert set(absent["rhythm"]) == {"af"}
    assert absent["p_axis_deg"].null_count() == absent.height == (hospital_a.truth["rhythm"] == "af").sum()
    assert (absent["fibrillation_mv"] > 0).all()


def test_the_second_hospital_has_another_case_mix():
    a, b = (hospital(3000, site=site, seed=1).truth for site in (SITE_A, SITE_B))
    assert b["age_years"].mean() > a["age_years"].mean() + 3
    assert (b["rhythm"] == "af").mean() > 1.3 * (a["rhythm"] == "af").mean()
    assert b["risk_rib_fracture"].mean() < a["risk_rib_fracture"].mean()


def test_outcomes_happen_as_often_as_their_risk_says(hospital_a):
    for outcome in OUTCOMES:
        p, y = (hospital_a.truth[f"{kind}_{outcome.name}"].to_numpy() for kind in ("risk", "y"))
        # Independent Bernoulli draws, given the risks: the standard error is exact; four of them for nine outcomes.
        assert abs(y.sum() - p.sum()) < 4 * np.sqrt((p * (1 - p)).sum()), outcome.name
        assert 0.08 < p.mean() < 0.35, outcome.name


@pytest.mark.parametrize(
    ("n", "seed", "message"), [(0, 1, "number of patients must be at least 1"), (5, -1, "seed must be at least 0")]
)
def test_impossible_sizes_are_refused(n, seed, message):
    with pytest.raises(InputError, match=message):
        hospital(n, site=SITE_A, seed=seed)


def test_streams_of_different_names_differ():
    assert stream("a/age", seed=1).random() != stream("a/sex", seed=1).random()


@pytest.mark.parametrize("site", [SITE_A, SITE_B], ids=lambda s: s.code)
def test_a_site_shifts_only_what_exists(site):
    assert {name for name, _ in site.condition_shifts} <= {name for name, _, _ in CONDITIONS}
    assert {name for name, _ in site.risk_shifts} <= {outcome.name for outcome in OUTCOMES}
