import base64
import zlib
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest

from twelvelead.io import open_recording
from twelvelead.io.formats.muse import open_muse
from twelvelead.signal import einthoven_residual_mv
from twelvelead.terms import LEADS, FormatError, InputError

MUSE = Path(__file__).parents[2].parent / "shared" / "data" / "formats" / "muse"
real = pytest.mark.skipif(not MUSE.is_dir(), reason="../shared/data/formats/muse is absent: no real files to read")
EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
RNG = np.random.default_rng(5)
STEPS = {lead: RNG.integers(-900, 900, 500).astype("<i2") for lead in (*EIGHT, *LEADS, "V3R", "V4R", "V7")}


def lead_xml(lead, steps, **fields):
    content = steps.tobytes()
    said = {
        "LeadByteCountTotal": len(content),
        "LeadTimeOffset": 0,
        "LeadSampleCountTotal": len(steps),
        "LeadAmplitudeUnitsPerBit": 4.88,
        "LeadAmplitudeUnits": "MICROVOLTS",
        "LeadID": lead,
        "LeadOffsetFirstSample": 0,
        "FirstSampleBaseline": 0,
        "LeadSampleSize": 2,
        "LeadOff": "FALSE",
        "LeadDataCRC32": zlib.crc32(content),
        "WaveFormData": "\n" + base64.encodebytes(content).decode() + "  ",
    } | fields
    return "<LeadData>" + "".join(f"<{k}>{v}</{k}>" for k, v in said.items() if v is not None) + "</LeadData>"


def waveform_xml(kind, leads, **fields):
    said = {"WaveformType": kind, "SampleType": "CONTINUOUS_SAMPLES", "SampleBase": 500, "SampleExponent": 0} | fields
    head = "".join(f"<{k}>{v}</{k}>" for k, v in said.items() if v is not None)
    return f"<Waveform>{head}<NumberofLeads>{len(leads)}</NumberofLeads>{''.join(leads)}</Waveform>"


@pytest.fixture
def opened(tmp_path):
    def write_and_open(*parts, encoding="iso-8859-1"):
        head = f'<?xml version="1.0" encoding="{encoding}"?>\n<!DOCTYPE RestingECG SYSTEM "restecg.dtd">\n'
        text = f"{head}<RestingECG>\n{''.join(parts)}</RestingECG>\n"
        (tmp_path / "x.xml").write_bytes(text.encode(encoding))
        return open_muse(tmp_path / "x.xml")

    return write_and_open


def rhythm(*leads, **fields):
    return waveform_xml("Rhythm", [lead_xml(lead, STEPS[lead]) for lead in leads or EIGHT], **fields)


# --- real files -------------------------------------------------------------------------------------------------------


def plainly_read(path, kind):
    """Read the samples of a file by taking the text apart, in mV; no code of the project's."""
    text = path.read_text("latin-1").split(f"<WaveformType>{kind}")[1].split("</Waveform>")[0]
    out = {}
    for lead in text.split("<LeadData>")[1:]:
        name = lead.split("<LeadID>")[1].split("<")[0]
        data = lead.split("<WaveFormData>")[1].split("<")[0]
        content = base64.b64decode(data)
        assert zlib.crc32(content) == int(lead.split("<LeadDataCRC32>")[1].split("<")[0])
        out[name] = [
            0.00488 * int.from_bytes(content[n : n + 2], "little", signed=True) for n in range(0, len(content), 2)
        ]
    return out


@real
@pytest.mark.parametrize(("name", "lowest", "highest"), [("example", -1.4152, 0.8882), ("example1", -1.6885, 1.5616)])
def test_real_files_equal_a_plain_reading(name, lowest, highest):
    source = open_recording(MUSE / f"{name}.xml")
    recording = source.read()
    assert (recording.leads, recording.fs, recording.duration, recording.id) == (LEADS, 500, 10, name)
    for samples, kind in ((recording, "Rhythm"), (source.median, "Median")):
        plain = plainly_read(MUSE / f"{name}.xml", kind)
        assert tuple(plain) == EIGHT
        for lead, values in plain.items():
            np.testing.assert_allclose(samples[lead], values, rtol=0, atol=1e-6)
        third = np.subtract(plain["II"], plain["I"])
        np.testing.assert_allclose(samples["III"], third, rtol=0, atol=1e-6)
        np.testing.assert_allclose(samples["aVF"], np.add(plain["II"], third) / 2, rtol=0, atol=1e-6)
    assert source.median.signal.shape == (12, 600)
    np.testing.assert_allclose([recording.signal.min(), recording.signal.max()], [lowest, highest], rtol=0, atol=1e-4)
    assert einthoven_residual_mv(recording) < 1e-6
    assert source.step_mv == pytest.approx([0.00488] * 12)
    assert source.notes == ()


@real
def test_what_the_device_says_is_read():
    source = open_recording(MUSE / "example.xml", identify=True)
    assert source.machine.measurements == {
        "heart_rate_bpm": 56, "atrial_rate_bpm": 56, "pr_interval_ms": 330, "qrs_duration_ms": 94,
        "qt_interval_ms": 434, "qtc_bazett_ms": 418, "qtc_fridericia_ms": 424, "p_axis_deg": 6, "qrs_axis_deg": -22,
        "t_axis_deg": 2, "rr_mean_ms": 1062,
    }  # fmt: skip
    assert source.machine.statements == (
        "Sinus bradycardia with sinus arrhythmia with 1st degree A-V block",
        "Otherwise normal ECG",
        "Confirmed",
    )
    p = source.provenance
    assert (p.format, p.version, p.device, p.software) == ("muse", "9.0.10.18530", "MAC55", "009C, analysis 239")
    assert p.recorded_at == source.read().start == datetime(2020, 9, 22, 9, 3, 32)
    assert (p.high_pass_hz, p.low_pass_hz, p.notch_hz) == (0.16, 150, None)
    person = source.patient
    assert (person.sex, person.age_years, person.id, person.name) == ("male", 40, "201700237", "MUSE, TESTONE")
    assert person.born == date(1980, 6, 10)
    assert open_recording(MUSE / "example1.xml").provenance.notch_hz == 60


@real
@pytest.mark.parametrize("name", ["example", "example1"])
def test_qt_corrected_is_bazetts_and_frederica_is_fridericias(name):
    m = open_muse(MUSE / f"{name}.xml").machine.measurements
    rr = m["rr_mean_ms"] / 1000
    assert m["qtc_bazett_ms"] == pytest.approx(m["qt_interval_ms"] / rr**0.5, abs=4)
    assert m["qtc_fridericia_ms"] == pytest.approx(m["qt_interval_ms"] / rr ** (1 / 3), abs=2)
    assert abs(m["qtc_bazett_ms"] - m["qt_interval_ms"] / rr ** (1 / 3)) > 5


@real
def test_nobody_is_named_unless_asked_for():
    source = open_recording(MUSE / "example.xml")
    said = repr((source.machine, source.provenance, source.notes, source.patient, source.read().id))
    for secret in ("TESTONE", "201700237", "1980", "GARG", "Garg", "PATEL", "Ruchira", "CEDARS"):
        assert secret not in said


# --- made files -------------------------------------------------------------------------------------------------------


def test_twelve_and_further_leads_are_kept_and_none_derived_where_it_is_there(opened):
    source = opened(rhythm(*reversed(LEADS), "V3R", "V4R", "V7", "II"))
    recording = source.read()
    assert recording.leads == (*LEADS, "V3R", "V4R", "V7", "II 2")
    for lead in (*LEADS, "V3R"):
        np.testing.assert_allclose(recording[lead], STEPS[lead] * 0.00488, rtol=0, atol=1e-6)
    assert source.median is None
    assert source.machine.measurements == {}
    assert source.patient.age_years is None
    assert len(source.step_mv) == 16


@pytest.mark.parametrize(("base", "exponent", "fs"), [(250, 0, 250), (25, 1, 250), (5000, -1, 500), (1000, None, 1000)])
def test_the_sampling_frequency_has_an_exponent(base, exponent, fs, opened):
    assert opened(rhythm(SampleBase=base, SampleExponent=exponent)).read().fs == fs


@pytest.mark.parametrize(
    ("units", "per_bit", "mv"),
    [("MICROVOLTS", 2, 0.002), ("MILLIVOLTS", 0.005, 0.005), ("VOLTS", 1e-6, 0.001), ("NANOVOLTS", 500, 0.0005),
     (None, 5, 0.005)],
)  # fmt: skip
def test_units_are_converted(units, per_bit, mv, opened):
    lead = lead_xml("V1", STEPS["V1"], LeadAmplitudeUnits=units, LeadAmplitudeUnitsPerBit=per_bit)
    source = opened(waveform_xml("RHYTHM", [lead]))
    assert source.read().leads == ("V1",)
    assert source.step_mv == pytest.approx([mv])
    np.testing.assert_allclose(source.read()["V1"], STEPS["V1"] * mv, rtol=1e-6)


def test_oddities_are_noted(opened):
    leads = [
        lead_xml("I", STEPS["I"], LeadDataCRC32=1, LeadOff="TRUE"),
        lead_xml("V1", STEPS["V1"], LeadTimeOffset=3),
        lead_xml("X", STEPS["I"], LeadAmplitudeUnits="LITRES"),
    ]
    source = opened(waveform_xml("Rhythm", leads, SampleType="OTHER"), rhythm(), waveform_xml("Full", []))
    assert source.read().leads == ("I", "V1")
    assert source.notes == (
        "2 more Waveform elements are not read.",
        "SampleType OTHER is read like CONTINUOUS_SAMPLES.",
        "samples of lead I (Rhythm) don't have the checksum LeadDataCRC32.",
        "an electrode of lead I (Rhythm) was off.",
        "LeadTimeOffset of lead V1 (Rhythm) is not 0, and is not applied.",
        "lead X is in LITRES, no unit of voltage, and is left out.",
    )


def test_leads_that_begin_later_and_missing_samples_are_nan(opened):
    steps = np.array([1, -32768, 3, 32767], dtype="<i2")
    leads = [lead_xml("V1", steps), lead_xml("V2", steps, LeadOffsetFirstSample=2)]
    signal = opened(waveform_xml("Rhythm", leads)).read().signal / np.float32(0.00488)
    nan = np.nan
    np.testing.assert_allclose(
        signal, [[1, nan, 3, 32767, nan, nan], [nan, nan, 1, nan, 3, 32767]], rtol=1e-6, equal_nan=True
    )


def test_statements_are_joined_by_their_flags(opened):
    def said(text, *flags):
        marks = "".join(f"<StmtFlag>{flag}</StmtFlag>" for flag in flags)
        return f"<DiagnosisStatement>{marks}<StmtText>{text}</StmtText></DiagnosisStatement>"

    parts = said("Atrial fibrillation") + said("with a", "ENDSLINE") + said("wrong", "DELETED", "ENDSLINE")
    parts += said("Seen by Dr Doe", "USERINSERT", "ENDSLINE") + said("Müller was here")
    people = "<TestDemographics><OverreaderLastName>Doe</OverreaderLastName></TestDemographics>"
    people += "<PatientDemographics><PatientLastName>Müller</PatientLastName></PatientDemographics>"
    source = opened(people, f"<Diagnosis>{parts}</Diagnosis>", rhythm(), encoding="utf-16")
    assert source.machine.statements == ("Atrial fibrillation with a", "Seen by Dr …", "… was here")
    source = opened(f"<OriginalDiagnosis>{said('Paced')}</OriginalDiagnosis>", rhythm())
    assert source.machine.statements == ("Paced",)


def test_measurements_of_first_reading_stand_in_and_marks_for_none_are_left_out(opened):
    def measured(tag, **fields):
        return f"<{tag}>{''.join(f'<{k}>{v}</{k}>' for k, v in fields.items())}</{tag}>"

    first = measured("OriginalRestingECGMeasurements", PRInterval=160, QTInterval=400)
    edited = measured("RestingECGMeasurements", PRInterval="-", QRSDuration="", QTInterval=410, PAxis=32767,
                      TAxis=-32768, RAxis=0, AtrialRate="*", VentricularRate=0)  # fmt: skip
    assert opened(first, edited, rhythm()).machine.measurements == {"qt_interval_ms": 410, "qrs_axis_deg": 0}
    assert opened(first, rhythm()).machine.measurements == {"pr_interval_ms": 160, "qt_interval_ms": 400}


@pytest.mark.parametrize(
    ("day", "time", "when"),
    [
        ("09-22-2020", "09:03:32", datetime(2020, 9, 22, 9, 3, 32)),
        ("22-SEP-2020", "09:03", datetime(2020, 9, 22, 9, 3)),
        ("2020-09-22", "23:59:59", datetime(2020, 9, 22, 23, 59, 59)),
        ("22-09-2020", "09:03:32", None),
        ("09-22-20", "09:03:32", None),
        ("09-22-2020", "24:00:00", None),
        ("09-22-2020", "", None),
    ],
)
def test_times_are_read_strictly(day, time, when, opened):
    test = f"<TestDemographics><AcquisitionDate>{day}</AcquisitionDate><AcquisitionTime>{time}</AcquisitionTime>"
    source = opened(test + "</TestDemographics>", rhythm())
    assert source.provenance.recorded_at == source.read().start == when
    assert len(source.notes) == (when is None)


@pytest.mark.parametrize(
    ("fields", "years"),
    [("<PatientAge>18</PatientAge><AgeUnits>MONTHS</AgeUnits>", 1.5), ("<PatientAge>7</PatientAge>", 7),
     ("<PatientAge>3</PatientAge><AgeUnits>MOONS</AgeUnits>", None), ("<PatientAge>999</PatientAge>", None),
     ("<DateofBirth>01-02-1980</DateofBirth>", 40)],
)  # fmt: skip
def test_ages_have_units(fields, years, opened):
    test = "<TestDemographics><AcquisitionDate>01-02-2020</AcquisitionDate><AcquisitionTime>00:00</AcquisitionTime>"
    person = f"<PatientDemographics>{fields}<Gender>FEMALE</Gender></PatientDemographics>"
    patient = opened(test + "</TestDemographics>", person, rhythm()).patient
    assert (patient.age_years, patient.sex) == (years, "female")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"LeadSampleCountTotal": 499},
            r"LeadSampleCountTotal of lead V1 \(Rhythm\) must be .*, 500; got '499' in x.xml",
        ),
        ({"LeadSampleCountTotal": 10**9}, "LeadSampleCountTotal of lead V1"),
        ({"LeadSampleCountTotal": "many"}, "LeadSampleCountTotal of lead V1"),
        ({"LeadByteCountTotal": 1002}, "LeadByteCountTotal of lead V1"),
        ({"LeadByteCountTotal": None, "LeadSampleCountTotal": None, "WaveFormData": "AAAA"}, "must be the number in"),
        ({"LeadSampleSize": 4}, "LeadSampleSize of lead V1 .Rhythm. must be 2 bytes; got 4"),
        ({"LeadAmplitudeUnitsPerBit": 0}, "must be above 0, and at most 1000 mV; got 0 mV"),
        ({"LeadAmplitudeUnitsPerBit": "1e308"}, "got 1e.305 mV"),
        ({"LeadAmplitudeUnitsPerBit": "x"}, "LeadAmplitudeUnitsPerBit of lead V1 .Rhythm. must be a number; got 'x'"),
        ({"LeadAmplitudeUnitsPerBit": None}, "must be a number; got none"),
        ({"LeadOffsetFirstSample": 501}, "lead V1 must begin within the recording; got sample 501 of at most 500"),
        ({"WaveFormData": "A?AA"}, "WaveFormData of lead V1 .Rhythm. must be Base64"),
        ({"LeadID": None}, "must have a LeadID"),
    ],
)
def test_broken_leads_are_refused(fields, message, opened):
    with pytest.raises(FormatError, match=message):
        opened(waveform_xml("Rhythm", [lead_xml("V1", STEPS["V1"], **fields)]))


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"SampleBase": None}, "SampleBase of the Rhythm waveform must be a number; got none"),
     ({"SampleBase": 0}, "between 0 and 100000 Hz"), ({"SampleExponent": 300}, "between 0 and 100000 Hz"),
     ({"WaveformType": "Median"}, "of the WaveformType Rhythm; got median in x.xml")],
)  # fmt: skip
def test_broken_waveforms_are_refused(fields, message, opened):
    with pytest.raises(FormatError, match=message):
        opened(rhythm(**fields))


def test_a_file_without_waveforms_or_of_another_root_is_refused(opened, tmp_path):
    with pytest.raises(FormatError, match="got no waveform in x"):
        opened()
    (tmp_path / "y.xml").write_text("<Other/>")
    with pytest.raises(FormatError, match="must be RestingECG; got 'Other'"):
        open_muse(tmp_path / "y.xml")


def test_mutated_files_raise_nothing_but_input_errors(opened, tmp_path):
    opened(rhythm(), waveform_xml("Median", [lead_xml("I", STEPS["I"])]))
    good = (tmp_path / "x.xml").read_bytes()
    rng = np.random.default_rng(1)
    outcomes = {"read": 0, "refused": 0}
    for trial in range(300):
        mutated = bytearray(good)
        for at in rng.integers(0, len(good), rng.integers(1, 4)):
            mutated[at] = rng.choice(list(b'0123456789AZaz<>/"-')) if trial % 2 else rng.integers(256)
        (tmp_path / "x.xml").write_bytes(mutated[: rng.integers(len(good))] if trial % 5 == 0 else mutated)
        try:
            open_muse(tmp_path / "x.xml").read()
            outcomes["read"] += 1
        except InputError:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 30
