"""What is written as WFDB, read by the wfdb package and by hand."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from twelvelead.io import find_recordings, open_recording, read
from twelvelead.io.formats.metadata import Machine, Patient, Provenance
from twelvelead.io.formats.source import source_of
from twelvelead.io.formats.wfdb_write import write_wfdb, write_wfdb_source
from twelvelead.signal import Recording
from twelvelead.terms import InputError

DATA = Path(__file__).parents[2].parent / "shared" / "data"
AT = datetime(2150, 1, 2, 3, 4, 5)


def write(tmp_path, signal, *, leads=("I",), fs=500, start=None, **said):
    recording = Recording(np.atleast_2d(np.asarray(signal, dtype=np.float64)), leads, fs, "x", start)
    exact = write_wfdb_source(source_of(recording, **said), tmp_path / "x.hea")
    return recording, exact


def lines(tmp_path):
    return (tmp_path / "x.hea").read_text().splitlines()


def by_package(tmp_path, **how):
    wfdb = pytest.importorskip("wfdb", reason="the wfdb package is not installed")
    return wfdb.rdrecord(str(tmp_path / "x"), **how)


def test_the_header_says_each_leads_step(tmp_path):
    _, exact = write(tmp_path, [[0.01, -0.02], [0.02, 0.04]], leads=("I", "V1"), step_mv=(0.005, 0.01), start=AT)
    assert exact
    assert lines(tmp_path) == [
        "x 2 500 2 03:04:05 02/01/2150",
        "x.dat 16 200(0)/mV 16 0 2 -2 0 I",
        "x.dat 16 100(0)/mV 16 0 2 6 0 V1",
    ]
    assert np.fromfile(tmp_path / "x.dat", "<i2").tolist() == [2, 2, -4, 4]
    record = by_package(tmp_path, physical=False)
    assert (record.adc_gain, record.units, record.sig_name) == ([200, 100], ["mV", "mV"], ["I", "V1"])
    assert record.base_datetime == AT


@pytest.mark.parametrize(
    ("most", "number", "missing"), [(32767, 16, -32768), (32768, 24, -(2**23)), (2**23, 32, -(2**31))]
)
def test_the_range_chooses_the_signal_format(most, number, missing, tmp_path):
    steps = np.array([most, -most + 1, np.nan, -1])
    r, exact = write(tmp_path, steps / 1024, step_mv=(1 / 1024,))
    assert exact
    assert lines(tmp_path)[1].startswith(f"x.dat {number} 1024(0)/mV {number} 0 {most} ")
    assert (tmp_path / "x.dat").stat().st_size == 4 * number // 8
    np.testing.assert_array_equal(read(tmp_path / "x.hea").signal, r.signal)
    digital = by_package(tmp_path, physical=False).d_signal[:, 0].tolist()
    assert digital == [most, -most + 1, missing, -1]
    np.testing.assert_array_equal(by_package(tmp_path).p_signal[:, 0], steps / 1024)


@pytest.mark.parametrize("step", [0.00488, 1 / 807, 1 / 3, 0.0025, 1.25e-4, 0.000305])
def test_a_step_comes_back(step, tmp_path):
    r, exact = write(tmp_path, np.arange(-5, 6) * step, step_mv=(step,))
    back = open_recording(tmp_path / "x.hea")
    assert exact
    assert back.step_mv == pytest.approx((step,), rel=1e-15)
    np.testing.assert_allclose(back.read().signal, r.signal, rtol=2**-22, atol=0)


def test_steps_beyond_32_bits_become_coarser(tmp_path):
    signal = 1e6 + np.array([0, 0.0625, 0.125])  # float32 knows no amplitudes between these
    r, exact = write(tmp_path, signal, step_mv=(2**-13,))
    assert not exact
    assert np.abs(read(tmp_path / "x.hea").signal - r.signal).max() <= 0.00101
    np.testing.assert_allclose(by_package(tmp_path).p_signal[:, 0], signal, rtol=0, atol=0.00101)


def test_fs_and_time_keep_all_their_digits(tmp_path):
    start = datetime(2001, 2, 3, 4, 5, 6, 789_000)
    write(tmp_path, [0.0, 1.0], fs=257.8125, start=start)
    back = read(tmp_path / "x.hea")
    assert (back.fs, back.start) == (257.8125, start)
    assert by_package(tmp_path).base_datetime == start


def test_the_time_of_the_device_is_taken_where_the_recording_has_none(tmp_path):
    write(tmp_path, [0.0], provenance=Provenance(recorded_at=AT))
    assert read(tmp_path / "x.hea").start == AT


@pytest.mark.parametrize(
    "statements", [("426783006", "39732003"), ("Sinus rhythm", "Rate < 50", "QRS <120 or >90"), ()]
)
def test_age_sex_and_statements_come_back(statements, tmp_path):
    write(tmp_path, [0.0], patient=Patient("male", 61.5, id="p 1"), machine=Machine({}, statements))
    back = open_recording(tmp_path / "x.hea", identify=True)
    assert back.patient == Patient("male", 61.5, id="p 1")
    assert [s.replace("less than ", "<") for s in back.machine.statements] == list(statements)
    comments = by_package(tmp_path).comments
    assert comments[:3] == ["subject_id: p 1", "Age: 61.5", "Sex: Male"]
    if statements and statements[0].isdigit():
        assert comments[3] == "Dx: 426783006,39732003"  # as the Challenges write it


def test_text_can_not_leave_its_line(tmp_path):
    machine = Machine({}, ("Sinus\nevil.dat 16 1/mV", "\r\n"))
    write(tmp_path, [0.0], leads=("a\nx.dat 16",), machine=machine)
    assert lines(tmp_path)[1:] == [
        "x.dat 16 1000(0)/mV 16 0 0 0 0 a x.dat 16", "# <diagnoses>:", "# Sinus evil.dat 16 1/mV",
    ]  # fmt: skip


@pytest.mark.parametrize("signal", [np.zeros((0, 5)), np.zeros((1, 0))])
def test_nothing_is_no_record(signal, tmp_path):
    with pytest.raises(InputError, match="a WFDB record must hold samples"):
        write_wfdb_source(source_of(Recording(signal, ("I",)[: len(signal)], 500, "x")), tmp_path / "x.hea")
    assert not list(tmp_path.iterdir())


def test_simulated_recordings_are_written_as_they_were(tmp_path):
    write_wfdb(Recording(np.array([[0.001, np.nan]]), ("I",), 500, "x", AT), tmp_path / "x.hea")
    assert lines(tmp_path) == ["x 1 500 2 03:04:05 02/01/2150", "x.dat 16 1000(0)/mV 16 0 1 -32767 0 I"]
    assert np.fromfile(tmp_path / "x.dat", "<i2").tolist() == [1, -32768]


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent: no real recordings to write")
@pytest.mark.parametrize("database", ["ptbxl", "ludb", "challenge2021", "mitdb"])
def test_real_recordings_come_back_bit_by_bit(database, tmp_path):
    wfdb = pytest.importorskip("wfdb", reason="the wfdb package is not installed")
    for found in find_recordings([DATA / database])[:4]:
        source = open_recording(found.file)
        assert write_wfdb_source(source, tmp_path / "x.hea")
        np.testing.assert_array_equal(read(tmp_path / "x.hea").signal, source.read().signal)
        ours, theirs = (
            wfdb.rdrecord(str(tmp_path / "x"), physical=False),
            wfdb.rdrecord(str(Path(found.file).with_suffix("")), physical=False),
        )
        assert (ours.d_signal - ours.baseline == theirs.d_signal - theirs.baseline).all()
        assert ours.adc_gain == pytest.approx(theirs.adc_gain, rel=1e-15)
