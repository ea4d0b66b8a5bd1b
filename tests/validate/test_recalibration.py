import numpy as np
import pytest
from scipy.special import expit, logit

from twelvelead.terms import StudyError
from twelvelead.validate import oe_ratio, recalibrate, recalibration_ladder
from twelvelead.validate.recalibration import METHODS, Recalibration, halves


@pytest.fixture(scope="module")
def elsewhere():
    """Return y, p and patients of a place where risks are too high by 1 on the log-odds, and too extreme."""
    rng = np.random.default_rng(3)
    patient = np.repeat(np.arange(6000), 2)
    lp = (rng.normal(-2, 1, 6000)[patient] + rng.normal(0, 0.5, 12_000)).round(6)
    y = (rng.uniform(size=12_000) < expit(lp)).astype(int)
    return y, expit(1.4 * lp + 1), patient


def test_shift_and_stretch_are_undone(elsewhere):
    y, p, _ = elsewhere
    lp = (logit(p) - 1) / 1.4
    mended = recalibrate(y, p, method="logistic")
    assert mended.slope == pytest.approx(1 / 1.4, abs=0.05)
    assert np.abs(mended(p) - expit(lp)).max() < 0.05
    shifted = recalibrate(y, p, method="intercept")
    assert shifted.slope == 1
    assert oe_ratio(y, shifted(p)) == pytest.approx(1, abs=1e-9)
    assert recalibrate(y, p, method="none")(p) == pytest.approx(p, abs=0)


def test_isotonic_never_falls_and_keeps_the_sum(elsewhere):
    y, p, _ = elsewhere
    mended = recalibrate(y, p, method="isotonic")
    assert (np.diff(mended(np.linspace(0, 1, 500))) >= 0).all()
    assert mended(p).sum() == pytest.approx(y.sum(), abs=1e-6)
    assert recalibrate([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4], method="isotonic")([0.25, 0.9]).tolist() == [0.5, 1.0]


def test_ladder_mends_what_is_to_be_mended(elsewhere):
    y, p, patient = elsewhere
    ladder = {row["method"]: row for row in recalibration_ladder(y, p, patient, seed=1).iter_rows(named=True)}
    assert list(ladder) == list(METHODS)
    assert ladder["none"]["oe_ratio"] == pytest.approx(oe_ratio(y, p), abs=1e-12)
    assert ladder["none"]["oe_ratio"] < 0.8
    for method in METHODS[1:]:
        assert 0.98 <= ladder[method]["oe_ratio"] <= 1.02
        assert ladder[method]["brier"] < ladder["none"]["brier"]
    assert ladder["intercept"]["calibration_slope"] == pytest.approx(1 / 1.4, abs=0.05)
    assert ladder["logistic"]["calibration_slope"] == pytest.approx(1, abs=0.05)
    assert ladder["logistic"]["ici"] < 0.01 < ladder["intercept"]["ici"] < ladder["none"]["ici"]


def test_order_of_rows_changes_nothing(elsewhere):
    y, p, patient = elsewhere
    shuffled = np.random.default_rng(0).permutation(len(y))
    first = recalibration_ladder(y, p, patient, seed=1)
    assert recalibration_ladder(y[shuffled], p[shuffled], patient[shuffled], seed=1).equals(first)
    assert not recalibration_ladder(y, p, patient, seed=2).equals(first)


def test_nobody_helps_to_mend_his_own_risk():
    # Risks that mean nothing: a curve through all recordings beats the prevalence on them, but not on others.
    rng = np.random.default_rng(5)
    y, p = rng.integers(0, 2, 400), rng.uniform(size=400)
    ladder = recalibration_ladder(y, p, np.arange(400), seed=0, methods=("isotonic",))
    within = np.mean((y - recalibrate(y, p, method="isotonic")(p)) ** 2)
    assert within < np.var(y) < ladder["brier"][0]


def test_ladder_says_what_cannot_be_fitted():
    # The risks separate the outcomes: a shift can be found, a slope can't.
    y, p = np.repeat([0, 1], 20), np.repeat([0.2, 0.4], 20)
    ladder = recalibration_ladder(y, p, np.arange(40), seed=0, methods=("intercept", "logistic"))
    assert ladder["oe_ratio"].is_null().to_list() == [False, True]
    assert ladder["note"][0] is None
    assert ladder["note"][1].startswith("logistic recalibration must have a finite fit")


def test_refuses_scores_that_are_no_risks():
    with pytest.raises(StudyError, match=r"got 2\.0 in 1 of 2\. Give risks, not scores"):
        recalibrate([0, 1], [0.2, 2.0], method="intercept")


def test_halves_are_of_whole_patients(elsewhere):
    y, _, patient = elsewhere
    second = halves(y, patient, seed=0)
    assert not set(patient[second]) & set(patient[~second])
    assert abs(second.mean() - 0.5) < 0.001
    assert abs(y[second].sum() - y[~second].sum()) < 100


def test_refuses_what_cannot_be_fitted():
    with pytest.raises(
        StudyError, match="recalibration must be one of none, intercept, logistic, isotonic; got 'beta'"
    ):
        recalibrate([0, 1], [0.2, 0.3], method="beta")
    with pytest.raises(StudyError, match="intercept recalibration must have a finite fit; got none with 0 events in 2"):
        recalibrate([0, 0], [0.2, 0.3], method="intercept")
    with pytest.raises(StudyError, match="logistic recalibration must have a finite fit"):
        recalibrate([0, 1], [0.2, 0.3], method="logistic")


def test_curve_of_knots_is_level_beyond_them():
    curve = Recalibration("isotonic", knots=((0.2, 0.1), (0.4, 0.3)))
    assert curve([0.0, 0.3, 1.0]) == pytest.approx([0.1, 0.2, 0.3], abs=1e-12)
