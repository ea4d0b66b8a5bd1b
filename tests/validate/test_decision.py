import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from twelvelead.terms import StudyError
from twelvelead.validate import (
    Bootstrap,
    decision_curve,
    decision_curves,
    delta_net_benefit,
    interval,
    net_benefit,
    resamples,
    units,
)

THRESHOLDS = [0.05, 0.1, 0.2, 0.4]


@pytest.fixture(scope="module")
def cohort():
    """Return y, a good and a poor model's risks, and patients with four recordings each."""
    rng = np.random.default_rng(0)
    patient = np.repeat(np.arange(500), 4)
    lp = -2 + rng.normal(size=500)[patient] + 0.3 * rng.normal(size=2000)
    y = (rng.uniform(size=2000) < expit(lp)).astype(int)
    return y, expit(lp), expit(0.4 * lp - 1.2), np.array([f"p{i:03d}" for i in patient])


def test_curves_and_interventions_are_those_of_dcurves(gold_table):
    data = gold_table("dcurves_py_df_binary.csv")
    want = gold_table("dcurves_py_r_case1_results.csv").filter(pl.col("threshold") < 1)
    thresholds = want.filter(variable="all")["threshold"].to_list()
    y = data["cancer"].cast(int)
    models = sorted(set(want["variable"].unique()) - {"all", "none"})
    got = decision_curves(
        y,
        {name: data[name] for name in models},
        thresholds,
        patients=data["patientid"],
        bootstrap=Bootstrap(20, 0, 0.95),
    )
    both = got.join(want, left_on=("model", "threshold"), right_on=("variable", "threshold"), validate="1:1")
    assert both.height == len(thresholds) * 3
    difference = both["net_benefit"] - both["net_benefit_right"]
    assert difference.abs().max() < 1e-6
    # dcurves gives interventions avoided per person, and none at threshold 0.
    avoided = both.filter(pl.col("threshold") > 0)
    avoided = avoided["interventions_avoided"] / 100 - avoided["net_intervention_avoided"].cast(float)
    assert avoided.abs().max() < 1e-6
    assert both.filter(threshold=0)["interventions_avoided"].null_count() == 3


def test_estimates_are_those_of_the_single_curve(cohort):
    y, good, poor, patient = cohort
    for prevalence in (None, 0.3):
        boot = Bootstrap(20, 1, 0.95)
        got = decision_curves(
            y, {"good": good, "poor": poor}, THRESHOLDS, patients=patient, bootstrap=boot, prevalence=prevalence
        )
        for name, p in (("good", good), ("poor", poor)):
            want = decision_curve(y, p, THRESHOLDS, prevalence=prevalence)
            table = got.filter(model=name)
            assert table["net_benefit"].to_numpy() == pytest.approx(want["model"].to_numpy(), abs=1e-12)
            assert got.filter(model="all")["net_benefit"].to_numpy() == pytest.approx(want["all"].to_numpy(), abs=1e-12)
        assert got.filter(model="none")["net_benefit"].to_list() == [0.0] * 4


def test_intervals_are_those_of_a_plain_loop(cohort):
    y, good, poor, patient = cohort
    boot = Bootstrap(60, 5, 0.9)
    got = decision_curves(y, {"good": good, "poor": poor}, [0.1], patients=patient, bootstrap=boot)
    delta = delta_net_benefit(y, good, poor, thresholds=[0.1], patients=patient, bootstrap=boot).row(0, named=True)
    values = []
    for weights in resamples(units(patient), n_resamples=60, seed=5):
        for w in weights.astype(int):
            again = [np.repeat(x, w) for x in (y, good, poor)]
            values.append([net_benefit(again[0], p, threshold=0.1) for p in again[1:]])
    values = np.array(values)
    for i, name in enumerate(("good", "poor")):
        want = interval(values[:, i], level=0.9)
        row = got.filter(model=name).row(0, named=True)
        assert (row["lower"], row["upper"]) == pytest.approx((want.lower, want.upper), abs=1e-12)
        assert row["n_resamples"] == 60
    want = interval(values[:, 0] - values[:, 1], level=0.9)
    assert (delta["lower"], delta["upper"]) == pytest.approx((want.lower, want.upper), abs=1e-12)
    assert delta["difference"] == pytest.approx(delta["new"] - delta["base"], abs=1e-15)


def test_a_model_is_not_better_than_itself(cohort):
    y, good, _, patient = cohort
    found = delta_net_benefit(y, good, good, thresholds=THRESHOLDS, patients=patient, bootstrap=Bootstrap(50, 0, 0.95))
    assert found.select(pl.col("difference", "lower", "upper").abs().max()).row(0) == (0.0, 0.0, 0.0)


def test_order_of_rows_changes_nothing(cohort):
    y, good, poor, patient = cohort
    shuffled = np.random.default_rng(1).permutation(len(y))
    boot = Bootstrap(100, 2, 0.95)
    first = decision_curves(y, {"good": good, "poor": poor}, THRESHOLDS, patients=patient, bootstrap=boot)
    again = decision_curves(
        y[shuffled],
        {"good": good[shuffled], "poor": poor[shuffled]},
        THRESHOLDS,
        patients=patient[shuffled],
        bootstrap=boot,
    )
    assert again.equals(first)


def test_never_above_the_prevalence(cohort):
    y, good, _, patient = cohort
    found = decision_curves(
        y, {"good": good, "perfect": y.astype(float)}, THRESHOLDS, patients=patient, bootstrap=Bootstrap(50, 0, 0.95)
    )
    assert (found["net_benefit"] <= y.mean() + 1e-15).all()
    assert found.filter(model="perfect")["net_benefit"].to_numpy() == pytest.approx(np.full(4, y.mean()), abs=1e-15)


def test_few_patients_with_the_event_get_no_interval():
    y, p = np.r_[np.ones(9, int), np.zeros(91, int)], np.linspace(0.9, 0.1, 100)
    boot = Bootstrap(20, 0, 0.95)
    found = decision_curves(y, {"m": p}, [0.2], patients=np.arange(100), bootstrap=boot)
    assert found["net_benefit"].null_count() == 0
    assert found["lower"].null_count() == found["avoided_upper"].null_count() == 3
    assert found["n_resamples"].to_list() == [0, 0, 0]
    delta = delta_net_benefit(y, p, p, thresholds=[0.2], patients=np.arange(100), bootstrap=boot)
    assert delta["lower"].to_list() == [None]


def test_refuses_models_that_are_none_or_called_so():
    boot = Bootstrap(20, 0, 0.95)
    for models in ({}, {"all": [0.1, 0.2]}):
        with pytest.raises(StudyError, match="models must be there and not be called all or none"):
            decision_curves([0, 1], models, [0.1], patients=[0, 1], bootstrap=boot)
    with pytest.raises(StudyError, match="there must be a threshold; got none"):
        decision_curves([0, 1], {"m": [0.1, 0.2]}, [], patients=[0, 1], bootstrap=boot)
