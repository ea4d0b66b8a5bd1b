"""DICOM files that this package writes, read by pydicom, which validates them, and by this package's own reader."""

import sys
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest

from twelvelead.io.formats.dicom import open_dicom
from twelvelead.io.formats.dicom_write import write_dicom
from twelvelead.io.formats.metadata import Machine, Patient, Provenance
from twelvelead.io.formats.source import source_of
from twelvelead.signal import Recording
from twelvelead.terms import LEADS, InputError, MissingExtra

FILES = Path(__file__).parents[2].parent / "shared" / "data" / "formats" / "dicom"

# Types 1 and 2 of the modules that PS3.3 demands of an ECG (A.34.3 and A.34.4): there, and those of type 1 not empty.
NOT_EMPTY = ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "InstanceNumber",
             "ContentDate", "ContentTime", "AcquisitionDateTime", "WaveformSequence"]  # fmt: skip
THERE = ["PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
         "ReferringPhysicianName", "AccessionNumber", "SeriesNumber", "Manufacturer",
         "AcquisitionContextSequence"]  # fmt: skip
OF_GROUP = ["WaveformOriginality", "NumberOfWaveformChannels", "NumberOfWaveformSamples", "SamplingFrequency",
            "ChannelDefinitionSequence", "WaveformBitsAllocated", "WaveformSampleInterpretation",
            "WaveformData"]  # fmt: skip
OF_CHANNEL = ["ChannelSourceSequence", "ChannelSensitivity", "ChannelSensitivityUnitsSequence", "ChannelBaseline",
              "ChannelSensitivityCorrectionFactor", "ChannelSampleSkew", "WaveformBitsStored"]  # fmt: skip


@pytest.fixture
def strict():
    """Let pydicom raise at any value that DICOM does not allow, when it reads or writes."""
    settings = pydicom.config.settings
    before = settings.reading_validation_mode, settings.writing_validation_mode
    settings.reading_validation_mode = settings.writing_validation_mode = pydicom.config.RAISE
    yield
    settings.reading_validation_mode, settings.writing_validation_mode = before


def recording(leads=LEADS, n_samples=1000, fs=500.0, seed=1, step=0.0025, start=datetime(2021, 3, 4, 5, 6, 7, 80000)):
    steps = np.random.default_rng(seed).integers(-2000, 2000, (len(leads), n_samples))
    return Recording(steps * step, leads, fs, "x", start)


def full_source(**changes):
    r = recording()
    said = {
        "machine": Machine(
            {"heart_rate_bpm": 61.0, "pr_interval_ms": 150.0, "qtc_bazett_ms": 410.5, "qrs_axis_deg": -61.0},
            ("Sinus rhythm", "Übergang in V4 — normal"),
        ),
        "provenance": Provenance("wfdb", device="Maker Cart 9", software="1.2", recorded_at=r.start, high_pass_hz=0.05,
                                 low_pass_hz=150.0, notch_hz=50.0),
        "patient": Patient("female", 40.0, "4711", "Doe^Jane", date(1981, 2, 3)),
        "step_mv": (0.0025,) * 12,
    }  # fmt: skip
    return source_of(r, **{**said, **changes})


def test_a_full_source_comes_back_as_it_was(strict, tmp_path):
    source = full_source()
    path = write_dicom(source, tmp_path / "new" / "x.dcm")
    back = open_dicom(path)
    np.testing.assert_array_equal(back.read().signal, source.read().signal)
    assert (back.read().leads, back.fs, back.n_samples) == (LEADS, 500, 1000)
    assert back.read().start == source.read().start
    assert back.machine == source.machine
    assert back.patient == source.patient
    assert back.provenance == replace(source.provenance, format="", version="12-Lead ECG")
    assert back.step_mv == pytest.approx(source.step_mv, rel=1e-12)
    assert back.notes == ()


def test_pydicom_reads_what_the_standard_demands(strict, tmp_path):
    source = full_source(median=recording(n_samples=600, seed=2, start=None))
    for path, uid in (
        (write_dicom(full_source(), tmp_path / "x.dcm"), "1.2.840.10008.5.1.4.1.1.9.1.1"),
        (write_dicom(source, tmp_path / "y.dcm"), "1.2.840.10008.5.1.4.1.1.9.1.2"),
    ):
        dataset = pydicom.dcmread(path)
        assert len(str(dataset)) > 1000  # which decodes every value
        assert dataset.SOPClassUID == dataset.file_meta.MediaStorageSOPClassUID == uid
        assert dataset.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
        assert all(dataset[keyword].VM > 0 for keyword in NOT_EMPTY)
        assert all(keyword in dataset for keyword in THERE)
        assert dataset.SpecificCharacterSet == "ISO_IR 192"
        assert (dataset.Modality, dataset.AcquisitionDateTime) == ("ECG", "20210304050607.080000")
        for group in dataset.WaveformSequence:
            assert all(group[keyword].VM > 0 for keyword in OF_GROUP)
            assert all(c[keyword].VM > 0 for c in group.ChannelDefinitionSequence for keyword in OF_CHANNEL)
            assert (group.WaveformBitsAllocated, group.WaveformSampleInterpretation) == (16, "SS")
    np.testing.assert_allclose(dataset.waveform_array(0).T / 1000, source.read().signal, atol=1e-6)
    np.testing.assert_allclose(dataset.waveform_array(1).T / 1000, source.median.signal, atol=1e-6)
    assert [g.WaveformOriginality for g in dataset.WaveformSequence] == ["ORIGINAL", "DERIVED"]
    sources = [c.ChannelSourceSequence[0] for c in dataset.WaveformSequence[0].ChannelDefinitionSequence]
    assert [s.CodeValue for s in sources[:7]] == ["2:1", "2:2", "2:61", "2:62", "2:63", "2:64", "2:3"]


def test_annotations_are_coded(strict, tmp_path):
    said = pydicom.dcmread(write_dicom(full_source(), tmp_path / "x.dcm")).WaveformAnnotationSequence
    coded = {a.ConceptNameCodeSequence[0].CodeValue: a for a in said if "ConceptNameCodeSequence" in a}
    assert {c: (float(a.NumericValue), a.MeasurementUnitsCodeSequence[0].CodeValue) for c, a in coded.items()} == {
        "2:16016": (61.0, "/min"), "2:15872": (150.0, "ms"), "2:15880": (410.5, "ms"), "2:16132": (-61.0, "deg"),
    }  # fmt: skip
    assert [a.UnformattedTextValue for a in said[:2]] == ["Sinus rhythm", "Übergang in V4 — normal"]
    assert all(list(a.ReferencedWaveformChannels) == [1, 0] for a in said)


@pytest.mark.skipif(not FILES.is_dir(), reason="../shared/data/formats/dicom is absent: no real files")
@pytest.mark.parametrize("name", ["example", "waveform_ecg"])
@pytest.mark.parametrize("with_median", [True, False])
def test_real_files_survive_to_the_last_sample(name, with_median, tmp_path):
    source = open_dicom(FILES / f"{name}.dcm")
    source = source if with_median else replace(source, median=None)
    back = open_dicom(write_dicom(source, tmp_path / f"{name}.dcm"))
    np.testing.assert_array_equal(back.read().signal, source.read().signal)
    assert (back.read().leads, back.fs, back.step_mv) == (source.read().leads, source.fs, source.step_mv)
    assert (back.machine, back.patient) == (source.machine, source.patient)
    assert back.provenance.version == ("General ECG" if with_median else "12-Lead ECG")
    if with_median:
        np.testing.assert_array_equal(back.median.signal, source.median.signal)


def test_missing_samples_are_padding(strict, tmp_path):
    r = recording(("I", "V9", "ES"), 300)
    signal = r.signal.copy()
    signal[0, :100] = signal[1, 299] = np.nan
    path = write_dicom(source_of(replace(r, signal=signal)), tmp_path / "x.dcm")
    np.testing.assert_allclose(open_dicom(path).read().signal, signal, atol=0.0005)
    assert open_dicom(path).read().leads == ("I", "V9", "ES")
    group = pydicom.dcmread(path).WaveformSequence[0]
    assert [c.ChannelSourceSequence[0].CodeValue for c in group.ChannelDefinitionSequence] == ["2:1", "2:67", "2:0"]
    assert group.WaveformPaddingValue == b"\x00\x80"
    assert pydicom.dcmread(path).waveform_array(0)[0, 0] == -32768


@pytest.mark.parametrize(
    ("step", "largest"), [(0.0025, 80.0), (0.000153, 5.0), (None, 32.0), (None, 100.0), (1 / 3, 9.0)]
)
def test_samples_come_back_to_one_step(step, largest, tmp_path):
    samples = np.random.default_rng(4).uniform(-largest, largest, (1, 500)).astype(np.float32)
    source = source_of(Recording(samples, ("II",), 500, "x"), step_mv=() if step is None else (step,))
    back = open_dicom(write_dicom(source, tmp_path / "x.dcm"))
    used = back.step_mv[0]
    assert round(used / (step or 0.001), 9) == max(1, np.ceil(largest / (step or 0.001) / 32767))
    np.testing.assert_allclose(back.read().signal, samples, atol=used / 2 + 1e-6)


def test_a_known_step_comes_back_exactly(tmp_path):
    for step in (0.0025, 0.00488, 1 / 204.8, 0.000153, 0.001):
        r = recording(step=step)
        back = open_dicom(write_dicom(source_of(r, step_mv=(step,) * 12), tmp_path / "x.dcm"))
        np.testing.assert_array_equal(back.read().signal, r.signal)


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (recording(n_samples=16384), "12-Lead ECG"),
        (recording(n_samples=16385), "General ECG"),
        (recording(LEADS[::-1]), "12-Lead ECG"),
        (recording(LEADS[:8]), "General ECG"),
        (recording((*LEADS, "V7")), "General ECG"),
    ],
)
def test_what_a_12_lead_ecg_can_not_hold_is_a_general_one(made, kind, tmp_path):
    back = open_dicom(write_dicom(source_of(made), tmp_path / "x.dcm"))
    assert (back.provenance.version, back.read().leads, back.n_samples) == (kind, made.leads, made.n_samples)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (recording(fs=100.0), "must have 200 to 1000 Hz; got 100 .* Resample it"),
        (recording(tuple(f"E{n}" for n in range(25))), "1 to 24 leads; got 25"),
        (Recording(np.zeros((1, 0)), ("I",), 500, "x"), "must have samples"),
    ],
)
def test_what_no_dicom_ecg_can_hold_is_refused(made, message, tmp_path):
    with pytest.raises(InputError, match=message):
        write_dicom(source_of(made), tmp_path / "x.dcm")
    assert not any(tmp_path.iterdir())


def test_the_same_source_gives_the_same_bytes_and_another_one_other_identifiers(tmp_path):
    one = write_dicom(full_source(), tmp_path / "a.dcm").read_bytes()
    assert write_dicom(full_source(), tmp_path / "b.dcm").read_bytes() == one
    write_dicom(full_source(patient=Patient("male")), tmp_path / "c.dcm")
    uids = [pydicom.dcmread(tmp_path / f"{n}.dcm") for n in "ac"]
    keywords = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
    assert len({d[keyword].value for d in uids for keyword in keywords}) == 6
    assert all(d[k].value.startswith("2.25.") and len(d[k].value) <= 44 for d in uids for k in keywords)


def test_a_pseudonymised_file_says_so_and_names_nobody(strict, tmp_path):
    path = write_dicom(full_source(), tmp_path / "x.dcm", pseudonymised=True)
    dataset = pydicom.dcmread(path)
    assert (dataset.PatientIdentityRemoved, dataset.LongitudinalTemporalInformationModified) == ("YES", "MODIFIED")
    assert {c.CodeValue for c in dataset.DeidentificationMethodCodeSequence} == {"113100", "113107", "113108"}
    assert (dataset.PatientName, dataset.PatientBirthDate, dataset.PatientID) == ("", "", "4711")
    assert b"Jane" not in path.read_bytes()
    assert b"19810203" not in path.read_bytes()
    assert "PatientIdentityRemoved" not in pydicom.dcmread(write_dicom(full_source(), tmp_path / "y.dcm"))


def test_an_unknown_time_stays_unknown(strict, tmp_path):
    path = write_dicom(source_of(recording(start=None)), tmp_path / "x.dcm")
    assert pydicom.dcmread(path).AcquisitionDateTime == "19000101000000.000000"
    assert open_dicom(path).read().start is None


@pytest.mark.parametrize(
    ("age", "written"), [(0.5, "006M"), (40.9, "040Y"), (104.0, "104Y"), (1.0, "001Y"), (None, None)]
)
def test_ages(age, written, tmp_path):
    path = write_dicom(full_source(patient=Patient(age_years=age)), tmp_path / "x.dcm")
    assert pydicom.dcmread(path).get("PatientAge") == written


def test_texts_are_made_to_fit(strict, tmp_path):
    source = full_source(
        patient=Patient(name="Do\\e, Ja=ne", id="a"),
        provenance=Provenance(device="M" * 99, software="1\\2"),
        machine=Machine({}, ("a\x00b\tc", "x" * 2000)),
    )
    back = open_dicom(write_dicom(source, tmp_path / "x.dcm"))
    assert (back.patient.name, back.provenance.device, back.provenance.software) == ("Do e^Ja ne", "M" * 64, "1 2")
    assert back.machine.statements == ("a b c", "x" * 1024)
    with pytest.raises(InputError, match="at most 64 characters"):
        write_dicom(full_source(patient=Patient(id="1" * 65)), tmp_path / "y.dcm")


def test_without_pydicom_the_install_command_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pydicom.dataset", None)
    with pytest.raises(MissingExtra, match=r"Run: pip install 'twelvelead\[formats\]'"):
        write_dicom(full_source(), tmp_path / "x.dcm")
