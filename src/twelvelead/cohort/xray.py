"""Chest X-rays and the ECG before each of them."""

from typing import Literal

import polars as pl

from twelvelead.cohort.event_class import window
from twelvelead.terms import COHORT, EVENTS, ContractError


def pair_xrays(
    cohort: pl.DataFrame,
    events: pl.LazyFrame,
    *,
    unit: Literal["study", "image"],
    within_h: float,
    system: str = "chest_xray",
) -> tuple[pl.DataFrame, pl.LazyFrame]:
    """Match every chest X-ray to the patient's nearest ECG before it, and let the X-ray annotate that ECG.

    Parameters
    ----------
    cohort : DataFrame keeping `terms.COHORT`
        ECGs.
    events : LazyFrame keeping `terms.EVENTS`, with a column source_id
        Findings. source_id names the study (`s50414267`) or study and image (`s50414267/02aa804e`).
    unit : {"study", "image"}
        What is one row of the result. "study": an X-ray study, and each ECG once, with the nearest of the studies that
        follow it. "image": as published (doi:10.48550/arXiv.2509.17674), where two images of one study, and two studies
        after one ECG, are rows of their own: the same ECG again.
    within_h : float
        Longest delay from the ECG to the X-ray, in hours; the X-ray must come after the ECG.
    system : str
        Whose findings.

    Returns
    -------
    cohort : DataFrame keeping `terms.COHORT`
        One row per unit that has an ECG, sorted by recording_id, with the columns ecg_id (the recording), source_id and
        delay_h. recording_id is the ECG's where the unit is the study, and `<ECG>@<image>` where it is the image.
    events : LazyFrame keeping `terms.EVENTS`
        The findings, whose recording_id is that of the row they belong to: an `Outcome` with link "recording" fits. A
        row that was read has other findings, so that one not mentioned is absent.

    Raises
    ------
    ContractError
        If the events have no source_id: two images at one time can't be told apart then.
    """
    if "source_id" not in events.collect_schema():
        msg = f"events: must have the column source_id, the X-ray that a finding of {system} is from; got none. Add it."
        raise ContractError(msg)
    name = pl.col("source_id") if unit == "image" else pl.col("source_id").str.split("/").list.first()
    findings = EVENTS.check_schema(events).filter(pl.col("system") == system).with_columns(_unit=name)
    units = findings.drop_nulls("time").group_by("patient_id", "_unit").agg(pl.col("time").min())
    pairs = _nearest_before(cohort, units.collect(engine="streaming"), within_h)
    if unit == "study":
        pairs = pairs.sort("delay_h", "_unit").unique("ecg_id", keep="first", maintain_order=True)
        pairs = pairs.with_columns(recording_id=pl.col("ecg_id"))
    else:
        pairs = pairs.with_columns(recording_id=pl.col("ecg_id") + "@" + pl.col("_unit"))
    rows = pairs.join(cohort.rename({"recording_id": "ecg_id"}), on="ecg_id", validate="m:1")
    rows = rows.rename({"_unit": "source_id"}).sort("recording_id")
    rows = rows.select(*cohort.columns, "ecg_id", "source_id", "delay_h")
    row_of = pairs.lazy().select("patient_id", "_unit", _row="recording_id")
    annotating = findings.join(row_of, on=["patient_id", "_unit"]).with_columns(recording_id=pl.col("_row"))
    return COHORT.check(rows), annotating.drop("_unit", "_row")


def _nearest_before(cohort: pl.DataFrame, units: pl.DataFrame, within_h: float) -> pl.DataFrame:
    """Join each X-ray to the last ECG before it: columns patient_id, _unit, ecg_id, delay_h."""
    ecgs = cohort.select("patient_id", "recorded_at", ecg_id="recording_id").drop_nulls("recorded_at")
    joined = units.sort("time", "_unit").join_asof(
        ecgs.sort("recorded_at", "ecg_id"),
        left_on="time",
        right_on="recorded_at",
        by="patient_id",
        strategy="backward",
        allow_exact_matches=False,
        tolerance=window((0.0, within_h))[1],
        check_sortedness=False,
    )
    delay = (pl.col("time") - pl.col("recorded_at")).dt.total_microseconds() / 3.6e9
    return joined.drop_nulls("ecg_id").select("patient_id", "_unit", "ecg_id", delay_h=delay)
