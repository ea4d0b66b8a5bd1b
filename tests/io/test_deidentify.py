"""De-identification: what goes, what stays, and what can be told to belong together."""

import hashlib
import hmac
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest

from twelvelead.io.deidentify import deidentify, pseudonym, tells_nobody
from twelvelead.io.ecg_words import WORDS
from twelvelead.io.formats.metadata import Machine, Patient, Provenance
from twelvelead.io.formats.source import Source, source_of
from twelvelead.signal import Recording
from twelvelead.terms import InputError

KEY = bytes(range(32))
AT = datetime(2019, 5, 6, 7, 8, 9)
WHOM = Patient("male", 93.0, id="MRN-4711", name="Doe, Jane Anna", born=date(1926, 1, 2))


def source(patient=WHOM, at=AT, name="r1", leads=("I", "V1"), **said):
    recording = Recording(np.arange(2.0 * 3).reshape(2, 3), leads, 500, name, at)
    said = {"provenance": Provenance("muse", "1", "GE MAC 5500", "12SL v241", at, 0.05, 150.0, 50.0), **said}
    return source_of(recording, patient=patient, **said)


def new(given, key=KEY, name="r1"):
    return deidentify(given, key=key, recording_id=name)


def test_nobody_is_named_and_everything_else_is_kept():
    machine = Machine({"qt_interval_ms": 400.0}, ("Sinus rhythm", "Confirmed by Dr. Who", "ECG of JANE", "62 bpm"))
    median = Recording(np.ones((2, 2)), ("I", "V1"), 500, "r1", AT)
    given = source(machine=machine, median=median, step_mv=(0.1, 0.1), notes=("Jane was here",))
    got = new(given)
    assert got.patient == Patient("male", 90.0, id=pseudonym("MRN-4711", key=KEY, kind="patient"))
    assert got.machine == Machine({"qt_interval_ms": 400.0}, ("Sinus rhythm", "62 bpm"))
    assert got.notes == ()
    assert got.provenance == replace(given.provenance, recorded_at=got.provenance.recorded_at)
    for recording in (got.read(), got.median):
        assert (recording.id, recording.start) == (
            pseudonym("r1", key=KEY, kind="recording"),
            got.provenance.recorded_at,
        )
    np.testing.assert_array_equal(got.read().signal, given.read().signal)
    assert (got.step_mv, got.fs, got.n_samples) == (given.step_mv, 500, 3)
    text = repr((got, got.read(), got.median))
    assert not [canary for canary in ("MRN", "4711", "Doe", "Jane", "1926", "2019, 5, 6", "Who") if canary in text]


def test_pseudonyms_are_hmacs():
    for kind, name in (("patient", "MRN-4711"), ("recording", "ä/b")):
        expected = hmac.new(KEY, f"{kind}\0{name}".encode(), hashlib.sha256).hexdigest()[:16]
        assert pseudonym(name, key=KEY, kind=kind) == expected
    assert pseudonym("a", key=KEY, kind="patient") != pseudonym("a", key=KEY, kind="recording")
    assert pseudonym("a", key=KEY, kind="patient") != pseudonym("a", key=KEY[::-1], kind="patient")


def test_intervals_within_a_patient_are_kept_and_the_time_of_day():
    shifts = []
    for days in (0, 10, 400):
        at = AT + timedelta(days=days)
        got = new(source(at=at, name=f"r{days}"), name=f"r{days}")
        shifts.append(at - got.provenance.recorded_at)
    assert len(set(shifts)) == 1
    assert timedelta(days=1) <= shifts[0] <= timedelta(days=3650)
    assert shifts[0] % timedelta(days=1) == timedelta(0)


def test_shifts_spread_over_ten_years_and_differ_by_patient_key_and_unknown_recording():
    def shift(patient, key=KEY, name="r1"):
        return (AT - new(source(patient=patient), key=key, name=name).provenance.recorded_at).days

    days = [shift(replace(WHOM, id=str(n))) for n in range(400)]
    assert 1 <= min(days) < 100
    assert 3550 < max(days) <= 3650
    assert len(set(days)) > 350
    assert abs(np.mean(days) - 1825) < 4 * 3650 / np.sqrt(12 * 400)
    assert shift(WHOM) != shift(WHOM, key=KEY[::-1])
    assert shift(Patient(), name="r1") != shift(Patient(), name="r2")
    assert shift(replace(WHOM, id=" MRN-4711 ")) == shift(WHOM)


def test_a_date_before_the_calendar_is_left_out():
    got = new(source(at=datetime(1, 1, 1)))
    assert (got.provenance.recorded_at, got.read().start) == (None, None)


def test_a_patient_without_id_gets_none():
    got = new(source(patient=Patient("female", 40.0)))
    assert got.patient == Patient("female", 40.0)


@pytest.mark.parametrize("text", [
    "Doe", "SINUS RHYTHM JANE", "Confirmed by Block", "Compared with ECG of 12-JAN-2020", "ECG of 12.1.2020",
    "since 2019", "rate 1234", "at 10:32", "12/5", "3-4-20", "20200112", "4711", "MRN4711", "Straße", "Müller", "***",
    "", "Dr. White", "call 555 1234", "jane@doe.org", "426783007", "123456", "Ward 3", "४७११", "\u202eenaJ",
])  # fmt: skip
def test_what_may_tell_somebody_is_dropped(text):
    assert not tells_nobody(text, WHOM)


@pytest.mark.parametrize("text", [
    "Sinus rhythm", "*** Acute MI ***", "ST >0.20 mV in V1-V4 & LVH", "2:1 AV block", "V-rate 60-99", "426783006",
    "Nonspecific T wave abnormality", "Left axis deviation", "Atrial fibrillation with rapid ventricular response",
    "rSr' in V1", "164889003", "Prolonged QTc (Bazett) 482 ms",
])  # fmt: skip
def test_what_describes_an_ecg_is_kept(text):
    assert tells_nobody(text, WHOM)


def test_one_unknown_word_costs_the_statement():
    assert not tells_nobody("Sinus rhythm at Riverside", WHOM)


def test_a_short_id_is_not_looked_for_within_numbers():
    assert not tells_nobody("rate 12", Patient(id="12"))
    assert tells_nobody("rate 120", Patient(id="12"))
    assert not tells_nobody("rate 120 4", Patient(id="1204"))


def test_a_name_that_is_a_word_of_ecgs_is_looked_for():
    assert tells_nobody("Long QT", Patient())
    assert not tells_nobody("Long QT", Patient(name="LONG^ANN"))


def test_common_names_are_no_words_of_ecgs():
    names = "smith johnson brown jones garcia miller davis müller schmidt schneider li wang john mary"
    assert not WORDS & set(names.split())
    assert all(word == word.casefold() and word.isalpha() for word in WORDS)


def test_serial_numbers_and_odd_leads_go():
    provenance = Provenance(device="MAC55 SN SCD11530121WA", software="Doe's 12SL", version="1.2")
    got = new(source(provenance=provenance, leads=("aVR", "Jane")))
    assert (got.provenance.device, got.provenance.software, got.provenance.version) == ("", "", "1.2")
    assert got.read().leads == ("aVR", "lead 2")
    assert new(source(leads=("MLII", "ECG I filtered"))).read().leads == ("MLII", "ECG I filtered")


def test_a_short_key_is_refused():
    with pytest.raises(InputError, match="a key must have 32 bytes or more; got 5"):
        new(source(), key=b"short")


def test_spans_are_deidentified_too():
    got = new(source()).span(1, 2)
    assert isinstance(new(source()), Source)
    assert (got.n_samples, got.id) == (1, pseudonym("r1", key=KEY, kind="recording"))
    assert got.start != AT
