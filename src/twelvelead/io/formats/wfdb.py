"""WFDB, the format of PhysioNet: headers (`.hea`) and signal formats 16, 24, 32, 80 and 212, read directly."""

import re
import stat
import warnings
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twelvelead.io.formats.scale import MV_PER, UNDECLARED, Declaration
from twelvelead.io.formats.source import Source, later, source_of
from twelvelead.io.formats.wfdb_header import Header, Layout, read_header
from twelvelead.io.formats.wfdb_samples import CODINGS, to_physical
from twelvelead.signal import Recording, lead_name
from twelvelead.terms import FormatError, MissingExtra

_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")  # neither a path nor a link, on any system
# With the formats left to the wfdb package. The last three are compressed without loss: no live signal beyond 1:16.
_LEAST_BITS: dict[int, float] = {n: coding.bits for n, coding in CODINGS.items()}
_LEAST_BITS |= {8: 8, 61: 16, 160: 16, 310: 32 / 3, 311: 32 / 3, 508: 0.5, 516: 1.0, 524: 1.5}


@dataclass(frozen=True, eq=False)
class _Plan:
    """How the signals of a layout become leads in mV.

    Parameters
    ----------
    beyond : str
        What the layout has that this reader leaves to the wfdb package; empty if nothing.
    kept : tuple of int
        The signals that are voltages.
    leads : tuple of str
        Their names.
    scale : ndarray, shape (n_signals,)
        mV per step; for what is no voltage, some unit per step.
    baseline : ndarray, shape (n_signals,)
        Step of 0 mV.
    """

    beyond: str
    kept: tuple[int, ...]
    leads: tuple[str, ...]
    scale: NDArray[np.float64]
    baseline: NDArray[np.float64]


@dataclass(frozen=True)
class _Part:
    """Signals that lie together in one file."""

    file: str
    signals: slice
    format: int
    offset: int


def recognise_wfdb(head: bytes, path: Path) -> bool:
    """Whether a path is a WFDB record: its header, or a signal file that has one beside it."""
    del head  # a header is text without a mark
    return path.suffix == ".hea" or _header_path(path).is_file()


def read_wfdb(path: Path) -> Recording:
    """Read a WFDB record; see `open_wfdb`."""
    return open_wfdb(path).read()


def open_wfdb(path: Path, declaration: Declaration = UNDECLARED) -> Source:
    """Open a WFDB record: read its header.

    Parameters
    ----------
    path : Path
        The header, one of the signal files, or the record's path without suffix.
    declaration : Declaration
        Not needed: the header says all.

    Returns
    -------
    Source
        Of a recording in mV, leads by the names that the header gives; the id is the file's stem. Signals in other
        units than a voltage, such as a pulse wave, are left out. Spans are read by themselves; what only the wfdb
        package can read is read whole.

    Raises
    ------
    FormatError
        If the header is broken, names a file outside its folder or claims more samples than there are; or if the
        record is made of several segments, which no 12-lead archive uses. What is wrong with the signal files shows
        when a span is read.
    MissingExtra
        If the record needs the wfdb package: other signal formats, several samples per frame, or skew.

    Warns
    -----
    UserWarning
        When all is read at once, if the samples don't have the checksum of the header.

    References
    ----------
    WFDB signal formats: doi:10.13026/gjvw-1m31
    """
    del declaration
    path = path if path.suffix == ".hea" else _header_path(path)
    header = read_header(path)
    _refuse_unknown(path, header)
    plan, parts = _plan(header.layout), _parts(header)
    why = plan.beyond or ("one file in several formats" if len({part.file for part in parts}) < len(parts) else "")
    if why:
        return source_of(_read_by_wfdb(path, header, why=why))
    if not plan.kept:
        units = ", ".join(sorted({s.units for s in header.signals})) or "no signal at all"
        msg = f"a record must hold a signal in mV, uV or V; got {units} in {path.name}. Check the header."
        raise FormatError(msg)
    n_samples = _count_samples(path, header, parts) if header.n_samples is None else header.n_samples
    return Source(header.fs, n_samples, partial(_read_span, path=path, header=header, n_samples=n_samples))


def _read_span(first: int, stop: int, *, path: Path, header: Header, n_samples: int) -> Recording:
    """Read the samples from `first` up to `stop`."""
    plan = _plan(header.layout)
    blocks = [_read_part(path, header, part, span=(first, stop), n_samples=n_samples) for part in _parts(header)]
    signal = blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1)
    if len(plan.kept) < len(header.files):
        signal = np.ascontiguousarray(signal[:, plan.kept])
    signal.setflags(write=False)
    return Recording(signal.T, plan.leads, header.fs, path.stem, later(header.start, first / header.fs))


@lru_cache(maxsize=256)
def _plan(layout: Layout) -> _Plan:
    signals = layout.signals
    kept = tuple(n for n, s in enumerate(signals) if s.units.lower() in MV_PER)
    return _Plan(
        beyond=_beyond(layout),
        kept=kept,
        leads=_distinct([lead_name(signals[n].description) or f"signal {n}" for n in kept]),
        scale=np.array([MV_PER.get(s.units.lower(), 1.0) / s.gain for s in signals]),
        baseline=np.array([s.baseline for s in signals], dtype=np.float64),
    )


def _parts(header: Header) -> list[_Part]:
    """Find the runs of signals that lie in one file, in one format, from one place on."""
    parts, start = [], 0
    signals = zip(header.files, header.signals, strict=True)
    for (file, number, offset), run in groupby(signals, key=lambda s: (s[0], s[1].format, s[1].offset)):
        stop = start + len(list(run))
        parts.append(_Part(file, slice(start, stop), number, offset))
        start = stop
    return parts


def _header_path(path: Path) -> Path:
    """Find the header of a record that is named without suffix, or by a signal file of the same stem."""
    plain = path.with_name(path.name + ".hea")
    return path.with_suffix(".hea") if path.is_file() and not plain.is_file() else plain


def _distinct(names: list[str]) -> tuple[str, ...]:
    """Tell repetitions of a name apart by a number."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return tuple(out)


def _read_part(
    header_path: Path, header: Header, part: _Part, *, span: tuple[int, int], n_samples: int
) -> NDArray[np.float32]:
    """Read the signals of one file, shape (n_samples, n_signals)."""
    path, present = _inside(header_path, part.file)
    present -= part.offset
    coding, plan = CODINGS[part.format], _plan(header.layout)
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
    raw = _read_bytes(path, part.offset + coding.n_bytes((first - before) * width), coding.n_bytes(n))
    physical, sums = to_physical(
        coding.decode(raw, n).reshape(-1, width),
        scale=plan.scale[part.signals],
        baseline=plan.baseline[part.signals],
        missing=coding.missing,
    )
    if span == (0, n_samples):
        _check_sums(sums, header, part.signals, path=header_path)
    return physical[before:]


def _read_bytes(path: Path, offset: int, count: int) -> NDArray[np.uint8]:
    """Read bytes that are known to be there."""
    raw = np.empty(count, dtype=np.uint8)
    view = memoryview(raw.data)
    with path.open("rb", buffering=0) as file:
        file.seek(offset)
        while view.nbytes:  # the system may give less at a time
            n = file.readinto(view)
            if not n:
                msg = f"{path.name} must not change while it is read; got its end {view.nbytes} bytes early. Try again."
                raise FormatError(msg)
            view = view[n:]
    return raw


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


def _inside(header: Path, file: str) -> tuple[Path, int]:
    """Path and size in bytes of a signal file, which must lie in the header's folder."""
    folder = header.parent
    path = folder / file
    if not _FILE_NAME.fullmatch(file):
        msg = f"a header must name files of its own folder; got {file!r} in {header.name}. Mend the header."
        raise FormatError(msg)
    try:
        found = path.lstat()
        if linked := stat.S_ISLNK(found.st_mode):
            found = path.stat()
    except FileNotFoundError:
        found = None
    if found is None or not stat.S_ISREG(found.st_mode):
        msg = f"signal file {file!r} must lie beside its header; got none for {header.name}. Copy it there."
        raise FormatError(msg)
    if linked and not path.resolve().is_relative_to(folder.resolve()):
        msg = f"a signal file must lie in its header's folder; got a link out of it for {file!r} in {header.name}. "
        msg += "Copy the file there."
        raise FormatError(msg)
    return path, found.st_size


def _count_samples(path: Path, header: Header, parts: list[_Part]) -> int:
    """Count the samples that the files hold, where the header does not say it."""
    lengths: set[int] = set()
    for part in parts:
        present = _inside(path, part.file)[1] - part.offset
        lengths.add(max(present, 0) * 8 // (CODINGS[part.format].bits * (part.signals.stop - part.signals.start)))
    if len(lengths) > 1:
        msg = f"signals of one record must be equally long; got {sorted(lengths)} samples in {path.name}. "
        msg += "State the number in the header."
        raise FormatError(msg)
    return lengths.pop()


def _refuse_unknown(path: Path, header: Header) -> None:
    """Refuse what no reader could make one recording of."""
    if header.segments > 1:
        msg = f"a record must be in one piece; got {header.segments} segments in {path.name}. Give a segment's header."
        raise FormatError(msg)
    for signal in header.signals:
        if signal.format not in _LEAST_BITS:
            known = ", ".join(map(str, sorted(_LEAST_BITS)))
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


def _read_by_wfdb(path: Path, header: Header, *, why: str) -> Recording:
    """Read what is beyond this reader with the wfdb package."""
    try:
        import wfdb
    except ImportError:
        msg = f"reading {path.name} ({why}) needs the wfdb package; got none. Run: pip install 'twelvelead[formats]'"
        raise MissingExtra(msg) from None
    for file in dict.fromkeys(header.files):
        _check_size(path, file, header)
    try:
        record = wfdb.rdrecord(str(path.with_suffix("")))
    except Exception as error:  # that package raises whatever its parser trips over
        msg = f"{path.name} ({why}) must be readable by the wfdb package; got {type(error).__name__}: {error}. "
        msg += "Check the files."
        raise FormatError(msg) from error
    scale = [MV_PER.get((unit or "mV").lower()) for unit in record.units]
    kept = [n for n, factor in enumerate(scale) if factor is not None]
    signal = np.stack([record.p_signal[:, n] * scale[n] for n in kept])
    names = _distinct([lead_name(record.sig_name[n] or f"signal {n}") for n in kept])
    return Recording(signal, names, float(record.fs), id=path.stem, start=record.base_datetime)


def _check_size(path: Path, file: str, header: Header) -> None:
    """Refuse a file that can't hold what its header claims: the wfdb package would make samples up."""
    signals = [s for s, name in zip(header.signals, header.files, strict=True) if name == file]
    present = _inside(path, file)[1] - signals[0].offset
    wanted = sum((header.n_samples or 0) * s.samples_per_frame * _LEAST_BITS[s.format] for s in signals) // 8
    if present < wanted:
        msg = f"{file} must have at least {wanted:.0f} bytes of samples; got {max(present, 0)} in record "
        msg += f"{path.stem!r}. The file is cut short: copy it again."
        raise FormatError(msg)
