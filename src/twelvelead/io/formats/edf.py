"""EDF, EDF+, BDF and BDF+: samples in data records, read as far as is asked for."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twelvelead.io.formats.edf_header import Header, Signal, is_edf, read_header
from twelvelead.io.formats.metadata import Provenance
from twelvelead.io.formats.scale import UNDECLARED, Declaration
from twelvelead.io.formats.source import Source, later
from twelvelead.signal import Recording, distinct_names, lead_name
from twelvelead.terms import LEADS, FormatError

_MOST_SPREAD = 16  # how many times the samples that are there a discontinuous recording may be long
_HIGHEST_HZ = 1e6
_PIECE = 4 * 1024 * 1024  # bytes that are read at a time
_ECG = re.compile(r"^(?:ECG|EKG)(?![A-Za-z])[\s_:.-]*|^(?:ECG|EKG)(?=(?:I{1,3}|aV[RLF]|V[1-6])$)", re.IGNORECASE)
_ELECTRODE = re.compile(r"(?:RA|LA|LL|RL|LF|V[1-9]R?|I{1,3}|aV[RLF])", re.IGNORECASE)
_ONSET = re.compile(rb"([+-]\d{1,9}(?:\.\d{1,9})?)(?:\x15[^\x14\x15]*)?\x14")
_FILTER = r"{}\s*:?\s*(\d+(?:\.\d+)?)\s*Hz"


@dataclass(frozen=True, eq=False)
class _Plan:
    """Which signals are leads, and where each data record lies in time.

    Parameters
    ----------
    signals : tuple of Signal
        Those that are kept, all with one number of samples per record.
    leads : tuple of str
        Their names.
    fs : float
        Sampling frequency, Hz.
    starts : ndarray of int, shape (n_records,)
        Sample at which each data record begins.
    n_samples : int
        Up to the end of the last data record.
    size, record_bytes, width : int
        Bytes of the header, of a data record, and of a sample.
    """

    signals: tuple[Signal, ...]
    leads: tuple[str, ...]
    fs: float
    starts: NDArray[np.int64]
    n_samples: int
    size: int
    record_bytes: int
    width: int


def recognise_edf(head: bytes, path: Path) -> bool:
    """Whether a file is EDF or BDF, by its mark and the sizes in its header."""
    del path
    return is_edf(head)


def open_edf(path: Path, declaration: Declaration = UNDECLARED) -> Source:
    """Open an EDF, EDF+, BDF or BDF+ file: read its header, and the time of each data record.

    Parameters
    ----------
    path : Path
        The file.
    declaration : Declaration
        Not needed: the header says all.

    Returns
    -------
    Source
        Of the ECG leads by their labels, or where no label is that of a lead, of all voltages. Signals of a lower
        sampling frequency are left out. Gaps of a discontinuous file are missing samples.

    Raises
    ------
    FormatError
        If the header is broken or claims more data records than there are, no signal is a voltage, or data records
        overlap or lie far apart in time.

    Notes
    -----
    Read directly: the edfio package, with which the samples are compared in the tests, loads a BDF file whole, and so
    much of a day at 2 kHz does not fit everywhere. EDF has no missing sample: what is at the limits of a signal stays.

    References
    ----------
    EDF: doi:10.1016/0013-4694(92)90009-7. EDF+: doi:10.1016/S1388-2457(03)00123-8.
    """
    del declaration
    header = read_header(path)
    notes: list[str] = []
    n_records = _count_records(path, header, notes)
    signals, leads = _choose(header, path, notes)
    begin_s, onsets = _onsets(path, header, n_records)
    plan = _plan(signals, leads, header, onsets, path)
    started = _shift(header.started, begin_s)
    first = signals[0]
    return Source(
        plan.fs,
        plan.n_samples,
        partial(_read_span, path=path, plan=plan, started=started),
        provenance=Provenance(
            version=header.kind,
            device=header.device,
            recorded_at=started,
            high_pass_hz=_filter(first, "HP"),
            low_pass_hz=_filter(first, "LP"),
            notch_hz=_filter(first, "N(?:otch)?"),
        ),
        patient=header.patient,
        step_mv=tuple(abs(signal.scale) for signal in signals),
        notes=tuple(notes),
    )


def _count_records(path: Path, header: Header, notes: list[str]) -> int:
    """Count the data records, which must be there."""
    if header.record_bytes == 0:
        msg = f"a data record must hold samples; got none in {path.name}. Give a file with signals."
        raise FormatError(msg)
    present = path.stat().st_size - header.size
    n_records = header.n_records
    if n_records < 0:
        n_records = present // header.record_bytes
        notes.append(f"the recording was not finished: {n_records} data records by the size of the file")
    if n_records < 1 or present < n_records * header.record_bytes:
        msg = f"{path.name} must have {max(n_records, 1)} data records of {header.record_bytes} bytes from byte "
        msg += f"{header.size}; got {present} bytes. The file is cut short: copy it again."
        raise FormatError(msg)
    if header.n_records >= 0 and present > n_records * header.record_bytes:
        notes.append(f"{present - n_records * header.record_bytes} bytes after the last data record are left out")
    return n_records


def _choose(header: Header, path: Path, notes: list[str]) -> tuple[tuple[Signal, ...], tuple[str, ...]]:
    """Choose the signals that are leads, and name them."""
    voltages = [s for s in header.signals if s.scale and s.n_samples and not s.is_annotation]
    if not voltages or header.record_s <= 0:
        labels = ", ".join(sorted({s.label or "?" for s in header.signals})[:5])
        msg = f"an EDF file must hold a signal in mV, uV or V; got {labels} in {path.name}. Give a file with an ECG."
        raise FormatError(msg)
    named = [(signal, _lead_of(signal.label)) for signal in voltages]
    ecg = [(signal, name) for signal, name in named if name]
    chosen = ecg or [(signal, signal.label or f"signal {n}") for n, signal in enumerate(voltages, 1)]
    most = max(signal.n_samples for signal, _ in chosen)
    kept = [(signal, name) for signal, name in chosen if signal.n_samples == most]
    firsts = {signal.first for signal, _ in kept}
    others = [s for s in header.signals if s.n_samples != most or s.first not in firsts]
    left_out = [signal.label for signal in others if not signal.is_annotation]
    if left_out:
        some = ", ".join(left_out[:8]) + (", …" if len(left_out) > 8 else "")
        notes.append(f"signals that are no ECG lead, no voltage or sampled less often are left out: {some}")
    return tuple(signal for signal, _ in kept), distinct_names([name for _, name in kept])


def _lead_of(label: str) -> str:
    """Name the ECG lead of a label; empty if it is none.

    Examples
    --------
    >>> [_lead_of(label) for label in ("ECG II", "EKG V1-Ref", "avf", "ECG LA-RA", "EEG Fpz-Cz", "V1-V2", "ECGV3")]
    ['II', 'V1', 'aVF', 'ECG LA-RA', '', '', 'V3']
    """
    plain = _ECG.sub("", label.strip())
    lead, dash, against = plain.partition("-")
    name = lead_name(lead)
    if name in LEADS and not (dash and _ELECTRODE.fullmatch(against.strip())):
        return name
    return label.strip() if plain != label.strip() else ""


def _onsets(path: Path, header: Header, n_records: int) -> tuple[float, NDArray[np.float64]]:
    """Give the time of the first data record after the start, s, and that of each one after the first.

    The first annotation of each data record of EDF+ says when it begins.
    """
    regular = np.asarray(np.arange(n_records) * header.record_s, dtype=np.float64)
    marks = next((signal for signal in header.signals if signal.is_annotation and signal.n_samples), None)
    if marks is None or "+" not in header.kind:
        return 0.0, regular
    timed = n_records if header.kind.endswith("D") else 1
    size, onsets = marks.n_samples * header.width, np.zeros(timed, dtype=np.float64)
    with path.open("rb") as file:
        for n in range(timed):
            file.seek(header.size + n * header.record_bytes + marks.first * header.width)
            found = _ONSET.match(file.read(min(size, 64)))
            if found is None and not header.kind.endswith("D"):
                return 0.0, regular
            if found is None:
                msg = (
                    f"a data record of a discontinuous file must tell its time; got none in record {n} of {path.name}, "
                )
                msg += f"byte {header.size + n * header.record_bytes}. Write it as EDF+C."
                raise FormatError(msg)
            onsets[n] = float(found[1])
    begin_s = float(onsets[0])
    onsets -= begin_s
    return begin_s, onsets if header.kind.endswith("D") else regular


def _plan(
    signals: tuple[Signal, ...], leads: tuple[str, ...], header: Header, onsets: NDArray[np.float64], path: Path
) -> _Plan:
    per_record = signals[0].n_samples
    fs = per_record / header.record_s
    if not 0 < fs <= _HIGHEST_HZ:
        msg = f"a sampling frequency must be above 0 and at most {_HIGHEST_HZ:g} Hz; got {per_record} samples in "
        msg += f"{header.record_s:g} s in {path.name}. Mend the header."
        raise FormatError(msg)
    starts = np.arange(len(onsets), dtype=np.int64) * per_record
    if header.kind.endswith("D"):
        if onsets.max() * fs > _MOST_SPREAD * len(onsets) * per_record:
            msg = f"data records must lie together in time; got {len(onsets)} of {header.record_s:g} s within "
            msg += f"{onsets.max():g} s in {path.name}. Cut it at its gaps."
            raise FormatError(msg)
        placed = np.rint(onsets * fs).astype(np.int64)
        early = np.flatnonzero(np.diff(placed) < per_record - 1)
        if early.size:
            msg = f"data records must follow one another; got one at {onsets[early[0] + 1]:g} s after one at "
            msg += f"{onsets[early[0]]:g} s of {header.record_s:g} s in {path.name}. Write it in order."
            raise FormatError(msg)
        # An onset that is rounded may be a sample early.
        starts = np.maximum.accumulate(placed - starts) + starts
    n_samples = int(starts[-1]) + per_record
    return _Plan(signals, leads, fs, starts, n_samples, header.size, header.record_bytes, header.width)


def _read_span(first: int, stop: int, *, path: Path, plan: _Plan, started: datetime | None) -> Recording:
    """Read the samples from `first` up to `stop`."""
    samples = np.full((stop - first, len(plan.signals)), np.nan, dtype=np.float32)
    low = max(int(np.searchsorted(plan.starts, first, side="right")) - 1, 0)
    high = int(np.searchsorted(plan.starts, stop, side="left"))
    at_once = max(1, _PIECE // plan.record_bytes)
    with path.open("rb") as file:
        for n in range(low, high, at_once):
            count = min(at_once, high - n)
            file.seek(plan.size + n * plan.record_bytes)
            content = file.read(count * plan.record_bytes)
            if len(content) < count * plan.record_bytes:
                msg = f"{path.name} must not change while it is read; got its end early. Try again."
                raise FormatError(msg)
            records = np.frombuffer(content, np.uint8).reshape(count, plan.record_bytes)
            _place(samples, records, plan, starts=plan.starts[n : n + count] - first)
    samples.setflags(write=False)
    return Recording(samples.T, plan.leads, plan.fs, path.stem, later(started, first / plan.fs))


def _place(samples: NDArray[np.float32], records: NDArray[np.uint8], plan: _Plan, *, starts: NDArray[np.int64]) -> None:
    """Put data records, shape (n_records, n_bytes), into samples of shape (n_samples, n_leads) where they begin."""
    per_record = plan.signals[0].n_samples
    where = (starts[:, None] + np.arange(per_record)).ravel()
    inside = (where >= 0) & (where < len(samples))
    for row, signal in enumerate(plan.signals):
        raw = records[:, signal.first * plan.width : (signal.first + per_record) * plan.width]
        steps = _decode(np.ascontiguousarray(raw).ravel(), plan.width)
        samples[where[inside], row] = steps[inside] * signal.scale + signal.offset


def _decode(raw: NDArray[np.uint8], width: int) -> NDArray[np.signedinteger]:
    """Decode little-endian integers of 2 or 3 bytes."""
    if width == 2:
        return raw.view("<i2")
    wide = np.zeros((len(raw) // 3, 4), dtype=np.uint8)
    wide[:, 1:] = raw.reshape(-1, 3)
    return wide.view("<i4").ravel() >> 8


def _shift(started: datetime | None, seconds: float) -> datetime | None:
    try:
        return None if started is None else started + timedelta(seconds=seconds)
    except OverflowError:
        return None


def _filter(signal: Signal, name: str) -> float | None:
    """Find a frequency in a text such as HP:0.05Hz LP:150Hz N:50Hz; 0 is none."""
    found = re.search(rf"(?<![A-Za-z]){_FILTER.format(name)}", signal.prefiltering, re.IGNORECASE)
    return (float(found[1]) or None) if found else None
