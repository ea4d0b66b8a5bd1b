import inspect
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import xgboost as xgb
from scipy.special import expit
from sklearn.metrics import roc_auc_score

import twelvelead
from twelvelead.predict import Growth, RiskClassifier, bin_once, suited, to_parts
from twelvelead.predict.bins import N_EDGES
from twelvelead.predict.grow import Rows, grow
from twelvelead.terms import StudyError

GROWTH = Growth(rounds=8)


@pytest.fixture(scope="module")
def hospital():
    """Return 3,000 recordings of six predictors, some missing, and two outcomes."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 6)).astype(np.float32)
    X[:, 4] = np.round(X[:, 4])
    X[:, 5] = np.nan
    chance = expit([X[:, 0] + X[:, 1] ** 2 - 2, X[:, 2] - X[:, 4]])
    y = (rng.uniform(size=(2, 3000)) < chance).astype(np.int8)
    X[rng.uniform(size=3000) < 0.1, 0] = np.nan
    return X, y


def raw(booster):
    return bytes(booster.save_raw("ubj"))


def test_edges_are_the_values_themselves_where_they_are_few_and_quantiles_where_many(hospital):
    X, _ = hospital
    bins = bin_once(X)
    assert np.array_equal(bins.edges[: len(np.unique(X[:, 4])), 4], np.unique(X[:, 4]))
    assert np.isnan(bins.edges[:, 5]).all()
    edges = bins.edges[:, 1]
    assert len(edges) == N_EDGES == np.isfinite(edges).sum()
    assert (edges[0], edges[-1]) == (X[:, 1].min(), X[:, 1].max())
    # 3,000 values in 255 bins: 11 or 12 or 13 in each.
    assert set(np.histogram(X[:, 1], edges)[0]) <= {11, 12, 13}


def test_xgboost_takes_the_edges_as_they_are(hospital):
    X, y = hospital
    bins = bin_once(X)
    starts, cuts = Rows(bins.table, y[0], edges=bins.edges).matrix().get_quantile_cut()
    for j in range(5):
        edges = bins.edges[~np.isnan(bins.edges[:, j]), j]
        # XGBoost puts one below the lowest value in its place, and one beyond the highest after it.
        assert np.array_equal(cuts[starts[j] : starts[j + 1]][1:-1], edges[1:])


def test_a_label_swap_gives_the_bytes_of_a_fresh_matrix(hospital):
    X, y = hospital
    bins = bin_once(X)
    params = GROWTH.params(6)
    fresh = [xgb.train(params, Rows(bins.table, target, edges=bins.edges).matrix(), 8) for target in y]
    shared = Rows(bins.table, y[1], edges=bins.edges).matrix()
    swapped = []
    for target in y:
        shared.set_label(target)
        swapped.append(xgb.train(params, shared, 8))
    assert [raw(b) for b in swapped] == [raw(b) for b in fresh]
    assert raw(fresh[0]) != raw(fresh[1])


def test_columns_cut_out_give_the_trees_that_masked_columns_give(hospital):
    X, y = hospital
    bins = bin_once(X)
    columns = np.array([0, 2, 4])
    whole = Rows(bins.table, y[1], edges=bins.edges)
    masked = whole.matrix()
    masked.set_info(feature_weights=np.isin(np.arange(6), columns).astype(np.float32))
    by_mask = xgb.train(GROWTH.params(6) | {"colsample_bytree": 3.5 / 6}, masked, 8).get_dump()
    cut_out = grow(whole.select(columns), GROWTH).get_dump()
    assert [re.sub(r"\[f(\d)<", lambda m: f"[f{columns[int(m[1])]}<", tree) for tree in cut_out] == by_mask


def test_float32_and_float64_are_the_same_to_it(hospital):
    X, y = hospital
    assert raw(grow((X, y[0]), GROWTH)) == raw(grow((X.astype(np.float64), y[0]), GROWTH))


def test_a_model_of_shared_bins_is_as_good_and_known_by_name(hospital):
    X, y = hospital
    names = [f"measure_{j}" for j in range(6)]
    frame = pl.DataFrame(X, schema=names).with_columns(pl.all().fill_nan(None))
    bins = bin_once(frame)
    assert bins.names == tuple(names)
    rows = np.arange(3000) < 2000
    model = RiskClassifier(n_members=1, rounds=60)
    shared = to_parts(model.fit(bins.take(rows), y[0][rows]))
    by_bins = roc_auc_score(y[0][~rows], model.predict_proba(frame.filter(~rows))[:, 1])
    assert to_parts(model.fit(bins.take(np.flatnonzero(rows)), y[0][rows]))[0] == shared[0]
    model.fit(frame.filter(rows), y[0][rows])
    # Two models of 2,000 recordings, judged on the same 1,000.
    assert by_bins == pytest.approx(
        roc_auc_score(y[0][~rows], model.predict_proba(frame.filter(~rows))[:, 1]), abs=0.02
    )
    assert model.feature_names_in_.tolist() == names


def test_select_takes_predictors_by_name(hospital):
    X, _ = hospital
    bins = replace(bin_once(X), names=tuple("abcdef"))
    some = bins.select(["e", "a"])
    assert some.names == ("e", "a")
    assert np.array_equal(some.table, X[:, [4, 0]], equal_nan=True)
    assert np.array_equal(some.edges, bins.edges[:, [4, 0]], equal_nan=True)
    with pytest.raises(StudyError, match="predictors must be among the table's; got z"):
        bins.select(["a", "z"])


def test_bins_refuse_what_no_table_may_hold(hospital):
    X, y = hospital
    with pytest.raises(ValueError, match="infinity"):
        bin_once([[1.0], [np.inf]])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        RiskClassifier().fit(bin_once(X), y[0][:-1])


# --- many recordings --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many():
    """Return 60,000 recordings of 15,000 patients, 3 % with the event, of which 2 of 8 predictors know."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60_000, 8)).astype(np.float32)
    y = (rng.uniform(size=60_000) < expit(0.8 * X[:, 0] - 0.8 * X[:, 1] - 4.2)).astype(np.int8)
    return X, y, np.arange(60_000) // 4


QUICK = suited(60_000) | {"rounds": 40, "elimination_rounds": 10, "n_members": 1}


def test_risks_mean_what_they_say_though_the_elimination_saw_few_without_the_event(many):
    X, y, patients = many
    test = patients % 3 == 0
    model = RiskClassifier(**QUICK).fit(bin_once(X[~test]), y[~test], groups=patients[~test])
    assert {"x0", "x1"} <= set(model.members_[0].features)
    risk = model.predict_proba(X[test])[:, 1]
    # Some 650 events: standard error of their number 4 %; of the best possible AUROC, 0.01.
    assert risk.mean() == pytest.approx(y[test].mean(), rel=0.12)
    best = roc_auc_score(y[test], X[test, 0] - X[test, 1])
    assert roc_auc_score(y[test], risk) > best - 0.02


def test_same_bytes_by_any_number_of_threads_where_recordings_are_drawn(many):
    X, y, patients = many
    bins = bin_once(X)
    several = QUICK | {"n_members": 2, "n_folds": 3, "rounds": 5, "elimination": 4, "elimination_rounds": 3}
    parts = [to_parts(RiskClassifier(**several, n_jobs=n).fit(bins, y, groups=patients))[0] for n in (1, 2)]
    assert parts[0] == parts[1]
    assert len(set(parts[0].values())) == 2


def test_nobody_is_weighted_by_class():
    assert "scale_pos_weight" not in Growth(rounds=1).params(5)
    for path in Path(inspect.getfile(twelvelead)).parent.rglob("*.py"):
        assert not {"scale_pos_weight", "class_weight"} & set(re.findall(r"\w+", path.read_text(encoding="utf-8"))), (
            path
        )
