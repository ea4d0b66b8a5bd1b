import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from twelvelead.terms import InputError
from twelvelead.validate import Pair, Published, auroc, categorical_nri, consistency
from twelvelead.validate.bounds import least_error_of_auroc, least_p_of_nri, usual_error_of_auroc
from twelvelead.validate.integer_counts import Rates, possible_counts
from twelvelead.validate.published import printed

DIANET = Published(
    n=395, nri="0.0153", nri_p="<0.001", idi="0.0482", idi_p="0.0099", auroc_new="0.845", auroc_base="0.8217",
    delta_p="<0.001",
)  # fmt: skip
"""Figures of the abstract of ECG-DiaNet, which does not say how many had the event."""


def test_the_nri_of_ecg_dianet_is_impossible():
    found = consistency(DIANET).rows(named=True)
    assert [row["possible"] for row in found] == [False, False, True, True]
    pooled, unpooled, _, difference = found
    assert "p ≥ 0.0139" in pooled["why"]
    assert "p ≥ 0.0132" in unpooled["why"]
    # Worked out by hand with Hanley and McNeil's errors.
    for correlation in ("0.943 with 197", "0.972 with 79", "0.986 with 39"):
        assert correlation in difference["why"]


def test_with_the_events_known_the_bounds_are_sharper():
    found = consistency(Published(n=395, events=80, nri="0.0153", nri_p="0.02", auroc_new="0.845",
                                  auroc_base="0.8217", delta_p="<0.001"))  # fmt: skip
    assert found["possible"].to_list() == [False, False, True]
    assert "0.972 with 80 events" in found["why"][2]
    assert consistency(Published(n=395, nri="0.0153", nri_p="0.02"))["possible"].to_list() == [True, True]


@pytest.mark.parametrize("form", ["pooled", "unpooled"])
def test_no_small_table_beats_the_bound_of_an_nri(form):
    """Every way in which 4 events and 6 others can move, one up and down count each."""
    tightest = 9.0
    for n_events, n_rest in ((4, 6), (2, 3)):
        for up, down in ((u, d) for u in range(n_events + 1) for d in range(n_events + 1 - u)):
            for fall, rise in ((f, r) for f in range(n_rest + 1) for r in range(n_rest + 1 - f)):
                net, other = (up - down) / n_events, (fall - rise) / n_rest
                variance = (up + down) / n_events**2 + (fall + rise) / n_rest**2
                if form == "unpooled":
                    variance -= net**2 / n_events + other**2 / n_rest
                nri = net + other
                if variance > 1e-12 and abs(nri) < 1:
                    p = 2 * ndtr(-abs(nri) / variance**0.5)
                    least = least_p_of_nri(nri, n_largest=max(n_events, n_rest), form=form)
                    assert p >= least - 1e-12
                    tightest = min(tightest, p / max(least, 1e-300))
    # The bound is reached where only people of the larger group move, all one way.
    assert tightest == pytest.approx(1.0, abs=1e-9)


def test_our_own_nri_is_never_called_impossible():
    rng = np.random.default_rng(0)
    for _ in range(30):
        n = 60
        y = (np.arange(n) < 20).astype(int)
        base = rng.uniform(size=n)
        new = np.clip(base + 0.1 * rng.normal(size=n) + 0.2 * (y - 0.3) * (rng.uniform(size=n) < 0.3), 0, 1)
        found = categorical_nri(Pair(y, new, base), cuts=[0.5], level=0.95, n_resamples=2, seed=0).total
        claims = Published(n=n, events=20, nri=f"{found.estimate:.4f}", nri_p=f"{found.p_value:.4f}")
        assert consistency(claims)["possible"][1]


@given(st.integers(0, 2**32 - 1))
def test_no_sample_beats_the_bound_of_an_auroc(seed):
    rng = np.random.default_rng(seed)
    m, n = rng.integers(2, 40, 2)
    y = np.r_[np.ones(m), np.zeros(n)]
    score = rng.permutation(m + n) + y * rng.choice([0, 5, 40]) + 0.5 * rng.uniform(size=m + n)
    above = (score[:m, None] > score[m:]).astype(float)
    area = auroc(y, score)
    if 0 < area < 1:
        error = np.sqrt(above.mean(axis=1).var() / m + above.mean(axis=0).var() / n)
        assert error >= least_error_of_auroc(area, n_events=int(m), n_nonevents=int(n)) - 1e-12


def test_the_bound_of_an_auroc_is_reached_where_all_events_rank_alike():
    """20 events next to each other with 800 of 1000 others below: V₁ is 0, V₀ is A(1 − A)."""
    found = least_error_of_auroc(0.8, n_events=20, n_nonevents=1000)
    assert found == pytest.approx((0.16 / 1000) ** 0.5, rel=0.01)
    assert least_error_of_auroc(0.8, n_events=1000, n_nonevents=20) == pytest.approx(found, rel=1e-9)


def test_the_interval_of_5_per_cent_is_caught():
    """A central 5 % called 95 %: 23,400 people, 450 events, AUROC .80, width .0014."""
    wrong = Published(n=23400, events=450, auroc="0.80", lower="0.7993", upper="0.8007")
    (row,) = consistency(wrong).rows(named=True)
    assert not row["possible"]
    assert "central interval of 4%" in row["why"]
    assert not consistency(Published(n=23400, auroc="0.80", lower="0.7993", upper="0.8007"))["possible"][0]
    assert consistency(Published(n=23400, events=450, auroc="0.80", lower="0.776", upper="0.824"))["possible"][0]
    assert consistency(Published(n=23400, events=450, level=0.05, auroc="0.80", lower="0.7993", upper="0.8007"))[
        "possible"
    ][0]


def test_an_interval_must_hold_its_estimate():
    assert not consistency(Published(n=100, auroc="0.80", lower="0.82", upper="0.90"))["possible"][0]
    assert not consistency(Published(n=100, auroc="0.80", lower="0.70", upper="1.20"))["possible"][0]


def test_usual_error_is_that_of_hanley_and_mcneil():
    one, two = 0.8 / 1.2, 2 * 0.64 / 1.8
    by_hand = (0.16 + 49 * (one - 0.64) + 49 * (two - 0.64)) / 2500
    assert usual_error_of_auroc(0.8, n_events=50, n_nonevents=50) == pytest.approx(by_hand**0.5, abs=1e-15)


def naive_counts(rates, n_events, n_rest):
    for tp in range(n_events + 1):
        for fp in range(n_rest + 1):
            fn, tn = n_events - tp, n_rest - fp
            values = {
                "sensitivity": tp / n_events, "specificity": tn / n_rest,
                "ppv": tp / (tp + fp) if tp + fp else None, "npv": tn / (tn + fn) if tn + fn else None,
            }  # fmt: skip
            limits = {name: getattr(rates, name) for name in values}
            asked = {name for name, limit in limits.items() if limit != (0.0, 1.0)}
            if all(
                values[name] is not None and limits[name][0] - 1e-9 <= values[name] <= limits[name][1] + 1e-9
                for name in asked
            ):
                return tp, fn, fp, tn
    return None


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_counts_agree_with_trying_them_all(n_events, n_rest, seed):
    rng = np.random.default_rng(seed)
    names = [name for name in ("sensitivity", "specificity", "ppv", "npv") if rng.uniform() < 0.7]
    rates = Rates(**{name: (v - 0.005, v + 0.005) for name in names for v in [round(float(rng.uniform()), 2)]})
    assert possible_counts(rates, n_events, n_rest) == naive_counts(rates, n_events, n_rest)
    # And what does come from counts is found again.
    tp, fp = int(rng.integers(1, n_events + 1)), int(rng.integers(0, n_rest))
    values = {
        "sensitivity": tp / n_events, "specificity": (n_rest - fp) / n_rest, "ppv": tp / (tp + fp),
        "npv": (n_rest - fp) / (n_rest - fp + n_events - tp),
    }  # fmt: skip
    true = Rates(**{name: (round(v, 2) - 0.005, round(v, 2) + 0.005) for name, v in values.items()})
    assert possible_counts(true, n_events, n_rest) == naive_counts(true, n_events, n_rest) is not None


def test_rates_that_no_counts_give():
    assert not consistency(Published(n=20, events=7, sensitivity="0.720"))["possible"][0]
    (row,) = consistency(Published(n=20, events=7, sensitivity="0.714", specificity="92.3%", ppv="0.83")).rows(
        named=True
    )
    assert row["possible"]
    assert "5 true and 1 false positives, 2 false and 12 true negatives" in row["why"]
    (row,) = consistency(Published(n=20, sensitivity="0.714", specificity="92.3%")).rows(named=True)
    assert "first 7" in row["why"]
    # PPV .90 with these rates needs 71 % events, NPV .90 needs 24 %.
    assert not consistency(Published(n=500, sensitivity="0.72", specificity="0.80", ppv="0.90", npv="0.90"))[
        "possible"
    ][0]


def test_an_idi_can_not_have_too_large_a_p_value():
    """Changes of risk are at most 1: with 1000 and 1000 people an IDI of .5 can't have p = .5."""
    assert not consistency(Published(n=2000, events=1000, idi="0.50", idi_p="0.50"))["possible"][0]
    assert consistency(Published(n=2000, events=1000, idi="0.50", idi_p="<0.001"))["possible"][0]


def test_what_is_not_claimed_is_not_judged():
    assert consistency(Published(n=100, nri="0.1")).height == 0
    with pytest.raises(InputError, match="got n = 10, events = 10"):
        consistency(Published(n=10, events=10))


@pytest.mark.parametrize(
    ("number", "limits"),
    [("0.820", (0.8195, 0.8205)), (0.82, (0.815, 0.825)), ("82%", (0.815, 0.825)), ("<0.001", (0, 0.001)),
     ("−0.5", (-0.55, -0.45)), ("12", (11.5, 12.5))],
)  # fmt: skip
def test_printed_numbers_keep_their_rounding(number, limits):
    found = printed(number, "it")
    assert (found.lower, found.upper) == pytest.approx(limits, abs=1e-15)


@pytest.mark.parametrize("number", ["much", "", "nan%", "<", "1e"])
def test_refuses_what_is_no_number(number):
    with pytest.raises(InputError, match="it must be a number as printed"):
        printed(number, "it")
