"""XML of GE's MUSE: root element RestingECG."""

import re
import zlib
from datetime import date, datetime
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from twelvelead.io.formats.machine import machine_of
from twelvelead.io.formats.metadata import Machine, Patient, Provenance, age_at, sex_of
from twelvelead.io.formats.pieces import LARGEST_STEP_MV, Piece, assemble
from twelvelead.io.formats.scale import UNDECLARED, Declaration
from twelvelead.io.formats.source import Source, source_of
from twelvelead.io.formats.xml import base64_in, need_number, number_in, read_xml, root_element, text_at
from twelvelead.signal import Recording, derive_limb_leads, lead_name, standard_order
from twelvelead.terms import FormatError

_MEASUREMENTS = {
    "heart_rate_bpm": "VentricularRate",
    "atrial_rate_bpm": "AtrialRate",
    "pr_interval_ms": "PRInterval",
    "qrs_duration_ms": "QRSDuration",
    "qt_interval_ms": "QTInterval",
    "qtc_bazett_ms": "QTCorrected",  # see Notes of open_muse
    "qtc_fridericia_ms": "QTcFrederica",
    "p_axis_deg": "PAxis",
    "qrs_axis_deg": "RAxis",
    "t_axis_deg": "TAxis",
}
_MV_PER = {"MICROVOLTS": 1e-3, "MILLIVOLTS": 1.0, "VOLTS": 1e3, "NANOVOLTS": 1e-6}
_YEARS_PER = {"YEARS": 1.0, "MONTHS": 1 / 12, "WEEKS": 7 / 365.25, "DAYS": 1 / 365.25, "HOURS": 1 / 8766}
_MISSING = -32768
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATES = (
    re.compile(r"(?P<month>\d{1,2})[-/](?P<day>\d{1,2})[-/](?P<year>\d{4})", re.ASCII),
    re.compile(r"(?P<day>\d{1,2})-(?P<name>[A-Za-z]{3})-(?P<year>\d{4})", re.ASCII),
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})", re.ASCII),
)
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)


def recognise_muse(head: bytes, path: Path) -> bool:
    """Whether a file is XML of MUSE."""
    del path
    return root_element(head) == "RestingECG"


def open_muse(path: Path, declaration: Declaration = UNDECLARED) -> Source:
    """Open a resting ECG that MUSE has exported.

    Parameters
    ----------
    path : Path
        The file.
    declaration : Declaration
        Not needed: the file says all.

    Returns
    -------
    Source
        The waveform called Rhythm; the one called Median is `Source.median`. MUSE stores I, II and V1 to V6 and derives
        III, aVR, aVL and aVF from them, and so is done here where they are not stored.

    Raises
    ------
    FormatError
        If it is no XML, or if a waveform has another number of samples than it says.

    Notes
    -----
    Samples are 16-bit integers, low byte first, in Base64; −32768, which no amplifier gives, stands for none.
    `LeadDataCRC32` is the CRC-32 of IEEE 802.3 over these bytes: so it is in all 32 leads of the two files at hand. One
    that differs is noted and no error, since files that were made anonymous by a converter may keep an old one.
    `HighPassFilter` counts hundredths of a Hz (below 1, it is Hz), `LowPassFilter` and `ACFilter` count Hz.
    `QTCorrected` is Bazett's, the formula of the Marquette 12SL program, and in the files at hand agrees with it to
    2 ms.
    """
    del declaration
    root = read_xml(path)
    if root.tag != "RestingECG":
        msg = f"the root element of MUSE must be RestingECG; got {root.tag[:40]!r} in {path.name}. Check the file."
        raise FormatError(msg)
    notes: list[str] = []
    rhythm, median = _waveforms(root, path, notes)
    provenance = _provenance(root, rhythm, notes)
    recording, step_mv = _read_waveform(rhythm, path, notes, start=provenance.recorded_at)
    return source_of(
        recording,
        machine=_machine(root),
        provenance=provenance,
        patient=_patient(root, provenance.recorded_at),
        median=None if median is None else _read_waveform(median, path, notes)[0],
        step_mv=step_mv,
        notes=tuple(dict.fromkeys(notes)),
    )


def _waveforms(root: Element, path: Path, notes: list[str]) -> tuple[Element, Element | None]:
    """Find the rhythm and the median beat."""
    kinds: dict[str, list[Element]] = {}
    for waveform in root.iter("Waveform"):
        kinds.setdefault(text_at(waveform, "WaveformType").lower() or "rhythm", []).append(waveform)
    if "rhythm" not in kinds:
        got = ", ".join(sorted(kind[:20] for kind in kinds)) or "no waveform"
        msg = f"a RestingECG must have a Waveform of the WaveformType Rhythm; got {got} in {path.name}. "
        msg += "Export it with its waveforms."
        raise FormatError(msg)
    rest = sum(len(found) for found in kinds.values()) - 1 - bool(kinds.get("median"))
    if rest:
        notes.append(f"{rest} more Waveform elements are not read.")
    return kinds["rhythm"][0], kinds.get("median", [None])[0]


def _read_waveform(
    waveform: Element, path: Path, notes: list[str], *, start: datetime | None = None
) -> tuple[Recording, tuple[float, ...]]:
    """Read the leads of a waveform, and mV per step of each."""
    kind = text_at(waveform, "WaveformType") or "Rhythm"
    base = need_number(text_at(waveform, "SampleBase"), f"SampleBase of the {kind} waveform", path)
    exponent = number_in(text_at(waveform, "SampleExponent")) or 0.0
    fs = base * 10**exponent if abs(exponent) <= 9 else 0.0
    sampled = text_at(waveform, "SampleType")
    if sampled not in {"", "CONTINUOUS_SAMPLES"}:
        notes.append(f"SampleType {sampled[:30]} is read like CONTINUOUS_SAMPLES.")
    found = [_read_lead(lead, kind, path, notes) for lead in waveform.findall("LeadData")]
    claimed = number_in(text_at(waveform, "NumberofLeads"))
    if claimed is not None and claimed != len(found):
        notes.append(f"NumberofLeads is {claimed:g}, but the {kind} waveform has {len(found)} leads.")
    recording, steps = assemble([piece for piece in found if piece is not None], fs, path, start=start)
    if {"I", "II"} <= set(recording.leads):
        recording = derive_limb_leads(recording)
    recording = standard_order(recording)
    return recording, tuple(steps.get(lead, steps.get("I", 0.0)) for lead in recording.leads)


def _read_lead(lead: Element, kind: str, path: Path, notes: list[str]) -> Piece | None:
    """Read one lead; None where it is no voltage."""
    name = lead_name(text_at(lead, "LeadID"))[:16]
    where = f"of lead {name} ({kind})"
    if not name:
        msg = f"a LeadData must have a LeadID; got none in the {kind} waveform of {path.name}. Export the file again."
        raise FormatError(msg)
    units = text_at(lead, "LeadAmplitudeUnits").upper() or "MICROVOLTS"
    if units not in _MV_PER:
        notes.append(f"lead {name} is in {units[:20]}, no unit of voltage, and is left out.")
        return None
    step = need_number(text_at(lead, "LeadAmplitudeUnitsPerBit"), f"LeadAmplitudeUnitsPerBit {where}", path)
    step *= _MV_PER[units]
    if not 0 < step <= LARGEST_STEP_MV:
        msg = (
            f"LeadAmplitudeUnitsPerBit {where} must be above 0, and at most {LARGEST_STEP_MV:g} mV; got {step:g} mV in "
        )
        msg += f"{path.name}. Export the file again."
        raise FormatError(msg)
    content = base64_in(text_at(lead, "WaveFormData"), f"WaveFormData {where}", path)
    _check_counts(lead, content, where, path)
    checksum = text_at(lead, "LeadDataCRC32")
    if checksum.isascii() and checksum.isdigit() and checksum.lstrip("0") != str(zlib.crc32(content)).lstrip("0"):
        notes.append(f"samples {where} don't have the checksum LeadDataCRC32.")
    odd = [field for field in ("LeadTimeOffset", "FirstSampleBaseline") if number_in(text_at(lead, field))]
    notes.extend(f"{field} {where} is not 0, and is not applied." for field in odd)
    if text_at(lead, "LeadOff").upper() == "TRUE":
        notes.append(f"an electrode {where} was off.")
    steps = np.frombuffer(content, dtype="<i2")
    samples = (steps * np.float64(step)).astype(np.float32)
    samples[steps == _MISSING] = np.nan
    first = number_in(text_at(lead, "LeadOffsetFirstSample")) or 0.0
    return Piece(name, samples, step, int(first))


def _check_counts(lead: Element, content: bytes, where: str, path: Path) -> None:
    """Compare the samples that are there with what is said of them."""
    size = number_in(text_at(lead, "LeadSampleSize"))
    if size not in {None, 2.0}:
        msg = f"LeadSampleSize {where} must be 2 bytes; got {size:g} in {path.name}. Export it with 16-bit samples."
        raise FormatError(msg)
    for field, got in (("LeadSampleCountTotal", len(content) / 2), ("LeadByteCountTotal", len(content))):
        said = number_in(text_at(lead, field))
        if said is None:
            said = got if not text_at(lead, field) else -1.0
        if said != got or len(content) % 2:
            msg = f"{field} {where} must be the number in WaveFormData, {got:g}; got {text_at(lead, field)[:20]!r} in "
            msg += f"{path.name}. The file is cut short or damaged: export it again."
            raise FormatError(msg)


def _machine(root: Element) -> Machine:
    """Read measurements and statements as they were edited, or as they were at first where nothing else is there."""
    measured = root.find("RestingECGMeasurements")
    original = root.find("OriginalRestingECGMeasurements")
    values = {}
    for name, field in _MEASUREMENTS.items():
        values[name] = number_in(text_at(original if measured is None else measured, field))
    values["rr_mean_ms"] = number_in(text_at(root, "QRSTimesTypes/GlobalRR"))
    diagnosis = root.find("Diagnosis")
    said = _statements(root.find("OriginalDiagnosis") if diagnosis is None else diagnosis)
    return machine_of(values, said, people=_people(root))


def _statements(diagnosis: Element | None) -> list[str]:
    """Join the parts of statements, of which the last one is flagged."""
    lines: list[list[str]] = [[]]
    for part in [] if diagnosis is None else diagnosis.findall("DiagnosisStatement"):
        flags = {(flag.text or "").strip().upper() for flag in part.findall("StmtFlag")}
        if "DELETED" not in flags:
            lines[-1].append(text_at(part, "StmtText"))
        if "ENDSLINE" in flags:
            lines.append([])
    return [" ".join(line) for line in lines]


def _people(root: Element) -> list[str]:
    """Collect the names of everybody, and the patient's numbers."""
    named = [element for element in root.iter() if element.tag.endswith(("LastName", "FirstName", "PatientID", "MRN"))]
    return [" ".join("".join(element.itertext()).split()) for element in named]


def _provenance(root: Element, waveform: Element, notes: list[str]) -> Provenance:
    test = root.find("TestDemographics")
    day, time = text_at(test, "AcquisitionDate"), _TIME.fullmatch(text_at(test, "AcquisitionTime"))
    when = _date_in(day)
    recorded_at = None
    if when is not None and time is not None and int(time[1]) < 24 and max(int(time[2]), int(time[3] or 0)) < 60:
        recorded_at = datetime(when.year, when.month, when.day, int(time[1]), int(time[2]), int(time[3] or 0))
    elif day:
        notes.append("AcquisitionDate and AcquisitionTime are not read: no MM-DD-YYYY and HH:MM:SS.")
    analysis = text_at(test, "AnalysisSoftwareVersion")
    software = [text_at(test, "AcquisitionSoftwareVersion"), f"analysis {analysis}" if analysis else ""]
    high_pass = number_in(text_at(waveform, "HighPassFilter"))
    return Provenance(
        version=text_at(root, "MuseInfo/MuseVersion"),
        device=text_at(test, "AcquisitionDevice"),
        software=", ".join(filter(None, software)),
        recorded_at=recorded_at,
        high_pass_hz=(high_pass / 100 if high_pass >= 1 else high_pass) if high_pass else None,
        low_pass_hz=number_in(text_at(waveform, "LowPassFilter")) or None,
        notch_hz=next(filter(None, (number_in(e.text) for e in waveform.findall("ACFilter"))), None),
    )


def _date_in(text: str) -> date | None:
    for pattern in _DATES:
        found = pattern.fullmatch(text)
        if found is not None:
            parts = found.groupdict()
            try:
                month = int(parts["month"]) if "month" in parts else _MONTHS.index(parts["name"].lower()) + 1
                return date(int(parts["year"]), month, int(parts["day"]))
            except ValueError:
                return None
    return None


def _patient(root: Element, recorded_at: datetime | None) -> Patient:
    person = root.find("PatientDemographics")
    age = number_in(text_at(person, "PatientAge"))
    unit = _YEARS_PER.get(text_at(person, "AgeUnits").upper() or "YEARS")
    born = _date_in(text_at(person, "DateofBirth"))
    known = age is not None and unit is not None and 0 <= age * unit < 150
    return Patient(
        sex=sex_of(text_at(person, "Gender")),
        age_years=age * unit if known and age is not None and unit is not None else age_at(born, recorded_at),
        id=text_at(person, "PatientID"),
        name=", ".join(filter(None, (text_at(person, f"Patient{part}Name") for part in ("Last", "First")))),
        born=born,
    )
