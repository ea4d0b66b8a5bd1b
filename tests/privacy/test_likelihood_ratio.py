"""Cllr, its minimum and D_sys: limits that are known, and scikit-learn's isotonic regression."""

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from tests.privacy.making import comparison, random_comparison

from twelvelead.privacy import NotEstimable, chance_linkability, cllr, linkability, min_cllr

N = 40


def at(figure, comparisons):
    return figure(comparisons)(np.ones((1, len(comparisons[0].subject_ids))))[0]


def test_scores_that_tell_everything_cost_nothing():
    c = comparison(10 * np.eye(N), range(N), range(N))
    assert at(min_cllr, [c]) == pytest.approx(0, abs=1e-12)
    assert at(cllr, [c]) < 0.05  # the regression is penalised, and never quite sure
    assert at(linkability, [c]) == 1


def test_scores_that_tell_nothing_cost_a_bit():
    c = comparison(np.ones((N, N)), range(N), range(N))
    assert at(min_cllr, [c]) == pytest.approx(1)
    assert at(cllr, [c]) == pytest.approx(1)
    assert at(linkability, [c]) == 0


def test_min_cllr_is_that_of_isotonic_regression():
    c = random_comparison(np.random.default_rng(0), N, shift=2, step=0.2)
    y, s = c.genuine.ravel(), c.scores.ravel()
    w = np.where(y, 0.5 / y.sum(), 0.5 / (~y).sum())
    p = IsotonicRegression().fit(s, y, sample_weight=w).predict(s)
    cost = -np.log2(np.where(y, p, 1 - p)) @ w
    assert at(min_cllr, [c]) == pytest.approx(cost, abs=1e-9)


def test_cllr_of_normal_scores_is_near_the_best_that_can_be():
    c = random_comparison(np.random.default_rng(1), 200, shift=2.0)
    # LLR = 2 s - 2 is the truth for unit normals two apart; its cost by simulation:
    rng = np.random.default_rng(2)
    own, other = rng.normal(2, 1, 200_000), rng.normal(0, 1, 200_000)
    truth = (np.log2(1 + np.exp(2 - 2 * own)).mean() + np.log2(1 + np.exp(2 * other - 2)).mean()) / 2
    assert at(cllr, [c]) == pytest.approx(truth, abs=0.06)  # 200 genuine scores
    assert at(min_cllr, [c]) < at(cllr, [c])


def test_one_pair_beyond_all_others_costs_no_more_than_a_few_bits():
    scores = random_comparison(np.random.default_rng(4), N, shift=0).scores * 1e-3 + np.eye(N)
    scores[0, 0] = -50.0
    c = comparison(scores, range(N), range(N))
    assert at(cllr, [c]) < 0.4  # straight on the scores it is above 1, which is worse than saying nothing


def test_cllr_needs_people_to_learn_from():
    assert isinstance(cllr([random_comparison(np.random.default_rng(0), 15)]), NotEstimable)


def test_d_sys_by_hand():
    # 20 genuine pairs: two bins. Half of them in the upper one, of 380 impostors none: D = 1 there; below, p < 1/2.
    scores = np.zeros((20, 20))
    scores[np.arange(10), np.arange(10)] = 1
    c = comparison(scores, range(20), range(20))
    assert at(linkability, [c]) == pytest.approx(0.5)


def test_d_sys_by_lot_shows_its_bias():
    c = random_comparison(np.random.default_rng(3), 60, shift=0.0)
    lot = chance_linkability([c], seed=0)
    assert 0.02 < lot < 0.35
    assert at(linkability, [c]) == pytest.approx(lot, abs=0.15)
    assert at(linkability, [random_comparison(np.random.default_rng(3), 60, shift=3.0)]) > lot + 0.3
