import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from twelvelead.terms import StudyError
from twelvelead.validate import decision_curve, net_benefit, number_needed_to_screen
from twelvelead.validate.logistic import fit_logistic
from twelvelead.validate.utility import weighted_at_threshold

PRINTED = 1e-6
"""dcurves' benchmark tables; a recording at the threshold counts as positive there too."""


@pytest.mark.parametrize(
    ("variable", "name"),
    [("famhistory", "dcurves_py_r_dca_famhistory.csv"), ("age", "dcurves_py_r_simple_binary_dca_result_df.csv")],
)
def test_whole_curves_are_those_of_dcurves(gold_table, variable, name):
    data = gold_table("dcurves_py_df_binary.csv")
    y, x = data["cancer"].cast(int), data[variable].to_numpy().astype(float)
    if variable == "age":  # dcurves turns a marker into a risk by a logistic regression
        x = as_risk(y, x)
    # Threshold 1 and beyond is not offered.
    table = gold_table(name).filter(pl.col("threshold") < 1)
    want, everyone = table.filter(variable=variable), table.filter(variable="all")
    got = decision_curve(y, x, want["threshold"].to_list())
    assert got.height == 100
    assert got["model"].to_numpy() == pytest.approx(want["net_benefit"].to_numpy(), abs=PRINTED)
    assert got["all"].to_numpy() == pytest.approx(everyone["net_benefit"].to_numpy(), abs=PRINTED)


def as_risk(y, x):
    design = np.column_stack([np.ones_like(x), x])
    return expit(design @ fit_logistic(design, y.to_numpy().astype(float)))


def test_single_points_of_dcurves(gold_table, gold_values):
    data = gold_table("dcurves_py_df_binary.csv")
    want = next(iter(gold_values["dcurves"].values()))["df_binary cancerpredmarker NB@.25"]
    curve = decision_curve(data["cancer"].cast(int), data["cancerpredmarker"], [0.25]).row(0, named=True)
    assert curve["all"] == pytest.approx(want["all"], abs=PRINTED)
    assert curve["model"] == pytest.approx(want["model"], abs=PRINTED)
    assert curve["none"] == 0


def test_case_control_prevalence():
    # Half of the events and a quarter of the rest are positive, of a population where 15 % have it.
    y, p = np.repeat([1, 0], [4, 8]), np.r_[np.repeat([0.9, 0.1], 2), np.repeat([0.9, 0.1], [2, 6])]
    curve = decision_curve(y, p, [0.25], prevalence=0.15).row(0, named=True)
    assert curve["model"] == pytest.approx(0.15 / 2 - 0.85 / 4 / 3, abs=1e-12)
    assert curve["all"] == pytest.approx(0.15 - 0.85 / 3, abs=1e-12)
    # With the prevalence that there is, nothing changes.
    plain, given = (net_benefit(y, p, threshold=0.25, prevalence=v) for v in (None, 1 / 3))
    assert given == pytest.approx(plain, abs=1e-12)


def test_case_control_prevalence_of_everybody_is_that_of_dcurves(gold_values):
    # The data of dcurves' model are not at hand; acting on everybody needs none.
    want = next(iter(gold_values["dcurves"].values()))["case-control prev .15 cancerpredmarker NB@.25"]
    assert net_benefit([0, 1], [1.0, 1.0], threshold=0.25, prevalence=0.15) == pytest.approx(want["all"], abs=PRINTED)


def test_number_needed_to_screen():
    y, p = [1, 0, 0, 0, 1], [0.9, 0.9, 0.9, 0.9, 0.1]
    assert number_needed_to_screen(y, p, threshold=0.5) == 4
    # Half of events and all others positive: 1 in 2 × 0.2 against 0.8.
    assert number_needed_to_screen(y, p, threshold=0.5, prevalence=0.2) == pytest.approx((0.1 + 0.8) / 0.1, abs=1e-12)
    assert number_needed_to_screen([1, 0], [0.1, 0.9], threshold=0.5) == np.inf
    assert np.isnan(number_needed_to_screen([1, 0], [0.1, 0.2], threshold=0.5))


@pytest.mark.parametrize(("y", "prevalence"), [([0, 1], 0.0), ([0, 1], 1.0), ([1, 1], 0.5)])
def test_refuses_a_prevalence_that_cannot_be_used(y, prevalence):
    with pytest.raises(StudyError, match="prevalence"):
        net_benefit(y, [0.1, 0.2], threshold=0.1, prevalence=prevalence)


def test_never_above_the_prevalence_and_never_above_a_perfect_model():
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 2, 200), rng.uniform(size=200)
    for t in (0.01, 0.3, 0.9):
        assert net_benefit(y, p, threshold=t) <= y.mean()
        assert net_benefit(y, y, threshold=t) == pytest.approx(y.mean(), abs=1e-15)


def test_counts_at_a_threshold_by_hand():
    y, p = np.array([1.0, 1.0, 0.0, 0.0, 0.0]), np.array([0.9, 0.1, 0.2, 0.1, 0.1])
    got = weighted_at_threshold(y, p, threshold=0.2, weights=np.array([[1.0] * 5, [0, 0, 0, 1, 1]]))
    assert got["sensitivity"][0] == 1 / 2
    assert got["specificity"][0] == 2 / 3
    assert got["ppv"][0] == 1 / 2
    assert got["npv"][0] == 2 / 3
    assert np.isnan(got["sensitivity"][1])
    assert np.isnan(got["ppv"][1])


@pytest.mark.parametrize("threshold", [-0.1, 1.0, 50])
def test_refuses_what_is_no_threshold(threshold):
    with pytest.raises(StudyError, match="threshold must be a risk"):
        net_benefit([0, 1], [0.1, 0.2], threshold=threshold)
