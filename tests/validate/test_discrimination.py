import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from twelvelead.terms import StudyError
from twelvelead.validate import auprc, auroc, auroc_covariance, delta_auroc, roc_curve
from twelvelead.validate.discrimination import weighted_auprc, weighted_auroc

EXACT = 1e-10
"""R printed 15 digits."""


@st.composite
def scored(draw):
    n = draw(st.integers(4, 30))
    y = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    y[:2] = 0, 1
    grid = draw(st.sampled_from([2, 10, 1_000_000]))
    p = np.array(draw(st.lists(st.integers(0, grid), min_size=n, max_size=n))) / grid
    counts = np.array(draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)), dtype=float)
    counts[:2] = 1
    return y, p, counts


@given(scored())
def test_agrees_with_sklearn_with_ties_and_counts(case):
    y, p, counts = case
    w = counts[None]
    # 1e-12: sums of up to 90 terms of size 1 in double precision.
    assert auroc(y, p) == pytest.approx(metrics.roc_auc_score(y, p), abs=1e-12)
    assert auprc(y, p) == pytest.approx(metrics.average_precision_score(y, p), abs=1e-12)
    assert weighted_auroc(y.astype(float), p, weights=w)[0] == pytest.approx(
        metrics.roc_auc_score(y, p, sample_weight=counts), abs=1e-12
    )
    assert weighted_auprc(y.astype(float), p, weights=w)[0] == pytest.approx(
        metrics.average_precision_score(y, p, sample_weight=counts), abs=1e-12
    )


@given(scored())
def test_a_weight_is_a_repetition(case):
    y, p, counts = case
    times = counts.astype(int)
    again = np.repeat(y, times), np.repeat(p, times)
    w = counts[None]
    assert weighted_auroc(y.astype(float), p, weights=w)[0] == pytest.approx(auroc(*again), abs=1e-12)
    assert weighted_auprc(y.astype(float), p, weights=w)[0] == pytest.approx(auprc(*again), abs=1e-12)


@given(scored())
def test_roc_curve_has_the_area(case):
    y, p, _ = case
    curve = roc_curve(y, p)
    area = np.trapezoid(curve["sensitivity"], 1 - curve["specificity"].to_numpy())
    assert area == pytest.approx(auroc(y, p), abs=1e-12)
    assert curve["threshold"].is_sorted(descending=True)


def test_near_ties_need_double_precision():
    y, p = [0, 1], [0.3, 0.3 + 1e-12]
    assert auroc(y, p) == 1.0
    assert auroc(y, np.float32(p)) == 0.5


def test_one_class_gives_nan():
    assert np.isnan(auroc([1, 1], [0.1, 0.2]))
    assert np.isnan(auprc([1, 1], [0.1, 0.2]))
    assert np.isnan(auprc([0, 0], [0.1, 0.2]))
    with pytest.raises(StudyError, match="both classes must occur; got only 1 in 2"):
        roc_curve([1, 1], [0.1, 0.2])


@pytest.mark.parametrize(
    ("y", "p", "message"),
    [
        ([0, 1], [0.1], "one value per recording"),
        ([], [], "one value per recording"),
        ([0, 2], [0.1, 0.2], "y must be 0 or 1; got 2"),
        ([0, 1], [0.1, np.nan], "p must not be NaN; got 1 of 2"),
    ],
)
def test_refuses_what_is_no_outcome_or_risk(y, p, message):
    with pytest.raises(StudyError, match=message):
        auroc(y, p)


# --- DeLong, against pROC --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def asah(gold_table):
    return gold_table("aSAH.csv")


@pytest.mark.parametrize("marker", ["s100b", "wfns", "ndka"])
def test_auroc_and_delong_variance_are_those_of_proc(asah, gold_values, marker):
    want = gold_values["pROC_aSAH"][marker]
    auc, cov = auroc_covariance(asah["outcome"], [asah[marker]])
    assert auc[0] == pytest.approx(want["auc"], abs=EXACT)
    assert auroc(asah["outcome"], asah[marker]) == pytest.approx(want["auc"], abs=EXACT)
    assert cov[0, 0] == pytest.approx(want["delong_var"], abs=EXACT)


@pytest.mark.parametrize(("first", "second"), [("wfns", "s100b"), ("wfns", "ndka"), ("ndka", "s100b")])
def test_paired_test_is_that_of_proc(asah, gold_values, first, second):
    want = gold_values["pROC_aSAH"][f"{first}_vs_{second}"]
    _, cov = auroc_covariance(asah["outcome"], [asah[first], asah[second]])
    got = delta_auroc(asah["outcome"], asah[first], asah[second], level=0.95)
    assert cov[0, 1] == pytest.approx(want["cov"], abs=EXACT)
    assert got.z == pytest.approx(want["Z"], abs=EXACT)
    assert got.p_value == pytest.approx(want["p"], abs=EXACT)
    assert (got.lower, got.upper) == pytest.approx(want["diff_ci95"], abs=EXACT)


def test_predictabel_delong(gold_table, gold_values):
    table, want = gold_table("PredictABEL_example_risks.csv"), gold_values["PredictABEL"]
    got = delta_auroc(table["y"], table["p_old"], table["p_new"], level=0.95)
    assert auroc(table["y"], table["p_old"]) == pytest.approx(want["auc_old"], abs=EXACT)
    assert auroc(table["y"], table["p_new"]) == pytest.approx(want["auc_new"], abs=EXACT)
    assert got.z == pytest.approx(want["delong"], abs=1e-9)


def naive_obuchowski(y, p, ids):
    """Sums written out as in the publication, pair by pair."""
    events, rest = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    psi = (p[events][:, None] > p[rest]) + 0.5 * (p[events][:, None] == p[rest])
    auc, v10, v01 = psi.mean(), psi.mean(axis=1), psi.mean(axis=0)
    every = np.unique(ids)
    s10 = s01 = s11 = 0.0
    for i in every:
        a = np.sum(v10[ids[events] == i] - auc)
        b = np.sum(v01[ids[rest] == i] - auc)
        s10, s01, s11 = s10 + a * a, s01 + b * b, s11 + a * b
    n10, n01, n = np.unique(ids[events]).size, np.unique(ids[rest]).size, every.size
    m, k = len(events), len(rest)
    return n10 / (n10 - 1) * s10 / m**2 + n01 / (n01 - 1) * s01 / k**2 + 2 * n / (n - 1) * s11 / (m * k)


def test_clustered_variance_is_obuchowskis():
    rng = np.random.default_rng(5)
    ids = rng.integers(0, 15, 60)
    y = (rng.uniform(size=60) < 0.4).astype(int)
    p = np.round(rng.uniform(size=60) + 0.3 * y, 1)
    _, cov = auroc_covariance(y, [p], patients=ids)
    assert cov[0, 0] == pytest.approx(naive_obuchowski(y, p, ids), abs=1e-14)
    _, alone = auroc_covariance(y, [p], patients=np.arange(60))
    assert alone == pytest.approx(auroc_covariance(y, [p])[1], abs=1e-16)


def test_a_model_does_not_differ_from_itself():
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 2, 50), rng.uniform(size=50)
    same = delta_auroc(y, p, p**3, level=0.95)
    assert (same.estimate, same.z, same.p_value) == (0.0, 0.0, 1.0)


def test_variance_needs_two_patients_of_either_kind():
    with pytest.raises(StudyError, match="got 1 and 2 patient"):
        auroc_covariance([1, 1, 0, 0], [[0.1, 0.2, 0.3, 0.4]], patients=["a", "a", "b", "c"])
    with pytest.raises(StudyError, match=r"level must be in \(0, 1\); got 95"):
        delta_auroc([0, 1], [0, 1], [0, 1], level=95)
