"""A weighted AUROC is what its weights say; the parts of a difference add up; its error is what repeats show."""

import numpy as np
import polars as pl
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from twelvelead.validate import Bootstrap, auroc_covariance, auroc_interval
from twelvelead.validate.resample import draw_counts, units
from twelvelead.validate.reweighted import QUANTITIES, TOO_THIN, Judged, _known, _resampled, part_difference

QUICK = Bootstrap(200, 3, 0.95)


def draw(seed, *, n=400, patients=150, ties=True):
    rng = np.random.default_rng(seed)
    patient = rng.integers(0, patients, n)
    x = rng.normal(size=patients)[patient] + rng.normal(size=n)
    y = (rng.random(n) < expit(x - 0.5)).astype(float)
    p = np.round(expit(x), 2) if ties else expit(x)
    return y, p, patient, rng.random(n) + 0.1


@pytest.mark.parametrize("seed", range(5))
def test_every_resample_is_the_weighted_auroc_of_who_was_drawn(seed):
    y, p, patient, weight = draw(seed)
    unit = units(patient)
    auroc, covariance = _resampled(y, p, [np.ones(len(y)), weight], unit=unit, bootstrap=Bootstrap(20, seed, 0.95))
    counts = draw_counts(int(unit.max()) + 1, first=0, size=20, seed=seed)
    for b in range(20):
        drawn = counts[unit, b].astype(float)
        assert auroc[b, 0] == pytest.approx(roc_auc_score(y, p, sample_weight=drawn), abs=1e-12)
        assert auroc[b, 1] == pytest.approx(roc_auc_score(y, p, sample_weight=drawn * weight), abs=1e-12)
    assert np.all(np.linalg.eigvalsh(covariance) > -1e-15)


def test_without_weights_the_error_is_nearly_that_of_delong_with_clusters():
    y, p, patient, _ = draw(1, n=3000, patients=1000)
    auroc, covariance = _known(y, p, [np.ones(len(y))], unit=units(patient))
    known, exact = auroc_covariance(y, [p], patients=patient)
    assert auroc[0] == pytest.approx(known[0], abs=1e-12)
    assert covariance[0, 0] == pytest.approx(exact[0, 0], rel=0.01)


def test_a_weight_of_two_is_a_recording_twice():
    y, p, patient, _ = draw(2)
    twice = np.arange(len(y)) % 3 == 0
    weighted = _known(y, p, [1.0 + twice], unit=units(patient))
    doubled = [np.concatenate([column, column[twice]]) for column in (y, p, patient)]
    plain = _known(doubled[0], doubled[1], [np.ones(len(doubled[0]))], unit=units(doubled[2]))
    np.testing.assert_allclose(weighted[0], plain[0], rtol=1e-12)
    np.testing.assert_allclose(weighted[1], plain[1], rtol=1e-12)


def test_the_error_is_the_spread_over_repeated_studies():
    found = []
    for seed in range(400):
        rng = np.random.default_rng(seed)
        patient = np.repeat(np.arange(120), 2)
        x = rng.normal(size=120)[patient] + rng.normal(size=240)
        y = (rng.random(240) < expit(x)).astype(float)
        auroc, covariance = _known(y, x, [np.exp(0.7 * x)], unit=patient)
        found.append((auroc[0], covariance[0, 0]))
    values, variances = np.array(found).T
    assert np.sqrt(variances.mean()) == pytest.approx(values.std(), rel=0.15)


def test_equal_weights_explain_nothing():
    y, p, patient, _ = draw(3)
    rows = part_difference(Judged(y, p, patient), np.full(len(y), 7.0), Judged(y, p, patient), bootstrap=QUICK)
    assert rows["quantity"].to_list() == list(QUANTITIES)
    found = {row["quantity"]: row for row in rows.iter_rows(named=True)}
    assert found["reweighted"]["estimate"] == pytest.approx(found["internal"]["estimate"])
    assert [found["case_mix"][k] for k in ("estimate", "lower", "upper")] == pytest.approx([0, 0, 0], abs=1e-9)
    assert found["rest"]["lower"] < 0 < found["rest"]["upper"]
    assert found["reweighted"]["effective_n"] == pytest.approx(len(y))


def test_the_parts_add_up_and_the_plain_aurocs_are_those_of_the_performance():
    y, p, patient, weight = draw(4)
    other = draw(5)
    rows = part_difference(Judged(y, p, patient), weight, Judged(*other[:3]), bootstrap=QUICK)
    of = dict(rows.select("quantity", "estimate").iter_rows())
    assert of["internal"] + of["case_mix"] + of["rest"] == pytest.approx(of["external"])
    for name, (a, b, c) in (("internal", (y, p, patient)), ("external", other[:3])):
        known = auroc_interval(a, b, patients=c, level=0.95, n_resamples=200, seed=3)
        row = rows.row(by_predicate=pl.col("quantity") == name, named=True)
        assert (row["estimate"], row["lower"], row["upper"]) == (known.estimate, known.lower, known.upper)


def test_the_order_of_recordings_changes_nothing():
    y, p, patient, weight = draw(6)
    other = Judged(*draw(7)[:3])
    shuffled = np.random.default_rng(0).permutation(len(y))
    one = part_difference(Judged(y, p, patient), weight, other, bootstrap=QUICK)
    mixed = Judged(y[shuffled], p[shuffled], patient[shuffled])
    two = part_difference(mixed, weight[shuffled], other, bootstrap=QUICK)
    for name in ("estimate", "lower", "upper"):
        np.testing.assert_allclose(one[name].to_numpy(), two[name].to_numpy(), rtol=1e-12)


@pytest.mark.parametrize("weight", [np.zeros(400), np.r_[np.full(5, 100.0), np.full(395, 0.001)]])
def test_where_hardly_anybody_is_like_those_there_no_number_is_given(weight):
    y, p, patient, _ = draw(8)
    rows = part_difference(Judged(y, p, patient), weight, Judged(y, p, patient), bootstrap=QUICK)
    thin = rows.filter(pl.col("note") == TOO_THIN)
    assert thin["quantity"].to_list() == ["reweighted", "case_mix", "rest"]
    assert thin["estimate"].null_count() == 3
    assert rows.filter(quantity="external")["estimate"][0] is not None
