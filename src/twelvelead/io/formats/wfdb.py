"""WFDB, the format of PhysioNet: headers (`.hea`) and signal formats 16, 24, 32, 80 and 212, read directly."""

import re
import warnings
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twelvelead.io.formats.scale import MV_PER
from twelvelead.io.formats.wfdb_header import Header, Signal, read_header
from twelvelead.signal import Recording, lead_name
from twelvelead.terms import FormatError, MissingExtra

Samples = NDArray[np.signedinteger]


_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")  # neither a path nor a link, on any system

# Each signal format: bytes for n samples, the decoder, and the value that stands for "no sample".
_FORMATS: dict[int, tuple[Callable[[int], int], Callable[[NDArray[np.uint8], int], Samples], int]] = {}


def recognise_wfdb(path: Path) -> bool:
    """Whether a path is a WFDB record: its header, or a signal file that has one beside it."""
    return path.suffix == ".hea" or (path.suffix in {".dat", ".mat", ""} and path.with_suffix(".hea").is_file())


def read_wfdb(path: Path) -> Recording:
    """Read a WFDB record.

    Parameters
    ----------
    path : Path
        The header, or the record's path without suffix.

    Returns
    -------
    Recording
        In mV, leads by the names that the header gives; the id is the file's stem. Signals in other units than a
        voltage, such as a pulse wave, are left out.

    Raises
    ------
    FormatError
        If the header is broken, names a file outside its folder or claims more samples than there are; or if the
        record is made of several segments, which no 12-lead archive uses.
    MissingExtra
        If the record needs the wfdb package: other signal formats, several samples per frame, or skew.

    Warns
    -----
    UserWarning
        If the samples don't have the checksum of the header.

    References
    ----------
    WFDB signal formats: doi:10.13026/gjvw-1m31
    """
    path = path if path.suffix == ".hea" else _header_path(path)
    header = read_header(path)
    _refuse_unknown(path, header)
    if why := _beyond(header):
        return _read_by_wfdb(path, header, why=why)
    kept = [s for s in header.signals if s.units.lower() in MV_PER]
    if not kept:
        units = ", ".join(sorted({s.units for s in header.signals})) or "no signal at all"
        msg = f"a record must hold a signal in mV, uV or V; got {units} in {path.name}. Check the header."
        raise FormatError(msg)
    rows: list[NDArray[np.float32]] = []
    for file, signals in groupby(header.signals, key=lambda s: s.file):
        rows += _read_file(path, file, signals=tuple(signals), n_samples=header.n_samples)
    signal = rows[0] if len(rows) == 1 else np.concatenate(_equally_long(rows, path))
    chosen = [n for n, s in enumerate(header.signals) if s.units.lower() in MV_PER]
    if len(chosen) < len(header.signals):
        signal = signal[chosen]
    leads = _distinct([lead_name(s.description) or f"signal {n}" for n, s in zip(chosen, kept, strict=True)])
    return Recording(signal, leads, header.fs, id=path.stem, start=header.start)


def _header_path(path: Path) -> Path:
    return path.with_suffix(".hea") if path.suffix in {".dat", ".mat"} else path.with_name(path.name + ".hea")


def _distinct(names: list[str]) -> tuple[str, ...]:
    """Tell repetitions of a name apart by a number."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return tuple(out)


def _read_file(
    header: Path, file: str, *, signals: tuple[Signal, ...], n_samples: int | None
) -> list[NDArray[np.float32]]:
    """Read the signals of one file, shape (n_signals, n_samples) in a list of one."""
    path = _inside(header, file)
    size_of, decode, missing = _FORMATS[signals[0].format]
    offset = signals[0].offset
    present = path.stat().st_size - offset
    width = len(signals)
    if n_samples is None:
        n_samples = max(present, 0) * 8 // (_BITS[signals[0].format] * width)
    wanted = size_of(n_samples * width)
    if present < wanted:
        msg = (
            f"{path.name} must have {wanted} bytes of samples from byte {offset}; got {max(present, 0)} in record "
            f"{header.stem!r}. The file is cut short: copy it again."
        )
        raise FormatError(msg)
    raw = np.fromfile(path, dtype=np.uint8, count=wanted, offset=offset)
    steps = np.ascontiguousarray(decode(raw, n_samples * width).reshape(n_samples, width).T)
    _check_sums(steps, signals, header)
    scale = np.array([MV_PER.get(s.units.lower(), 1.0) / s.gain for s in signals])
    baseline = np.array([s.baseline for s in signals], dtype=np.float64)
    if signals[0].format == 32:  # 32 bits don't fit into float32 before the baseline is taken off
        physical = ((steps - baseline[:, None]) * scale[:, None]).astype(np.float32)
    else:
        physical = steps.astype(np.float32)
        if baseline.any():
            physical -= baseline[:, None].astype(np.float32)
        physical *= scale[:, None].astype(np.float32)
    if steps.size and int(steps.min()) == missing:
        physical[steps == missing] = np.nan
    return [physical]


def _check_sums(steps: Samples, signals: tuple[Signal, ...], header: Path) -> None:
    """Compare the 16-bit sum of each signal with the header's.

    A warning and no error: published archives hold good records whose header kept the sum of an earlier version (11 of
    the 310 of the ECG-ID database).
    """
    sums = steps.sum(axis=1, dtype=steps.dtype)  # wraps around at 16 or 32 bits, which the lower 16 don't notice
    for total, signal in zip(sums.tolist(), signals, strict=True):
        if signal.checksum is not None and (total - signal.checksum) & 0xFFFF:
            msg = (
                f"samples of {signal.description or signal.file} should have the checksum {signal.checksum & 0xFFFF}; "
                f"got {total & 0xFFFF} in {str(header)!r}. Compare the file with its source."
            )
            warnings.warn(msg, stacklevel=2)


def _inside(header: Path, file: str) -> Path:
    """Path of a signal file, which must lie in the header's folder."""
    folder = header.parent
    path = folder / file
    if not _FILE_NAME.fullmatch(file):
        msg = f"a header must name files of its own folder; got {file!r} in {header.name}. Mend the header."
        raise FormatError(msg)
    if not path.is_file():
        msg = f"signal file {file!r} must lie beside its header; got none for {header.name}. Copy it there."
        raise FormatError(msg)
    if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
        msg = f"a signal file must lie in its header's folder; got a link out of it for {file!r} in {header.name}. "
        msg += "Copy the file there."
        raise FormatError(msg)
    return path


def _equally_long(rows: list[NDArray[np.float32]], header: Path) -> list[NDArray[np.float32]]:
    lengths = {row.shape[1] for row in rows}
    if len(lengths) > 1:
        msg = f"signals of one record must be equally long; got {sorted(lengths)} samples in {header.name}. "
        msg += "State the number in the header."
        raise FormatError(msg)
    return rows


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


def _beyond(header: Header) -> str:
    """Say what a record has that this reader leaves to the wfdb package; empty if nothing."""
    for signal in header.signals:
        if signal.format not in _FORMATS:
            return f"signal format {signal.format}"
        if signal.samples_per_frame > 1:
            return f"{signal.samples_per_frame} samples per frame"
        if signal.skew:
            return "skewed signals"
    files = [file for file, _ in groupby(header.signals, key=lambda s: (s.file, s.format, s.offset))]
    if len({file for file, *_ in files}) < len(files):
        return "one file in several formats"
    return ""


def _read_by_wfdb(path: Path, header: Header, *, why: str) -> Recording:
    """Read what is beyond this reader with the wfdb package."""
    try:
        import wfdb
    except ImportError:
        msg = f"reading {path.name} ({why}) needs the wfdb package; got none. Run: pip install 'twelvelead[wfdb]'"
        raise MissingExtra(msg) from None
    for file, signals in groupby(header.signals, key=lambda s: s.file):
        _check_size(path, file, signals=tuple(signals), n_samples=header.n_samples or 0)
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


def _check_size(header: Path, file: str, *, signals: tuple[Signal, ...], n_samples: int) -> None:
    """Refuse a file that can't hold what its header claims: the wfdb package would make samples up."""
    present = _inside(header, file).stat().st_size - signals[0].offset
    wanted = sum(n_samples * s.samples_per_frame * _LEAST_BITS[s.format] for s in signals) // 8
    if present < wanted:
        msg = f"{file} must have at least {wanted:.0f} bytes of samples; got {max(present, 0)} in record "
        msg += f"{header.stem!r}. The file is cut short: copy it again."
        raise FormatError(msg)


def _decode_16(raw: NDArray[np.uint8], _n: int) -> Samples:
    return raw.view("<i2")


def _decode_24(raw: NDArray[np.uint8], _n: int) -> Samples:
    low, middle, high = (raw[k::3].astype(np.int32) for k in range(3))
    return (low | middle << 8 | high << 16) - ((high & 0x80) << 17)


def _decode_32(raw: NDArray[np.uint8], _n: int) -> Samples:
    return raw.view("<i4")


def _decode_80(raw: NDArray[np.uint8], _n: int) -> Samples:
    return raw.astype(np.int16) - 128


def _decode_212(raw: NDArray[np.uint8], n: int) -> Samples:
    """Two 12-bit samples in three bytes; an odd last sample takes two bytes."""
    padded = np.zeros((n + 1) // 2 * 3, dtype=np.int16)
    padded[: raw.size] = raw
    low, middle, high = padded[0::3], padded[1::3], padded[2::3]
    out = np.empty((n + 1) // 2 * 2, dtype=np.int16)
    out[0::2] = low | (middle & 0x0F) << 8
    out[1::2] = high | (middle & 0xF0) << 4
    out[out > 2047] -= 4096
    return out[:n]


_BITS = {16: 16, 24: 24, 32: 32, 80: 8, 212: 12}
# With the formats left to the wfdb package. The last three are compressed without loss: no live signal beyond 1:16.
_LEAST_BITS = _BITS | {8: 8, 61: 16, 160: 16, 310: 32 / 3, 311: 32 / 3, 508: 0.5, 516: 1.0, 524: 1.5}
_FORMATS.update(
    {
        16: (lambda n: 2 * n, _decode_16, -(2**15)),
        24: (lambda n: 3 * n, _decode_24, -(2**23)),
        32: (lambda n: 4 * n, _decode_32, -(2**31)),
        80: (lambda n: n, _decode_80, -128),
        212: (lambda n: (3 * n + 1) // 2, _decode_212, -2048),
    }
)
