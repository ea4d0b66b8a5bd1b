"""Tables as they were published: found by name in a folder of any layout, read lazily, their columns checked first."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from twelvelead.terms import FormatError, InputError

SUFFIXES = (".parquet", ".csv", ".csv.gz")
"""In the order of preference where a folder has a table more than once."""
DEPTH = 6  # of `physionet.org/files/mimiciv/3.1/hosp`, and one to spare
SAMPLE = 100  # rows that tell how a column of times is written
TIME = "%Y-%m-%d %H:%M:%S"
NO_VALUE = ("", "NA", "NaN", "nan")

_WAVEFORMS = re.compile(r"p\d+|\..*")  # one folder per patient, hundreds of thousands of them; and hidden folders


@dataclass(frozen=True)
class Table:
    """A table of a database: its name, its columns and the sizes that it was published in.

    Parameters
    ----------
    name : str
        File name without suffix.
    columns : dict of str to polars type
        Columns that it must have.
    optional : dict of str to polars type
        Columns that some releases have.
    rows : dict of int to str
        Release by its number of rows, for those releases whose size is known.
    part : str
        The data set that it belongs to.
    """

    name: str
    columns: dict[str, Any]
    optional: dict[str, Any] = field(default_factory=dict)
    rows: dict[int, str] = field(default_factory=dict)
    part: str = ""


def find_tables(folder: Path, tables: Iterable[Table]) -> dict[str, Path]:
    """Find the tables that lie in a folder or below it.

    Parameters
    ----------
    folder : Path
        Searched to a depth of `DEPTH`, whatever the layout; folders of single patients' waveforms are not entered.
    tables : iterable of Table
        What to look for. A file counts if its name (without regard to capitals) and its columns are the table's.

    Returns
    -------
    dict of str to Path
        Table name to file, for those that were found. Of the same table in one folder Parquet goes before CSV, and CSV
        before compressed CSV.

    Raises
    ------
    InputError
        If a table lies in two folders: nobody could say which one is meant.
    """
    candidates = _candidates(folder)
    found: dict[str, Path] = {}
    for table in tables:
        right = [path for path in candidates.get(table.name.lower(), []) if not missing_columns(table, path)]
        if len({path.parent for path in right}) > 1:
            places = ", ".join(str(path.relative_to(folder)) for path in right)
            msg = f"a data folder must hold {table.name} once; got {places}. Point --data to one release."
            raise InputError(msg)
        if right:
            found[table.name] = min(right, key=lambda path: SUFFIXES.index(_suffix(path.name)))
    return found


def find_strangers(folder: Path, tables: Iterable[Table]) -> dict[Path, list[str]]:
    """Find files that bear a table's name but lack some of its columns: another version, or another database."""
    candidates, wanted = _candidates(folder), list(tables)
    lacking = {path: (t, missing_columns(t, path)) for t in wanted for path in candidates.get(t.name.lower(), [])}
    known = {t.name for t in wanted if any(not missing_columns(t, p) for p in candidates.get(t.name.lower(), []))}
    return {path: missing for path, (table, missing) in lacking.items() if missing and table.name not in known}


def _candidates(folder: Path) -> dict[str, list[Path]]:
    """Give every file that could be a table, by its name in lower case without suffix."""
    named: dict[str, list[Path]] = {}
    waiting = [(folder, 0)]
    while waiting:
        top, depth = waiting.pop()
        with os.scandir(top) as entries:
            for entry in entries:
                suffix = _suffix(entry.name)
                if suffix and entry.is_file():
                    named.setdefault(entry.name[: -len(suffix)].lower(), []).append(Path(entry.path))
                elif depth < DEPTH and not suffix and not _WAVEFORMS.fullmatch(entry.name) and entry.is_dir():
                    waiting.append((Path(entry.path), depth + 1))
    return {name: sorted(paths) for name, paths in named.items()}


def _suffix(name: str) -> str:
    return next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), "")


def missing_columns(table: Table, path: Path) -> list[str]:
    """Name the columns of a table that a file lacks; all of them if it can't be read."""
    try:
        held = _open(path, {}).collect_schema()
    except (pl.exceptions.PolarsError, OSError):
        return list(table.columns)
    return [column for column in table.columns if column not in held]


def scan(table: Table, path: Path) -> pl.LazyFrame:
    """Read a published table lazily, in bounded memory.

    Parameters
    ----------
    table : Table
        What it must be.
    path : Path
        Parquet, CSV, or CSV compressed by gzip, which is read through as a stream.

    Returns
    -------
    LazyFrame
        The needed columns, those optional ones that are there, and all others as text. An identifier that was written
        as a decimal number (`22595853.0`) is the whole number's text.

    Raises
    ------
    FormatError
        If a needed column is not there. A value that is not of its column's type raises `polars.ComputeError` where the
        frame is collected.
    """
    wanted = {**table.columns, **table.optional}
    try:
        rows = _open(path, {name: dtype for name, dtype in wanted.items() if dtype != pl.Datetime("us")})
        held = rows.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        msg = f"{str(path)!r} must be a readable table; got {str(error).splitlines()[0]}. Download it again."
        raise FormatError(msg) from error
    if missing := [column for column in table.columns if column not in held]:
        msg = f"{path} must have the columns of {table.part or table.name}; got none named {', '.join(missing)}. "
        msg += "Download a release that is known here."
        raise FormatError(msg)
    changes = [
        _as(name, dtype, rows)
        for name, dtype in wanted.items()
        if name in held and held[name] != dtype and not isinstance(held[name], pl.List)
    ]
    identifiers = [
        pl.col(n).str.replace(r"^(\d+)\.0$", "${1}") for n, d in wanted.items() if d == pl.String == held.get(n)
    ]
    return rows.with_columns(*changes, *identifiers)


def collect(rows: pl.LazyFrame, path: Path) -> pl.DataFrame:
    """Read what is wanted of a table into memory.

    Raises
    ------
    FormatError
        If a value is not of its column's type, or the file breaks off.
    """
    try:
        return rows.collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        msg = f"{str(path)!r} must hold values of its columns' types; got {str(error).splitlines()[0]}. Mend the value."
        raise FormatError(msg) from error


def count_rows(path: Path) -> int:
    """Count the rows of a table, in bounded memory.

    Raises
    ------
    FormatError
        If it can't be read to its end.
    """
    try:
        return int(_open(path, {}).select(pl.len()).collect(engine="streaming").item())
    except (pl.exceptions.PolarsError, OSError) as error:
        msg = f"{str(path)!r} must be a readable table; got {str(error).splitlines()[0]}. Download it again."
        raise FormatError(msg) from error


def _open(path: Path, types: dict[str, Any]) -> pl.LazyFrame:
    if _suffix(path.name) == ".parquet":
        return pl.scan_parquet(path)
    # Free text in Latin-1 loses its accents here, which no rule reads; numbers and codes are plain ASCII.
    return pl.scan_csv(
        path, infer_schema_length=0, schema_overrides=types, encoding="utf8-lossy", null_values=list(NO_VALUE)
    )


def _as(name: str, dtype: Any, rows: pl.LazyFrame) -> pl.Expr:  # noqa: ANN401 - polars has no public name for it
    """Change a column to the type that it must have."""
    held, column = rows.collect_schema()[name], pl.col(name)
    if dtype == pl.Datetime("us") and held == pl.String:
        sample = rows.select(name).head(SAMPLE).collect()
        as_usual = sample.select(column.str.to_datetime(TIME, strict=False).is_null() & column.is_not_null())
        return column.str.to_datetime(None if as_usual.to_series().any() else TIME, time_unit="us")
    if dtype == pl.String and held.is_float():
        return column.cast(pl.Int64).cast(pl.String)
    return column.cast(dtype)
