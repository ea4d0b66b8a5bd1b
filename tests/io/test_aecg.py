import re
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest

from twelvelead.io import open_recording
from twelvelead.io.formats.aecg import open_aecg
from twelvelead.signal import einthoven_residual_mv
from twelvelead.terms import LEADS, FormatError, InputError

AECG = Path(__file__).parents[2].parent / "shared" / "data" / "formats" / "aecg"
real = pytest.mark.skipif(not AECG.is_dir(), reason="../shared/data/formats/aecg is absent: no real file to read")


def times(head="20021122091000.000", increment="0.002", unit="s", code="TIME_ABSOLUTE", head_unit=""):
    inner = f"<head value='{head}'{head_unit}/><increment value='{increment}' unit='{unit}'/>"
    return (
        f"<component><sequence><code code='{code}'/><value xsi:type='GLIST_TS'>{inner}</value></sequence></component>"
    )


def relative(head, increment="2", unit="ms"):
    return times(head, increment, unit, "TIME_RELATIVE", " unit='s'")


def lead(code, digits, *, scale="2.5", unit="uV", origin="0", origin_unit="uV"):
    inner = f"<origin value='{origin}' unit='{origin_unit}'/><scale value='{scale}' unit='{unit}'/>"
    inner = f"<value xsi:type='SLIST_PQ'>{inner}<digits>{digits}</digits></value>"
    return f"<component><sequence><code code='{code}'/>{inner}</sequence></component>"


def sequences(*parts):
    return f"<component><sequenceSet>{''.join(parts)}</sequenceSet></component>"


def series(*parts, code="RHYTHM"):
    return f"<component><series><code code='{code}'/>{''.join(parts)}</series></component>"


def annotations(*parts, author=""):
    return f"<subjectOf><annotationSet>{author}{''.join(parts)}</annotationSet></subjectOf>"


def annotation(code, value="", *inner):
    return f"<component><annotation><code code='{code}'/>{value}{''.join(inner)}</annotation></component>"


def quantity(code, number, unit, *inner):
    return annotation(code, f"<value xsi:type='PQ' value='{number}' unit='{unit}'/>", *inner)


ONE = sequences(times(), lead("MDC_ECG_LEAD_I", "1 2 3"))


@pytest.fixture
def opened(tmp_path):
    def write_and_open(*parts, prefix=False):
        text = f"<AnnotatedECG xmlns='urn:hl7-org:v3' xmlns:xsi='urn:xsi'>{''.join(parts)}</AnnotatedECG>"
        if prefix:
            text = re.sub(r"<(/?)(?=[A-Za-z])", r"<\1h:", text).replace("xmlns=", "xmlns:h=")
        (tmp_path / "x.xml").write_text(text)
        return open_aecg(tmp_path / "x.xml")

    return write_and_open


# --- the real file ----------------------------------------------------------------------------------------------------


def plainly_read(text):
    """Read leads by taking the text apart, in mV; no code of the project's."""
    found = re.findall(r'code="MDC_ECG_LEAD_(\w+)"[^>]*/>\s*<value xsi:type="SLIST_PQ">(.*?)</value>', text, re.DOTALL)
    out = {}
    for name, value in found:
        assert '<origin value="0" unit="uV"/>' in value
        assert '<scale value="2.5" unit="uV"/>' in value
        digits = value.split("<digits>")[1].split("</digits>")[0]
        out[name.replace("AV", "aV")] = [0.0025 * int(word) for word in digits.split()]
    return out


@real
def test_the_real_file_equals_a_plain_reading():
    source = open_recording(AECG / "example.xml")
    rhythm, beat = (AECG / "example.xml").read_text().split("<derivation>")
    for recording, text, n_samples in ((source.read(), rhythm, 5000), (source.median, beat, 599)):
        plain = plainly_read(text)
        assert set(plain) == set(recording.leads)
        assert (recording.leads, recording.fs, recording.n_samples) == (LEADS, 500, n_samples)
        for name, values in plain.items():
            np.testing.assert_allclose(recording[name], values, rtol=0, atol=1e-6)
        assert einthoven_residual_mv(recording) < 0.0025  # one step
    assert source.step_mv == pytest.approx([0.0025] * 12)
    assert source.notes == ()


@real
def test_what_the_real_file_says_is_read():
    source = open_recording(AECG / "example.xml", identify=True)
    assert source.machine.measurements == {
        "p_duration_ms": 102, "pr_interval_ms": 148, "qrs_duration_ms": 120, "qt_interval_ms": 420, "qtc_ms": 443,
        "p_axis_deg": 44, "qrs_axis_deg": -61, "t_axis_deg": 86,
    }  # fmt: skip
    assert source.machine.statements == ("Sinus Rhythm",)
    p = source.provenance
    assert (p.format, p.device, p.software) == ("aecg", "Mortara Instrument, Inc. ELI250", "5.3")
    assert (p.high_pass_hz, p.low_pass_hz, p.notch_hz) == (None, 150, 60)
    assert p.recorded_at == source.read().start == datetime(2002, 11, 22, 9, 10)
    person = source.patient
    assert (person.sex, person.age_years, person.born) == ("male", 46, date(1953, 5, 8))
    assert (person.id, person.name) == ("SBJ-123", "Clark")
    said = repr(open_recording(AECG / "example.xml"))
    for secret in ("SBJ-123", "Clark", "1953", "JMK", "Smith", "River City"):
        assert secret not in said


# --- made files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", [False, True])
def test_leads_have_units_origins_and_names(prefix, opened):
    leads = [
        lead("MDC_ECG_LEAD_V1", "-1 0 4", scale="0.005", unit="mV", origin="100"),
        lead("MDC_ECG_LEAD_II", " 1 2\n 3 ", scale="5000", unit="nV", origin="1", origin_unit="mV"),
        lead("MDC_ECG_LEAD_AVR", "1.5 2e1 -3", scale="-1"),
        lead("MDC_ECG_LEAD_V3R", "1"),
        lead("2:61", "1 1 1"),
        lead("MDC_ECG_LEAD_II", "7 7 7"),
        lead("MDC_PULS_OXIM_PLETH", "1 2 3", unit="%"),
    ]
    source = opened(series(sequences(times(), *leads)), prefix=prefix)
    recording = source.read()
    nan = np.nan
    wanted = {
        "II": [1.005, 1.010, 1.015], "III": [0.0025] * 3, "aVR": [-0.0015, -0.02, 0.003], "V1": [0.095, 0.1, 0.12],
        "V3R": [0.0025, nan, nan], "II 2": [0.0175] * 3,
    }  # fmt: skip
    assert recording.leads == tuple(wanted)
    np.testing.assert_allclose(recording.signal, list(wanted.values()), rtol=1e-6)
    assert source.step_mv == pytest.approx([0.005, 0.0025, 0.001, 0.005, 0.0025, 0.0025])
    assert source.notes == ("MDC_PULS_OXIM_PLETH is in no unit of voltage, and is left out.",)
    assert source.median is None


@pytest.mark.parametrize(
    ("increment", "unit", "fs"), [("0.002", "s", 500), ("4", "ms", 250), ("1000", "us", 1000), ("3", "ms", 1000 / 3)]
)
def test_the_sampling_frequency_is_the_inverse_of_the_increment(increment, unit, fs, opened):
    source = opened(series(sequences(times(increment=increment, unit=unit), lead("MDC_ECG_LEAD_I", "1"))))
    assert source.fs == pytest.approx(fs, rel=1e-12)


def test_sequence_sets_lie_where_their_times_say(opened):
    late = times("20021122091000.004-0500")
    far = times("20021122101000.000")
    source = opened(
        series(
            sequences(times(), lead("MDC_ECG_LEAD_I", "1 1")),
            sequences(late, lead("MDC_ECG_LEAD_II", "2 2"), lead("MDC_ECG_LEAD_I", "3")),
            sequences(far, lead("MDC_ECG_LEAD_V1", "4")),
            sequences(times(increment="0.004"), lead("MDC_ECG_LEAD_V2", "4")),
        ),
        series(sequences(late, lead("MDC_ECG_LEAD_V3", "5"))),
        series(sequences(relative("0"), lead("MDC_ECG_LEAD_V4", "5"))),
    )
    nan = np.nan
    np.testing.assert_allclose(
        source.read().signal / 0.0025, [[1, 1, 3, nan], [nan, nan, 2, 2], [nan, nan, 5, nan]], rtol=1e-6
    )
    assert source.read().leads == ("I", "II", "V3")
    assert [note.split(" has")[0] for note in source.notes] == [f"sequence set {n}" for n in (3, 4, 6)]


def test_relative_times_count_from_the_first_set(opened):
    sets = [sequences(relative(f"{n}"), lead(f"MDC_ECG_LEAD_V{n}", "1 " * 500)) for n in (1, 2)]
    source = opened("<effectiveTime><center value='20200102030405'/></effectiveTime>", series(*sets))
    recording = source.read()
    assert (recording.fs, recording.n_samples, recording.start) == (500, 1000, datetime(2020, 1, 2, 3, 4, 5))
    assert np.isnan(recording["V2"][:500]).all()
    assert not np.isnan(recording["V2"][500:]).any()


def test_a_representative_beat_may_be_a_series_of_its_own(opened):
    beat = sequences(relative("0", "1"), lead("MDC_ECG_LEAD_I", "8 9"))
    source = opened(series(beat, code="REPRESENTATIVE_BEAT"), series(ONE))
    assert (source.n_samples, source.median.fs, source.median.n_samples) == (3, 1000, 2)


def test_measurements_of_the_whole_go_before_those_of_beats_and_leads(opened):
    one_lead = "<support><supportingROI><component><boundary><code code='MDC_ECG_LEAD_V1'/></boundary></component>"
    one_lead += "</supportingROI></support>"
    source = opened(
        series(
            ONE,
            annotations(
                quantity("MDC_ECG_HEART_RATE", 61, "bpm"),
                quantity("MDC_ECG_TIME_PD_RR", "0.98", "s"),
                quantity("MDC_ECG_TIME_PD_QRS", 77, "ms", one_lead),
                quantity("MDC_ECG_TIME_PD_QTcB", 410, "ms"),
                quantity("MDC_ECG_TIME_PD_QTcF", 400, "ms"),
                quantity("MDC_ECG_ANGLE_QRS_FRONT_GL", 271, "deg"),
                quantity("MDC_ECG_ANGLE_T_FRONT", 10, ""),
                annotation("MDC_ECG_BEAT", "", quantity("MDC_ECG_TIME_PD_PR", 150, "ms")),
                annotation("MDC_ECG_BEAT", "", quantity("MDC_ECG_TIME_PD_QT", 1, "ms")),
                annotation("MDC_ECG_BEAT", "", quantity("MDC_ECG_TIME_PD_PR", 160, "ms")),
                annotation("MDC_ECG_BEAT", "", quantity("MDC_ECG_TIME_PD_PR", 190, "ms")),
                quantity("MDC_ECG_TIME_PD_QT_GL", 390, "ms"),
            ),
            annotations(
                quantity("MDC_ECG_TIME_PD_P", 99, "ms"),
                author="<author><assignedEntity><assignedPerson><name>Doe</name></assignedPerson></assignedEntity></author>",
            ),
        )
    )  # fmt: skip
    assert source.machine.measurements == {
        "heart_rate_bpm": 61, "rr_mean_ms": 980, "qtc_bazett_ms": 410, "qtc_fridericia_ms": 400, "qrs_axis_deg": -89,
        "pr_interval_ms": 160, "qt_interval_ms": 390,
    }  # fmt: skip


def test_statements_are_read_and_name_nobody(opened):
    def text(code, words):
        return annotation(code, f"<value xsi:type='ST'>{words}</value>")

    said = annotation(
        "MDC_ECG_INTERPRETATION",
        "",
        text("MDC_ECG_INTERPRETATION_STATEMENT", "Sinus rhythm"),
        text("MDC_ECG_INTERPRETATION_STATEMENT", "told Mr Doe"),
        text("MDC_ECG_INTERPRETATION_COMMENT", "anything"),
        text("MDC_ECG_INTERPRETATION_SUMMARY", "Normal ECG"),
    )
    person = "<trialSubject><id root='1.2.3'/><subjectDemographicPerson>"
    person += "<name><given>Jane</given> <family>Doe</family></name>"
    person += (
        "<administrativeGenderCode code='F'/><birthTime value='19500101'/></subjectDemographicPerson></trialSubject>"
    )
    source = opened(person, series(ONE, annotations(said)))
    assert source.machine.statements == ("Sinus rhythm", "told Mr …", "Normal ECG")
    patient = source.patient
    assert (patient.name, patient.id, patient.sex, patient.age_years) == ("Jane Doe", "1.2.3", "female", 52)


@pytest.mark.parametrize(
    ("number", "unit", "years"), [("18", "mo", 1.5), ("7", "a", 7), ("7", "x", None), ("-1", "a", None)]
)
def test_ages_have_units(number, unit, years, opened):
    age = "<controlVariable><relatedObservation><code code='21612-7'/>"
    age += f"<value xsi:type='PQ' value='{number}' unit='{unit}'/></relatedObservation></controlVariable>"
    assert opened(age, series(ONE)).patient.age_years == years


def test_filters_are_read_by_their_codes(opened):
    def variable(kind, value):
        code = f"<code code='MDC_ECG_CTL_VBL_ATTR_FILTER_{kind}'/>"
        return f"<controlVariable><controlVariable>{code}{value}</controlVariable></controlVariable>"

    inner = "<component><controlVariable><code code='x'/><value value='0.05' unit='Hz'/></controlVariable></component>"
    source = opened(series(variable("HIGH_PASS", inner), variable("LOW_PASS", "<value value='40' unit='Hz'/>"), ONE))
    p = source.provenance
    assert (p.high_pass_hz, p.low_pass_hz, p.notch_hz) == (0.05, 40, None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "must have a series of the rhythm; got none in x"),
        (series(), "must hold samples of a lead in a unit of voltage; got none"),
        (series(sequences(lead("MDC_ECG_LEAD_I", "1"))), "must have a sequence TIME_ABSOLUTE or TIME_RELATIVE"),
        (series(sequences(times(increment="0"))), "increment of TIME_ABSOLUTE must be above 0 s, .* got 0 s"),
        (series(sequences(times(increment="2", unit="h"))), "got 2 h"),
        (series(sequences(times(increment="x"))), "the increment of TIME_ABSOLUTE must be a number; got 'x'"),
        (series(sequences(times(increment="1e-6"), lead("MDC_ECG_LEAD_I", "1"))), "between 0 and 100000 Hz; got 1e"),
        (series(sequences(times(), lead("MDC_ECG_LEAD_I", "1 2 x"))), "the digits of I must be numbers"),
        (series(sequences(times(), lead("MDC_ECG_LEAD_I", "1 2-3"))), "the digits of I must be numbers"),
        (series(sequences(times(), lead("MDC_ECG_LEAD_I", ""))), "must hold samples of a lead"),
        (
            series(sequences(times(), lead("MDC_ECG_LEAD_I", "1", scale="x"))),
            "the scale of I must be a number; got 'x'",
        ),
        (series(sequences(times(), lead("MDC_ECG_LEAD_I", "1", scale="0"))), "the scale of I must not be 0"),
    ],
)
def test_broken_documents_are_refused(content, message, opened):
    with pytest.raises(FormatError, match=message):
        opened(content)


def test_samples_too_large_are_refused(opened):
    with pytest.raises(FormatError, match="samples must be finite"):
        opened(series(sequences(times(), lead("MDC_ECG_LEAD_I", "1e300 1"))))


def test_another_root_is_refused(tmp_path):
    (tmp_path / "y.xml").write_text("<Other/>")
    with pytest.raises(FormatError, match="must be AnnotatedECG; got 'Other'"):
        open_aecg(tmp_path / "y.xml")


def test_mutated_files_raise_nothing_but_input_errors(opened, tmp_path):
    parts = [sequences(times(), lead("MDC_ECG_LEAD_I", "1 -2 3 " * 99), lead("MDC_ECG_LEAD_II", "3 2 1 " * 99))]
    parts += [ONE, annotations(quantity("MDC_ECG_TIME_PD_PR", 150, "ms"))]
    opened(series(*parts))
    good = (tmp_path / "x.xml").read_bytes()
    rng = np.random.default_rng(4)
    outcomes = {"read": 0, "refused": 0}
    for trial in range(300):
        mutated = bytearray(good)
        for at in rng.integers(0, len(good), rng.integers(1, 4)):
            mutated[at] = rng.choice(list(b"0123456789-. eE</'")) if trial % 2 else rng.integers(256)
        (tmp_path / "x.xml").write_bytes(mutated[: rng.integers(len(good))] if trial % 5 == 0 else mutated)
        try:
            open_aecg(tmp_path / "x.xml").read()
            outcomes["read"] += 1
        except InputError:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 20
