from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from twelvelead.io import load_database, recognise_database
from twelvelead.io.databases import DATABASES, Database, ptbxl, tables
from twelvelead.terms import COHORT, EVENTS, ContractError, FormatError, InputError

DATA = Path(__file__).parents[2].parent / "shared" / "data"

HEADER = "ecg_id,patient_id,age,sex,recording_date,scp_codes,filename_lr,filename_hr\n"
MEANING = "code,diagnostic,diagnostic_class\nNORM,1.0,NORM\nIMI,1.0,MI\nASMI,1.0,MI\nSR,,\n"


def ptbxl_folder(folder, rows):
    (folder / "records500").mkdir()
    (folder / ptbxl.TABLE).write_text(HEADER + "".join(rows))
    (folder / ptbxl.STATEMENTS).write_text(MEANING)
    return folder


ROWS = (
    "1,11.0,56.0,1,1984-11-09 09:17:34,\"{'NORM': 100.0, 'SR': 0.0}\",lr/1,hr/1\n",
    "2,12.0,300.0,0,1984-11-14 12:55:37,\"{'IMI': 0.0, 'ASMI': 80.0}\",lr/2,hr/2\n",
    "3,12.0,,,1985-11-14 12:55:37,\"{'SR': 0.0}\",lr/3,hr/3\n",
)


def test_ptbxl_by_hand(tmp_path):
    database = load_database("ptbxl", ptbxl_folder(tmp_path, ROWS))
    assert database.cohort.select("recording_id", "patient_id", "age_years", "sex").rows() == [
        ("hr/1", "11", 56.0, "female"), ("hr/2", "12", 90.0, "male"), ("hr/3", "12", None, None),
    ]  # fmt: skip
    assert database.cohort["recorded_at"][0] == datetime(1984, 11, 9, 9, 17, 34)
    classes = (
        database.events.collect().filter(pl.col("system") == "ptbxl_superclass").select("recording_id", "code", "value")
    )
    # A likelihood of 0 means unknown and counts; a recording with rhythm statements only has none of the five.
    assert classes.rows() == [
        ("hr/1", "NORM", 100.0), ("hr/2", "MI", 80.0), ("hr/3", "NONE", 0.0),
    ]  # fmt: skip
    assert database.events.collect().filter(pl.col("system") == "scp").height == 5


def test_ptbxl_uses_100_hz_where_there_is_nothing_else(tmp_path):
    folder = ptbxl_folder(tmp_path, ROWS)
    (folder / "records500").rmdir()
    assert load_database("ptbxl", folder).cohort["path"].to_list() == ["lr/1", "lr/2", "lr/3"]


def test_ptbxl_with_two_rows_for_one_recording_is_refused(tmp_path):
    with pytest.raises(ContractError, match="recording_id must name one row; got 1 repeated, first 'hr/1'"):
        load_database("ptbxl", ptbxl_folder(tmp_path, (*ROWS, ROWS[0])))


def test_ptbxl_with_a_broken_statement_names_the_recording(tmp_path):
    with pytest.raises(FormatError, match="in hr/9"):
        load_database("ptbxl", ptbxl_folder(tmp_path, ("9,1,50,1,1984-11-09 09:17:34,{broken,lr/9,hr/9\n",)))


def test_ptbxl_of_another_version_is_named(tmp_path):
    folder = ptbxl_folder(tmp_path, ())
    (folder / ptbxl.TABLE).write_text("ecg_id,age\n1,50\n")
    with pytest.raises(FormatError, match="none named patient_id, sex"):
        load_database("ptbxl", folder)


@pytest.mark.skipif(not (DATA / "ptbxl").is_dir(), reason="../shared/data/ptbxl is absent")
def test_the_real_ptbxl():
    database = load_database("ptbxl", DATA / "ptbxl")
    assert database.cohort.height == 350
    assert database.cohort["patient_id"].n_unique() == 320
    assert set(database.cohort["strat_fold"]) == set(range(1, 11))
    counts = dict(
        database.events.collect().filter(pl.col("system") == "ptbxl_superclass")["code"].value_counts().iter_rows()
    )
    # Counted by a few lines over the published table, outside this package.
    assert counts == {"NORM": 207, "STTC": 66, "CD": 54, "MI": 51, "HYP": 30, "NONE": 8}


# --- your own tables --------------------------------------------------------------------------------------------------

PEOPLE = "recording_id,patient_id,age_years,sex,recorded_at,path\nr1,p1,50,male,2150-01-02T03:04:05,w/r1.hea\n"
EVENTS_CSV = "patient_id,system,code\np1,icd10,I509\n"


def test_own_tables_may_leave_out_what_may_be_null(tmp_path):
    (tmp_path / "cohort.csv").write_text(PEOPLE)
    (tmp_path / "events.csv").write_text(EVENTS_CSV)
    database = load_database("tables", tmp_path)
    assert database.cohort["recorded_at"][0] == datetime(2150, 1, 2, 3, 4, 5)
    assert database.cohort["stay_id"].to_list() == [None]
    assert database.events.collect()["value"].to_list() == [None]
    assert not database.simulated
    assert database.select_events(["icd10"]).collect().height == 1
    assert database.select_events(["icd9"]).collect().height == 0


def test_own_tables_come_back_as_they_were_written(tmp_path):
    (tmp_path / "cohort.csv").write_text(PEOPLE)
    (tmp_path / "events.csv").write_text(EVENTS_CSV)
    first = load_database("tables", tmp_path)
    place = tmp_path / "again"
    tables.write(Database("A", place, first.cohort, first.events, (), simulated=True, optimum={"x": 0.8}))
    again = load_database("tables", place)
    assert again.cohort.equals(first.cohort)
    assert again.events.collect().equals(first.events.collect())
    assert (again.name, again.simulated, again.optimum) == ("A", True, {"x": 0.8})


def test_own_tables_may_have_measurements_stays_and_patients(tmp_path):
    (tmp_path / "cohort.csv").write_text(PEOPLE)
    (tmp_path / "events.csv").write_text(EVENTS_CSV)
    (tmp_path / "features.csv").write_text("recording_id,qrs_duration_ms\nr1,88.5\n")
    (tmp_path / "stays.csv").write_text("stay_id,patient_id,kind,start\ns1,p1,hospital,2150-01-02T00:00:00\n")
    (tmp_path / "patients.csv").write_text("patient_id,sex\np1,male\n")
    first = load_database("tables", tmp_path)
    tables.write(Database("A", tmp_path / "again", first.cohort, first.events, (), first.features, first.stays,
                          first.patients))  # fmt: skip
    again = load_database("tables", tmp_path / "again")
    assert again.features.collect().rows() == first.features.collect().rows() == [("r1", 88.5)]
    assert again.stays.rows() == first.stays.rows() == [("s1", "p1", "hospital", datetime(2150, 1, 2), None, None)]
    assert again.patients.rows() == first.patients.rows() == [("p1", "male", None)]
    assert len(again.tables) == 5


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (pl.DataFrame({"patient_id": ["p1"], "code": ["I509"]}), r"must have column\(s\) system"),
        (pl.DataFrame({"patient_id": ["p1"], "code": [None], "system": ["icd10"]}), "code must"),
        (
            pl.DataFrame({"patient_id": ["p1", None], "code": ["a", "b"], "system": ["x", "x"]}),
            "must not be null; got 1",
        ),
    ],
)
def test_events_that_are_not_held_in_memory_are_checked(tmp_path, events, message):
    (tmp_path / "cohort.csv").write_text(PEOPLE)
    events.write_parquet(tmp_path / "events.parquet")
    with pytest.raises(ContractError, match=message):
        load_database("tables", tmp_path)


def test_events_of_other_types_are_cast(tmp_path):
    (tmp_path / "cohort.csv").write_text(PEOPLE)
    rows = {
        "patient_id": ["p1"],
        "code": ["K"],
        "system": ["laboratory"],
        "value": [4],
        "time": ["2150-01-02T00:00:00"],
    }
    pl.DataFrame(rows).write_parquet(tmp_path / "events.parquet")
    events = load_database("tables", tmp_path).events.collect()
    assert events.select("value", "time").rows() == [(4.0, datetime(2150, 1, 2))]


@pytest.mark.parametrize(
    ("people", "message"),
    [
        (PEOPLE.replace("patient_id", "who"), r"cohort: must have column\(s\) patient_id"),
        (PEOPLE.replace("2150-01-02T03:04:05", "yesterday"), "cohort: recorded_at must be Datetime"),
        (PEOPLE.replace(",50,", ",old,"), "cohort: age_years must be Float64"),
        (PEOPLE + "r1,p2,40,male,2150-01-02T03:04:05,w/r1.hea\n", "recording_id must name one row"),
    ],
)
def test_own_tables_that_break_the_contract_are_named(tmp_path, people, message):
    (tmp_path / "cohort.csv").write_text(people)
    (tmp_path / "events.csv").write_text(EVENTS_CSV)
    with pytest.raises(ContractError, match=message):
        load_database("tables", tmp_path)


def test_a_folder_is_recognised_by_what_is_in_it(tmp_path):
    assert recognise_database(tmp_path) is None
    (tmp_path / "cohort.csv").write_text(PEOPLE)
    with pytest.raises(InputError, match="no events"):
        tables.load(tmp_path)
    (tmp_path / "events.csv").write_text(EVENTS_CSV)
    assert recognise_database(tmp_path).name == "tables"
    for kind in DATABASES:
        assert kind.meaning


def test_a_database_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"one of ptbxl, tables, .*; got 'mimic'"):
        load_database("mimic", tmp_path)
    with pytest.raises(InputError, match="the data folder must be there"):
        load_database("ptbxl", tmp_path / "nowhere")
    with pytest.raises(InputError, match="a folder without those tables"):
        load_database("ptbxl", tmp_path)


def test_contracts_are_checked_when_a_database_is_made(tmp_path):
    with pytest.raises(ContractError):
        Database("x", tmp_path, COHORT.empty().drop("sex"), EVENTS.empty(), ())
