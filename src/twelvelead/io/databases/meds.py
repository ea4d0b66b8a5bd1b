"""Any data set that keeps the Medical Event Data Standard (MEDS): `data/**/*.parquet`, one row per event."""

from pathlib import Path

import polars as pl

from twelvelead.io.databases.database import Database
from twelvelead.io.databases.events import as_events
from twelvelead.io.databases.tables import find_table, read_conforming
from twelvelead.terms import COHORT, PATIENTS, FormatError

NEEDED = ("subject_id", "time", "code", "numeric_value")
BIRTH, DEATH = "MEDS_BIRTH", "MEDS_DEATH"
_SEX = {"F": "female", "FEMALE": "female", "M": "male", "MALE": "male"}
_ICD = r"^(?:DIAGNOSIS/+)?ICD[-/]*(9|10)(?:-?CM)?/+(.+)$"
_ITEM = r"^(?:LAB|LABORATORY|LOINC)/+([^/]+)(?:/+(.+))?$"
_GENDER = r"^(?:GENDER|SEX)/+(\w+)$"


def recognise(folder: Path) -> bool:
    """Whether `folder` holds MEDS events."""
    first = next(iter(sorted((folder / "data").glob("**/*.parquet"))), None) if (folder / "data").is_dir() else None
    if first is None:
        return False
    try:
        return {"subject_id", "time", "code"} <= set(pl.read_parquet_schema(first))
    except (pl.exceptions.PolarsError, OSError):
        return False


def load(folder: Path) -> Database:
    """Load a MEDS data set.

    Parameters
    ----------
    folder : Path
        Holds `data/`, and, if there are ECGs, `cohort.parquet` or `cohort.csv`: one row per recording with the columns
        of `terms.COHORT`, patient_id being the subject_id.

    Returns
    -------
    Database
        Age and sex of a recording come from the events `MEDS_BIRTH` and `GENDER//F` where the cohort does not say them.
        `ICD10CM/I50.9` and `DIAGNOSIS//ICD//10//I509` become system `icd10`, code `I509`; `LAB//50912//mg/dL` becomes
        `laboratory`, `50912`, mg/dL; of any other `A//B` the system is `a` and the code `B`; a code without `/` is of
        the system `meds`. `hadm_id`, where there is such a column, becomes the stay `hosp-<hadm_id>`.

    Raises
    ------
    FormatError
        If a file lacks one of the standard's columns.
    ContractError
        If the cohort breaks its contract.
    """
    files = tuple(sorted((folder / "data").glob("**/*.parquet")))
    rows = pl.scan_parquet(list(files), missing_columns="insert", extra_columns="ignore")
    held = rows.collect_schema()
    if missing := [name for name in NEEDED if name not in held]:
        msg = f"MEDS needs the columns {', '.join(NEEDED)}; got none named {', '.join(missing)} in {files[0]}. "
        msg += "Write the data set again."
        raise FormatError(msg)
    people = _read_people(rows)
    index = find_table(folder, "cohort")
    return Database(
        name=f"MEDS {folder.name}",
        folder=folder,
        cohort=COHORT.empty() if index is None else _complete(read_conforming(index, COHORT), people),
        events=as_events(_translate(rows), "meds").rows,
        tables=files if index is None else (index, *files),
        patients=PATIENTS.check(people.drop("born_at")),
    )


def _read_people(rows: pl.LazyFrame) -> pl.DataFrame:
    """Find birth, sex and death of each subject."""
    code, time = pl.col("code").cast(pl.String), pl.col("time").cast(pl.Datetime("us"))
    sex = code.str.to_uppercase().str.extract(_GENDER).replace_strict(_SEX, default=None, return_dtype=pl.String)
    return (
        rows.select(patient_id=pl.col("subject_id").cast(pl.String), code=code, time=time, sex=sex)
        .group_by("patient_id")
        .agg(
            sex=pl.col("sex").drop_nulls().first(),
            died_at=pl.col("time").filter(pl.col("code").str.starts_with(DEATH)).min(),
            born_at=pl.col("time").filter(pl.col("code").str.starts_with(BIRTH)).min(),
        )
        .sort("patient_id")
        .collect()
    )


def _complete(cohort: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    joined = cohort.join(people.drop("died_at"), on="patient_id", how="left", suffix="_said", validate="m:1")
    years = (pl.col("recorded_at") - pl.col("born_at")).dt.total_days() / 365.25
    return joined.with_columns(
        age_years=pl.coalesce("age_years", years.clip(0, 90)), sex=pl.coalesce("sex", "sex_said")
    ).drop("sex_said", "born_at")


def _translate(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Split codes of MEDS into system, code and unit."""
    whole, held = pl.col("code").cast(pl.String), rows.collect_schema()
    version, icd = whole.str.extract(_ICD, 1), whole.str.extract(_ICD, 2)
    item, unit = whole.str.extract(_ITEM, 1), whole.str.extract(_ITEM, 2)
    prefix, rest = whole.str.extract(r"^([^/]+)/+.+$", 1), whole.str.extract(r"^[^/]+/+(.+)$", 1)
    system = (
        pl.when(icd.is_not_null()).then(pl.lit("icd") + version)
        .when(item.is_not_null()).then(pl.lit("laboratory"))
        .otherwise(prefix.str.to_lowercase().fill_null("meds"))
    )  # fmt: skip
    stay = pl.lit("hosp-") + pl.col("hadm_id").cast(pl.Int64).cast(pl.String) if "hadm_id" in held else pl.lit(None)
    return rows.select(
        patient_id=pl.col("subject_id").cast(pl.String),
        time=pl.col("time").cast(pl.Datetime("us")),
        system=system,
        code=pl.coalesce(icd.str.replace_all(".", "", literal=True).str.to_uppercase(), item, rest, whole),
        value=pl.col("numeric_value").cast(pl.Float64),
        unit=unit,
        stay_id=stay.cast(pl.String),
    )
