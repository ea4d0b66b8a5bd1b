"""Age at the time of each ECG, in a database whose dates are shifted."""

from typing import Literal

import polars as pl

from twelvelead.terms import COHORT

OLDEST = 90.0


def add_age(cohort: pl.DataFrame, anchors: pl.DataFrame, *, at: Literal["recording", "anchor"]) -> pl.DataFrame:
    """Give every recording the patient's age.

    Parameters
    ----------
    cohort : DataFrame keeping `terms.COHORT`
        Recordings; their age_years is replaced where the patient has an anchor.
    anchors : DataFrame with columns patient_id, anchor_age, anchor_year
        A year of each patient's shifted calendar and the age in it, one row per patient.
    at : {"recording", "anchor"}
        "recording": the age in the year of the ECG. "anchor": the age in the anchor year, whenever the ECG was
        recorded (a fault of doi:10.1038/s41598-025-26715-5).

    Returns
    -------
    DataFrame keeping `terms.COHORT`
        In the order of `cohort`. Ages above 89, published as 91 in the anchor year, are 90.

    Examples
    --------
    >>> from datetime import datetime
    >>> ecg = {"recording_id": "e", "patient_id": "p", "recorded_at": datetime(2153, 1, 1)}
    >>> cohort = COHORT.empty().clear().vstack(pl.DataFrame([ecg], schema=COHORT.schema))
    >>> anchors = pl.DataFrame({"patient_id": ["p"], "anchor_age": [60], "anchor_year": [2150]})
    >>> add_age(cohort, anchors, at="recording")["age_years"].item()
    63.0
    """
    joined = cohort.join(
        anchors.select("patient_id", "anchor_age", "anchor_year"),
        on="patient_id",
        how="left",
        validate="m:1",
        maintain_order="left",
    )
    since = pl.col("recorded_at").dt.year() - pl.col("anchor_year") if at == "recording" else pl.lit(0)
    age = (pl.col("anchor_age") + since).cast(pl.Float64).clip(upper_bound=OLDEST)
    known = pl.when(pl.col("anchor_age").is_null()).then("age_years").otherwise(age)
    return COHORT.check(joined.with_columns(age_years=known).drop("anchor_age", "anchor_year"))
