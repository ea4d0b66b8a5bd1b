"""The header of EDF, EDF+, BDF and BDF+: who, when, and how the samples of each signal are stored."""

import math
import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from twelvelead.io.formats.metadata import Patient, age_at, sex_of
from twelvelead.io.formats.scale import MV_PER
from twelvelead.terms import FormatError

FIXED = 256
"""Bytes of the header's first part, and of what it says of each signal."""

_MARKS = {b"0       ": 2, b"\xffBIOSEMI": 3}
_WIDTHS = (("label", 16), ("transducer", 80), ("dimension", 8), ("physical_min", 8), ("physical_max", 8),
           ("digital_min", 8), ("digital_max", 8), ("prefiltering", 80), ("n_samples", 8),
           ("reserved", 32))  # fmt: skip
_HIGHEST_MV = 1e6
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_UNKNOWN = ("", "X")
_ANNOTATIONS = ("EDF Annotations", "BDF Annotations")


@dataclass(frozen=True)
class Signal:
    """One signal of a data record.

    Parameters
    ----------
    label, dimension, prefiltering : str
        As written.
    n_samples : int
        In each data record.
    first : int
        Where its samples begin within a data record, as a number of samples.
    scale, offset : float
        mV per step, and mV at step 0; 0 where the signal is no voltage.
    """

    label: str
    dimension: str
    prefiltering: str
    n_samples: int
    first: int
    scale: float
    offset: float

    @property
    def is_annotation(self) -> bool:
        """Whether it holds times and texts instead of samples."""
        return self.label in _ANNOTATIONS


@dataclass(frozen=True)
class Header:
    """What a file says of itself.

    Parameters
    ----------
    kind : str
        EDF, EDF+C, EDF+D, BDF, BDF+C or BDF+D; C is continuous, D is not.
    size : int
        Bytes of the header.
    width : int
        Bytes of a sample, 2 or 3.
    n_records : int
        Data records; −1 if the file was not finished.
    record_s : float
        Duration of a data record, s.
    record_bytes : int
        Bytes of a data record.
    signals : tuple of Signal
        In the order of the file.
    patient : Patient
        Age at the recording.
    device : str
        Equipment, where the file says it as EDF+ does.
    started : datetime or None
        Of the first data record, to the second; None if it is unknown or was removed.
    """

    kind: str
    size: int
    width: int
    n_records: int
    record_s: float
    record_bytes: int
    signals: tuple[Signal, ...]
    patient: Patient
    device: str
    started: datetime | None


def is_edf(head: bytes) -> bool:
    """Whether bytes begin a header: its mark, its size and the number of signals."""
    return (
        head[:8] in _MARKS
        and len(head) >= FIXED
        and head[184:192].strip().isdigit()
        and head[252:256].strip().isdigit()
    )


def read_header(path: Path) -> Header:
    """Read the header of a file.

    Raises
    ------
    FormatError
        If a field is not what it must be, or the header is cut short.
    """
    with path.open("rb") as file:
        fixed = file.read(FIXED)
        if not is_edf(fixed):
            msg = (
                f"an EDF file must begin with its version and sizes; got {fixed[:8]!r} in {path.name}. Check the file."
            )
            raise FormatError(msg)
        n_signals = _whole(fixed, 252, 4, "the number of signals", path)
        size = _whole(fixed, 184, 8, "the size of the header", path)
        if n_signals < 1 or size != FIXED * (n_signals + 1):
            msg = f"a header must have 256 bytes and 256 more per signal; got {size} bytes for {n_signals} signals in "
            msg += f"{path.name}. Check the file."
            raise FormatError(msg)
        rest = file.read(FIXED * n_signals)
    if len(rest) < FIXED * n_signals:
        msg = (
            f"a header must have {size} bytes; got {FIXED + len(rest)} in {path.name}. The file is cut short: copy it "
        )
        msg += "again."
        raise FormatError(msg)
    signals = _read_signals(rest, n_signals, path)
    width = _MARKS[fixed[:8]]
    kind = _text(fixed, 192, 44)[:5]
    is_plus = kind[:4] in ("EDF+", "BDF+")
    started, device = _when(fixed)
    return Header(
        kind=kind if is_plus else "EDF" if width == 2 else "BDF",
        size=size,
        width=width,
        n_records=_whole(fixed, 236, 8, "the number of data records", path),
        record_s=_number(fixed, 244, 8, "the duration of a data record", path),
        record_bytes=width * sum(signal.n_samples for signal in signals),
        signals=signals,
        patient=_patient(_text(fixed, 8, 80), started, is_plus=is_plus),
        device=device,
        started=started,
    )


def _read_signals(rest: bytes, n_signals: int, path: Path) -> tuple[Signal, ...]:
    """Read what the header says of each signal: field by field, the signals side by side."""
    at, columns = 0, {}
    for name, width in _WIDTHS:
        columns[name] = [at + width * n for n in range(n_signals)]
        at += width * n_signals
    widths = dict(_WIDTHS)
    signals, first = [], 0
    for n in range(n_signals):
        label, dimension, prefiltering = (
            _text(rest, columns[name][n], widths[name]) for name in ("label", "dimension", "prefiltering")
        )
        where = f"{label[:16]!r}"
        n_samples = _whole(rest, columns["n_samples"][n], 8, f"the samples per record of {where}", path)
        if n_samples < 0:
            msg = (
                f"a signal must have 0 samples per record or more; got {n_samples} of {where} in {path.name}. Mend it."
            )
            raise FormatError(msg)
        factor = MV_PER.get(dimension.lower())
        limits = [columns[name][n] for name in ("physical_min", "physical_max", "digital_min", "digital_max")]
        scale, offset = (0.0, 0.0) if factor is None else _calibrate(rest, limits, factor, where=where, path=path)
        signals.append(Signal(label, dimension, prefiltering, n_samples, first, scale, offset))
        first += n_samples
    return tuple(signals)


def _calibrate(rest: bytes, limits: list[int], factor: float, *, where: str, path: Path) -> tuple[float, float]:
    """Compute mV per step and mV at step 0 from two points that the header gives."""
    low, high, first, last = (_number(rest, at, 8, f"a limit of {where}", path) for at in limits)
    if first >= last or low == high or max(abs(low), abs(high)) * factor > _HIGHEST_MV:
        msg = "a signal's limits must differ and be voltages, the digital ones in order; "
        msg += f"got {low:g} to {high:g} for steps {first:g} to {last:g} of {where} in {path.name}. Mend the header."
        raise FormatError(msg)
    gain = (high - low) / (last - first)
    return gain * factor, (low - gain * first) * factor


def _when(fixed: bytes) -> tuple[datetime | None, str]:
    """Find when the recording began, and by what device."""
    clock = re.fullmatch(r"(\d\d)[.:](\d\d)[.:](\d\d)", _text(fixed, 176, 8))
    short = re.fullmatch(r"(\d\d)[.:/](\d\d)[.:/](\d\d)", _text(fixed, 168, 8))
    day = _day(short[1], short[2], str(int(short[3]) + (1900 if int(short[3]) >= 85 else 2000))) if short else None
    device = ""
    said = _text(fixed, 88, 80).split()
    if said[:1] == ["Startdate"]:
        day = _plus_day(said[1]) if len(said) > 1 else None
        device = " ".join(_plain(part) for part in said[4:] if part not in _UNKNOWN)
    if day is None or clock is None:
        return None, device
    try:
        return datetime(day.year, day.month, day.day, int(clock[1]), int(clock[2]), int(clock[3])), device
    except ValueError:
        return None, device


def _patient(said: str, started: datetime | None, *, is_plus: bool) -> Patient:
    """Read whom it is of: code, sex, date of birth and name in EDF+, free text otherwise."""
    if not is_plus:
        return Patient(name="" if set(said.split()) <= {"X"} else said)
    code, sex, born, name = [*said.split(), "", "", "", ""][:4]
    birth = _plus_day(born)
    return Patient(
        sex=sex_of(sex),
        age_years=age_at(birth, started),
        id="" if code in _UNKNOWN else _plain(code),
        name="" if name in _UNKNOWN else _plain(name),
        born=birth,
    )


def _plain(part: str) -> str:
    return part.replace("_", " ")


def _plus_day(text: str) -> date | None:
    """Read a date such as 02-AUG-1951."""
    found = re.fullmatch(r"(\d\d?)-([A-Za-z]{3})-(\d{4})", text)
    if not found or found[2].upper() not in _MONTHS:
        return None
    return _day(found[1], str(_MONTHS.index(found[2].upper()) + 1), found[3])


def _day(day: str, month: str, year: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _text(content: bytes, at: int, width: int) -> str:
    return content[at : at + width].decode("latin-1").replace("\0", " ").strip()


def _number(content: bytes, at: int, width: int, what: str, path: Path) -> float:
    written = _text(content, at, width)
    try:
        number = float(written.replace(",", ".")) if "_" not in written else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        msg = f"{what} must be a number; got {written!r} in the header of {path.name}. Mend the header."
        raise FormatError(msg)
    return number


def _whole(content: bytes, at: int, width: int, what: str, path: Path) -> int:
    number = _number(content, at, width, what, path)
    if number != int(number):
        msg = f"{what} must be a whole number; got {number} in the header of {path.name}. Mend the header."
        raise FormatError(msg)
    return int(number)
