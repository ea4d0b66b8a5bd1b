"""What is in a waveform file, what is missing, how good it is, and whether the device and we agree."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twelvelead.io import Source, find_recordings, open_declared, open_found
from twelvelead.io.formats import Declaration
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.measure import CATALOGUE, measure
from twelvelead.measure.windows import LONG_S
from twelvelead.signal import Quality, Recording, assess, derive_limb_leads, einthoven_residual_mv
from twelvelead.study.progress import Progress, silent
from twelvelead.terms import LEADS, LIMB_LEADS, Error, Unmeasurable

COMPARED = (
    "heart_rate_bpm", "p_duration_ms", "pr_interval_ms", "qrs_duration_ms", "qt_interval_ms", "qtc_bazett_ms",
    "qtc_fridericia_ms", "p_axis_deg", "qrs_axis_deg", "t_axis_deg",
)  # fmt: skip
"""Shown whether or not the device measured them."""

SHOWN = 5  # recordings of a file with several that are named
_UNITS = {"ms": "ms", "mv": "mV", "deg": "deg", "bpm": "1/min"}
_UNIT = {m.name: m.unit for m in CATALOGUE}


@dataclass(frozen=True)
class LeadReport:
    """One lead: its range in mV, the share of missing samples, the step of its converter, and what is wrong with it."""

    lead: str
    low_mv: float | None
    high_mv: float | None
    missing_share: float
    step_mv: float | None
    findings: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """One measurement: ours, the device's, and ours minus the device's; None where there is none."""

    name: str
    unit: str
    ours: float | None
    machine: float | None
    difference: float | None


@dataclass(frozen=True)
class Inspection:
    """What was found in one recording.

    Parameters
    ----------
    recording_id : str
        The recording.
    origin, signal, patient : mapping
        What the file says of device and time, of its samples, and of the patient; None where it does not.
    missing : tuple of str
        What a 12-lead ECG should have and this one lacks.
    notes : tuple of str
        What is amiss with the file, although it can be read.
    examined_s : float
        How much of the recording the rest is about, s from its start: of a long one the first minute.
    leads : tuple of LeadReport
        In the recording's order.
    findings : tuple of (str, str)
        Reason and message of what is wrong, worst first.
    einthoven_residual_mv : float or None
        How far the limb leads contradict one another.
    computed : tuple of str
        Limb leads that are just what I and II give, so were computed from them, or might as well have been.
    refusal : (str, str) or None
        Reason and message, where it can't be measured.
    measurements : tuple of Comparison
        Ours beside the device's.
    statements : tuple of str
        The device's.
    """

    recording_id: str
    origin: Mapping[str, Any]
    signal: Mapping[str, Any]
    patient: Mapping[str, Any]
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    examined_s: float
    leads: tuple[LeadReport, ...]
    findings: tuple[tuple[str, str], ...]
    einthoven_residual_mv: float | None
    computed: tuple[str, ...]
    refusal: tuple[str, str] | None
    measurements: tuple[Comparison, ...]
    statements: tuple[str, ...]


@dataclass(frozen=True)
class Holding:
    """A file with several recordings, or a folder.

    Parameters
    ----------
    path : str
        Which.
    n_recordings : int
        Recordings found.
    first : tuple of str
        Names of the first of them, by which `--entry` can ask for one of a file.
    formats : mapping of str to int
        Recordings that can be opened, by format; empty for a file.
    failures : tuple of (str, str)
        Id and message of those that can't.
    """

    path: str
    n_recordings: int
    first: tuple[str, ...]
    formats: Mapping[str, int]
    failures: tuple[tuple[str, str], ...]


def inspect_path(
    path: Path, *, declared: Declaration = UNDECLARED, identify: bool = False, progress: Progress = silent
) -> Inspection | Holding:
    """Inspect a recording; of a folder, or of a file with several recordings, say what it holds.

    Parameters
    ----------
    path : Path
        A file or a folder.
    declared : Declaration
        What the file does not say of itself, and which of several recordings is meant.
    identify : bool
        Whether the patient's id, name and date of birth are wanted.
    progress : Progress
        Told how many files of a folder have been opened.

    Raises
    ------
    InputError, FormatError, MissingExtra
        As `io.open_recording` does.
    """
    if path.is_dir():
        return _inspect_folder(path, declared, progress)
    entry = declared.entry
    if entry is None:
        found = find_recordings([path])
        if len(found) > 1:
            return Holding(str(path), len(found), tuple(str(f.entry) for f in found[:SHOWN]), {}, ())
        entry = found[0].entry
    source = open_declared(path, replace(declared, entry=entry), identify=identify)
    recording = source.span(0, min(source.n_samples, round(LONG_S * source.fs)))
    return inspect_recording(source, recording, identified=identify)


def inspect_recording(source: Source, recording: Recording, *, identified: bool = False) -> Inspection:
    """Say what is in a recording and what is missing, judge its leads, and set our measurements beside the device's.

    Parameters
    ----------
    source : Source
        What its file says.
    recording : Recording
        Its samples, or the first of them.
    identified : bool
        Whether `source` still has the patient's identity.
    """
    quality = assess(recording)
    ours: Mapping[str, Any] = {}
    refusal: tuple[str, str] | None = None
    try:
        ours, _ = measure(recording)
    except Unmeasurable as error:
        refusal = (error.reason.value, str(error))
    residual = einthoven_residual_mv(recording)
    return Inspection(
        recording_id=recording.id,
        origin=_describe_origin(source),
        signal=_describe_signal(source, recording),
        patient=_describe_patient(source, identified=identified),
        missing=tuple(_list_missing(source, recording)),
        notes=source.notes,
        examined_s=recording.duration,
        leads=tuple(_report_lead(k, recording, source, quality) for k in range(len(recording.leads))),
        findings=tuple((f.reason.value, f.message) for f in quality.findings),
        einthoven_residual_mv=residual if math.isfinite(residual) else None,
        computed=() if refusal else tuple(_find_computed(recording, source.step_mv)),
        refusal=refusal,
        measurements=tuple(compare(ours, source.machine.measurements)),
        statements=source.machine.statements,
    )


def compare(ours: Mapping[str, float | None], machine: Mapping[str, float]) -> list[Comparison]:
    """Set our measurements beside the device's.

    Parameters
    ----------
    ours, machine : mapping of str to float
        By the names of the CATALOGUE, in its units.

    Returns
    -------
    list of Comparison
        Those of `COMPARED`, then whatever else the device measured. Axes differ by at most 180°.

    Examples
    --------
    >>> compare({"qrs_axis_deg": -170.0}, {"qrs_axis_deg": 175.0})[8]
    Comparison(name='qrs_axis_deg', unit='deg', ours=-170.0, machine=175.0, difference=15.0)
    """
    rows = []
    for name in dict.fromkeys((*COMPARED, *machine)):
        unit = _UNIT.get(name) or _UNITS.get(name.rpartition("_")[2], "")
        a, b = _finite(ours.get(name)), _finite(machine.get(name))
        difference = None if a is None or b is None else a - b
        if difference is not None and unit == "deg":
            difference = 180 - (180 - difference) % 360
        rows.append(Comparison(name, unit, a, b, difference))
    return rows


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _describe_origin(source: Source) -> dict[str, Any]:
    origin = source.provenance
    return {
        "format": origin.format,
        "version": origin.version or None,
        "device": origin.device or None,
        "software": origin.software or None,
        "recorded_at": None if origin.recorded_at is None else origin.recorded_at.isoformat(sep=" "),
        "high_pass_hz": origin.high_pass_hz,
        "low_pass_hz": origin.low_pass_hz,
        "notch_hz": origin.notch_hz,
    }


def _describe_signal(source: Source, recording: Recording) -> dict[str, Any]:
    beat = source.median
    return {
        "leads": list(recording.leads),
        "fs_hz": source.fs,
        "n_samples": source.n_samples,
        "duration_s": source.duration,
        "step_mv": sorted(set(source.step_mv)),
        "median_beat_s": None if beat is None else beat.duration,
        "median_beat_leads": None if beat is None else list(beat.leads),
    }


def _describe_patient(source: Source, *, identified: bool) -> dict[str, Any]:
    patient = source.patient
    known: dict[str, Any] = {"sex": patient.sex, "age_years": patient.age_years}
    if not identified:
        return {**known, "identity": "left out"}
    born = None if patient.born is None else patient.born.isoformat()
    return {**known, "id": patient.id or None, "name": patient.name or None, "born": born}


def _list_missing(source: Source, recording: Recording) -> list[str]:
    """Name what a 12-lead ECG should have and this file lacks."""
    absent = [lead for lead in LEADS if lead not in recording.leads]
    empty = [lead for lead in recording.leads if not np.isfinite(recording[lead]).any()]
    origin, patient = source.provenance, source.patient
    unfiltered = (origin.high_pass_hz, origin.low_pass_hz, origin.notch_hz) == (None, None, None)
    said = {
        "time of recording": origin.recorded_at is None,
        "age": patient.age_years is None,
        "sex": patient.sex is None,
        "device": not origin.device,
        "filter settings": unfiltered,
        "step of the converter": not source.step_mv,
        "device's measurements": not source.machine.measurements,
    }
    leads = [f"leads {', '.join(absent)}"] if absent else []
    leads += [f"samples of {', '.join(empty)}"] if empty else []
    return leads + [name for name, is_missing in said.items() if is_missing]


def _report_lead(row: int, recording: Recording, source: Source, quality: Quality) -> LeadReport:
    lead, samples = recording.leads[row], recording.signal[row]
    known = samples[np.isfinite(samples)]
    return LeadReport(
        lead=lead,
        low_mv=float(known.min()) if known.size else None,
        high_mv=float(known.max()) if known.size else None,
        missing_share=1 - known.size / samples.size if samples.size else 1.0,
        step_mv=source.step_mv[row] if row < len(source.step_mv) else None,
        findings=tuple(f.reason.value for f in quality.findings if f.lead == lead),
    )


def _find_computed(recording: Recording, step_mv: Sequence[float]) -> list[str]:
    """Name the limb leads that are what I and II give, to one step of the converter."""
    if not {"I", "II"} <= set(recording.leads) or not recording.n_samples:
        return []
    two = recording.signal[[recording.leads.index(lead) for lead in ("I", "II")]]
    derived = derive_limb_leads(Recording(two, ("I", "II"), recording.fs))
    near = max(1e-5, 1.01 * max(step_mv, default=0.0))
    here = [lead for lead in LIMB_LEADS[2:] if lead in recording.leads and lead in derived.leads]
    return [lead for lead in here if _is_near(recording[lead] - derived[lead], near)]


def _is_near(difference: NDArray[np.float32], near: float) -> bool:
    known = difference[np.isfinite(difference)]
    return bool(known.size and np.abs(known).max() <= near)


def _inspect_folder(folder: Path, declared: Declaration, progress: Progress) -> Holding:
    """Open everything in a folder, and count what can be opened by format."""
    found = find_recordings([folder])
    formats: Counter[str] = Counter()
    failures = []
    for k, recording in enumerate(found):
        try:
            source = open_found(recording, declared)
            formats[source.provenance.format] += 1
        except Error as error:
            failures.append((recording.recording_id, str(error)))
        progress("open", k + 1, len(found))
    first = tuple(recording.recording_id for recording in found[:SHOWN])
    return Holding(str(folder), len(found), first, dict(sorted(formats.items())), tuple(failures))
