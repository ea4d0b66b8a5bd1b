import numpy as np
import pytest

from twelvelead.terms import StudyError
from twelvelead.validate import (
    Bootstrap,
    interval,
    quantile_cuts,
    resamples,
    risk_strata,
    strata_difference,
    stratum_of,
    units,
)
from twelvelead.validate.proportions import shares


def test_strata_by_hand():
    y = [0, 0, 0, 1, 0, 1, 1, 1]
    p = [0.01, 0.05, 0.1, 0.1, 0.15, 0.3, 0.4, 0.9]
    found = risk_strata(y, p, cuts=[0.1, 0.3], level=0.95)
    assert found["stratum"].to_list() == ["low", "medium", "high"]
    assert found["n"].to_list() == [2, 3, 3]  # a risk equal to a cut is above it
    assert found["n_events"].to_list() == [0, 1, 3]
    assert found["observed"].to_list() == pytest.approx([0, 1 / 3, 1], abs=1e-15)
    assert found["predicted"].to_list() == pytest.approx([0.03, 0.35 / 3, 1.6 / 3], abs=1e-12)
    assert found["ppv_from_here"].to_list() == pytest.approx([4 / 8, 4 / 6, 1], abs=1e-15)
    assert found["share_of_events"].to_list() == pytest.approx([0, 0.25, 0.75], abs=1e-15)
    # Wilson, 0 of 2: upper limit z²/(2 + z²).
    assert found["upper"][0] == pytest.approx(3.841459 / 5.841459, abs=1e-6)


def test_an_empty_stratum_stays_in_the_table():
    found = risk_strata([0, 1], [0.01, 0.02], cuts=[0.1, 0.3], level=0.95, names=["a", "b", "c"])
    assert found["n"].to_list() == [2, 0, 0]
    assert found.row(2) == ("c", 0.3, 1.0, 0, 0, 0, None, None, None, None, None, 0.0)


def test_limits_count_copies_of_a_patient_once():
    y, p, patient = np.repeat(np.arange(60) % 3 == 0, 4), np.full(240, 0.5), np.repeat(np.arange(60), 4)
    once = risk_strata(y[::4].astype(int), p[::4], cuts=[0.2], level=0.95).row(1, named=True)
    four = risk_strata(y.astype(int), p, cuts=[0.2], level=0.95, patients=patient).row(1, named=True)
    naive = risk_strata(y.astype(int), p, cuts=[0.2], level=0.95).row(1, named=True)
    assert (four["n"], four["n_patients"], once["n_patients"]) == (240, 60, 60)
    width = four["upper"] - four["lower"]
    assert width == pytest.approx(once["upper"] - once["lower"], abs=0.005)
    assert naive["upper"] - naive["lower"] < 0.6 * width


def test_where_all_agree_patients_count_not_recordings():
    # No event in 200 recordings of 50 patients: as sure as 0 of 50, not as 0 of 200.
    found = shares(np.zeros(200), np.zeros(200, dtype=int), np.repeat(np.arange(50), 4), level=0.95)
    assert found["upper"][0] == pytest.approx(3.841459 / 53.841459, abs=1e-6)


def test_cuts_come_from_development():
    development = np.linspace(0.01, 0.99, 99)
    cuts = quantile_cuts(development, [1 / 3, 2 / 3])
    assert cuts == pytest.approx(np.quantile(development, [1 / 3, 2 / 3]), abs=1e-12)
    assert np.bincount(stratum_of(development, cuts=cuts)).tolist() == [33, 33, 33]


@pytest.mark.parametrize("cuts", [[], [0.0, 0.5], [0.5, 0.5], [0.5, 0.2], [1.0]])
def test_refuses_cuts_that_do_not_cut(cuts):
    with pytest.raises(StudyError, match="cuts must be risks in"):
        risk_strata([0, 1], [0.1, 0.2], cuts=cuts, level=0.95)


def test_refuses_other_impossible_choices():
    with pytest.raises(StudyError, match="quantiles must be in"):
        quantile_cuts([0.1, 0.2], [0.0])
    with pytest.raises(StudyError, match="cuts must be risks in"):
        quantile_cuts([0.1, 0.1, 0.1], [0.3, 0.6])
    with pytest.raises(StudyError, match="each stratum must have a name; got 2 names for 3 strata"):
        risk_strata([0, 1], [0.1, 0.2], cuts=[0.1, 0.2], level=0.95, names=["a", "b"])
    with pytest.raises(StudyError, match="both models must have as many strata; got 1 and 2 cuts"):
        strata_difference(
            [0, 1],
            [0.1, 0.2],
            [0.1, 0.2],
            cuts=[0.1],
            base_cuts=[0.1, 0.2],
            patients=[0, 1],
            bootstrap=Bootstrap(10, 0, 0.95),
        )


def test_difference_is_that_of_a_plain_loop():
    rng = np.random.default_rng(0)
    patient = np.repeat(np.arange(150), 2)
    new = rng.uniform(size=300)
    y, base = (rng.uniform(size=300) < new).astype(int), (new + rng.uniform(size=300)) / 2
    cuts, base_cuts, boot = [0.3, 0.6], [0.4, 0.7], Bootstrap(80, 3, 0.95)
    found = strata_difference(y, new, base, cuts=cuts, base_cuts=base_cuts, patients=patient, bootstrap=boot)

    def ppv(w):
        return [
            np.sum(w * y * (stratum_of(p, cuts=c) == 2)) / np.sum(w * (stratum_of(p, cuts=c) == 2))
            for p, c in ((new, cuts), (base, base_cuts))
        ]

    row = found.row(2, named=True)
    assert (row["new"], row["base"]) == pytest.approx(ppv(np.ones(300)), abs=1e-12)
    drawn = np.array([ppv(w) for ws in resamples(units(patient), n_resamples=80, seed=3) for w in ws])
    want = interval(drawn[:, 0] - drawn[:, 1], level=0.95)
    assert (row["lower"], row["upper"]) == pytest.approx((want.lower, want.upper), abs=1e-12)
    assert (row["n_resamples"], row["n_discarded"]) == (80, 0)
    shuffled = rng.permutation(300)
    again = strata_difference(
        y[shuffled],
        new[shuffled],
        base[shuffled],
        cuts=cuts,
        base_cuts=base_cuts,
        patients=patient[shuffled],
        bootstrap=boot,
    )
    assert again.equals(found)


def test_few_patients_with_the_event_get_no_interval():
    y = [1] * 9 + [0] * 30
    found = strata_difference(
        y, np.linspace(0.9, 0.1, 39), np.full(39, 0.3), cuts=[0.5], patients=range(39), bootstrap=Bootstrap(10, 0, 0.95)
    )
    assert found["lower"].to_list() == [None, None]
    assert found["base"].to_list() == [pytest.approx(9 / 39), None]  # nobody is high by the other model
