import json
import shutil

import numpy as np
import polars as pl
import pytest

from twelvelead.io import load_database, read_json, sha256
from twelvelead.io.databases import Database
from twelvelead.io.databases import tables as own_tables
from twelvelead.study import declare, run_study
from twelvelead.study.judging import object_to
from twelvelead.terms import HYPOTHESES, PERFORMANCE, PREDICTIONS, SELECTION, SHAP, StudyError

TABLES = (
    "performance.parquet",
    "performance.csv",
    "predictions.parquet",
    "selection.parquet",
    "shap.parquet",
    "reasons.parquet",
    "concepts.parquet",
    "reason_agreement.parquet",
    "subgroups.parquet",
    "recalibration.parquet",
    "features.parquet",
    "failures.parquet",
    "flow.parquet",
    "report.html",
    "manifest.json",
    "study.json",
)


def test_everything_that_was_promised_is_there(finished):
    out, _ = finished
    for name in TABLES:
        assert (out / name).is_file(), name
    for contract in (PERFORMANCE, PREDICTIONS, SELECTION, SHAP):
        contract.check(pl.read_parquet(out / f"{contract.name}.parquet"))


def test_every_patient_is_held_out_once_and_the_second_hospital_is_external(finished):
    _, results = finished
    counts = results.predictions.group_by("set", "model").len()
    assert set(counts.filter(pl.col("set") == "internal")["len"]) == {
        results.predictions.filter(pl.col("set") == "internal")["recording_id"].n_unique()
    }
    external = results.predictions.filter(pl.col("set") == "external")["recording_id"]
    assert external.str.starts_with("sim-b-").all()
    assert set(results.predictions["model"]) == {"age_sex", "ecg", "ecg_age_sex"}


def test_a_target_with_too_few_events_is_refused_and_said(finished):
    out, results = finished
    assert [r.target for r in results.refusals] == ["nothing"]
    assert "got 0 with" in results.refusals[0].message
    assert read_json(out / "manifest.json")["refusals"][0]["target"] == "nothing"
    assert "nothing" not in set(results.performance["target"])


def test_intervals_say_what_they_are(finished):
    _, results = finished
    assert set(results.performance["level"]) == {0.95}
    auroc = results.performance.filter((pl.col("metric") == "auroc") & (pl.col("stratum") == "all"))
    assert auroc.filter((pl.col("lower") > pl.col("estimate")) | (pl.col("upper") < pl.col("estimate"))).is_empty()
    assert (auroc["n_patients"] < auroc["n"]).all()


def test_reasons_add_up_to_the_log_odds(finished):
    out, results = finished
    shap = pl.read_parquet(out / "shap.parquet").filter(pl.col("set") == "external")
    total = shap.group_by("recording_id").agg(pl.col("shap").sum())
    p = results.predictions.filter((pl.col("set") == "external") & (pl.col("model") == "ecg_age_sex"))
    joined = p.join(total, on="recording_id").sort("shap")
    # A calibrated risk rises with the margin, so the order of risks is that of the sums of reasons.
    assert np.all(np.diff(joined["p"].to_numpy()) >= -1e-9)


def test_age_and_sex_are_a_regression_and_the_others_trees(finished):
    out, _ = finished
    cards = {m: read_json(out / "models" / "heart_failure" / m / "card.json") for m in ("age_sex", "ecg_age_sex")}
    assert cards["age_sex"]["format"] == "twelvelead spline model 1"
    assert cards["age_sex"]["features"] == ["age_years", "sex_male"]
    assert cards["ecg_age_sex"]["format"] == "twelvelead risk model 1"


def test_the_manifest_names_inputs_outputs_and_versions(finished):
    out, _ = finished
    manifest = read_json(out / "manifest.json")
    assert manifest["study"]["seed"] == 3
    assert manifest["inputs"]["internal"]["simulated"] is True
    assert manifest["outputs"]["performance.csv"] == sha256(out / "performance.csv")
    assert any(name.startswith("models/heart_failure/ecg_age_sex/") for name in manifest["outputs"])
    assert not any(name.startswith("work") for name in manifest["outputs"])
    assert {"xgboost", "numpy", "code"} <= set(manifest["versions"])


def test_two_workers_and_a_second_run_change_no_byte(finished, hospitals, small, tmp_path):
    out, _ = finished
    run_study(small, data=hospitals, out=tmp_path, workers=2)
    for name in TABLES:
        assert sha256(tmp_path / name) == sha256(out / name), name
    run_study(small, data=hospitals, out=tmp_path)
    assert sha256(tmp_path / "manifest.json") == sha256(out / "manifest.json")


def test_a_run_that_lost_half_of_its_fits_ends_the_same(finished, hospitals, small, tmp_path):
    out, _ = finished
    shutil.copytree(out, tmp_path / "half")
    for n, folder in enumerate(sorted((tmp_path / "half" / "work").glob("*/heart_failure/*/*"))):
        if n % 2:
            shutil.rmtree(folder)
            (folder.with_name(f".{folder.name}.unfinished")).mkdir()  # as a kill in the middle of a fit leaves it
    for name in TABLES:
        (tmp_path / "half" / name).unlink()
    run_study(small, data=hospitals, out=tmp_path / "half")
    for name in TABLES:
        assert sha256(tmp_path / "half" / name) == sha256(out / name), name
    assert not list((tmp_path / "half").rglob(".*.unfinished"))


def test_another_seed_deals_other_folds(finished, hospitals, small, tmp_path):
    _, results = finished
    other = small.model_copy(update={"seed": 4, "external": None})
    again = run_study(other, data=hospitals, out=tmp_path)
    internal = results.predictions.filter(pl.col("set") == "internal")
    assert again.predictions["recording_id"].to_list() == internal["recording_id"].to_list()
    assert again.predictions["p"].to_list() != internal["p"].to_list()


def test_the_paper_mode_is_labelled_by_what_it_is(hospitals, small, tmp_path):
    path = tmp_path / "small.toml"
    from .conftest import DECLARATION

    path.write_text(DECLARATION)
    study = declare(str(path), mode="paper")
    study = study.model_copy(update={"external": None, "split": study.split.model_copy(update={"method": "holdout"})})
    results = run_study(study, data=hospitals, out=tmp_path / "out")
    assert set(results.performance["level"]) == {0.05}
    assert "central 5" in (tmp_path / "out" / "report.html").read_text()


def test_no_target_with_events_is_an_error(hospitals, small, tmp_path):
    study = small.model_copy(update={"targets": small.targets[1:]})
    with pytest.raises(StudyError, match="a target with enough events; got none: target nothing"):
        run_study(study, data=hospitals, out=tmp_path)


def test_a_target_whose_events_are_too_few_for_the_folds_is_refused_and_the_rest_goes_on(hospitals, small, tmp_path):
    rare = small.targets[0].model_copy(update={"name": "rare", "codes": ("I5033",), "min_events": 2})
    study = small.model_copy(update={"external": None, "targets": (small.targets[0], rare)})
    results = run_study(study, data=hospitals, out=tmp_path / "both")
    assert set(results.performance["target"]) == {"heart_failure"}
    assert [r.target for r in results.refusals] == ["rare"]
    assert "folds need at least" in results.refusals[0].message
    with pytest.raises(StudyError, match="got none: target rare, fold 0"):
        run_study(study.model_copy(update={"targets": (rare,)}), data=hospitals, out=tmp_path / "rare")


def test_nothing_measurable_is_an_error(hospitals, small, tmp_path):
    source = load_database("tables", hospitals / "hospital_a")
    cohort = source.cohort.head(3).with_columns(path=pl.lit("nowhere.hea"))
    own_tables.write(Database("x", tmp_path / "hospital_a", cohort, source.events, ()))
    with pytest.raises(StudyError, match="got none of 3"):
        run_study(small, data=tmp_path, out=tmp_path / "out")


def test_a_patient_on_both_sides_of_a_split_stops_the_study(finished):
    _, results = finished
    internal = results.predictions.filter(pl.col("set") == "internal")
    people = internal.select("recording_id", "patient_id").unique(maintain_order=True)
    honest = people.with_columns(fold=pl.int_range(pl.len()) % 2)
    leaky = honest.join(people.group_by("patient_id").len().filter(pl.col("len") > 1), on="patient_id", how="semi")
    with pytest.raises(StudyError, match="V001"):
        object_to(internal.join(leaky, on="recording_id", how="semi"), leaky)


def test_only_so_many_predictions_are_explained_as_declared(finished, hospitals, small, tmp_path):
    out, _ = finished
    few = small.model_copy(update={"validation": small.validation.model_copy(update={"explained": 20})})
    run_study(few, data=hospitals, out=tmp_path)
    keys = ["recording_id", "set", "feature"]
    some, every = (pl.read_parquet(folder / "shap.parquet") for folder in (tmp_path, out))
    drawn = some.group_by("set").agg(pl.col("recording_id").n_unique())
    assert dict(drawn.iter_rows()) == {"internal": 20, "external": 20}  # of the three folds together
    assert every.filter(pl.col("set") == "internal")["recording_id"].n_unique() > 60
    same = some.join(every, on=keys, how="left", validate="1:1", suffix="_of_all")
    assert same.filter((pl.col("shap") != pl.col("shap_of_all")) | pl.col("shap_of_all").is_null()).is_empty()
    assert "20 recordings drawn by lot from" in (tmp_path / "report.html").read_text()
    assert sha256(tmp_path / "predictions.parquet") == sha256(out / "predictions.parquet")


def test_hypotheses_count_what_could_not_be_tested(finished):
    out, _ = finished
    tested = HYPOTHESES.check(pl.read_parquet(out / "hypotheses.parquet"))
    assert set(tested["n_tested"]) == {2}  # heart failure, and the code that nobody has
    assert tested.filter(target="nothing")["rejected"].to_list() == [False] * 6


def test_nothing_half_written_is_left(finished):
    out, _ = finished
    assert not list(out.rglob(".*.unfinished"))


def test_study_json_is_the_declaration(finished, small):
    out, _ = finished
    assert json.loads((out / "study.json").read_text()) == json.loads(small.model_dump_json())
