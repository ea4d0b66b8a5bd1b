"""Annotated ECG of HL7: root element AnnotatedECG."""

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np

from twelvelead.io.formats.aecg_annotations import read_machine
from twelvelead.io.formats.metadata import Patient, Provenance, age_at, sex_of
from twelvelead.io.formats.pieces import LARGEST_STEP_MV, Piece, assemble
from twelvelead.io.formats.scale import MV_PER, UNDECLARED, Declaration
from twelvelead.io.formats.source import Source, source_of
from twelvelead.io.formats.xml import need_number, number_in, read_xml, root_element, text_at
from twelvelead.signal import Recording, lead_name, standard_order
from twelvelead.terms import FormatError

_SECONDS_PER = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
_YEARS_PER = {"a": 1.0, "mo": 1 / 12, "wk": 7 / 365.25, "d": 1 / 365.25, "h": 1 / 8766}
_STAMP = re.compile(r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?(?:\.(\d{1,9}))?)?(?:[+-]\d{2,4}|Z)?", re.ASCII)
_DIGITS = re.compile(r"[\d\s+.eE-]*", re.ASCII)
_AGE = "21612-7"  # LOINC, reported age
_BEAT = "REPRESENTATIVE_BEAT"
# Lead codes of IEEE 11073-10102 where a file has the number instead of the name.
_NUMBERED = {f"2:{n}": f"V{n - 2}" for n in range(3, 9)}
_NUMBERED |= {"2:1": "I", "2:2": "II", "2:61": "III", "2:62": "aVR", "2:63": "aVL", "2:64": "aVF"}


class _Clock(NamedTuple):
    """The times of a sequence set: samples per s, and when the first one was, by the clock or in s."""

    fs: float
    at: datetime | None
    seconds: float


def recognise_aecg(head: bytes, path: Path) -> bool:
    """Whether a file is an annotated ECG of HL7."""
    del path
    return root_element(head) == "AnnotatedECG"


def open_aecg(path: Path, declaration: Declaration = UNDECLARED) -> Source:
    """Open an annotated ECG.

    Parameters
    ----------
    path : Path
        The file.
    declaration : Declaration
        Not needed: the file says all.

    Returns
    -------
    Source
        The rhythm series; its sequence sets are put together by their times. The representative beat, a series of its
        own or one derived from the rhythm, is `Source.median`. Only the leads that are there are read.

    Raises
    ------
    FormatError
        If it is no XML, or has no sequence of voltages with its times.

    References
    ----------
    HL7 V3 Annotated ECG (ANSI/HL7 V3 ECG, R1-2004) and its implementation guide of 21 March 2005.
    """
    del declaration
    root = read_xml(path)
    if root.tag != "AnnotatedECG":
        msg = f"the root element of an annotated ECG must be AnnotatedECG; got {root.tag[:40]!r} in {path.name}. "
        msg += "Check the file."
        raise FormatError(msg)
    notes: list[str] = []
    rhythms = [series for series in root.findall("component/series") if _code(series) != _BEAT]
    if not rhythms:
        msg = (
            f"an annotated ECG must have a series of the rhythm; got none in {path.name}. Export it with its waveforms."
        )
        raise FormatError(msg)
    recording, step_mv = _read_series(rhythms, path, notes)
    recording = replace(recording, start=recording.start or _time_of(root, rhythms[0]))
    beats = [*rhythms[0].findall("derivation/derivedSeries"), *root.findall("component/series")]
    beats = [series for series in beats if _code(series) == _BEAT and series.find("component/sequenceSet") is not None]
    return source_of(
        recording,
        machine=read_machine(rhythms[0], beats, people=_people(root)),
        provenance=_provenance(root, rhythms[0], recording.start),
        patient=_patient(root, recording.start),
        median=replace(_read_series(beats[:1], path, notes)[0], start=None) if beats else None,
        step_mv=step_mv,
        notes=tuple(dict.fromkeys(notes)),
    )


def _code(element: Element) -> str:
    code = element.find("code")
    return "" if code is None else code.get("code", "").strip()


def _read_series(series: list[Element], path: Path, notes: list[str]) -> tuple[Recording, tuple[float, ...]]:
    """Read the sequence sets of series, and mV per step of each lead; what does not fit to the first set is noted."""
    pieces: list[Piece] = []
    first: _Clock | None = None
    total = 0
    sets = [(one, found) for one in series for found in one.findall("component/sequenceSet")]
    for number, (one, found) in enumerate(sets):
        clock = _clock_of(found, path)
        leads = _read_set(found, path, notes)
        total += sum(len(piece.samples) for piece in leads)
        if not leads:
            continue
        if first is None:
            first = clock
        begin = _offset(first, clock)
        elsewhere = one is not series[0] and clock.at is None
        if elsewhere or clock.fs != first.fs or not 0 <= begin <= total:
            notes.append(
                f"sequence set {number + 1} has another sampling frequency or a distant time, and is not read."
            )
            continue
        pieces.extend(replace(piece, first=begin) for piece in leads)
    fs = 0.0 if first is None else first.fs
    recording, steps = assemble(pieces, fs, path, start=None if first is None else first.at)
    recording = standard_order(recording)
    return recording, tuple(steps[lead] for lead in recording.leads)


def _offset(first: _Clock, clock: _Clock) -> int:
    """Count the samples between the beginnings of two sets."""
    seconds = clock.seconds - first.seconds
    if first.at is not None and clock.at is not None:
        seconds = (clock.at - first.at).total_seconds()
    return round(max(min(seconds * first.fs, 2e9), -1e9))


def _clock_of(found: Element, path: Path) -> _Clock:
    """Read the times of a sequence set."""
    for sequence in found.findall("component/sequence"):
        code = _code(sequence)
        if code in {"TIME_ABSOLUTE", "TIME_RELATIVE"}:
            increment, head = sequence.find("value/increment"), sequence.find("value/head")
            given = {} if increment is None else increment.attrib
            step = need_number(given.get("value"), f"the increment of {code}", path)
            scale = _SECONDS_PER.get(given.get("unit", "").strip())
            if scale is None or not 1e-7 < step * scale < 1e4:
                got = f"{step:g} {given.get('unit', '')[:10]}"
                msg = f"the increment of {code} must be above 0 s, in s, ms or us; got {got} in {path.name}. "
                msg += "Export the file again."
                raise FormatError(msg)
            fs = 1 / (step * scale)
            fs = round(fs) if abs(fs - round(fs)) < 1e-6 * fs else fs
            start = {} if head is None else head.attrib
            seconds = (number_in(start.get("value")) or 0.0) * _SECONDS_PER.get(start.get("unit", "s").strip(), 1.0)
            absolute = code == "TIME_ABSOLUTE"
            return _Clock(fs, _stamp(start.get("value")) if absolute else None, 0.0 if absolute else seconds)
    msg = f"a sequenceSet must have a sequence TIME_ABSOLUTE or TIME_RELATIVE; got none in {path.name}. "
    msg += "Export the file again."
    raise FormatError(msg)


def _read_set(found: Element, path: Path, notes: list[str]) -> list[Piece]:
    """Read the sequences of a set that are voltages."""
    pieces: list[Piece] = []
    for sequence in found.findall("component/sequence"):
        code = _code(sequence)
        if code.startswith("TIME_"):
            continue
        name = lead_name(_NUMBERED.get(code, code.rpartition("_LEAD_")[2]))[:24] or f"sequence {len(pieces) + 1}"
        scale, origin = sequence.find("value/scale"), sequence.find("value/origin")
        units = [(e.get("unit") or "").strip().lower() for e in (scale, origin) if e is not None and e.get("value")]
        if scale is None or not set(units) <= set(MV_PER):
            notes.append(f"{name} is in no unit of voltage, and is left out.")
            continue
        step = need_number(scale.get("value"), f"the scale of {name}", path) * MV_PER[units[0]]
        zero = 0.0 if origin is None else number_in(origin.get("value")) or 0.0
        digits = _digits(sequence.find("value/digits"), name, path)
        with np.errstate(over="ignore", invalid="ignore"):  # what does not fit is refused below
            samples = (zero * MV_PER[units[-1]] + step * digits).astype(np.float32)
        if not 0 < abs(step) <= LARGEST_STEP_MV or not np.isfinite(samples).all():
            msg = f"the scale of {name} must not be 0, its samples must be finite, and neither beyond any voltage of a "
            msg += f"body; got a scale of {step:g} mV in {path.name}. Export the file again."
            raise FormatError(msg)
        pieces.append(Piece(name, samples, abs(step)))
    return pieces


def _digits(element: Element | None, name: str, path: Path) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Read the numbers of a sequence, shape (n,)."""
    text = (element.text or "") if element is not None else ""
    try:
        if not _DIGITS.fullmatch(text):
            raise ValueError
        words = text.split()
        return np.fromiter(map(float, words), np.float64, count=len(words))
    except ValueError:
        msg = f"the digits of {name} must be numbers with blanks between; got something else in {path.name}. "
        msg += "Export the file again."
        raise FormatError(msg) from None


def _stamp(text: str | None) -> datetime | None:
    """Read a time of HL7, to the minute at least, as the clock where it was recorded showed it.

    Examples
    --------
    >>> _stamp("20021122091000.5-0600")
    datetime.datetime(2002, 11, 22, 9, 10, 0, 500000)
    >>> _stamp("20021122")
    """
    found = _STAMP.fullmatch((text or "").strip())
    if found is None or found[4] is None:
        return None
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
        return datetime(year, month, day, hour, minute, second, int((found[7] or "0").ljust(6, "0")[:6]))
    except ValueError:
        return None


def _time_of(root: Element, series: Element) -> datetime | None:
    """Find the time of a series whose samples have none."""
    stamps = [at.get("value") for e in (series, root) for at in e.findall("effectiveTime/*")]
    return next((found for found in map(_stamp, stamps) if found is not None), None)


def _provenance(root: Element, series: Element, recorded_at: datetime | None) -> Provenance:
    author = series.find("author/seriesAuthor")
    maker = text_at(author, "manufacturerOrganization/name")
    model = text_at(author, "manufacturedSeriesDevice/manufacturerModelName")
    return Provenance(
        version=root.get("ITSVersion", ""),
        device=" ".join(filter(None, (maker, model))),
        software=text_at(author, "manufacturedSeriesDevice/softwareName"),
        recorded_at=recorded_at,
        high_pass_hz=_filter(series, "HIGH_PASS"),
        low_pass_hz=_filter(series, "LOW_PASS"),
        notch_hz=_filter(series, "NOTCH"),
    )


def _filter(series: Element, kind: str) -> float | None:
    """Find the frequency of a filter, Hz."""
    for variable in series.findall("controlVariable/controlVariable"):
        if _code(variable) == f"MDC_ECG_CTL_VBL_ATTR_FILTER_{kind}":
            for value in variable.iter("value"):
                if value.get("unit", "").strip().lower() == "hz":
                    return number_in(value.get("value")) or None
    return None


def _patient(root: Element, recorded_at: datetime | None) -> Patient:
    subject = next(root.iter("trialSubject"), None)
    person = None if subject is None else next(subject.iter("subjectDemographicPerson"), None)
    number, gender = (
        None if e is None else e.find(tag) for e, tag in ((subject, "id"), (person, "administrativeGenderCode"))
    )
    birth = None if person is None else person.find("birthTime")
    stamp = "" if birth is None else birth.get("value", "").strip()[:8]
    day = _stamp(f"{stamp}0000") if len(stamp) == 8 else None
    born = None if day is None else day.date()
    age = age_at(born, recorded_at)
    for variable in root.findall("controlVariable/relatedObservation"):
        value = variable.find("value")
        if _code(variable) == _AGE and value is not None and value.get("unit", "").strip() in _YEARS_PER:
            years = (number_in(value.get("value")) or -1.0) * _YEARS_PER[value.get("unit", "").strip()]
            age = years if 0 <= years < 150 else age
    return Patient(
        sex=sex_of(None if gender is None else gender.get("code")),
        age_years=age,
        id="" if number is None else number.get("extension", "") or number.get("root", ""),
        name=text_at(person, "name"),
        born=born,
    )


def _people(root: Element) -> list[str]:
    """Collect the names of persons, and the subject's number."""
    persons = {"assignedPerson", "subjectDemographicPerson", "investigatorPerson"}
    named = [" ".join(text_at(e, "name").split()) for e in root.iter() if e.tag in persons]
    return named + [e.get("extension", "") for subject in root.iter("trialSubject") for e in subject.findall("id")]
