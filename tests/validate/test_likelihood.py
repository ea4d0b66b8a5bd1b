import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import chi2, fisher_exact

from twelvelead.terms import StudyError
from twelvelead.validate import Fit, likelihood_ratio_test
from twelvelead.validate.logistic import fit_logistic


def fitted(n, extra, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 1 + extra))
    y = (rng.uniform(size=n) < expit(x[:, 0] - 1)).astype(float)
    fits = []
    for k in (1, 1 + extra):
        design = np.hstack([np.ones((n, 1)), x[:, :k]])
        fits.append(Fit(y, expit(design @ fit_logistic(design, y)), k + 1))
    return fits


def test_two_by_two_table_by_hand():
    """Of 30 exposed 20 have the event, of 30 others 10: G = 2 Σ O log(O/E), with E = 15 in each cell."""
    y = np.repeat([1, 0, 1, 0], [20, 10, 10, 20])
    p = np.repeat([2 / 3, 1 / 3], 30)
    found = likelihood_ratio_test(Fit(y, np.full(60, 0.5), 1), Fit(y, p, 2))
    by_hand = 2 * (40 * np.log(20 / 15) + 20 * np.log(10 / 15))
    assert found.statistic == pytest.approx(by_hand, abs=1e-12)
    assert found.p_value == pytest.approx(chi2.sf(by_hand, 1), abs=1e-14)
    assert 0.3 < found.p_value / fisher_exact([[20, 10], [10, 20]])[1] < 1


def test_useless_predictors_are_rejected_as_often_as_is_said():
    """200 simulations: a rate of 5 % has a standard error of 1.5 %."""
    p = [likelihood_ratio_test(*fitted(400, 3, seed)).p_value for seed in range(200)]
    assert abs(np.mean(np.array(p) < 0.05) - 0.05) < 2.5 * 0.0154


def test_refuses_what_is_not_nested():
    small, large = fitted(100, 2, 0)
    with pytest.raises(StudyError, match="must have more parameters; got 2, not above 4"):
        likelihood_ratio_test(large, small)
    with pytest.raises(StudyError, match="must fit at least as well"):
        likelihood_ratio_test(Fit(large.y, large.p, 1), Fit(small.y, small.p, 2))
    with pytest.raises(StudyError, match="fitted to the same recordings; got 1 outcomes"):
        likelihood_ratio_test(small, Fit(np.r_[1 - large.y[0], large.y[1:]], large.p, 4))
    with pytest.raises(StudyError, match="fitted to the same recordings; got 1 outcomes"):
        likelihood_ratio_test(small, Fit(large.y[1:], large.p[1:], 4))
    with pytest.raises(StudyError, match="leave every outcome possible"):
        likelihood_ratio_test(Fit([0, 1], [0.5, 0.5], 1), Fit([0, 1], [1.0, 1.0], 2))


def test_a_fit_that_stops_short_counts_as_no_gain():
    y = [0, 1] * 10
    found = likelihood_ratio_test(Fit(y, [0.5] * 20, 1), Fit(y, [0.5 + 1e-8] * 20, 2))
    assert (found.statistic, found.p_value) == (0.0, 1.0)
