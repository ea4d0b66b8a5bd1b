import json
import warnings

import numpy as np
import polars as pl
import pytest
from scipy.interpolate import CubicSpline
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from twelvelead.predict import RiskClassifier
from twelvelead.predict.spline import SplineLogistic, from_spline_card, restricted_cubic, spline_card
from twelvelead.terms import InputError, StudyError


def people(n=3000, seed=0):
    """Return age with a bend, sex with a slope of its own, and outcomes."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.uniform(20, 90, n).round(), rng.integers(0, 2, n)])
    odds = -3 + 0.002 * np.maximum(X[:, 0] - 40, 0) ** 2 + (0.5 - 0.02 * (X[:, 0] - 55)) * X[:, 1]
    return X, (rng.uniform(size=n) < expit(odds)).astype(int), expit(odds)


@parametrize_with_checks([SplineLogistic()])
def test_keeps_scikit_learns_contract(estimator, check):
    with warnings.catch_warnings():
        check(estimator)


def test_terms_are_a_natural_cubic_spline():
    knots = (1.0, 2.0, 4.0, 7.0)
    x = np.linspace(1, 7, 50)
    for term in restricted_cubic(np.array(knots), knots):
        natural = CubicSpline(knots, term, bc_type="natural")
        place = [t[-1] for t in restricted_cubic(np.array(knots), knots)].index(term[-1])
        assert restricted_cubic(x, knots)[place] == pytest.approx(natural(x), abs=1e-12)
    for outside in restricted_cubic(np.array([-3.0, 0.0, 1.0, 8.0, 9.0, 10.0]), knots):
        assert (outside[:3] == 0).all()
        assert np.diff(outside[3:], 2) == pytest.approx(0, abs=1e-12)


def test_finds_the_bend_and_the_slope_of_either_sex():
    X, y, truth = people(20_000)
    p = SplineLogistic().fit(X, y).predict_proba(X)[:, 1]
    inner = (X[:, 0] > 25) & (X[:, 0] < 85)
    # Standard error of a curve's log-odds with some 5,000 events: 0.05.
    assert np.abs(logit(p[inner]) - logit(truth[inner])).max() < 0.3
    assert p.mean() == pytest.approx(y.mean(), abs=1e-6)


def test_is_no_worse_than_trees_on_age_and_sex():
    X, y, _ = people(4000)
    score = {}
    for model in (SplineLogistic(), RiskClassifier(n_members=1, elimination=0)):
        model.fit(X[:2000], y[:2000])
        score[type(model)] = roc_auc_score(y[2000:], model.predict_proba(X[2000:])[:, 1])
    assert score[SplineLogistic] >= score[RiskClassifier] - 0.005


def test_few_values_enter_as_they_are():
    X, y, _ = people()
    sex = X[:, 1:]
    model = SplineLogistic(penalty=1e-6).fit(sex, y)
    assert model.curves_ == ((),)
    plain = LogisticRegression(C=np.inf).fit(sex, y)
    assert (model.intercept_, *model.coef_) == pytest.approx((plain.intercept_[0], *plain.coef_[0]), abs=5e-3)


def test_missing_age_has_a_coefficient_of_its_own():
    X, y, _ = people()
    X[:600, 0], y[:600] = np.nan, 1
    model = SplineLogistic().fit(X, y)
    assert model.known_missing_ == (True, False)
    p = model.predict_proba([[np.nan, 0], [np.nanmedian(X[:, 0]), 0]])[:, 1]
    assert p[0] > 0.9 > p[1]
    assert np.isfinite(model.predict_proba([[60, np.nan]])).all()  # never missing in development


def test_same_risk_in_any_batch_and_from_its_card():
    X, y, _ = people()
    frame = pl.DataFrame(X, schema=["age_years", "sex_male"])
    model = SplineLogistic().fit(frame, y, groups=np.arange(len(y)))
    whole = model.predict_proba(frame)
    assert np.array_equal(model.predict_proba(frame[7:8]), whole[7:8])
    card = json.loads(json.dumps(spline_card(model)))
    assert np.array_equal(from_spline_card(card).predict_proba(frame), whole)
    # The order of the recordings moves the last bits only, which are rounded away or nearly.
    backwards = SplineLogistic().fit(frame[::-1], y[::-1])
    assert backwards.predict_proba(frame) == pytest.approx(whole, abs=1e-8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "another"}, "must be of format"),
        ({"coefficients": [1.0]}, "finite coefficients"),
        ({"intercept": float("nan")}, "finite coefficients"),
        ({"knots": [[1.0]]}, "ValueError"),
        ({"fill": None}, "TypeError"),
    ],
)
def test_refuses_a_broken_card(change, message):
    X, y, _ = people(300)
    card = spline_card(SplineLogistic().fit(X, y))
    with pytest.raises(InputError, match=message):
        from_spline_card(card | change)
    with pytest.raises(InputError, match="KeyError"):
        from_spline_card({k: v for k, v in card.items() if k != "fill"})


def test_refuses_one_class():
    with pytest.raises(StudyError, match="one class"):
        SplineLogistic().fit(people()[0], np.zeros(3000))
