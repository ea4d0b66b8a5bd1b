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
    ici,
    oe_ratio,
    scaled_brier,
)
from twelvelead.validate.calibration import KNOT_QUANTILES, fit_logistic, log_odds, spline, weighted_logistic


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
    # Three standard errors at 100,000 recordings with 22,000 events.
    assert calibration_intercept(y, p) == pytest.approx(0, abs=0.03)
    assert calibration_slope(y, p) == pytest.approx(1, abs=0.03)
    assert ici(y, p) < 0.005


@pytest.mark.parametrize("shift", [-1.0, 1.0, 6.0])
def test_shift_and_stretch_are_recovered(shift):
    y, lp = simulated()
    assert calibration_intercept(y, expit(lp - shift)) == pytest.approx(shift, abs=0.03)
    assert calibration_slope(y, expit(2 * lp - shift)) == pytest.approx(0.5, abs=0.03)


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
