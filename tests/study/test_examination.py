"""What `twelvelead doctor --data` says of a folder."""

from pathlib import Path

import pytest

from twelvelead.study import examine
from twelvelead.terms import InputError

DATA = Path(__file__).parents[2].parent / "shared" / "data"


def said(folder):
    """Give the lines about the folder, those of one name together."""
    lines = examine(folder)
    told = {}
    for name, text in lines[[name for name, _ in lines].index("data") :]:
        told.setdefault(name, []).append(text)
    return told


def needs(name):
    return pytest.mark.skipif(not (DATA / name).is_dir(), reason=f"../shared/data/{name} is absent")


@needs("mimic-iv-demo")
def test_the_mimic_demo():
    told = said(DATA / "mimic-iv-demo")
    assert told["database"][0].startswith("mimic_iv")
    hospital = told["MIMIC-IV hosp"][0]
    for part in ("patients 100 rows (as in release demo 2.2)", "admissions 275 rows", "labevents 107727 rows"):
        assert part in hospital
    assert told["MIMIC-IV-ECG"] == ["not there"]
    assert told["patients"] == ["100"]
    assert told["stays"] == ["275 hospital"]
    assert told["systems"] == ["icd10, icd9, laboratory, omr"]
    assert told["waveform files"] == ["0"]


@needs("mimic-iv-ecg")
def test_a_table_of_no_known_size_is_named():
    told = said(DATA / "mimic-iv-ecg")
    assert "machine_measurements 1 rows (of no release that is known here)" in told["MIMIC-IV-ECG"][0]
    assert told["recordings"] == ["1 in the tables, no waveform files, 26 measurements that came with them"]


@needs("ptbxl")
def test_ptbxl_can_be_studied():
    told = said(DATA / "ptbxl")
    assert told["recordings"] == ["350 in the tables, 0 of them without waveform file"]
    assert told["events"] == ["1286 (ptbxl_superclass 416, scp 870)"]
    assert "ptbxl" in told["can be studied by"][0].split(", ")


def exams(folder, text="True,523632,exams_part0.hdf5"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "exams.csv").write_text(
        "exam_id,age,1dAVb,RBBB,LBBB,SB,ST,AF,is_male,patient_id,trace_file\n1,38,,,,,,," + text + "\n"
    )


def people(folder):
    folder.mkdir(parents=True, exist_ok=True)
    columns = "RR,PR,QRS,QT,QTc,P_wave_axis,QRS_axis,T_wave_axis"
    (folder / "Electrocardiogram.csv").write_text(f"personid,ecgdate,{columns}\n1,2000-01-01 00:00:00,,,,,,,,\n")
    (folder / "Person.csv").write_text("personid,sex,Birthyeargroup\n1,1,5\n")


def test_two_databases_in_one_folder_are_both_told(tmp_path):
    exams(tmp_path / "a")
    people(tmp_path / "b")
    told = said(tmp_path)
    assert [text.split(":")[0] for text in told["database"]] == ["ecg_view_ii", "code15"]
    assert "below" not in told


def test_databases_below_are_told(tmp_path):
    people(tmp_path)
    below = tmp_path / "mine"
    below.mkdir()
    (below / "cohort.csv").write_text("recording_id,patient_id\nr,p\n")
    (below / "events.csv").write_text("patient_id,system,code\np,icd10,I10\n")
    assert said(tmp_path)["below"] == [f"mine is tables: give --data {below}"]
    told = said(below)
    assert told["events"] == ["1 (icd10 1)"]
    assert told["recordings"] == ["1 in the tables, no waveform files"]


def test_missing_tables_and_other_versions_are_told(tmp_path):
    people(tmp_path)
    (tmp_path / "Diagnosis.csv").write_text("personid,diagdate\n1,2000-01-01\n")
    told = said(tmp_path)
    assert told["ECG-ViEW II"][0].endswith("missing: Diagnosis, DiagnosisCodeMaster, Drug, Laboratory")
    assert told["unknown version"] == ["Diagnosis.csv lacks diagcode, so it is not read as ecg_view_ii"]


def test_absent_waveforms_are_counted(tmp_path):
    exams(tmp_path)
    assert said(tmp_path)["recordings"] == ["1 in the tables, 1 of them without waveform file"]


def test_a_study_that_lacks_its_outcomes_is_told(tmp_path, monkeypatch):
    from twelvelead.study import examination

    exams(tmp_path)
    study = examination.load_study("ptbxl")
    needy = study.model_copy(update={"database": study.database.model_copy(update={"kind": "code15"})})
    monkeypatch.setattr(examination, "load_study", lambda _: needy)
    monkeypatch.setattr(examination, "builtin_studies", lambda: ("needy",))
    assert said(tmp_path)["can be studied by"] == ["needy (lacks ptbxl_superclass)"]


def test_an_unknown_folder(tmp_path):
    told = said(tmp_path)
    assert told["database"][0].startswith("none that is known here (ptbxl: ")
    with pytest.raises(InputError, match="--data must be a folder"):
        examine(tmp_path / "nowhere")
