import json
import sys
import warnings

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from twelvelead.predict.fuse import FusionClassifier
from twelvelead.predict.fuse_learners import Development, deal, fit_stack, subsets
from twelvelead.predict.fuse_network import Training, fit_network
from twelvelead.predict.fuse_parts import fusion_from_parts, fusion_to_parts
from twelvelead.predict.penalised import fit_penalised, moments
from twelvelead.predict.replicates import Replicates, learn_replicates, reliability_of_mean
from twelvelead.terms import InputError, MissingExtra, StudyError

BLOCKS = {"crf": ["a", "b"], "ecg": ["c", "d", "e"]}
QUICK = {"rounds": 30, "learning_rate": 0.2, "n_members": 1, "n_folds": 3}
SHORT = {"epochs": 15, "patience": 5}


def people(n=500, seed=0, ecg=1.0):
    """Return a table of two blocks, of which the second adds `ecg` per standard deviation of one column."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 5))
    y = (rng.uniform(size=n) < expit(X[:, 0] + ecg * X[:, 2] - 1)).astype(int)
    return pl.DataFrame(X, schema=list("abcde")), y


def lacking(table, block):
    return table.with_columns(pl.lit(None, pl.Float64).alias(name) for name in BLOCKS[block])


def make(fusion, learner="logistic", **more):
    params = SHORT if fusion == "intermediate" else QUICK if learner == "xgboost" else None
    return FusionClassifier(blocks=BLOCKS, fusion=fusion, learner=learner, learner_params=params, **more)


EVERY = [("early", "logistic"), ("early", "xgboost"), ("late", "logistic"), ("intermediate", "-")]


@pytest.fixture(scope="module")
def fitted():
    table, y = people()
    return {(f, k): make(f, "logistic" if k == "-" else k, n_folds=3).fit(table, y) for f, k in EVERY}


# --- the contract of scikit-learn -------------------------------------------------------------------------------------


@parametrize_with_checks([FusionClassifier(n_folds=2)])
def test_keeps_scikit_learns_contract(estimator, check):
    with warnings.catch_warnings():
        check(estimator)


# --- what the models know ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", EVERY, ids="_".join)
def test_each_fusion_finds_both_blocks_and_says_so_without_one(fitted, which):
    table, y = people(2000, seed=1)
    auroc = {
        name: roc_auc_score(y, fitted[which].predict_proba(rows)[:, 1])
        for name, rows in (("both", table), ("crf", lacking(table, "ecg")), ("ecg", lacking(table, "crf")))
    }
    assert auroc["both"] > max(auroc["crf"], auroc["ecg"]) + 0.03
    assert min(auroc["crf"], auroc["ecg"]) > 0.62


@pytest.mark.parametrize("which", EVERY, ids="_".join)
def test_risks_mean_what_they_say_with_and_without_a_block(fitted, which):
    table, y = people(4000, seed=2)
    for rows in (table, lacking(table, "ecg")):
        p = fitted[which].predict_proba(rows)[:, 1]
        assert abs(p.mean() - y.mean()) < 0.05
        slope = LogisticRegression(C=np.inf).fit(np.log(p / (1 - p))[:, None], y).coef_.item()
        assert 0.6 < slope < 1.6


@pytest.mark.parametrize("which", EVERY, ids="_".join)
def test_who_lacks_a_block_is_not_told_its_mean(fitted, which):
    if which[0] == "intermediate":
        pytest.skip("the network leaves the branch out")
    table, _ = people(50, seed=3)
    without = fitted[which].margin(lacking(table, "ecg"))
    mean = people()[0].mean().row(0, named=True)
    told = fitted[which].margin(table.with_columns(pl.lit(mean[c]).alias(c) for c in BLOCKS["ecg"]))
    assert np.abs(without - told).max() > 1e-3


@pytest.mark.parametrize("which", EVERY, ids="_".join)
def test_of_whom_nothing_is_known_the_risk_is_the_mean_risk(fitted, which):
    nothing = lacking(lacking(people(3)[0], "ecg"), "crf")
    assert fitted[which].predict_proba(nothing)[:, 1] == pytest.approx(people()[1].mean())


@pytest.mark.parametrize("which", EVERY, ids="_".join)
def test_a_person_s_risk_does_not_depend_on_who_else_is_asked(fitted, which):
    table = pl.concat([people(20, seed=4)[0], lacking(people(20, seed=5)[0], "crf")]).sample(
        fraction=1, shuffle=True, seed=0
    )
    together = fitted[which].margin(table)
    alone = np.concatenate([fitted[which].margin(table[i]) for i in range(table.height)])
    assert np.abs(together - alone).max() < 1e-12


@pytest.mark.parametrize("which", [("early", "xgboost"), ("late", "logistic"), ("intermediate", "-")], ids="_".join)
def test_the_same_seed_gives_the_same_bytes(fitted, which):
    table, y = people()
    again = make(which[0], "logistic" if which[1] == "-" else which[1], n_folds=3).fit(table, y)
    one, two = fusion_to_parts(fitted[which]), fusion_to_parts(again)
    assert one[0] == two[0]
    assert json.dumps(one[1], sort_keys=True) == json.dumps(two[1], sort_keys=True)


def test_missing_cells_alone_do_not_make_a_block_missing():
    table, y = people(600)
    holes = table.with_columns(pl.when(pl.int_range(pl.len()) % 2 == 0).then("c").alias("c"))
    model = make("early", n_folds=3).fit(holes, y)
    assert np.isfinite(model.margin(holes)).all()
    row = holes[1]  # c is missing, d and e are there
    filled = row.with_columns(c=pl.lit(float(np.nanmean(holes["c"].to_numpy()))))
    assert model.margin(row) == pytest.approx(model.margin(filled), abs=1e-12)


def test_a_block_may_be_missing_in_development_too():
    table, y = people(900)
    some = pl.concat([table[:600], lacking(table[600:], "ecg")])
    for fusion in ("early", "late", "intermediate"):
        model = make(fusion, n_folds=2).fit(some, y)
        test, truth = people(2000, seed=8)
        assert roc_auc_score(truth, model.predict_proba(test)[:, 1]) > 0.74


def test_one_block_is_a_model_of_that_block_alone():
    table, y = people()
    model = FusionClassifier(blocks={"crf": BLOCKS["crf"]}, n_folds=3).fit(table, y)
    other = table.with_columns(c=pl.lit(1e6))
    assert (model.margin(table) == model.margin(other)).all()


def test_columns_can_be_named_by_position():
    table, y = people()
    by_name = make("early", n_folds=2).fit(table, y).margin(table)
    by_place = FusionClassifier(blocks={"crf": [0, 1], "ecg": [2, 3, 4]}, n_folds=2).fit(table.to_numpy(), y)
    assert (by_place.margin(table.to_numpy()) == by_name).all()


# --- patients ---------------------------------------------------------------------------------------------------------


def test_no_patient_is_on_both_sides_of_a_fold():
    y = np.tile([0, 1], 60).astype(np.int8)
    patients = tuple(f"p{i // 3}" for i in range(120))
    folds = deal(y, patients, n_folds=5, seed=0)
    assert all(len({f for p, f in zip(patients, folds, strict=True) if p == one}) == 1 for one in set(patients))


def test_late_fusion_weighs_log_odds_of_patients_left_out():
    # A block of noise that knows every development person by heart must get no weight.
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 100).astype(np.int8)
    X = np.column_stack([y + rng.normal(size=200), rng.normal(size=(200, 20))])
    patients = tuple(str(i) for i in range(200))
    known = Development(X, y, patients, deal(y, patients, n_folds=5, seed=0))
    blocks = {"true": np.array([0]), "noise": np.arange(1, 21)}
    join = fit_stack(known, blocks, learner="logistic", params={}, seed=0).joins["true", "noise"]
    assert abs(join.weights[1]) < 0.3 * join.weights[0]


def test_three_blocks_have_seven_models():
    assert len(subsets({"a": 0, "b": 0, "c": 0})) == 7


# --- the penalty ------------------------------------------------------------------------------------------------------


def test_a_penalised_fit_is_scikit_learns_on_standardised_columns():
    table, y = people()
    X = table.to_numpy()
    folds = (np.arange(len(y)) % 5).astype(np.int32)
    mine = fit_penalised(X, y.astype(np.int8), folds=folds)
    centre, scale = moments(X)
    theirs = LogisticRegression(C=mine.inverse_penalties[0], solver="newton-cholesky", tol=1e-10)
    theirs.fit((X - centre) / scale, y)
    assert mine.weights == pytest.approx(theirs.coef_[0], abs=1e-7)
    assert mine.intercept == pytest.approx(theirs.intercept_[0], abs=1e-7)


def test_a_block_of_noise_gets_a_penalty_of_its_own():
    table, y = people(800, ecg=0.0)
    folds = (np.arange(len(y)) % 5).astype(np.int32)
    found = fit_penalised(table.to_numpy(), y.astype(np.int8), folds=folds, sizes=[2, 3])
    crf, ecg = found.inverse_penalties
    assert ecg < crf
    assert max(map(abs, found.weights[2:])) < 0.15 * found.weights[0]


# --- several recordings -----------------------------------------------------------------------------------------------


def test_the_mean_of_three_recordings_has_the_reliability_that_theory_says():
    rng = np.random.default_rng(0)
    for rho in (0.2, 0.5, 0.8):
        person = rng.normal(size=60_000)
        seen = person[:, None] + rng.normal(size=(60_000, 3)) * np.sqrt(1 / rho - 1)
        # Slope of a regression on a noisy measurement: the true slope times its reliability.
        slope = {n: np.cov(seen[:, :n].mean(axis=1), person)[0, 1] / seen[:, :n].mean(axis=1).var() for n in (1, 3)}
        assert slope[1] == pytest.approx(rho, abs=0.02)
        assert slope[3] == pytest.approx(3 * rho / (1 + 2 * rho), abs=0.02)
        assert reliability_of_mean(rho, 3) == pytest.approx(3 * rho / (1 + 2 * rho))


def test_a_random_intercept_takes_the_dilution_back_where_numbers_of_recordings_differ():
    rng = np.random.default_rng(1)
    person = 10 + 2 * rng.normal(size=20_000)
    seen = person[:, None] + 3 * rng.normal(size=(20_000, 3))
    seen[rng.uniform(size=20_000) < 0.5, 1:] = np.nan
    fitted = learn_replicates(seen[:, :, None], how="random_intercept")
    assert fitted.reliability[0] == pytest.approx(4 / 13, abs=0.02)
    shrunk = fitted(seen[:, :, None])[:, 0]
    mean = learn_replicates(seen[:, :, None], how="mean")(seen[:, :, None])[:, 0]
    assert np.cov(shrunk, person)[0, 1] / shrunk.var() == pytest.approx(1, abs=0.06)  # no dilution left
    assert np.mean((shrunk - person) ** 2) < 0.75 * np.mean((mean - person) ** 2)
    assert np.corrcoef(shrunk, person)[0, 1] > np.corrcoef(mean, person)[0, 1] + 0.005


@given(st.integers(2, 6), st.integers(1, 4), st.integers(1, 3), st.integers(0, 10**6))
def test_mean_and_concatenation_are_what_one_would_write(n, r, k, seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, r, k))
    values[rng.uniform(size=values.shape) < 0.3] = np.nan
    mean = learn_replicates(values, how="mean")(values)
    for i in range(n):
        for j in range(k):
            held = [v for v in values[i, :, j] if np.isfinite(v)]
            assert mean[i, j] == pytest.approx(sum(held) / len(held) if held else np.nan, nan_ok=True)
    wide = learn_replicates(values, how="concat")
    names = wide.names(tuple(f"m{j}" for j in range(k)))
    assert np.array_equal(wide(values)[:, names.index(f"m{k - 1}_{r}")], values[:, r - 1, k - 1], equal_nan=True)


def test_variances_between_and_within_are_the_analysis_of_variance():
    # Three persons of two recordings: means 1, 3, 8 (mean 4), differences 2, 0, 2.
    values = np.array([[0.0, 2.0], [3.0, 3.0], [7.0, 9.0]])[:, :, None]
    fitted = learn_replicates(values, how="random_intercept")
    assert fitted.within[0] == pytest.approx((2 + 0 + 2) / 3)
    assert fitted.between[0] == pytest.approx((2 * (9 + 1 + 16) / 2 - 4 / 3) / 2)
    assert Replicates(**fitted.card())(values).tolist() == fitted(values).tolist()


def test_recordings_that_can_t_be_taken_so_are_refused():
    with pytest.raises(InputError, match="one of mean, concat"):
        learn_replicates(np.zeros((2, 2, 1)), how="median")
    with pytest.raises(InputError, match="two recordings"):
        learn_replicates(np.zeros((3, 1, 1)), how="random_intercept")
    with pytest.raises(InputError, match="room for 2 recordings; got 3"):
        learn_replicates(np.zeros((3, 2, 1)), how="mean")(np.zeros((3, 3, 1)))


# --- the network ------------------------------------------------------------------------------------------------------


def test_the_network_has_the_declared_layers():
    rng = np.random.default_rng(0)
    blocks = [rng.normal(size=(90, 18)), rng.normal(size=(90, 6))]
    y = (rng.uniform(size=90) < 0.4).astype(np.int8)
    folds = (np.arange(90) % 3).astype(np.int32)
    network = fit_network(blocks, y, folds=folds, seed=0, plan=Training(epochs=1))
    shapes = {name: value.shape for name, value in network.members[0].items() if name.endswith("weight")}
    assert shapes == {
        "branch_0_0.weight": (32, 18), "branch_0_1.weight": (16, 32),
        "branch_1_0.weight": (16, 6), "branch_1_1.weight": (16, 16),
        "joined.weight": (16, 32), "out.weight": (1, 16),
    }  # fmt: skip
    assert len(network.members) == 3


def test_the_network_predicts_by_numpy_what_torch_computes(fitted):
    torch = pytest.importorskip("torch")
    network = fitted["intermediate", "-"].network_
    table, _ = people(30, seed=6)
    blocks = [table.select(BLOCKS[name]).to_numpy() for name in BLOCKS]
    held = [torch.tensor((b - c) / s) for b, c, s in zip(blocks, network.centre, network.scale, strict=True)]
    margins = []
    for member in network.members:
        w = {name: torch.tensor(value, dtype=torch.float64) for name, value in member.items()}
        ends = []
        for i, x in enumerate(held):
            for j in (0, 1):
                x = torch.relu(x @ w[f"branch_{i}_{j}.weight"].T + w[f"branch_{i}_{j}.bias"])  # noqa: PLW2901
            ends.append(x)
        joined = torch.relu(torch.cat(ends, dim=1) @ w["joined.weight"].T + w["joined.bias"])
        margins.append((joined @ w["out.weight"].T + w["out.bias"])[:, 0])
    mean = torch.stack(margins).mean(dim=0).numpy()
    curve = network.calibrators[True, True]
    expected = curve.intercept + curve.slope * mean
    assert network.margin(blocks) == pytest.approx(expected, abs=1e-12)


def test_training_leaves_torch_s_own_random_numbers_and_threads_alone():
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    make("intermediate", n_folds=2).fit(*people(100))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.get_num_threads() == threads


def test_without_torch_one_is_told_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"pip install 'twelvelead\[torch\]'"):
        make("intermediate").fit(*people(60))


# --- on disk ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", EVERY, ids="_".join)
def test_a_model_read_again_predicts_the_same(fitted, which):
    parts, card = fusion_to_parts(fitted[which])
    again = fusion_from_parts(parts, json.loads(json.dumps(card)))
    table = pl.concat([people(50, seed=7)[0], lacking(people(50, seed=8)[0], "crf")])
    assert (again.margin(table) == fitted[which].margin(table)).all()
    assert again.classes_.tolist() == [0, 1]
    assert all(isinstance(content, bytes) and not content.startswith(b"\x80") for content in parts.values())


def test_parts_that_were_changed_are_refused(fitted):
    parts, card = fusion_to_parts(fitted["intermediate", "-"])
    broken = {name: content[:-1] + bytes([content[-1] ^ 1]) for name, content in parts.items()}
    with pytest.raises(InputError, match="SHA-256"):
        fusion_from_parts(broken, card)
    with pytest.raises(InputError, match="SHA-256"):
        fusion_from_parts({}, card)
    with pytest.raises(InputError, match="format"):
        fusion_from_parts(parts, {**card, "format": "another"})
    with pytest.raises(InputError, match="KeyError"):
        fusion_from_parts(parts, {k: v for k, v in card.items() if k != "calibrators"})


# --- what can't be carried out ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"blocks": {"crf": ["a", "z"]}}, "z"),
        ({"blocks": {"crf": ["a"], "ecg": ["a"]}}, "none of them twice"),
        ({"blocks": {"crf": []}}, "must name columns"),
        ({"fusion": "middle"}, "fusion must be one of early, intermediate, late"),
        ({"learner": "forest"}, "learner must be one of logistic, xgboost"),
        ({"n_folds": 1}, "n_folds must be at least 2"),
    ],
)
def test_choices_that_can_t_be_are_refused(choices, message):
    with pytest.raises(StudyError, match=message):
        FusionClassifier(**choices).fit(*people(60))


def test_one_class_is_refused():
    table, y = people(60)
    with pytest.raises(StudyError, match="one class"):
        make("early").fit(table, np.zeros(60, dtype=int))
    with pytest.raises(StudyError, match="both classes must occur where ecg are there"):
        make("early").fit(lacking(table, "ecg"), y)
