"""Samples of an SCP-ECG record (EN 1064): leads, beats, the reference beat and the rhythm of sections 3 to 6."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twelvelead.io.formats.scp_huffman import Codes, read_codes
from twelvelead.io.formats.scp_restore import add_beat, count_stored, restore
from twelvelead.io.formats.scp_sections import Record, Section
from twelvelead.terms import FormatError

_MOST_SAMPLES = 8_000_000  # of all leads together: 22 minutes of twelve leads at 500 Hz; a lead has 65,535 bytes
_SPARE = 4  # bytes left over after a lead's samples from which on they are told

_CHEST = [f"V{n}" for n in range(1, 8)]
_LEADS = ["", "I", "II", *_CHEST, *(f"V{n}R" for n in range(2, 8)), "X", "Y", "Z", "CC5", "CM5", "LA", "RA", "LL"]
_LEADS += [f"f{electrode}" for electrode in "IECAMFH"]
_LEADS += [f"d{lead}" for lead in _LEADS[1:]]
_LEADS += ["III", "aVR", "aVL", "aVF", "-aVR", "V8", "V9", "V8R", "V9R", "D", "A", "J"]


@dataclass(frozen=True)
class Lead:
    """One lead of section 3: its name, and its first and last sample, counted from 1 at the full rate."""

    name: str
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class Beats:
    """What section 4 says of the beats.

    Parameters
    ----------
    length_ms, fiducial : int
        Length of the reference beat in ms, and its fiducial sample, counted from 1.
    zones : ndarray of int64, shape (n_beats, 4)
        Type, first sample, fiducial sample and last sample of the zones from which the reference beat was subtracted.
        Type 0 is that of the reference beat.
    protected : ndarray of int64, shape (n_beats, 2)
        First and last sample of what was not decimated.
    """

    length_ms: int
    fiducial: int
    zones: NDArray[np.int64]
    protected: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Beat:
    """The reference beat of section 5, shape (n_samples, n_leads) in mV, with its sampling interval in µs."""

    samples: NDArray[np.float64]
    interval_us: int


@dataclass(frozen=True, eq=False)
class Rhythm:
    """The signal.

    Parameters
    ----------
    leads : tuple of str
        Their names as section 3 has them.
    fs : float
        Sampling frequency in Hz.
    signal : ndarray of float32, shape (n_samples, n_leads)
        In mV; NaN where a lead was not recorded.
    step_mv : float
        mV per step.
    beat : Beat or None
        The reference beat.
    notes : tuple of str
        What is amiss.
    """

    leads: tuple[str, ...]
    fs: float
    signal: NDArray[np.float32]
    step_mv: float
    beat: Beat | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Block:
    """The head of section 5 or 6."""

    section: Section
    nv: int
    interval_us: int
    encoding: int
    bimodal: bool
    data: tuple[bytes, ...]


def read_rhythm(record: Record, *, file: str) -> Rhythm:
    """Decode the signal.

    Raises
    ------
    FormatError
        If a section is missing or contradicts another one, or a lead has fewer samples than it should.

    Notes
    -----
    Differences of the first or second order begin with one or two plain samples and are summed in 16 bits, as samples
    are stored. Where the rhythm was decimated, or the reference beat was subtracted, see `scp_restore`; the full rate
    is then that of the reference beat.
    """
    leads, subtracted = _read_leads(record.require(3, why="leads", file=file))
    block = _read_block(record.require(6, why="rhythm", file=file), len(leads))
    codes = read_codes(record.sections[2]) if 2 in record.sections else None
    incomplete = block.bimodal or subtracted
    beats, beat, notes = _read_reference(record, codes, len(leads), needed=incomplete)
    factor = 1
    if incomplete:
        if beat is None:
            there = ", ".join(map(str, record.sections))
            msg = "a decimated rhythm, or one without its reference beat, must come with sections 4 and 5, and the "
            msg += f"beat's length; got sections {there} in {file}. Export the record again."
            raise FormatError(msg)
        factor = _factor(block, beat)
    fs = 1e6 * factor / block.interval_us
    _check_room(leads, block, factor)
    start = min(lead.first for lead in leads)
    n_samples = max(lead.last for lead in leads) - start + 1
    kept = _protected(beats, start, n_samples) if factor > 1 else np.ones(n_samples, dtype=np.bool_)
    _check_zones(beats, n_samples, file=file)
    signal = np.full((n_samples, len(leads)), np.nan, dtype=np.float32)
    for n, (lead, data) in enumerate(zip(leads, block.data, strict=True)):
        at = slice(lead.first - start, lead.last - start + 1)
        stored, spare = _decode(block, data, count_stored(kept[at], factor), codes, what=f"lead {lead.name or n + 1}")
        if spare >= _SPARE:
            notes.append(f"{spare} bytes follow the samples of lead {lead.name or n + 1}")
        samples = restore(stored, kept[at], factor) * (block.nv / 1e6)
        if subtracted and beat is not None:
            add_beat(samples, beat.samples[:, n], beats.zones, beats.fiducial, lead.first)
        signal[at, n] = samples
    signal.setflags(write=False)
    return Rhythm(tuple(lead.name for lead in leads), fs, signal, block.nv / 1e6, beat, tuple(notes))


def _read_leads(section: Section) -> tuple[list[Lead], bool]:
    """Read section 3: the leads, and whether the reference beat was subtracted."""
    count, flags = section.unpack("BB", 0)
    leads = []
    for n in range(count):
        first, last, number = section.unpack("IIB", 2 + 9 * n)
        if not 1 <= first <= last:
            msg = (
                f"{section.where(2 + 9 * n)} must give a lead's first sample, from 1 on, and its last one; got {first} "
            )
            msg += f"and {last}. Export the file again."
            raise FormatError(msg)
        name = _LEADS[number] if number < len(_LEADS) else f"lead {number}"
        leads.append(Lead(name, first, last))
    if not leads:
        msg = f"{section.where(0)} must name a lead; got none. Export the file again."
        raise FormatError(msg)
    return leads, bool(flags & 1)


def _read_reference(
    record: Record, codes: Codes | None, n_leads: int, *, needed: bool
) -> tuple[Beats, Beat | None, list[str]]:
    """Read sections 4 and 5; where the rhythm is whole without them, what is wrong with them is a note."""
    beats = Beats(0, 0, np.zeros((0, 4), dtype=np.int64), np.zeros((0, 2), dtype=np.int64))
    try:
        if 4 in record.sections:
            beats = _read_beats(record.sections[4], zones=needed)
        return beats, _read_beat(record, beats, codes, n_leads), []
    except FormatError as error:
        if needed:
            raise
        return beats, None, [f"the reference beat is left out: {error}"]


def _read_beats(section: Section, *, zones: bool) -> Beats:
    """Read section 4, with its zones or without.

    Protocol 1.0 and 1.1 have no areas of protection: the zones of subtraction stand for them.
    """
    length, fiducial, count = section.unpack("HHH", 0)
    count = count if zones else 0
    layout = np.dtype([("type", "<u2"), ("first", "<u4"), ("fiducial", "<u4"), ("last", "<u4")])
    raw = np.frombuffer(section.take(6, count * layout.itemsize), dtype=layout)
    found = np.stack([raw[name].astype(np.int64) for name in layout.names or ()], axis=1)
    at = 6 + raw.nbytes
    areas = found[:, [1, 3]]
    if count and len(section.data) >= at + 8 * count:
        areas = np.frombuffer(section.take(at, 8 * count), dtype="<u4").reshape(-1, 2).astype(np.int64)
    return Beats(length, fiducial, found, areas)


def _read_block(section: Section, n_leads: int) -> _Block:
    """Read the head of section 5 or 6, and cut the data of the leads apart."""
    nv, interval, encoding, bimodal = section.unpack("HHBB", 0)
    if not (nv and interval and encoding <= 2):
        msg = f"{section.where(0)} must give nV per step and µs per sample above 0 and differences of order 0, 1 or 2; "
        msg += f"got {nv}, {interval} and {encoding}. Export the file again."
        raise FormatError(msg)
    lengths = section.unpack(f"{n_leads}H", 6)
    data, at = [], 6 + 2 * n_leads
    for length in lengths:
        data.append(section.take(at, length))
        at += length
    return _Block(section, nv, interval, encoding, bool(bimodal & 1), tuple(data))


def _read_beat(record: Record, beats: Beats, codes: Codes | None, n_leads: int) -> Beat | None:
    """Decode the reference beat; None if there is none, or nothing says how long it is."""
    if 5 not in record.sections or not beats.length_ms:
        return None
    block = _read_block(record.sections[5], n_leads)
    count = beats.length_ms * 1000 // block.interval_us
    _refuse_many(count, n_leads, file=block.section.file)
    decoded = [_decode(block, d, count, codes, what=f"lead {n + 1}")[0] for n, d in enumerate(block.data)]
    samples: NDArray[np.float64] = np.stack(decoded, axis=1).astype(np.float64) * (block.nv / 1e6)
    return Beat(samples, block.interval_us)


def _factor(block: _Block, beat: Beat) -> int:
    """Say how many samples were made one outside the protected areas."""
    factor, rest = divmod(block.interval_us, beat.interval_us)
    if rest or not 1 <= factor <= 64:
        msg = f"{block.section.where(2)} must give an interval that is 1 to 64 times the reference beat's; got "
        msg += f"{block.interval_us} and {beat.interval_us} µs. Export the file again."
        raise FormatError(msg)
    return factor


def _check_room(leads: list[Lead], block: _Block, factor: int) -> None:
    """Refuse more samples than the bytes can hold, before there is memory asked for."""
    for n, (lead, data) in enumerate(zip(leads, block.data, strict=True)):
        if lead.last - lead.first + 1 > 8 * len(data) * factor:
            msg = f"{block.section.where(6 + 2 * n)} must hold {lead.last - lead.first + 1} samples of lead "
            msg += f"{lead.name or n + 1}; got {len(data)} bytes. Export the file again."
            raise FormatError(msg)
    span = max(lead.last for lead in leads) - min(lead.first for lead in leads) + 1
    _refuse_many(span, len(leads), file=block.section.file)


def _refuse_many(n_samples: int, n_leads: int, *, file: str) -> None:
    if n_samples * n_leads > _MOST_SAMPLES:
        msg = f"a record must have at most {_MOST_SAMPLES} samples; got {n_leads} leads over {n_samples} in {file}. "
        msg += "Export the file again."
        raise FormatError(msg)


def _check_zones(beats: Beats, n_samples: int, *, file: str) -> None:
    """Refuse zones that lie on one another: the reference beat is subtracted once from each beat."""
    zones = beats.zones[beats.zones[:, 0] == 0]
    covered = int(np.clip(zones[:, 3] - zones[:, 1] + 1, 0, n_samples).sum())
    if covered > 2 * n_samples:
        msg = f"zones of subtraction in section 4 must lie side by side; got {covered} samples of them for {n_samples} "
        msg += f"of the signal in {file}. Export the file again."
        raise FormatError(msg)


def _decode(block: _Block, data: bytes, count: int, codes: Codes | None, *, what: str) -> tuple[NDArray[np.int16], int]:
    """Decode the samples of a lead; also say how many bytes it has more."""
    if codes is None:
        raw = np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2")[:count]
        bits = 16 * len(raw)
    else:
        raw, bits = codes.decode(data, min(count, 8 * len(data)))
    if len(raw) < count:
        msg = (
            f"{what} in {block.section.where(0)} must have {count} samples; got {len(raw)} in {len(data)} bytes, up to "
        )
        msg += f"bit {bits}. Copy the file again, or export it again."
        raise FormatError(msg)
    return _integrate(raw, block.encoding), len(data) - (bits + 7) // 8


def _integrate(differences: NDArray[np.int16], order: int) -> NDArray[np.int16]:
    """Sum differences of order 0, 1 or 2; the first one or two are samples.

    Examples
    --------
    >>> _integrate(np.array([5, 1, -2], dtype=np.int16), 1)
    array([5, 6, 4], dtype=int16)
    >>> _integrate(np.array([5, 6, -3], dtype=np.int16), 2)
    array([5, 6, 4], dtype=int16)
    """
    sums = differences.astype(np.int64)
    if order == 2 and len(sums) > 1:
        sums[1] -= sums[0]
        sums[1:] = np.cumsum(sums[1:])
    if order:
        sums = np.cumsum(sums)
    return sums.astype(np.int16)  # in 16 bits, so that a difference beyond them, which wraps, comes out right


def _protected(beats: Beats, start: int, n_samples: int) -> NDArray[np.bool_]:
    """Mark the samples that were not decimated."""
    edges = np.zeros(n_samples + 1, dtype=np.int64)
    areas = beats.protected[(beats.protected[:, 0] >= 1) & (beats.protected[:, 0] <= beats.protected[:, 1])]
    np.add.at(edges, np.clip(areas[:, 0] - start, 0, n_samples), 1)
    np.add.at(edges, np.clip(areas[:, 1] - start + 1, 0, n_samples), -1)
    marks: NDArray[np.bool_] = np.cumsum(edges)[:-1] > 0
    return marks
