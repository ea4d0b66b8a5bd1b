import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.feature_selection import RFE
from sklearn.metrics import roc_auc_score
from xgboost import XGBClassifier

from twelvelead.predict import Growth, eliminate
from twelvelead.terms import StudyError


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
        ({"importance": "weight"}, "importance must be one of gain, total_gain; got 'weight'"),
        ({"names": ["a"] * 9}, "names must be distinct"),
    ],
)
def test_refuses(choice, message):
    train, tune = split()
    given = {"names": named(9), "growth": Growth(rounds=2), "step": 1, "smallest": 4} | choice
    with pytest.raises(StudyError, match=message):
        eliminate(train, tune, **given)
