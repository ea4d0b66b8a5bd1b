import numpy as np
import polars as pl
import pytest
from scipy.special import expit, logit

from twelvelead.terms import StudyError
from twelvelead.validate import (
    brier,
    calibration_curve,
    calibration_intercept,
    calibration_slope,
    calibration_summary,
    ici,
    oe_ratio,
    scaled_brier,
)
from twelvelead.validate.logistic import fit_logistic, log_odds, logistic_covariance, weighted_logistic
from twelvelead.validate.smoothing import KNOT_QUANTILES, spline


@pytest.fixture(scope="module")
def readme(gold_table):
    return gold_table("pmcalibration_readme.csv")


def test_figures_are_those_of_pmcalibration(readme, gold_values):
    want = gold_values["pmcalibration_readme"]
    y, p = readme["y"].to_numpy(), readme["p"].to_numpy()
    assert brier(y, p) == pytest.approx(want["brier"], abs=1e-10)
    assert scaled_brier(y, p) == pytest.approx(want["brier_scaled"], abs=1e-10)
    assert oe_ratio(y, p) == pytest.approx(want["OE"], abs=1e-10)
    # R's glm stops at a relative change of the deviance of 1e-8.
    assert calibration_intercept(y, p) == pytest.approx(want["citl"]["est"], abs=1e-8)
    assert calibration_slope(y, p) == pytest.approx(want["slope"]["est"], abs=1e-8)
    assert calibration_slope(y, p) == pytest.approx(want["val_prob"]["Slope"], abs=1e-8)
    assert ici(y, p) == pytest.approx(want["rcs5_logit"]["Eavg"], abs=1e-8)


def test_knots_are_harrells(readme, gold_values):
    knots = np.quantile(logit(readme["p"].to_numpy()), KNOT_QUANTILES)
    assert knots == pytest.approx(gold_values["pmcalibration_readme"]["rcs5_knots"], abs=1e-10)


def test_spline_is_straight_beyond_its_knots_and_smooth_within():
    knots = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    outside = spline(np.array([3.0, 4.0, 5.0, -5.0, -4.0, -3.0]), knots)
    assert np.diff(outside[:3], n=2, axis=0) == pytest.approx(0, abs=1e-12)
    assert outside[3:, 2:] == pytest.approx(0, abs=1e-12)
    for knot in knots:  # no jump in the second derivative; h = 1e-3 leaves one of order 1e-2
        h = 1e-3
        around = spline(knot + h * np.arange(-3, 4), knots)
        second = np.diff(around, n=2, axis=0) / h**2
        assert np.abs(np.diff(second, axis=0)).max() < 0.02


def simulated(n=100_000, seed=1):
    rng = np.random.default_rng(seed)
    lp = rng.normal(-1.5, 1.2, n)
    return (rng.uniform(size=n) < expit(lp)).astype(int), lp


def test_perfect_risks_are_found_perfect():
    y, lp = simulated()
    p = expit(lp)
    # Two standard errors at 100,000 recordings with 22,000 events.
    assert calibration_intercept(y, p) == pytest.approx(0, abs=0.02)
    assert calibration_slope(y, p) == pytest.approx(1, abs=0.02)
    assert ici(y, p) < 0.005


@pytest.mark.parametrize("shift", [-1.0, 1.0, 6.0])
def test_shift_and_stretch_are_recovered(shift):
    y, lp = simulated()
    assert calibration_intercept(y, expit(lp - shift)) == pytest.approx(shift, abs=0.02)
    assert calibration_slope(y, expit(2 * lp - shift)) == pytest.approx(0.5, abs=0.02)


def test_standard_errors_are_those_of_r(readme, gold_values):
    want = gold_values["pmcalibration_readme"]
    table = calibration_summary(readme["y"], readme["p"], level=0.95)
    found = {row["metric"]: row for row in table.iter_rows(named=True)}
    # R's glm takes the information at its last step but one: four figures fewer than of the coefficients.
    assert found["calibration_intercept"]["se"] == pytest.approx(want["citl"]["se"], abs=1e-6)
    assert found["calibration_slope"]["se"] == pytest.approx(want["slope"]["se"], abs=1e-6)
    # Wald's limits and those of the profile likelihood differ by little among 1,000 recordings.
    for name, key in (("calibration_intercept", "citl"), ("calibration_slope", "slope")):
        limits = [found[name]["lower"], found[name]["upper"]]
        assert limits == pytest.approx(want[key]["ci_profile"], abs=0.006)
    # The intercept that rms prints is fitted together with the slope: another figure.
    joint = fit_logistic(np.column_stack([np.ones(1000), logit(readme["p"])]), readme["y"].to_numpy().astype(float))
    assert joint[0] == pytest.approx(want["val_prob"]["Intercept"], abs=1e-8)
    assert found["oe_ratio"]["estimate"] == pytest.approx(want["OE"], abs=1e-10)


def test_oe_ratio_and_its_error_by_hand():
    y, p = np.tile([1, 0, 0, 0], 15), np.full(60, 0.5)
    row = calibration_summary(y, p, level=0.95).row(2, named=True)
    se = np.sqrt(0.75 / 15)  # of 15 events among 60
    assert (row["metric"], row["estimate"], row["se"]) == ("oe_ratio", 0.5, pytest.approx(se, abs=1e-12))
    assert row["lower"] == pytest.approx(0.5 * np.exp(-1.959964 * se), abs=1e-6)
    assert row["clustered_se"] is None
    # One recording per patient: the same but for C/(C − 1).
    row = calibration_summary(y, p, level=0.95, patients=np.arange(60)).row(2, named=True)
    assert row["clustered_se"] == pytest.approx(se * np.sqrt(60 / 59), abs=1e-12)


def test_clustered_errors_count_copies_of_a_patient_once():
    y, lp = simulated(400)
    once = calibration_summary(y, expit(lp), level=0.95, patients=np.arange(400))
    four = calibration_summary(
        np.repeat(y, 4), expit(np.repeat(lp, 4)), level=0.95, patients=np.repeat(np.arange(400), 4)
    )
    for name in ("estimate", "clustered_se"):
        assert four[name].to_numpy() == pytest.approx(once[name].to_numpy(), rel=1e-9)
    assert four["se"].to_numpy() == pytest.approx(once["se"].to_numpy() / 2, rel=1e-9)


def test_sandwich_is_that_of_the_formula():
    y, lp = simulated(60)
    design = np.column_stack([np.ones(60), lp])
    beta = fit_logistic(design, y.astype(float))
    unit = np.arange(60) // 3
    mu = expit(design @ beta)
    bread = np.linalg.inv(sum(m * (1 - m) * np.outer(x, x) for x, m in zip(design, mu, strict=True)))
    meat = np.zeros((2, 2))
    for patient in range(20):
        score = sum((y[i] - mu[i]) * design[i] for i in range(60) if unit[i] == patient)
        meat += np.outer(score, score)
    found = logistic_covariance(design, beta, y=y.astype(float), unit=unit)
    assert found == pytest.approx(bread @ meat @ bread * 20 / 19, rel=1e-9)


def test_summary_says_why_limits_are_missing():
    few = calibration_summary([0] * 30 + [1] * 9, [0.1, 0.3, 0.5] * 13, level=0.95)
    assert few["estimate"].null_count() == 0
    assert few["lower"].null_count() == 3
    assert few["note"].str.contains("fewer than 10 patients").all()
    one_class = calibration_summary([0] * 30, [0.1] * 30, level=0.95)
    assert one_class["estimate"].to_list() == [None, None, 0.0]
    assert one_class["note"][0] == "not defined for these recordings"


@pytest.mark.parametrize("clustered", [False, True])
def test_limits_cover_the_truth(clustered):
    # 200 patients with 3 recordings each, who share 60 % of the variance of what the risks don't know.
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(200):
        patient = np.repeat(np.arange(200), 3)
        own = rng.normal(0, np.sqrt(0.6), 200)[patient] + rng.normal(0, np.sqrt(0.4), 600)
        y = (own > 0.8).astype(int)  # 21.2 % have it
        row = calibration_summary(y, np.full(600, 0.2118554), level=0.95, patients=patient).row(0, named=True)
        lower, upper = ("clustered_lower", "clustered_upper") if clustered else ("lower", "upper")
        covered += row[lower] <= 0 <= row[upper]
    # 190 expected; three standard errors are 9.
    assert covered >= 181 if clustered else covered < 181


def test_risks_of_0_and_1_are_held_off():
    assert np.isfinite(log_odds(np.array([0.0, 1.0]))).all()
    assert np.isfinite(calibration_intercept([0, 1, 0, 1], [0.0, 1.0, 1.0, 0.0]))
    assert calibration_intercept([0] * 99 + [1], [1.0] * 100) == pytest.approx(-np.log(99) - logit(1 - 1e-8), abs=1e-6)


def test_not_defined_is_nan_not_a_number():
    assert np.isnan(calibration_intercept([1, 1], [0.2, 0.6]))
    assert np.isnan(calibration_slope([0, 1], [0.2, 0.6]))  # separated
    assert np.isnan(calibration_slope([0, 1, 1], [0.2, 0.2, 0.2]))
    assert np.isnan(ici([0, 1, 1], [0.2, 0.2, 0.2]))
    assert np.isnan(ici(np.zeros(200), np.linspace(0.1, 0.9, 200)))
    assert np.isnan(scaled_brier([1, 1], [0.2, 0.6]))
    assert np.isnan(oe_ratio([1, 0], [0.0, 0.0]))


def test_all_resamples_at_once_are_as_one_by_one():
    rng = np.random.default_rng(3)
    y, lp = simulated(300)
    design = np.column_stack([np.ones(300), lp])
    weights = rng.multinomial(300, np.full(300, 1 / 300), size=20).astype(float)
    together = weighted_logistic(design, events=weights * y, weights=weights)
    for w, beta in zip(weights.astype(int), together, strict=True):
        alone = fit_logistic(np.repeat(design, w, axis=0), np.repeat(y, w).astype(float))
        assert beta == pytest.approx(alone, abs=1e-9)


def test_limits_of_the_curve_are_wilsons_for_independent_recordings():
    # 0 of 20: upper limit z²/(n + z²) with z² = 3.8415.
    row = calibration_curve([0] * 20, [0.1] * 20).row(0, named=True)
    assert row["lower"] == pytest.approx(0, abs=1e-12)
    assert row["upper"] == pytest.approx(3.841459 / 23.841459, abs=1e-6)
    # 5 of 10: 0.5 ± 0.2634, as in Agresti and Coull's table.
    row = calibration_curve([0, 1] * 5, [0.1] * 10).row(0, named=True)
    assert (row["lower"], row["upper"]) == (pytest.approx(0.2366, abs=1e-4), pytest.approx(0.7634, abs=1e-4))


def test_limits_of_the_curve_count_copies_of_a_patient_once():
    # 40 patients, each four times the same: as many independent facts as patients, up to the factor C/(C − 1).
    y = np.repeat(np.arange(40) % 4 == 0, 4).astype(int)
    patients = np.repeat(np.arange(40), 4)
    once = calibration_curve(y[::4], np.full(40, 0.3)).row(0, named=True)
    four = calibration_curve(y, np.full(160, 0.3), patients=patients).row(0, named=True)
    naive = calibration_curve(y, np.full(160, 0.3)).row(0, named=True)
    assert four["upper"] - four["lower"] == pytest.approx(once["upper"] - once["lower"], abs=0.005)
    assert naive["upper"] - naive["lower"] < 0.6 * (four["upper"] - four["lower"])


def test_limits_of_the_curve_widen_with_the_level():
    narrow = calibration_curve([0, 1] * 5, [0.1] * 10, level=0.5).row(0, named=True)
    wide = calibration_curve([0, 1] * 5, [0.1] * 10, level=0.99).row(0, named=True)
    assert wide["lower"] < narrow["lower"] < narrow["upper"] < wide["upper"]


def test_curve_counts_everyone_once_and_keeps_ties_together():
    y, lp = simulated(5000)
    p = np.round(expit(lp), 2)
    curve = calibration_curve(y, p, n_bins=10)
    assert curve["n"].sum() == 5000
    assert curve["n_events"].sum() == y.sum()
    assert curve["predicted"].is_sorted()
    # About 500 per group, share near 0.2: standard error 0.018, four of them.
    assert (curve["predicted"] - curve["observed"]).abs().max() < 0.08
    assert (curve["predicted"] - curve["smoothed"]).abs().max() < 0.05
    few = calibration_curve([0, 1, 1], [0.2, 0.2, 0.2])
    assert few.height == 1
    assert few["smoothed"].to_list() == [None]
    assert isinstance(few, pl.DataFrame)
    with pytest.raises(StudyError, match="n_bins must be at least 1; got 0"):
        calibration_curve([0, 1], [0.1, 0.2], n_bins=0)


def test_order_of_rows_changes_no_bit():
    y, lp = simulated(3000)
    p, patient = np.round(expit(lp), 2), np.arange(3000) // 3
    shuffled = np.random.default_rng(0).permutation(3000)
    first = calibration_summary(y, p, level=0.95, patients=patient)
    assert calibration_summary(y[shuffled], p[shuffled], level=0.95, patients=patient[shuffled]).equals(first)
    curve = calibration_curve(y, p, patients=patient)
    assert calibration_curve(y[shuffled], p[shuffled], patients=patient[shuffled]).equals(curve)
    assert ici(y, p) == ici(y[shuffled], p[shuffled])


def test_scores_are_no_risks():
    for figure in (brier, oe_ratio, calibration_intercept, calibration_slope, ici):
        with pytest.raises(StudyError, match="p must be a risk in"):
            figure([0, 1], [-0.1, 0.4])
