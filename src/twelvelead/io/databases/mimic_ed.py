"""MIMIC-IV-ED 2.2 (doi:10.13026/5ntk-km72): emergency stays, their diagnoses, vital signs and triage."""

from pathlib import Path

import polars as pl

from twelvelead.io.databases.events import EventTable, as_events
from twelvelead.io.databases.mimic_hosp import at_end_of_stay, icd_code, icd_system, stay_of
from twelvelead.io.databases.published import Table, collect, scan
from twelvelead.terms import STAYS

_TIME, _ID, _NUMBER = pl.Datetime("us"), pl.String, pl.Float64
_PART = "MIMIC-IV-ED"

VITALS = {
    "temperature": "[degF]", "heartrate": "/min", "resprate": "/min", "o2sat": "%", "sbp": "mm[Hg]", "dbp": "mm[Hg]",
}  # fmt: skip
"""The published names of the vital signs, and their units."""

EDSTAYS = Table(
    "edstays",
    {"subject_id": _ID, "hadm_id": _ID, "stay_id": _ID, "intime": _TIME, "outtime": _TIME},
    {"gender": pl.String},
    {425_087: "2.2"},
    _PART,
)
DIAGNOSIS = Table(
    "diagnosis",
    {"subject_id": _ID, "stay_id": _ID, "icd_code": pl.String, "icd_version": pl.Int8},
    part=_PART,
)
VITALSIGN = Table(
    "vitalsign",
    {"subject_id": _ID, "stay_id": _ID, "charttime": _TIME, **dict.fromkeys(VITALS, _NUMBER)},
    part=_PART,
)
TRIAGE = Table(
    "triage",
    {"subject_id": _ID, "stay_id": _ID, **dict.fromkeys(VITALS, _NUMBER)},
    {"acuity": _NUMBER},
    {425_087: "2.2"},
    _PART,
)

TABLES = (EDSTAYS, DIAGNOSIS, VITALSIGN, TRIAGE)


def read_stays(path: Path) -> pl.DataFrame:
    """Read the emergency stays, keeping `terms.STAYS`."""
    rows = scan(EDSTAYS, path).select(
        stay_id=stay_of("stay_id", "ed"),
        patient_id="subject_id",
        kind=pl.lit("emergency"),
        start="intime",
        end="outtime",
        hospital_stay_id=stay_of("hadm_id", "hosp"),
    )
    return STAYS.check(collect(rows, path))


def diagnoses(path: Path, stays: pl.DataFrame | None) -> EventTable:
    """Diagnoses of emergency stays (`icd9`, `icd10`), at the end of the stay where that is known."""
    rows = scan(DIAGNOSIS, path).select(
        patient_id="subject_id", stay_id=stay_of("stay_id", "ed"), system=icd_system(), code=icd_code("icd_code")
    )
    return as_events(at_end_of_stay(rows, stays), "icd9", "icd10")


def vital_signs(path: Path) -> EventTable:
    """Vital signs in the course of the emergency stay (`vital`); one event per sign that was taken."""
    return _vitals(scan(VITALSIGN, path).rename({"charttime": "time"}), VITALS)


def triage(path: Path, stays: pl.DataFrame | None) -> EventTable:
    """Vital signs and acuity at triage (`vital`), at the beginning of the stay where that is known."""
    rows = scan(TRIAGE, path)
    signs = VITALS | ({"acuity": "1"} if "acuity" in rows.collect_schema() else {})
    if stays is None:
        return _vitals(rows.with_columns(time=pl.lit(None, pl.Datetime("us"))), signs)
    starts = stays.lazy().select(stay_of_patient="stay_id", time="start")
    rows = rows.with_columns(stay_of_patient=stay_of("stay_id", "ed"))
    return _vitals(rows.join(starts, on="stay_of_patient", how="left", maintain_order="left"), signs)


def _vitals(rows: pl.LazyFrame, signs: dict[str, str]) -> EventTable:
    long = rows.select("subject_id", "stay_id", "time", *signs).unpivot(
        on=list(signs), index=["subject_id", "stay_id", "time"], variable_name="code", value_name="value"
    )
    return as_events(
        long.filter(pl.col("value").is_not_null()).select(
            "time",
            "code",
            "value",
            patient_id="subject_id",
            unit=pl.col("code").replace_strict(signs, return_dtype=pl.String),
            stay_id=stay_of("stay_id", "ed"),
        ),
        "vital",
    )
