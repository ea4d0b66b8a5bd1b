import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multinomial

from twelvelead.terms import StudyError
from twelvelead.validate import auroc_covariance, draw_counts, interval, resamples, units
from twelvelead.validate.discrimination import weighted_auroc


def drawn(unit, n, seed):
    return np.concatenate(list(resamples(unit, n_resamples=n, seed=seed)))


def test_whole_patients_are_drawn_and_as_many_as_there_are():
    unit = units(["b", "a", "b", "c"])
    weights = drawn(unit, 200, 0)
    assert weights.shape == (200, 4)
    assert np.array_equal(weights[:, 0], weights[:, 2])
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
    # A patient is drawn once on average; the standard error over 200 resamples is 0.06.
    assert weights.mean(axis=0) == pytest.approx(1, abs=0.25)


@given(st.permutations(range(12)))
def test_order_of_recordings_does_not_matter(order):
    patients = np.array([f"p{i % 5}" for i in range(12)])
    order = list(order)
    assert np.array_equal(drawn(units(patients), 7, 3)[:, order], drawn(units(patients[order]), 7, 3))


def test_chunks_do_not_matter(monkeypatch):
    unit = np.arange(50)
    whole = drawn(unit, 33, 1)
    monkeypatch.setattr("twelvelead.validate.resample.CELLS", 130)
    chunks = list(resamples(unit, n_resamples=33, seed=1))
    assert len(chunks) == 17
    assert np.array_equal(np.concatenate(chunks), whole)


def test_a_resample_is_a_function_of_its_number_seed_and_patients():
    whole = draw_counts(40, first=0, size=50, seed=4)
    assert np.array_equal(draw_counts(40, first=17, size=3, seed=4), whole[:, 17:20])
    assert np.array_equal(drawn(np.arange(40), 50, 4), whole.T)
    assert not np.array_equal(draw_counts(40, first=0, size=50, seed=5), whole)
    assert len(np.unique(whole, axis=1).T) == 50


def test_counts_are_an_exact_multinomial():
    # All 27 ordered triples of three patients are equally likely: the ten possible counts in multinomial proportions.
    size = 27_000
    counts = draw_counts(3, first=0, size=size, seed=0).T.astype(int)
    values, times = np.unique(counts, axis=0, return_counts=True)
    want = np.array([multinomial.pmf(v, 3, [1 / 3] * 3) for v in values]) * size
    assert len(values) == 10
    # Chi-squared with 9 degrees of freedom exceeds 27.9 once in 1000.
    assert np.sum((times - want) ** 2 / want) < 27.9
    # A patient's counts over resamples, and those of two patients, n = 7: variance 6/7, covariance −1/7.
    many = draw_counts(7, first=0, size=100_000, seed=1)[:2].astype(float)
    assert np.cov(many) == pytest.approx(np.array([[6, -1], [-1, 6]]) / 7, abs=0.015)


def test_any_seed_will_do_and_none_to_draw_will_not():
    assert draw_counts(5, first=0, size=1, seed=-1).sum() == 5
    assert draw_counts(5, first=0, size=1, seed=2**70 + 3).sum() == 5
    with pytest.raises(StudyError, match="needs 1 to 2147483647 patients; got 0"):
        draw_counts(0, first=0, size=1, seed=0)


def test_interval_counts_what_it_leaves_out():
    values = np.r_[np.nan, np.arange(99.0)]
    got = interval(values, level=0.95)
    assert (got.n_resamples, got.n_discarded) == (100, 1)
    assert got.lower == pytest.approx(np.quantile(np.arange(99), 0.025))
    spoilt = interval(np.r_[np.full(6, np.nan), np.arange(94.0)], level=0.95)
    assert (spoilt.lower, spoilt.upper, spoilt.n_discarded) == (None, None, 6)
    with pytest.raises(StudyError, match=r"level must be in \(0, 1\); got 95"):
        interval(values, level=95)
    with pytest.raises(StudyError, match="n_resamples must be at least 1; got 0"):
        drawn(np.arange(3), 0, 0)


def test_bootstrap_agrees_with_closed_form_and_published_intervals_are_the_central_5_percent():
    # The setting of the published test set: 23,400 recordings, 450 events, AUROC 0.80.
    rng = np.random.default_rng(0)
    n, events = 23_400, 450
    y = np.zeros(n)
    y[:events] = 1
    p = rng.normal(size=n) + np.where(y == 1, np.sqrt(2) * 0.8416, 0)
    order = np.argsort(p)
    y, p = y[order], p[order]
    values = np.concatenate([weighted_auroc(y, p, weights=w) for w in resamples(np.arange(n), n_resamples=600, seed=0)])
    right, wrong = (interval(values, level=level) for level in (0.95, 0.05))
    _, cov = auroc_covariance(y, [p])
    # Monte Carlo error of a standard deviation over 600 resamples: 3 %; of a central interval about 9 %.
    assert values.std() == pytest.approx(np.sqrt(cov[0, 0]), rel=0.09)
    assert right.upper - right.lower == pytest.approx(0.0386, abs=0.005)
    assert wrong.upper - wrong.lower == pytest.approx(0.0014, abs=0.0006)


def test_patients_give_the_stated_coverage_and_recordings_do_not():
    rng = np.random.default_rng(7)
    n_patients, each, sims = 300, 4, 300
    patient = np.repeat(np.arange(n_patients), each)
    truth = 0.7967  # Φ(d/√(2 v)) with d = 1.2, v = 1.04: the score below
    covered = np.zeros(2)
    for sim in range(sims):
        # The outcome is the patient's, and so is most of the score.
        y = np.repeat((rng.uniform(size=n_patients) < 0.2).astype(float), each)
        p = 1.2 * y + np.repeat(rng.normal(size=n_patients), each) + 0.2 * rng.normal(size=len(y))
        order = np.argsort(p)
        for which, unit in enumerate((patient, np.arange(len(y)))):
            weights = np.concatenate(list(resamples(unit[order], n_resamples=150, seed=sim)))
            found = interval(weighted_auroc(y[order], p[order], weights=weights), level=0.95)
            covered[which] += found.lower <= truth <= found.upper
    clustered, single = covered / sims
    # 60 event patients: percentile intervals cover about 94 %, less a little for 150 resamples; s.e. 1.4 %.
    assert 0.90 <= clustered <= 0.98
    assert single < 0.85
