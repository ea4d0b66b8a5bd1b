"""Which recordings a study may use, and which of a patient's recordings is the index ECG."""

from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from twelvelead.cohort.flow import count_step
from twelvelead.terms import COHORT, FLOW

Index = Literal["all", "first_per_patient", "first_per_stay"]


class Eligibility(BaseModel):
    """Who may enter a study, and by which ECG.

    Parameters
    ----------
    min_age_years, max_age_years : float or None
        Age limits at the time of the ECG, both included. A recording of unknown age is excluded where one is set.
    index : {"all", "first_per_patient", "first_per_stay"}
        Whether every ECG of a patient counts, or only the earliest of the patient or of each stay.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_age_years: float | None = Field(default=None, ge=0)
    max_age_years: float | None = Field(default=None, ge=0)
    index: Index = "all"


def select_eligible(
    cohort: pl.DataFrame, eligibility: Eligibility, *, start: str = "ECG recordings in the database"
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Keep the recordings that a study may use, and count what each rule took away.

    Parameters
    ----------
    cohort : DataFrame keeping `terms.COHORT`
        All recordings of the database.
    eligibility : Eligibility
        The rules.
    start : str
        What the flow begins with.

    Returns
    -------
    cohort : DataFrame
        The eligible recordings, sorted by recording_id.
    flow : DataFrame keeping `terms.FLOW`
        One row per rule that was applied.

    Notes
    -----
    Ties in time are broken by recording_id, so that the choice of the first ECG does not depend on the order of rows. A
    recording without a stay is its own stay.
    """
    left = COHORT.check(cohort).sort("recording_id")
    flow = count_step(FLOW.empty(), start, left)
    if eligibility.min_age_years is not None:
        left = left.filter(pl.col("age_years") >= eligibility.min_age_years)
        flow = count_step(flow, f"aged {eligibility.min_age_years:g} years or more", left)
    if eligibility.max_age_years is not None:
        left = left.filter(pl.col("age_years") <= eligibility.max_age_years)
        flow = count_step(flow, f"aged {eligibility.max_age_years:g} years or less", left)
    if eligibility.index == "first_per_patient":
        left = _first(left, pl.col("patient_id"))
        flow = count_step(flow, "first ECG of the patient", left)
    if eligibility.index == "first_per_stay":
        left = _first(left, pl.coalesce("stay_id", "recording_id"))
        flow = count_step(flow, "first ECG of the stay", left)
    return left, flow


def _first(cohort: pl.DataFrame, unit: pl.Expr) -> pl.DataFrame:
    ordered = cohort.with_columns(_unit=unit).sort("recorded_at", "recording_id", nulls_last=True)
    return ordered.unique("_unit", keep="first", maintain_order=True).drop("_unit").sort("recording_id")
