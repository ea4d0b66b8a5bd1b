import base64
import sys
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
import sierraecg

from twelvelead.io import open_recording
from twelvelead.io.formats.sierra import open_sierra
from twelvelead.signal import einthoven_residual_mv
from twelvelead.terms import LEADS, FormatError, InputError, MissingExtra

PHILIPS = Path(__file__).parents[2].parent / "shared" / "data" / "formats" / "philips"
real = pytest.mark.skipif(
    not PHILIPS.is_dir(), reason="../shared/data/formats/philips is absent: no real files to read"
)
LABELS = "I II III aVR aVL aVF V1 V2 V3 V4 V5 V6"
WAVES = np.random.default_rng(3).integers(-20, 21, (12, 300)).cumsum(axis=1)


def as_xli(leads):
    """Compress as these devices do, each lead by itself: an own encoder, from what the decoder undoes."""
    return b"".join(pack(np.asarray(lead)) for lead in leads)


def pack(samples):
    bend = 2 * samples[1:-1] - samples[:-2] - samples[2:]
    coded = np.concatenate([samples[:2], bend[1:] + 64, [64]]).astype(">i2")
    halves = coded.view(np.uint8).reshape(-1, 2).T.tobytes()  # all high bytes, then all low bytes
    known, codes, word = {bytes([n]): n for n in range(256)}, [], b""
    for value in halves:
        longer = word + bytes([value])
        if longer in known:
            word = longer
            continue
        codes.append(known[word])
        if len(known) <= 1022:
            known[longer] = len(known)
        word = bytes([value])
    bits = "".join(f"{code:010b}" for code in [*codes, known[word]])
    bits += "0" * (-len(bits) % 8)
    chunk = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return len(chunk).to_bytes(4, "little") + b"\1\0" + int(bend[0]).to_bytes(2, "little", signed=True) + chunk


def less_prediction(leads):
    one, two, three, right, left, foot, *chest = leads
    rest = [two - one - three, -right - (one + two) // 2, (one - three) // 2 - left, (two + three) // 2 - foot]
    return [one, two, *rest, *chest]


def document(content, *, coding="Base64", version="1.04", signal="", attributes="", more="", duration=600):
    text = base64.b64encode(content).decode() if isinstance(content, bytes) else content
    return (
        '<restingecgdata xmlns="http://www3.medical.philips.com"><documentinfo><documenttype>PhilipsECG</documenttype>'
        f"<documentversion>{version}</documentversion></documentinfo>"
        "<dataacquisition date='2020-02-03' time='04:05:06'><signalcharacteristics>"
        "<samplingrate>500</samplingrate><resolution>5</resolution>"
        f"<acquisitiontype>10-WIRE</acquisitiontype><numberchannelsallocated>12</numberchannelsallocated>{signal}"
        f"</signalcharacteristics></dataacquisition>{more}<waveforms><parsedwaveforms dataencoding='{coding}' "
        f"durationperchannel='{duration}' {attributes}>{text}</parsedwaveforms></waveforms></restingecgdata>"
    )


XLI = f"compression='XLI' numberofleads='12' leadlabels='{LABELS}'"


@pytest.fixture
def opened(tmp_path):
    def write_and_open(content, encoding="utf-8"):
        (tmp_path / "x.xml").write_bytes(f'<?xml version="1.0" encoding="{encoding}"?>{content}'.encode(encoding))
        return open_sierra(tmp_path / "x.xml")

    return write_and_open


# --- real files -------------------------------------------------------------------------------------------------------


@real
@pytest.mark.parametrize(
    ("name", "end"), [("sierra_1_03.xml", 5264), ("sierra_1_04.xml", 5300), ("repbeats_example.xml", 5264)]
)
def test_real_files_equal_the_sierraecg_package(name, end):
    source, theirs = open_recording(PHILIPS / name), sierraecg.read_file(str(PHILIPS / name), include_repbeats=True)
    recording = source.read()
    assert recording.leads == LEADS == tuple(lead.label for lead in theirs.leads)
    assert (recording.fs, recording.duration) == (theirs.leads[0].sampling_freq, theirs.leads[0].duration / 1000)
    for lead in theirs.leads:
        np.testing.assert_allclose(recording[lead.label][:end], lead.samples[:end] * 0.005, rtol=0, atol=1e-6)
        # Behind it the package gives 0 and the calibration pulse, 200 steps of 5 uV for 0.2 s in every lead.
        assert np.flatnonzero(lead.samples[end:] == 200).size == 100
        assert set(lead.samples[end:]) == {0, 200}
        assert np.isnan(recording[lead.label][end:]).all()
    assert source.notes == (f"the ECG ends after {end / 500:g} s; the calibration pulse behind it is left out.",)
    assert einthoven_residual_mv(recording) < 0.005  # one step: the derivation rounds down
    assert source.step_mv == (0.005,) * 12
    for label, beat in theirs.repbeats.items():
        there = beat.samples[: source.median.n_samples]
        np.testing.assert_allclose(source.median[label], there * beat.resolution / 1000, rtol=0, atol=1e-6)
        assert set(beat.samples[source.median.n_samples :]) <= {32767}
        assert source.median.fs == beat.sampling_freq
    assert (source.median is None) == (not theirs.repbeats)


@real
def test_amplitudes_agree_with_those_that_the_device_measured():
    # leadmeasurements of sierra_1_04.xml, uV: <samp> of V1 and V2, <ramp> of II, made on the representative beat.
    beat = open_sierra(PHILIPS / "sierra_1_04.xml").median
    measured = [1000 * beat["V1"].min(), 1000 * beat["V2"].min(), 1000 * beat["II"].max()]
    assert measured == pytest.approx([-1660, -2798, 1533], abs=2.5)  # one step


@real
def test_what_the_device_says_is_read():
    source = open_recording(PHILIPS / "sierra_1_04.xml", identify=True)
    assert source.machine.measurements == {
        "heart_rate_bpm": 84, "atrial_rate_bpm": 77, "rr_mean_ms": 714, "p_duration_ms": 148, "pr_interval_ms": 144,
        "qrs_duration_ms": 84, "qt_interval_ms": 352, "qtc_bazett_ms": 417, "qtc_fridericia_ms": 394,
        "p_axis_deg": 81, "qrs_axis_deg": 78, "t_axis_deg": 67,
    }  # fmt: skip
    assert source.machine.statements == (
        "SINUS RHYTHM: normal P axis, V-rate 60-99",
        "PROBABLE LEFT VENTRICULAR HYPERTROPHY: (RaVL+SV3)xQRSd >280",
        "ANTERIOR ST ELEVATION, PROBABLY DUE TO LVH: ST >0.20 mV in V1-V4 & LVH",
        "ABNORMAL ECG",
    )
    p = source.provenance
    assert (p.format, p.version, p.software) == ("sierra", "1.04", "A.01.01.01")
    assert p.device == "Philips Medical Products PageWriter Touch"
    assert p.recorded_at == source.read().start == datetime(2010, 1, 19, 15, 19, 22)
    assert (p.high_pass_hz, p.low_pass_hz, p.notch_hz) == (0.05, 150, None)
    person = source.patient
    assert (person.sex, person.age_years, person.born) == ("male", 60, date(1950, 1, 1))
    assert (person.id, person.name) == ("9999", "ZZDEMOPTONLY, ADULT")


@real
def test_what_the_device_says_in_version_1_03_is_read():
    source = open_recording(PHILIPS / "sierra_1_03.xml")
    assert source.machine.measurements == {
        "heart_rate_bpm": 41, "atrial_rate_bpm": 41, "pr_interval_ms": 151, "qrs_duration_ms": 135,
        "qt_interval_ms": 476, "qtc_ms": 393, "p_axis_deg": 66, "qrs_axis_deg": -21, "t_axis_deg": 59,
    }  # fmt: skip
    assert source.machine.statements[0] == "Sinus bradycardia: rate< 50"
    assert source.machine.statements[3:] == (">>> Acute MI <<<", "ABNORMAL ECG")
    p = source.provenance
    assert (p.device, p.high_pass_hz, p.low_pass_hz, p.notch_hz) == ("HeartstartMRx", 0.05, 150, 60)
    assert (source.patient.age_years, source.patient.id) == (50, "")


@real
@pytest.mark.parametrize(
    ("name", "message"),
    [("invalid-doc-type.xml", "got 'MortaraECG', version '1.03', in documentinfo"),
     ("invalid-doc-version.xml", "got 'SierraECG', version '1.05', in documentinfo")],
)  # fmt: skip
def test_documents_of_other_kinds_are_refused(name, message):
    with pytest.raises(FormatError, match=message):
        open_recording(PHILIPS / name)
    with pytest.raises(sierraecg.UnsupportedXmlFileError):
        sierraecg.read_file(str(PHILIPS / name))


# --- made files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_compressed_samples_come_back(encoding, opened, tmp_path):
    unused = np.zeros((4, 300), dtype=int)  # devices pack 16 channels
    source = opened(document(as_xli([*less_prediction(WAVES), *unused]), attributes=XLI), encoding)
    recording = source.read()
    assert (recording.leads, recording.start) == (LEADS, datetime(2020, 2, 3, 4, 5, 6))
    np.testing.assert_allclose(recording.signal, WAVES * 0.005, rtol=0, atol=1e-6)
    assert source.notes == ()
    for lead in sierraecg.read_file(str(tmp_path / "x.xml")).leads:
        np.testing.assert_allclose(recording[lead.label], lead.samples * 0.005, rtol=0, atol=1e-6)


def test_samples_that_are_not_compressed_are_taken_as_they_are(opened):
    plain = " ".join(map(str, WAVES.ravel()))
    for content, coding in ((WAVES.astype("<i2").tobytes(), "Base64"), (plain, "Plain")):
        for attributes in ("", "compressflag='False' compressmethod='XLI'", "compression='Uncompressed'"):
            recording = opened(document(content, coding=coding, attributes=attributes)).read()
            assert recording.leads == LEADS
            np.testing.assert_allclose(recording.signal, WAVES * 0.005, rtol=0, atol=1e-6)


def test_other_leads_are_named_as_the_file_names_them(opened):
    waves = WAVES[:3]
    attributes = "compression='XLI' numberofleads='3' leadlabels='V1 V3R V7 V8'"
    assert opened(document(as_xli(waves), attributes=attributes)).read().leads == ("V1", "V3R", "V7")
    content = document(waves.astype("<i2").tobytes()).replace("10-WIRE", "EASI").replace(">12<", ">3<")
    assert opened(content).read().leads == ("channel 1", "channel 2", "channel 3")


def test_the_calibration_pulse_is_missing_and_a_quiet_end_is_not(opened):
    waves = WAVES.copy()
    waves[:, 0] += 7
    waves[:, 250:] = 0
    assert not np.isnan(opened(document(waves.astype("<i2").tobytes())).read().signal).any()
    waves[:, 270:290] = 200
    signal = opened(document(waves.astype("<i2").tobytes())).read().signal
    assert np.isnan(signal[:, 250:]).all()
    assert not np.isnan(signal[:, :250]).any()
    waves[:, 280] = 0  # two pulses are no calibration
    assert not np.isnan(opened(document(waves.astype("<i2").tobytes())).read().signal).any()


def test_beats_have_their_own_rate_and_resolution(opened):
    def beats(attributes, duration):
        text = base64.b64encode(np.array([1, -2, 3, 32767, 32767], dtype="<i2").tobytes()).decode()
        repbeat = f"<repbeat leadname='aVR'><waveform duration='{duration}'>{text}</waveform></repbeat>"
        more = f"<waveforms><repbeats dataencoding='Base64' {attributes}>{repbeat}</repbeats></waveforms>"
        return opened(document(WAVES.astype("<i2").tobytes(), more=more))

    median = beats("samplespersec='1000' resolution='2.5'", 5).median
    assert (median.leads, median.fs) == (("aVR",), 1000)
    np.testing.assert_allclose(median.signal, [[0.0025, -0.005, 0.0075]], rtol=1e-6)
    median = beats("", 10).median
    assert median.fs == 500
    np.testing.assert_allclose(median.signal, [[0.005, -0.01, 0.015]], rtol=1e-6)
    with pytest.raises(FormatError, match="repbeat aVR must last 10 ms at 1000 Hz, as it says; got 5 samples"):
        beats("samplespersec='1000'", 10)
    for huge in ("samplespersec='1e308'", "resolution='1e308'"):
        with pytest.raises(FormatError, match=r"must last 10 ms at 1e\+308 Hz|at most 1e\+06 uV; got 1e\+308"):
            beats(huge, 10)
    source = beats("compression='Huffman'", 10)
    assert source.median is None
    assert source.notes == ("the representative beats are compressed, and are not read.",)


def test_nobody_is_named(opened):
    said = "<interpretations><interpretation><statement><leftstatement>Dr. DOE informed</leftstatement></statement>"
    said += "<mdsignatureline>Confirmed by Roe</mdsignatureline></interpretation></interpretations>"
    person = "<patient><generalpatientdata><name><lastname>Doe</lastname></name></generalpatientdata></patient>"
    source = opened(document(WAVES.astype("<i2").tobytes(), more=said + person))
    assert source.machine.statements == ("Dr. … informed",)
    assert source.patient.name == "Doe"
    assert source.patient.without_identity().name == ""


BAD = as_xli(less_prediction(WAVES))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (document(BAD[:-3], attributes=XLI), "lead V6 must have a header of 8 bytes and the bytes it says"),
        (document(b"\xff\xff\xff\x7f" + BAD[4:], attributes=XLI), "got 2147483647 of"),
        (document(b"\xff\xff\xff\xff" + BAD[4:], attributes=XLI), "lead I must have .* got -1 of"),
        (document(BAD, attributes=XLI, duration=598), "lead I in .* must have 299 samples, .* got more"),
        (document(BAD, attributes=XLI, duration=602), "must have 301 samples, .* got 300"),
        (document(BAD, attributes=XLI, duration=10**12), "1 to 524288 samples in all leads"),
        (document(BAD, attributes=XLI, duration=-1), "12 leads of 0 samples"),
        (
            document(BAD, attributes=XLI, duration="x"),
            "durationperchannel of parsedwaveforms must be a number; got 'x'",
        ),
        (document(b"\2\0\0\0" + bytes(4) + b"\xff\xff", attributes=XLI), "must be packed by XLI; got IndexError"),
        (document("A", attributes=XLI), "parsedwaveforms must be Base64"),
        (
            document(BAD, attributes="compression='Huffman'"),
            "compressed by XLI, in Base64, or not at all; got 'Huffman'",
        ),
        (document(b"\0\0" * 3599), "must hold 12 leads of 300 samples; got 3599 samples"),
        (document("1 2 x", coding="Plain"), "must be integers in Base64 or plain text; got 'Plain'"),
        (document("", coding="Hex"), "must be integers in Base64 or plain text; got 'Hex'"),
        (document(BAD, signal="<bitspersample>12</bitspersample>"), "signed, of 16 bits and without offset"),
        (document(BAD).replace("<resolution>5", "<resolution>0"), "in steps of 0 uV"),
        (document(BAD).replace("<samplingrate>500", "<samplingrate>fast"), "samplingrate must be a number; got 'fast'"),
        (document(BAD).replace("signalcharacteristics", "other"), "must have the element dataacquisition/signal"),
        (document(BAD).replace("parsedwaveforms", "other"), "must have the element parsedwaveforms"),
        ("<restingecgdata/>", "got '', version '', in documentinfo"),
    ],
)
def test_broken_documents_are_refused(content, message, opened):
    with pytest.raises(FormatError, match=message):
        opened(content)


def test_packed_samples_that_unpack_to_far_more_are_refused(opened):
    # Each code of 10 bits stands for up to 768 bytes: 30 kB would become 18 MB.
    codes = [0, *range(256, 1023), *[1022] * 24_000]
    chunk = int("".join(f"{code:010b}" for code in codes), 2).to_bytes(-(-len(codes) * 10 // 8), "big")
    content = len(chunk).to_bytes(4, "little") + bytes(4) + chunk
    with pytest.raises(FormatError, match="lead I in x"):
        opened(document(content, attributes="compression='XLI' numberofleads='1' leadlabels='I'"))


def test_without_the_package_it_is_said_what_to_install(opened, monkeypatch):
    monkeypatch.setitem(sys.modules, "sierraecg.lzw", None)
    with pytest.raises(MissingExtra, match=r"Run: pip install 'twelvelead\[formats\]'$"):
        opened(document(BAD, attributes=XLI))
    assert opened(document(WAVES.astype("<i2").tobytes())).read().leads == LEADS


def test_mutated_files_raise_nothing_but_input_errors(opened, tmp_path):
    opened(document(BAD, attributes=XLI))
    good = (tmp_path / "x.xml").read_bytes()
    rng = np.random.default_rng(2)
    outcomes = {"read": 0, "refused": 0}
    for trial in range(300):
        mutated = bytearray(good)
        for at in rng.integers(0, len(good), rng.integers(1, 4)):
            mutated[at] = rng.choice(list(b"0123456789AZaz+/<'")) if trial % 2 else rng.integers(256)
        if trial % 3 == 0:  # a packed chunk with other sizes and codes
            packed = bytearray(BAD)
            for at in rng.integers(0, len(BAD), 2):
                packed[at] = rng.integers(256)
            mutated = document(bytes(packed), attributes=XLI).encode()
        (tmp_path / "x.xml").write_bytes(mutated[: rng.integers(len(good))] if trial % 5 == 0 else mutated)
        try:
            open_sierra(tmp_path / "x.xml").read()
            outcomes["read"] += 1
        except InputError:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 20
