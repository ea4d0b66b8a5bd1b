"""Write a recording as a DICOM ECG waveform."""

import hashlib
import io
import math
import re
import uuid
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twelvelead.io.formats.dicom_codes import MDC, NUMBER_OF_LEAD, UNIT, writable
from twelvelead.io.formats.dicom_elements import UNKNOWN_TIME
from twelvelead.io.formats.metadata import Patient, Provenance
from twelvelead.io.formats.source import Source
from twelvelead.io.tables import write_bytes
from twelvelead.signal import Recording
from twelvelead.terms import LEADS, InputError, MissingExtra

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

TWELVE_LEAD = "1.2.840.10008.5.1.4.1.1.9.1.1"
GENERAL = "1.2.840.10008.5.1.4.1.1.9.1.2"

_LOWEST_HZ, _HIGHEST_HZ = 200.0, 1000.0  # of both kinds; the numbers of channels and samples are theirs, too
_MOST_SAMPLES, _MOST_CHANNELS = 16384, 24
_MISSING, _LARGEST = -32768, 32767
_UNKNOWN_STEP_MV = 0.001
_MOST_BYTES = 2**32 - 2  # of one element
_OURS = uuid.UUID("6f1c5cd2-6d0c-5a0c-9b5e-2f0f4b6a3c11")  # the name space of this writer's identifiers
_UCUM, _UNSPECIFIED_LEAD = "UCUM", "2:0"

Steps = NDArray[np.int16]


def write_dicom(source: Source, path: Path, *, pseudonymised: bool = False) -> Path:
    """Write a recording as 12-Lead ECG Waveform Storage, or General ECG where that can't hold it.

    Parameters
    ----------
    source : Source
        What to write: samples, median beat, filters, the machine's measurements and statements, patient, device and
        time, as far as they are known. The same source gives the same bytes.
    path : Path
        The file.
    pseudonymised : bool
        Whether the patient's id is already a pseudonym, the dates are shifted and free texts are free of names. Name
        and date of birth are left out then, and the file says that its identity is removed.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If neither kind can hold the recording.
    MissingExtra
        If pydicom is not installed.

    Notes
    -----
    A 12-lead ECG has the twelve standard leads, at most 16384 samples of each, at 200 to 1000 Hz, and no more than 13
    channels in all: with a median beat the file is a general ECG, which allows 24 channels in each of four groups.
    Samples are 16-bit steps of the analogue-to-digital conversion, at 1 uV where its step is unknown, and of a whole
    number of steps where the range needs it; no sample is the padding value -32768. Statements are annotations of free
    text; measurements are those of `dicom_codes.MDC`, and others are left out. DICOM demands a time: where none is
    known it is 1900-01-01, which `open_dicom` reads as none.

    References
    ----------
    DICOM PS3.3, sections A.34.3, A.34.4, C.7.1 to C.7.5, C.10.8 to C.10.10 and C.12.1; PS3.15, annex E.
    """
    try:
        from pydicom.dataset import Dataset, FileMetaDataset
        from pydicom.uid import UID, ExplicitVRLittleEndian
    except ImportError:
        msg = f"writing {path.name} needs the pydicom package; got none. Run: pip install 'twelvelead[formats]'"
        raise MissingExtra(msg) from None
    recording = source.read()
    kind = _kind(recording, source.median)
    dataset = Dataset()
    _add_patient(dataset, source.patient, pseudonymised=pseudonymised)
    _add_origin(dataset, source.provenance, recording.start or source.provenance.recorded_at or UNKNOWN_TIME)
    dataset.WaveformSequence = [
        _group(recording, source.step_mv, source.provenance, label="RHYTHM"),
        *([] if source.median is None else [_group(source.median, _median_steps(source), source.provenance, label="")]),
    ]
    dataset.AcquisitionContextSequence = []
    annotations = _annotations(source)
    if annotations:
        dataset.WaveformAnnotationSequence = annotations
    dataset.SOPClassUID = kind
    _identify(dataset)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.ImplementationClassUID = UID(_uid("implementation"))
    dataset.file_meta.ImplementationVersionName = "TWELVELEAD"
    written = io.BytesIO()
    dataset.save_as(written, enforce_file_format=True)
    write_bytes(written.getvalue(), path)
    return path


def _kind(recording: Recording, median: Recording | None) -> str:
    """Choose the class of the file by what it has to hold."""
    name = f"recording {recording.id!r}"
    for part in (recording, *([] if median is None else [median])):
        if not _LOWEST_HZ <= part.fs <= _HIGHEST_HZ:
            msg = f"a DICOM ECG must have {_LOWEST_HZ:g} to {_HIGHEST_HZ:g} Hz; got {part.fs:g} in {name}. Resample it."
            raise InputError(msg)
        if not 1 <= len(part.leads) <= _MOST_CHANNELS:
            msg = f"a DICOM ECG must have 1 to {_MOST_CHANNELS} leads; got {len(part.leads)} in {name}. Leave some out."
            raise InputError(msg)
        if not 0 < part.signal.size * 2 <= _MOST_BYTES:
            msg = f"a DICOM ECG must have samples, of at most 4 GiB; got {part.n_samples} per lead in {name}. Cut it."
            raise InputError(msg)
    is_standard = len(recording.leads) == len(LEADS) and set(recording.leads) == set(LEADS)
    return TWELVE_LEAD if is_standard and recording.n_samples <= _MOST_SAMPLES and median is None else GENERAL


def _group(recording: Recording, step_mv: tuple[float, ...], provenance: Provenance, *, label: str) -> "Dataset":
    """Make a multiplex group: the rhythm, or where there is no label a median beat."""
    from pydicom.dataset import Dataset

    steps, sensitivities = zip(
        *(
            _quantise(samples, step_mv[n] if n < len(step_mv) else math.nan)
            for n, samples in enumerate(recording.signal)
        ),
        strict=True,
    )
    group = Dataset()
    group.MultiplexGroupTimeOffset = "0"
    group.WaveformOriginality = "ORIGINAL" if label else "DERIVED"
    group.NumberOfWaveformChannels = len(recording.leads)
    group.NumberOfWaveformSamples = recording.n_samples
    group.SamplingFrequency = _decimal(recording.fs)
    group.MultiplexGroupLabel = label or "MEDIAN BEAT"
    group.ChannelDefinitionSequence = [
        _channel(lead, sensitivity, provenance)
        for lead, sensitivity in zip(recording.leads, sensitivities, strict=True)
    ]
    group.WaveformBitsAllocated = 16
    group.WaveformSampleInterpretation = "SS"
    if np.isnan(recording.signal).any():
        group.add_new(0x5400100A, "OW", _MISSING.to_bytes(2, "little", signed=True))
    group.add_new(0x54001010, "OW", np.stack(steps, axis=1).astype("<i2").tobytes())
    return group


def _quantise(samples: NDArray[np.float32], step_mv: float) -> tuple[Steps, str]:
    """Express samples in steps; give them and the step in uV, as written."""
    step_uv = 1000 * (step_mv if math.isfinite(step_mv) and step_mv > 0 else _UNKNOWN_STEP_MV)
    largest = 1000 * float(np.nanmax(np.abs(samples), initial=0.0))
    coarser = max(1, math.ceil(largest / step_uv / _LARGEST))
    written = _decimal(step_uv * coarser)
    scaled = np.rint(samples.astype(np.float64) * 1000 / float(written))
    return np.where(np.isnan(scaled), _MISSING, np.clip(scaled, -_LARGEST, _LARGEST)).astype(np.int16), written


def _median_steps(source: Source) -> tuple[float, ...]:
    """Give the steps of the median beat: those of the same leads, since one device made both."""
    steps = dict(zip(source.read().leads, source.step_mv, strict=False))
    return tuple(steps.get(lead, math.nan) for lead in (source.median.leads if source.median else ()))


def _channel(lead: str, sensitivity: str, provenance: Provenance) -> "Dataset":
    from pydicom.dataset import Dataset

    channel = Dataset()
    channel.ChannelLabel = _line(lead, 16)
    number = NUMBER_OF_LEAD.get(lead)
    known = f"2:{number}" if number is not None else _UNSPECIFIED_LEAD
    channel.ChannelSourceSequence = [_code(known, "MDC", f"Lead {lead}" if number is not None else _line(lead, 64))]
    channel.ChannelSensitivity = sensitivity
    channel.ChannelSensitivityUnitsSequence = [_code("uV", _UCUM, "microvolt")]
    channel.ChannelSensitivityCorrectionFactor = "1"
    channel.ChannelBaseline = "0"
    channel.ChannelSampleSkew = "0"
    channel.WaveformBitsStored = 16
    if provenance.high_pass_hz is not None:
        channel.FilterLowFrequency = _decimal(provenance.high_pass_hz)
    if provenance.low_pass_hz is not None:
        channel.FilterHighFrequency = _decimal(provenance.low_pass_hz)
    if provenance.notch_hz is not None:
        channel.NotchFilterFrequency = _decimal(provenance.notch_hz)
    return channel


def _annotations(source: Source) -> list["Dataset"]:
    """Make annotations of all channels of the first group: what the machine said, and what it measured."""
    from pydicom.dataset import Dataset

    made = []
    for statement in source.machine.statements:
        annotation = Dataset()
        annotation.UnformattedTextValue = re.sub(r"[\x00-\x1f]+", " ", statement)[:1024]
        annotation.ReferencedWaveformChannels = [1, 0]
        annotation.AnnotationGroupNumber = 0
        made.append(annotation)
    for name, number in writable(source.machine.measurements).items():
        annotation = Dataset()
        annotation.ConceptNameCodeSequence = [_code(MDC[name][0], "MDC", MDC[name][1])]
        unit = UNIT[name.rpartition("_")[2]]
        annotation.MeasurementUnitsCodeSequence = [_code(unit[0], _UCUM, unit[1])]
        annotation.ReferencedWaveformChannels = [1, 0]
        annotation.AnnotationGroupNumber = 1
        annotation.NumericValue = _decimal(number)
        made.append(annotation)
    return made


def _add_patient(dataset: "Dataset", patient: Patient, *, pseudonymised: bool) -> None:
    """Add whom it is of: modules Patient and Patient Study."""
    if len(patient.id) > 64 or "\\" in patient.id:
        msg = f"a patient's id must have at most 64 characters, none a backslash; got {len(patient.id)}. Shorten it."
        raise InputError(msg)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientID = patient.id
    dataset.PatientName = "" if pseudonymised else _name(patient.name)
    dataset.PatientBirthDate = "" if pseudonymised or patient.born is None else f"{patient.born:%Y%m%d}"
    dataset.PatientSex = {"male": "M", "female": "F"}.get(patient.sex or "", "")
    if patient.age_years is not None and 0 <= patient.age_years < 1000:
        in_months = patient.age_years < 2 and patient.age_years != int(patient.age_years)
        months = round(12 * patient.age_years)
        dataset.PatientAge = f"{months:03d}M" if in_months else f"{int(patient.age_years):03d}Y"
    if pseudonymised:
        dataset.PatientIdentityRemoved = "YES"
        dataset.DeidentificationMethod = "Written anew with a pseudonym and shifted dates"
        dataset.DeidentificationMethodCodeSequence = [
            _code("113100", "DCM", "Basic Application Confidentiality Profile"),
            _code("113107", "DCM", "Retain Longitudinal Temporal Information Modified Dates Option"),
            _code("113108", "DCM", "Retain Patient Characteristics Option"),
        ]
        dataset.LongitudinalTemporalInformationModified = "MODIFIED"


def _add_origin(dataset: "Dataset", provenance: Provenance, recorded_at: datetime) -> None:
    """Add time and device: modules General Study, General Series, General Equipment and Waveform Identification."""
    day, clock = f"{recorded_at:%Y%m%d}".zfill(8), f"{recorded_at:%H%M%S}.{recorded_at.microsecond:06d}"
    dataset.StudyDate = dataset.ContentDate = day
    dataset.StudyTime = dataset.ContentTime = clock
    dataset.AcquisitionDateTime = day + clock
    dataset.AccessionNumber = dataset.ReferringPhysicianName = dataset.StudyID = ""
    dataset.Modality = "ECG"
    dataset.SeriesNumber = dataset.InstanceNumber = 1
    dataset.Manufacturer = _line(provenance.device, 64)
    if provenance.software:
        dataset.SoftwareVersions = _line(provenance.software, 64)


def _identify(dataset: "Dataset") -> None:
    """Give the instance, its series and its study identifiers that follow from the content."""
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_dataset

    content = DicomBytesIO()
    content.is_implicit_VR, content.is_little_endian = False, True
    write_dataset(content, dataset)
    digest = hashlib.sha256(content.getvalue()).hexdigest()
    dataset.SOPInstanceUID = _uid(f"instance {digest}")
    dataset.SeriesInstanceUID = _uid(f"series {digest}")
    dataset.StudyInstanceUID = _uid(f"study {digest}")


def _uid(name: str) -> str:
    """Make a unique identifier of a name, under the root for UUIDs."""
    return f"2.25.{uuid.uuid5(_OURS, name).int}"


def _code(value: str, scheme: str, meaning: str) -> "Dataset":
    from pydicom.dataset import Dataset

    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def _decimal(number: float) -> str:
    """Write a number in the 16 characters of a decimal string, as short as its float64 allows.

    Examples
    --------
    >>> _decimal(0.1 + 0.2), _decimal(1000 / 204.8), _decimal(500.0), _decimal(-1 / 3)
    ('0.3', '4.8828125', '500', '-0.3333333333333')
    """
    if number == int(number) and abs(number) < 1e15:
        return str(int(number))
    short = (f"{number:.{digits}g}" for digits in range(1, 16))
    fits = [text for text in short if len(text) <= 16]
    return next((text for text in fits if math.isclose(float(text), number, rel_tol=1e-13)), fits[-1])


def _name(text: str) -> str:
    """Fit a person's name into an element: family, given, middle name, prefix and suffix.

    Examples
    --------
    >>> _name("Doe, Jane"), _name("Doe^Jane^^Dr")
    ('Doe^Jane', 'Doe^Jane^^Dr')
    """
    parts = text.replace("=", " ").split("^" if "^" in text else ",")
    return _line("^".join(part.strip() for part in parts[:5]), 64)


def _line(text: str, length: int) -> str:
    """Fit a text into an element: one line, no separator of values, and not too long."""
    return " ".join(re.sub(r"[\\\x00-\x1f\x7f]", " ", text).split())[:length].strip()
