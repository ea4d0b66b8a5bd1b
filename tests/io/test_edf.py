"""EDF and BDF files that edfio writes, against edfio's own values; and discontinuous ones made by hand."""

import warnings
from datetime import date, datetime, time
from pathlib import Path

import edfio
import numpy as np
import pytest

from twelvelead.io import open_recording, read
from twelvelead.io.formats.edf import open_edf, recognise_edf
from twelvelead.terms import Error, FormatError

FILES = Path(__file__).parents[2].parent / "shared" / "data" / "formats"
MV = {"V": 1e3, "mV": 1.0, "uV": 1e-3}


def signal(label, fs=250, *, seconds=10, unit="uV", limit=3000, seed=0, kind=edfio.EdfSignal, **said):
    samples = np.random.default_rng(seed).uniform(-0.9 * limit, 0.9 * limit, fs * seconds)
    return kind(samples, fs, label=label, physical_dimension=unit, physical_range=(-limit, limit), **said)


def write(path, *signals, kind=edfio.Edf, **said):
    kind(list(signals), **said).write(path)
    return path


def header(labels, samples_per_record, n_records, *, reserved="EDF+D", record_s="1", mark=b"0       ", **fields):
    """Make a header from the specification: fields of fixed widths, the signals of each side by side."""
    n = len(labels)
    said = {"patient": "X X X X", "recording": "Startdate X X X X", "date": "01.02.20", "time": "03.04.05", **fields}
    content = mark + f"{said['patient']:80}{said['recording']:80}{said['date']:8}{said['time']:8}".encode("latin-1")
    content += f"{256 * (n + 1):<8}{reserved:44}{n_records:<8}{record_s:8}{n:<4}".encode()
    columns = [
        (labels, 16), ([""] * n, 80), (["" if "Anno" in label else "uV" for label in labels], 8), (["-1000"] * n, 8),
        (["1000"] * n, 8), (["-1000"] * n, 8), (["1000"] * n, 8), ([""] * n, 80), (samples_per_record, 8),
        ([""] * n, 32),
    ]  # fmt: skip
    return content + b"".join(f"{value:<{width}}".encode("latin-1") for values, width in columns for value in values)


def discontinuous(path, onsets, steps, **fields):
    """Write records of 1 s, 4 samples of one lead each, that begin at the given times."""
    content = header(["ECG II", "EDF Annotations"], [4, 15], len(onsets), **fields)
    for onset, record in zip(onsets, steps, strict=True):
        content += np.asarray(record, "<i2").tobytes() + f"+{onset:g}\x14\x14\0".encode().ljust(30, b"\0")
    path.write_bytes(content)
    return path


# --- samples ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", MV)
def test_edf_equals_edfios_values(unit, tmp_path):
    limit = {"V": 0.005, "mV": 5, "uV": 3276.7}[unit]
    path = write(
        tmp_path / "x.edf", signal("ECG II", unit=unit, limit=limit), signal("V1", unit=unit, limit=limit, seed=1)
    )
    own = edfio.read_edf(path)
    source = open_recording(path)
    assert (source.read().leads, source.fs, source.n_samples, source.provenance.format) == (
        ("II", "V1"),
        250,
        2500,
        "edf",
    )
    for lead, theirs in zip(("II", "V1"), own.signals, strict=True):
        np.testing.assert_allclose(source.read()[lead], theirs.data * MV[unit], rtol=1e-6, atol=1e-6)
    assert source.step_mv == pytest.approx([2 * limit * MV[unit] / 65535] * 2)


def test_bdf_of_24_bits_equals_edfios_values(tmp_path):
    signals = [
        signal("ECG I", 2048, seconds=3, kind=edfio.BdfSignal),
        signal("ECG V6", 2048, seconds=3, kind=edfio.BdfSignal, seed=5),
    ]
    path = write(tmp_path / "x", *signals, kind=edfio.Bdf)
    source = open_edf(path)
    assert source.provenance.version == "BDF"
    own = edfio.read_bdf(path)
    for row, theirs in zip(source.read().signal, own.signals, strict=True):
        np.testing.assert_allclose(row, theirs.data / 1000, rtol=1e-6, atol=1e-6)


def test_edf_equals_wfdbs_values(tmp_path):
    with warnings.catch_warnings(action="ignore"):  # of the packages that it imports
        from wfdb.io.convert.edf import read_edf as read_by_wfdb
    path = write(tmp_path / "x.edf", signal("ECG II", limit=3276.7), signal("V1", limit=3276.7, seed=1))
    theirs = read_by_wfdb(str(path))
    np.testing.assert_allclose(read(path).signal.T, theirs.p_signal / 1000, atol=6e-5)  # it rounds its baseline


def test_a_span_is_part_of_the_whole(tmp_path):
    path = write(tmp_path / "x.edf", signal("ECG II"), signal("Resp", 10, unit="mV", limit=1))
    source, whole = open_edf(path), read(path)
    for first, stop in [(0, 1), (249, 251), (250, 500), (1, 2499), (2499, 2500), (700, 700)]:
        np.testing.assert_array_equal(source.span(first, stop).signal, whole.signal[:, first:stop])
    assert source.span(300, 400).signal.T.flags.c_contiguous


def test_the_mark_and_the_byte_order_by_hand(tmp_path):
    # Steps from -1000 to 1000 are as many uV; 24-bit -2 is fe ff ff.
    path = tmp_path / "x"
    path.write_bytes(
        header(["ECG V2"], [3], 1, reserved="24BIT", mark=b"\xffBIOSEMI") + bytes([1, 0, 0, 0xFE, 0xFF, 0xFF, 0, 1, 0])
    )
    np.testing.assert_allclose(read(path)["V2"], [0.001, -0.002, 0.256], rtol=1e-6)
    path.write_bytes(header(["ECG V2"], [3], 1, reserved="") + bytes([1, 0, 0xFE, 0xFF, 0, 1]))
    np.testing.assert_allclose(read(path)["V2"], [0.001, -0.002, 0.256], rtol=1e-6)


# --- which signals ----------------------------------------------------------------------------------------------------


def test_leads_are_known_by_their_labels(tmp_path):
    labels = ["ECG II", "EKG avr", "ecg V1-Ref", "V6", "ECG LA-RA", "ECG", "V1-V2", "EEG Fpz-Cz", "ECG II"]
    path = write(tmp_path / "x.edf", *(signal(label, 50) for label in labels))
    source = open_edf(path)
    assert source.read().leads == ("II", "aVR", "V1", "V6", "ECG LA-RA", "ECG", "II 2")
    assert source.notes == (
        "signals that are no ECG lead, no voltage or sampled less often are left out: V1-V2, EEG Fpz-Cz",
    )


def test_without_a_lead_all_voltages_are_kept(tmp_path):
    path = write(tmp_path / "x.edf", signal("ML II"), signal("MV5"), signal("SpO2", 1, unit="%", limit=100))
    assert read(path).leads == ("ML II", "MV5")


def test_leads_of_a_lower_rate_are_left_out(tmp_path):
    path = write(tmp_path / "x.edf", signal("V1", 100), signal("ECG II", 500), signal("EMG", 1000))
    source = open_edf(path)
    assert (source.read().leads, source.fs) == (("II",), 500)
    assert "V1, EMG" in source.notes[0]


@pytest.mark.skipif(not FILES.is_dir(), reason="../shared/data/formats is absent: no real file")
def test_a_file_of_annotations_only_is_refused():
    path = FILES / "wfdb" / "test_edfann.edf"
    assert recognise_edf(path.read_bytes()[:4096], path)
    with pytest.raises(FormatError, match="must hold a signal in mV, uV or V; got EDF Annotations"):
        open_edf(path)


# --- who, when and how ------------------------------------------------------------------------------------------------


def test_edf_plus_says_who_when_and_how(tmp_path):
    path = write(
        tmp_path / "x.edf",
        signal("ECG II", prefiltering="HP:0.05Hz LP:150Hz N:50Hz"),
        patient=edfio.Patient(code="MCH-1", sex="F", birthdate=date(1951, 8, 2), name="Haagse_Mia"),
        recording=edfio.Recording(
            startdate=date(2002, 3, 4), equipment_code="Cart_9", investigator_technician_code="Dr_Who"
        ),
        starttime=time(10, 11, 12, 500000),
        annotations=[edfio.EdfAnnotation(1, None, "Mia moved")],
    )
    source = open_recording(path)
    said = source.provenance
    assert (said.version, said.device) == ("EDF+C", "Cart 9")
    assert said.recorded_at == source.read().start == datetime(2002, 3, 4, 10, 11, 12, 500000)
    assert source.span(500, 600).start == datetime(2002, 3, 4, 10, 11, 14, 500000)
    assert (said.high_pass_hz, said.low_pass_hz, said.notch_hz) == (0.05, 150, 50)
    assert (source.patient.sex, source.patient.age_years, source.patient.name) == ("female", 50, "")
    asked = open_recording(path, identify=True)
    assert (asked.patient.id, asked.patient.name, asked.patient.born) == ("MCH-1", "Haagse Mia", date(1951, 8, 2))
    assert not any(name in repr(source) for name in ("Mia", "Who", "MCH", "1951"))


@pytest.mark.parametrize(
    ("fields", "started"),
    [
        ({"recording": "bed 3", "date": "31.12.84"}, datetime(2084, 12, 31, 3, 4, 5)),
        ({"recording": "bed 3", "date": "31.12.85"}, datetime(1985, 12, 31, 3, 4, 5)),
        ({"recording": "Startdate 05-JUL-2099 X X X"}, datetime(2099, 7, 5, 3, 4, 5)),
        ({"recording": "Startdate X X X X"}, None),
        ({"recording": "", "date": "99.99.20"}, None),
        ({"recording": "", "time": "25.00.00"}, None),
    ],
)
def test_when_it_started(fields, started, tmp_path):
    (tmp_path / "x").write_bytes(header(["V1"], [2], 1, reserved="", **fields) + bytes(4))
    assert open_edf(tmp_path / "x").provenance.recorded_at == started


@pytest.mark.parametrize(
    ("patient", "reserved", "name"), [("Doe, Jane", "", "Doe, Jane"), ("X X X X", "EDF+C", ""), ("X X X X", "", "")]
)
def test_the_patient_of_plain_edf_is_free_text(patient, reserved, name, tmp_path):
    (tmp_path / "x").write_bytes(header(["V1"], [2], 1, reserved=reserved, patient=patient) + bytes(4))
    assert open_edf(tmp_path / "x").patient.name == name


# --- data records -----------------------------------------------------------------------------------------------------


def test_gaps_of_a_discontinuous_file_are_missing_samples(tmp_path):
    steps = np.arange(12).reshape(3, 4)
    source = open_edf(discontinuous(tmp_path / "x.edf", [2, 3, 6.5], steps, recording="Startdate 01-FEB-2020 X X X"))
    expected = [*range(8), *[np.nan] * 10, *range(8, 12)]
    assert (source.fs, source.n_samples, source.provenance.version) == (4, 22, "EDF+D")
    np.testing.assert_allclose(source.read()["II"], np.array(expected) / 1000, rtol=1e-6)
    assert source.read().start == datetime(2020, 2, 1, 3, 4, 7)
    for first in range(22):
        for stop in range(first, 23):
            np.testing.assert_allclose(source.span(first, stop)["II"], np.array(expected[first:stop]) / 1000, rtol=1e-6)
    own = edfio.read_edf(tmp_path / "x.edf").get_signal("ECG II").data  # edfio leaves the gaps out
    np.testing.assert_allclose([1000 * x for x in source.read()["II"] if not np.isnan(x)], own, rtol=1e-6)


@pytest.mark.parametrize(
    ("onsets", "message"),
    [([0, 0.5], "must follow one another; got one at 0.5 s after one at 0 s"), ([5, 1], "must follow one another"),
     ([0, 3600], "must lie together in time; got 2 of 1 s within 3600 s")],
)  # fmt: skip
def test_records_out_of_order_or_far_apart_are_refused(onsets, message, tmp_path):
    with pytest.raises(FormatError, match=message):
        open_edf(discontinuous(tmp_path / "x.edf", onsets, np.zeros((2, 4))))


def test_a_record_of_a_discontinuous_file_must_tell_its_time(tmp_path):
    path = discontinuous(tmp_path / "x.edf", [0, 1], np.zeros((2, 4)))
    path.write_bytes(path.read_bytes().replace(b"+1\x14", b"?1\x14"))
    with pytest.raises(FormatError, match=r"must tell its time; got none in record 1 of x\.edf, byte 806"):
        open_edf(path)


def test_an_unfinished_recording_is_as_long_as_its_file(tmp_path):
    path = tmp_path / "x.edf"
    path.write_bytes(header(["V1"], [2], -1, reserved="") + bytes(4 * 5 + 3))
    source = open_edf(path)
    assert (source.n_samples, source.notes) == (
        10, ("the recording was not finished: 5 data records by the size of the file",)
    )  # fmt: skip
    path.write_bytes(header(["V1"], [2], 3, reserved="") + bytes(4 * 5))
    assert open_edf(path).notes == ("8 bytes after the last data record are left out",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c[:-1], "must have 2 data records of 4 bytes from byte 512; got 7 bytes. The file is cut short"),
        (lambda c: c[:300], "a header must have 512 bytes; got 300"),
        (lambda c: c[:100], "must begin with its version and sizes"),
        (lambda c: c[:236] + b"99999999" + c[244:], "must have 99999999 data records"),
        (lambda c: c[:236] + b"0       " + c[244:], "must have 1 data records"),
        (lambda c: c[:236] + b"1.5     " + c[244:], "number of data records must be a whole number"),
        (lambda c: c[:244] + b"0       " + c[252:], "must hold a signal in mV"),
        (lambda c: c[:244] + b"1e-9    " + c[252:], "sampling frequency must be above 0 and at most 1e\\+06 Hz"),
        (lambda c: c[:244] + b"inf     " + c[252:], "duration of a data record must be a number; got 'inf'"),
        (lambda c: c[:184] + b"768     " + c[192:], "256 more per signal; got 768 bytes for 1 signals"),
        (lambda c: c[:360] + b"1000    " + c[368:], "limits must differ .* got 1000 to 1000"),
        (lambda c: c[:360] + b"-9e300  " + c[368:], "limits must differ and be voltages"),
        (lambda c: c[:384] + b"-1000   " + c[392:], "digital ones in order"),
        (lambda c: c[:472] + b"-2      " + c[480:], "0 samples per record or more; got -2 of 'V1'"),
        (lambda c: c[:472] + b"99999999" + c[480:], "2 data records of 199999998 bytes"),
        (lambda c: c[:472] + b"0       " + c[480:], "a data record must hold samples"),
        (lambda c: c[:352] + b"%       " + c[360:], "must hold a signal in mV, uV or V; got V1"),
    ],
)
def test_a_broken_file_is_refused_with_the_reason(change, message, tmp_path):
    content = header(["V1"], [2], 2, reserved="") + bytes(8)
    (tmp_path / "x.edf").write_bytes(content)
    assert open_edf(tmp_path / "x.edf").n_samples == 4
    (tmp_path / "x.edf").write_bytes(change(content))
    with pytest.raises(FormatError, match=message):
        open_edf(tmp_path / "x.edf").read()


def test_only_edf_is_recognised():
    good = header(["V1"], [2], 1)
    assert recognise_edf(good, Path("x"))
    for other in (b"", good[:200], b"1" + good[1:], good[:252] + b"many" + good[256:], b"0       " + b"a" * 300):
        assert not recognise_edf(other, Path("x.edf"))


@pytest.mark.parametrize("reserved", ["", "EDF+C", "EDF+D"])
def test_mutated_files_raise_nothing_but_errors_of_ours(reserved, tmp_path):
    path = discontinuous(tmp_path / "x.edf", range(40), np.zeros((40, 4)), reserved=reserved)
    good, rng, outcomes = path.read_bytes(), np.random.default_rng(9), {"read": 0, "refused": 0}
    for trial in range(200):
        content = bytearray(good)
        for at in rng.integers(0, len(good) if trial % 2 else 768, rng.integers(1, 5)):
            content[at] = rng.integers(48, 58) if rng.random() < 0.7 else rng.integers(256)
        if trial % 6 == 0:
            del content[rng.integers(len(content)) :]
        path.write_bytes(content)
        try:
            open_edf(path).read()
            outcomes["read"] += 1
        except Error:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 5
