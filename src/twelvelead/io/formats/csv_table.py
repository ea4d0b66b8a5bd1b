"""CSV as instruments and spreadsheets write it: comma, semicolon or tab; decimal point or comma; a line of units."""

import csv
import re
from pathlib import Path

import polars as pl

from twelvelead.io.formats.scale import MV_PER
from twelvelead.signal import distinct_names
from twelvelead.terms import FormatError

MOST_NAMES = 1024
LONGEST_NAME = 200
LARGEST = 2**30  # bytes of a file

_SEPARATORS = ",;\t"
_TIME_UNITS = {"s", "ms", "sec"}
_DECIMAL_COMMA = re.compile(rb"(?:^|[;\t\"])[-+]?\d*,\d+(?:[eE][-+]?\d+)?(?:[;\t\"\r\n]|$)", re.MULTILINE)


def column_names(head: bytes) -> list[str]:
    """Name the columns of a table by its first line, without quotes; none of a line that names no table's.

    Parameters
    ----------
    head : bytes
        The beginning of the file.

    Examples
    --------
    >>> column_names(b'"time [s]";"Lead I (mV)"')
    ['time [s]', 'Lead I (mV)']
    """
    line = _first_line(head)
    try:
        rows = list(csv.reader([line], delimiter=_separator(line)))
    except csv.Error:
        return []
    names = [name.strip() for name in rows[0]] if rows else []
    return names if len(names) <= MOST_NAMES and all(len(name) <= LONGEST_NAME for name in names) else []


def read_csv(path: Path) -> pl.DataFrame:
    """Read a CSV table whatever the suffix of its name; a line of units goes into the columns' names.

    Parameters
    ----------
    path : Path
        UTF-8, with or without its mark, or Latin-1. With a decimal comma, columns are separated by something else.

    Raises
    ------
    FormatError
        If it is no table.
    """
    if path.stat().st_size > LARGEST:
        msg = f"a signal table must be smaller than {LARGEST} bytes; got {path.stat().st_size} in {path.name}. "
        msg += "Convert it to Parquet."
        raise FormatError(msg)
    content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    names = column_names(content[:65536])
    if not names:
        msg = (
            f"a signal table must name 1 to {MOST_NAMES} columns in its first line; got none in {path.name}. Check it."
        )
        raise FormatError(msg)
    separator = _separator(_first_line(content[:65536]))
    units = _units(content[:65536], separator, len(names))
    if units:
        names = [
            f"{name} ({unit})" if unit and "(" not in name else name for name, unit in zip(names, units, strict=True)
        ]
    try:
        return pl.read_csv(
            content,
            separator=separator,
            has_header=False,
            skip_rows=2 if units else 1,
            new_columns=list(distinct_names(names)),
            decimal_comma=separator != "," and bool(_DECIMAL_COMMA.search(content[:65536])),
            infer_schema_length=None,
            encoding="utf8-lossy",
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        msg = f"{path.name} must be a readable CSV table; got {str(error).partition(chr(10))[0]}. Write it again."
        raise FormatError(msg) from error


def _first_line(content: bytes) -> str:
    line = re.split(rb"\r\n|\r|\n", content.removeprefix(b"\xef\xbb\xbf"), maxsplit=1)[0]
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _separator(line: str) -> str:
    """Find what separates the names of columns: what is there most often, outside of quotes."""
    bare = re.sub(r'"[^"]*"', "", line)
    return max(_SEPARATORS, key=bare.count)


def _units(content: bytes, separator: str, width: int) -> list[str]:
    """Give the units that a second line tells, one for each column; none where that line is one of samples."""
    lines = re.split(rb"\r\n|\r|\n", content, maxsplit=2)
    if len(lines) < 2:
        return []
    fields = [field.strip().strip('"').strip("()[] ") for field in lines[1].decode("latin-1").split(separator)]
    known = [field.lower() in MV_PER or field.lower() in _TIME_UNITS or not field for field in fields]
    return fields if len(fields) == width and any(fields) and all(known) else []
