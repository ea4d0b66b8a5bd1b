"""Signal tables, CSV or Parquet: one column per lead, and perhaps the time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from twelvelead.io.formats.scale import Declaration, declared, read_sidecar, to_source
from twelvelead.io.formats.source import Source
from twelvelead.io.tables import read_table
from twelvelead.signal import lead_name
from twelvelead.terms import LEADS, FormatError, InputError

TIME = "time_s"
UNEVEN = 0.01  # share of the sampling interval by which time may jitter


def recognise_csv(head: bytes, path: Path) -> bool:
    """Whether a file is a CSV table with a column named as a lead, or with a sidecar that names its leads."""
    if b"\0" in head or path.suffix.lower() == ".json":
        return False
    first = head.partition(b"\n")[0].decode("latin-1").removeprefix("ï»¿")
    return _has_lead(first.strip().replace("\t", ",").split(",")) or _is_declared(path)


def recognise_parquet(head: bytes, path: Path) -> bool:
    """Whether a file is a Parquet table with a column named as a lead, or with a sidecar that names its leads."""
    if not head.startswith(b"PAR1"):
        return False
    try:
        names = list(pl.read_parquet_schema(path))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        names = []
    return _has_lead(names) or _is_declared(path)


def open_signal_table(path: Path, declaration: Declaration) -> Source:
    """Open a recording that is a CSV or Parquet table with one column per lead; it is read whole.

    Parameters
    ----------
    path : Path
        The table. A column `time_s`, evenly spaced, gives the sampling frequency; columns named as leads are the
        leads, unless others are declared.
    declaration : Declaration
        What the table does not say: fs without `time_s`, and the unit.

    Raises
    ------
    FormatError
        If the table can't be read, or holds something else than numbers.
    InputError
        If fs, leads or units is not declared.
    """
    table = read_table(path)
    said = declared(path, declaration)
    fs = said.fs if said.fs is not None else _fs(table, path)
    signals = [name for name in table.columns if name != TIME]
    if said.leads is None:
        signals = [name for name in signals if lead_name(name) in LEADS]
        said = Declaration(fs=fs, leads=tuple(signals) or None, units=said.units)
    else:
        said = Declaration(fs=fs, leads=said.leads, units=said.units)
    text = [name for name in signals if not table.schema[name].is_numeric()]
    if text:
        msg = f"signal columns must hold numbers; got {table.schema[text[0]]} in column {text[0]!r} of {path.name}. "
        msg += "Mend the column."
        raise FormatError(msg)
    return to_source(table.select(pl.col(signals).cast(pl.Float64)).to_numpy(), said, path=path)


def _fs(table: pl.DataFrame, path: Path) -> float | None:
    """Find the sampling frequency in Hz from evenly spaced times; None without a time column."""
    if TIME not in table.columns or table.height < 2:
        return None
    steps = np.diff(table[TIME].cast(pl.Float64, strict=False).to_numpy())
    step = float(np.median(steps))
    if not step > 0 or not np.all(np.abs(steps - step) <= UNEVEN * step + 1e-6):
        msg = (
            f"{TIME} must rise in equal steps; got steps from {steps.min():.6f} to {steps.max():.6f} s in {path.name}. "
        )
        msg += "Resample it, or declare --fs."
        raise InputError(msg)
    mean = float(steps.mean())
    return round(1 / mean, 6)


def _has_lead(names: Sequence[str]) -> bool:
    return any(lead_name(name.strip('"')) in LEADS for name in names)


def _is_declared(path: Path) -> bool:
    """Whether a sidecar names the leads of a table; a file of the same stem that is no sidecar does not."""
    try:
        return read_sidecar(path).leads is not None
    except InputError:
        return False
