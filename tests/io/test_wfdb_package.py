"""What is left to the wfdb package: every real file against it, and what it must not be given."""

from pathlib import Path

import numpy as np
import pytest

from twelvelead.io import open_recording, read
from twelvelead.terms import FormatError

wfdb = pytest.importorskip("wfdb", reason="the wfdb package is not installed: no independent reader")
DATA = Path(__file__).parents[2].parent / "shared" / "data" / "formats" / "wfdb"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent: no real recordings to read")


@needs_data
@pytest.mark.parametrize(
    "name",
    ["100_3chan", "310derive", "311derive", "a103l", "v102s", "binformats", "flacformats", "s0010_re"],
)
def test_every_real_file_equals_the_package(name):
    header = wfdb.rdheader(str(DATA / name))
    there = [n for n, file in enumerate(header.file_name) if (DATA / file).is_file()]
    theirs = wfdb.rdrecord(str(DATA / name), channels=there)
    voltages = [unit == "mV" for unit in theirs.units]
    source = open_recording(DATA / f"{name}.hea")
    # float32 keeps 24 bits: 6e-8 of the amplitude, which in format 32 is up to 1e7 mV.
    np.testing.assert_allclose(source.read().signal, theirs.p_signal.T[voltages], rtol=1.2e-7, atol=1e-6)
    gains = np.array(theirs.adc_gain)[voltages]
    np.testing.assert_allclose(source.step_mv, 1 / gains, rtol=1e-12)


@needs_data
def test_a_record_without_its_signal_file_is_refused():
    with pytest.raises(FormatError, match=r"'100\.dat' must lie beside its header; got none for 100skew\.hea"):
        read(DATA / "100skew.hea")


@needs_data
def test_the_leads_that_are_there_are_read_and_the_others_named():
    source = open_recording(DATA / "s0010_re.hea")
    assert source.read().leads == ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    assert source.notes == ("signals vx, vy, vz are left out: their file s0010_re.xyz is absent.",)


def test_leads_of_an_absent_file_are_left_out_by_the_package_too(tmp_path):
    lines = "no.dat 16 1/mV\nr.dat 61 1/mV 16 0 0 0 0 II\nr.dat 61 1/NU\nr.dat 61 2/uV 16 0 0 0 0 V1\n"
    (tmp_path / "r.hea").write_text(f"r 4 500 2 10:00:00 01/02/2003\n{lines}")
    (tmp_path / "r.dat").write_bytes(np.array([1, 7, 2, 3, 7, 4], dtype=">i2").tobytes())
    source = open_recording(tmp_path / "r.hea")
    assert (source.read().leads, source.step_mv) == (("II", "V1"), (1.0, 0.0005))
    np.testing.assert_allclose(source.read().signal, [[1, 3], [0.001, 0.002]], rtol=0, atol=1e-9)
    assert source.span(1, 2).signal[0].tolist() == [3.0]
    assert source.read().start.year == source.provenance.recorded_at.year == 2003
    assert len(source.notes) == 1


@pytest.mark.parametrize("skew", [4, 10**12])
def test_a_skew_beyond_the_record_is_refused(skew, tmp_path):
    (tmp_path / "r.dat").write_bytes(bytes(12))
    (tmp_path / "r.hea").write_text(f"r 2 500 3\nr.dat 16 1/mV\nr.dat 16:{skew} 1/mV\n")
    with pytest.raises(FormatError, match=f"skewed by less than the record is long; got {skew} samples"):
        read(tmp_path / "r.hea")


@pytest.mark.parametrize("header", ["r 1 500\nr.dat 16x1000000000 1/mV\n", "r 1 500 5\nr.dat 16x1000000000 1/mV\n"])
def test_a_frame_larger_than_the_file_is_refused(header, tmp_path):
    (tmp_path / "r.dat").write_bytes(bytes(12))
    (tmp_path / "r.hea").write_text(header)
    with pytest.raises(FormatError, match="The file is cut short"):
        read(tmp_path / "r.hea")
