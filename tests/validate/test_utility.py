import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from twelvelead.terms import StudyError
from twelvelead.validate import decision_curve, net_benefit
from twelvelead.validate.calibration import fit_logistic
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
        design = np.column_stack([np.ones_like(x), x])
        x = expit(design @ fit_logistic(design, y.to_numpy().astype(float)))
    # At threshold 0 dcurves moves a risk of exactly 0 to just below, so that it isn't positive; here everyone is.
    table = gold_table(name).filter(pl.col("threshold") > 0)
    want, everyone = table.filter(variable=variable), table.filter(variable="all")
    got = decision_curve(y, x, want["threshold"].to_list())
    assert got.height == 99
    assert got["model"].to_numpy() == pytest.approx(want["net_benefit"].to_numpy(), abs=PRINTED)
    assert got["all"].to_numpy() == pytest.approx(everyone["net_benefit"].to_numpy(), abs=PRINTED)


def test_single_points_of_dcurves(gold_table, gold_values):
    data = gold_table("dcurves_py_df_binary.csv")
    want = next(iter(gold_values["dcurves"].values()))["df_binary cancerpredmarker NB@.25"]
    curve = decision_curve(data["cancer"].cast(int), data["cancerpredmarker"], [0.25]).row(0, named=True)
    assert curve["all"] == pytest.approx(want["all"], abs=PRINTED)
    assert curve["model"] == pytest.approx(want["model"], abs=PRINTED)
    assert curve["none"] == 0


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
