"""CODE-15 % (doi:10.5281/zenodo.4916206): 345,779 Brazilian ECGs in 18 HDF5 files, six findings, and death."""

from pathlib import Path

import polars as pl

from twelvelead.io.databases.database import Database
from twelvelead.io.databases.events import EventTable, as_events, concat_events
from twelvelead.io.databases.published import Table, collect, find_tables, scan
from twelvelead.terms import COHORT

_ID = pl.String
FINDINGS = ("1dAVb", "RBBB", "LBBB", "SB", "ST", "AF")
SYSTEM = "code15"
YES, NO = ("true", "1", "1.0"), ("false", "0", "0.0")

EXAMS = Table(
    "exams",
    {"exam_id": _ID, "age": pl.Float64, "is_male": pl.String, "patient_id": _ID, "trace_file": pl.String,
     **dict.fromkeys(FINDINGS, pl.String)},
    {"death": pl.String, "timey": pl.Float64, "normal_ecg": pl.String},
    {345_779: "1.0.0"},
    "CODE-15 %",
)  # fmt: skip

TABLES = (EXAMS,)


def recognise(folder: Path) -> bool:
    """Whether `folder` holds `exams.csv` of CODE-15 %."""
    return bool(find_tables(folder, TABLES))


def load(folder: Path) -> Database:
    """Load CODE-15 %.

    Parameters
    ----------
    folder : Path
        Holds `exams.csv`, and beside it the unpacked `exams_part0.hdf5` to `exams_part17.hdf5`.

    Returns
    -------
    Database
        recording_id is the exam_id; path is the HDF5 file, in which the exam_id is the entry (column `entry`). Events
        of the system `code15` are the six findings and `normal_ecg` with value 1 or 0, of their recording; and, with
        the first exam of each patient, `death` (1 died, 0 did not, while followed) and `follow_up_years` in years.

    Raises
    ------
    FormatError
        If the table lacks a column.

    Notes
    -----
    Exams have no date. death and timey are published for the first exam of each patient alone.
    """
    path = find_tables(folder, TABLES)[EXAMS.name]
    rows = scan(EXAMS, path)
    place = path.parent.relative_to(folder).as_posix()
    file = pl.col("trace_file") if place == "." else pl.lit(f"{place}/") + pl.col("trace_file")
    cohort = rows.select(
        recording_id="exam_id",
        patient_id="patient_id",
        age_years=pl.col("age").clip(upper_bound=90.0),
        sex=pl.when(truth("is_male") == 1).then(pl.lit("male")).when(truth("is_male") == 0).then(pl.lit("female")),
        recorded_at=pl.lit(None, pl.Datetime("us")),
        stay_id=pl.lit(None, pl.String),
        path=file,
        entry="exam_id",
    )
    events = _events(rows)
    return Database(
        name="CODE-15 %",
        folder=folder,
        cohort=COHORT.check(collect(cohort, path).sort("recording_id")),
        events=concat_events((events,)),
        tables=(path,),
        event_tables=(events,),
    )


def truth(column: str) -> pl.Expr:
    """Read True, False, 1 and 0 as 1 and 0; whatever else is null."""
    text = pl.col(column).cast(pl.String).str.to_lowercase()
    return pl.when(text.is_in(YES)).then(1.0).when(text.is_in(NO)).then(0.0)


def _events(rows: pl.LazyFrame) -> EventTable:
    held = rows.collect_schema()
    said = {name: truth(name) for name in (*FINDINGS, "normal_ecg", "death") if name in held}
    if "timey" in held:
        said["follow_up_years"] = pl.col("timey")
    long = rows.select("patient_id", recording_id="exam_id", **said).unpivot(
        on=list(said), index=["patient_id", "recording_id"], variable_name="code", value_name="value"
    )
    years = pl.when(pl.col("code") == "follow_up_years").then(pl.lit("a"))
    return as_events(long.filter(pl.col("value").is_not_null()).with_columns(unit=years), SYSTEM)
