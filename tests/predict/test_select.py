import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.feature_selection import RFE
from sklearn.metrics import roc_auc_score
from xgboost import XGBClassifier

from twelvelead.predict import Growth, eliminate, eliminate_by_folds
from twelvelead.predict.grow import Rows, grow, margin
from twelvelead.terms import StudyError
from twelvelead.validate.discrimination import auroc_covariance


def split(n=300, p=9, seed=0):
    X, y = make_classification(n, p, n_informative=5, n_redundant=0, flip_y=0.1, class_sep=0.7, random_state=seed)
    half = n // 2
    return (X[:half], y[:half].astype(np.int8)), (X[half:], y[half:].astype(np.int8))


def named(p):
    return [f"f{i:02d}" for i in range(p)]


def test_one_nested_pass_gives_what_the_published_loop_gives():
    train, tune = split()
    names = named(9)
    path = eliminate(train, tune, names=names, growth=Growth(rounds=100), step=1, smallest=4)
    assert [s.n_features for s in path.steps] == [9, 8, 7, 6, 5, 4]
    best = (-np.inf, ())
    for n in range(4, 10):
        loop = RFE(XGBClassifier(n_jobs=1), n_features_to_select=n, step=1).fit(*train)
        kept = tuple(np.array(names)[loop.support_])
        score = roc_auc_score(tune[1], loop.predict_proba(tune[0])[:, 1])
        ours = next(s for s in path.steps if s.n_features == n)
        assert ours.features == kept
        # Margins tie where float32 probabilities do, or more rarely: one pair in 5,600 is 0.0002.
        assert ours.auroc == pytest.approx(score, abs=0.0005)
        if score > best[0]:
            best = (score, kept)
    assert path.chosen.features == best[1]


def test_a_share_takes_the_share_and_stops_at_the_smallest():
    train, tune = split(p=20)
    path = eliminate(train, tune, names=named(20), growth=Growth(rounds=5), step=0.25, smallest=4)
    assert [s.n_features for s in path.steps] == [20, 15, 12, 9, 7, 6, 5, 4]
    for before, after in zip(path.steps, path.steps[1:], strict=False):
        assert set(after.features) < set(before.features)


def test_planted_predictors_are_kept():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 20))
    y = (X[:, :3].sum(axis=1) + rng.normal(size=600) > 0).astype(np.int8)
    path = eliminate(
        (X[:400], y[:400]), (X[400:], y[400:]), names=named(20), growth=Growth(100, 0.1, 3), step=0.25, smallest=3
    )
    assert path.steps[-1].features == ("f00", "f01", "f02")


def test_predictors_of_equal_importance_go_by_name_whatever_their_place():
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    y = (x > 0).astype(np.int8)
    X = np.column_stack([np.zeros(200), x, np.zeros(200), np.zeros(200)])
    names = ["c", "x", "a", "b"]
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]):
        rows = X[:, order], y
        path = eliminate(
            rows,
            rows,
            names=[names[i] for i in order],
            growth=Growth(rounds=3),
            step=1,
            smallest=1,
            importance="total_gain",
        )
        assert [sorted(s.features) for s in path.steps] == [["a", "b", "c", "x"], ["a", "b", "x"], ["a", "x"], ["x"]]
        assert path.chosen.features == ("x",)


def test_fewer_predictors_than_the_smallest_are_kept_as_they_are():
    train, tune = split(p=9)
    path = eliminate(train, tune, names=named(9), growth=Growth(rounds=3), step=0.5, smallest=12)
    assert [s.n_features for s in path.steps] == [9]


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"step": 0}, "step must be a share"),
        ({"step": 1.5}, "step must be a share"),
        ({"smallest": 0}, "smallest must be at least 1"),
        ({"importance": "weight"}, "importance must be one of gain, total_gain, shap; got 'weight'"),
        ({"names": ["a"] * 9}, "names must be distinct"),
        ({"rule": "worst"}, "rule must be one of best, one_se, near_best; got 'worst'"),
    ],
)
def test_refuses(choice, message):
    train, tune = split()
    given = {"names": named(9), "growth": Growth(rounds=2), "step": 1, "smallest": 4} | choice
    with pytest.raises(StudyError, match=message):
        eliminate(train, tune, **given)


# --- which step -------------------------------------------------------------------------------------------------------


def noisy(n=1200, p=12, seed=0):
    rng = np.random.default_rng(seed)
    patients = np.arange(n) // 3
    X = rng.normal(size=(n, p))
    y = (X[:, :3].sum(axis=1) + 1.5 * rng.normal(size=n) > 1).astype(np.int8)
    half = patients < n // 6
    return Rows(X[half], y[half], patients[half]), Rows(X[~half], y[~half], patients[~half] - n // 6)


HOW = {"names": named(12), "growth": Growth(15, 0.3, 3), "step": 2, "smallest": 2, "importance": "total_gain"}


def test_one_standard_error_takes_the_fewest_predictors_that_rank_as_well():
    train, tune = noisy()
    best, within = (eliminate(train, tune, **HOW, rule=rule) for rule in ("best", "one_se"))
    assert [(s.features, s.auroc) for s in best.steps] == [(s.features, s.auroc) for s in within.steps]
    assert {s.allowance for s in best.steps} == {0.0}
    assert within.chosen.n_features <= best.chosen.n_features
    top = best.chosen
    place_of_top = best.steps.index(max(best.steps, key=lambda s: s.auroc))
    assert within.steps[place_of_top].allowance == 0
    # By the judge's own paired variance.
    growth = HOW["growth"]
    scores = []
    for step in (best.steps[place_of_top], within.steps[-1]):
        columns = [HOW["names"].index(name) for name in step.features]
        scores.append(margin(grow((train.X[:, columns], train.y), growth), tune.X[:, columns]))
    _, covariance = auroc_covariance(tune.y, scores, patients=tune.patients)
    contrast = np.array([1, -1])
    assert within.steps[-1].allowance == pytest.approx(np.sqrt(contrast @ covariance @ contrast), abs=1e-12)
    assert {"f00", "f01", "f02"} <= set(within.chosen.features) <= set(within.steps[0].features)
    assert top.auroc >= within.chosen.auroc >= top.auroc - within.chosen.allowance


def test_near_best_gives_up_no_more_than_two_thousandths():
    train, tune = noisy()
    within, near = (eliminate(train, tune, **HOW, rule=rule) for rule in ("one_se", "near_best"))
    assert [s.allowance for s in near.steps] == [min(s.allowance, 0.002) for s in within.steps]
    assert max(s.allowance for s in within.steps) > 0.002
    assert near.chosen.auroc >= max(s.auroc for s in near.steps) - 0.002


@pytest.mark.parametrize("importance", ["gain", "total_gain", "shap"])
def test_every_importance_finds_what_was_planted(importance):
    train, tune = noisy()
    path = eliminate(train, tune, **HOW | {"importance": importance, "smallest": 3})
    assert path.steps[-1].features == ("f00", "f01", "f02")


def test_folds_judge_what_they_had_no_part_in():
    train, tune = noisy()
    rows = Rows(*(np.concatenate(pair) for pair in zip(train[:2], tune[:2], strict=True)))
    folds = (np.arange(len(rows.y)) // 3 % 3).astype(np.int32)
    path = eliminate_by_folds(rows, folds, **HOW)
    again = eliminate_by_folds(rows, folds, **HOW, n_jobs=3)
    assert path == again
    whole = eliminate(rows, rows, **HOW)
    assert [s.features for s in path.steps] == [s.features for s in whole.steps]
    passes = [eliminate(rows.take(folds != k), rows.take(folds == k), **HOW) for k in range(3)]
    assert [s.auroc for s in path.steps] == pytest.approx(
        np.mean([[s.auroc for s in p.steps] for p in passes], axis=0), abs=1e-12
    )
    within = eliminate_by_folds(rows, folds, **HOW, rule="one_se")
    assert {"f00", "f01", "f02"} <= set(within.chosen.features)
    assert within.chosen.n_features <= path.chosen.n_features


def test_what_the_tuning_recordings_hold_does_not_change_the_path():
    train, tune = noisy()
    path = eliminate(train, tune, **HOW)
    other = eliminate(train, tune._replace(X=np.zeros_like(tune.X)), **HOW)
    assert [s.features for s in path.steps] == [s.features for s in other.steps]
