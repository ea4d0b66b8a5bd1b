import numpy as np
import polars as pl
import pytest
from scipy.special import expit
from scipy.stats import norm

from twelvelead.terms import StudyError
from twelvelead.validate import RULES, Dossier, check, refuse
from twelvelead.validate.checks import table
from twelvelead.validate.dossier import read_off
from twelvelead.validate.near_duplicates import near_duplicates
from twelvelead.validate.sample_size import anticipated_r2, minimum_sample_size


def predictions(n=800, models=("age_sex", "ecg")):
    return pl.concat(
        [
            pl.DataFrame(
                {
                    "recording_id": [f"r{i}" for i in range(n)],
                    "patient_id": [f"p{i}" for i in range(n)],
                    "target": "mi",
                    "model": model,
                    "set": "internal",
                    "y": pl.Series([i % 2 for i in range(n)], dtype=pl.Int8),
                    "p": [(i + 1) / (n + 1) for i in range(n)],
                }
            )
            for model in models
        ]
    )


def codes(rows, **given):
    return [o.code for o in check(rows, **{"development_patients": set(), **given})]


def told(rows, **facts):
    return codes(rows, dossier=Dossier(**facts))


def few_events(rows):
    return rows.filter((pl.col("y") == 0) | pl.col("recording_id").is_in([f"r{i}" for i in range(10)]))


def two_each(rows):
    return rows.with_columns(patient_id="q" + (pl.int_range(pl.len()).over("model") // 2).cast(pl.String))


def measured(rows, seed=0):
    ids = rows["recording_id"].unique(maintain_order=True)
    rng = np.random.default_rng(seed)
    return pl.DataFrame({"recording_id": ids, **{f"m{k}": rng.normal(size=len(ids)) for k in range(9)}})


def site_is_label(rows):
    return rows.select("recording_id", site=pl.when(pl.col("y") == 1).then(pl.lit("A")).otherwise(pl.lit("B"))).unique()


def copied(rows):
    """The measurements of r0 under the name of r1 as well."""
    there = measured(rows)
    return pl.concat([there.filter(recording_id="r0").with_columns(recording_id=pl.lit("r1")), there.slice(2)]).vstack(
        there.filter(recording_id="r0")
    )


DEVELOPED = pl.DataFrame({"target": "mi", "y": [1, 0] * 60})

BROKEN = {
    "V001": lambda rows: codes(rows, development_patients={"p3", "x"}),
    "V002": lambda rows: codes(rows, selection_recordings=["r5", "x"]),
    "V003": lambda rows: codes(pl.concat([rows, rows.head(1)])),
    "V004": lambda rows: codes(rows.with_columns(p=pl.col("p") + 0.5)),
    "V005": lambda rows: codes(few_events(rows)),
    "V006": lambda rows: codes(rows.filter(pl.col("recording_id").str.len_chars() < 4)),
    "V007": lambda rows: codes(rows.with_columns(p=pl.lit(0.1))),
    "V008": lambda rows: codes(rows.filter(model="ecg")),
    "V009": lambda rows: told(rows, predictors=["qrs_duration_ms", "delay_h"]),
    "V010": lambda rows: told(
        rows.with_columns(p=pl.col("p") * 0.5 + 0.2 * pl.col("y")), development=DEVELOPED, n_parameters=40
    ),
    "V011": lambda rows: told(rows, reported=["auroc", "auprc"]),
    "V012": lambda rows: told(rows, thresholds=[float(np.quantile(rows.filter(model="ecg")["p"], 0.9))]),
    "V013": lambda rows: told(rows, sites=site_is_label(rows)),
    "V014": lambda rows: told(rows, measurements=copied(rows)),
    "V015": lambda rows: codes(rows.with_columns(p=0.1 + 0.7 * pl.col("y") + 0.1 * pl.col("p"))),
    "V016": lambda rows: told(two_each(rows), unit="recording"),
    "V017": lambda rows: told(rows, level=0.05),
    "V018": lambda rows: told(rows, chosen_on="evaluation"),
    "V019": lambda rows: told(rows, reweighted=True),
    "V020": lambda rows: codes(rows.with_columns(p=pl.col("p") / 3)),
}

SOUND = {
    "predictors": ["qrs_duration_ms", "age_years", "followed_rr_ms"],
    "predictor_times_h": {"delay_h": 0.0},
    "n_parameters": 3,
    "development": pl.DataFrame({"target": "mi", "y": [1, 0] * 5000}),
    "reported": ["auroc", "calibration_slope"],
    "thresholds": [0.1, 0.2],
    "thresholds_declared": True,
    "unit": "patient",
    "level": 0.95,
    "chosen_on": "development",
    "reweighted": True,
    "recalibrated": True,
}


def test_clean_predictions_draw_no_objection():
    assert check(predictions(), development_patients={"x"}, selection_recordings={"y"}) == ()


def test_a_clean_dossier_draws_no_objection():
    rows = predictions()
    sites = rows.select("recording_id", site=pl.col("recording_id").str.slice(1, 1)).unique()
    others = measured(rows, seed=1).with_columns("d" + pl.col("recording_id"))
    facts = {**SOUND, "sites": sites, "measurements": measured(rows), "development_measurements": others}
    assert told(rows, **facts) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.code)
def test_every_rule_is_broken_by_its_case(rule):
    assert rule.code in BROKEN[rule.code](predictions())


def test_codes_are_unique_and_severities_known():
    assert [r.code for r in RULES] == [f"V{n:03d}" for n in range(1, len(RULES) + 1)]
    assert {r.severity for r in RULES} == {"error", "warning"}
    assert all(r.probast.split()[0] in {"development", "evaluation"} for r in RULES)


def test_errors_are_refused_with_the_ids_and_warnings_pass():
    leak = check(predictions(), development_patients=[f"p{i}" for i in range(7)])
    with pytest.raises(StudyError, match=r"V001 a patient must be on one side.*got 7 on both: p0, p1, p2, p3, p4, …"):
        refuse(leak)
    refuse(leak, declared={"V001"})
    refuse(check(predictions(100), development_patients=()))
    assert table(leak)["code"].to_list() == ["V001"]
    assert table(leak)["probast"].to_list() == ["evaluation 4.5"]
    assert table(()).columns == ["code", "severity", "item", "probast", "message"]


def test_what_is_counted_is_said_once_for_all_models():
    assert codes(predictions(100)) == ["V006"]
    apart = pl.concat([predictions(100, ("age_sex",)), predictions(90, ("ecg",))])
    assert codes(apart) == ["V006", "V006", "V008"]


def test_nan_risk_is_out_of_range():
    assert "V004" in codes(predictions().with_columns(p=pl.lit(float("nan"))))


def test_a_time_says_more_than_a_name():
    late = check(predictions(), development_patients=(), dossier=Dossier(predictor_times_h={"troponin": 3.0, "age": 0}))
    assert [o.code for o in late] == ["V009"]
    assert "troponin (3 h)" in late[0].message
    assert told(predictions(), predictors=["delay_h"], predictor_times_h={"delay_h": -1.0}) == []


def test_the_unit_matters_only_where_patients_have_several_recordings():
    assert told(predictions(), unit="recording") == []


def test_sample_size_counts_events_per_parameter():
    (said,) = (
        o
        for o in check(
            predictions().with_columns(p=pl.col("p") * 0.5 + 0.2 * pl.col("y")),
            development_patients=(),
            dossier=Dossier(development=DEVELOPED, n_parameters=40),
        )
        if o.code == "V010"
    )
    assert "got 120 with 60 events (1.5 per parameter)" in said.message


# --- thresholds -------------------------------------------------------------------------------------------------------


def test_thresholds_read_off_by_hand():
    n = 100
    rows = pl.DataFrame({"y": [0] * 60 + [1] * 40, "p": np.arange(1, n + 1) / 200})
    found = read_off(rows)
    assert found["Youden optimum"] == 61 / 200  # all 40 with the event, none without
    assert found["90th percentile"] == np.quantile(rows["p"], 0.9)
    assert read_off(rows.head(50)) == {}  # one class
    assert read_off(rows.with_columns(pl.col("p").round(1))) == {}  # a round threshold would hit one by chance


def test_a_round_declared_threshold_is_no_optimum():
    rows = predictions()
    optimum = read_off(rows.filter(model="ecg"))["Youden optimum"]
    assert "V012" in told(rows, thresholds=[optimum])
    assert "V012" not in told(rows, thresholds=[optimum], thresholds_declared=True)
    assert "V012" not in told(rows, thresholds=[0.1, 0.3])
    assert "V012" in told(rows, thresholds=[0.1], thresholds_declared=False)


# --- site -------------------------------------------------------------------------------------------------------------


def test_a_site_that_tells_nothing_is_no_rival_even_if_the_model_is_useless():
    rng = np.random.default_rng(3)
    rows = predictions(4000)
    sites = pl.DataFrame({"recording_id": [f"r{i}" for i in range(4000)], "site": rng.integers(0, 40, 4000)})
    assert "V013" not in told(rows, sites=sites)


# --- copies -----------------------------------------------------------------------------------------------------------


def people(ids, whose):
    return pl.DataFrame({"recording_id": ids, "patient_id": whose})


def test_copies_are_found_between_patients_and_sides_but_not_within_a_patient():
    rows = predictions(20, models=("ecg",))
    mine = measured(rows).filter(pl.col("recording_id").is_in(["r0", "r1", "r2"]))
    noise = 1 + 1e-9  # what another format does to a number
    copy = mine.filter(recording_id="r0").with_columns(pl.col("^m.*$") * noise, recording_id=pl.lit("c"))
    both = pl.concat([mine, copy])
    who = people(["r0", "r1", "r2", "c"], ["a", "b", "d", "e"])
    assert near_duplicates(both, patients=who).rows() == [("r0", "c", "two patients")]
    same = people(["r0", "r1", "r2", "c"], ["a", "b", "d", "a"])
    assert near_duplicates(both, patients=same).is_empty()
    across = near_duplicates(mine, copy, patients=who)
    assert across.rows() == [("r0", "c", "both sides")]


def test_recordings_with_too_few_numbers_are_not_compared():
    flat = pl.DataFrame({"recording_id": ["a", "b"], **{f"m{k}": [7.0, 7.0] for k in range(9)}})
    assert near_duplicates(flat, patients=people(["a", "b"], ["p", "q"])).is_empty()
    with pytest.raises(StudyError, match="at least 8 measurements; got 1: m0"):
        near_duplicates(flat.select("recording_id", "m0"), patients=people(["a", "b"], ["p", "q"]))


def test_a_single_predictor_that_is_the_outcome_is_named():
    rows = predictions()
    leak = measured(rows).join(rows.filter(model="ecg").select("recording_id", code=-pl.col("y")), on="recording_id")
    said = [o for o in check(rows, development_patients=(), dossier=Dossier(measurements=leak)) if o.code == "V015"]
    assert len(said) == 1
    assert "got 1.000 for code in mi, internal" in said[0].message


# --- how many ---------------------------------------------------------------------------------------------------------


def test_sample_size_of_the_published_examples():
    # Riley et al. 2019 (Chagas disease); the R package pmsampsize prints 623, 662, 221.
    found = minimum_sample_size(n_parameters=24, prevalence=0.174, r2=0.288)
    assert (found.shrinkage, found.optimism, found.overall_risk, found.n) == (623, 662, 221, 662)


def test_sample_size_from_an_auroc():
    # pmsampsize draws its sample and prints 661; ours is integrated.
    r2 = anticipated_r2(auroc=0.89, prevalence=0.174)
    assert minimum_sample_size(n_parameters=24, prevalence=0.174, r2=r2).n == pytest.approx(661, abs=2)


@pytest.mark.parametrize(("auroc", "prevalence"), [(0.6, 0.5), (0.75, 0.02), (0.95, 0.3)])
def test_r2_of_an_auroc_is_that_of_a_large_sample(auroc, prevalence):
    rng = np.random.default_rng(0)
    n = 400_000
    events = round(n * prevalence)
    apart = np.sqrt(2) * norm.ppf(auroc)
    y = np.r_[np.ones(events), np.zeros(n - events)]
    x = rng.normal(size=n) + apart * y
    p = expit(np.log(prevalence / (1 - prevalence)) - apart**2 / 2 + apart * x)
    gain = np.mean(np.log(np.where(y == 1, p, 1 - p))) - np.mean(np.log(np.where(y == 1, prevalence, 1 - prevalence)))
    assert anticipated_r2(auroc=auroc, prevalence=prevalence) == pytest.approx(1 - np.exp(-2 * gain), rel=0.03)


@pytest.mark.parametrize(
    "bad", [{"prevalence": 0.0}, {"prevalence": 1.0}, {"r2": 0.9}, {"r2": 0.0}, {"n_parameters": 0}]
)
def test_impossible_sample_sizes_are_refused(bad):
    with pytest.raises(StudyError):
        minimum_sample_size(**{"n_parameters": 5, "prevalence": 0.2, "r2": 0.1, **bad})


def test_a_useless_model_needs_no_sample():
    with pytest.raises(StudyError, match=r"auroc must be in \(0.5, 1\)"):
        anticipated_r2(auroc=0.5, prevalence=0.2)
