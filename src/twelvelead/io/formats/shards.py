"""Shards: the project's own store of waveforms, for training and repeated reading.

A folder with three kinds of files:

`index.parquet`
    One row per recording: where its samples lie, what they mean, and what its first file said (`INDEX`).
`signals-00000.int16`, …
    Little-endian 16-bit integers, recording after recording, each sample by sample with its leads side by side. The
    amplitude in mV is (integer + zero) × step_mv of the lead; −32768 is a missing sample.

`index.sha256`
    The SHA-256 of the index, as `sha256sum` writes it. It is written last: without it there is nothing to read.

Parquet packs and compresses its columns, so that it can't be mapped into memory as an array; hence the signals lie
beside the table, where `np.memmap` or any language reads them. A library for Parquet may end the whole process over a
damaged file; hence the index is compared with its SHA-256 before it is parsed. A device's median beat is not kept.
"""

import hashlib
import math
import os
import re
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.io.formats.metadata import Machine, Patient, Provenance
from twelvelead.io.formats.scale import Declaration
from twelvelead.io.formats.source import Source, later
from twelvelead.io.formats.steps import LARGEST_MV, SMALLEST_STEP_MV
from twelvelead.io.formats.wfdb_samples import to_physical
from twelvelead.signal import Recording
from twelvelead.terms import Column, Contract, ContractError, FormatError, InputError

NAME, SUM = "index.parquet", "index.sha256"
MISSING = -32768
BYTES = 2  # of a sample
MOST_LEADS = 512
YEARS = (2, 9998)  # which the calendar reaches, whatever the time zone
LEAST_FS = 1e-3  # Hz; a span of a slower recording may begin beyond the calendar
_SUM = re.compile(r"([0-9a-f]{64})  index\.parquet\n")
_FILE = re.compile(r"signals-\d{5,9}\.int16")
_MEASUREMENT = pl.Struct({"name": pl.String, "value": pl.Float64})

INDEX = Contract(
    "shard index",
    ("recording_id",),
    (
        Column("recording_id", pl.String, "Recording."),
        Column("file", pl.String, "Signal file, in the folder of the index."),
        Column("first", pl.Int64, "Number of the recording's first integer in the signal file."),
        Column("n_samples", pl.Int64, "Samples per lead."),
        Column("fs", pl.Float64, "Sampling frequency.", "Hz"),
        Column("leads", pl.List(pl.String), "Leads, in the order of their samples."),
        Column("step_mv", pl.List(pl.Float64), "Amplitude of one step of each lead.", "mV"),
        Column("zero", pl.List(pl.Int64), "Steps from 0 mV to integer 0 of each lead."),
        Column("exact", pl.Boolean, "Whether no sample was rounded."),
        Column("sha256", pl.String, "SHA-256 of the recording's bytes in the signal file."),
        Column("patient_id", pl.String, "Patient or pseudonym; empty if unknown."),
        Column("sex", pl.String, "female or male.", nullable=True),
        Column("age_years", pl.Float64, "Age when the ECG was recorded.", "a", nullable=True),
        Column("recorded_at", pl.Datetime("us"), "When the first sample was recorded.", nullable=True),
        Column("format", pl.String, "Format of the file that the recording came from."),
        Column("device", pl.String, "Manufacturer and model."),
        Column("software", pl.String, "Software of the device."),
        Column("high_pass_hz", pl.Float64, "Filter of the device.", "Hz", nullable=True),
        Column("low_pass_hz", pl.Float64, "Filter of the device.", "Hz", nullable=True),
        Column("notch_hz", pl.Float64, "Filter of the device.", "Hz", nullable=True),
        Column("statements", pl.List(pl.String), "What the device said."),
        Column("measurements", pl.List(_MEASUREMENT), "What the device measured, by names of the CATALOGUE."),
        Column("notes", pl.List(pl.String), "What was amiss with the file that the recording came from."),
    ),
)
"""The columns of `index.parquet`."""


@dataclass(frozen=True, eq=False)
class _Index:
    """An index in memory, and the row of each recording."""

    table: pl.DataFrame
    rows: dict[str, int]


@dataclass(frozen=True)
class _Place:
    """Where the samples of a recording lie, and how they become leads in mV."""

    path: Path
    first: int
    n_samples: int
    leads: tuple[str, ...]
    step_mv: tuple[float, ...]
    zero: tuple[int, ...]
    sha256: str


def recognise_shards(head: bytes, path: Path) -> bool:
    """Whether a file is the index of shards: a Parquet table called so, with its SHA-256 beside."""
    return head.startswith(b"PAR1") and path.name == NAME and path.with_name(SUM).is_file()


def shard_entries(path: Path) -> list[str]:
    """List the recordings of shards, in the order of their index.

    Raises
    ------
    FormatError
        If the index is damaged or lacks a column.
    """
    return list(_load(*_version(path)).rows)


def open_shards(path: Path, declaration: Declaration) -> Source:
    """Open one recording of shards.

    Parameters
    ----------
    path : Path
        The index.
    declaration : Declaration
        Whose `entry` is the recording's id.

    Returns
    -------
    Source
        The id of its recording is the entry. Samples are read through a memory map, spans by themselves; a recording
        that is read whole is compared with its SHA-256. Where the index says exact, samples are those of the first
        file but for float32's last digit.

    Raises
    ------
    InputError
        If there is no recording of that id.
    FormatError
        If the index is damaged, or says what can't be. What is wrong with the signal file shows when a span is read.
    """
    index = _load(*_version(path))
    entry = declaration.entry or ""
    if entry not in index.rows:
        msg = f"an entry must name one of the {len(index.rows)} recordings; got {entry!r} in {path.name}. "
        msg += "Look into the column recording_id."
        raise InputError(msg)
    row = index.table.row(index.rows[entry], named=True)
    place = _place(row, path)
    recorded_at = row["recorded_at"]
    span = partial(_read_span, place=place, fs=row["fs"], start=recorded_at, recording_id=entry)
    measured = {m["name"]: m["value"] for m in row["measurements"] if m["name"] is not None and m["value"] is not None}
    return Source(
        row["fs"],
        place.n_samples,
        span,
        machine=Machine(measured, tuple(filter(None, row["statements"]))),
        provenance=Provenance(
            device=row["device"],
            software=row["software"],
            recorded_at=recorded_at,
            high_pass_hz=row["high_pass_hz"],
            low_pass_hz=row["low_pass_hz"],
            notch_hz=row["notch_hz"],
        ),
        patient=Patient(row["sex"], row["age_years"], id=row["patient_id"]),
        step_mv=place.step_mv,
        notes=tuple(filter(None, row["notes"])),
    )


def _version(path: Path) -> tuple[str, int, int]:
    """Tell versions of a file apart, so that one is read once."""
    stat = path.stat()
    return os.fspath(path), stat.st_size, stat.st_mtime_ns


@lru_cache(maxsize=8)
def _load(path: str, _size: int, _mtime: int) -> _Index:
    name = Path(path).name
    content = Path(path).read_bytes()
    with Path(path).with_name(SUM).open("rb") as file:
        said = _SUM.fullmatch(file.read(100).decode("latin-1"))
    if said is None or hashlib.sha256(content).hexdigest() != said[1]:
        msg = f"{name} must have the SHA-256 that {SUM} says; got another. A file was changed: copy both again."
        raise FormatError(msg)
    try:
        table = INDEX.check(pl.read_parquet(content, columns=[column.name for column in INDEX.columns]))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ContractError) as error:
        msg = f"{name} must be a whole index of shards; got {str(error).splitlines()[0]}. Convert the recordings again."
        raise FormatError(msg) from error
    odd = table.filter(~pl.col("recorded_at").dt.year().is_between(*YEARS))
    if odd.height:
        msg = f"recordings must be made between {YEARS[0]} and {YEARS[1]}; got {odd['recorded_at'].dt.year()[0]} in "
        msg += f"{name}, recording {odd['recording_id'][0]!r}. Convert the recordings again."
        raise FormatError(msg)
    return _Index(table, {name: n for n, name in enumerate(table["recording_id"])})


def _place(row: dict[str, Any], path: Path) -> _Place:
    """Check what an index says of a recording's samples."""
    leads, steps, zeros = tuple(row["leads"]), tuple(row["step_mv"]), tuple(row["zero"])
    wrong = ""
    if not _FILE.fullmatch(row["file"]):
        wrong = f"a signal file must be called as in signals-00000.int16; got {row['file']!r}"
    elif row["first"] < 0 or row["n_samples"] < 0:
        wrong = f"samples must begin at 0 or later; got {row['n_samples']} from {row['first']}"
    elif not LEAST_FS <= row["fs"] < math.inf:
        wrong = f"fs must be a positive number of Hz; got {row['fs']}"
    elif None in leads or not 0 < len(set(leads)) == len(leads) <= MOST_LEADS:
        wrong = f"leads must be named and differ; got {str(leads)[:80]}"
    elif not len(steps) == len(zeros) == len(leads):
        wrong = f"each of {len(leads)} leads must have its step and zero; got {len(steps)} and {len(zeros)}"
    elif None in zeros or not all(step is not None and SMALLEST_STEP_MV <= step <= LARGEST_MV for step in steps):
        wrong = f"steps must be positive amplitudes in mV; got {str(steps)[:80]}"
    if wrong:
        msg = f"{wrong}, for recording {row['recording_id']!r} of {path.name}. Convert the recordings again."
        raise FormatError(msg)
    return _Place(path.parent / row["file"], row["first"], row["n_samples"], leads, steps, zeros, row["sha256"])


def _read_span(first: int, stop: int, *, place: _Place, fs: float, start: Any, recording_id: str) -> Recording:  # noqa: ANN401 - datetime or None
    """Read the samples from `first` up to `stop`."""
    width = len(place.leads)
    begin, end = place.first + first * width, place.first + stop * width
    signals = _map(place, recording_id)
    samples = np.array(signals[begin:end])
    if (first, stop) == (0, place.n_samples) and hashlib.sha256(samples.data).hexdigest() != place.sha256:
        msg = f"samples must have the SHA-256 of the index; got others for recording {recording_id!r} in "
        msg += f"{place.path.name} from byte {begin * BYTES}. The file was changed: copy it again."
        raise FormatError(msg)
    signal, _ = to_physical(
        samples.reshape(-1, width),
        scale=np.array(place.step_mv),
        baseline=-np.array(place.zero, dtype=np.float64),
        missing=MISSING,
    )
    signal.setflags(write=False)
    return Recording(signal.T, place.leads, fs, recording_id, later(start, first / fs))


def _map(place: _Place, recording_id: str) -> NDArray[np.int16]:
    """Map the signal file of a recording, which must hold all its samples."""
    wanted = (place.first + place.n_samples * len(place.leads)) * BYTES
    try:
        if place.path.is_symlink() and place.path.resolve().parent != place.path.parent.resolve():
            msg = f"a signal file must lie beside its index; got a link out of the folder for {place.path.name}. "
            msg += "Copy the file there."
            raise FormatError(msg)
        version = _version(place.path)
    except FileNotFoundError:
        version = "", 0, 0
    if version[1] < wanted:
        msg = f"{place.path.name} must have {wanted} bytes or more; got {version[1]} for recording {recording_id!r}. "
        msg += "The file is cut short or absent: copy it again."
        raise FormatError(msg)
    return _mapped(*version) if wanted else np.empty(0, dtype="<i2")


@lru_cache(maxsize=128)  # each holds a file open
def _mapped(path: str, size: int, _mtime: int) -> NDArray[np.int16]:
    mapped: NDArray[np.int16] = np.asarray(np.memmap(path, dtype="<i2", mode="r", shape=(size // BYTES,)))
    return mapped
