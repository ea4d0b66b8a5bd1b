import numpy as np
import polars as pl
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from twelvelead.simulate.diabetes import (
    CLINICAL,
    DEVELOPMENT,
    ECG,
    LONGITUDINAL,
    MEASURES,
    best_aurocs,
    diabetes_cohort,
)
from twelvelead.simulate.optimum import expected_auroc
from twelvelead.terms import InputError

BIG = 60_000


@pytest.fixture(scope="module")
def big():
    return diabetes_cohort(BIG, n_longitudinal=10, seed=3)


@pytest.fixture(scope="module")
def best():
    return best_aurocs(n=200_000, seed=1)


def healthy(cohort):
    """People without diabetes at baseline, with the mean of their three recordings."""
    means = cohort.recordings.group_by("patient_id").agg(pl.col(ECG).mean())
    return cohort.people.filter(prevalent=0).join(means, on="patient_id").sort("patient_id")


def score(table, columns):
    """Out-of-fold log-odds of a logistic regression."""
    X = table.select(columns).to_numpy()
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y, half = table["y"].to_numpy(), np.arange(table.height) % 2 == 0
    out = np.empty(table.height)
    for inside in (half, ~half):
        out[~inside] = LogisticRegression(C=1e3).fit(X[inside], y[inside]).decision_function(X[~inside])
    return out


def test_the_cohorts_are_as_large_as_the_publication_s():
    cohort = diabetes_cohort(seed=0)
    sizes = dict(cohort.people.group_by("part").len().iter_rows())
    assert sizes == {"development": DEVELOPMENT, "longitudinal": LONGITUDINAL} == {
        "development": 2043, "longitudinal": 395,
    }  # fmt: skip
    assert cohort.recordings.height == 3 * (2043 + 395)
    assert cohort.recordings["recording_id"].is_unique().all()


def test_the_outcome_follows_the_risk(big):
    table = big.people.filter(prevalent=0)
    risk, y = table["risk"].to_numpy(), table["y"].to_numpy()
    for low, high in ((0, 0.05), (0.05, 0.15), (0.15, 0.4), (0.4, 1)):
        inside = (risk >= low) & (risk < high)
        assert y[inside].mean() == pytest.approx(risk[inside].mean(), abs=3.5 * np.sqrt(0.25 / inside.sum()))


def test_the_risk_is_the_stated_formula(big):
    people = big.people
    clinical = (
        0.085 * (people["age_years"] - 40) + 0.3 * people["sex_male"] + 0.09 * (people["bmi_kg_m2"] - 29)
        + 0.05 * (people["waist_cm"] - 95) + 0.02 * (people["sbp_mmhg"] - 118) + 0.01 * (people["dbp_mmhg"] - 74)
    )  # fmt: skip
    null = diabetes_cohort(BIG, n_longitudinal=10, seed=3, null=True).people
    assert null["risk"].to_numpy() == pytest.approx(expit(clinical.to_numpy() - 2.5), abs=1e-12)
    ecg = np.log(people["risk"] / (1 - people["risk"])) - clinical + 2.5
    assert ecg.std() == pytest.approx(np.sqrt(sum(m.log_odds**2 for m in MEASURES)), rel=0.02)


def test_the_best_aurocs_are_in_order_and_near_the_published(best):
    assert best["crf"] < best["crf_ecg_1"] < best["crf_ecg_3"] < best["crf_ecg_true"]
    assert best["crf"] == pytest.approx(0.8217, abs=0.005)
    assert best["crf_ecg_3"] == pytest.approx(0.845, abs=0.005)


def test_models_reach_the_best_aurocs_and_none_passes_them(big, best):
    table = healthy(big)
    risk = table["risk"].to_numpy()
    crf = expected_auroc(risk, score(table, CLINICAL))
    both = expected_auroc(risk, score(table, (*CLINICAL, *ECG)))
    # Two draws of this size differ by 0.004; half of the people fit 12 coefficients, which costs next to nothing.
    assert crf == pytest.approx(best["crf"], abs=0.006)
    assert both == pytest.approx(best["crf_ecg_3"], abs=0.006)
    assert both - crf == pytest.approx(best["crf_ecg_3"] - best["crf"], abs=0.003)


def test_one_recording_tells_less_than_three(big, best):
    one = big.recordings.filter(pl.col("recording_id").str.ends_with("-r1")).select("patient_id", *ECG)
    table = big.people.filter(prevalent=0).join(one, on="patient_id").sort("patient_id")
    found = expected_auroc(table["risk"].to_numpy(), score(table, (*CLINICAL, *ECG)))
    assert found == pytest.approx(best["crf_ecg_1"], abs=0.006)


def test_in_the_null_variant_the_ecg_adds_nothing():
    best = best_aurocs(n=50_000, seed=1, null=True)
    assert len(set(best.values())) == 1
    table = healthy(diabetes_cohort(30_000, n_longitudinal=10, seed=4, null=True))
    y = table["y"].to_numpy()
    both, crf = (roc_auc_score(y, score(table, columns)) for columns in ((*CLINICAL, *ECG), CLINICAL))
    assert abs(both - crf) < 0.002


def test_recordings_are_as_reliable_as_stated(big):
    for measure in MEASURES:
        seen = big.recordings.join(big.people.select("patient_id", "age_years", "bmi_kg_m2", "sex_male", "prevalent"),
                                   on="patient_id").filter(prevalent=0)  # fmt: skip
        people = {n: seen[n].to_numpy() for n in ("age_years", "bmi_kg_m2", "sex_male")}
        rest = seen.with_columns(rest=seen[measure.name] - measure.expected(people)).group_by("patient_id")
        within = rest.agg(pl.col("rest").var())["rest"].mean()
        assert np.sqrt(within) == pytest.approx(measure.within, rel=0.03)
        between = rest.agg(pl.col("rest").mean())["rest"].var() - within / 3
        assert np.sqrt(between) == pytest.approx(measure.between, rel=0.03)


def test_qt_is_bazett_s(big):
    table = big.recordings.head(2000)
    qt = table["qtc_bazett_ms"] * (table["rr_mean_ms"] / 1000).sqrt()
    assert (qt - table["qt_interval_ms"]).abs().max() < 1.5  # all three are rounded to the millisecond


def test_who_has_diabetes_already_has_another_ecg(big):
    means = big.recordings.group_by("patient_id").agg(pl.col(ECG).mean())
    table = big.people.join(means, on="patient_id")
    for measure in MEASURES:
        people = {n: table[n].to_numpy() for n in ("age_years", "bmi_kg_m2", "sex_male")}
        rest = table[measure.name].to_numpy() - measure.expected(people)
        sick = table["prevalent"].to_numpy() == 1
        assert rest[sick].mean() - rest[~sick].mean() == pytest.approx(measure.of_disease, abs=0.06 * measure.between)


def test_follow_up_is_coherent(big):
    people = big.people
    assert (people["onset_y"].is_not_null() == ((people["y"] == 1) & (people["prevalent"] == 0))).all()
    assert people.filter(pl.col("death_y").is_not_null() & (pl.col("y") == 1)).is_empty()
    assert people["onset_y"].max() < 5
    lost = people.filter(pl.col("seen_until_y") < 5)
    assert lost.height / people.height == pytest.approx(0.06, abs=0.005)
    assert lost["risk"].mean() == pytest.approx(people["risk"].mean(), abs=0.012)  # whatever their risk


def test_the_longitudinal_cohort_has_no_diabetes_at_baseline():
    people = diabetes_cohort(50, n_longitudinal=3000, seed=2).people.filter(part="longitudinal")
    assert people["prevalent"].sum() == 0
    assert people["y"].mean() == pytest.approx(people["risk"].mean(), abs=0.025)


def test_the_same_seed_gives_the_same_people_and_a_larger_cohort_the_same_first():
    small, large = diabetes_cohort(100, n_longitudinal=20, seed=5), diabetes_cohort(300, n_longitudinal=50, seed=5)
    ids = small.people["patient_id"].to_list()
    assert large.people.filter(pl.col("patient_id").is_in(ids)).equals(small.people)
    mine = small.recordings.sort("recording_id")
    assert large.recordings.filter(pl.col("patient_id").is_in(ids)).sort("recording_id").equals(mine)
    assert not diabetes_cohort(100, n_longitudinal=20, seed=6).people.equals(small.people)


def test_numbers_that_can_t_be_are_refused():
    for arguments in ((0, 10, 0), (10, 0, 0), (10, 10, -1)):
        with pytest.raises(InputError, match="both cohorts need people"):
            diabetes_cohort(arguments[0], n_longitudinal=arguments[1], seed=arguments[2])
