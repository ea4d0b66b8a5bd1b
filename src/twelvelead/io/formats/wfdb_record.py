"""WFDB records in one piece: signal formats 16, 24, 32, 80 and 212 are read directly, the rarer ones by the package."""

import warnings
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twelvelead.io.formats.metadata import Machine, Provenance
from twelvelead.io.formats.scale import MV_PER
from twelvelead.io.formats.source import Source, later, source_of
from twelvelead.io.formats.wfdb_comments import read_comments
from twelvelead.io.formats.wfdb_files import inside, is_there, read_bytes
from twelvelead.io.formats.wfdb_header import Header, Layout
from twelvelead.io.formats.wfdb_package import LEAST_BITS, read_by_package
from twelvelead.io.formats.wfdb_samples import CODINGS, to_physical
from twelvelead.signal import Recording, distinct_names, lead_name
from twelvelead.terms import FormatError


@dataclass(frozen=True, eq=False)
class Plan:
    """How the signals of a layout become leads in mV.

    Parameters
    ----------
    beyond : str
        What the layout has that this reader leaves to the wfdb package; empty if nothing.
    kept : tuple of int
        The signals that are voltages.
    leads : tuple of str
        Their names.
    steps : tuple of float
        Their mV per step, without sign.
    scale : ndarray, shape (n_signals,)
        mV per step; for what is no voltage, some unit per step.
    baseline : ndarray, shape (n_signals,)
        Step of 0 mV.
    """

    beyond: str
    kept: tuple[int, ...]
    leads: tuple[str, ...]
    steps: tuple[float, ...]
    scale: NDArray[np.float64]
    baseline: NDArray[np.float64]


@dataclass(frozen=True)
class _Part:
    """Signals that lie together in one file."""

    file: str
    signals: slice
    format: int
    offset: int


@lru_cache(maxsize=256)
def plan_of(layout: Layout) -> Plan:
    """Plan how the signals of a layout become leads; once for all records that share it."""
    signals = layout.signals
    kept = tuple(n for n, s in enumerate(signals) if s.units.lower() in MV_PER)
    scale = np.array([MV_PER.get(s.units.lower(), 1.0) / s.gain for s in signals])
    return Plan(
        beyond=_beyond(layout),
        kept=kept,
        leads=distinct_names([lead_name(signals[n].description) or f"signal {n}" for n in kept]),
        steps=tuple(abs(float(scale[n])) for n in kept),
        scale=scale,
        baseline=np.array([s.baseline for s in signals], dtype=np.float64),
    )


def open_record(path: Path, header: Header) -> Source:
    """Open a record that is in one piece.

    Parameters
    ----------
    path : Path
        Its header.
    header : Header
        What that says.

    Returns
    -------
    Source
        Of the leads whose file is there; `notes` tell which are not.

    Raises
    ------
    FormatError
        If no signal is a voltage, or none of the files is there; or, where the package has to read it, whatever is
        wrong with it.
    """
    _refuse_unknown(path, header)
    present, notes = _present(path, header)
    some = header if len(present) == len(header.files) else _only(header, present)
    plan, parts = plan_of(some.layout), _parts(some)
    if not plan.kept:
        units = ", ".join(sorted({s.units for s in header.signals})) or "no signal at all"
        msg = f"a record must hold a signal in mV, uV or V; got {units} in {path.name}. Check the header."
        raise FormatError(msg)
    source = _source(path, some, parts, plan)
    if why := plan.beyond or ("one file in several formats" if len({p.file for p in parts}) < len(parts) else ""):
        mv_per_unit = [MV_PER[some.signals[n].units.lower()] for n in plan.kept]
        wanted = zip((present[n] for n in plan.kept), zip(plan.leads, mv_per_unit, strict=True), strict=True)
        recording = read_by_package(path, header, dict(wanted), why=why)
        recording = replace(recording, start=source.provenance.recorded_at)
        return replace(source, n_samples=recording.n_samples, span=source_of(recording).span, notes=notes)
    return replace(source, notes=notes) if notes else source


def _source(path: Path, header: Header, parts: list[_Part], plan: Plan) -> Source:
    """Say what a header tells of its record, and how its spans are read."""
    comments = read_comments(header.comments)
    start = header.start
    if start is None and comments.recorded_on is not None:
        start = comments.recorded_on
        header = replace(header, start=start)
    by_us = not plan.beyond and header.n_samples is None
    n_samples = _count_samples(path, header, parts) if by_us else header.n_samples or 0
    return Source(
        header.fs,
        n_samples,
        partial(_read_span, path=path, header=header, parts=parts, n_samples=n_samples),
        machine=Machine(statements=comments.statements),
        provenance=Provenance(recorded_at=start),
        patient=comments.patient,
        step_mv=plan.steps,
    )


def _present(path: Path, header: Header) -> tuple[list[int], tuple[str, ...]]:
    """Give the numbers of the signals whose file is there, and say which are absent; if all are, that shows later."""
    everything = list(range(len(header.files)))
    files = set(header.files)
    absent = {file for file in files if not is_there(path, file)} if len(files) > 1 else set()
    if not absent or len(absent) == len(files):
        return everything, ()
    lost = [header.signals[n].description or f"signal {n}" for n in everything if header.files[n] in absent]
    note = f"signals {', '.join(lost)} are left out: their file {', '.join(sorted(absent))} is absent."
    return [n for n in everything if header.files[n] not in absent], (note,)


def _only(header: Header, which: list[int]) -> Header:
    """Leave some signals of a header."""
    return replace(
        header,
        layout=Layout(tuple(header.signals[n] for n in which)),
        files=tuple(header.files[n] for n in which),
        checksums=tuple(header.checksums[n] for n in which),
    )


def _read_span(first: int, stop: int, *, path: Path, header: Header, parts: list[_Part], n_samples: int) -> Recording:
    """Read the samples from `first` up to `stop`."""
    plan = plan_of(header.layout)
    blocks = [_read_part(path, header, part, span=(first, stop), n_samples=n_samples) for part in parts]
    signal = blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1)
    if len(plan.kept) < len(header.files):
        signal = np.ascontiguousarray(signal[:, plan.kept])
    signal.setflags(write=False)
    return Recording(signal.T, plan.leads, header.fs, path.stem, later(header.start, first / header.fs))


def _parts(header: Header) -> list[_Part]:
    """Find the runs of signals that lie in one file, in one format, from one place on."""
    parts, start = [], 0
    signals = zip(header.files, header.signals, strict=True)
    for (file, number, offset), run in groupby(signals, key=lambda s: (s[0], s[1].format, s[1].offset)):
        stop = start + len(list(run))
        parts.append(_Part(file, slice(start, stop), number, offset))
        start = stop
    return parts


def _read_part(
    header_path: Path, header: Header, part: _Part, *, span: tuple[int, int], n_samples: int
) -> NDArray[np.float32]:
    """Read the signals of one file, shape (n_samples, n_signals)."""
    path, present = inside(header_path, part.file)
    present -= part.offset
    coding, plan = CODINGS[part.format], plan_of(header.layout)
    width = part.signals.stop - part.signals.start
    wanted = coding.n_bytes(n_samples * width)
    if present < wanted:
        msg = (
            f"{path.name} must have {wanted} bytes of samples from byte {part.offset}; got {max(present, 0)} in record "
            f"{header_path.stem!r}. The file is cut short: copy it again."
        )
        raise FormatError(msg)
    first, stop = span
    before = first % coding.whole  # samples read only because the span begins within a byte
    n = (stop - first + before) * width
    raw = read_bytes(path, part.offset + coding.n_bytes((first - before) * width), coding.n_bytes(n))
    physical, sums = to_physical(
        coding.decode(raw, n).reshape(-1, width),
        scale=plan.scale[part.signals],
        baseline=plan.baseline[part.signals],
        missing=coding.missing,
    )
    if span == (0, n_samples):
        _check_sums(sums, header, part.signals, path=header_path)
    return physical[before:]


def _check_sums(sums: NDArray[np.int64], header: Header, which: slice, *, path: Path) -> None:
    """Compare the 16-bit sum of each signal with the header's.

    A warning and no error: published archives hold good records whose header kept the sum of an earlier version (11 of
    the 310 of the ECG-ID database).
    """
    files, signals, said = header.files[which], header.signals[which], header.checksums[which]
    for total, file, signal, checksum in zip(sums.tolist(), files, signals, said, strict=True):
        if checksum is not None and (total - checksum) & 0xFFFF:
            msg = (
                f"samples of {signal.description or file} should have the checksum {checksum & 0xFFFF}; "
                f"got {total} in {str(path)!r}. Compare the file with its source."
            )
            warnings.warn(msg, stacklevel=2)


def _count_samples(path: Path, header: Header, parts: list[_Part]) -> int:
    """Count the samples that the files hold, where the header does not say it."""
    lengths: set[int] = set()
    for part in parts:
        present = inside(path, part.file)[1] - part.offset
        lengths.add(max(present, 0) * 8 // (CODINGS[part.format].bits * (part.signals.stop - part.signals.start)))
    if len(lengths) > 1:
        msg = f"signals of one record must be equally long; got {sorted(lengths)} samples in {path.name}. "
        msg += "State the number in the header."
        raise FormatError(msg)
    return lengths.pop()


def _refuse_unknown(path: Path, header: Header) -> None:
    """Refuse signal formats that no reader knows."""
    for signal in header.signals:
        if signal.format not in LEAST_BITS:
            known = ", ".join(map(str, sorted(LEAST_BITS)))
            msg = f"a signal format must be one of {known}; got {signal.format} in {path.name}. Mend the header."
            raise FormatError(msg)


def _beyond(layout: Layout) -> str:
    for signal in layout.signals:
        if signal.format not in CODINGS:
            return f"signal format {signal.format}"
        if signal.samples_per_frame > 1:
            return f"{signal.samples_per_frame} samples per frame"
        if signal.skew:
            return "skewed signals"
    return ""
