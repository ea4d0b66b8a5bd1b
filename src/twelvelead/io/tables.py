"""Tables, text and JSON on disk: never half written, the same bytes for the same content."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from twelvelead.terms import FormatError, InputError

TABLES = (".parquet", ".csv", ".tsv")
ROWS = 16384  # of a row group
ABOUT = "twelvelead"  # under this a Parquet file says how it was made


def write_bytes(content: bytes, path: Path, *, durable: bool = True) -> None:
    """Write a file whole or not at all: a temporary file in its folder, then a rename.

    Parameters
    ----------
    content : bytes
        What the file will hold.
    path : Path
        Its folder is made if it is not there.
    durable : bool
        Whether to wait until the disk has it, so that it survives a loss of power; thousands of small files that can be
        made again need not.
    """
    with _whole(path, durable=durable) as scratch:
        scratch.write_bytes(content)


@contextmanager
def _whole(path: Path, *, durable: bool) -> Iterator[Path]:
    """Give a temporary file that becomes `path` if it could be written to its end, and goes away if not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".unfinished")
    scratch = Path(name)
    try:
        yield scratch
        if durable:
            os.fsync(handle)
        scratch.chmod(0o644)
        scratch.replace(path)
    finally:
        os.close(handle)
        scratch.unlink(missing_ok=True)


def write_text(text: str, path: Path) -> None:
    """Write UTF-8 text, whole or not at all.

    Parameters
    ----------
    text : str
        What the file will hold.
    path : Path
        Its folder is made if it is not there.
    """
    write_bytes(text.encode(), path)


def write_json(content: Any, path: Path) -> None:  # noqa: ANN401 - whatever JSON holds
    """Write JSON with sorted keys, whole or not at all.

    Parameters
    ----------
    content : object
        What JSON can hold; NaN it can't.
    path : Path
        Its folder is made if it is not there.
    """
    write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n", path)


def read_json(path: Path) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Read JSON.

    Raises
    ------
    InputError
        If the file is not there.
    FormatError
        If it is not JSON.
    """
    _require_file(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        msg = f"{str(path)!r} must be JSON; got {error}. Mend the file."
        raise FormatError(msg) from error


def write_table(table: pl.DataFrame, path: Path) -> None:
    """Write a table as Parquet or CSV, by the suffix of its name, whole or not at all.

    Parameters
    ----------
    table : DataFrame
        What to write. CSV has no lists: their elements are joined by a space there.
    path : Path
        Ends in .parquet, .csv or .tsv.

    Raises
    ------
    InputError
        If the suffix is another.

    Notes
    -----
    A spreadsheet takes text that begins with =, +, -, @ for a formula, so such text gets an apostrophe in CSV.
    """
    sink_table(table.lazy(), path)


def sink_table(table: pl.LazyFrame, path: Path, *, durable: bool = True, about: Any = None) -> None:  # noqa: ANN401
    """Write a table that need not fit into memory, as `write_table` does.

    Parameters
    ----------
    table : LazyFrame
        What to write, in its order; read piece by piece.
    path : Path
        Ends in .parquet, .csv or .tsv.
    durable : bool
        Whether to wait until the disk has it.
    about : dict, optional
        What JSON can hold, on how the table was made. Only Parquet keeps it.

    Raises
    ------
    InputError
        If the suffix is another.
    """
    suffix = _suffix(path)
    with _whole(path, durable=durable) as scratch:
        if suffix == ".parquet":
            # Groups of a fixed size: the same bytes whatever the pieces and the threads.
            table.sink_parquet(
                scratch, compression="zstd", statistics=False, row_group_size=ROWS, maintain_order=True,
                metadata=None if about is None else {ABOUT: json.dumps(about, sort_keys=True)},
            )  # fmt: skip
        else:
            _as_text(table).sink_csv(scratch, separator="\t" if suffix == ".tsv" else ",", maintain_order=True)


def _as_text(table: pl.LazyFrame) -> pl.LazyFrame:
    schema = table.collect_schema()
    lists = [name for name, dtype in schema.items() if isinstance(dtype, pl.List)]
    text = [name for name, dtype in schema.items() if dtype == pl.String or isinstance(dtype, pl.List)]
    flat = table.with_columns(pl.col(name).cast(pl.List(pl.String)).list.join(" ") for name in lists)
    return flat.with_columns(
        pl.when(pl.col(name).str.contains(r"^[=+\-@\t\r]")).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name in text
    )


def read_table(path: Path) -> pl.DataFrame:
    """Read a table from Parquet, CSV or TSV, by the suffix of its name.

    Raises
    ------
    InputError
        If the file is not there, or its suffix is another.
    FormatError
        If the file is not what its suffix says.
    """
    _require_file(path)
    suffix = _suffix(path)
    try:
        if suffix == ".parquet":
            return pl.read_parquet(path)
        return pl.read_csv(path, separator="\t" if suffix == ".tsv" else ",", infer_schema_length=None)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        msg = f"{str(path)!r} must be a readable {suffix} table; got {str(error).splitlines()[0]}. Write it again."
        raise FormatError(msg) from error


def read_about(path: Path) -> dict[str, Any]:
    """Read what a table says of how it was made; empty where it doesn't, or is no Parquet.

    Raises
    ------
    InputError
        If the file is not there.
    FormatError
        If it is not what its suffix says.
    """
    _require_file(path)
    if path.suffix.lower() != ".parquet":
        return {}
    try:
        said = json.loads(pl.read_parquet_metadata(path).get(ABOUT, "{}"))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        msg = f"{str(path)!r} must be a readable table; got {str(error).splitlines()[0]}. Write it again."
        raise FormatError(msg) from error
    return said if isinstance(said, dict) else {}


def sha256(path: Path) -> str:
    """Give the SHA-256 of a file, in hexadecimal.

    Raises
    ------
    InputError
        If the file is not there.
    """
    _require_file(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_table_name(path: Path) -> None:
    """Refuse a name that no table can have, before the work for it is done.

    Raises
    ------
    InputError
        If the suffix is none of `TABLES`.
    """
    _suffix(path)


def _suffix(path: Path) -> str:
    if path.suffix.lower() not in TABLES:
        msg = f"a table's name must end in {', '.join(TABLES)}; got {path.name!r}. Rename it."
        raise InputError(msg)
    return path.suffix.lower()


def _require_file(path: Path) -> None:
    if not path.is_file():
        msg = f"the file must be there; got {str(path)!r}, which is not. Check the path."
        raise InputError(msg)
