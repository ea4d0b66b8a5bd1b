"""DICOM waveforms: real files and files that pydicom writes, against pydicom's own arrays."""

import sys
import warnings
import zlib
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from twelvelead.io import open_recording, read
from twelvelead.io.formats.dicom import open_dicom, recognise_dicom
from twelvelead.io.formats.dicom_elements import quiet
from twelvelead.signal import einthoven_residual_mv
from twelvelead.terms import LEADS, Error, FormatError, MissingExtra

FILES = Path(__file__).parents[2].parent / "shared" / "data" / "formats" / "dicom"
REAL = ["example", "waveform_ecg"]
SCP_NUMBER = {"I": 1, "II": 2, "III": 61, "aVR": 62, "aVL": 63, "aVF": 64, "V1": 3, "V2": 4}

needs_files = pytest.mark.skipif(not FILES.is_dir(), reason="../shared/data/formats/dicom is absent: no real files")


def code(value, scheme="MDC", meaning="x"):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def channel(lead, sensitivity="2.5", unit="uV", **elements):
    item = Dataset()
    item.ChannelSourceSequence = [code(f"5.6.3-9-{SCP_NUMBER[lead]}", "SCPECG") if isinstance(lead, str) else lead]
    item.ChannelSensitivity = sensitivity
    item.ChannelSensitivityUnitsSequence = [code(unit, "UCUM")]
    item.ChannelSensitivityCorrectionFactor, item.ChannelBaseline, item.WaveformBitsStored = "1", "0", 16
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


def group(channels, steps, *, fs=500, coding="SS", padding=None, offset_ms=0, label="RHYTHM", originality="ORIGINAL"):
    item, steps = Dataset(), np.asarray(steps)
    item.MultiplexGroupTimeOffset, item.MultiplexGroupLabel, item.WaveformOriginality = (
        str(offset_ms),
        label,
        originality,
    )
    item.NumberOfWaveformChannels, item.NumberOfWaveformSamples = len(channels), len(steps)
    item.SamplingFrequency = str(fs)
    item.ChannelDefinitionSequence = channels
    item.WaveformBitsAllocated, item.WaveformSampleInterpretation = 8 * steps.dtype.itemsize, coding
    vr = "OB" if steps.dtype.itemsize == 1 else "OW"
    if padding is not None:
        item.add_new("WaveformPaddingValue", vr, np.array(padding, steps.dtype).tobytes())
    item.add_new("WaveformData", vr, steps.tobytes())
    return item


def ecg(*groups, **elements):
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.9.1.2", "2.25.1"
    dataset.WaveformSequence = list(groups)
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def save(dataset, path, syntax=ExplicitVRLittleEndian):
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)
    return path


def annotation(text=None, name=None, number=None, unit="ms", channels=(1, 0), **elements):
    item = Dataset()
    item.ReferencedWaveformChannels = list(channels)
    if text is not None:
        item.UnformattedTextValue = text
    if name is not None:
        item.ConceptNameCodeSequence = [name]
    if number is not None:
        item.NumericValue = number
        item.MeasurementUnitsCodeSequence = [code(unit, "UCUM")]
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


STEPS = np.random.default_rng(3).integers(-900, 900, (1000, 2)).astype("<i2")


def two_leads(**elements):
    return ecg(group([channel("I"), channel("II")], STEPS), **elements)


# --- real files -------------------------------------------------------------------------------------------------------


@needs_files
@pytest.mark.parametrize("name", REAL)
def test_real_files_equal_pydicoms_own_arrays(name):
    path = FILES / f"{name}.dcm"
    dataset = pydicom.dcmread(path)
    rhythm, median = (dataset.waveform_array(n).T / 1000 for n in (0, 1))
    source = open_recording(path)
    r = source.read()
    assert r.leads == LEADS
    np.testing.assert_array_equal(r.signal, rhythm.astype(np.float32))
    marks = median == -81.92  # -32768 steps of 2.5 uV: the last sample of each lead in one of the files
    assert marks.sum() == (12 if name == "example" else 0)
    np.testing.assert_array_equal(source.median.signal, np.where(marks, np.nan, median).astype(np.float32))
    assert source.provenance.format == "dicom"
    assert einthoven_residual_mv(r) < 0.005


@needs_files
def test_a_real_file_says_what_its_device_found():
    source = open_recording(FILES / "waveform_ecg.dcm")
    assert (source.fs, source.n_samples, source.median.fs, source.median.n_samples) == (1000, 10000, 1000, 1200)
    assert source.machine.measurements == {
        "rr_mean_ms": 982, "pr_interval_ms": 161, "qrs_duration_ms": 75, "qt_interval_ms": 368, "qtc_ms": 370,
        "p_axis_deg": 74, "qrs_axis_deg": 52, "t_axis_deg": 57,
    }  # fmt: skip
    assert source.machine.statements == ("RITMO SINUSALE", "ECG NORMALE")
    said = source.provenance
    assert (said.device, said.software) == ("Mortara Instrument, Inc. el250", "0.0.0")
    assert (said.high_pass_hz, said.low_pass_hz, said.notch_hz) == (0.05, 300, None)
    assert said.recorded_at == source.read().start == datetime(2013, 1, 25, 10, 59, 19)
    assert source.step_mv == pytest.approx([0.00125] * 12)
    assert source.notes == ()


@needs_files
def test_a_real_file_with_oddities_is_read_with_notes():
    source = open_recording(FILES / "example.dcm")
    assert source.machine.measurements["qrs_axis_deg"] == -61  # the file gives ms for degrees
    assert source.machine.measurements["qt_interval_ms"] == 420
    assert any("padding value" in note and "0 mV" in note for note in source.notes)
    assert any("qrs_axis_deg is in ms" in note for note in source.notes)
    assert not np.isnan(source.read().signal).any()


@needs_files
@pytest.mark.parametrize("name", REAL)
def test_who_it_is_of_is_told_only_when_asked(name):
    source = open_recording(FILES / f"{name}.dcm")
    assert (source.patient.id, source.patient.name, source.patient.born) == ("", "", None)
    assert source.patient.age_years in (42, 49)
    asked = open_recording(FILES / f"{name}.dcm", identify=True).patient
    assert (asked.id, asked.born) in (("SBJ-123", date(1953, 5, 8)), ("642341", date(1971, 1, 23)))
    assert asked.id not in repr(source)
    assert asked.name not in repr(source).replace("Anonymous", asked.name if name == "example" else "")


# --- samples ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("coding", "dtype"), [("SB", "i1"), ("UB", "u1"), ("SS", "<i2"), ("US", "<u2"), ("SL", "<i4"), ("UL", "<u4")]
)
def test_every_sample_interpretation_equals_pydicoms(coding, dtype, tmp_path):
    info = np.iinfo(dtype)
    steps = np.random.default_rng(1).integers(max(info.min, -9999) + 1, min(info.max, 9999), (300, 2)).astype(dtype)
    channels = [
        channel("I", "0.5"),
        channel("V1", "1.5", ChannelSensitivityCorrectionFactor="0.9", ChannelBaseline="-7"),
    ]
    path = save(ecg(group(channels, steps, coding=coding)), tmp_path / "x.dcm")
    expected = pydicom.dcmread(path).waveform_array(0).T / 1000
    np.testing.assert_allclose(read(path).signal, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("unit", "factor"), [("uV", 1e-3), ("mV", 1.0), ("V", 1e3), ("nV", 1e-6)])
def test_units_become_millivolts(unit, factor, tmp_path):
    path = save(ecg(group([channel("I", "2", unit)], np.array([[1], [-3]], "<i2"))), tmp_path / "x.dcm")
    source = open_dicom(path)
    np.testing.assert_allclose(source.read()["I"], [2 * factor, -6 * factor], rtol=1e-6)
    assert source.step_mv == pytest.approx([2 * factor])


def test_what_is_no_voltage_is_left_out(tmp_path):
    bare = channel("V1")
    del bare.ChannelSensitivity
    path = save(
        ecg(group([channel("II"), channel("I", unit="mm[Hg]"), bare], STEPS[:9, [0, 1, 1]])), tmp_path / "x.dcm"
    )
    source = open_dicom(path)
    assert source.read().leads == ("II",)
    assert source.notes == ("2 channels are left out: no voltage, or of unknown sensitivity",)
    path = save(ecg(group([bare], STEPS[:, :1])), tmp_path / "y.dcm")
    with pytest.raises(FormatError, match="a channel in uV, mV or V"):
        open_dicom(path)


@pytest.mark.parametrize(
    ("padding", "expected"), [(7, [0, np.nan, -81.92]), (0, [0, 0.0175, np.nan]), (None, [0, 0.0175, np.nan])]
)
def test_padding_is_a_missing_sample_unless_it_means_0_mv(padding, expected, tmp_path):
    # -32768 steps of 2.5 uV are -81.92 mV, which no heart gives: a mark, where no other one is declared.
    steps = np.array([[0], [7], [-32768]], "<i2")
    source = open_dicom(save(ecg(group([channel("I")], steps, padding=padding)), tmp_path / "x.dcm"))
    np.testing.assert_allclose(source.read()["I"], expected, rtol=1e-6)
    assert len(source.notes) == (padding != 7)


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_transfer_syntaxes_give_the_same_samples(syntax, tmp_path):
    steps = STEPS.astype(">i2") if syntax == ExplicitVRBigEndian else STEPS
    path = save(ecg(group([channel("I"), channel("II")], steps)), tmp_path / "x.dcm", syntax)
    np.testing.assert_allclose(read(path).signal, STEPS.T * 0.0025, atol=1e-6)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_a_file_without_preamble_is_known_by_its_class(syntax, tmp_path):
    path = tmp_path / "x"
    dataset = two_leads()
    dataset.save_as(path, implicit_vr=syntax.is_implicit_VR, little_endian=True, enforce_file_format=False)
    assert path.read_bytes()[:2] == b"\x08\x00"
    np.testing.assert_allclose(read(path).signal, STEPS.T * 0.0025, atol=1e-6)


def test_other_transfer_syntaxes_are_refused(tmp_path):
    path = save(two_leads(), tmp_path / "x.dcm")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.9\0", 1))
    with pytest.raises(FormatError, match=r"transfer syntax must be .* got '1.2.840.10008.1.2.9' in \(0002,0010\)"):
        open_dicom(path)


def test_a_deflated_bomb_is_refused(tmp_path):
    path = save(two_leads(), tmp_path / "x.dcm", DeflatedExplicitVRLittleEndian)
    content = path.read_bytes()
    size = 144 + int.from_bytes(content[140:144], "little")
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = bomb.compress(bytes(40_000_000)) + bomb.flush()
    path.write_bytes(content[:size] + deflated)
    with pytest.raises(FormatError, match="must end within 16777216 bytes"):
        open_dicom(path)
    path.write_bytes(content[:size] + b"\xff\xff\xff")
    with pytest.raises(FormatError, match="must be deflated"):
        open_dicom(path)


# --- leads and groups -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "lead"),
    [
        (code("2:1"), "I"), (code("2:62", meaning="aVR, augmented voltage, right"), "aVR"), (code("2:8"), "V6"),
        (code("5.6.3-9-64", "SCPECG"), "aVF"), (code("MDC_ECG_LEAD_V3"), "V3"), (code("2:66"), "V8"),
        (code("9", "99X", "Lead I (Einthoven)"), "I"), (code("9", "99X", "lead avl"), "aVL"),
        (code("2:113", meaning="Derived Lead aVL"), "aVL"), (code("2:126", meaning="Modified lead"), "Modified lead"),
    ],
)  # fmt: skip
def test_leads_have_their_names_by_code_or_meaning(source, lead, tmp_path):
    path = save(ecg(group([channel(source)], STEPS[:5, :1])), tmp_path / "x.dcm")
    assert open_dicom(path).read().leads == (lead,)


def test_a_lead_twice_in_a_group_gets_a_number(tmp_path):
    assert read(save(ecg(group([channel("I"), channel("I")], STEPS)), tmp_path / "x.dcm")).leads == ("I", "I 2")


def test_three_leads_at_a_time_and_a_rhythm_strip_make_one_recording(tmp_path):
    # Four groups of 2.5 s one after the other, and lead II over all 10 s, as in the figure of the standard.
    rng = np.random.default_rng(5)
    rows = [("I", "II", "III"), ("aVR", "aVL", "aVF")]
    parts = [rng.integers(-500, 500, (250, 3)).astype("<i2") for _ in rows]
    strip = rng.integers(-500, 500, (500, 1)).astype("<i2")
    groups = [
        group([channel(lead) for lead in leads], part, fs=100, offset_ms=2500 * n)
        for n, (leads, part) in enumerate(zip(rows, parts, strict=True))
    ]
    path = save(ecg(*groups, group([channel("II")], strip, fs=100)), tmp_path / "x.dcm")
    source = open_dicom(path)
    r = source.read()
    assert (r.n_samples, set(r.leads)) == (500, {"I", "II", "III", "aVR", "aVL", "aVF"})
    np.testing.assert_allclose(r["II"], strip[:, 0] * 0.0025, atol=1e-6)
    np.testing.assert_allclose(r["aVF"], np.r_[[np.nan] * 250, parts[1][:, 2] * 0.0025], atol=1e-6)
    np.testing.assert_allclose(r["I"], np.r_[parts[0][:, 0] * 0.0025, [np.nan] * 250], atol=1e-6)
    assert source.notes == ("lead II of multiplex group 1 of x.dcm is left out where a longer group holds it, too",)


def test_a_group_of_another_rate_or_far_away_is_left_out(tmp_path):
    groups = [
        group([channel("I")], STEPS[:500, :1]),
        group([channel("II")], STEPS[:100, :1], fs=250),
        group([channel("V1")], STEPS[:100, :1], offset_ms=3_600_000),
    ]
    source = open_dicom(save(ecg(*groups), tmp_path / "x.dcm"))
    assert (source.read().leads, source.n_samples) == (("I",), 500)
    assert len(source.notes) == 2
    assert all("is left out" in note for note in source.notes)


def test_groups_apart_keep_the_time_of_the_earliest(tmp_path):
    groups = [
        group([channel("I")], STEPS[:500, :1], offset_ms=2000),
        group([channel("II")], STEPS[:250, 1:], offset_ms=1500),
    ]
    path = save(ecg(*groups, AcquisitionDateTime="20200101120000.5+0100"), tmp_path / "x.dcm")
    r = open_dicom(path).read()
    assert r.start == datetime(2020, 1, 1, 12, 0, 2)
    assert r.n_samples == 750
    assert np.isnan(r["I"][:250]).all()
    assert np.isnan(r["II"][250:]).all()


def test_a_derived_beat_is_the_median_and_a_derived_rhythm_alone_the_recording(tmp_path):
    beat = group([channel("I")], STEPS[:300, :1], label="", originality="DERIVED")
    source = open_dicom(save(ecg(beat, group([channel("I")], STEPS[:, 1:])), tmp_path / "x.dcm"))
    assert (source.n_samples, source.median.n_samples) == (1000, 300)
    source = open_dicom(save(ecg(beat), tmp_path / "y.dcm"))
    assert (source.n_samples, source.median) == (300, None)
    path = save(ecg(group([channel("I")], STEPS[:300, :1], label="Median Beat")), tmp_path / "z.dcm")
    with pytest.raises(FormatError, match="only representative beats"):
        open_dicom(path)


def test_skew_and_differing_filters_are_noted(tmp_path):
    channels = [
        channel("I", FilterLowFrequency="0.05"),
        channel("II", ChannelTimeSkew="0.004", FilterLowFrequency="0.5"),
    ]
    source = open_dicom(save(ecg(group(channels, STEPS)), tmp_path / "x.dcm"))
    assert source.provenance.high_pass_hz == 0.05
    assert "channels are skewed by up to 4 ms, which is left as it is" in source.notes
    assert any("filtered differently" in note for note in source.notes)


# --- what the machine says --------------------------------------------------------------------------------------------


def test_measurements_by_their_codes_of_the_whole_ecg_only(tmp_path):
    said = [
        annotation(name=code("2:16016", meaning="Ventricular Heart Rate"), number="61", unit="/min"),
        annotation(name=code("2:16020"), number="62", unit="/min"),
        annotation(name=code("2:15880"), number="0.41", unit="s"),
        annotation(name=code("2:15892"), number="402"),
        annotation(name=code("2:16132"), number="270", unit="deg"),
        annotation(name=code("x", "99X", "PR interval global"), number="150"),
        annotation(name=code("2:16160"), number="29999"),  # SCP-ECG's mark of no value
        annotation(name=code("2:16156"), number="98", channels=(1, 3)),  # of one lead
        annotation(name=code("2:16136"), number="999", unit="deg"),
        annotation(name=code("2:16184"), number="0"),
    ]
    source = open_dicom(save(two_leads(WaveformAnnotationSequence=said), tmp_path / "x.dcm"))
    assert source.machine.measurements == {
        "heart_rate_bpm": 61, "atrial_rate_bpm": 62, "qtc_bazett_ms": 410, "qtc_fridericia_ms": 402,
        "qrs_axis_deg": -90, "pr_interval_ms": 150,
    }  # fmt: skip


def test_statements_stand_in_annotations_and_in_the_context(tmp_path):
    said = [
        annotation("Sinus rhythm", name=code("1", meaning="ECG Interpretation")),
        annotation("bed 3", name=code("2", meaning="Location")),
    ]
    context = [
        annotation(name=code("3", meaning=m), TextValue=t) for m, t in [("Impression", "AF"), ("Posture", "supine")]
    ]
    dataset = two_leads(WaveformAnnotationSequence=said, AcquisitionContextSequence=context)
    assert open_dicom(save(dataset, tmp_path / "x.dcm")).machine.statements == ("Sinus rhythm", "AF")


def test_statements_are_free_of_names(tmp_path):
    texts = ["SINUS RHYTHM", "Unconfirmed", "Confirmed by: House", "Jane has AF", "LI: AF", "id 4711-X", "seen: WILSON",
             "Dr. No", "call 0123456789", "SINUS RHYTHM"]  # fmt: skip
    said = [annotation(text) for text in texts]
    said.append(annotation("N", TemporalRangeType="POINT", ReferencedSamplePositions=5))
    said.append(
        annotation(
            name=code("1", meaning="Finding"), ConceptCodeSequence=[code("49436004", "SCT", "Atrial Fibrillation")]
        )
    )
    dataset = two_leads(
        WaveformAnnotationSequence=said,
        PatientName="Li^Jane",
        PatientID="4711-X",
        ReferringPhysicianName="Wilson^James",
    )
    source = open_dicom(save(dataset, tmp_path / "x.dcm"))
    assert source.machine.statements == ("SINUS RHYTHM", "Unconfirmed", "Atrial Fibrillation")
    assert source.notes == ("7 texts are left out: they look signed, or name somebody",)


@pytest.mark.parametrize(
    ("elements", "sex", "age"),
    [
        ({"PatientSex": "F", "PatientAge": "040Y"}, "female", 40),
        ({"PatientSex": "M", "PatientAge": "006M"}, "male", 0.5),
        ({"PatientBirthDate": "19800610", "AcquisitionDateTime": "20200609"}, None, 39),
        ({"PatientSex": "O", "PatientAge": "x"}, None, None),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR AS")
def test_sex_and_age(elements, sex, age, tmp_path):
    patient = open_dicom(save(two_leads(**elements), tmp_path / "x.dcm")).patient
    assert (patient.sex, patient.age_years) == (sex, age)


# --- what is refused --------------------------------------------------------------------------------------------------


def broken(change):
    dataset = two_leads()
    change(dataset, dataset.WaveformSequence[0])
    return dataset


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d, _: setattr(d, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.9.2.1"), r"an ECG waveform .*\(0008,0016\)"),
        (lambda _, g: setattr(g, "NumberOfWaveformSamples", 1001), r"\(5400,1010\) .* must have 4004 bytes .* 4000"),
        (lambda _, g: setattr(g, "NumberOfWaveformSamples", 4294967295), "must have 17179869180 bytes"),
        (lambda _, g: setattr(g, "NumberOfWaveformSamples", 0), "NumberOfWaveformSamples must be a whole"),
        (lambda _, g: setattr(g, "NumberOfWaveformChannels", 3), "must be defined; got 2 definitions of 3"),
        (lambda _, g: setattr(g, "WaveformBitsAllocated", 8), "got 'SS' of 8.0 bits"),
        (lambda _, g: setattr(g, "WaveformSampleInterpretation", "MB"), "samples must be SB or UB"),
        (lambda _, g: setattr(g, "SamplingFrequency", "0"), "sampling frequency must be above 0 Hz"),
        (lambda _, g: delattr(g, "SamplingFrequency"), "sampling frequency must be above 0 Hz; got None"),
        (lambda _, g: delattr(g, "WaveformData"), "Waveform Data must have 4000 bytes"),
        (lambda d, _: delattr(d, "WaveformSequence"), "must have 1 to 64 multiplex groups; got 0"),
        (lambda _, g: setattr(g.ChannelDefinitionSequence[0], "ChannelSensitivity", "0"), "voltage other than 0"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_with_the_reason(change, message, tmp_path):
    with pytest.raises(FormatError, match=message):
        open_dicom(save(broken(change), tmp_path / "x.dcm"))


def test_what_is_no_waveform_is_not_recognised(tmp_path):
    def head(content):
        return recognise_dicom(content[:4096], tmp_path)

    assert head(save(two_leads(), tmp_path / "x.dcm").read_bytes())
    image = two_leads(SOPClassUID="1.2.840.10008.5.1.4.1.1.2")
    del image.WaveformSequence
    assert not head(save(image, tmp_path / "y.dcm").read_bytes())
    assert head(bytes(128) + b"DICM")
    assert not head(b"")
    assert not head(b"\x08\x00 not DICOM")
    (tmp_path / "z.dcm").write_bytes(bytes(128) + b"DICM" + b"\xff" * 50)
    with pytest.raises(FormatError):
        read(tmp_path / "z.dcm")


def test_without_pydicom_the_install_command_is_told(tmp_path, monkeypatch):
    path = save(two_leads(), tmp_path / "x.dcm")
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(MissingExtra, match=r"Run: pip install 'twelvelead\[formats\]'"):
        open_dicom(path)


def test_pydicoms_warnings_become_notes_without_the_value():
    notes = []
    with quiet(notes):
        for written in ("2020Jane", "2021Jane"):
            pydicom.valuerep.validate_value("DA", written, pydicom.config.WARN)
        warnings.warn("Expected implicit VR, but found explicit VR of Jane", stacklevel=1)
    assert notes == ["values that DICOM does not allow for VR DA", "elements that pydicom warns of"]


def mutations(good, trials, seed):
    rng = np.random.default_rng(seed)
    for trial in range(trials):
        content = bytearray(good)
        for at in rng.integers(0, len(good) if trial % 2 else min(2000, len(good)), rng.integers(1, 8)):
            content[at] = rng.integers(256)
        if trial % 5 == 0:
            del content[rng.integers(len(content)) :]
        elif trial % 5 == 1:
            at = int(rng.integers(132, min(2000, len(content) - 4)))
            content[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\0\0\1\0"])
        yield bytes(content)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_mutated_files_raise_nothing_but_errors_of_ours(syntax, tmp_path):
    said = [annotation("SINUS RHYTHM"), annotation(name=code("2:16160"), number="402")]
    dataset = ecg(
        group([channel("I"), channel("II")], STEPS[:200]), group([channel("I")], STEPS[:50, :1], label="MEDIAN BEAT"),
        WaveformAnnotationSequence=said, PatientName="Doe^Jane", AcquisitionDateTime="20200101120000",
    )  # fmt: skip
    path = save(dataset, tmp_path / "x.dcm", syntax)
    outcomes = {"read": 0, "refused": 0}
    for content in mutations(path.read_bytes(), 100, seed=11):
        path.write_bytes(content)
        try:
            open_dicom(path).read()
            outcomes["read"] += 1
        except Error:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 5


def test_a_claimed_length_beyond_the_file_is_refused(tmp_path):
    path = save(two_leads(), tmp_path / "x.dcm")
    content = path.read_bytes()
    at = content.index(b"\x00\x54\x10\x10OW\0\0") + 8
    path.write_bytes(content[:at] + b"\xf0\xff\xff\xff" + content[at + 4 : -100])
    with pytest.raises(FormatError):
        open_dicom(path)
