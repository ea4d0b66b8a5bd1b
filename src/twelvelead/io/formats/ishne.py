"""ISHNE Holter, the standard output file of 24-hour recorders (Badilini, Ann Noninvasive Electrocardiol 1998;3:263)."""

import struct
from binascii import crc_hqx
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

import numpy as np

from twelvelead.io.formats.metadata import Patient, Provenance, age_at, sex_of
from twelvelead.io.formats.scale import Declaration
from twelvelead.io.formats.source import Source, later
from twelvelead.signal import Recording, distinct_names
from twelvelead.terms import FormatError

MAGIC = b"ISHNE1.0"
_HEADER = 522  # bytes up to the block of variable length
_MOST_LEADS = 12
_MISSING = -32768  # an electrode had come off
_LEADS = ("", "", "X", "Y", "Z", "I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6",
          "ES", "AS", "AI")  # fmt: skip
"""Names by number; 0 is unknown, and 1 is bipolar without saying from where."""


@dataclass(frozen=True)
class _Layout:
    """Where the samples lie, and what a step of each lead is."""

    path: Path
    offset: int
    leads: tuple[str, ...]
    step_mv: tuple[float, ...]
    fs: float
    start: datetime | None


def recognise_ishne(head: bytes, path: Path) -> bool:
    """Whether a file is an ISHNE Holter recording."""
    del path
    return head.startswith(MAGIC)


def open_ishne(path: Path, declaration: Declaration) -> Source:
    """Open an ISHNE recording: read its header. Samples are read as far as a span asks for.

    Parameters
    ----------
    path : Path
        The file.
    declaration : Declaration
        Not needed: the header says all.

    Returns
    -------
    Source
        Of a recording in mV; NaN where an electrode had come off.

    Raises
    ------
    FormatError
        If the file is cut short, the header has another checksum, or says what can't be.

    Notes
    -----
    The header gives the number of samples; most files mean samples per lead, some those of all leads together. A file
    that has just as many bytes as the second reading asks for is read so, any other in the first.
    """
    del declaration
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEADER)
        if len(head) < _HEADER:
            raise _refusal(path, 0, f"have a header of {_HEADER} bytes", f"{len(head)}")
        n_variable, _, _, offset = struct.unpack_from("<4i", head, 10)
        if not (n_variable >= 0 and _HEADER + n_variable <= offset <= size):
            said = f"a variable block of {n_variable} bytes and samples from byte {offset} of {size}"
            raise _refusal(path, 10, "have its samples after its header, within the file", said)
        crc = _crc(head[10:] + file.read(min(n_variable, size)))
    notes = _check_crc(head, crc, path)
    leads, steps = _read_leads(head, path)
    (fs,) = struct.unpack_from("<h", head, 272)
    if fs < 1:
        raise _refusal(path, 272, "have a sampling rate of 1 Hz or more", f"{fs}")
    n_samples, amiss = _count_samples(head, size - offset, len(leads), path)
    start = _moment(struct.unpack_from("<3h", head, 138), struct.unpack_from("<3h", head, 150))
    layout = _Layout(path, offset, leads, steps, float(fs), start)

    def span(first: int, stop: int) -> Recording:
        return _read_span(layout, first, stop)

    provenance = Provenance(
        version=f"1.0, file {struct.unpack_from('<h', head, 26)[0]}",
        device=_text(head[232:272]),
        recorded_at=start,
    )
    patient = _read_patient(head, start)
    return Source(
        float(fs), n_samples, span, provenance=provenance, patient=patient, step_mv=steps, notes=(*notes, *amiss)
    )


def _read_span(layout: _Layout, first: int, stop: int) -> Recording:
    """Read the samples from `first` up to `stop`, which lie lead by lead within a moment, as 16-bit integers."""
    n_leads = len(layout.leads)
    raw = np.fromfile(
        layout.path, dtype="<i2", count=(stop - first) * n_leads, offset=layout.offset + 2 * first * n_leads
    )
    if len(raw) < (stop - first) * n_leads:
        what = f"have {(stop - first) * n_leads} samples from sample {first} on"
        raise _refusal(layout.path, layout.offset, what, f"{len(raw)}")
    steps = raw.reshape(-1, n_leads)
    signal = steps * np.array(layout.step_mv, dtype=np.float32)
    signal[steps == _MISSING] = np.nan
    signal.setflags(write=False)
    return Recording(signal.T, layout.leads, layout.fs, layout.path.stem, later(layout.start, first / layout.fs))


def _crc(content: bytes) -> int:
    """Compute the CRC-CCITT: polynomial 0x1021, start 0xFFFF."""
    return crc_hqx(content, 0xFFFF)


def _check_crc(head: bytes, actual: int, path: Path) -> tuple[str, ...]:
    """Compare the checksum of the header, which the scale of the samples depends on; 0 stands for none."""
    (said,) = struct.unpack_from("<H", head, 8)
    if said == actual:
        return ()
    if said == 0:
        return ("the header has no checksum",)
    raise _refusal(path, 8, f"have the checksum of its header, {actual:#06x}", f"{said:#06x}")


def _read_leads(head: bytes, path: Path) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Read names, and mV per step."""
    (count,) = struct.unpack_from("<h", head, 156)
    if not 1 <= count <= _MOST_LEADS:
        raise _refusal(path, 156, f"have 1 to {_MOST_LEADS} leads", f"{count}")
    numbers, steps = struct.unpack_from(f"<{count}h", head, 158), struct.unpack_from(f"<{count}h", head, 206)
    names: list[str] = []
    for place, (number, step) in enumerate(zip(numbers, steps, strict=True), start=1):
        if step < 1:
            raise _refusal(path, 204 + 2 * place, "have 1 nV or more per step of each lead", f"{step}")
        names.append((_LEADS[number] if 0 <= number < len(_LEADS) else "") or f"lead {place}")
    return distinct_names(names), tuple(step / 1e6 for step in steps)


def _count_samples(head: bytes, present: int, n_leads: int, path: Path) -> tuple[int, tuple[str, ...]]:
    """Count the samples per lead, and say what is amiss with the number."""
    (said,) = struct.unpack_from("<i", head, 14)
    wanted = 2 * n_leads * said
    if n_leads > 1 and said % n_leads == 0 and present == 2 * said > 0:
        return said // n_leads, (f"the header's {said} samples are those of all leads together",)
    if not 0 < wanted <= present:
        what = f"hold the {said} samples of {n_leads} leads that its header says, {wanted} bytes"
        raise _refusal(path, 14, what, f"{present} bytes")
    return said, (f"{present - wanted} bytes follow the samples",) if present > wanted else ()


def _read_patient(head: bytes, start: datetime | None) -> Patient:
    day, month, year = struct.unpack_from("<3h", head, 132)
    born = _day(day, month, year)
    names = (_text(head[68:108]), _text(head[28:68]))
    return Patient(
        sex=sex_of(str(struct.unpack_from("<h", head, 128)[0])),
        age_years=age_at(born, start),
        id=_text(head[108:128]),
        name=", ".join(filter(None, names)),
        born=born,
    )


def _moment(days: tuple[int, int, int], clock: tuple[int, int, int]) -> datetime | None:
    """Put day, month, year and hour, minute, second together; None where they are no day, such as −9."""
    day = _day(*days)
    if day is None:
        return None
    try:
        return datetime.combine(day, time(*clock))
    except ValueError:
        return datetime.combine(day, time())


def _day(day: int, month: int, year: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("latin-1").strip()


def _refusal(path: Path, at: int, what: str, got: str) -> FormatError:
    return FormatError(f"{path.name} must {what}; got {got}, at byte {at}. Copy the file again, or export it again.")
