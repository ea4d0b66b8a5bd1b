import copy
import hashlib

import numpy as np
import pytest
import xgboost as xgb

from twelvelead.predict import (
    Calibrator,
    RiskClassifier,
    base_value,
    calibrated,
    expected_margins,
    from_parts,
    margins,
    plant,
    root_model,
    single,
    to_parts,
    trees_from_parts,
)
from twelvelead.predict.forest import Rooted
from twelvelead.predict.trees import read_trees
from twelvelead.terms import InputError

NAMES = tuple("abcde")


def table(n=400, seed=0, n_features=5):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, n_features)).round(1)  # ties, also with thresholds
    y = (np.nan_to_num(X[:, 0] + X[:, 1] * X[:, 2]) + 0.5 * rng.normal(size=n) > 0.5).astype(int)
    X[rng.uniform(size=X.shape) < 0.15] = np.nan
    return X, y


def grown(depth=3, rounds=30, **params):
    X, y = table()
    params = {"objective": "binary:logistic", "max_depth": depth, "nthread": 1, "seed": 1} | params
    booster = xgb.train(params, xgb.DMatrix(X, y, nthread=1), rounds)
    n_trees = rounds * params.get("num_parallel_tree", 1)
    trees = read_trees(bytes(booster.save_raw("ubj")), n_features=X.shape[1], n_trees=n_trees)
    return booster, plant([Rooted(((trees, NAMES),), Calibrator())], NAMES)


@pytest.fixture(scope="module")
def models():
    X, y = table()
    choices = [{"calibration": "logistic"}, {"calibration": "isotonic", "n_members": 1}, {"calibration": "none"},
               {"trees_per_round": 3, "elimination": 0}]  # fmt: skip
    return X, [
        RiskClassifier(**{"n_members": 3, "n_folds": 3, "rounds": 10, "elimination_rounds": 5, "random_state": k} | c)
        .fit(X[:, : 4 + k % 2], y)
        for k, c in enumerate(choices)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "params",
    [{"depth": 1}, {"depth": 3}, {"depth": 6}, {"depth": 9, "min_child_weight": 0.01},
     {"depth": 4, "num_parallel_tree": 4, "subsample": 0.7},
     {"depth": 3, "base_score": 0.123}, {"depth": 3, "min_child_weight": 1e6}],
    ids=str,
)  # fmt: skip
def test_margins_are_xgboosts_to_the_last_bit(params):
    booster, forest = grown(**params)
    X, _ = table(300, seed=7)
    want = booster.predict(xgb.DMatrix(X, nthread=1), output_margin=True)
    assert np.array_equal(margins(forest, X)[:, 0].astype(np.float32), want)
    for row in (0, 17):
        assert margins(forest, X[row : row + 1])[0, 0] == want[row]


def test_numbers_are_compared_in_single_precision():
    booster, forest = grown(depth=4)
    inner = forest.nodes[forest.nodes["left"] >= 0]
    X = np.zeros((len(inner), 5))
    # Below the threshold in double precision, on it in single precision: right, not left.
    X[np.arange(len(inner)), inner["question"] >> 1] = inner["threshold"].astype(float) * (1 - 1e-12)
    want = booster.predict(xgb.DMatrix(X, nthread=1), output_margin=True)
    assert np.array_equal(margins(forest, X)[:, 0].astype(np.float32), want)


def test_each_model_answers_as_it_does_alone(models):
    X, fitted = models
    names = [f"x{k}" for k in (3, 1, 4, 0, 2)]  # another order of columns
    forest = plant([root_model(m) for m in fitted], names)
    wide = X[:, [3, 1, 4, 0, 2]]
    got = margins(forest, wide)
    for n_jobs in (2, 3, 9):
        assert np.array_equal(margins(forest, wide, n_jobs=n_jobs), got)
    risk = calibrated(forest, got)
    for k, model in enumerate(fitted):
        mine = X[:, : model.n_features_in_]
        assert np.array_equal(got[:, k], model.margin(mine))
        assert np.array_equal(risk[:, k], model.predict_proba(mine)[:, 1])
        assert np.array_equal(margins(forest.select(k), wide)[:, 0], got[:, k])
        assert expected_margins(forest)[k] == pytest.approx(base_value(model), abs=1e-12)


def test_the_expected_margin_is_xgboosts():
    booster, forest = grown(depth=5)
    bias = booster.predict(xgb.DMatrix(np.full((1, 5), np.nan), nthread=1), pred_contribs=True)[0, -1]
    assert expected_margins(forest)[0] == pytest.approx(bias, abs=1e-5)


def test_trees_from_parts_are_those_of_the_model(models):
    X, fitted = models
    names = [f"x{k}" for k in range(5)]
    stored = [to_parts(m) for m in fitted]
    forest = plant([trees_from_parts(*s) for s in stored], names)
    assert np.array_equal(margins(forest, X), margins(plant([root_model(from_parts(*s)) for s in stored], names), X))
    assert [c.slope for c in forest.calibrators] == [m.calibrator_.slope for m in fitted]


def test_parts_are_verified_before_they_are_read(models):
    parts, card = to_parts(models[1][0])
    for name in parts:
        changed = {**parts, name: parts[name][:-1] + b"]"}
        with pytest.raises(InputError, match="must have the card's SHA-256"):
            trees_from_parts(changed, card)
    forged = copy.deepcopy(card)
    forged["members"][1]["sha256"] = hashlib.sha256(b"{}").hexdigest()
    with pytest.raises(InputError, match="an entry 'learner'"):
        trees_from_parts({**parts, "member_1.ubj": b"{}"}, forged)
    with pytest.raises(InputError, match="must be of format"):
        trees_from_parts(parts, card | {"format": "pickle"})
    with pytest.raises(InputError, match="at least one member"):
        trees_from_parts(parts, card | {"members": []})
    with pytest.raises(InputError, match="KeyError: 'calibrator'"):
        trees_from_parts(parts, {k: v for k, v in card.items() if k != "calibrator"})


def test_columns_that_are_not_there_are_named(models):
    _, fitted = models
    with pytest.raises(InputError, match="got none named x4"):
        plant([root_model(fitted[1])], ["x0", "x1", "x2", "x3"])
    forest = plant([root_model(fitted[0])], tuple(f"x{k}" for k in range(5)))
    with pytest.raises(InputError, match=r"must have the forest's 5 columns; got shape \(2, 4\)"):
        single(forest, np.zeros((2, 4)))


def test_no_models_and_no_recordings(models):
    X, fitted = models
    assert margins(plant([], NAMES), X).shape == (len(X), 0)
    forest = plant([root_model(fitted[0])], [f"x{k}" for k in range(5)])
    assert margins(forest, X[:0]).shape == (0, 1)
