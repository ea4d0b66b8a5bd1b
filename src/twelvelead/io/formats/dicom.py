"""DICOM waveforms: 12-lead, general, ambulatory and general 32-bit ECG."""

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from twelvelead.io.formats.dicom_codes import measured
from twelvelead.io.formats.dicom_elements import code, date_of, items, number, parse, quiet, text, time_of, value
from twelvelead.io.formats.dicom_waveform import Channel, Group, Mosaic, assemble, read_groups
from twelvelead.io.formats.metadata import Machine, Patient, Provenance, age_at, sex_of
from twelvelead.io.formats.scale import UNDECLARED, Declaration
from twelvelead.io.formats.source import Source, source_of
from twelvelead.signal import Recording
from twelvelead.terms import FormatError

if TYPE_CHECKING:
    from datetime import datetime

    from pydicom.dataset import Dataset

TWELVE_LEAD = "1.2.840.10008.5.1.4.1.1.9.1.1"
GENERAL = "1.2.840.10008.5.1.4.1.1.9.1.2"
_CLASSES = {
    TWELVE_LEAD: "12-Lead ECG",
    GENERAL: "General ECG",
    "1.2.840.10008.5.1.4.1.1.9.1.3": "Ambulatory ECG",
    "1.2.840.10008.5.1.4.1.1.9.1.4": "General 32-bit ECG",
}
_WAVEFORM = b"1.2.840.10008.5.1.4.1.1.9."
_OTHER_CLASS = re.compile(rb"1\.2\.840\.10008\.(?:5\.1\.4\.1\.1\.(?!9\.)|1\.3\.10)")
_DAYS = {"D": 1.0, "W": 7.0, "M": 365.25 / 12, "Y": 365.25}

# An interpretation may be signed, or name the patient. Whatever looks so is no statement.
_SIGNED = re.compile(
    r"\b(?:(?<!un)confirmed|reviewed|read|edited|verified|referred|ordered|requested|signed|interpreted)\s+by\b|\bdr\b|"
    r"\bm\.?d\.?\b|\b(?:physician|technician|operator|cardiologist|patient|name|d\.?o\.?b|born|tel|phone)\b|\d{6,}|@",
    re.IGNORECASE,
)
_INTERPRETS = re.compile(r"interpret|diagnos|statement|finding|impression", re.IGNORECASE)
_NAMES = ("PatientName", "PatientID", "OtherPatientNames", "OtherPatientIDs", "PatientBirthName", "PatientAddress",
          "PatientMotherBirthName", "PatientTelephoneNumbers", "AccessionNumber", "AdmissionID", "OperatorsName",
          "ReferringPhysicianName", "NameOfPhysiciansReadingStudy", "PerformingPhysicianName", "PhysiciansOfRecord",
          "RequestingPhysician")  # fmt: skip
_DAY_S = 86400.0
_MOST_ANNOTATIONS = 10_000  # a day's beats have more, after those of the whole ECG


def recognise_dicom(head: bytes, path: Path) -> bool:
    """Whether a file is a DICOM waveform: by its mark, or without one by the class that its first elements tell.

    A DICOM file of another class, such as an image, is none; one that does not tell its class may be.
    """
    del path
    if head[128:132] == b"DICM":
        return _WAVEFORM in head or _OTHER_CLASS.search(head) is None
    return head[:2] == b"\x08\x00" and _WAVEFORM in head


def open_dicom(path: Path, declaration: Declaration = UNDECLARED) -> Source:
    """Open a DICOM ECG; it is read whole.

    Parameters
    ----------
    path : Path
        The file.
    declaration : Declaration
        Not needed: the file says all.

    Returns
    -------
    Source
        The groups as recorded make the recording, on one time axis; a median or representative beat is the source's
        `median`. Of the annotations those of the whole ECG are the machine's measurements, and free texts its
        statements, unless they look signed or name somebody.

    Raises
    ------
    FormatError
        If a group is not as it says, or none holds a voltage.
    MissingExtra
        If pydicom is not installed.

    References
    ----------
    DICOM PS3.3, sections A.34.3 to A.34.5 and C.10.9 to C.10.10.
    """
    del declaration
    notes: list[str] = []
    with quiet(notes):
        dataset = parse(path)
        kind = _refuse_other(dataset, path)
        little_endian = getattr(dataset, "original_encoding", (False, True))[1] is not False
        rhythm, beats = _sort(read_groups(dataset, file=path.name, little_endian=little_endian), path)
        notes += [group.odd_padding for group in rhythm + beats if group.odd_padding]
        mosaic = assemble(rhythm, notes)
        provenance = _provenance(dataset, mosaic, kind, notes)
        patient = _patient(dataset, provenance.recorded_at)
        machine = _machine(dataset, notes)
    _note_channels(mosaic, rhythm, notes)
    median = assemble(beats[:1], notes) if beats else None
    recording = Recording(mosaic.signal, mosaic.leads, mosaic.fs, path.stem, provenance.recorded_at)
    return source_of(
        recording,
        machine=machine,
        provenance=provenance,
        patient=patient,
        median=None if median is None else Recording(median.signal, median.leads, median.fs, path.stem),
        step_mv=tuple(abs(channel.scale) for channel in mosaic.channels),
        notes=tuple(notes),
    )


def _refuse_other(dataset: "Dataset", path: Path) -> str:
    """Name the kind of ECG, or refuse another one."""
    found = text(dataset, "SOPClassUID")
    if found and found not in _CLASSES:
        msg = f"a DICOM file must be an ECG waveform ({', '.join(_CLASSES.values())}); got class {found[:64]} in "
        msg += f"(0008,0016) of {path.name}. Leave it out."
        raise FormatError(msg)
    return _CLASSES.get(found, "")


def _sort(groups: list[Group], path: Path) -> tuple[list[Group], list[Group]]:
    """Tell the recording's groups from the representative beats."""
    voltages = [group for group in groups if group.kept]
    if not voltages:
        msg = f"a waveform must have a channel in uV, mV or V, with its sensitivity; got none in {path.name}. "
        msg += "Write the file again."
        raise FormatError(msg)
    beats = [group for group in voltages if group.beat]
    others = [group for group in voltages if not group.beat]
    originals = [group for group in others if group.original]
    if originals:
        longest = max(len(group.steps) / group.fs for group in originals)
        derived = [group for group in others if not group.original]
        beats += [group for group in derived if len(group.steps) / group.fs < longest / 2]
    rhythm = originals or others
    if not rhythm:
        msg = f"a recording must have a rhythm group; got only representative beats in {path.name}. Give another file."
        raise FormatError(msg)
    return rhythm, beats


def _note_channels(mosaic: Mosaic, rhythm: list[Group], notes: list[str]) -> None:
    """Tell what of the channels is left out or not made good."""
    missing = sum(channel is None for group in rhythm for channel in group.channels)
    if missing:
        notes.append(f"{missing} channels are left out: no voltage, or of unknown sensitivity")
    skew_s = max(abs(channel.skew_s) for channel in mosaic.channels)
    if skew_s * mosaic.fs >= 1:
        notes.append(f"channels are skewed by up to {1000 * skew_s:g} ms, which is left as it is")


def _provenance(dataset: "Dataset", mosaic: Mosaic, kind: str, notes: list[str]) -> Provenance:
    recorded_at = _recorded_at(dataset)
    if recorded_at is not None and abs(mosaic.offset_s) < _DAY_S:
        recorded_at += timedelta(seconds=mosaic.offset_s)
    first = mosaic.channels[0]
    if any(_filters(channel) != _filters(first) for channel in mosaic.channels):
        notes.append("leads were filtered differently; the filters told are those of the first one")
    maker, model = text(dataset, "Manufacturer"), text(dataset, "ManufacturerModelName")
    return Provenance(
        version=kind,
        device=" ".join(part for part in (maker, model) if part and part.lower() != "unknown"),
        software=text(dataset, "SoftwareVersions"),
        recorded_at=recorded_at,
        high_pass_hz=first.high_pass_hz,
        low_pass_hz=first.low_pass_hz,
        notch_hz=first.notch_hz,
    )


def _filters(channel: Channel) -> tuple[float | None, ...]:
    return channel.high_pass_hz, channel.low_pass_hz, channel.notch_hz


def _recorded_at(dataset: "Dataset") -> "datetime | None":
    """Find when it was recorded: the acquisition time, or else that of the content, or of the study."""
    acquired = text(dataset, "AcquisitionDateTime")
    found = time_of(acquired[:8], acquired[8:] or "00")
    for name in ("Acquisition", "Content", "Study"):
        found = found or time_of(text(dataset, f"{name}Date"), text(dataset, f"{name}Time"))
    return found


def _patient(dataset: "Dataset", recorded_at: "datetime | None") -> Patient:
    born = date_of(text(dataset, "PatientBirthDate"))
    said = re.fullmatch(r"(\d{1,3})([DWMY])", text(dataset, "PatientAge"))
    age = float(said[1]) * _DAYS[said[2]] / _DAYS["Y"] if said else age_at(born, recorded_at)
    return Patient(
        sex=sex_of(text(dataset, "PatientSex")),
        age_years=age,
        id=text(dataset, "PatientID"),
        name=text(dataset, "PatientName"),
        born=born,
    )


def _machine(dataset: "Dataset", notes: list[str]) -> Machine:
    """Read what the device measured and said; what can't be read of it is left out."""
    measurements: dict[str, float] = {}
    statements: dict[str, None] = {}
    try:
        annotations = items(dataset, "WaveformAnnotationSequence")
    except FormatError:
        annotations = []
        notes.append("the annotations can't be read")
    if len(annotations) > _MOST_ANNOTATIONS:
        notes.append(f"of {len(annotations)} annotations the first {_MOST_ANNOTATIONS} are read")
    names = _names(dataset)
    unread = 0
    for annotation in [*annotations[:_MOST_ANNOTATIONS], *_context(dataset)]:
        try:
            if _is_global(annotation):
                _take(annotation, measurements, statements, notes)
        except FormatError:
            unread += 1
    if unread:
        notes.append(f"{unread} annotations can't be read")
    plain = [said for said in statements if not _SIGNED.search(said) and not names & _words(said)]
    if len(plain) < len(statements):
        notes.append(f"{len(statements) - len(plain)} texts are left out: they look signed, or name somebody")
    return Machine(measurements, tuple(plain))


def _context(dataset: "Dataset") -> list["Dataset"]:
    """List what the acquisition context says of the ECG itself; most of it is about electrodes and posture."""
    try:
        context = items(dataset, "AcquisitionContextSequence")
        return [item for item in context if _INTERPRETS.search(code(item, "ConceptNameCodeSequence")[2])]
    except FormatError:
        return []


def _is_global(annotation: "Dataset") -> bool:
    """Whether an annotation is about the whole ECG: about all channels of its group, and no point in time."""
    from pydicom.multival import MultiValue

    channels = value(annotation, "ReferencedWaveformChannels")
    places = list(channels) if isinstance(channels, list | MultiValue) else []
    timed = value(annotation, "TemporalRangeType") is not None
    return not timed and not any(places[1::2])


def _take(annotation: "Dataset", measurements: dict[str, float], statements: dict[str, None], notes: list[str]) -> None:
    """Take what one annotation says; the first of several of the same kind counts."""
    said = text(annotation, "UnformattedTextValue") or text(annotation, "TextValue")
    name = code(annotation, "ConceptNameCodeSequence")
    if said and (not any(name) or _INTERPRETS.search(name[2])):
        statements.setdefault(said)
    finding = code(annotation, "ConceptCodeSequence")[2]
    if finding:
        statements.setdefault(finding)
    measure = number(annotation, "NumericValue")
    if measure is None:
        return
    unit = code(annotation, "MeasurementUnitsCodeSequence")[0]
    found = measured(name, unit, measure)
    if found is None:
        return
    measurements.setdefault(*found)
    odd = f"{found[0]} is in {unit[:8]}, which is read as degrees"
    if found[0].endswith("_deg") and unit.lower() not in ("deg", "") and odd not in notes:
        notes.append(odd)


def _names(dataset: "Dataset") -> frozenset[str]:
    """Collect the words by which the file names anybody."""
    return frozenset(word for keyword in _NAMES for word in _words(text(dataset, keyword)))


def _words(said: str) -> frozenset[str]:
    """Split a text into its words of two characters or more, in lower case: a name may be as short."""
    return frozenset(word for word in re.findall(r"\w{2,}", said.lower()) if word not in ("unknown", "anonymous"))
