"""PTB-XL (doi:10.13026/kfzx-aw45), as published: `ptbxl_database.csv`, `scp_statements.csv`, `records500/`."""

import ast
from pathlib import Path

import polars as pl

from twelvelead.io.databases.database import Database
from twelvelead.io.tables import read_table
from twelvelead.terms import COHORT, EVENTS, FormatError

TABLE = "ptbxl_database.csv"
STATEMENTS = "scp_statements.csv"
NO_SUPERCLASS = "NONE"
OLDEST = 90.0  # PTB-XL writes 300 for everyone above 89


def recognise(folder: Path) -> bool:
    """Whether `folder` is PTB-XL."""
    return (folder / TABLE).is_file() and (folder / STATEMENTS).is_file()


def load(folder: Path) -> Database:
    """Load PTB-XL's tables.

    Parameters
    ----------
    folder : Path
        The folder that holds `ptbxl_database.csv`.

    Returns
    -------
    Database
        recording_id is the published file name without suffix (`records500/00000/00001_hr`). Events are the SCP
        statements of each recording (system `scp`, value the likelihood in %), and their diagnostic superclasses
        (system `ptbxl_superclass`). The cohort has the published `strat_fold` besides.

    Notes
    -----
    A superclass holds where any diagnostic statement of it is listed, whatever its likelihood, as in the database's own
    example; the likelihood 0 stands for "unknown" there. A recording that has only rhythm or form statements has the
    superclass `NONE`: it was read, and none of the five was found. The 500 Hz files are used where they are there, the
    100 Hz files otherwise. Ages above 89, published as 300, become 90.
    """
    table = read_table(folder / TABLE)
    _require(
        table, ("ecg_id", "patient_id", "age", "sex", "recording_date", "scp_codes", "filename_hr"), folder / TABLE
    )
    file = "filename_hr" if (folder / "records500").is_dir() or "filename_lr" not in table.columns else "filename_lr"
    recordings = demographics(table, file=file)
    cohort = COHORT.select(
        recordings.with_columns(
            recorded_at=pl.col("recording_date").cast(pl.String).str.to_datetime(time_unit="us", strict=False),
            stay_id=pl.lit(None, pl.String),
            path=pl.col("recording_id"),
        )
    )
    if "strat_fold" in table.columns:
        folds = recordings.select("recording_id", pl.col("strat_fold").cast(pl.Int32))
        cohort = cohort.join(folds, on="recording_id", how="left", validate="1:1")
    events = EVENTS.select(
        pl.concat([statements := _statements(recordings), _superclasses(statements, read_table(folder / STATEMENTS))])
    )
    return Database(
        name="PTB-XL",
        folder=folder,
        cohort=cohort,
        events=EVENTS.check(events).lazy(),
        tables=(folder / TABLE, folder / STATEMENTS),
    )


def demographics(table: pl.DataFrame, *, file: str = "filename_hr") -> pl.DataFrame:
    """Add recording_id, patient_id, age_years and sex to the published table.

    Parameters
    ----------
    table : DataFrame
        `ptbxl_database.csv` as published.
    file : {"filename_hr", "filename_lr"}
        Which file name is the recording_id.
    """
    return table.with_columns(
        recording_id=pl.col(file).cast(pl.String),
        patient_id=pl.col("patient_id").cast(pl.Int64, strict=False).cast(pl.String),
        age_years=pl.col("age").cast(pl.Float64, strict=False).clip(upper_bound=OLDEST),
        sex=pl.col("sex").cast(pl.Int64, strict=False).replace_strict({0: "male", 1: "female"}, default=None),
    )


def _statements(recordings: pl.DataFrame) -> pl.DataFrame:
    """One event per SCP statement of a recording."""
    rows = []
    for recording_id, patient_id, text in recordings.select("recording_id", "patient_id", "scp_codes").iter_rows():
        try:
            codes = ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError) as error:
            msg = f"scp_codes must be a dictionary; got {text!r} in {recording_id}. Mend that row of {TABLE}."
            raise FormatError(msg) from error
        rows += [(recording_id, patient_id, str(code), float(likelihood)) for code, likelihood in codes.items()]
    frame = pl.DataFrame(rows, schema=["recording_id", "patient_id", "code", "value"], orient="row")
    return _as_events(frame, "scp", recordings)


def _superclasses(statements: pl.DataFrame, meaning: pl.DataFrame) -> pl.DataFrame:
    code, superclass = meaning.columns[0], "diagnostic_class"
    diagnostic = meaning.filter(pl.col("diagnostic") == 1).select(pl.col(code).alias("code"), superclass)
    found = statements.join(diagnostic, on="code", how="left").group_by(
        "recording_id", "patient_id", "time", superclass
    )
    classes = found.agg(pl.col("value").max()).rename({superclass: "code"}).sort("recording_id", "code")
    has_one = pl.col("code").is_not_null().any().over("recording_id")
    classes = classes.filter(pl.col("code").is_not_null() | ~has_one).with_columns(
        pl.col("code").fill_null(NO_SUPERCLASS)
    )
    return _fill(classes, "ptbxl_superclass")


def _as_events(frame: pl.DataFrame, system: str, recordings: pl.DataFrame) -> pl.DataFrame:
    time = recordings.select(
        "recording_id",
        time=pl.col("recording_date").cast(pl.String).str.to_datetime(time_unit="us", strict=False),
    )
    return _fill(frame.join(time, on="recording_id", how="left"), system)


def _fill(frame: pl.DataFrame, system: str) -> pl.DataFrame:
    absent = [c for c in EVENTS.schema if c not in {*frame.columns, "system", "unit"}]
    return frame.with_columns(
        *(pl.lit(None, EVENTS.schema[c]).alias(c) for c in absent), system=pl.lit(system), unit=pl.lit("%")
    ).select(list(EVENTS.schema))


def _require(table: pl.DataFrame, columns: tuple[str, ...], path: Path) -> None:
    missing = [c for c in columns if c not in table.columns]
    if missing:
        msg = f"{path} must have the columns of PTB-XL 1.0.3; got none named {', '.join(missing)}. Download it again."
        raise FormatError(msg)
