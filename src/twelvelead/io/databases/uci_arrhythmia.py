"""UCI Arrhythmia (doi:10.24432/C5BS32): 279 measurements of 452 ECGs, and which of 16 classes each belongs to."""

from pathlib import Path

import polars as pl

from twelvelead.io.databases.database import Database
from twelvelead.io.databases.events import as_events, concat_events
from twelvelead.terms import COHORT, LEADS, FormatError

TABLE = "arrhythmia.data"
NORMAL = 1
N_COLUMNS = 280
CLASS_SYSTEM, SYSTEM = "uci_class", "uci_arrhythmia"
SEX = {0: "male", 1: "female"}

DEMOGRAPHICS = ("age", "sex", "uci_height_cm", "uci_weight_kg")
GLOBAL = (
    "qrs_duration_ms", "pr_interval_ms", "qt_interval_ms", "t_duration_ms", "p_duration_ms", "qrs_axis_deg",
    "t_axis_deg", "p_axis_deg", "uci_qrst_axis_deg", "uci_j_axis_deg", "heart_rate_bpm",
)  # fmt: skip
WIDTHS = (
    "q_duration_{}_ms", "r_duration_{}_ms", "s_duration_{}_ms", "r_prime_duration_{}_ms", "uci_s_prime_duration_{}_ms",
    "uci_deflection_{}_count", "uci_r_ragged_{}_count", "uci_r_diphasic_{}_count", "uci_p_ragged_{}_count",
    "uci_p_diphasic_{}_count", "uci_t_ragged_{}_count", "uci_t_diphasic_{}_count",
)  # fmt: skip
AMPLITUDES = (
    "uci_jj_amplitude_{}_mv", "q_amplitude_{}_mv", "r_amplitude_{}_mv", "s_amplitude_{}_mv",
    "r_prime_amplitude_{}_mv", "uci_s_prime_amplitude_{}_mv", "p_amplitude_{}_mv", "t_amplitude_{}_mv",
    "uci_qrs_area_{}_mvms", "uci_qrst_area_{}_mvms",
)  # fmt: skip
ABSENT_AT_ZERO = ("pr_interval_ms", "p_duration_ms", "t_duration_ms")


def columns() -> list[str]:
    """Name the published columns, in their order."""
    by_lead = [name.format(lead.lower()) for names in (WIDTHS, AMPLITUDES) for lead in LEADS for name in names]
    return [*DEMOGRAPHICS, *GLOBAL, *by_lead, "class"]


def recognise(folder: Path) -> bool:
    """Whether `folder` is UCI Arrhythmia."""
    return (folder / TABLE).is_file()


def load(folder: Path) -> Database:
    """Load UCI Arrhythmia.

    Parameters
    ----------
    folder : Path
        Holds `arrhythmia.data`.

    Returns
    -------
    Database
        One recording per patient, called by its row: `uci-001`. Features are called as in the CATALOGUE where they mean
        the same, `uci_…` otherwise. Events are the class (system `uci_class`, codes 1 to 16; 1 is normal), and, in the
        system `uci_arrhythmia`, the code `arrhythmia` with value 0 for class 1 and 1 for all others.

    Raises
    ------
    FormatError
        If a row has not 280 values, or a value is neither a number nor `?`.

    Notes
    -----
    Amplitudes are published in 0.1 mV and become mV. The published areas are sums of triangles, width × height / 2, in
    0.1 mV·ms divided by 10, which is mV·ms. A PR interval, P or T duration of 0 means that there is no such wave and
    becomes null. Heights of 608 and 780 cm, of two infants, become null. Nobody is older than 89 there.
    """
    path = folder / TABLE
    table = _read(path).with_row_index("row", offset=1).with_columns(
        recording_id=pl.lit("uci-") + pl.col("row").cast(pl.String).str.zfill(3)
    )  # fmt: skip
    cohort = table.select(
        "recording_id",
        patient_id="recording_id",
        age_years=pl.col("age"),
        sex=pl.col("sex").replace_strict(SEX, default=None, return_dtype=pl.String),
        recorded_at=pl.lit(None, pl.Datetime("us")),
        stay_id=pl.lit(None, pl.String),
        path=pl.lit(None, pl.String),
    )
    event_tables = (
        as_events(_classes(table, pl.col("class").cast(pl.Int64).cast(pl.String), pl.lit(1.0)), CLASS_SYSTEM),
        as_events(_classes(table, pl.lit("arrhythmia"), (pl.col("class") != NORMAL).cast(pl.Float64)), SYSTEM),
    )
    return Database(
        name="UCI Arrhythmia",
        folder=folder,
        cohort=COHORT.check(cohort),
        events=concat_events(event_tables),
        tables=(path,),
        features=_features(table).lazy(),
        event_tables=event_tables,
    )


def _read(path: Path) -> pl.DataFrame:
    names = columns()
    try:
        table = pl.read_csv(path, has_header=False, null_values="?", infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        msg = f"{path} must be comma-separated values; got {str(error).splitlines()[0]}. Download it again."
        raise FormatError(msg) from error
    if table.width != N_COLUMNS or not all(dtype.is_numeric() for dtype in table.dtypes):
        text = sum(not dtype.is_numeric() for dtype in table.dtypes)
        msg = f"{path} must have {N_COLUMNS} columns of numbers; got {table.width}, {text} of them text. Download it."
        raise FormatError(msg)
    return table.rename(dict(zip(table.columns, names, strict=True))).cast(pl.Float64)


def _features(table: pl.DataFrame) -> pl.DataFrame:
    tenths = [name.format(lead.lower()) for name in AMPLITUDES[:8] for lead in LEADS]
    return table.select("recording_id", pl.exclude("recording_id", "row", "age", "sex", "class")).with_columns(
        *(pl.col(name) / 10 for name in tenths),
        *(pl.when(pl.col(name) != 0).then(pl.col(name)).alias(name) for name in ABSENT_AT_ZERO),
        uci_height_cm=pl.when(pl.col("uci_height_cm").is_between(30, 250)).then("uci_height_cm"),
        rr_mean_ms=60_000 / pl.col("heart_rate_bpm"),
    )


def _classes(table: pl.DataFrame, code: pl.Expr, value: pl.Expr) -> pl.LazyFrame:
    return table.lazy().select("recording_id", patient_id="recording_id", code=code, value=value)
