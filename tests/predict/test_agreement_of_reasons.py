import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from twelvelead.predict.agreement_of_reasons import rank_agreement, reason_stability
from twelvelead.terms import InputError

NAMES = ["a", "b", "c", "d", "e"]
HOW = {"predictors": NAMES, "top": 2, "n_resamples": 300, "seed": 3}


def simulate(strengths, n_patients=40, each=3, seed=0):
    rng = np.random.default_rng(seed)
    patients = np.repeat([f"p{k:03d}" for k in range(n_patients)], each)
    return rng.normal(size=(len(patients), len(strengths))) * strengths, patients


def test_means_ranks_and_shares_by_hand():
    shap, patients = simulate([1.0, 0.99, 0.5, 0.01, 0.0])
    table = reason_stability(shap, patients, **HOW)
    want = np.abs(shap).mean(axis=0)
    by_name = {row["feature"]: row for row in table.iter_rows(named=True)}
    assert [by_name[n]["mean_abs_shap"] for n in NAMES] == pytest.approx(want, abs=1e-12)
    assert table["rank"].to_list() == [1.0, 2.0, 3.0, 4.0, 5.0]
    # Two are always the first; a and b change places now and then; the one that is always 0 is the last.
    assert by_name["a"]["top_share"] == by_name["b"]["top_share"] == 1.0
    assert (by_name["a"]["rank_lower"], by_name["a"]["rank_upper"]) == (1.0, 2.0)
    assert (by_name["e"]["rank_lower"], by_name["e"]["rank_upper"], by_name["e"]["top_share"]) == (5.0, 5.0, 0.0)


def test_patients_are_drawn_and_not_recordings():
    # One patient has nearly all recordings and another reason: whether b comes first depends on this patient alone.
    rng = np.random.default_rng(1)
    patients = np.array(["big"] * 400 + [f"p{k}" for k in range(20)])
    shap = np.zeros((420, 2))
    shap[:400, 1], shap[400:, 0] = 1.0, 1.0
    shap += rng.uniform(0, 1e-3, size=shap.shape)
    how = {"predictors": ["a", "b"], "top": 1, "n_resamples": 2000, "seed": 0}
    share = reason_stability(shap, patients, **how).filter(feature="b")["top_share"].item()
    assert share == pytest.approx(1 - (20 / 21) ** 21, abs=0.04)  # the chance to be drawn at least once
    alone = reason_stability(shap, np.arange(420).astype(str), **how).filter(feature="b")["top_share"].item()
    assert alone == 1.0


def test_nothing_strong_is_never_among_the_first():
    table = reason_stability(np.zeros((4, 5)), list("wxyz"), **HOW)
    assert table["top_share"].to_list() == [0.0] * 5
    assert table["rank"].to_list() == [3.0] * 5


def test_no_byte_depends_on_the_order_of_rows():
    shap, patients = simulate([1.0, 0.9, 0.8, 0.1, 0.2])
    order = np.random.default_rng(5).permutation(len(shap))
    assert reason_stability(shap[order], patients[order], **HOW).equals(reason_stability(shap, patients, **HOW))
    other = simulate([0.5, 0.9, 0.8, 0.1, 0.2], seed=4)
    turned = rank_agreement((shap[order], patients[order]), other, **HOW)
    assert turned.equals(rank_agreement((shap, patients), other, **HOW))
    assert not reason_stability(shap, patients, **HOW | {"seed": 4}).equals(reason_stability(shap, patients, **HOW))


def test_agreement_is_scipys():
    here, there = simulate([1.0, 0.6, 0.5, 0.1, 0.0]), simulate([0.5, 0.6, 1.0, 0.0, 0.1], n_patients=25, seed=1)
    a, b = (np.abs(shap).mean(axis=0) for shap, _ in (here, there))
    table = rank_agreement(here, there, **HOW)
    assert table["measure"].to_list() == ["spearman", "kendall", "top_overlap"]
    want = [
        spearmanr(a, b).statistic,
        kendalltau(a, b).statistic,
        len(set(np.argsort(-a)[:2]) & set(np.argsort(-b)[:2])) / 2,
    ]
    assert table["estimate"].to_list() == pytest.approx(want, abs=1e-12)
    assert (table["lower"] <= table["estimate"]).all()
    assert (table["upper"] >= table["estimate"]).all()


def test_a_model_agrees_with_itself_and_not_with_the_reverse():
    strengths = np.array([1.0, 0.5, 0.25, 0.1, 0.01])
    here = simulate(strengths, n_patients=200)
    same = rank_agreement(here, simulate(strengths, seed=8, n_patients=200), **HOW)
    assert same["lower"].to_list() == pytest.approx([1.0, 1.0, 1.0])
    turned = rank_agreement(here, simulate(strengths[::-1], seed=8, n_patients=200), **HOW)
    assert turned["upper"].to_list() == pytest.approx([-1.0, -1.0, 0.0])


def test_what_is_not_defined_is_null():
    flat = np.ones((4, 5)), list("wxyz")
    assert rank_agreement(flat, flat, **HOW)["estimate"].to_list()[:2] == [None, None]


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match=r"got shape \(4, 5\) for 3 recordings and 5 predictors"):
        reason_stability(np.zeros((4, 5)), list("abc"), **HOW)
    with pytest.raises(InputError, match="finite"):
        reason_stability(np.full((1, 5), np.nan), ["a"], **HOW)
    with pytest.raises(InputError, match="for 0 recordings"):
        reason_stability(np.zeros((0, 5)), [], **HOW)
    one = np.zeros((1, 1)), ["a"]
    with pytest.raises(InputError, match="two predictors at least"):
        rank_agreement(one, one, **HOW | {"predictors": ["a"]})
