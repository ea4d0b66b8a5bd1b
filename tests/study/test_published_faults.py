"""The faults of the published studies in numbers, by the functions that the studies here are judged with."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.feature_selection import RFE
from sklearn.metrics import roc_auc_score
from xgboost import XGBClassifier

from twelvelead.predict import Growth, eliminate
from twelvelead.study import declare
from twelvelead.validate.discrimination import auroc, auroc_covariance, weighted_auroc
from twelvelead.validate.resample import interval, resamples

# As many test ECGs as the study of the liver had, with as many events of K70, and its AUROC.
N, N_EVENTS, AUROC = 23_400, 450, 0.80
N_RESAMPLES = 1000
N_ECG, N_OTHERS, SMALLEST = 18, 3, 4  # predictors of the study of X-ray findings: the ECG's; age, sex and delay


@pytest.fixture(scope="module")
def scores():
    """Outcomes, and scores at evenly spaced quantiles of two normal distributions: the AUROC has no chance in it."""
    events, others = ((np.arange(n) + 0.5) / n for n in (N_EVENTS, N - N_EVENTS))
    apart = np.sqrt(2) * norm.ppf(AUROC)
    score = np.concatenate([norm.ppf(others), norm.ppf(events) + apart])
    return np.repeat([0.0, 1.0], [N - N_EVENTS, N_EVENTS]), score


@pytest.fixture(scope="module")
def resampled(scores):
    y, score = scores
    order = np.argsort(score)
    y, score = y[order], score[order]
    chunks = resamples(np.arange(N), n_resamples=N_RESAMPLES, seed=0)
    return np.concatenate([weighted_auroc(y, score, weights=chunk) for chunk in chunks])


def width(values, mode):
    level = declare("liver", mode=mode).validation.level
    found = interval(values, level=level)
    return found.upper - found.lower


def test_the_simulated_scores_are_those_that_are_spoken_of(scores):
    assert auroc(*scores) == pytest.approx(AUROC, abs=1e-4)


@pytest.fixture(scope="module")
def expected(scores):
    """Width of a 95 % interval by DeLong's variance, which resamples nothing."""
    _, covariance = auroc_covariance(scores[0], [scores[1]])
    return 2 * norm.ppf(0.975) * float(np.sqrt(covariance.item()))


def test_a_95_percent_interval_is_as_wide_as_theory_says(resampled, expected):
    """Of 1000 resamples a percentile at 2.5 % errs by 0.085 standard errors, which makes 3 % of the width."""
    assert expected == pytest.approx(0.039, abs=0.002)  # 0.0406: other shapes of the scores give a little less or more
    assert width(resampled, "sound") == pytest.approx(expected, abs=3 * 0.03 * expected)


def test_the_published_interval_is_thirty_times_too_narrow(resampled, expected):
    """Between percentiles 47.5 and 52.5 lie 50 of 1000 values, so that the width errs by 1/√50, a seventh of it."""
    narrow = expected * norm.ppf(0.525) / norm.ppf(0.975)
    assert narrow == pytest.approx(0.0014, abs=0.0002)  # 0.0013
    assert width(resampled, "paper") == pytest.approx(narrow, abs=3 * narrow / np.sqrt(50))
    assert 20 < width(resampled, "sound") / width(resampled, "paper") < 55


def test_the_published_widths_are_those_of_the_central_5_percent(expected):
    """K70 was printed as 0.8020 to 0.8035: no interval of 95 % with 450 events is that narrow."""
    published = 0.8035 - 0.8020
    narrow = expected * norm.ppf(0.525) / norm.ppf(0.975)
    assert published == pytest.approx(narrow, abs=3 * narrow / np.sqrt(50))
    assert published < expected / 20


class Counted(XGBClassifier):
    """XGBoost that counts how often it is fitted."""

    n_fits = 0

    def fit(self, *args, **kwargs):
        Counted.n_fits += 1
        return super().fit(*args, **kwargs)


def test_189_published_fits_choose_what_18_do():
    p = N_ECG + N_OTHERS
    rng = np.random.default_rng(1)
    X = rng.normal(size=(500, p))
    y = (X @ np.linspace(1, 0.1, p) + 2 * rng.normal(size=500) > 0).astype(np.int8)
    train, tune = (X[:300], y[:300]), (X[300:], y[300:])
    names = [f"f{j:02d}" for j in range(p)]

    Counted.n_fits = 0
    best = (-np.inf, ())
    loop = {}
    for size in range(SMALLEST, p + 1):
        trees = Counted(n_estimators=15, n_jobs=1)
        support = RFE(trees, n_features_to_select=size, step=1).fit(*train).support_
        loop[size] = tuple(np.array(names)[support])
        final = Counted(n_estimators=15, n_jobs=1).fit(X[:300][:, support], train[1])
        score = roc_auc_score(tune[1], final.predict_proba(X[300:][:, support])[:, 1])
        if score > best[0]:
            best = (score, loop[size])
    assert Counted.n_fits == 189

    path = eliminate(train, tune, names=names, growth=Growth(rounds=15), step=1, smallest=SMALLEST)
    assert len(path.steps) == 18
    assert {step.n_features: step.features for step in path.steps} == loop
    assert path.chosen.features == best[1]
