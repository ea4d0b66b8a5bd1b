"""Covariances within resamples, against the closed form on the drawn recordings written out."""

import numpy as np
import pytest

from twelvelead.terms import StudyError
from twelvelead.validate import auroc_covariance, clustered, draw_counts
from twelvelead.validate.clustered import patient_sums, replicate
from twelvelead.validate.ranking import rank


def case(decimals, n_units=25, n=90, seed=1):
    rng = np.random.default_rng(seed)
    unit = np.concatenate([np.arange(n_units), rng.integers(0, n_units, n - n_units)])
    y = (rng.uniform(size=n) < 0.3).astype(float)
    scores = [np.round(rng.normal(size=n) + k * y, decimals) for k in (0.5, 1.0, 2.0)]
    return y, scores, unit


def run(y, scores, unit, **choices):
    rankings = [rank(y, p, unit=unit) for p in scores]
    given = {"n_resamples": 40, "seed": 5, "with_covariance": True, **choices}
    return replicate(rankings, patient_sums(y, unit=unit), **given)


@pytest.mark.parametrize("decimals", [0, 1, 9])
def test_is_the_closed_form_of_the_drawn_recordings(decimals):
    y, scores, unit = case(decimals)
    found = run(y, scores, unit)
    counts = draw_counts(25, first=0, size=40, seed=5)
    for k in range(40):
        # A patient who is drawn twice is two patients.
        copies = np.repeat(np.arange(25), counts[:, k])
        rows = [(row, copy) for copy, u in enumerate(copies) for row in np.flatnonzero(unit == u)]
        chosen, patients = np.array(rows).T
        auroc, covariance = auroc_covariance(y[chosen], np.array(scores)[:, chosen], patients=patients)
        assert found.auroc[k] == pytest.approx(auroc, abs=1e-12)
        # Sums of some hundred products of size 0.1 and below.
        assert found.covariance[k] == pytest.approx(covariance, abs=1e-14)


def test_threads_chunks_and_order_of_recordings_change_no_bit():
    y, scores, unit = case(1)
    whole = run(y, scores, unit, n_resamples=100)
    part = run(y, scores, unit, n_resamples=37, n_threads=3)
    order = np.random.default_rng(0).permutation(len(y))
    other = run(y[order], [p[order] for p in scores], unit[order], n_resamples=37)
    for name in ("auroc", "auprc", "covariance", "sums"):
        assert np.array_equal(getattr(whole, name)[:37], getattr(part, name))
        assert np.array_equal(getattr(other, name), getattr(part, name))


def test_a_model_gets_the_same_whichever_others_are_there():
    y, scores, unit = case(1)
    alone = run(y, scores[1:2], unit)
    assert np.array_equal(alone.covariance[:, 0, 0], run(y, scores, unit).covariance[:, 1, 1])


def test_wider_integers_give_the_same(monkeypatch):
    y, scores, unit = case(1)
    narrow = run(y, scores, unit)
    monkeypatch.setattr(clustered, "_smallest_type", lambda _: np.int64)
    assert np.array_equal(run(y, scores, unit).covariance, narrow.covariance)


def test_integers_are_wide_where_sums_may_be_large():
    # One patient with 2,000 recordings without the event, 100,000 events: twice 2e8, 16 times over, is above 2^32.
    many = np.array([[2000.0, 0.0], *[[0.0, 5.0]] * 20_000])
    assert clustered._smallest_type(many) is np.int64
    assert clustered._smallest_type(many[:100]) is np.uint32


def test_a_resample_with_one_patient_of_a_class_has_no_variance():
    # Of four patients one has the event: it comes once or more in 1 − (3/4)^4 = 68 % of resamples.
    y, p = np.array([0.0, 0, 0, 1]), np.array([0.1, 0.3, 0.2, 0.25])
    found = run(y, [p], np.arange(4), n_resamples=200)
    times = draw_counts(4, first=0, size=200, seed=5)[3]
    assert np.isnan(found.covariance[times <= 1]).all()
    two = (times == 2) & np.isfinite(found.auroc[:, 0])
    assert np.isfinite(found.covariance[two]).all()


def test_columns_are_summed_over_the_drawn_patients():
    y, _, unit = case(1)
    extra = np.arange(90.0) / 7
    found = replicate(
        [rank(y, extra, unit=unit)],
        patient_sums(y, unit=unit, columns=[extra]),
        n_resamples=20,
        seed=0,
        with_covariance=False,
    )
    weights = draw_counts(25, first=0, size=20, seed=0).T[:, unit]
    assert found.sums == pytest.approx(weights @ np.column_stack([1 - y, y, extra]), rel=1e-13)
    assert found.covariance.shape == (0, 1, 1)


@pytest.mark.parametrize("choices", [{"n_resamples": 0}, {"n_threads": 0}])
def test_refuses_none(choices):
    with pytest.raises(StudyError, match="must be at least 1"):
        run(*case(1), **choices)
