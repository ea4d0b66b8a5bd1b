import warnings

import numpy as np
import polars as pl
import pytest
import xgboost as xgb
from scipy.special import expit
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from twelvelead.predict import RiskClassifier, calibrate, eliminated_stumps, to_parts
from twelvelead.predict.calibrate import agreement
from twelvelead.predict.deal import number_patients
from twelvelead.predict.grow import Rows
from twelvelead.terms import SELECTION, StudyError

QUICK = {"n_members": 5, "elimination_rounds": 20, "elimination_learning_rate": 0.2, "rounds": 60, "learning_rate": 0.1}


def hospital(n=400, p=12, seed=0):
    """Return predictors with gaps, outcome and patients with about two recordings each."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    y = (rng.uniform(size=n) < expit(1.5 * X[:, 0] - X[:, 1] - 1)).astype(int)
    X[rng.uniform(size=X.shape) < 0.05] = np.nan
    return X, y, np.array([f"p{i // 2}" for i in range(n)])


def dealt(model, y, patients):
    """Return the folds that a model deals."""
    rows = Rows(np.empty((len(y), 1)), y.astype(np.int8), number_patients(patients, len(y)))
    return model._deal(rows)


@pytest.fixture(scope="module")
def fitted():
    X, y, patients = hospital()
    return RiskClassifier(**QUICK).fit(X, y, groups=patients)


# --- scikit-learn's own checks ---------------------------------------------------------------------------------------

TINY = "the check fits some dozens of recordings or fewer; folds of patients need 2 with and without the event each"
EXPECTED_FAILURES = {
    "check_n_features_in_after_fitting": TINY,
    "check_fit2d_1feature": TINY,
}


@parametrize_with_checks(
    [RiskClassifier(n_members=1, n_folds=3, rounds=30, learning_rate=0.3, elimination_rounds=5, colsample=1.0)],
    expected_failed_checks=lambda _: EXPECTED_FAILURES,
)
def test_keeps_scikit_learns_contract(estimator, check):
    with warnings.catch_warnings():
        check(estimator)


# --- honest use of the patients ---------------------------------------------------------------------------------------


def test_no_patient_is_in_two_parts_of_a_member():
    X, y, patients = hospital()
    model = RiskClassifier(**QUICK)
    model.fit(X, y, groups=patients)
    folds = dealt(model, y, patients)
    seen = []
    for j in range(5):
        train, tune, unseen = (set(patients[rows]) for rows in model._parts(folds, j))
        assert len(train) + len(tune) + len(unseen) == len(set(patients))
        assert train | tune | unseen == set(patients)
        seen += sorted(unseen)
    assert sorted(seen) == sorted(set(patients))


def test_folds_follow_patients_and_prevalence():
    _, y, patients = hospital()
    folds = dealt(RiskClassifier(n_members=5), y, patients)
    for k in range(5):
        assert y[folds == k].mean() == pytest.approx(y.mean(), abs=0.05)


def test_calibration_sees_only_margins_of_members_that_did_not_see_the_row(fitted):
    X, y, patients = hospital()
    folds = dealt(fitted, y, patients)
    pooled = np.concatenate([m.margin(X[folds == j]) for j, m in enumerate(fitted.members_)])
    outcome = np.concatenate([y[folds == j] for j in range(5)])
    curve = calibrate(pooled, outcome.astype(np.int8), method="logistic")
    alike = agreement(
        [(fitted.members_[j].margin(X[folds == j]), fitted.members_[j - 1].margin(X[folds == j])) for j in range(1, 5)]
    )
    again = curve.stretched(pooled.mean(), 1 / (alike + (1 - alike) / 5))
    assert (fitted.calibrator_.slope, fitted.calibrator_.intercept) == (
        round(again.slope, 10),
        round(again.intercept, 10),
    )


def test_margin_is_the_mean_of_the_members(fitted):
    X = hospital(seed=3)[0]
    each = [m.booster.predict(xgb.DMatrix(X[:, m.columns]), output_margin=True) for m in fitted.members_]
    # float32 margins, summed in another order.
    assert fitted.margin(X) == pytest.approx(np.mean(each, axis=0), abs=1e-5)


@pytest.fixture(scope="module")
def large():
    rng = np.random.default_rng(11)
    X = rng.normal(size=(20_000, 8))
    y = (rng.uniform(size=20_000) < expit(X[:, 0] + 0.7 * X[:, 1] * X[:, 2] - 1.2)).astype(int)
    return X, y


def recalibration_slope(model, X, y):
    p = model.predict_proba(X)[:, 1]
    lp = np.log(p / (1 - p))
    return LogisticRegression(C=np.inf).fit(lp[:, None], y).coef_[0, 0]


def test_the_curve_of_single_members_is_right_for_their_mean(large):
    X, y = large
    slopes, ratios, plain = [], [], []
    for first in range(0, 4000, 400):
        rows = slice(first, first + 400)
        model = RiskClassifier(**QUICK).fit(X[rows], y[rows])
        slopes.append(recalibration_slope(model, X[10_000:], y[10_000:]))
        ratios.append(y[10_000:].mean() / model.predict_proba(X[10_000:])[:, 1].mean())
        folds = dealt(model, y[rows], None)
        pooled = np.concatenate([m.margin(X[rows][folds == j]) for j, m in enumerate(model.members_)])
        outcome = np.concatenate([y[rows][folds == j] for j in range(5)]).astype(np.int8)
        plain.append(model.calibrator_.slope / calibrate(pooled, outcome, method="logistic").slope)
    # Ten models of 400 recordings: standard error of the mean slope 0.07, of observed to expected 0.03. Without the
    # correction the slope would be larger by the last figure.
    assert np.mean(slopes) == pytest.approx(1, abs=0.2)
    assert np.mean(ratios) == pytest.approx(1, abs=0.08)
    assert np.mean(plain) > 1.25


def test_calibration_on_the_tuning_fold_flatters_the_model(large):
    X, y = large
    slope = {"unseen": [], "tune": []}
    for seed in range(8):
        rows = slice(seed * 300, seed * 300 + 300)
        for on, found in slope.items():
            model = RiskClassifier(**QUICK | {"n_members": 1, "n_folds": 5}, calibrate_on=on, random_state=seed)
            model.fit(X[rows], y[rows])
            if model.calibrator_.slope:
                found.append(recalibration_slope(model, X[10_000:], y[10_000:]))
    assert np.mean(slope["tune"]) < np.mean(slope["unseen"])


def test_learns_what_can_be_learnt(large):
    X, y = large
    model = RiskClassifier(n_members=1, rounds=300).fit(X[:6000], y[:6000])
    best = roc_auc_score(y[10_000:], X[10_000:, 0] + 0.7 * X[10_000:, 1] * X[10_000:, 2])
    got = roc_auc_score(y[10_000:], model.predict_proba(X[10_000:])[:, 1])
    # Standard error of either AUROC: 0.005, but they are of the same recordings.
    assert best - 0.02 < got <= best + 0.005
    # The curve is fitted on 857 recordings with some 220 events: standard error of the slope 0.1.
    assert recalibration_slope(model, X[10_000:], y[10_000:]) == pytest.approx(1, abs=0.25)


def test_a_null_outcome_stays_null():
    aurocs = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(600, 15)), rng.integers(0, 2, 600)
        model = RiskClassifier(**QUICK).fit(X[:300], y[:300])
        aurocs.append(roc_auc_score(y[300:], model.predict_proba(X[300:])[:, 1]))
    # Standard error of the mean of six AUROCs of 300 recordings: 0.014.
    assert np.mean(aurocs) == pytest.approx(0.5, abs=0.045)


# --- same in, same out ------------------------------------------------------------------------------------------------


def test_same_bytes_again_and_with_more_threads():
    X, y, patients = hospital(200)
    parts = [to_parts(RiskClassifier(**QUICK | {"n_jobs": n}).fit(X, y, groups=patients))[0] for n in (1, 1, 3)]
    assert parts[0] == parts[1] == parts[2]
    other = to_parts(RiskClassifier(**QUICK, random_state=1).fit(X, y, groups=patients))[0]
    assert other != parts[0]


def test_a_recordings_risk_does_not_depend_on_the_batch(fitted):
    X = hospital(seed=4)[0]
    whole = fitted.predict_proba(X)
    assert np.array_equal(fitted.predict_proba(X[7:8]), whole[7:8])
    assert np.array_equal(fitted.predict_proba(X[::-1]), whole[::-1])


def test_takes_polars_by_name():
    X, y, patients = hospital(200)
    names = [f"measure_{i}" for i in range(X.shape[1])]
    frame = pl.DataFrame(X, schema=names).with_columns(pl.all().fill_nan(None))
    model = RiskClassifier(**QUICK).fit(frame, pl.Series(y), groups=pl.Series(patients))
    assert model.feature_names_in_.tolist() == names
    assert set(model.members_[0].features) <= set(names)
    plain = clone(model).fit(X, y, groups=patients)
    assert np.array_equal(model.predict_proba(frame), plain.predict_proba(X))
    with pytest.raises(ValueError, match="feature names"):
        model.predict_proba(frame.select(names[::-1]))


def test_classes_may_be_words():
    X, y, _ = hospital(200)
    model = RiskClassifier(**QUICK).fit(X, np.where(y == 1, "present", "absent"))
    assert model.classes_.tolist() == ["absent", "present"]
    risky = model.predict_proba(X)[:, 1] > 0.5
    assert (model.predict(X) == np.where(risky, "present", "absent")).all()


def test_selection_keeps_its_contract(fitted):
    rows = pl.DataFrame(fitted.selection_).with_columns(target=pl.lit("mi"), model=pl.lit("ecg"))
    table = SELECTION.select(rows)
    assert table["fit"].unique().sort().to_list() == [f"member {j}" for j in range(5)]
    chosen = table.filter("chosen")
    assert chosen.height == 5
    for j, member in enumerate(fitted.members_):
        assert chosen.filter(fit=f"member {j}")["features"].item().to_list() == list(member.features)


def test_without_elimination_all_predictors_stay():
    X, y, _ = hospital(200)
    model = RiskClassifier(**QUICK, elimination=0).fit(X, y)
    assert model.selection_ == []
    assert all(len(m.features) == X.shape[1] for m in model.members_)


# --- the published method ---------------------------------------------------------------------------------------------


def test_eliminated_stumps_are_stumps_calibrated_on_its_tuning_fold():
    X, y, patients = hospital(300, 6)
    model = eliminated_stumps(n_folds=5).fit(X, y, groups=patients)
    assert [r["n_features"] for r in model.selection_] == [6, 5, 4]
    (member,) = model.members_
    assert all(tree.count("\n") <= 3 for tree in member.booster.get_dump())
    assert model.calibrator_.knots
    folds = dealt(model, y, patients)
    train, tune, unseen = model._parts(folds, 0)
    assert np.array_equal(tune, unseen)
    assert len(train) + len(tune) == 300


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_members": 0}, "n_members must be at least 1"),
        ({"n_members": 5, "n_folds": 4}, "n_folds at least 3 and n_members; got 5 and 4"),
        ({"n_members": 1, "n_folds": 2}, "n_folds at least 3"),
        ({"calibrate_on": "train"}, "calibrate_on must be unseen or tune; got 'train'"),
        ({"calibration": "beta"}, "calibration must be one of"),
    ],
)
def test_refuses_choices(change, message):
    X, y, _ = hospital(100)
    with pytest.raises(StudyError, match=message):
        RiskClassifier(**QUICK | change).fit(X, y)


def test_refuses_too_few():
    X, y, patients = hospital(100)
    with pytest.raises(StudyError, match="one class"):
        RiskClassifier().fit(X, np.zeros(100))
    few = np.zeros(100, dtype=int)
    few[:9] = 1
    with pytest.raises(StudyError, match="5 folds need at least 10 recordings with the event; got 9"):
        RiskClassifier().fit(X, few)
    with pytest.raises(StudyError, match="10 recordings without it; got 9"):
        RiskClassifier().fit(X, 1 - few)
    few[:12] = 1
    with pytest.raises(StudyError, match="too few patients"):
        RiskClassifier().fit(X, few, groups=np.where(few == 1, "one", patients))
    with pytest.raises(StudyError, match="Only binary classification"):
        RiskClassifier().fit(X, np.arange(100) % 3)
    with pytest.raises(StudyError, match="groups must name the patient of each of the 100 recordings; got 3"):
        RiskClassifier().fit(X, y, groups=["a", "b", "c"])
