"""Conversion of archives: the same samples elsewhere, and of whom they are only if it is asked for."""

import hashlib
import os
import re
import signal
import stat
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from twelvelead.app.cli import main
from twelvelead.io import find_recordings, open_recording, read, read_table
from twelvelead.io.formats.wfdb_write import write_wfdb
from twelvelead.signal import Recording
from twelvelead.study import convert_files, converting
from twelvelead.study.conversion import place
from twelvelead.terms import FAILURES, LEADS, InputError

FORMATS = Path(__file__).parents[2].parent / "shared" / "data" / "formats"
real = pytest.mark.skipif(not FORMATS.is_dir(), reason="../shared/data is absent: no real files to convert")
CANARY = re.compile(rb"canary|c\0a\0n\0a\0r\0y|75319024", re.IGNORECASE)
AT = datetime(2019, 5, 6, 7, 8, 9)


def ecg(n=0, at=AT):
    steps = np.random.default_rng(n).integers(-900, 900, (12, 600))
    return Recording(steps / 1000, LEADS, 500, f"r{n}", at)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    for n in range(24):
        header = write_wfdb(ecg(n), folder / f"ward {n % 3}" / f"{n:03d}.hea")
        header.write_text(header.read_text() + f"# Age: {40 + n}\n# Sex: Male\n# <diagnoses>:\n# Sinus rhythm\n")
    return folder


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(converting, "BATCH", 5)


def tree(folder):
    """Each file's hash by its path."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def needs(form):
    if form == "dicom":
        pytest.importorskip("pydicom", reason="pydicom is not installed")


# --- what is written --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["wfdb", "dicom", "shards"])
def test_samples_leads_and_times_stay(to, archive, tmp_path, small_batches):
    needs(to)
    converted = convert_files([archive], out=tmp_path / "out", to=to)
    assert (converted.n_written, converted.n_rounded, converted.failures.height) == (24, 0, 0)
    by_start = {r.recording_id[-3:]: r for r in find_recordings([tmp_path / "out"])}
    assert len(by_start) == 24
    for found in find_recordings([archive]):
        new = by_start[found.recording_id[-3:]]
        given, got = open_recording(found.file), open_recording(new.file, entry=new.entry)
        np.testing.assert_allclose(got.read().signal, given.read().signal, rtol=2**-22, atol=0)
        assert (got.read().leads, got.fs, got.read().start) == (LEADS, 500, AT)
        assert (got.patient, got.machine.statements) == (given.patient, ("Sinus rhythm",))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_tree_of_folders_is_kept(archive, tmp_path):
    convert_files([archive], out=tmp_path / "out", to="wfdb")
    assert (tmp_path / "out" / place("ward 1/001", ".hea")).is_file()
    assert len({path.parent for path in (tmp_path / "out").rglob("*.hea")}) == 3
    convert_files([archive], out=tmp_path / "shards", to="shards")
    assert pl.read_parquet(tmp_path / "shards" / "index.parquet")["recording_id"].to_list() == sorted(
        f.recording_id for f in find_recordings([archive])
    )


@pytest.mark.parametrize(
    "name", ["../../evil", "/etc/passwd", "..", "a/../../b", "", "a//b", "-x", "a\0b", "ä", "x" * 300]
)
def test_no_id_leads_out_of_the_folder(name, tmp_path):
    path = place(name, ".hea")
    assert not path.is_absolute()
    assert (tmp_path / path).resolve().is_relative_to(tmp_path)
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}(\.hea)?", part) for part in path.parts)


def test_ids_that_differ_have_places_that_differ():
    names = ["a/b", "a_b", "a b", "a\tb", "A b", "a.b", "a//b", "a/./b", "../a", "a", "ä", "ö", "a/b/"]
    assert len({place(name, "") for name in names}) == len(names)
    assert place("ward/0042", ".hea").as_posix() == "ward/0042.hea"


def test_one_file_becomes_one_file(archive, tmp_path):
    path = next(archive.rglob("*.hea"))
    converted = convert_files([path], out=tmp_path / "new.hea", to="wfdb")
    assert (converted.n_written, sorted(p.name for p in tmp_path.iterdir())) == (1, ["new.dat", "new.hea"])
    np.testing.assert_array_equal(read(tmp_path / "new.hea").signal, read(path).signal)
    with pytest.raises(InputError, match=r"a single recording can become new\.hea; got 24"):
        convert_files([archive], out=tmp_path / "new.hea", to="wfdb")


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_what_can_not_be_converted_is_listed(tmp_path, small_batches):
    given = tmp_path / "in"
    write_wfdb(ecg(1), given / "good.hea")
    write_wfdb(ecg(2), given / "cut.hea")
    (given / "cut.dat").write_bytes(b"\0" * 77)
    write_wfdb(ecg(3), given / "huge.hea")
    (given / "huge.hea").write_text((given / "huge.hea").read_text().replace(" 1000(0)/mV", " 0.00001(0)/V"))
    write_wfdb(ecg(3), tmp_path / "more" / "twin.hea")
    write_wfdb(ecg(3), given / "twin.hea")
    paths = [given, tmp_path / "more" / "twin.hea"]
    converted = convert_files(paths, out=tmp_path / "out", to="shards", failures=tmp_path / "failures.csv")
    assert converted.n_written == 1
    rows = {row["recording_id"]: row for row in read_table(tmp_path / "failures.csv").to_dicts()}
    assert {name: row["reason"] for name, row in rows.items()} == {
        "cut": "unreadable", "huge": "unwritable", "twin": "duplicate",
    }  # fmt: skip
    assert "got 77 in record 'cut'" in rows["cut"]["message"]
    assert "amplitudes must be below" in rows["huge"]["message"]
    FAILURES.check(converted.failures)
    assert pl.read_parquet(tmp_path / "out" / "index.parquet")["recording_id"].to_list() == ["good"]


def test_a_fault_of_ours_costs_one_recording(archive, tmp_path, monkeypatch):
    from twelvelead.study import conversion

    write = conversion.write_wfdb_source

    def break_down(source, header):
        if header.stem == "007":
            raise IndexError("list index out of range")
        return write(source, header)

    monkeypatch.setattr(conversion, "write_wfdb_source", break_down)
    converted = convert_files([archive], out=tmp_path / "out", to="wfdb")
    assert (converted.n_written, converted.failures["reason"].to_list()) == (23, ["fault"])
    assert "IndexError: list index out of range (test_converting.py, line" in converted.failures["message"][0]


def test_where_nothing_can_be_converted_there_is_nothing(tmp_path):
    write_wfdb(ecg(2), tmp_path / "cut.hea")
    (tmp_path / "cut.dat").unlink()
    converted = convert_files([tmp_path / "cut.hea"], out=tmp_path / "out", to="wfdb")
    assert (converted.n_written, converted.failures.height) == (0, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["cut.hea"]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"to": "edf"}, "can be converted to wfdb, dicom, shards; got 'edf'"),
        ({"out": "x.dcm"}, r"what becomes wfdb must have a name that fits; got 'x\.dcm'"),
        ({"to": "shards", "out": "x.hea"}, "what becomes shards must have a name that fits"),
        ({"key": "key"}, "a key and a crosswalk belong to de-identified recordings"),
        ({"crosswalk": "ids.csv"}, "a key and a crosswalk belong to de-identified recordings"),
        ({"deidentify": True, "identify": True}, "must be kept or left out; got both"),
        ({"deidentify": True, "key": "out/key"}, "must lie outside of out"),
        ({"deidentify": True, "crosswalk": "out/ids.csv"}, "must lie outside of out"),
        ({"failures": "failures.txt"}, "a table's name must end in"),
        ({"out": "."}, "out must be a new or empty folder"),
        ({"out": "in/out"}, "out must lie outside of what is converted"),
        ({"workers": 0}, "workers must be at least 1"),
    ],
)
def test_what_contradicts_itself_is_refused(how, message, tmp_path):
    write_wfdb(ecg(), tmp_path / "in" / "r.hea")
    places = {"out": tmp_path / "out"} | {
        name: tmp_path / value for name, value in how.items() if name in {"out", "key", "crosswalk", "failures"}
    }
    with pytest.raises(InputError, match=message):
        convert_files([tmp_path / "in"], **({"to": "wfdb"} | how | places))
    assert not (tmp_path / "out").exists()


# --- the same bytes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["wfdb", "shards"])
def test_workers_change_no_byte(to, archive, tmp_path, small_batches):
    key = tmp_path / "key"
    for workers in (1, 2):
        convert_files([archive], out=tmp_path / str(workers), to=to, workers=workers, deidentify=True, key=key)
    assert tree(tmp_path / "1") == tree(tmp_path / "2")
    assert len(tree(tmp_path / "1")) == (48 if to == "wfdb" else 5 + 2)


def test_a_killed_run_resumes_to_the_same_bytes(archive, tmp_path, small_batches):
    to = "shards"
    convert_files([archive], out=tmp_path / "whole", to=to)
    out = tmp_path / "killed"
    code = f"""
import time
from pathlib import Path
from twelvelead.study import conversion, convert_files, converting
converting.BATCH = 5
convert_one = conversion.convert_one
def slowly(*arguments):
    time.sleep(0.02)
    return convert_one(*arguments)
conversion.convert_one = slowly
convert_files([Path({str(archive)!r})], out=Path({str(out)!r}), to={to!r})
"""
    process = subprocess.Popen([sys.executable, "-c", code])  # noqa: S603 - our own code
    batches = tmp_path / ".killed.unfinished" / "batches"
    deadline = time.monotonic() + 60
    while len(list(batches.glob("*.outcome.parquet"))) < 2 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not out.exists()
    done = {path: path.stat().st_mtime_ns for path in batches.glob("*.outcome.parquet")}
    assert 2 <= len(done) < 5
    seen = []
    converted = convert_files([archive], out=out, to=to, progress=lambda *told: seen.append(told))
    assert seen[0] == ("converting", 0, 24 - 5 * len(done))
    assert converted.n_written == 24
    assert tree(out) == tree(tmp_path / "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed", "whole"]


def test_half_a_file_that_a_killed_run_left_is_not_taken(archive, tmp_path, small_batches):
    def leave(stage, done, total):
        if done == 5:
            (tmp_path / ".out.unfinished" / "files" / ".004.dat.x7.unfinished").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert_files([archive], out=tmp_path / "out", to="wfdb", progress=leave)
    convert_files([archive], out=tmp_path / "out", to="wfdb")
    assert len(tree(tmp_path / "out")) == 48
    assert not [name for name in tree(tmp_path / "out") if "unfinished" in name]


def test_what_a_run_of_another_plan_left_is_not_taken(archive, tmp_path, small_batches):
    work = tmp_path / ".out.unfinished"
    (work / "files").mkdir(parents=True)
    (work / "files" / "stale.hea").write_text("stale")
    (work / "plan").write_text("another")
    convert_files([archive], out=tmp_path / "out", to="wfdb")
    assert "stale.hea" not in tree(tmp_path / "out")


# --- de-identification ------------------------------------------------------------------------------------------------


def plant_wfdb(folder):
    """Canaries in everything that a WFDB record can say of a person."""
    for n in (1, 2):
        header = write_wfdb(ecg(n, AT.replace(year=2018 + n)), folder / "Canary Ward" / f"CANARY75319024{n}.hea")
        text = header.read_text().replace(" V6\n", " Canary's lead\n")
        header.write_text(
            f"{text}# subject_id: CANARY77\n# Age: 95\n# Sex: F\n# Name: Canary, Jane\n# <diagnoses>:\n# Sinus rhythm\n"
            "# Confirmed by Dr. Canary 1.1.2020\n# compared with 06/05/2018\n# see MRN 75319024\n"
        )


def plant_xml(folder, file, pattern):
    """Canaries in those elements of a real file that match a pattern."""
    text = (FORMATS / file).read_bytes()
    planted, n = re.subn(pattern, rb"\1CANARY75319024\3", text)
    assert n > 2
    folder.mkdir(exist_ok=True)
    (folder / f"CANARY {Path(file).name}").write_bytes(planted)


def plant_muse(folder):
    plant_xml(folder, "muse/example.xml", rb"(<(?:PatientID|[A-Za-z]*(?:Name|HISID|Number|ID|Location))>)([^<]*)(</)")


def plant_aecg(folder):
    plant_xml(folder, "aecg/example.xml", rb"(<name>|<id root=\"2[^\"]*\" extension=\")([^<\"]*)(<|\")")


def plant_dicom(folder):
    pydicom = pytest.importorskip("pydicom", reason="pydicom is not installed")
    dataset = pydicom.dcmread(FORMATS / "dicom" / "example.dcm")
    for name in (
        "PatientName", "PatientID", "OtherPatientNames", "PatientAddress", "PatientTelephoneNumbers", "InstitutionName",
        "ReferringPhysicianName", "OperatorsName", "StationName", "AccessionNumber", "StudyID", "DeviceSerialNumber",
        "PatientComments", "PhysiciansOfRecord", "StudyDescription",
    ):  # fmt: skip
        setattr(dataset, name, "CANARY75319024")
    folder.mkdir(exist_ok=True)
    dataset.save_as(folder / "CANARY.dcm")


PLANTS = {"wfdb": plant_wfdb, "muse": plant_muse, "aecg": plant_aecg, "dicom": plant_dicom}


def everything(folder):
    """All bytes and names below a folder; what is compressed also as text."""
    for path in folder.rglob("*"):
        yield path.name.encode()
        if path.is_file():
            yield path.read_bytes()
        if path.suffix == ".parquet":
            yield repr(pl.read_parquet(path).to_dicts()).encode()


@real
@pytest.mark.parametrize("to", ["wfdb", "dicom", "shards"])
@pytest.mark.parametrize("form", PLANTS)
def test_nothing_that_names_gets_out(form, to, tmp_path, capfd):
    needs(to)
    PLANTS[form](tmp_path / "in")
    for found in find_recordings([tmp_path / "in"]):  # the reader does see them
        assert CANARY.search(repr(open_recording(found.file, identify=True).patient).encode())
    write_wfdb(ecg(5), tmp_path / "in" / "canary_cut.hea")
    (tmp_path / "in" / "canary_cut.dat").write_bytes(b"")
    (tmp_path / "in" / "CANARY75319024.scp").write_bytes(b"canary")
    (tmp_path / "in" / "canary_sum.hea").write_text("canary_sum 1 500 2\ncanary_sum.dat 16 1000/mV 16 0 0 9 0 I\n")
    (tmp_path / "in" / "canary_sum.dat").write_bytes(b"\0" * 4)  # whose checksum is wrong: a warning of its reader
    out = tmp_path / "out"
    arguments = ["convert", str(tmp_path / "in"), str(out / "ecgs"), "--to", to, "--deidentify", "--workers", "1"]
    assert main([*arguments, "--failures", str(out / "failures.csv"), "--key", str(out / "key")]) == 4
    assert read_table(out / "failures.csv").height == 2
    told = capfd.readouterr()
    for content in (*everything(out), told.out.encode(), told.err.encode()):
        assert not CANARY.search(content)
    assert list((out / "ecgs").rglob("*"))


def test_a_patient_can_be_followed_and_nothing_else(tmp_path):
    plant_wfdb(tmp_path / "in")
    key, ids = tmp_path / "key", tmp_path / "ids.csv"
    converted = convert_files(
        [tmp_path / "in"], out=tmp_path / "a", to="shards", deidentify=True, key=key, crosswalk=ids
    )
    assert (converted.n_written, converted.n_dropped) == (2, 6)
    rows = pl.read_parquet(tmp_path / "a" / "index.parquet").sort("recorded_at")
    assert rows["patient_id"].n_unique() == 1
    assert (rows["age_years"].to_list(), rows["sex"].to_list()) == ([90.0, 90.0], ["female", "female"])
    first, second = rows["recorded_at"]
    assert (second - first).days == 366
    assert first.time() == AT.time()
    assert first < datetime(2019, 5, 6)
    crosswalk = read_table(ids)
    assert crosswalk["recording_id"].to_list() == ["Canary Ward/CANARY753190241", "Canary Ward/CANARY753190242"]
    assert set(crosswalk["new_id"]) == set(rows["recording_id"])
    assert set(crosswalk["new_patient_id"]) == set(rows["patient_id"])
    assert crosswalk["patient_id"].to_list() == ["CANARY77", "CANARY77"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in (key, ids)] == [0o600, 0o600]
    convert_files([tmp_path / "in"], out=tmp_path / "b", to="shards", deidentify=True, key=key)
    convert_files([tmp_path / "in"], out=tmp_path / "c", to="shards", deidentify=True)
    assert tree(tmp_path / "b") == tree(tmp_path / "a")
    others = pl.read_parquet(tmp_path / "c" / "index.parquet")
    assert not set(others["recording_id"]) & set(rows["recording_id"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c", "ids.csv", "in", "key"]


def test_a_single_file_can_be_deidentified(tmp_path):
    plant_wfdb(tmp_path / "in")
    header = next((tmp_path / "in").rglob("*.hea"))
    converted = convert_files([header], out=tmp_path / "out" / "new.hea", to="wfdb", deidentify=True)
    assert (converted.n_written, converted.n_dropped) == (1, 3)
    assert not any(CANARY.search(content) for content in everything(tmp_path / "out"))
    new = open_recording(tmp_path / "out" / "new.hea", identify=True)
    assert re.fullmatch("[0-9a-f]{16}", new.patient.id)
    assert new.machine.statements == ("Sinus rhythm",)
    header.with_suffix(".dat").unlink()
    failed = convert_files([header], out=tmp_path / "none.hea", to="wfdb", deidentify=True).failures
    assert not CANARY.search(repr(failed.to_dicts()).encode())
    assert failed["reason"].to_list() == ["unreadable"]


def test_a_key_of_another_kind_is_refused(archive, tmp_path):
    (tmp_path / "key").write_text("secret")
    with pytest.raises(InputError, match="a key must have 64 hexadecimal digits; got another content in key"):
        convert_files([archive], out=tmp_path / "out", to="wfdb", deidentify=True, key=tmp_path / "key")


def test_identity_is_kept_only_if_asked_for(tmp_path):
    plant_wfdb(tmp_path / "in")
    for name, identify in (("without", False), ("with", True)):
        convert_files([tmp_path / "in"], out=tmp_path / name, to="shards", identify=identify)
        assert set(pl.read_parquet(tmp_path / name / "index.parquet")["patient_id"]) == {"CANARY77" if identify else ""}


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_chooses_the_format_by_the_name(archive, tmp_path, capsys):
    path = str(next(archive.rglob("*.hea")))
    assert main(["convert", path, str(tmp_path / "a.hea")]) == 0
    assert main(["convert", path, str(tmp_path / "folder"), "--workers", "1"]) == 0
    assert "1 recording(s) converted, 0 refused" in capsys.readouterr().err
    assert len(find_recordings([tmp_path / "folder"])) == 1
    assert main(["convert", path, str(tmp_path / "folder")]) == 3
    assert "out must be a new or empty folder" in capsys.readouterr().err
    pytest.importorskip("pydicom", reason="pydicom is not installed")
    assert main(["convert", path, str(tmp_path / "a.dcm")]) == 0
    np.testing.assert_allclose(read(tmp_path / "a.dcm").signal, read(tmp_path / "a.hea").signal, rtol=2**-22)


def test_the_command_says_what_is_rounded(tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.linspace(0, 1, 1000)[:, None])
    table = ["--fs", "500", "--leads", "I", "--units", "mV"]
    assert main(["convert", str(tmp_path / "x.npy"), str(tmp_path / "a.hea"), *table]) == 0
    assert "1 of them lie between steps" in capsys.readouterr().err
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY")
    assert main(["convert", str(tmp_path / "x.npy"), str(tmp_path / "y.hea"), *table]) == 3
