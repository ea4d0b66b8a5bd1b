import json
import tomllib
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from twelvelead.cohort import Outcome
from twelvelead.io import load_database, read_model
from twelvelead.predict.fuse_parts import fusion_from_parts
from twelvelead.study.nested import run_nested
from twelvelead.study.nested_declaration import NestedStudy
from twelvelead.study.nested_fitting import list_contrasts, list_models, permute
from twelvelead.study.nested_sample import DEVELOPMENT, gather_people
from twelvelead.study.onset import at_horizon, find_onset
from twelvelead.study.simulated_diabetes import simulate_diabetes
from twelvelead.study.studies import merge
from twelvelead.terms import EVENTS, InputError, StudyError

LIBRARY = Path(__file__).parents[2] / "src" / "twelvelead" / "study" / "library"
DATA = Path(__file__).parents[2].parent / "shared" / "data"
ZAS = DATA / "z-alizadeh-sani"
RULE = Outcome(
    name="t2d", title="T2D", system="icd10", codes=("E11",), match="prefix", link="time", window_h=(0, 43830)
)
QUICK = {"validation": {"n_resamples": 100}, "nested": {"fits": [{"fusion": "early", "learner": "logistic"}]}}


def declare(name, *, changes=QUICK, mode="sound"):
    declared = tomllib.loads((LIBRARY / f"{name}.toml").read_text(encoding="utf-8"))
    if mode == "paper":
        declared = merge(declared, declared["paper"]) | {"mode": "paper"}
    return NestedStudy.model_validate(merge(declared, changes))


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("diabetes")
    simulate_diabetes(folder, n_patients=1200, seed=1, null=False)
    return folder


@pytest.fixture(scope="module")
def done(simulated, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return run_nested(declare("type2_diabetes"), data=simulated, out=out), out


# --- the declaration --------------------------------------------------------------------------------------------------


def test_the_declared_inputs_are_the_publication_s():
    for mode in ("sound", "paper"):
        nested = declare("type2_diabetes", changes={}, mode=mode).nested
        assert len(nested.base.columns) == 6
        assert len(nested.added.columns) * nested.n_recordings == 18
    assert declare("type2_diabetes", changes={}).nested.labels == "incident"
    paper = declare("type2_diabetes", changes={}, mode="paper").nested
    assert (paper.labels, paper.replicates, paper.fits[0].fusion) == ("prevalent_development", "concat", "intermediate")


def test_faults_say_what_is_sound():
    faults = declare("type2_diabetes", changes={}).faults
    assert len(faults) >= 6
    assert all("Sound" in fault.text for fault in faults)


def test_every_learner_has_its_own_model_of_each_block_and_the_first_a_permuted_one():
    study = declare("type2_diabetes", changes={})
    names = {model.name for model in list_models(study)}
    assert {"crf_logistic", "crf_xgboost", "crf_network", "ecg_logistic", "ecg_xgboost", "ecg_network"} <= names
    assert [m.name for m in list_models(study) if m.permuted] == ["crf_ecg_early_logistic_permuted"]
    assert list_contrasts(study) == (
        ("crf_ecg_early_logistic", "crf_logistic"), ("crf_ecg_late_logistic", "crf_logistic"),
        ("crf_ecg_early_xgboost", "crf_xgboost"), ("crf_ecg_intermediate", "crf_network"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nested": {"cuts": [0.2, 0.1]}}, "ascending"),
        ({"nested": {"cuts": [0.0, 0.1]}}, "ascending"),
        ({"nested": {"added": {"name": "crf", "title": "x", "columns": ["t_axis_deg"]}}}, "different names"),
        ({"nested": {"fits": [{}, {}]}}, "fits must differ"),
        ({"nested": {"labels": "prevalent_development", "horizon_y": None}}, "horizon"),
        ({"nested": {"unheard_of": 1}}, "unheard_of"),
        ({"targets": []}, "target"),
    ],
)
def test_declarations_that_can_t_be_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        declare("type2_diabetes", changes=changes)


# --- who is in it -----------------------------------------------------------------------------------------------------


def test_onset_by_hand():
    start = datetime(2020, 1, 1)
    years = timedelta(days=365.25)
    who = {  # when E11 was coded, when last seen, when died: years after baseline
        "had it": (-1.0, 5.2, None), "gets it": (2.0, 5.2, None), "gets it late": (5.1, 5.2, None),
        "stays well": (None, 5.0, None), "is lost": (None, 3.0, None), "dies": (None, None, 4.0),
        "gets it and dies": (2.0, None, 4.0), "same day": (0.0, 5.2, None),
    }  # fmt: skip
    rows = [
        {"patient_id": name, "time": start + when * years, "code": code}
        for name, (onset, seen, _) in who.items()
        for code, when in (("E119", onset), ("Z000", seen))
        if when is not None
    ]
    rows.append({"patient_id": "has no time", "time": None, "code": "E11"})
    events = pl.DataFrame(rows, schema_overrides={"time": pl.Datetime("us")}).with_columns(system=pl.lit("icd10"))
    absent = [pl.lit(None, dtype).alias(name) for name, dtype in EVENTS.schema.items() if name not in events.columns]
    names = [*who, "nobody saw again", "has no time"]
    patients = pl.DataFrame(
        {
            "patient_id": names,
            "died_at": [start + who[n][2] * years if who.get(n, [None] * 3)[2] else None for n in names],
        },
        schema_overrides={"died_at": pl.Datetime("us")},
    )
    index = pl.DataFrame({"patient_id": names, "recorded_at": start})
    found = find_onset(index, events.with_columns(absent).lazy(), RULE, patients=patients).with_columns(at_horizon(5))
    assert {name: (prevalent, status, y) for name, prevalent, _, status, y in found.iter_rows()} == {
        "had it": (True, 0, None), "gets it": (False, 1, 1), "gets it late": (False, 1, 0),
        "stays well": (False, 0, 0), "is lost": (False, 0, None), "dies": (False, 2, 0),
        "gets it and dies": (False, 1, 1), "same day": (True, 0, None), "nobody saw again": (False, 0, None),
        "has no time": (None, None, None),
    }  # fmt: skip
    assert found["time_y"].to_list()[1:6] == pytest.approx([2.0, 5.1, 5.0, 3.0, 4.0])


def test_onset_is_counted_from_one_baseline():
    index = pl.DataFrame({"patient_id": ["a", "a"], "recorded_at": [datetime(2020, 1, 1)] * 2})
    with pytest.raises(StudyError, match="one baseline per person"):
        find_onset(index, EVENTS.empty().lazy(), RULE, patients=pl.DataFrame())


def test_what_is_known_of_people_is_true_of_them(simulated):
    people = gather_people(declare("type2_diabetes"), data=simulated).table
    truth = pl.read_parquet(simulated / "truth" / "people.parquet")
    both = people.join(truth, on="patient_id", suffix="_true")
    assert both.height == people.height == truth.filter(prevalent=0).height
    known = both.filter(pl.col("y").is_not_null())
    assert (known["y"] == known["y_true"]).all()
    assert known.height > 0.92 * both.height
    assert both.filter(pl.col("y").is_null())["seen_until_y"].max() < 5
    assert set(both.filter(part_true="longitudinal")["fold"]) == {0}
    assert set(both.filter(part_true="development")["fold"]) == {DEVELOPMENT}


def test_mode_paper_develops_on_those_who_have_it_and_tests_on_those_who_get_it(simulated):
    people = gather_people(declare("type2_diabetes", changes={}, mode="paper"), data=simulated).table
    truth = pl.read_parquet(simulated / "truth" / "people.parquet")
    both = people.join(truth, on="patient_id", suffix="_true")
    development = both.filter(pl.col("fold") == DEVELOPMENT)
    assert (development["y"] == development["prevalent_true"]).all()
    assert development.height == truth.filter(part="development").height
    test = both.filter((pl.col("fold") == 0) & pl.col("y").is_not_null())
    assert (test["y"] == test["y_true"]).all()


def test_recordings_stand_side_by_side_in_their_order(simulated):
    people = gather_people(declare("type2_diabetes"), data=simulated)
    database = load_database("tables", simulated)
    features = database.features.collect()
    for row in people.table.sample(20, seed=0).iter_rows(named=True):
        for i in (1, 2, 3):
            mine = features.row(by_predicate=pl.col("recording_id") == f"{row['patient_id']}-r{i}", named=True)
            assert all(mine[name] == row[f"{name}_{i}"] for name in people.added)


def test_blocks_that_are_not_there_or_share_a_column_are_refused(simulated):
    for columns, message in ((["unheard_of"], "got none for 'unheard_of'"), (["bmi_kg_m2"], "share no column")):
        changes = merge(QUICK, {"nested": {"added": {"columns": columns}}})
        with pytest.raises(StudyError, match=message):
            gather_people(declare("type2_diabetes", changes=changes), data=simulated)
    changes = merge(QUICK, {"nested": {"held": {"held_out": "elsewhere"}}})
    with pytest.raises(StudyError, match="part must hold 'development' and 'elsewhere'"):
        gather_people(declare("type2_diabetes", changes=changes), data=simulated)


# --- the run ----------------------------------------------------------------------------------------------------------


def test_permuting_leaves_groups_and_rows_of_columns_together():
    table = pl.DataFrame({"x": range(100), "y": range(100), "z": range(100), "g": [i % 2 for i in range(100)]})
    dealt = permute(table, ["x", "y"], within="g", seed=0)
    assert (dealt["x"] == dealt["y"]).all()
    assert (dealt["x"] % 2 == dealt["g"]).all()
    assert (dealt["z"] == table["z"]).all()
    assert sorted(dealt["x"]) == list(range(100))
    assert (dealt["x"] == table["x"]).mean() < 0.1


def test_the_folder_holds_what_was_found(done, simulated):
    results, out = done
    predictions = pl.read_parquet(out / "predictions.parquet")
    assert set(predictions["model"]) == {
        "crf_logistic", "ecg_logistic", "crf_ecg_early_logistic", "crf_ecg_early_logistic_permuted",
    }  # fmt: skip
    truth = pl.read_parquet(simulated / "truth" / "people.parquet").filter(part="longitudinal")
    assert set(predictions["patient_id"]) <= set(truth["patient_id"])
    wide = pl.read_csv(out / "predictions_wide.csv")
    assert wide.height == truth.height
    assert {"y", "time_y", "status", *set(predictions["model"])} <= set(wide.columns)
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["inputs"]["internal"]["simulated"]
    html = (out / "report.html").read_text()
    assert "simulated" in html.lower()
    assert "Arithmetically impossible" in html
    assert results.refusals == ()


def test_the_ecg_adds_and_the_permuted_one_does_not(done):
    differences = pl.read_parquet(done[1] / "differences.parquet").filter(measure="delta_auroc")
    rows = {row["new"]: row for row in differences.iter_rows(named=True)}
    new, null = rows["crf_ecg_early_logistic"], rows["crf_ecg_early_logistic_permuted"]
    assert new["estimate"] > null["estimate"]
    assert null["lower"] <= 0 <= null["upper"]
    assert new["lower"] < 0.026 < new["upper"]  # what is planted


def test_published_claims_are_judged(done):
    claims = pl.read_csv(done[1] / "consistency.csv")
    impossible = claims.filter(~pl.col("possible"))["claim"].to_list()
    assert impossible
    assert all("NRI 0.0153" in claim for claim in impossible)


def test_those_lost_from_sight_count_in_the_survival_figures(done, simulated):
    table = pl.read_parquet(done[1] / "survival.parquet")
    people = pl.read_parquet(simulated / "truth" / "people.parquet").filter(part="longitudinal")
    assert set(table["n"].drop_nulls()) == {people.height}
    assert set(table["metric"]) >= {"uno_c", "auroc", "brier"}


def test_a_kept_model_predicts_what_was_predicted(done, simulated):
    _, out = done
    folder = out / "models" / "crf_ecg_early_logistic" / "fold-0"
    parts, card = read_model(folder)
    model = fusion_from_parts(parts, card)
    people = gather_people(declare("type2_diabetes"), data=simulated)
    held = people.table.filter(pl.col("fold") == 0).sort("recording_id")
    crf = held.select(f"base {name}" for name in people.base).to_numpy()
    ecg = np.mean([held.select(f"{name}_{i}" for name in people.added).to_numpy() for i in (1, 2, 3)], axis=0)
    table = pl.DataFrame(np.column_stack([crf, ecg]), schema=card["features"])
    wide = pl.read_parquet(out / "predictions_wide.parquet").sort("recording_id")
    # The tables are written to ten decimals.
    assert model.predict_proba(table)[:, 1] == pytest.approx(wide["crf_ecg_early_logistic"].to_numpy(), abs=1e-9)
    assert card["columns"]["ecg"][0] == "qrs_duration_ms mean"


def test_the_same_run_gives_the_same_tables(done, simulated, tmp_path):
    run_nested(declare("type2_diabetes"), data=simulated, out=tmp_path)
    for name in ("predictions", "performance", "differences", "survival"):
        assert (tmp_path / f"{name}.parquet").read_bytes() == (done[1] / f"{name}.parquet").read_bytes(), name


def test_too_few_patients_are_refused():
    with pytest.raises(InputError, match="at least 20"):
        simulate_diabetes(Path("nowhere"), n_patients=19, seed=0, null=False)


# --- real patients ----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not ZAS.is_dir(), reason="../shared/data/z-alizadeh-sani is absent")
def test_permuted_ecg_findings_add_nothing_in_z_alizadeh_sani(tmp_path):
    study = declare("z_alizadeh_sani_diabetes", changes=merge(QUICK, {"split": {"n_folds": 5}}))
    run_nested(study, data=ZAS, out=tmp_path)
    predictions = pl.read_parquet(tmp_path / "predictions.parquet")
    assert set(predictions.group_by("model").len()["len"]) == {303}  # everybody is held out once
    cards = [json.loads(p.read_text()) for p in (tmp_path / "models").rglob("card.json")]
    assert not any("fbs" in name for card in cards for names in card["columns"].values() for name in names)
    differences = pl.read_parquet(tmp_path / "differences.parquet").filter(measure="delta_auroc")
    null = differences.row(by_predicate=pl.col("new").str.ends_with("_permuted"), named=True)
    assert null["lower"] <= 0 <= null["upper"]
