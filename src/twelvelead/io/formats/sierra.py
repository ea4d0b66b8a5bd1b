"""XML of Philips electrocardiographs, called Sierra: root element restingecgdata."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from twelvelead.io.formats.machine import machine_of
from twelvelead.io.formats.metadata import Machine, Patient, Provenance, age_at, sex_of
from twelvelead.io.formats.pieces import LARGEST_STEP_MV, Piece, assemble
from twelvelead.io.formats.scale import UNDECLARED, Declaration
from twelvelead.io.formats.sierra_xli import MOST_SAMPLES, decode_xli, undo_prediction
from twelvelead.io.formats.source import Source, source_of
from twelvelead.io.formats.xml import base64_in, need_number, number_in, read_xml, root_element, text_at
from twelvelead.signal import Recording, lead_name
from twelvelead.terms import LEADS, FormatError

_TYPES, _VERSIONS = ("SierraECG", "PhilipsECG"), ("1.03", "1.04", "1.04.01", "1.04.02")
_WIRED = ("STD-12", "10-WIRE")
# Where each measurement stands, in version 1.04 and 1.03; the first that is a number is taken.
_MEASUREMENTS = {
    "heart_rate_bpm": ("heartrate", "meanventrate"),
    "atrial_rate_bpm": ("atrialrate",),
    "rr_mean_ms": ("rrint",),
    "p_duration_ms": ("pdur",),
    "pr_interval_ms": ("print", "meanprint"),
    "qrs_duration_ms": ("qrsdur", "meanqrsdur"),
    "qt_interval_ms": ("qtint", "meanqtint"),
    "qtc_bazett_ms": ("qtcb",),
    "qtc_fridericia_ms": ("qtcf",),
    "qtc_ms": ("meanqtc",),
    "p_axis_deg": ("pfrontaxis",),
    "qrs_axis_deg": ("qrsfrontaxis",),
    "t_axis_deg": ("tfrontaxis",),
}
_PULSE_UV = 1000.0
_MISSING = 32767  # fills representative beats up to their length


def recognise_sierra(head: bytes, path: Path) -> bool:
    """Whether a file is XML of a Philips electrocardiograph."""
    del path
    return root_element(head) == "restingecgdata"


def open_sierra(path: Path, declaration: Declaration = UNDECLARED) -> Source:
    """Open a resting ECG of a Philips electrocardiograph, versions 1.03 to 1.04.02.

    Parameters
    ----------
    path : Path
        The file.
    declaration : Declaration
        Not needed: the file says all.

    Returns
    -------
    Source
        The representative beats are `Source.median`.

    Raises
    ------
    FormatError
        If it is no XML, of another type or version, or has another number of samples than it says.
    MissingExtra
        If the sierraecg package is not there, which unpacks compressed samples.

    Notes
    -----
    Samples are 16-bit integers, low byte first, lead after lead; compressed ones say of III, aVR, aVL and aVF only how
    they differ from what I and II give. A file lasts 11 s, but the ECG ends before: then come 0 mV and a calibration
    pulse of 1 mV, in all leads at once. They are no ECG, so they are read as missing, and noted. So is the step 32767.

    References
    ----------
    The sierraecg package, by whose author the compression was made known.
    """
    del declaration
    root = read_xml(path)
    version = _version(root, path)
    notes: list[str] = []
    provenance = _provenance(root, version)
    recording, steps = _read_waveforms(root, path, notes, start=provenance.recorded_at)
    return source_of(
        recording,
        machine=_machine(root),
        provenance=provenance,
        patient=_patient(root, provenance.recorded_at),
        median=_read_beats(root, recording.fs, steps, path, notes),
        step_mv=tuple(steps[lead] for lead in recording.leads),
        notes=tuple(notes),
    )


def _version(root: Element, path: Path) -> str:
    """Read the version of the document, or refuse what is of another."""
    kind, version = (text_at(root, f"documentinfo/document{part}") for part in ("type", "version"))
    if root.tag != "restingecgdata" or kind not in _TYPES or version not in _VERSIONS:
        msg = f"a document must be of the type {' or '.join(_TYPES)}, version {', '.join(_VERSIONS)}; got "
        msg += f"{kind[:20]!r}, version {version[:20]!r}, in documentinfo of {path.name}. Export it as one of these."
        raise FormatError(msg)
    return version


def _read_waveforms(
    root: Element, path: Path, notes: list[str], *, start: datetime | None
) -> tuple[Recording, dict[str, float]]:
    """Read the recording, and mV per step by lead."""
    stored = root.find(".//parsedwaveforms")
    signal = root.find("dataacquisition/signalcharacteristics")
    if stored is None or signal is None:
        gone = "parsedwaveforms" if stored is None else "dataacquisition/signalcharacteristics"
        msg = f"a document must have the element {gone}; got none in {path.name}. Export it with its waveforms."
        raise FormatError(msg)
    _refuse_other_samples(signal, path)
    fs = need_number(text_at(signal, "samplingrate"), "samplingrate", path)
    resolution = text_at(signal, "resolution") or text_at(signal, "signalresolution")
    step_uv = need_number(resolution, "the resolution of signalcharacteristics", path)
    duration = need_number(stored.get("durationperchannel"), "durationperchannel of parsedwaveforms", path)
    leads = _leads(stored, signal, path)
    n_samples = int(min(max(duration * fs / 1000, 0), 2**31))
    if not 1 <= n_samples * len(leads) <= MOST_SAMPLES or not 0 < step_uv <= 1000 * LARGEST_STEP_MV:
        msg = f"a document must have 1 to {MOST_SAMPLES} samples in all leads, and a resolution above 0 uV; got "
        msg += f"{len(leads)} leads of {n_samples} samples in steps of {step_uv:g} uV in {path.name}. Export it again."
        raise FormatError(msg)
    steps = _decode(stored, leads, n_samples, path)
    samples = _to_mv(steps, step_uv)
    end = _calibration(steps, step_uv)
    if end < n_samples:
        samples[:, end:] = np.nan
        notes.append(f"the ECG ends after {end / fs:g} s; the calibration pulse behind it is left out.")
    pieces = [Piece(lead, row, step_uv / 1000) for lead, row in zip(leads, samples, strict=True)]
    return assemble(pieces, fs, path, start=start)


def _refuse_other_samples(signal: Element, path: Path) -> None:
    """Refuse samples that are coded in another way."""
    bits, offset = number_in(text_at(signal, "bitspersample")), number_in(text_at(signal, "signaloffset"))
    signed = text_at(signal, "signalsigned").lower()
    if bits not in {None, 16.0} or offset not in {None, 0.0} or signed not in {"", "true"}:
        msg = (
            f"samples must be signed, of 16 bits and without offset; got bitspersample {bits}, signaloffset {offset}, "
        )
        msg += f"signalsigned {signed[:10]!r} in {path.name}. Export it in the usual coding."
        raise FormatError(msg)


def _leads(stored: Element, signal: Element, path: Path) -> list[str]:
    """Name the leads that are stored, in their order."""
    labels = stored.get("leadlabels", "").split()
    if labels:
        count = need_number(stored.get("numberofleads"), "numberofleads of parsedwaveforms", path)
        labels = labels[: int(max(min(count, len(labels)), 0))]
    else:
        count = need_number(text_at(signal, "numberchannelsallocated"), "numberchannelsallocated", path)
        wired = LEADS if text_at(signal, "acquisitiontype") in _WIRED else ()
        labels = [*wired, *(f"channel {n}" for n in range(len(wired) + 1, 17))][: int(max(min(count, 16), 0))]
    return [lead_name(label)[:16] for label in labels]


def _decode(stored: Element, leads: Sequence[str], n_samples: int, path: Path) -> NDArray[np.int32]:
    """Decode the samples, shape (n_leads, n_samples), in steps."""
    text, coding = stored.text or "", stored.get("dataencoding", "")
    compression = stored.get("compressmethod") or stored.get("compression") or ""
    if stored.get("compressflag", "").lower() == "false" or compression in {"", "Uncompressed", "None"}:
        steps = _uncompressed(text, coding, "parsedwaveforms", path)
        if len(steps) != len(leads) * n_samples:
            msg = f"parsedwaveforms must hold {len(leads)} leads of {n_samples} samples; got {len(steps)} samples in "
            msg += f"{path.name}. The file is cut short or damaged: export it again."
            raise FormatError(msg)
        return steps.reshape(len(leads), n_samples)
    if compression != "XLI" or coding != "Base64":
        msg = f"parsedwaveforms must be compressed by XLI, in Base64, or not at all; got {compression[:20]!r} in "
        msg += f"{coding[:20]!r} in {path.name}. Export it so."
        raise FormatError(msg)
    content = base64_in(text, "parsedwaveforms", path)
    return undo_prediction(decode_xli(content, leads, n_samples, path), leads)


def _uncompressed(text: str, coding: str, what: str, path: Path) -> NDArray[np.int32]:
    """Read samples that are not compressed, shape (n,)."""
    if coding == "Base64":
        content = base64_in(text, what, path)
        return np.frombuffer(content[: len(content) // 2 * 2], dtype="<i2").astype(np.int32)
    words = text.split()
    if coding != "Plain" or any(not re.fullmatch(r"-?[0-9]{1,5}", word) for word in words):
        msg = f"samples of {what} must be integers in Base64 or plain text; got {coding[:20]!r} in {path.name}. "
        msg += "Export it so."
        raise FormatError(msg)
    return np.fromiter(map(int, words), np.int32, count=len(words))


def _to_mv(steps: NDArray[np.int32], step_uv: float) -> NDArray[np.float32]:
    samples = (steps * np.float64(step_uv / 1000)).astype(np.float32)
    samples[steps == _MISSING] = np.nan
    return samples


def _calibration(steps: NDArray[np.int32], step_uv: float) -> int:
    """Find where the ECG ends: behind are only 0 and one pulse of 1 mV, the same in all leads."""
    alike = (steps == steps[0]).all(axis=0) & np.isin(steps[0], (0, round(_PULSE_UV / step_uv)))
    end = len(alike) if alike.all() else len(alike) - int(np.argmin(alike[::-1]))
    pulse = np.flatnonzero(steps[0, end:])
    is_one = len(pulse) > 1 and pulse[0] > 0 and pulse[-1] - pulse[0] == len(pulse) - 1
    return end if is_one and len(steps) > 1 else len(alike)


def _read_beats(root: Element, fs: float, steps: dict[str, float], path: Path, notes: list[str]) -> Recording | None:
    """Read the representative beats; where they say no rate and resolution, they have those of the recording."""
    beats = root.find(".//repbeats")
    found = [] if beats is None else beats.findall("repbeat")
    if beats is None or not found:
        return None
    if beats.get("compression"):
        notes.append("the representative beats are compressed, and are not read.")
        return None
    fs = number_in(beats.get("samplespersec")) or fs
    step_uv = number_in(beats.get("resolution")) or 1000 * next(iter(steps.values()))
    if not 0 < step_uv <= 1000 * LARGEST_STEP_MV:
        msg = f"the resolution of repbeats must be above 0, and at most {1000 * LARGEST_STEP_MV:g} uV; got {step_uv:g} "
        msg += f"in {path.name}. Export the file again."
        raise FormatError(msg)
    pieces = []
    for beat in found:
        name = lead_name(beat.get("leadname", ""))[:16]
        waveform = beat.find("waveform")
        stored = beat if waveform is None else waveform
        samples = _uncompressed(stored.text or "", beats.get("dataencoding", ""), f"repbeat {name}", path)
        duration = number_in(stored.get("duration"))
        if duration is not None and abs(duration * fs / 1000 - len(samples)) > 0.5:
            msg = f"repbeat {name} must last {duration:g} ms at {fs:g} Hz, as it says; got {len(samples)} samples in "
            msg += f"{path.name}. The file is cut short or damaged: export it again."
            raise FormatError(msg)
        there = np.flatnonzero(samples != _MISSING)
        samples = samples[: there[-1] + 1] if there.size else samples[:0]
        pieces.append(Piece(name, _to_mv(samples, step_uv), step_uv / 1000))
    return assemble(pieces, fs, path)[0]


def _machine(root: Element) -> Machine:
    """Read the first interpretation, and the measurements it is made from where it has not its own."""
    interpretation = root.find("interpretations/interpretation")
    places = ["interpretations/interpretation/globalmeasurements"]
    places += ["interpretations/interpretation/interpretationmeasurements"]
    places += ["internalmeasurements/crossleadmeasurements", "measurements/globalmeasurements"]
    values: dict[str, float | None] = {}
    for place in places:
        element = root.find(place)
        for name, fields in _MEASUREMENTS.items():
            if values.get(name) is None:
                values[name] = next(filter(None, (number_in(text_at(element, f)) for f in fields)), None)
    if values["qtc_bazett_ms"] is not None:  # the other one, without its formula, is the same measured otherwise
        values["qtc_ms"] = None
    statements = [] if interpretation is None else interpretation.findall("statement")
    sides = [[text_at(statement, f"{side}statement") for side in ("left", "right")] for statement in statements]
    said = [": ".join(filter(None, both)) for both in sides]
    said.append(text_at(interpretation, "severity").strip("- "))
    return machine_of(values, said, people=_people(root))


def _people(root: Element) -> list[str]:
    """Collect the names of everybody, and the patient's numbers."""
    ends = ("lastname", "firstname", "middlename", "patientid", "MRN", "operatorid")
    return [" ".join("".join(element.itertext()).split()) for element in root.iter() if element.tag.endswith(ends)]


def _provenance(root: Element, version: str) -> Provenance:
    acquired = root.find("dataacquisition")
    machine = None if acquired is None else acquired.find("machine")
    signal = None if acquired is None else acquired.find("signalcharacteristics")
    detail = "" if machine is None else machine.get("detaildescription", "")
    maker, _, software = (*detail.split(":", 2), "", "")[:3]
    low, _, high = text_at(signal, "signalbandwidth").partition("-")
    when = {} if acquired is None else acquired.attrib
    return Provenance(
        version=version,
        device=" ".join(filter(None, (maker.strip(), text_at(machine, ".")))),
        software=software.strip(),
        recorded_at=_moment(f"{when.get('date', '')}T{when.get('time', '')}"),
        high_pass_hz=number_in(text_at(signal, "hipass") or low) or None,
        low_pass_hz=number_in(text_at(signal, "lowpass") or high) or None,
        notch_hz=_notch(root, signal),
    )


def _notch(root: Element, signal: Element | None) -> float | None:
    """Find the notch filter that was applied; version 1.03 says only what was set for the report."""
    filtered = text_at(signal, "notchfiltered").lower()
    if filtered == "false":
        return None
    frequencies = (text_at(signal, "notchfilterfreqs").split() or [""])[0]
    return number_in(frequencies or text_at(root, "reportinfo/reportbandwidth/notchfiltersetting")) or None


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None


def _patient(root: Element, recorded_at: datetime | None) -> Patient:
    person = root.find("patient/generalpatientdata")
    born_at = _moment(text_at(person, "age/dateofbirth"))
    born: date | None = None if born_at is None else born_at.date()
    age = number_in(text_at(person, "age/years"))
    names = [text_at(person, f"name/{part}name") for part in ("last", "first", "middle")]
    return Patient(
        sex=sex_of(text_at(person, "sex")),
        age_years=age if age is not None and 0 <= age < 150 else age_at(born, recorded_at),
        id=text_at(person, "patientid") or text_at(person, "MRN"),
        name=", ".join(filter(None, names)),
        born=born,
    )
