"""Z-Alizadeh Sani (doi:10.24432/C5Q31T): 303 patients before coronary angiography. ECG findings, not intervals."""

import re
from pathlib import Path

import polars as pl

from twelvelead.io.databases.database import Database
from twelvelead.io.databases.events import as_events, concat_events
from twelvelead.io.databases.published import Table, find_tables
from twelvelead.io.tables import read_table
from twelvelead.terms import COHORT, FormatError

LABORATORY = {
    "FBS": "mg/dL", "CR": "mg/dL", "TG": "mg/dL", "LDL": "mg/dL", "HDL": "mg/dL", "BUN": "mg/dL", "ESR": "mm/h",
    "HB": "g/dL", "K": "meq/L", "Na": "meq/L", "WBC": "/uL", "Lymph": "%", "Neut": "%", "PLT": "10*3/uL",
}  # fmt: skip
"""Analytes as the table names them, and their units."""
ECG = ("Q Wave", "St Elevation", "St Depression", "Tinversion", "LVH", "Poor R Progression", "BBB")
CLINICAL = (
    "Weight", "Length", "BMI", "HTN", "Current Smoker", "EX-Smoker", "FH", "Obesity", "CRF", "CVA", "Airway disease",
    "Thyroid Disease", "CHF", "DLP", "BP", "PR", "Edema", "Weak Peripheral Pulse", "Lung rales", "Systolic Murmur",
    "Diastolic Murmur", "Typical Chest Pain", "Dyspnea", "Function Class", "Atypical", "Nonanginal", "Exertional CP",
    "LowTH Ang",
)  # fmt: skip
ECHO = ("EF-TTE", "Region RWMA", "VHD")

OUTCOMES = {"DM": "diabetes", "Cath": "coronary_disease"}
"""Columns that are outcomes and no features: diabetes, and a stenosis of at least 50 % at angiography."""
DEFINES = {"diabetes": ("za_fbs",)}
"""Features that define an outcome and must not predict it: diabetes is a fasting glucose of 126 mg/dL or more."""

RENAMED = {"za_pr": "za_pulse_bpm", "za_bp": "za_blood_pressure_mmhg", "za_weight": "za_weight_kg",
           "za_length": "za_length_cm", "za_bmi": "za_bmi_kgm2", "za_ef_tte": "za_ejection_fraction_pct"}  # fmt: skip
SEX = {"Male": "male", "Fmale": "female", "Female": "female"}
_WORDS = {"N": 0.0, "Y": 1.0, "mild": 1.0, "Moderate": 2.0, "Severe": 3.0}
SYSTEM = "z_alizadeh_sani"

SHEET = Table(
    "z_alizadeh_sani",
    {"Age": pl.Float64, "Sex": pl.String, **dict.fromkeys((*OUTCOMES, *ECG, *CLINICAL, *LABORATORY), pl.String)},
    dict.fromkeys(ECHO, pl.String),
    {303: "2017"},
    "Z-Alizadeh Sani",
)
TABLES = (SHEET,)


def recognise(folder: Path) -> bool:
    """Whether `folder` holds the sheet as CSV, `z_alizadeh_sani.csv`."""
    return bool(find_tables(folder, TABLES))


def load(folder: Path) -> Database:
    """Load Z-Alizadeh Sani.

    Parameters
    ----------
    folder : Path
        Holds the published sheet saved as `z_alizadeh_sani.csv`.

    Returns
    -------
    Database
        One recording per patient, called by its row: `za-001`. Features are numbers called `za_…`: yes 1, no 0; grades
        0 to 3 or 4; bundle branch block as `za_lbbb` and `za_rbbb`. Events are the laboratory's results (system
        `laboratory`, by their published names), and `diabetes` and `coronary_disease`, value 1 or 0, of the system
        `z_alizadeh_sani`.

    Raises
    ------
    FormatError
        If a cell holds a word that is not known.

    Notes
    -----
    `PR` is the pulse rate, not the PR interval: `za_pulse_bpm`. Fasting glucose defines diabetes: `DEFINES`.
    """
    path = find_tables(folder, TABLES)[SHEET.name]
    table = read_table(path).with_row_index("row", offset=1).with_columns(
        recording_id=pl.lit("za-") + pl.col("row").cast(pl.String).str.zfill(3)
    )  # fmt: skip
    cohort = table.select(
        "recording_id",
        patient_id="recording_id",
        age_years=pl.col("Age").cast(pl.Float64).clip(upper_bound=90.0),
        sex=pl.col("Sex").replace_strict(SEX, default=None, return_dtype=pl.String),
        recorded_at=pl.lit(None, pl.Datetime("us")),
        stay_id=pl.lit(None, pl.String),
        path=pl.lit(None, pl.String),
    )
    event_tables = (as_events(_laboratory(table), "laboratory"), as_events(_outcomes(table), SYSTEM))
    return Database(
        name="Z-Alizadeh Sani",
        folder=folder,
        cohort=COHORT.check(cohort),
        events=concat_events(event_tables),
        tables=(path,),
        features=_features(table, path).lazy(),
        event_tables=event_tables,
    )


def feature(column: str) -> str:
    """Name a feature after a published column.

    Examples
    --------
    >>> feature("Poor R Progression"), feature("PR")
    ('za_poor_r_progression', 'za_pulse_bpm')
    """
    name = "za_" + re.sub(r"[^a-z0-9]+", "_", column.lower())
    return RENAMED.get(name, name)


def _features(table: pl.DataFrame, path: Path) -> pl.DataFrame:
    plain = [c for c in (*ECG, *CLINICAL, *LABORATORY, *ECHO) if c != "BBB" and c in table.columns]
    numbers = table.select("recording_id", *(_number(table, column, path).alias(feature(column)) for column in plain))
    block = table["BBB"].cast(pl.String)
    return numbers.with_columns(za_lbbb=(block == "LBBB").cast(pl.Float64), za_rbbb=(block == "RBBB").cast(pl.Float64))


def _number(table: pl.DataFrame, column: str, path: Path) -> pl.Series:
    """Read numbers, yes and no, and grades."""
    held = table[column]
    if held.dtype.is_numeric():
        return held.cast(pl.Float64)
    try:
        return held.str.strip_chars().replace_strict(_WORDS, return_dtype=pl.Float64)
    except pl.exceptions.PolarsError as error:
        strange = sorted(set(held.drop_nulls()) - set(_WORDS))[:3]
        msg = f"{path}: {column} must be a number or one of {', '.join(_WORDS)}; got {strange}. Mend the cells."
        raise FormatError(msg) from error


def _laboratory(table: pl.DataFrame) -> pl.LazyFrame:
    analytes = table.lazy().select("recording_id", *(pl.col(name).cast(pl.Float64) for name in LABORATORY))
    long = analytes.unpivot(on=list(LABORATORY), index="recording_id", variable_name="code", value_name="value")
    unit = pl.col("code").replace_strict(LABORATORY, return_dtype=pl.String)
    return long.filter(pl.col("value").is_not_null()).with_columns(patient_id="recording_id", unit=unit)


def _outcomes(table: pl.DataFrame) -> pl.LazyFrame:
    yes = {"DM": pl.col("DM").cast(pl.Float64), "Cath": (pl.col("Cath") == "Cad").cast(pl.Float64)}
    return (
        table.lazy()
        .select("recording_id", **{OUTCOMES[column]: value for column, value in yes.items()})
        .unpivot(on=list(OUTCOMES.values()), index="recording_id", variable_name="code", value_name="value")
        .with_columns(patient_id="recording_id")
    )
