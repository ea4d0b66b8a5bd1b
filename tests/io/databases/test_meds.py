from datetime import datetime

import polars as pl
import pytest

from twelvelead.io import load_database, recognise_database
from twelvelead.io.databases import meds
from twelvelead.terms import ContractError, FormatError

T = datetime(2150, 1, 1)
ROWS = [
    (1, None, "GENDER//F", None, None),
    (1, datetime(2100, 1, 1), "MEDS_BIRTH", None, None),
    (1, T, "ICD10CM/I50.9", None, 77),
    (1, T, "DIAGNOSIS//ICD//9//4280", None, 77),
    (1, T, "LAB//50912//mg/dL", 1.5, None),
    (1, T, "SNOMED/426783006", None, None),
    (1, T, "ECG", None, None),
    (1, datetime(2151, 1, 1), "MEDS_DEATH", None, None),
    (2, None, "GENDER//M", None, None),
    (2, T, "HOSPITAL_ADMISSION//URGENT//ED", None, 78),
]
SCHEMA = {"subject_id": pl.Int64, "time": pl.Datetime("us"), "code": pl.String, "numeric_value": pl.Float32}


@pytest.fixture
def folder(tmp_path):
    table = pl.DataFrame(ROWS, schema={**SCHEMA, "hadm_id": pl.Int64}, orient="row")
    (tmp_path / "data" / "train").mkdir(parents=True)
    table.head(5).write_parquet(tmp_path / "data" / "train" / "0.parquet")
    table.tail(5).write_parquet(tmp_path / "data" / "train" / "1.parquet")
    return tmp_path


def test_codes_become_systems(folder):
    assert recognise_database(folder).name == "meds"
    events = load_database("meds", folder).events.collect()
    assert events.select("patient_id", "system", "code", "value", "unit", "stay_id").rows() == [
        ("1", "gender", "F", None, None, None),
        ("1", "meds", "MEDS_BIRTH", None, None, None),
        ("1", "icd10", "I509", None, None, "hosp-77"),
        ("1", "icd9", "4280", None, None, "hosp-77"),
        ("1", "laboratory", "50912", 1.5, "mg/dL", None),
        ("1", "snomed", "426783006", None, None, None),
        ("1", "meds", "ECG", None, None, None),
        ("1", "meds", "MEDS_DEATH", None, None, None),
        ("2", "gender", "M", None, None, None),
        ("2", "hospital_admission", "URGENT//ED", None, None, "hosp-78"),
    ]
    assert events["time"].to_list()[0] is None


def test_people_come_from_events(folder):
    database = meds.load(folder)
    assert database.patients.rows() == [("1", "female", datetime(2151, 1, 1)), ("2", "male", None)]
    assert database.cohort.height == 0
    (folder / "cohort.csv").write_text("recording_id,patient_id,recorded_at,path\nr1,1,2150-01-01T12:00:00,w/r1.hea\n")
    cohort = meds.load(folder).cohort
    assert cohort["sex"].to_list() == ["female"]
    assert cohort["age_years"][0] == pytest.approx(50, abs=0.01)


def test_what_the_cohort_says_goes_first(folder):
    text = "recording_id,patient_id,age_years,sex,path\nr1,1,61,male,w/r1.hea\nr2,9,,,w/r2.hea\n"
    (folder / "cohort.csv").write_text(text)
    assert meds.load(folder).cohort.select("age_years", "sex").rows() == [(61.0, "male"), (None, None)]


def test_another_schema_is_refused(folder):
    for path in (folder / "data").glob("**/*.parquet"):
        pl.read_parquet(path).drop("numeric_value").write_parquet(path)
    with pytest.raises(FormatError, match="got none named numeric_value"):
        meds.load(folder)
    for path in (folder / "data").glob("**/*.parquet"):
        pl.read_parquet(path).drop("code").write_parquet(path)
    assert recognise_database(folder) is None


def test_a_cohort_that_breaks_its_contract_is_refused(folder):
    (folder / "cohort.csv").write_text("recording_id,path\nr1,w/r1.hea\n")
    with pytest.raises(ContractError, match="patient_id"):
        meds.load(folder)
