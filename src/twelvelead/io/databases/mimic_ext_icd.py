"""MIMIC-IV-Ext-ICD (doi:10.48550/arXiv.2312.11050): the codes that publications gave each ECG, and their folds."""

from pathlib import Path

import polars as pl

from twelvelead.io.databases.events import EventTable, as_events
from twelvelead.io.databases.mimic_hosp import sex_of, stay_of
from twelvelead.io.databases.published import Table, collect, scan
from twelvelead.terms import FEATURES, FormatError

_TIME, _ID = pl.Datetime("us"), pl.String

LISTS = {
    "all_diag_all": "ext_icd_all",
    "all_diag_hosp": "ext_icd_all_hospital",
    "hosp_diag_hosp": "ext_icd_hospital",
    "ed_diag_ed": "ext_icd_emergency",
    "ed_diag_hosp": "ext_icd_emergency_hospital",
}
"""The published lists of codes, and the systems that they make."""

COUNTS = ("fold", "strat_fold", "ecg_no_within_stay")

RECORDS = Table(
    "records_w_diag_icd10",
    {"study_id": _ID, "subject_id": _ID, "all_diag_all": pl.String},
    {"ecg_time": _TIME, "ed_stay_id": _ID, "hosp_hadm_id": _ID, "gender": pl.String, "age": pl.Float64,
     **dict.fromkeys(COUNTS, pl.Int32)},
    {800_035: "1.0.1"},
    "MIMIC-IV-Ext-ICD",
)  # fmt: skip

TABLES = (RECORDS,)

_LIST = r"^\[\s*(?:['\"][^'\"]*['\"]\s*,?\s*)*\]$"


def read_recordings(path: Path) -> pl.DataFrame:
    """Read what it says of each recording besides codes.

    Returns
    -------
    DataFrame
        recording_id, patient_id, recorded_at, age_years, sex, stay_id and, where the release has them, fold, strat_fold
        and ecg_no_within_stay (−1 outside stays). The stay is the hospital's, or else that of the emergency department.

    Raises
    ------
    ContractError
        If a recording has two rows.
    FormatError
        If a value is not of its column's type.
    """
    rows = scan(RECORDS, path)
    held = rows.collect_schema()

    def of(name: str, value: pl.Expr, dtype: type[pl.DataType] | pl.DataType) -> pl.Expr:
        return value if name in held else pl.lit(None, dtype)

    stay = pl.coalesce(
        of("hosp_hadm_id", stay_of("hosp_hadm_id", "hosp"), pl.String),
        of("ed_stay_id", stay_of("ed_stay_id", "ed"), pl.String),
    )
    table = rows.select(
        recording_id="study_id",
        patient_id="subject_id",
        recorded_at=of("ecg_time", pl.col("ecg_time"), pl.Datetime("us")),
        age_years=of("age", pl.col("age").clip(upper_bound=90.0), pl.Float64),
        sex=of("gender", sex_of("gender"), pl.String),
        stay_id=stay,
        **{name: pl.col(name) for name in COUNTS if name in held},
    )
    return FEATURES.check(collect(table, path))


def codes(path: Path) -> list[EventTable]:
    """Give the lists of codes as events of their recording, a system per list (`LISTS`).

    Raises
    ------
    FormatError
        If a cell holds no list.

    Notes
    -----
    These codes were mapped to ICD-10 by code alone, without its version, so that ICD-9 V42.2 (heart valve replaced by
    transplant) became ICD-10 V42.2 (a car occupant's accident). They serve to repeat the publications; `icd9` and
    `icd10` of `diagnoses_icd` serve to do better. A missing code, published as NoDx, is none.
    """
    rows = scan(RECORDS, path)
    held = rows.collect_schema()
    present = [name for name in LISTS if name in held]
    _require_lists(rows, [name for name in present if held[name] == pl.String], path)
    return [_events_of(rows, name, listed=isinstance(held[name], pl.List)) for name in present]


def _events_of(rows: pl.LazyFrame, name: str, *, listed: bool) -> EventTable:
    found = pl.col(name) if listed else pl.col(name).str.extract_all(r"[A-Za-z0-9.]+")
    held = rows.collect_schema()
    table = rows.select(
        patient_id="subject_id",
        recording_id="study_id",
        time=pl.col("ecg_time") if "ecg_time" in held else pl.lit(None, pl.Datetime("us")),
        code=found,
    ).explode("code")
    code = pl.col("code").str.replace_all(".", "", literal=True).str.to_uppercase()
    return as_events(table.with_columns(code=code).filter(code.str.len_chars() > 0, code != "NODX"), LISTS[name])


def _require_lists(rows: pl.LazyFrame, names: list[str], path: Path) -> None:
    """Refuse cells that are no list; empty ones are none that has no code."""
    if not names:
        return
    wrong = pl.any_horizontal(~pl.col(name).str.contains(_LIST) for name in names)
    first = collect(rows.select("study_id", *names).filter(wrong).head(1), path)
    if first.height:
        msg = f"{path} must hold lists of codes such as ['I10', 'E119']; got {first.row(0)[1:]} in study "
        msg += f"{first.row(0)[0]}. Download it again."
        raise FormatError(msg)
