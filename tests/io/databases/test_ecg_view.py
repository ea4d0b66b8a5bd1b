from datetime import datetime

import polars as pl
import pytest

from twelvelead.io import load_database, recognise_database
from twelvelead.io.databases import ecg_view
from twelvelead.terms import ContractError, FormatError

HEADER = "personid,ecgdate,ecgdept,ecgsource,RR,PR,QRS,QT,QTc,P_wave_axis,QRS_axis,T_wave_axis,ACCI\n"
# The six rows that were printed in public: RR, QT, QTc of the machine.
PRINTED = ((952, 388, 397), (750, 360, 415), (600, 318, 410), (577, 362, 476), (698, 354, 423), (645, 372, 462))
ECGS = (
    "270,2004-07-03 09:05:13,O,M,600.0,122.0,78.0,318,410,62.0,86.0,61.0,7\n"
    "270,2004-07-03 09:05:13,O,M,601.0,122.0,78.0,318,410,62.0,200.0,-89.0,7\n"
    "120971,2012-04-19 08:09:06,H,E,30000.0,,1.0,360,415,,270.0,,9\n"
)
PERSONS = "personid,sex,Birthyeargroup,ethnicity\n270,1,10,1\n120971,0,24,1\n3,,,\n"
DIAGNOSES = (
    "personid,diagdate,diagcode,diaglocalcode,diagdept\n270,2004-07-05,L73.8,DC12467,Dermatologie é\n"
    "270,2004-07-06,no_data,DC1,x\n120971,2012-05-01,I10.9,DC2,x\n"
)
MEANINGS = "diaglocalcode,diagnosis\nDC12467,Folliculitis é\n"
DRUGS = "personid,drugdate,druglocalcode,atccode,drugdept,route,duration\n270,2004-07-05,D1,C07AB02,x,PO,3\n"
LABORATORY = "personid,labdate,labname,labvalue\n270,2004-07-05 10:00:00,Potassium, 4.1\n270,2004-07-06,Calcium,<5\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "Electrocardiogram.csv").write_text(HEADER + ECGS)
    (tmp_path / "Person.csv").write_text(PERSONS)
    (tmp_path / "Diagnosis.csv").write_bytes(DIAGNOSES.encode("latin-1"))
    (tmp_path / "DiagnosisCodeMaster.csv").write_bytes(MEANINGS.encode("latin-1"))
    (tmp_path / "Drug.csv").write_text(DRUGS)
    (tmp_path / "Laboratory.csv").write_text(LABORATORY)
    return tmp_path


def test_recordings_by_hand(folder):
    assert recognise_database(folder).name == "ecg_view_ii"
    cohort = ecg_view.load(folder).cohort
    assert cohort.select("recording_id", "age_years", "sex", "ecgsource", "acci").rows() == [
        ("120971-20120419T080906", 0.5, "female", "E", 9),  # born 2010 to 2013
        ("270-20040703T090513", 62.0, "male", "M", 7),  # born 1940 to 1944
        ("270-20040703T090513-2", 62.0, "male", "M", 7),
    ]
    assert cohort["recorded_at"][0] == datetime(2012, 4, 19, 8, 9, 6)


def test_each_measurement_belongs_to_its_recording(folder):
    database = ecg_view.load(folder)
    rows = {row["recording_id"]: row for row in database.features.collect().iter_rows(named=True)}
    assert set(rows) == set(database.cohort["recording_id"])
    first, second = rows["270-20040703T090513"], rows["270-20040703T090513-2"]
    assert (first["rr_mean_ms"], second["rr_mean_ms"]) == (600, 601)
    assert (first["pr_interval_ms"], first["qrs_duration_ms"], first["jt_interval_ms"]) == (122, 78, 240)
    assert (second["qrs_axis_deg"], second["t_axis_deg"], second["qrs_t_angle_frontal_deg"]) == (-160, -89, 71)
    assert "p_duration_ms" not in first  # nobody published it


def test_what_is_impossible_is_null_unless_raw(folder):
    rows = ecg_view.load(folder).features.filter(recording_id="120971-20120419T080906").collect()
    assert rows.select("rr_mean_ms", "pr_interval_ms", "qrs_duration_ms", "qtc_bazett_ms").row(0) == (None,) * 4
    assert (rows["qrs_axis_deg"][0], rows["qtc_machine_ms"][0]) == (-90, 415)
    raw = (
        load_database("ecg_view_ii", folder, raw=True).features.filter(recording_id="120971-20120419T080906").collect()
    )
    assert raw.select("rr_mean_ms", "qrs_duration_ms", "qrs_axis_deg", "qtc_bazett_ms").row(0) == (None, 1, 270, 415)


def test_bazett_is_within_2_ms_of_the_machine(tmp_path):
    lines = [
        f"{n},2000-01-01 00:00:00,O,M,{rr}.0,150.0,90.0,{qt},{qtc},,,,1\n" for n, (rr, qt, qtc) in enumerate(PRINTED)
    ]
    (tmp_path / "Electrocardiogram.csv").write_text(HEADER + "".join(lines))
    (tmp_path / "Person.csv").write_text(PERSONS)
    rows = ecg_view.load(tmp_path).features.sort("recording_id").collect()
    assert rows["qtc_machine_ms"].to_list() == [qtc for _, _, qtc in PRINTED]
    assert (rows["qtc_bazett_ms"] - rows["qtc_machine_ms"]).abs().max() <= 2


def test_events_by_hand(folder):
    database = ecg_view.load(folder)
    kcd = database.select_events(["kcd"]).collect()
    assert kcd.select("patient_id", "code", "time", "source_id").rows() == [
        ("270", "L738", datetime(2004, 7, 5), "DC12467"),
        ("120971", "I109", datetime(2012, 5, 1), "DC2"),
    ]
    assert database.select_events(["drug"]).collect()["code"].to_list() == ["C07AB02"]
    laboratory = database.select_events(["laboratory"]).collect()
    assert laboratory.select("code", "value", "unit").rows() == [("Potassium", 4.1, None), ("Calcium", None, None)]


def test_ages_are_known_to_half_a_group(folder):
    assert load_database("ecg_view_ii", folder).age_precision_years == 2.5


def test_birth_year_groups():
    groups = pl.DataFrame({"g": [0.0, 23.0, 24.0, 25.0, None]})
    years = groups.select(year=ecg_view.birth_year("g"))["year"].to_list()
    assert years == [1892, 2007, 2011.5, None, None]


def test_without_diagnoses_it_loads_and_without_persons_it_is_none(folder):
    for name in ("Diagnosis", "Drug", "Laboratory"):
        (folder / f"{name}.csv").unlink()
    assert ecg_view.load(folder).events.collect().height == 0
    (folder / "Person.csv").unlink()
    assert recognise_database(folder) is None


def test_a_number_that_is_none_is_refused(folder):
    (folder / "Electrocardiogram.csv").write_text(HEADER + ECGS.replace("318,410,62.0,86.0", "x,410,62.0,86.0"))
    with pytest.raises(pl.exceptions.ComputeError, match=r"`x`.*QT"):
        ecg_view.load(folder).features.collect()
    (folder / "Person.csv").write_text(PERSONS.replace(",10,", ",old,"))
    with pytest.raises(FormatError, match=r"Person\.csv' must hold values of its columns' types; got .*`old`"):
        ecg_view.load(folder)


def test_a_person_twice_is_refused(folder):
    (folder / "Person.csv").write_text(PERSONS + "270,0,3,1\n")
    with pytest.raises(ContractError, match="patient_id must name one row"):
        ecg_view.load(folder)
