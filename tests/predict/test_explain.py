import json
from itertools import combinations
from math import factorial

import numpy as np
import polars as pl
import pytest

from twelvelead.predict import RiskClassifier, base_value, explain, shap_values, strongest, top_reasons
from twelvelead.terms import RISKS, Error, InputError


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(200, 6))
    y = (X[:, 0] + X[:, 1] * X[:, 2] + 0.5 * rng.normal(size=200) > 0.3).astype(int)
    X[rng.uniform(size=X.shape) < 0.1] = np.nan
    model = RiskClassifier(n_members=3, n_folds=3, rounds=12, learning_rate=0.3, elimination=1, elimination_rounds=10)
    return model.fit(X, y), X


def expected(node, x, known):
    """Value of a tree where only the predictors in `known` are known: the naive path-dependent expectation."""
    if "leaf" in node:
        return node["leaf"]
    children = {c["nodeid"]: c for c in node["children"]}
    feature = int(node["split"].removeprefix("f"))
    if feature not in known:
        return sum(c["cover"] * expected(c, x, known) for c in children.values()) / node["cover"]
    value = np.float32(x[feature])
    if np.isnan(value):
        way = node["missing"]
    else:
        way = node["yes"] if value < np.float32(node["split_condition"]) else node["no"]
    return expected(children[way], x, known)


def brute_force(member, x):
    """Shapley values by their definition, over every coalition."""
    trees = [json.loads(t) for t in member.booster.get_dump(dump_format="json", with_stats=True)]
    k = len(member.columns)
    inside = x[member.columns]
    worth = {
        known: sum(expected(t, inside, known) for t in trees)
        for size in range(k + 1)
        for known in map(frozenset, combinations(range(k), size))
    }
    out = np.zeros(k)
    for i in range(k):
        for known, value in worth.items():
            if i not in known:
                weight = factorial(len(known)) * factorial(k - len(known) - 1) / factorial(k)
                out[i] += weight * (worth[known | {i}] - value)
    return out


def test_values_are_shapleys_by_definition(case):
    model, X = case
    rows = X[:4]
    got = explain(model, rows, ["a", "b", "c", "d"])
    for name, x in zip("abcd", rows, strict=True):
        want = np.zeros(6)
        for member in model.members_:
            want[member.columns] += brute_force(member, x) / len(model.members_)
        mine = got.filter(recording_id=name)
        places = [int(f.removeprefix("x")) for f in mine["feature"]]
        # XGBoost sums in float32 and dumps nine digits.
        assert mine["shap"].to_numpy() == pytest.approx(want[places], abs=1e-5)


def test_values_add_up_to_the_margin(case):
    model, X = case
    ids = [f"r{i}" for i in range(len(X))]
    sums = explain(model, X, ids).group_by("recording_id", maintain_order=True).agg(pl.col("shap").sum())
    assert sums["recording_id"].to_list() == ids
    assert sums["shap"].to_numpy() + base_value(model) == pytest.approx(model.margin(X), abs=2e-5)


def test_unused_predictors_are_left_out_and_missing_values_are_null(case):
    model, X = case
    got = explain(model, X[:1] * np.nan, ["r"])
    used = {f for m in model.members_ for f in m.features}
    assert set(got["feature"]) == used
    assert got["value"].null_count() == got.height


def test_reasons_keep_their_contract(case):
    model, X = case
    got = explain(model, X[:5], list("edcba"))
    reasons = top_reasons(got)
    assert reasons["recording_id"].to_list() == list("edcba")
    RISKS.check(reasons.with_columns(target=pl.lit("mi"), p=pl.lit(0.5)))
    for row in reasons.iter_rows(named=True):
        strengths = got.filter(recording_id=row["recording_id"])["shap"].abs().sort(descending=True)
        assert [abs(row[f"reason_{k}_shap"]) for k in (1, 2, 3)] == strengths.head(3).to_list()


def test_the_wide_form_says_the_same(case):
    model, X = case
    ids = [f"r{i}" for i in range(len(X))]
    long = explain(model, X, ids)
    for n_jobs in (1, 2):
        wide, names = shap_values(model, X, n_jobs=n_jobs)
        assert wide.dtype == np.float32
        assert wide.shape == (len(X), len(names))
        assert list(names) == long["feature"][: len(names)].to_list()
        assert np.array_equal(wide.ravel(), long["shap"].to_numpy().astype(np.float32))
    assert np.abs(wide.sum(axis=1) + base_value(model) - model.margin(X)).max() < 2e-5


def test_the_strongest_are_the_top_reasons(case):
    model, X = case
    ids = [f"r{i:03d}" for i in range(len(X))]
    wide, names = shap_values(model, X)
    reasons = top_reasons(explain(model, X, ids))
    got = [[names[c] if c >= 0 else None for c in row] for row in strongest(wide, names)]
    assert got == [list(row) for row in reasons.select("reason_1", "reason_2", "reason_3").rows()]


def test_equals_come_by_name_and_nothing_is_no_reason():
    assert strongest(np.array([[0.1, -0.1, 0.1, 0.0], [0.0, 0.0, 0.0, 2.0]]), list("dbca")).tolist() == [
        [1, 2, 0],
        [3, -1, -1],
    ]
    assert strongest(np.zeros((2, 0)), []).tolist() == [[-1, -1, -1]] * 2


def test_refuses_ids_that_do_not_fit(case):
    model, X = case
    with pytest.raises(InputError, match="each of the 3 recordings once; got 2"):
        explain(model, X[:3], ["a", "b"])
    with pytest.raises(InputError, match="got 2 of which 1 differ"):
        explain(model, X[:2], ["a", "a"])


def test_values_that_do_not_add_up_are_never_returned(case, monkeypatch):
    model, X = case
    margin = model.margin(X[:2])
    monkeypatch.setattr(type(model), "margin", lambda *_: margin + 0.01)
    with pytest.raises(Error, match="must add up to the margin"):
        explain(model, X[:2], ["a", "b"])
