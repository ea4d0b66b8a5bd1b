"""The best reachable AUROC: against scikit-learn, against a plain double sum, and where it must lie."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from twelvelead.simulate import OUTCOMES, SITE_A, SITE_B, best_auroc, hospital
from twelvelead.simulate.optimum import expected_auroc
from twelvelead.simulate.outcomes import find_outcome
from twelvelead.terms import InputError

N = 20_000
PLANTED = [o.name for o in OUTCOMES if o.planted]
NULL = [o.name for o in OUTCOMES if not o.planted]

risks = st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.4, 0.7, 0.9]), st.integers(0, 3)), min_size=2, max_size=12)


@given(risks)
def test_expected_auroc_is_the_plain_double_sum(pairs):
    p, score = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    won = sum(
        p[i] * (1 - p[j]) * ((score[i] > score[j]) + 0.5 * (score[i] == score[j]))
        for i in range(p.size)
        for j in range(p.size)
    )
    assert expected_auroc(p, score) == pytest.approx(won / (p.sum() * (1 - p).sum()), abs=1e-12)


@pytest.mark.parametrize("name", PLANTED)
def test_the_true_risk_of_drawn_outcomes_reaches_the_optimum(name):
    truth = hospital(6000, site=SITE_A, seed=11).truth.filter(pl.col("recording_id").str.ends_with("-r1"))
    y, p = truth[f"y_{name}"].to_numpy(), truth[f"risk_{name}"].to_numpy()
    auroc, events = roc_auc_score(y, p), int(y.sum())
    # Hanley and McNeil's standard error, doi:10.1148/radiology.143.1.7063747; that of 200,000 drawn risks is < 0.001.
    q1, q2 = auroc / (2 - auroc), 2 * auroc**2 / (1 + auroc)
    others = y.size - events
    variance = auroc * (1 - auroc) + (events - 1) * (q1 - auroc**2) + (others - 1) * (q2 - auroc**2)
    best = best_auroc(name, site=SITE_A, n=N, seed=1)
    assert abs(auroc - best) < 3 * np.sqrt(variance / (events * others) + 0.002**2)


@pytest.mark.parametrize("site", [SITE_A, SITE_B], ids=lambda s: s.code)
@pytest.mark.parametrize("name", PLANTED)
def test_there_is_something_to_find_that_age_and_sex_do_not_tell(name, site):
    best = best_auroc(name, site=site, n=N, seed=1)
    age_sex = best_auroc(name, site=site, n=N, seed=1, given="age_sex")
    assert 0.72 < best < 0.92
    assert 0.5 < age_sex < 0.71
    assert best - age_sex > 0.15


@pytest.mark.parametrize("site", [SITE_A, SITE_B], ids=lambda s: s.code)
@pytest.mark.parametrize("name", NULL)
def test_nothing_predicts_a_null_outcome(name, site):
    assert best_auroc(name, site=site, n=1000, seed=1) == 0.5
    assert best_auroc(name, site=site, n=1000, seed=1, given="age_sex") == 0.5


def test_two_seeds_agree():
    one, two = (best_auroc("heart_failure", site=SITE_B, n=N, seed=seed) for seed in (1, 2))
    # About 0.001 at 200,000, so sqrt(10) times that here; three of them.
    assert one != two
    assert one == pytest.approx(two, abs=0.01)


def test_each_kind_has_a_planted_and_a_null_outcome():
    assert {(o.kind, o.planted) for o in OUTCOMES} == {
        (kind, planted) for kind in ("chest_xray", "diagnosis", "laboratory") for planted in (True, False)
    }


def test_planted_risks_change_with_what_their_formula_names():
    """Raise one true quantity and the risk goes where the formula says."""
    truth = {c: s.to_numpy() for c, s in hospital(50, site=SITE_A, seed=1).truth.to_dict().items()}
    rises = {
        "cardiomegaly": {"qrs_duration_ms": 10, "r_amplitude_v5_mv": 0.3, "qrs_axis_deg": -20, "age_years": 5},
        "pleural_effusion": {"heart_rate_bpm": 5, "r_amplitude_ii_mv": -0.2, "age_years": 5},
        "heart_failure": {"qrs_duration_ms": 10, "qtc_fridericia_ms": 10, "heart_rate_bpm": 5, "age_years": 5},
        "atrial_fibrillation": {"age_years": 5},
        "hyperkalaemia": {"t_amplitude_v3_mv": 0.1, "qrs_duration_ms": 10},
        "anaemia": {"heart_rate_bpm": 5, "t_amplitude_v5_mv": -0.05, "age_years": 5},
    }
    assert set(rises) == set(PLANTED)
    for name, changes in rises.items():
        before = find_outcome(name).risk(truth, site=SITE_A)
        for column, change in changes.items():
            after = find_outcome(name).risk(truth | {column: truth[column] + change}, site=SITE_A)
            assert (after >= before).all(), (name, column)
            assert (after > before).mean() > 0.9, (name, column)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: best_auroc("scurvy", site=SITE_A, seed=1), "target must be one of cardiomegaly"),
        (lambda: best_auroc("anaemia", site=SITE_A, seed=1, given="tarot"), "given must be"),
        (lambda: best_auroc("anaemia", site=SITE_A, seed=1, n=0), "must be at least 1"),
    ],
)
def test_what_cannot_be_computed_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
