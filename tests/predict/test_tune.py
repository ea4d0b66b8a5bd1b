import builtins
from functools import partial

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from twelvelead.predict.additive import AdditiveBoosting
from twelvelead.predict.risk_model import RiskClassifier
from twelvelead.predict.tune import START, tune
from twelvelead.terms import MissingExtra, StudyError


def hospital(n=500, p=5, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    y = (rng.uniform(size=n) < expit(X[:, 0] - X[:, 1] ** 2 + 0.5)).astype(int)
    X[rng.uniform(size=n) < 0.1, 2] = np.nan
    return X, y, np.arange(n) // 2


def test_the_same_trials_choose_the_same_and_never_worse_than_the_defaults():
    X, y, patients = hospital()
    found = tune(X, y, patients, seed=0, n_trials=4, rounds=30)
    again = tune(X, y, patients, seed=0, n_trials=4, rounds=30)
    assert found.trials.equals(again.trials)
    assert found.chosen == again.chosen
    assert not tune(X, y, patients, seed=1, n_trials=4, rounds=30).trials.equals(found.trials)
    assert found.trials.height == 4
    assert found.trials.row(0, named=True) == {"trial": 0, "log_loss": found.trials["log_loss"][0], **START}
    best = found.trials.sort("log_loss").row(0, named=True)
    assert {name: found.chosen[name] for name in START} == {name: best[name] for name in START}
    RiskClassifier(n_members=1, **found.chosen).fit(X, y, groups=patients)


def test_an_outcome_of_patients_alone_teaches_it_nothing():
    """Each patient is 20 recordings of one measurement: with one of them on both sides, log loss would fall to 0."""
    rng = np.random.default_rng(0)
    patients = np.arange(1200) // 20
    X = rng.normal(size=(60, 3))[patients]
    y = rng.integers(0, 2, 60)[patients]
    found = tune(X, y, patients, seed=0, n_trials=1, rounds=30)
    assert found.trials["log_loss"][0] > 0.6


def test_refuses_an_endless_search():
    X, y, patients = hospital(100)
    with pytest.raises(StudyError, match="n_trials of 1 or more, or budget_s; got None and None"):
        tune(X, y, patients, seed=0)
    with pytest.raises(StudyError, match="got 0 and None"):
        tune(X, y, patients, seed=0, n_trials=0)


def test_a_budget_of_no_time_is_one_trial():
    X, y, patients = hospital(200)
    assert tune(X, y, patients, seed=0, budget_s=1e-6, rounds=3).trials.height == 1


# --- explainable boosting ---------------------------------------------------------------------------------------------


def test_explainable_boosting_learns_and_repeats_itself():
    X, y, patients = hospital(800)
    few = {"n_bags": 3, "interactions": 0, "learning_rate": 0.1}
    risks = [AdditiveBoosting(**few).fit(X[:400], y[:400], patients[:400]).predict_proba(X[400:]) for _ in range(2)]
    assert np.array_equal(*risks)
    best = roc_auc_score(y[400:], X[400:, 0] - X[400:, 1] ** 2)
    # Standard error of either AUROC: 0.02, but they are of the same recordings.
    assert roc_auc_score(y[400:], risks[0][:, 1]) > best - 0.06


@pytest.mark.parametrize(("package", "extra"), [("optuna", "tune"), ("interpret", "ebm")])
def test_names_the_extra_that_is_missing(monkeypatch, package, extra):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == package:
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    fit = {"tune": partial(tune, seed=0, n_trials=1), "ebm": AdditiveBoosting().fit}[extra]
    with pytest.raises(MissingExtra, match=rf"pip install 'twelvelead\[{extra}\]'"):
        fit(*hospital(100))
