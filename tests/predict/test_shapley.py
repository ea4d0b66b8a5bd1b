"""The values against their definition, against XGBoost's, and the two ways to them against each other."""

from itertools import combinations
from math import factorial

import numpy as np
import pytest
import xgboost as xgb

from twelvelead.predict import Calibrator, expected_margins, margins, plant, shapley_values
from twelvelead.predict.forest import Rooted
from twelvelead.predict.leaves import DEEPEST, MOST_QUESTIONS, group_leaves
from twelvelead.predict.trees import NODE, Trees, read_trees
from twelvelead.terms import InputError

KINDS = {
    "stumps": {"max_depth": 1},
    "depth 2": {"max_depth": 2},
    "depth 3": {"max_depth": 3},
    "depth 6": {"max_depth": 6},
    "deeper than a table": {"max_depth": 12, "min_child_weight": 0.001, "reg_lambda": 0.01},
    "lopsided": {"grow_policy": "lossguide", "max_leaves": 25, "max_depth": 0, "min_child_weight": 0.001},
    "one leaf each": {"max_depth": 3, "min_child_weight": 1e6},
}


def simulate(n, n_features, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, n_features)).round(1).astype(np.float32)
    y = (X[:, 0] + X[:, 1] * X[:, 2] + 0.5 * rng.normal(size=n) > 0.5).astype(int)
    X[rng.uniform(size=X.shape) < 0.15] = np.nan
    return X, y


def grow(kind, n_features=6, rounds=8):
    X, y = simulate(400, n_features, 1)
    params = {"objective": "binary:logistic", "nthread": 1, "seed": 2, "eta": 0.3} | KINDS[kind]
    booster = xgb.train(params, xgb.DMatrix(X, y, nthread=1), rounds)
    return booster, forest_of(
        read_trees(bytes(booster.save_raw("ubj")), n_features=n_features, n_trees=rounds), n_features
    )


def forest_of(trees, n_features):
    names = tuple(f"x{k}" for k in range(n_features))
    return plant([Rooted(((trees, names),), Calibrator())], names)


def worth(forest, node, row, known):
    """Value of a tree where only some predictors are known: the naive path-dependent expectation."""
    one = forest.nodes[node]
    if one["left"] < 0:
        return float(one["threshold"])
    column, missing_left = int(one["question"]) >> 1, int(one["question"]) & 1
    sides = [int(one["left"]), int(one["right"])]
    if column in known:
        left = missing_left if np.isnan(row[column]) else row[column] < one["threshold"]
        return worth(forest, sides[0 if left else 1], row, known)
    return sum(float(forest.cover[s]) / float(forest.cover[node]) * worth(forest, s, row, known) for s in sides)


def brute_force(forest, row):
    """Shapley values by their definition, over every coalition of predictors."""
    k = len(forest.features)
    everyone = range(k)
    value = {
        known: sum(worth(forest, root, row, known) for root in forest.roots[:-1])
        for size in range(k + 1)
        for known in map(frozenset, combinations(everyone, size))
    }
    out = np.zeros(k)
    for i in everyone:
        for known, v in value.items():
            if i not in known:
                share = factorial(len(known)) * factorial(k - len(known) - 1) / factorial(k)
                out[i] += share * (value[known | {i}] - v)
    return out


def spread(forest, X, **how):
    """All predictors' values, 0 for those that no tree asks for."""
    values, used = shapley_values(forest, X, **how)
    out = np.zeros((len(X), len(forest.features)))
    out[:, used] = values
    return out


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_shapleys_by_definition(kind):
    _, forest = grow(kind, rounds=3)
    X, _ = simulate(5, 6, 9)
    want = np.array([brute_force(forest, row) for row in X])
    assert spread(forest, X) == pytest.approx(want, abs=1e-12)
    many = np.tile(X, (80, 1))  # enough for tables
    assert spread(forest, many)[:5] == pytest.approx(want, abs=1e-12)


def test_eight_predictors_in_deep_trees_by_definition():
    _, forest = grow("deeper than a table", n_features=8, rounds=2)
    X, _ = simulate(2, 8, 4)
    assert spread(forest, X) == pytest.approx(np.array([brute_force(forest, row) for row in X]), abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_xgboosts_and_add_up(kind):
    booster, forest = grow(kind, rounds=40)
    X, _ = simulate(700, 6, 5)
    got = spread(forest, X)
    theirs = booster.predict(xgb.DMatrix(X, nthread=1), pred_contribs=True)
    assert np.abs(got - theirs[:, :-1]).max() < 1e-5
    assert np.abs(got.sum(axis=1) + expected_margins(forest)[0] - margins(forest, X)[:, 0]).max() < 2e-5


@pytest.mark.parametrize("kind", KINDS)
def test_no_bit_depends_on_the_other_recordings_or_on_threads(kind):
    _, forest = grow(kind, rounds=150)  # more than a batch of trees
    X, _ = simulate(600, 6, 6)  # more than a block of recordings
    got = spread(forest, X)
    assert np.array_equal(spread(forest, X, n_jobs=3), got)
    assert np.array_equal(spread(forest, X[::-1])[::-1], got)
    for rows in (slice(0, 1), slice(510, 514), slice(100, 130), slice(0, 257)):
        assert np.array_equal(spread(forest, X[rows]), got[rows])


def test_a_model_is_the_mean_of_its_members():
    boosters = [grow(kind)[0] for kind in ("depth 2", "depth 3")]
    trees = [read_trees(bytes(b.save_raw("ubj")), n_features=6, n_trees=8) for b in boosters]
    names = tuple(f"x{k}" for k in range(6))
    both = plant([Rooted(((trees[0], names), (trees[1], names)), Calibrator())], names)
    X, _ = simulate(30, 6, 3)
    each = [spread(forest_of(t, 6), X) for t in trees]
    assert spread(both, X) == pytest.approx((each[0] + each[1]) / 2, abs=1e-14)
    alone = plant([Rooted(((t, names),), Calibrator()) for t in trees], names)
    assert np.array_equal(spread(alone.select(1), X), each[1])


def test_a_predictor_that_is_not_asked_for_is_not_there():
    X, y = simulate(300, 6, 1)
    X[:, 3] = 0.0
    booster = xgb.train(
        {"objective": "binary:logistic", "max_depth": 3, "nthread": 1}, xgb.DMatrix(X, y, nthread=1), 20
    )
    forest = forest_of(read_trees(bytes(booster.save_raw("ubj")), n_features=6, n_trees=20), 6)
    assert 3 not in shapley_values(forest, X)[1]


def chain(depth):
    """A tree that asks one question after the other and stops at the first no."""
    nodes = np.array(
        [n for k in range(depth) for n in ((0.0, 2 * k + 1, 2 * k + 2, 2 * (k % 3)), (float(k), -1, -1, -1))]
        + [(-1.0, -1, -1, -1)],
        dtype=NODE,
    )
    # Node 2k asks; 2k + 1 is its leaf on the left, where half of the data end; 2k + 2 is the next question.
    cover = np.array([2.0 ** -(k // 2) if k % 2 == 0 else 2.0 ** -(k // 2 + 1) for k in range(2 * depth + 1)])
    return Trees(nodes, cover.astype(np.float32), np.array([0, len(nodes)]), 0.0)


def test_a_chain_of_questions_by_definition():
    forest = forest_of(chain(11), 3)
    X = np.array([[-1, 1, 1], [1, 1, -1], [1, 1, 1], [np.nan, 1, -1]], dtype=np.float32)
    assert spread(forest, X) == pytest.approx(np.array([brute_force(forest, row) for row in X]), abs=1e-12)


def test_more_questions_than_an_integer_has_bits_are_refused():
    assert isinstance(spread(forest_of(chain(DEEPEST), 3), np.zeros((2, 3), dtype=np.float32)), np.ndarray)
    with pytest.raises(InputError, match=f"at most {DEEPEST} questions in a row to be explained; got {DEEPEST + 1}"):
        shapley_values(forest_of(chain(DEEPEST + 1), 3), np.zeros((2, 3), dtype=np.float32))


def test_groups_hold_every_leaf_once_and_few_questions():
    _, forest = grow("depth 6", rounds=20)
    groups = group_leaves(forest.nodes, forest.cover, forest.roots)
    assert len(groups.values) == np.sum(forest.nodes["left"] < 0)
    assert sorted(groups.values) == sorted(forest.nodes["threshold"][forest.nodes["left"] < 0].astype(float))
    assert np.diff(groups.starts[:, 0]).max() <= MOST_QUESTIONS
    assert groups.ratios.min() >= 0
    assert groups.ratios.max() <= 1
