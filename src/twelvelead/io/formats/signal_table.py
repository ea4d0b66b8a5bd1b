"""Signal tables, CSV or Parquet: one column per lead, and perhaps the time."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from twelvelead.io.formats.csv_table import column_names, read_csv
from twelvelead.io.formats.scale import (
    MV_PER,
    NO_SIGNALS,
    SECONDS_PER,
    Declaration,
    declared,
    is_declared,
    to_source,
)
from twelvelead.io.formats.source import Source
from twelvelead.signal import lead_name
from twelvelead.terms import LEADS, FormatError, InputError

UNEVEN = 0.01  # share of the sampling interval by which time may jitter
MOST_COLUMNS = 1024
MOST_VALUES = 2**24  # that a table may hold however small its file is: 128 MB; runs of one value take next to nothing
VALUES_PER_BYTE = 4  # beyond

_UNIT = re.compile(
    r"(.*?)(?:\s*[\[(]\s*(?P<unit>[^\])]*?)\s*[\])]|[_/ ](?P<volt>[mu\u00b5\u03bc]?v))", re.IGNORECASE
)  # Lead II (mV), time [s], I_uV


def recognise_csv(head: bytes, path: Path) -> bool:
    """Whether a file is text whose first line names columns of signals, or that has a sidecar which names its leads."""
    if b"\0" in head or path.suffix.lower() == ".json":
        return False
    return _are_signals(column_names(head)) or is_declared(path)


def recognise_parquet(head: bytes, path: Path) -> bool:
    """Whether a file is a Parquet table with columns of signals, or with a sidecar that names its leads."""
    if not head.startswith(b"PAR1"):
        return False
    try:
        names = list(pl.read_parquet_schema(path))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        names = []
    return _are_signals(names) or is_declared(path)


def open_signal_table(path: Path, declaration: Declaration) -> Source:
    """Open a recording that is a CSV or Parquet table with one column per lead; it is read whole.

    Parameters
    ----------
    path : Path
        The table. A column of the time, evenly spaced, gives the sampling frequency: `time_s`, `time`, `t` or
        `time_ms`. Columns named as leads are the leads, unless others are declared; their names may tell the unit, as
        in `Lead II (mV)`, and so may a second line of a CSV.
    declaration : Declaration
        What the table does not say: fs without a time, and the unit. It outranks what the table says.

    Raises
    ------
    FormatError
        If the table can't be read, or holds something else than numbers.
    InputError
        If fs, leads or units is not declared.
    """
    with path.open("rb") as file:
        is_parquet = file.read(4) == b"PAR1"
    table = _read_parquet(path) if is_parquet else read_csv(path)
    units = {name: _unit(name) for name in table.columns}
    said = declared(path, declaration)
    time = next((name for name in table.columns if _plain(name) in SECONDS_PER), None)
    if said.fs is None and time is not None:
        said = replace(said, fs=_fs(table, time, path))
    signals = [name for name in table.columns if _plain(name) not in NO_SIGNALS]
    if said.leads is None:
        signals = [name for name in signals if _lead(name) in LEADS]
        said = replace(said, leads=tuple(_lead(name) for name in signals) or None)
    text = [name for name in signals if not table.schema[name].is_numeric()]
    if text:
        msg = f"signal columns must hold numbers; got {table.schema[text[0]]} in column {text[0]!r} of {path.name}. "
        msg += "Mend the column."
        raise FormatError(msg)
    own = [units[name] for name in signals] if said.units is None else []
    samples = table.select(pl.col(signals).cast(pl.Float64)).to_numpy()
    return to_source(samples, said, path=path, units=own if own and all(own) else ())


def _read_parquet(path: Path) -> pl.DataFrame:
    """Read the columns that hold numbers, if they can't be many more than the file has bytes."""
    try:
        lazy = pl.scan_parquet(path, glob=False)
        names = [name for name, dtype in lazy.collect_schema().items() if dtype.is_numeric() or _lead(name) in LEADS]
        values = int(lazy.select(pl.len()).collect().item()) * len(names)
        if len(names) > MOST_COLUMNS or values > max(MOST_VALUES, VALUES_PER_BYTE * path.stat().st_size):
            msg = f"a signal table must hold at most {MOST_COLUMNS} columns and {VALUES_PER_BYTE} values per byte; "
            msg += f"got {len(names)} columns and {values} values in {path.name}. Check it."
            raise FormatError(msg)
        return lazy.select(names).collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        msg = f"{path.name} must be a readable Parquet table; got {str(error).partition(chr(10))[0]}. Write it again."
        raise FormatError(msg) from error


def _fs(table: pl.DataFrame, time: str, path: Path) -> float | None:
    """Find the sampling frequency in Hz from evenly spaced times; None with less than two."""
    if table.height < 2:
        return None
    told = {"s": 1.0, "ms": 1e-3}.get(_unit(time))
    seconds = SECONDS_PER[_plain(time)] if told is None else told
    steps = np.diff(table[time].cast(pl.Float64, strict=False).to_numpy()) * seconds
    step = float(np.median(steps))
    if not step > 0 or not np.all(np.abs(steps - step) <= UNEVEN * step + 1e-6):
        msg = f"{time} must rise in equal steps; got steps from {steps.min():.6f} to {steps.max():.6f} s in "
        msg += f"{path.name}. Resample it, or declare --fs."
        raise InputError(msg)
    mean = float(steps.mean())
    return round(1 / mean, 6)


def _are_signals(names: Sequence[str]) -> bool:
    """Whether columns are those of a signal: a lead among them, and not more of other things than leads.

    A table of patients may have a column I, too.
    """
    leads = [name for name in names if _lead(name) in LEADS]
    others = [name for name in names if _lead(name) not in LEADS and _plain(name) not in NO_SIGNALS]
    return 0 < len(leads) <= MOST_COLUMNS and len(others) <= len(leads)


def _plain(name: str) -> str:
    """Leave the unit out of a column's name, and case."""
    return _split(name)[0].lower()


def _lead(name: str) -> str:
    """Spell the lead that a column is named for."""
    plain, unit = _split(name)
    return lead_name(plain if unit in MV_PER else name)


def _unit(name: str) -> str:
    """Give the unit that a column's name tells; empty where it tells none."""
    return _split(name)[1]


def _split(name: str) -> tuple[str, str]:
    """Part a column's name from its unit, in lower case."""
    found = _UNIT.fullmatch(name.strip())
    return (found[1], (found["unit"] or found["volt"] or "").lower()) if found else (name.strip(), "")
