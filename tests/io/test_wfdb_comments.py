"""What headers say in their comments: lines as the archives write them, and real headers."""

from datetime import datetime
from pathlib import Path

import pytest

from twelvelead.io import open_recording
from twelvelead.io.formats.metadata import Patient
from twelvelead.io.formats.wfdb_comments import read_comments

DATA = Path(__file__).parents[2].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent: no real recordings to read")


@pytest.mark.parametrize(
    ("lines", "patient", "statements"),
    [
        (("Age: 74", "Sex: Male", "Dx: 426783006,39732003", "Rx: Unknown"), ("male", 74), ("426783006", "39732003")),
        (("Age: NaN", "Sex: Unknown", "Dx: Unknown"), (None, None), ()),
        (("Age: -1", "Sex: F"), ("female", None), ()),
        (("Age: 300",), (None, None), ()),
        (("<age>: 51", "<sex>: F", "<diagnoses>:", "Rhythm: x.", "", "Y. "), ("female", 51), ("Rhythm: x.", "Y. ")),
        (("<age>: 65 <sex>: M <diagnoses> Angina", "patient 7", "PVCs"), ("male", 65), ("Angina", "PVCs")),
        (("69 M 1085 1629 x1", "Aldomet, Inderal"), ("male", 69), ()),
        (("age: 81", "sex: female", "Reason for admission: Infarction", "Smoker: no"), ("female", 81),
         ("Reason for admission: Infarction",)),
        (("Former infarction (localization): no", "Additional diagnoses: n/a"), (None, None), ()),
        (("Sex: male", "Sex: female"), ("male", None), ()),
        ((), (None, None), ()),
    ],
)  # fmt: skip
def test_comments_of_every_archive(lines, patient, statements):
    said = read_comments(lines)
    assert (said.patient.sex, said.patient.age_years) == patient
    assert said.statements == statements


def test_whom_a_record_is_of_is_told_only_if_asked_for(tmp_path):
    (tmp_path / "r.dat").write_bytes(b"\1\0")
    (tmp_path / "r.hea").write_text("r 1 500 1\nr.dat 16 1/mV 16 0 1 1 0 I\n# <subject_id>: 4711\n")
    assert open_recording(tmp_path / "r.hea").patient == Patient()
    assert open_recording(tmp_path / "r.hea", identify=True).patient.id == "4711"
    assert read_comments(("<age>: 65 <sex>: M", "patient 7")).patient.id == "7"


@pytest.mark.parametrize(
    ("text", "day"),
    [("01/10/1990", datetime(1990, 10, 1)), ("07.12.2004", datetime(2004, 12, 7)), ("31.02.2004", None), ("May", None)],
)
def test_the_day_comes_first(text, day):
    assert read_comments((f"ECG date: {text}",)).recorded_on == day


@needs_data
@pytest.mark.parametrize(
    ("name", "sex", "age", "n_statements", "recorded_at"),
    [
        ("ptbxl/records500/00000/00001_hr", None, None, 0, None),
        ("formats/wfdb/s0010_re", "female", 81, 3, datetime(1990, 10, 1)),
        ("ludb/1", "female", 51, 5, None),
        ("ecg-id/Person_01/rec_1", "male", 25, 0, datetime(2004, 12, 7)),
        ("challenge2021/JS20018", "male", 86, 3, None),
        ("mitdb/100", "male", 69, 0, None),
    ],
)
def test_real_headers(name, sex, age, n_statements, recorded_at):
    source = open_recording(DATA / f"{name}.hea")
    assert (source.patient.sex, source.patient.age_years) == (sex, age)
    assert len(source.machine.statements) == n_statements
    assert source.provenance.recorded_at == source.span(0, 1).start == recorded_at
