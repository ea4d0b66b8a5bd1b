"""PhysioNet/CinC Challenge 2020 and 2021 (doi:10.13026/34va-7q14): 88,000 WFDB headers with codes, age and sex."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from twelvelead.io.databases.database import Database
from twelvelead.io.databases.events import EventTable, as_events
from twelvelead.terms import COHORT, InputError

SYSTEM = "snomed"
SCHEMA = pl.Schema(
    {"recording_id": pl.String(), "age_years": pl.Float64(), "sex": pl.String(), "code": pl.List(pl.String())}
)
LOOKED_AT = 20  # headers of a folder that are opened to see whether it is the Challenge

_COMMENT = re.compile(rb"^#[ \t]*(Age|Sex|Gender|Dx)[ \t]*:([^\r\n]*)", re.MULTILINE)
_CODE = re.compile(r"\d{5,18}")  # SNOMED CT concept identifiers
_SEX = {"m": "male", "f": "female"}
_OLDEST = 130.0  # what is older, and what is negative, stands for "unknown"


def recognise(folder: Path) -> bool:
    """Whether `folder` holds headers with SNOMED CT codes, by the first few."""
    heads = (_comments(path) for path, _ in zip(_headers(folder), range(LOOKED_AT), strict=False))
    return any(_CODE.search(said.get("dx", "")) for said in heads)


def load(folder: Path) -> Database:
    """Load the Challenge's recordings.

    Parameters
    ----------
    folder : Path
        Searched with all subfolders for `.hea` files.

    Returns
    -------
    Database
        recording_id is the path below the folder without suffix, as `twelvelead measure` has it; path is the header's.
        Events are the codes of the line `Dx` (system `snomed`), which annotate their recording.

    Raises
    ------
    InputError
        If there is no header.

    Notes
    -----
    The Challenge says of no two recordings whether they are of one patient, so each is taken for a patient of its own:
    folds can't keep patients apart that nobody can tell. The headers' dates are of the conversion in part, so there is
    no time. Ages above 89 are 90.
    """
    rows = [_row(path, path.relative_to(folder).with_suffix("").as_posix()) for path in _headers(folder)]
    if not rows:
        msg = f"a folder of the Challenge must hold .hea files; got none in {str(folder)!r}. Check --data."
        raise InputError(msg)
    table = pl.DataFrame(rows, schema=SCHEMA, orient="row").with_columns(patient_id=pl.col("recording_id"))
    cohort = table.select(
        "recording_id", "patient_id", "age_years", "sex",
        recorded_at=pl.lit(None, pl.Datetime("us")), stay_id=pl.lit(None, pl.String),
        path=pl.col("recording_id") + ".hea",
    )  # fmt: skip
    events = _events(table)
    return Database(
        name="PhysioNet/CinC Challenge 2021",
        folder=folder,
        cohort=COHORT.check(cohort.sort("recording_id")),
        events=events.rows,
        tables=(),
        event_tables=(events,),
    )


def _events(table: pl.DataFrame) -> EventTable:
    long = table.lazy().select("patient_id", "recording_id", "code").explode("code")
    return as_events(long.unique(["recording_id", "code"], maintain_order=True), SYSTEM)


def _headers(folder: Path) -> Iterator[Path]:
    """Give the headers of a folder and its subfolders, by name, as soon as each folder is listed."""
    for top, folders, files in os.walk(folder):
        folders.sort()
        yield from (Path(top, name) for name in sorted(files) if name.endswith(".hea"))


def _row(path: Path, name: str) -> tuple[str, float | None, str | None, list[str]]:
    said = _comments(path)
    return name, _age(said.get("age", "")), _SEX.get(said.get("sex", "")[:1].lower()), _CODE.findall(said.get("dx", ""))


def _comments(path: Path) -> dict[str, str]:
    """Read what the comments of a header say; its other lines, which tell of signals, are passed over."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - quicker, and there are 88,000
        text = file.read(65_536) or b""
    pairs = ((key.decode().lower(), value.decode("latin-1").strip()) for key, value in _COMMENT.findall(text))
    return {"sex" if key == "gender" else key: value for key, value in pairs}


def _age(text: str) -> float | None:
    try:
        age = float(text)
    except ValueError:
        return None
    return min(age, 90.0) if 0 <= age <= _OLDEST else None
