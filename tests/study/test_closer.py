import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from twelvelead.study.closer import LADDER, recalibrate_externally
from twelvelead.terms import PREDICTIONS, RECALIBRATION, SUBGROUPS


def predicted(n=3000, shift=1.0, slope=2.0, set_="external", seed=0):
    """Risks whose log-odds are too low by `shift` and `slope` times too extreme."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(-1, 1, n)
    return PREDICTIONS.select(
        pl.DataFrame(
            {
                "recording_id": [f"r{i:05d}" for i in range(n)], "patient_id": [f"p{i // 3:05d}" for i in range(n)],
                "target": "mi", "model": "ecg_age_sex", "set": set_, "y": (rng.uniform(size=n) < expit(truth)),
                "p": expit(slope * truth - shift),
            }
        ).with_columns(pl.col("y").cast(pl.Int8))
    )  # fmt: skip


def test_each_step_mends_what_it_can():
    ladder = {row["method"]: row for row in RECALIBRATION.check(recalibrate_externally(predicted(), seed=0)).to_dicts()}
    assert tuple(ladder) == LADDER
    assert ladder["none"]["oe_ratio"] > 1.3
    assert ladder["intercept"]["oe_ratio"] == pytest.approx(1, abs=0.1)
    assert ladder["none"]["calibration_slope"] == pytest.approx(0.5, abs=0.06)
    assert ladder["intercept"]["calibration_slope"] == pytest.approx(0.5, abs=0.06)
    assert ladder["logistic"]["calibration_slope"] == pytest.approx(1, abs=0.1)
    assert ladder["logistic"]["ici"] < ladder["intercept"]["ici"] < ladder["none"]["ici"]
    assert ladder["none"]["n"] == 3000


def test_the_order_of_rows_changes_no_digit():
    rows = predicted(n=600)
    assert recalibrate_externally(rows, seed=0).equals(recalibrate_externally(rows[::-1], seed=0))


def test_few_patients_are_neither_mended_nor_counted():
    rows = predicted(n=60).with_columns(y=(pl.int_range(pl.len()) < 12).cast(pl.Int8))  # 4 patients with the event
    few = RECALIBRATION.check(recalibrate_externally(rows, seed=0))
    assert few.height == 3
    assert few["note"].str.starts_with("not estimable").all()
    assert few.select("n", "n_events", "oe_ratio", "ici").null_count().row(0) == (3, 3, 3, 3)


def test_without_external_predictions_there_is_nothing_to_mend():
    assert recalibrate_externally(predicted(set_="internal"), seed=0).is_empty()


def test_a_study_adjusts_its_interactions_over_all_targets(finished):
    out, _ = finished
    found = SUBGROUPS.check(pl.read_parquet(out / "subgroups.parquet"))
    assert set(found["grouping"]) >= {"sex", "age"}
    for (_,), part in found.group_by("set"):
        tests = part.unique(["target", "grouping", "metric"])
        assert part["n_tested"].unique().to_list() == [tests.height]
    small = found.filter(pl.col("note").str.starts_with("suppressed"))
    assert small.height > 0
    assert small.select("n", "n_patients", "n_events", "estimate").null_count().row(0) == (small.height,) * 4
