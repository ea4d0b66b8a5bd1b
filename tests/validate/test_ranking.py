"""Recordings gone through in order of their risk, against scikit-learn and against counting pairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from twelvelead.validate import draw_counts
from twelvelead.validate.clustered import patient_sums, replicate
from twelvelead.validate.ranking import rank

EXACT = 1e-12
"""Integers are counted and divided once; scikit-learn adds up some tens of fractions."""


@st.composite
def scored(draw):
    n = draw(st.integers(4, 40))
    y = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)), dtype=float)
    y[:2] = 0, 1
    grid = draw(st.sampled_from([1, 3, 10, 1_000_000]))
    p = np.array(draw(st.lists(st.integers(0, grid), min_size=n, max_size=n))) / grid
    unit = np.array(draw(st.lists(st.integers(0, 6), min_size=n, max_size=n)))
    return y, p, np.unique(unit, return_inverse=True)[1]


def resampled(y, p, unit, *, n=20, cuts=None, seed=3):
    found = replicate(
        [rank(y, p, unit=unit, cuts=cuts)],
        patient_sums(y, unit=unit),
        n_resamples=n,
        seed=seed,
        with_covariance=False,
    )
    return found, draw_counts(int(unit.max()) + 1, first=0, size=n, seed=seed).T[:, unit]


@given(scored())
def test_equals_scikit_learn_on_the_same_resamples(case):
    y, p, unit = case
    found, weights = resampled(y, p, unit, n=6)
    for k, w in enumerate(weights):
        if (w[y == 1].sum() == 0) or (w[y == 0].sum() == 0):
            assert np.isnan(found.auroc[k, 0])
            assert np.isnan(found.auprc[k, 0])
            continue
        assert found.auroc[k, 0] == pytest.approx(metrics.roc_auc_score(y, p, sample_weight=w), abs=EXACT)
        assert found.auprc[k, 0] == pytest.approx(metrics.average_precision_score(y, p, sample_weight=w), abs=EXACT)


@given(scored())
def test_counts_below_the_cuts(case):
    y, p, unit = case
    cuts = np.array([0.0, 0.3, 0.3, 0.7, 1.0, 1.5])
    found, weights = resampled(y, p, unit, cuts=cuts)
    for side in (0, 1):
        want = weights @ ((y == side)[:, None] & (p[:, None] < cuts)).astype(int)
        assert np.array_equal(found.at_cuts[0][:, side], want)


def test_one_event_among_many():
    rng = np.random.default_rng(0)
    n = 500
    y, p = np.zeros(n), np.round(rng.normal(size=n), 1)
    y[7] = 1
    found, weights = resampled(y, p, np.arange(n), n=64)
    drawn = weights[:, 7] > 0
    assert 20 < drawn.sum() < 60
    assert np.isnan(found.auroc[~drawn, 0]).all()
    for k in np.flatnonzero(drawn):
        want = metrics.roc_auc_score(y, p, sample_weight=weights[k])
        assert found.auroc[k, 0] == pytest.approx(want, abs=EXACT)


def test_all_tied_is_a_half_and_its_precision_the_prevalence():
    y = np.array([0.0, 0, 1, 0, 1, 1])
    found, weights = resampled(y, np.full(6, 0.3), np.arange(6))
    both = (weights[:, y == 1].sum(axis=1) > 0) & (weights[:, y == 0].sum(axis=1) > 0)
    assert set(found.auroc[both, 0]) == {0.5}
    assert found.auprc[both, 0] == pytest.approx(weights[both] @ y / 6, abs=EXACT)


def test_infinite_and_nearly_equal_scores_are_ordered_in_double_precision():
    y = np.array([0.0, 1, 0, 1] * 5)
    near = np.where(y == 1, 0.3 + 1e-15, 0.3)
    assert 0.3 + 1e-15 != 0.3
    assert np.nanmin(resampled(y, near, np.arange(20))[0].auroc) == 1.0
    assert set(resampled(y, near.astype(np.float32), np.arange(20))[0].auroc[:, 0]) == {0.5}
    ends = np.where(y == 1, np.inf, -np.inf)
    assert np.nanmin(resampled(y, ends, np.arange(20))[0].auroc) == 1.0
