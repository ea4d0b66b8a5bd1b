"""MIMIC-IV-Ext-ICD 1.0.1: one row per ECG with the codes that the published pipeline gave it, and folds.

The pipeline looked codes up without their ICD version. So ICD-9 V42.2 stands here as ICD-10 V42.2, as it does there.
"""

import numpy as np
import polars as pl

from twelvelead.cohort import assign_folds
from twelvelead.simulate.published.population import BLOCK, Block

_FOLDS = 20
_AGE_BANDS = (51, 63, 75)  # about the quartiles
_LISTS = ("ed_diag_ed", "ed_diag_hosp", "hosp_diag_hosp", "all_diag_hosp", "all_diag_all")


def records(
    block: Block,
    ecgs: pl.DataFrame,
    visits: pl.DataFrame,
    *,
    patients: pl.DataFrame,
    hospital: pl.DataFrame,
    emergency: pl.DataFrame,
) -> pl.DataFrame:
    """Return `records_w_diag_icd10.csv`.

    Parameters
    ----------
    block : Block
        Patients and ECGs.
    ecgs : polars.DataFrame
        As `mimic_ecg.keys` returns them.
    visits : polars.DataFrame
        As `visits.draw_visits` returns them.
    patients, hospital, emergency : polars.DataFrame
        The patients table, and codes as `mimic_hosp.coded_stays` returns them.
    """
    linked = _link(block, ecgs, visits)
    listed = linked
    for stay, codes, column in (
        ("ed_stay_id", emergency.rename({"stay_id": "ed_stay_id"}), "ed_diag_ed"),
        ("ed_hadm_id", hospital.rename({"hadm_id": "ed_hadm_id"}), "ed_diag_hosp"),
        ("hosp_hadm_id", hospital.rename({"hadm_id": "hosp_hadm_id"}), "hosp_diag_hosp"),
    ):
        lists = codes.group_by(stay).agg(pl.col("collided").unique().sort().alias(column))
        listed = listed.join(lists, on=stay, how="left", maintain_order="left", validate="m:1")
        listed = listed.with_columns(pl.col(column).fill_null([]))
    in_hospital = pl.concat_list("ed_diag_hosp", "hosp_diag_hosp").list.unique().list.sort()
    listed = listed.with_columns(all_diag_hosp=in_hospital)
    listed = listed.with_columns(
        all_diag_all=pl.when(pl.col("all_diag_hosp").list.len() > 0).then("all_diag_hosp").otherwise("ed_diag_ed")
    )
    return _select(listed.with_columns(**_folds(block, listed)), patients)


def _link(block: Block, ecgs: pl.DataFrame, visits: pl.DataFrame) -> pl.DataFrame:
    """Say of each ECG in which stay it was recorded, and its number there."""
    at = pl.col("ecg_time")
    table = ecgs.hstack(block.recordings.select("patient", "visit", "age_years"))
    stays = visits.select("visit", "stay_id", "hadm_id", "intime", "outtime", "admittime", "dischtime")
    joined = table.join(stays, on="visit", how="left", maintain_order="left", validate="m:1")
    in_ed, in_hospital = (
        (at > pl.col("intime")) & (at < pl.col("outtime")),
        (at > pl.col("admittime")) & (at < pl.col("dischtime")),
    )
    linked = joined.with_columns(
        ed_stay_id=pl.when(in_ed).then("stay_id"),
        ed_hadm_id=pl.when(in_ed).then("hadm_id"),
        hosp_hadm_id=pl.when(in_hospital).then("hadm_id"),
    )
    stay = pl.coalesce("hosp_hadm_id", "ed_stay_id")
    number = pl.when(stay.is_null()).then(-1).otherwise(pl.int_range(pl.len()).over(stay))
    return linked.with_columns(ecg_no_within_stay=number)


def _folds(block: Block, listed: pl.DataFrame) -> dict[str, pl.Series]:
    """Give each patient two folds: one by lot, one balanced in codes, age and sex within the block.

    As published, they cut no patient in two. A block of fewer patients than folds is not balanced.
    """
    patient = block.recordings["patient"].to_numpy()
    even = np.tile(np.arange(_FOLDS), BLOCK // _FOLDS)
    by_lot = pl.Series(even[np.argsort(block.uniform("fold", BLOCK))][patient])
    if block.patients.height < _FOLDS:
        return {"fold": by_lot, "strat_fold": by_lot}
    name = pl.Series("recording_id", np.arange(patient.size)).cast(pl.String).str.zfill(6)
    age = block.recordings["age_years"]
    bands = {f"from_{limit}": age >= limit for limit in _AGE_BANDS}
    table = pl.DataFrame({"recording_id": name, "patient_id": patient, "female": block.recordings["female"], **bands})
    codes = listed.select(recording_id=name, stratum="all_diag_all").explode("stratum").drop_nulls()
    balanced = assign_folds(table, n_folds=_FOLDS, seed=block.seed + block.number, strata=codes)
    return {"fold": by_lot, "strat_fold": balanced["fold"]}


def _select(listed: pl.DataFrame, patients: pl.DataFrame) -> pl.DataFrame:
    known = patients.drop("patient", "anchor_year_group")
    joined = listed.join(known, on="subject_id", how="left", maintain_order="left", validate="m:1")
    in_ed, in_hospital = pl.col("ed_stay_id").is_not_null(), pl.col("hosp_hadm_id").is_not_null()
    age = pl.col("anchor_age") + pl.col("ecg_time").dt.year() - pl.col("anchor_year")
    return joined.select(
        file_name=pl.lit("mimic-iv-ecg-diagnostic-electrocardiogram-matched-subset-1.0/") + pl.col("path"),
        study_id="study_id",
        subject_id="subject_id",
        ecg_time="ecg_time",
        **{name: pl.col(name).cast(pl.Float64) for name in ("ed_stay_id", "ed_hadm_id", "hosp_hadm_id")},
        **{name: _literal(name) for name in _LISTS},
        gender=pl.col("gender").fill_null("missing"),
        age=age.cast(pl.Float64),
        anchor_year=pl.col("anchor_year").cast(pl.Float64),
        anchor_age=pl.col("anchor_age").cast(pl.Float64),
        dod="dod",
        ecg_no_within_stay="ecg_no_within_stay",
        ecg_taken_in_ed=_boolean(in_ed),
        ecg_taken_in_hosp=_boolean(in_hospital),
        ecg_taken_in_ed_or_hosp=_boolean(in_ed | in_hospital),
        fold="fold",
        strat_fold="strat_fold",
    )


def _literal(name: str) -> pl.Expr:
    """Write a list of codes as Python does."""
    some = pl.format("['{}']", pl.col(name).list.join("', '"))
    return pl.when(pl.col(name).list.len() > 0).then(some).otherwise(pl.lit("[]"))


def _boolean(value: pl.Expr) -> pl.Expr:
    return pl.when(value).then(pl.lit("True")).otherwise(pl.lit("False"))
