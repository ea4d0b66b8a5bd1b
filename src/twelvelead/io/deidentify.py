"""Leave out of a recording whom it is of, so that recordings of one patient can still be told to be so.

Ids become pseudonyms, made with a secret key; dates are shifted, by as many days for all recordings of a patient; free
text is kept only as far as it consists of the words in which ECGs are described.
"""

import hmac
import re
from dataclasses import replace
from datetime import datetime, timedelta

from twelvelead.io.ecg_words import WORDS
from twelvelead.io.formats.metadata import Machine, Patient, Provenance
from twelvelead.io.formats.source import Source
from twelvelead.signal import Recording
from twelvelead.terms import LEADS, InputError

KEY_BYTES = 32
DIGITS = 16  # of a pseudonym, hexadecimal: among a million, two agree with a probability of 3e-8
FARTHEST = 3650  # days by which dates are shifted, at most; at least by one
_MOST_DIGITS = 3  # of a number in a statement: a rate or an interval, but no year, record number or telephone number
_DATE = re.compile(r"\d\s*/\s*\d|\d:\d\d|\d\s*[.\-]\s*\d{1,2}\s*[.\-]\s*\d|\d{4}")
_PERMUTE = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def deidentify(source: Source, *, key: bytes, recording_id: str) -> Source:
    """Leave out of a source whom it is of.

    Parameters
    ----------
    source : Source
        With the patient's identity, as far as its file has it: what is known can be looked for in free text.
    key : bytes
        The secret, of 32 random bytes or more. Who has it can find out which pseudonym an id has.
    recording_id : str
        What the recording is called.

    Returns
    -------
    Source
        With pseudonyms for the patient's and the recording's id; without name, date of birth and notes; ages above 89
        years are told as 90. Dates lie 1 to 3650 days earlier, as many for all recordings of a patient (of a recording,
        where the patient is unknown); the time of day stays. Statements, and names of leads, are kept only if
        `tells_nobody`; device and software only if no number in them is as long as a serial number.

    Raises
    ------
    InputError
        If the key is too short.

    Notes
    -----
    Free text can never be guaranteed to tell nobody, nor can the waveform, by which a person may be recognised.
    Measurements, leads and filters are kept as they are.

    References
    ----------
    Safe harbour, 45 CFR 164.514(b)(2); DICOM PS3.15 annex E.
    """
    if len(key) < KEY_BYTES:
        msg = f"a key must have {KEY_BYTES} bytes or more; got {len(key)}. Let one be made."
        raise InputError(msg)
    patient, said = source.patient, source.provenance
    who = patient.id.strip()
    days = timedelta(days=1 + _number(key, "shift of dates", f"patient {who}" if who else f"recording {recording_id}"))
    new_id = pseudonym(recording_id, key=key, kind="recording")

    def rename(recording: Recording) -> Recording:
        leads = tuple(_plain_lead(lead, n, patient) for n, lead in enumerate(recording.leads, start=1))
        return replace(recording, id=new_id, leads=leads, start=_earlier(recording.start, days))

    return replace(
        source,
        span=lambda first, stop: rename(source.span(first, stop)),
        machine=Machine(
            source.machine.measurements, tuple(s for s in source.machine.statements if tells_nobody(s, patient))
        ),
        provenance=Provenance(
            format=said.format,
            version=_without_serial(said.version, patient),
            device=_without_serial(said.device, patient),
            software=_without_serial(said.software, patient),
            recorded_at=_earlier(said.recorded_at, days),
            high_pass_hz=said.high_pass_hz,
            low_pass_hz=said.low_pass_hz,
            notch_hz=said.notch_hz,
        ),
        patient=replace(patient.without_identity(), id=pseudonym(who, key=key, kind="patient") if who else ""),
        median=None if source.median is None else rename(source.median),
        notes=(),
    )


def pseudonym(name: str, *, key: bytes, kind: str) -> str:
    """Give the name under which an id is known to those without the key: 16 hexadecimal digits of an HMAC-SHA256.

    Examples
    --------
    >>> pseudonym("4711", key=bytes(32), kind="patient")
    'e2896dcf5d40a879'
    """
    return hmac.digest(key, f"{kind}\0{name}".encode(errors="surrogateescape"), "sha256").hex()[:DIGITS]


def tells_nobody(text: str, patient: Patient) -> bool:
    """Whether a text has nothing in it that may tell a person, a place or a date.

    Parameters
    ----------
    text : str
        A statement.
    patient : Patient
        Whose name and id must not be in it.

    Returns
    -------
    bool
        Whether each of its words is one of `ecg_words.WORDS`, numbers have three digits at most and none look like a
        date or a time of day; or it is a concept of SNOMED CT, known by its check digit. And nothing in it is part of
        the patient's name or id.

    Examples
    --------
    >>> whom = Patient(name="Sinus, Ann", id="123")
    >>> [tells_nobody(t, Patient()) for t in ("Sinus rhythm, rate 62", "ECG of 12/5", "Seen by Dr. Doe", "426783006")]
    [True, False, False, True]
    >>> [tells_nobody(t, whom) for t in ("Sinus rhythm", "rate 123", "Left axis deviation")]
    [False, False, True]
    """
    words = set(_words(text))
    if not words or _names(text, words, patient):
        return False
    if text.strip().isdigit():
        return _is_concept(text.strip())
    known = all(word in WORDS if word.isalpha() else len(word) <= _MOST_DIGITS for word in words)
    return known and not _DATE.search(text)


def _words(text: str) -> list[str]:
    """Give the runs of letters and those of digits."""
    return re.findall(r"[^\W\d_]+|\d+", text.casefold())


def _names(text: str, words: set[str], patient: Patient) -> bool:
    """Whether a part of the patient's name or id is in a text."""
    parts = {part for part in _words(patient.name) if len(part) > 1}
    number = "".join(_words(patient.id))
    within = number in "".join(_words(text)) if len(number) > 3 else number in words
    return bool(parts & words) or (bool(number) and within)


def _is_concept(digits: str) -> bool:
    """Whether digits identify a concept of SNOMED CT: the partition is 00 or 10, the check digit Verhoeff's."""
    if not 6 <= len(digits) <= 18 or digits[-3:-1] not in ("00", "10") or not digits.isascii():
        return False
    check = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        for _ in range(place % 8):
            digit = _PERMUTE[digit]  # noqa: PLW2901 - permuted once per place
        check = _turn(check, digit)
    return check == 0


def _turn(a: int, b: int) -> int:
    """Multiply in the dihedral group of the pentagon: 0 to 4 are rotations, 5 to 9 reflections."""
    rotation = (a + b if a < 5 else a - b) % 5
    return rotation + 5 * ((a < 5) != (b < 5))


def _plain_lead(lead: str, number: int, patient: Patient) -> str:
    """Keep the name of a lead unless it may tell somebody."""
    return lead if lead in LEADS or tells_nobody(lead, patient) else f"lead {number}"


def _without_serial(text: str, patient: Patient) -> str:
    """Leave out a text with a number as long as a serial number's, or with the patient's name or id."""
    words = _words(text)
    return "" if any(len(w) > 4 and w.isdigit() for w in words) or _names(text, set(words), patient) else text


def _earlier(when: datetime | None, days: timedelta) -> datetime | None:
    """Shift a time; None where the calendar does not reach so far."""
    try:
        return None if when is None else when - days
    except OverflowError:
        return None


def _number(key: bytes, kind: str, name: str) -> int:
    return int(pseudonym(name, key=key, kind=kind), 16) % FARTHEST
