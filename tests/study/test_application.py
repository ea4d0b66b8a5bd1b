import shutil

import numpy as np
import polars as pl
import pytest

from twelvelead.io import find_recordings, read_model, sha256
from twelvelead.predict import explain, from_parts, top_reasons
from twelvelead.study import apply_study, predict_files, read_demographics
from twelvelead.study.application import load_forest, match_demographics, predict_risks
from twelvelead.terms import RISKS, FormatError, InputError


@pytest.fixture
def people(hospitals):
    return pl.read_parquet(hospitals / "hospital_b" / "cohort.parquet").select("recording_id", "age_years", "sex")


def test_new_recordings_get_the_risks_that_external_validation_judged(finished, hospitals, people, tmp_path):
    out, results = finished
    found = find_recordings([hospitals / "hospital_b" / "waveforms"])
    applied = apply_study(out, found, demographics=people, work=tmp_path)
    judged = results.predictions.filter((pl.col("set") == "external") & (pl.col("model") == "ecg_age_sex"))
    joined = judged.join(applied.risks, on=["recording_id", "target"], suffix="_new")
    assert joined.height == judged.height
    assert joined["p"].to_list() == joined["p_new"].to_list()
    RISKS.check(applied.risks)
    strength = applied.risks.select(pl.col("reason_1_shap", "reason_2_shap", "reason_3_shap").abs())
    assert strength.filter(pl.col("reason_1_shap") < pl.col("reason_2_shap")).is_empty()


def test_without_demographics_the_ecg_models_are_used(finished, hospitals, tmp_path):
    out, results = finished
    found = find_recordings([hospitals / "hospital_b" / "waveforms"])[:20]
    applied = apply_study(out, found, demographics=None, work=tmp_path)
    assert applied.model == "ecg"
    judged = results.predictions.filter((pl.col("set") == "external") & (pl.col("model") == "ecg"))
    joined = judged.join(applied.risks, on=["recording_id", "target"], suffix="_new")
    assert joined["p"].to_list() == joined["p_new"].to_list()
    assert not set(applied.risks["reason_1"]) & {"age_years", "sex_male"}


def test_the_forest_says_what_each_model_says(finished):
    out, _ = finished
    folder = out / "models" / "heart_failure" / "ecg_age_sex"
    model = from_parts(*read_model(folder))
    names = list(model.feature_names_in_)
    rng = np.random.default_rng(0)
    table = pl.DataFrame(rng.normal(100, 50, size=(40, len(names))).astype(np.float32), schema=names)
    table = table.with_columns(pl.when(pl.int_range(40) % 5 > 0).then(names[0])).insert_column(
        0, pl.Series("recording_id", [f"r{k:02d}" for k in range(40)])
    )
    forest = load_forest([folder, folder], names, workers=2)
    risks = predict_risks(forest, table, targets=["b", "a"])
    assert risks.select("recording_id", "target").rows() == [(f"r{k:02d}", t) for k in range(40) for t in "ab"]
    mine = risks.filter(target="a")
    assert mine["p"].to_list() == model.predict_proba(table.select(names))[:, 1].tolist()
    reasons = top_reasons(explain(model, table.select(names), table["recording_id"].to_list()))
    assert mine.select(reasons.columns).equals(reasons)
    assert predict_risks(forest, table, targets=["b", "a"], workers=3).equals(risks)
    one = predict_risks(forest, table[3:4], targets=["b", "a"])
    assert one.equals(risks.filter(recording_id="r03"))
    assert predict_risks(forest, table[:0], targets=["b", "a"]).equals(RISKS.empty().select(risks.columns))


def test_a_changed_model_is_refused(finished, tmp_path):
    out, _ = finished
    shutil.copytree(out / "models" / "heart_failure" / "ecg", tmp_path / "m")
    path = tmp_path / "m" / "member_0.ubj"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(FormatError, match="must have the SHA-256 of its card"):
        load_forest([tmp_path / "m"], ["heart_rate_bpm"])


def test_files_in_files_out(finished, hospitals, people, tmp_path):
    out, _ = finished
    people.write_csv(tmp_path / "people.csv")
    for name, workers in (("a", 1), ("b", 2)):
        predict_files(out, [hospitals / "hospital_b"], out=tmp_path / f"{name}.parquet",
                      demographics=tmp_path / "people.csv", workers=workers)  # fmt: skip
    assert sha256(tmp_path / "a.parquet") == sha256(tmp_path / "b.parquet")
    risks = pl.read_parquet(tmp_path / "a.parquet")
    # The folder was given one level higher, so ids have its name in front; age and sex are found all the same.
    assert risks["recording_id"].str.starts_with("waveforms/sim-b-").all()
    assert "age_years" in set(risks["reason_1"]) | set(risks["reason_2"]) | set(risks["reason_3"])


def test_a_folder_that_is_no_study_is_named(hospitals, tmp_path):
    with pytest.raises(InputError, match=r"without study\.json"):
        apply_study(tmp_path, [], demographics=None, work=tmp_path)


PTBXL = (
    "ecg_id,patient_id,age,sex,filename_hr\n1,5,300,0,records500/00000/00001_hr\n2,6,44,1,records500/00000/00002_hr\n"
)


def test_a_database_table_gives_age_and_sex(tmp_path):
    (tmp_path / "ptbxl_database.csv").write_text(PTBXL)
    table = read_demographics(tmp_path / "ptbxl_database.csv")
    assert table.rows() == [("records500/00000/00001_hr", 90.0, "male"), ("records500/00000/00002_hr", 44.0, "female")]
    ids = pl.Series(["00002_hr", "00000/00001_hr", "nobody"])
    assert match_demographics(ids, table).rows() == [
        ("00002_hr", 44.0, "female"), ("00000/00001_hr", 90.0, "male"), ("nobody", None, None),
    ]  # fmt: skip


def test_a_last_part_that_two_recordings_share_is_not_guessed():
    table = pl.DataFrame({"recording_id": ["p1/rec", "p2/rec"], "age_years": [1.0, 2.0], "sex": ["male", "male"]})
    assert match_demographics(pl.Series(["x/rec", "p2/rec"]), table)["age_years"].to_list() == [None, 2.0]


def test_two_rows_for_one_recording_are_refused():
    table = pl.DataFrame({"recording_id": ["a", "a"], "age_years": [1.0, 2.0], "sex": ["male", "male"]})
    with pytest.raises(InputError, match="got several for 'a'"):
        match_demographics(pl.Series(["a"]), table)


def test_a_table_without_the_columns_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("id,age\n1,2\n")
    with pytest.raises(InputError, match="must have the columns recording_id, age_years and sex"):
        read_demographics(tmp_path / "t.csv")
