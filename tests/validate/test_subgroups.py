import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from twelvelead.terms import SUBGROUPS, StudyError
from twelvelead.validate import (
    Bootstrap,
    Sample,
    adjust_interactions,
    auroc,
    calibration_intercept,
    calibration_slope,
    subgroup_differences,
    unpaired_delta_auroc,
)
from twelvelead.validate.subgroups import METRICS, _interaction, _Subgroup

HOW = Bootstrap(n_resamples=200, seed=0, level=0.95)


def simulated(seed=0, n=600, k=3, worse=False):
    """Predictions with the true risk; where `worse`, women's risks are too extreme and partly noise."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(n), k)
    log_odds = (-2 + rng.normal(size=n)[unit] + 0.5 * rng.normal(size=n * k)).round(3)
    y = (rng.uniform(size=n * k) < expit(log_odds)).astype(np.int8)
    woman = (rng.uniform(size=n) < 0.45)[unit]
    if worse:
        log_odds = np.where(woman, -1 + 2.5 * rng.normal(size=n)[unit] + 0.5 * log_odds, log_odds)
    ids = [f"r{i:05d}" for i in range(n * k)]
    predictions = pl.DataFrame(
        {
            "recording_id": ids, "patient_id": [f"p{u:04d}" for u in unit], "target": "mi", "model": "ecg",
            "set": "internal", "y": y, "p": expit(log_odds),
        }
    )  # fmt: skip
    site = np.where(unit < n - 12, np.where(unit % 3 == 0, "A", "B"), "C")
    strata = pl.DataFrame(
        {
            "recording_id": ids, "sex": np.where(woman, "female", "male"), "site": site,
            "age_band": np.where(rng.uniform(size=n * k) < 0.5, "old", "young"),
        }
    )  # fmt: skip
    return predictions, strata.with_columns(site=pl.when(pl.col("site") == "B").then(None).otherwise("site"))


@pytest.fixture(scope="module")
def found():
    predictions, strata = simulated(worse=True)
    return subgroup_differences(predictions, strata, model="ecg", bootstrap=HOW)


def test_a_worse_model_for_women_is_found(found):
    SUBGROUPS.check(found)
    sex = found.filter(grouping="sex", subgroup="female")
    assert sex["reference"].unique().to_list() == ["male"]
    assert (sex["p_bh"] < 0.01).all()
    assert (sex["difference"] < 0).to_list() == [True, True, True]
    assert ((sex["lower"] <= sex["difference"]) & (sex["difference"] <= sex["upper"])).all()
    age = found.filter(grouping="age_band", subgroup="young")
    assert (age["p_value"] > 0.01).all()
    assert ((age["lower"] < 0) & (age["upper"] > 0)).all()


def test_small_subgroups_show_neither_figures_nor_counts(found):
    small = found.filter(grouping="site", subgroup="C")
    assert small["note"].str.starts_with("suppressed").all()
    figures = ("n", "n_patients", "n_events", "estimate", "difference", "lower", "upper")
    assert small.select(figures).null_count().row(0) == (3,) * 7
    alone = found.filter(grouping="site", subgroup="A")
    assert alone["note"].str.starts_with("nothing to compare with").all()
    assert alone["estimate"].null_count() == 0
    assert alone["p_value"].null_count() == 3


def test_targets_that_were_tested_apart_are_adjusted_as_if_together():
    predictions, strata = simulated(n=150, worse=True)
    both = pl.concat([predictions, simulated(seed=1, n=150)[0].with_columns(target=pl.lit("af"))])
    together = subgroup_differences(both, strata, model="ecg", bootstrap=HOW)
    apart = pl.concat(
        [subgroup_differences(both.filter(target=t), strata, model="ecg", bootstrap=HOW) for t in ("af", "mi")]
    )
    assert apart["n_tested"].unique().to_list() == [9]
    assert not apart.equals(together)
    assert adjust_interactions(apart).equals(together)
    assert adjust_interactions(SUBGROUPS.empty()).is_empty()


def test_all_declared_interactions_are_counted(found):
    assert found["n_tested"].unique().to_list() == [9]
    tests = found.select("grouping", "metric", "p_value", "p_bh").unique().drop_nulls()
    ordered = tests.sort("p_value")
    assert tests.height == 6
    by_hand = np.minimum.accumulate((ordered["p_value"].to_numpy() * 9 / np.arange(1, 7))[::-1])[::-1]
    # Three that could not be tested count with p = 1: they can only bound from above.
    assert ordered["p_bh"].to_numpy() == pytest.approx(np.minimum(by_hand, 1.0), abs=1e-12)


def test_estimates_are_those_of_the_subgroup_alone(found):
    predictions, strata = simulated(worse=True)
    women = predictions.join(strata.filter(sex="female"), on="recording_id")
    rows = dict(found.filter(grouping="sex", subgroup="female").select("metric", "estimate").rows())
    for name, figure in (
        ("auroc", auroc), ("calibration_intercept", calibration_intercept), ("calibration_slope", calibration_slope),
    ):  # fmt: skip
        assert rows[name] == pytest.approx(figure(women["y"], women["p"]), abs=1e-9)


def subgroup(name, y, p, unit):
    fewest = min(np.unique(unit[y == side]).size for side in (0, 1))
    return _Subgroup(name, y, p, unit, np.unique(unit).size, fewest)


def test_two_groups_of_different_patients_are_delongs_unpaired_test():
    rng = np.random.default_rng(4)
    unit = np.repeat(np.arange(300), 2)
    y = (rng.uniform(size=300) < 0.4)[unit].astype(float)
    p = expit(rng.normal(size=300)[unit] + y)
    first = unit < 150
    groups = [subgroup("a", y[first], p[first], unit[first]), subgroup("b", y[~first], p[~first], unit[~first])]
    statistic, freedom, _ = _interaction(groups, groups[0], metric="auroc", n_units=300)
    samples = [Sample(g.y, g.p, g.unit) for g in groups]
    plain = unpaired_delta_auroc(*samples, level=0.95)
    assert freedom == 1
    # Log-odds for the plain scale, and n/(n - 1) for all patients instead of each class: a few per cent.
    assert statistic**0.5 == pytest.approx(abs(plain.z), rel=0.05)


def test_a_patient_in_both_groups_is_one_patient():
    """The same recordings in two groups do not differ, and the covariance knows it."""
    rng = np.random.default_rng(5)
    unit = np.arange(200)
    y = (rng.uniform(size=200) < 0.5).astype(float)
    p = expit(rng.normal(size=200) + y)
    nearly = np.clip(p + 0.02 * rng.normal(size=200), 0.001, 0.999)
    same = [subgroup("a", y, p, unit), subgroup("b", y, nearly, unit)]
    apart = [same[0], subgroup("b", y, nearly, unit + 200)]
    for metric in METRICS:
        paired = _interaction(same, same[0], metric=metric, n_units=200)[0]
        unpaired = _interaction(apart, apart[0], metric=metric, n_units=400)[0]
        assert paired > 5 * unpaired


@pytest.mark.parametrize("metric", METRICS)
def test_no_difference_is_rejected_as_often_as_is_said(metric):
    """250 simulations with 20 or so patients with the event in the smaller group: at most 5 % + 2 SE of 1.4 %."""
    p_values = []
    for seed in range(250):
        rng = np.random.default_rng([6, seed])
        unit = np.repeat(np.arange(250), 2)
        log_odds = -2.2 + rng.normal(size=250)[unit]
        y = (rng.uniform(size=500) < expit(log_odds)).astype(float)
        small = unit % 4 == 0
        groups = [subgroup("a", y[~small], expit(log_odds[~small]), unit[~small])]
        groups.append(subgroup("b", y[small], expit(log_odds[small]), unit[small]))
        p_value = _interaction(groups, groups[0], metric=metric, n_units=250)[2]
        if groups[1].fewest >= 10 and p_value is not None:
            p_values.append(p_value)
    assert len(p_values) > 180
    assert np.mean(np.array(p_values) < 0.05) < 0.05 + 2 * 0.014


def test_same_rows_in_other_order_give_the_same_table(found):
    predictions, strata = simulated(worse=True)
    shuffled = [table.sample(fraction=1, shuffle=True, seed=1) for table in (predictions, strata)]
    assert subgroup_differences(*shuffled, model="ecg", bootstrap=HOW).equals(found)


def test_where_nothing_is_wrong_no_note_is_made_and_unknown_is_no_subgroup():
    predictions, strata = simulated()
    sex = strata.select("recording_id", "sex")
    every = subgroup_differences(predictions, sex, model="ecg", bootstrap=HOW)
    assert every["note"].null_count() == every.height == 6
    nobody = strata.select("recording_id", sex=pl.lit(None, dtype=pl.String))
    assert subgroup_differences(predictions, nobody, model="ecg", bootstrap=HOW).height == 0


def test_refuses_what_is_no_grouping():
    predictions, strata = simulated(n=50)
    with pytest.raises(StudyError, match="a column per grouping; got columns recording_id"):
        subgroup_differences(predictions, strata.select("recording_id"), model="ecg", bootstrap=HOW)
    with pytest.raises(StudyError, match="one row per recording"):
        subgroup_differences(predictions, pl.concat([strata, strata]), model="ecg", bootstrap=HOW)
    with pytest.raises(StudyError, match="got none of 'cnn'"):
        subgroup_differences(predictions, strata, model="cnn", bootstrap=HOW)
