import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from twelvelead.predict import calibrate
from twelvelead.terms import StudyError


def margins(n=4000, seed=0):
    rng = np.random.default_rng(seed)
    m = rng.normal(-1, 2, n)
    return m, (rng.uniform(size=n) < expit(0.5 * m + 0.3)).astype(np.int8)


def test_logistic_finds_the_curve_that_made_the_outcomes():
    m, y = margins()
    curve = calibrate(m, y, method="logistic")
    # Standard errors at 4,000 recordings: 0.02 and 0.04.
    assert curve.slope == pytest.approx(0.5, abs=0.06)
    assert curve.intercept == pytest.approx(0.3, abs=0.12)
    plain = LogisticRegression(C=np.inf).fit(m[:, None], y)
    # Platt's targets move 4,000 recordings by less than this.
    assert curve.slope == pytest.approx(plain.coef_[0, 0], abs=0.005)


def test_logistic_stays_finite_where_the_margin_separates():
    curve = calibrate(np.linspace(-1, 1, 20), np.repeat([0, 1], 10).astype(np.int8), method="logistic")
    p = curve(np.array([-1.0, 1.0]))
    assert 0 < p[0] < 1 / 10
    assert 9 / 10 < p[1] < 1


def test_a_margin_worse_than_chance_gives_everyone_the_mean_risk():
    m, y = margins()
    curve = calibrate(-m, y, method="logistic")
    assert curve.slope == 0
    assert np.ptp(curve(m)) == 0
    assert curve(m)[0] == pytest.approx(y.mean(), abs=1e-3)
    flat = calibrate(np.zeros(10), np.repeat([0, 1], 5).astype(np.int8), method="logistic")
    assert flat(np.array([0.0]))[0] == pytest.approx(0.5, abs=1e-6)


def test_isotonic_never_falls_and_keeps_the_mean():
    m, y = margins()
    curve = calibrate(m, y, method="isotonic")
    p = curve(np.sort(m))
    assert (np.diff(p) >= 0).all()
    assert p.mean() == pytest.approx(y.mean(), abs=1e-9)
    assert curve(np.array([-99.0, 99.0])) == pytest.approx([p[0], p[-1]])


def test_none_is_the_plain_logistic_function_and_unknown_is_refused():
    m, y = margins(10)
    assert calibrate(m, y, method="none")(m) == pytest.approx(expit(m), abs=1e-15)
    with pytest.raises(StudyError, match="calibration must be one of logistic, isotonic, none; got 'beta'"):
        calibrate(m, y, method="beta")
