"""Two databases that are alike can't be told apart; weights make one look like the other."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from twelvelead.predict.shift import effective_number, tell_apart, weigh_like
from twelvelead.terms import StudyError


def draw(shift, *, n=3000, seed=0, size_there=None):
    rng = np.random.default_rng(seed)
    here = rng.normal(size=(n, 3))
    there = rng.normal(loc=[shift, 0, 0], size=(size_there or n, 3))
    return here, there


def chances(here, there, **kwargs):
    ids = {"patients_here": np.arange(len(here)), "patients_there": np.arange(len(there))}
    return tell_apart(here, there, **(ids | {"seed": 0} | kwargs))


def told_apart(here, there, **kwargs):
    first, second = chances(here, there, **kwargs)
    return roc_auc_score(np.repeat([0, 1], [len(first), len(second)]), np.concatenate([first, second]))


def test_databases_that_are_alike_cannot_be_told_apart():
    assert abs(told_apart(*draw(0.0)) - 0.5) < 0.03


def test_a_shifted_predictor_tells_them_apart_about_as_well_as_it_can():
    # Two normal distributions one standard deviation apart: Phi(1 / sqrt 2) = 0.760.
    assert abs(told_apart(*draw(1.0)) - 0.760) < 0.02


def test_a_patient_is_never_told_by_his_own_other_recordings():
    rng = np.random.default_rng(1)
    people = rng.normal(size=(300, 4))
    X = np.repeat(people, 10, axis=0)  # ten identical recordings each
    owner = np.repeat(np.arange(300), 10)
    apart = told_apart(X[:1500], X[1500:], patients_here=owner[:1500], patients_there=owner[1500:])
    assert abs(apart - 0.5) < 0.12  # 0.9 and more where folds part a patient


def test_weighted_recordings_look_like_those_of_the_other_database():
    here, there = draw(0.7, n=20_000)
    weights = weigh_like(chances(here, there)[0])
    assert np.mean(weights) == pytest.approx(1)
    assert np.average(here[:, 0], weights=weights) == pytest.approx(0.7, abs=0.08)
    assert np.average(here[:, 1], weights=weights) == pytest.approx(0, abs=0.08)
    assert effective_number(weights) < 0.8 * len(here)


def test_sizes_of_the_databases_do_not_matter():
    here, there = draw(0.0, n=4000, size_there=800)
    first, _ = chances(here, there)
    assert np.mean(first) == pytest.approx(0.5, abs=0.05)


def test_missing_values_may_tell_databases_apart():
    here, there = draw(0.0)
    there[::2, 1] = np.nan
    assert told_apart(here, there) > 0.7


def test_bad_input_is_named():
    here, there = draw(0.0, n=10)
    with pytest.raises(StudyError, match="same predictors"):
        chances(here, there[:, :2])
    with pytest.raises(StudyError, match="at least 3 patients; got 1"):
        chances(here, there, patients_there=np.zeros(10))
