"""Intervals of AUROCs: recomputed the slow way, at the edges, against R, and how often they cover the truth."""

import numpy as np
import pytest
from scipy.special import expit, logit, ndtr
from scipy.stats import norm

from twelvelead.terms import StudyError
from twelvelead.validate import auroc, auroc_covariance, auroc_interval, delta_auroc_interval, draw_counts

CHOICES = {"level": 0.95, "n_resamples": 300, "seed": 2}


def case(n_patients=60, each=2, n_event_patients=15, shift=1.0, seed=0):
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(n_patients), each)
    y = (unit < n_event_patients).astype(float)
    base = np.repeat(rng.normal(size=n_patients), each)
    p = shift * y + base + 0.3 * rng.normal(size=len(y))
    return unit, y, p, p + rng.normal(size=len(y))


def replicates(unit, y, scores, n=CHOICES["n_resamples"], seed=CHOICES["seed"]):
    """AUROCs and covariances of resamples whose recordings are written out, copies of a patient being patients."""
    aurocs, covariances = [], []
    for column in draw_counts(int(unit.max()) + 1, first=0, size=n, seed=seed).T:
        copies = np.repeat(np.arange(len(column)), column)
        rows = np.concatenate([np.flatnonzero(unit == u) for u in copies])
        patients = np.repeat(np.arange(len(copies)), [np.sum(unit == u) for u in copies])
        found = auroc_covariance(y[rows], scores[:, rows], patients=patients)
        aurocs.append(found[0])
        covariances.append(found[1])
    return np.array(aurocs), np.array(covariances)


def quantiles(t, k, level=0.95):
    """Quantiles that are as far out as those of ±1.96 √(k/(k − 1))."""
    z = norm.ppf((1 + level) / 2) * np.sqrt(k / (k - 1))
    return np.quantile(t, [1 - ndtr(z), ndtr(z)])


def test_auroc_interval_is_what_it_says():
    unit, y, p, _ = case()
    found = auroc_interval(y, p, patients=[f"p{u:02d}" for u in unit], **CHOICES)
    aucs, covariances = replicates(unit, y, p[None])
    a, error = aucs[:, 0], np.sqrt(covariances[:, 0, 0])
    assert a.max() < 1
    whole, covariance = auroc_covariance(y, [p], patients=unit)
    spread = np.sqrt(covariance[0, 0]) / (whole[0] * (1 - whole[0]))
    low, high = quantiles((logit(a) - logit(whole[0])) / (error / (a * (1 - a))), 15)
    assert found.estimate == pytest.approx(auroc(y, p), abs=1e-15)
    assert found.lower == pytest.approx(expit(logit(whole[0]) - high * spread), abs=1e-10)
    assert found.upper == pytest.approx(expit(logit(whole[0]) - low * spread), abs=1e-10)
    assert found.delong_lower == pytest.approx(expit(logit(whole[0]) - norm.ppf(0.975) * spread), abs=1e-12)
    assert found.delong_upper == pytest.approx(expit(logit(whole[0]) + norm.ppf(0.975) * spread), abs=1e-12)
    assert (found.n_resamples, found.n_discarded, found.note) == (300, 0, None)


def test_difference_is_what_it_says():
    unit, y, new, base = case()
    found = delta_auroc_interval(y, new, base, patients=unit, **CHOICES)
    aucs, covariances = replicates(unit, y, np.array([new, base]))
    d = aucs[:, 0] - aucs[:, 1]
    sign = np.array([1, -1])
    error = np.sqrt(np.einsum("i,bij,j->b", sign, covariances, sign))
    whole, covariance = auroc_covariance(y, [new, base], patients=unit)
    estimate, spread = whole[0] - whole[1], np.sqrt(sign @ covariance @ sign)
    low, high = quantiles((d - estimate) / error, 15)
    assert found.estimate == pytest.approx(estimate, abs=1e-15)
    assert (found.lower, found.upper) == pytest.approx((estimate - high * spread, estimate - low * spread), abs=1e-10)
    reach = norm.ppf(0.975) * spread
    assert (found.delong_lower, found.delong_upper) == pytest.approx((estimate - reach, estimate + reach), abs=1e-12)
    assert found.p_value == pytest.approx(2 * norm.sf(abs(estimate) / spread), abs=1e-12)


def test_percentile_is_the_quantiles_of_the_same_resamples():
    unit, y, new, base = case()
    aucs, _ = replicates(unit, y, np.array([new, base]))
    one = auroc_interval(y, new, patients=unit, method="percentile", **CHOICES)
    both = delta_auroc_interval(y, new, base, patients=unit, method="percentile", **CHOICES)
    assert (one.lower, one.upper) == pytest.approx(np.quantile(aucs[:, 0], [0.025, 0.975]), abs=1e-12)
    assert (both.lower, both.upper) == pytest.approx(np.quantile(aucs[:, 0] - aucs[:, 1], [0.025, 0.975]), abs=1e-12)


def test_threads_and_order_of_rows_change_no_bit():
    unit, y, new, base = case()
    order = np.random.default_rng(1).permutation(len(y))
    one = delta_auroc_interval(y, new, base, patients=unit, **CHOICES)
    again = delta_auroc_interval(y[order], new[order], base[order], patients=unit[order], n_threads=3, **CHOICES)
    assert one == again
    assert auroc_interval(y, new, patients=unit, **CHOICES) != auroc_interval(
        y, new, patients=unit, **{**CHOICES, "seed": 3}
    )


@pytest.mark.parametrize("n_event_patients", [0, 1, 9, 51, 60])
def test_under_ten_patients_of_either_kind_there_is_no_number(n_event_patients):
    unit, y, new, base = case(n_event_patients=n_event_patients)
    one = auroc_interval(y, new, patients=unit, **CHOICES)
    both = delta_auroc_interval(y, new, base, patients=unit, **CHOICES)
    for found in (one, both):
        assert found.note == "not estimable: fewer than 10 patients with, or without, the event"
        numbers = (found.estimate, found.lower, found.upper, found.delong_lower, found.delong_upper)
        assert numbers == (None,) * 5
    assert both.p_value is None
    assert auroc_interval(y, new, patients=None, **CHOICES).estimate is None or n_event_patients in (9, 51)


@pytest.mark.parametrize("p", [lambda y, _: y, lambda y, _: -y, lambda y, _: 0 * y])
def test_without_a_pair_to_go_by_there_is_an_estimate_and_no_interval(p):
    unit, y, score, _ = case()
    found = auroc_interval(y, p(y, score), patients=unit, **CHOICES)
    assert found.estimate in (0.0, 0.5, 1.0)
    assert (found.lower, found.upper, found.delong_lower, found.delong_upper) == (None,) * 4
    assert "no standard error" in found.note


def test_resamples_without_a_pair_ranked_wrong_are_kept():
    # One event of 15 lies below some of the others: 36 % of resamples leave it out and have an AUROC of 1.
    y = np.repeat([0.0, 1.0], [45, 15])
    p = np.arange(60.0)
    p[-1] = 40.5
    found = auroc_interval(y, p, patients=None, **CHOICES)
    a, _ = replicates(np.arange(60), y, p[None])
    assert 0.3 < (a == 1).mean() < 0.42
    assert found.n_discarded == 0
    assert 0 < found.lower < 0.95 < found.estimate < found.upper < 1
    mirrored = auroc_interval(1 - y, p, patients=None, **CHOICES)
    turned = auroc_interval(1 - y, -p, patients=None, **CHOICES)
    assert turned.estimate == found.estimate
    assert mirrored.estimate == pytest.approx(1 - found.estimate, abs=1e-15)
    assert mirrored.upper == pytest.approx(1 - turned.lower, abs=1e-12)


def test_two_that_rank_alike_differ_by_nothing():
    unit, y, p, _ = case()
    found = delta_auroc_interval(y, p, np.exp(p), patients=unit, **CHOICES)
    assert (found.estimate, found.lower, found.upper, found.p_value) == (0, 0, 0, 1)
    assert (found.delong_lower, found.delong_upper, found.note) == (0, 0, None)


def test_refuses_an_unknown_method_and_level():
    unit, y, p, base = case()
    for call in (
        lambda **c: auroc_interval(y, p, patients=unit, **c),
        lambda **c: delta_auroc_interval(y, p, base, patients=unit, **c),
    ):
        with pytest.raises(StudyError, match="method must be one of studentised, percentile; got 'bca'"):
            call(**CHOICES, method="bca")
        with pytest.raises(StudyError, match=r"level must be in \(0, 1\); got 95"):
            call(**{**CHOICES, "level": 95})


@pytest.mark.parametrize("marker", ["s100b", "wfns", "ndka"])
def test_percentile_interval_is_that_of_proc(gold_table, gold_values, marker):
    # Without strata, as ours; 20,000 resamples each: the Monte Carlo error of such a limit is below 0.001.
    asah = gold_table("aSAH.csv")
    low, _, high = gold_values["pROC_aSAH"][marker]["boot_unstratified_ci95_B20000"]
    found = auroc_interval(
        asah["outcome"], asah[marker], patients=None, level=0.95, n_resamples=20_000, seed=0, method="percentile"
    )
    assert (found.lower, found.upper) == pytest.approx((low, high), abs=0.005)


@pytest.mark.parametrize(("new", "base"), [("wfns", "s100b"), ("wfns", "ndka"), ("ndka", "s100b")])
def test_paired_test_is_that_of_proc(gold_table, gold_values, new, base):
    asah, want = gold_table("aSAH.csv"), gold_values["pROC_aSAH"][f"{new}_vs_{base}"]
    found = delta_auroc_interval(asah["outcome"], asah[new], asah[base], patients=None, **CHOICES)
    assert found.p_value == pytest.approx(want["p"], abs=1e-9)
    assert (found.delong_lower, found.delong_upper) == pytest.approx(want["diff_ci95"], abs=1e-9)


def test_covers_the_truth_where_the_percentile_interval_does_not():
    # 15 of 300 patients have the event, two recordings each, AUROC 0.95; 300 samples: a standard error of 1.3 %.
    truth, n_patients = 0.95, 300
    unit = np.repeat(np.arange(n_patients), 2)
    y = (unit < 15).astype(float)
    covered = {"studentised": 0, "percentile": 0}
    for k in range(300):
        rng = np.random.default_rng([k, 1])
        noise = np.sqrt([0.9, 0.1])
        p = norm.ppf(truth) * np.sqrt(2) * y
        p += noise[0] * rng.normal(size=n_patients)[unit] + noise[1] * rng.normal(size=len(y))
        for method in covered:
            found = auroc_interval(y, p, patients=unit, level=0.95, n_resamples=300, seed=k, method=method)
            covered[method] += found.lower is not None and found.lower <= truth <= found.upper
    assert 0.90 <= covered["studentised"] / 300 <= 0.98
    assert covered["percentile"] / 300 < 0.89
