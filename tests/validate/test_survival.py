"""By hand, against naive loops, and against scikit-survival, which knows no weights and no death."""

import numpy as np
import pytest
from scipy.special import expit

from twelvelead.terms import StudyError
from twelvelead.validate import Bootstrap, auroc, interval, resamples, strata_incidence, survival_performance
from twelvelead.validate.concordance import weighted_concordance
from twelvelead.validate.follow_up import CENSORED, DIAGNOSED, DIED, after, curves, follow_up, inverse_probability

FEW = Bootstrap(10, 0, 0.95)


def estimates(time, status, risk, horizons):
    found = survival_performance(
        time, status, risk, horizons=horizons, patients=np.arange(len(time)), bootstrap=Bootstrap(1, 0, 0.95)
    )
    return {(row["metric"], row["horizon"]): row["estimate"] for row in found.iter_rows(named=True)}


def simulated(n, seed, *, with_death, per_patient=1, digits=None):
    rng = np.random.default_rng(seed)
    x = np.repeat(rng.normal(size=n), per_patient)
    n = len(x)
    to_diagnosis, lost = rng.exponential(10 * np.exp(-x)), rng.exponential(8, n)
    death = rng.exponential(15, n) if with_death else np.full(n, np.inf)
    ends = np.column_stack([lost, to_diagnosis, death])
    time = ends.min(axis=1)
    time = time if digits is None else np.round(time, digits)
    return time, ends.argmin(axis=1), expit(1.2 * x + 0.5 * rng.normal(size=n) - 1)


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_aalen_johansen_by_hand():
    # Six: lost at 1; diagnosed at 2; died at 3; lost at 3; diagnosed at 4; lost at 5.
    time, status = [1, 2, 3, 3, 4, 5], [0, 1, 2, 0, 1, 0]
    seen = follow_up(time, status, ties=np.zeros(6))
    found = curves(seen, np.ones((1, 6)))
    # Diagnosis: 1/5 at 2; free after 3 are 4/5 × 3/4 = 3/5; then 3/5 × 1/2 at 4.
    assert found.incidence[0] == pytest.approx([0, 0, 0.2, 0.2, 0.5, 0.5], abs=1e-15)
    # Lost: 1 of 6 at 1; at 3 the dead one is no longer at risk: 1 of 3; at 5 the last.
    assert found.observed[0] == pytest.approx([1, 5 / 6, 5 / 6, 5 / 9, 5 / 9, 0], abs=1e-15)
    assert after(seen, np.array([0.5, 2.0, 4.5])).tolist() == [0, 2, 4]


def test_weights_by_hand():
    seen = follow_up([1, 2, 3, 3, 4, 5], [0, 1, 2, 0, 1, 0], ties=np.zeros(6))
    weights = np.ones((1, 6))
    found = inverse_probability(seen, weights, observed=curves(seen, weights).observed, horizon=3.5)
    # Lost 0; diagnosed at 2 and dead at 3 stand for the one lost at 1; the two beyond for both who were lost.
    by_end = dict(zip(zip(seen.time, seen.status, strict=True), found[0], strict=True))
    want = {(1, 0): 0, (2, 1): 6 / 5, (3, 0): 0, (3, 2): 6 / 5, (4, 1): 9 / 5, (5, 0): 9 / 5}
    assert by_end == pytest.approx(want, abs=1e-12)
    assert found.sum() == pytest.approx(6, abs=1e-12)


def test_concordance_by_hand():
    # Diagnosed at 1 with risk .9, lost at 2 with .5, diagnosed at 3 with .4, free at 4 with .6 and .4.
    time, status, risk = [1, 2, 3, 4, 4], [1, 0, 1, 0, 0], [0.9, 0.5, 0.4, 0.6, 0.4]
    # The first wins 4 of 4. The second is compared with two, weight 1/G² with G = 3/4: none and a half won.
    weight = (4 / 3) ** 2
    want = (4 + 0.5 * weight) / (4 + 2 * weight)
    assert estimates(time, status, risk, [3.5])["uno_c", 3.5] == pytest.approx(want, abs=1e-12)


def test_concordance_with_the_dead_by_hand():
    # Died at 1 with risk .2 and .8; diagnosed at 2 with .5: one won, one lost; and won against .1 at 3.
    found = estimates([1, 1, 2, 3], [2, 2, 1, 0], [0.2, 0.8, 0.5, 0.1], [2.5])
    assert found["uno_c", 2.5] == pytest.approx(2 / 3, abs=1e-12)
    assert found["auroc", 2.5] == pytest.approx(2 / 3, abs=1e-12)


# --- against others ---------------------------------------------------------------------------------------------------


def test_all_are_those_of_scikit_survival_where_nobody_dies():
    metrics = pytest.importorskip("sksurv.metrics", reason="scikit-survival is not installed")
    from sksurv.util import Surv

    time, status, risk = simulated(400, 1, with_death=False)
    horizons = [2.0, 4.0]
    risks = np.column_stack([risk, risk**0.7])
    got = estimates(time, status, risks, horizons)
    seen = Surv.from_arrays(status == DIAGNOSED, time)
    for k, t in enumerate(horizons):
        assert got["uno_c", t] == pytest.approx(
            metrics.concordance_index_ipcw(seen, seen, risks[:, k], tau=t)[0], abs=1e-12
        )
        auc = metrics.cumulative_dynamic_auc(seen, seen, risks[:, k], [t])[0][0]
        assert got["auroc", t] == pytest.approx(auc, abs=1e-12)
        brier = metrics.brier_score(seen, seen, 1 - risks[:, [k]], [t])[1][0]
        assert got["brier", t] == pytest.approx(brier, abs=1e-12)
    both = metrics.integrated_brier_score(seen, seen, 1 - risks, horizons)
    assert got["integrated_brier", 4.0] == pytest.approx(both, abs=1e-12)


@pytest.mark.parametrize("digits", [None, 0])
def test_incidence_is_that_of_scikit_survival(digits):
    nonparametric = pytest.importorskip("sksurv.nonparametric", reason="scikit-survival is not installed")
    time, status, risk = simulated(400, 2, with_death=True, digits=digits)
    times, shares = nonparametric.cumulative_incidence_competing_risks(status, time)
    got = estimates(time, status, risk, [3.0])["cumulative_incidence", 3.0]
    assert got == pytest.approx(shares[1][np.searchsorted(times, 3.0, side="right") - 1], abs=1e-12)


def naive_concordance(time, status, risk, horizon):
    """Return the definition, pair by pair."""
    chance = {}
    left = 1.0
    for t in np.unique(time):  # just before t
        chance[t] = left
        at_risk = np.sum(time > t) + np.sum((time == t) & (status == CENSORED))
        left *= 1 - np.sum((time == t) & (status == CENSORED)) / at_risk if at_risk else 1
    won = pairs = 0.0
    for i in range(len(time)):
        if status[i] != DIAGNOSED or time[i] > horizon:
            continue
        for j in range(len(time)):
            beyond = time[j] > time[i] or (time[j] == time[i] and status[j] == CENSORED)
            dead = status[j] == DIED and time[j] <= time[i]
            if beyond or dead:
                weight = 1 / chance[time[i]] / (chance[time[i]] if beyond else chance[time[j]])
                pairs += weight
                won += weight * ((risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j]))
    return won / pairs


@pytest.mark.parametrize("seed", range(4))
def test_concordance_is_that_of_the_definition(seed):
    time, status, risk = simulated(120, seed, with_death=True, digits=0)  # ties of time
    risk = np.round(risk, 1)  # and of risk
    got = estimates(time, status, risk, [5.0])["uno_c", 5.0]
    assert got == pytest.approx(naive_concordance(time, status, risk, 5.0), abs=1e-12)


def test_without_censoring_everything_is_plain():
    rng = np.random.default_rng(3)
    time, risk = rng.permutation(200) + 1.0, rng.uniform(size=200)
    y = (time <= 60).astype(int)
    got = estimates(time, np.ones(200, dtype=int), risk, [60.0])
    assert got["auroc", 60.0] == pytest.approx(auroc(y, risk), abs=1e-12)
    assert got["brier", 60.0] == pytest.approx(np.mean((y - risk) ** 2), abs=1e-12)
    assert got["cumulative_incidence", 60.0] == pytest.approx(0.3, abs=1e-12)
    assert got["oe_ratio", 60.0] == pytest.approx(0.3 / risk.mean(), abs=1e-12)
    # Harrell's: all pairs of which the first is diagnosed by 60.
    first, second = np.nonzero((time[:, None] < time) & (time[:, None] <= 60))
    assert got["uno_c", 60.0] == pytest.approx(np.mean(risk[first] > risk[second]), abs=1e-12)


def test_being_lost_does_not_change_what_is_found():
    # The same 20,000 with and without loss: apart by chance alone, and what ignores loss is far off.
    rng = np.random.default_rng(4)
    x = rng.normal(size=20_000)
    to_diagnosis, death = rng.exponential(10 * np.exp(-x)), rng.exponential(12, 20_000)
    lost, risk = rng.exponential(5, 20_000), expit(x - 1)
    whole = np.column_stack([np.full(20_000, 50.0), to_diagnosis, death])
    seen = np.column_stack([lost, to_diagnosis, death])
    truth = estimates(whole.min(axis=1), whole.argmin(axis=1), risk, [4.0])
    found = estimates(seen.min(axis=1), seen.argmin(axis=1), risk, [4.0])
    for name, off in (("uno_c", 0.01), ("auroc", 0.01), ("brier", 0.005), ("cumulative_incidence", 0.01)):
        assert found[name, 4.0] == pytest.approx(truth[name, 4.0], abs=off), name
    ignored = np.mean((seen.argmin(axis=1) == DIAGNOSED) & (seen.min(axis=1) <= 4))
    assert truth["cumulative_incidence", 4.0] - ignored > 0.05


# --- intervals --------------------------------------------------------------------------------------------------------


def test_intervals_are_those_of_repeated_rows():
    time, status, risk = simulated(80, 5, with_death=True, per_patient=2)
    patients, boot = np.repeat(np.arange(80), 2), Bootstrap(30, 6, 0.9)
    found = survival_performance(time, status, risk, horizons=[4.0], patients=patients, bootstrap=boot)
    again = [
        estimates(np.repeat(time, w), np.repeat(status, w), np.repeat(risk, w), [4.0])
        for weights in resamples(patients, n_resamples=30, seed=6)
        for w in weights.astype(int)
    ]
    for row in found.iter_rows(named=True):
        want = interval(np.array([values[row["metric"], 4.0] for values in again]), level=0.9)
        assert (row["lower"], row["upper"]) == pytest.approx((want.lower, want.upper), abs=1e-12), row["metric"]
        assert (row["n"], row["n_resamples"], row["note"]) == (160, 30, None)
    ended = found.row(0, named=True)
    assert ended["n_events"] == np.sum((status == DIAGNOSED) & (time <= 4))
    assert ended["n_died"] == np.sum((status == DIED) & (time <= 4))
    assert ended["n_lost"] == np.sum((status == CENSORED) & (time <= 4))


def test_order_of_rows_changes_nothing():
    time, status, risk = simulated(100, 7, with_death=True, per_patient=2, digits=0)
    risk, patients, shuffled = (
        np.round(risk, 1),
        np.repeat(np.arange(100), 2),
        np.random.default_rng(0).permutation(200),
    )
    rows = (time + 1, status, risk)
    first = survival_performance(*rows, horizons=[5.0], patients=patients, bootstrap=FEW)
    again = survival_performance(
        *(column[shuffled] for column in rows), horizons=[5.0], patients=patients[shuffled], bootstrap=FEW
    )
    assert again.equals(first)


def test_few_patients_with_the_event_get_no_interval():
    time, status = np.arange(1.0, 41), np.r_[np.ones(9, int), np.zeros(31, int)]
    found = survival_performance(
        time, status, np.linspace(0.9, 0.1, 40), horizons=[20.0], patients=np.arange(40), bootstrap=FEW
    )
    assert found["estimate"].null_count() == 0
    assert found["lower"].null_count() == found.height
    assert found["note"].str.contains("fewer than 10 patients").all()


# --- strata -----------------------------------------------------------------------------------------------------------


def test_strata_are_one_by_one():
    time, status, risk = simulated(300, 8, with_death=True)
    patients, boot = np.arange(300), Bootstrap(30, 1, 0.95)
    found = strata_incidence(time, status, risk, cuts=[0.2, 0.5], horizon=4.0, patients=patients, bootstrap=boot)
    assert found["stratum"].to_list() == ["low", "medium", "high"]
    assert found["n"].sum() == 300
    for row, inside in zip(
        found.iter_rows(named=True), (risk < 0.2, (risk >= 0.2) & (risk < 0.5), risk >= 0.5), strict=True
    ):
        alone = estimates(time[inside], status[inside], risk[inside], [4.0])
        assert row["observed"] == pytest.approx(alone["cumulative_incidence", 4.0], abs=1e-12)
        assert row["predicted"] == pytest.approx(risk[inside].mean(), abs=1e-12)
        assert row["n_died"] == np.sum(inside & (status == DIED) & (time <= 4))
        assert row["lower"] < row["observed"] < row["upper"]
    assert found["observed"].is_sorted()


def test_kaplan_meier_of_a_stratum_by_hand():
    # High: diagnosed at 1, lost at 2, diagnosed at 3, free at 9: 1 − 3/4 × 1/2. Low: the only one free.
    found = strata_incidence(
        [1, 2, 3, 9, 9],
        [1, 0, 1, 0, 0],
        [0.6, 0.7, 0.8, 0.9, 0.1],
        cuts=[0.2, 0.5],
        horizon=4.0,
        patients=range(5),
        bootstrap=FEW,
    )
    assert found["observed"].to_list() == [0.0, None, pytest.approx(1 - 3 / 8, abs=1e-12)]
    assert found["note"][1] == "not defined for these recordings"


def test_a_stratum_lost_before_the_horizon_is_not_known():
    found = strata_incidence(
        [1, 2, 5, 9], [1, 0, 1, 0], [0.6, 0.7, 0.1, 0.1], cuts=[0.5], horizon=4.0, patients=range(4), bootstrap=FEW
    )
    assert found["observed"].to_list() == [0.0, None]


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time": [-1.0, 2, 3, 4]}, "time must be 0 or more and finite; got -1.0 in 1 of 4"),
        ({"time": [np.nan, 2, 3, 4]}, "time must be 0 or more and finite; got nan"),
        ({"status": [1, 0, 3, 0]}, "status must be 0 censored, 1 diagnosed or 2 died; got 3 in 1 of 4"),
        ({"status": [1, 0]}, "time and status must have one value per recording"),
        ({"horizons": [4.5]}, "a horizon must be within follow-up, which ends at 4; got 4.5"),
        ({"horizons": [0.5]}, "there must be a diagnosis by each horizon; got the first at 1, horizon 0.5"),
        ({"status": [0, 0, 2, 0]}, "there must be a diagnosis by each horizon; got none at all"),
        ({"horizons": [0.0]}, "horizons must be times above 0, ascending"),
        ({"horizons": [], "risk": np.empty((4, 0))}, "horizons must be times above 0, ascending"),
        ({"horizons": [3.0, 2.0], "risk": np.full((4, 2), 0.1)}, "horizons must be times above 0, ascending"),
        ({"risk": [0.1, 0.2, 1.3, 0.1]}, "risks must be in .0, 1.; got 1.3"),
        ({"risk": [0.1, 0.2, np.nan, 0.1]}, "risks must be in .0, 1.; got nan"),
        ({"risk": [0.1, 0.2]}, "risks must have one row per recording and one column per horizon"),
        ({"patients": [0, 1]}, "risks must have one row per recording"),
    ],
)
def test_refuses_what_is_impossible(change, message):
    rows = {"time": [1.0, 2, 3, 4], "status": [1, 0, 2, 0], "risk": [0.5, 0.2, 0.3, 0.1]} | change
    choices = {"horizons": [2.5], "patients": range(4), "bootstrap": FEW}
    choices |= {name: rows.pop(name) for name in tuple(rows) if name in choices}
    with pytest.raises(StudyError, match=message):
        survival_performance(*rows.values(), **choices)


def test_nobody_to_compare_is_nan():
    seen = follow_up([1, 1], [1, 1], ties=np.zeros(2))
    weights = np.ones((1, 2))
    got = weighted_concordance(
        seen, np.array([0, 1]), weights=weights, observed=curves(seen, weights).observed, horizon=1.0
    )
    assert np.isnan(got).all()
