"""WFDB records that are left to the wfdb package: FLAC, formats 8, 61, 160, 310 and 311, skew, larger frames."""

import warnings
from pathlib import Path

import numpy as np

from twelvelead.io.formats.wfdb_files import inside
from twelvelead.io.formats.wfdb_header import Header
from twelvelead.io.formats.wfdb_samples import CODINGS
from twelvelead.signal import Recording
from twelvelead.terms import FormatError, MissingExtra

# Bits per sample. The last three are compressed without loss: no live signal beyond 1:16.
LEAST_BITS: dict[int, float] = {n: coding.bits for n, coding in CODINGS.items()}
LEAST_BITS |= {8: 8, 61: 16, 160: 16, 310: 32 / 3, 311: 32 / 3, 508: 0.5, 516: 1.0, 524: 1.5}


def read_by_package(path: Path, header: Header, kept: dict[int, tuple[str, float]], *, why: str) -> Recording:
    """Read what is beyond our own reader with the wfdb package, whole.

    Parameters
    ----------
    path : Path
        The header.
    header : Header
        What it says of all signals.
    kept : dict of int to (str, float)
        The signals that are wanted, by their number: lead name, and mV per physical unit.
    why : str
        What is beyond our own reader.

    Raises
    ------
    FormatError
        If a file can't hold what the header claims, or the package can't read it.
    MissingExtra
        If the package is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what the package itself imports
            import wfdb
    except ImportError:
        msg = f"reading {path.name} ({why}) needs the wfdb package; got none. Run: pip install 'twelvelead[formats]'"
        raise MissingExtra(msg) from None
    for file in dict.fromkeys(header.files[n] for n in kept):
        _check_size(path, file, header)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of missing samples, which become NaN
            record = wfdb.rdrecord(str(path.with_suffix("")), channels=list(kept))
    except Exception as error:  # that package raises whatever its parser trips over
        msg = f"{path.name} ({why}) must be readable by the wfdb package; got {type(error).__name__}: {error}. "
        msg += "Check the files."
        raise FormatError(msg) from error
    shape = (header.n_samples or record.sig_len, len(kept))
    if record.p_signal.shape != shape:  # its parser takes some broken headers for others
        msg = f"{path.name} ({why}) must give {shape[0]} samples of {shape[1]} signals; got {record.p_signal.shape}. "
        msg += "Check the header."
        raise FormatError(msg)
    scale = np.array([factor for _, factor in kept.values()])
    names = tuple(name for name, _ in kept.values())
    return Recording(record.p_signal.T * scale[:, None], names, header.fs, id=path.stem)


def _check_size(path: Path, file: str, header: Header) -> None:
    """Refuse a file that can't hold what its header claims: the wfdb package would make samples up."""
    signals = [s for s, name in zip(header.signals, header.files, strict=True) if name == file]
    present = inside(path, file)[1] - signals[0].offset
    n_samples = header.n_samples or 0
    wanted = sum(n_samples * s.samples_per_frame * LEAST_BITS[s.format] for s in signals) // 8
    if present < wanted or max(s.samples_per_frame for s in signals) > max(present, 0) * 16:
        msg = f"{file} must have at least {wanted:.0f} bytes of samples; got {max(present, 0)} in record "
        msg += f"{path.stem!r}. The file is cut short: copy it again."
        raise FormatError(msg)
    skew = max(s.skew for s in signals)
    if skew > max(n_samples, present * 16 // len(signals) if not n_samples else 0):
        msg = f"signals must be skewed by less than the record is long; got {skew} samples in {path.name}. "
        msg += "Mend the header."
        raise FormatError(msg)
