"""Which hospital stay and which emergency stay a recording belongs to."""

from typing import Literal

import polars as pl

from twelvelead.terms import COHORT, STAYS

LINKS = ("hospital_stay_id", "led_to_stay_id", "emergency_stay_id")
"""What `link_stays` adds: the hospital stay during the ECG, the one that the emergency stay led to, and the latter."""


def link_stays(cohort: pl.DataFrame, stays: pl.DataFrame, *, rule: Literal["sound", "paper"] = "sound") -> pl.DataFrame:
    """Find the stays during which each ECG was recorded.

    Parameters
    ----------
    cohort : DataFrame keeping `terms.COHORT`
        Recordings.
    stays : DataFrame keeping `terms.STAYS`
        Hospital and emergency stays.
    rule : {"sound", "paper"}
        "sound": an ECG at the very moment of admission or discharge belongs to the stay; of several stays it is the
        one that began first. "paper": it doesn't, and of several it is the first of the table
        (doi:10.1093/ehjdh/ztae039).

    Returns
    -------
    DataFrame keeping `terms.COHORT`
        In the order of `cohort`, with the columns of `LINKS` and n_within_stay, the number of the ECG in the hospital
        stay, else in the emergency stay, from 0; null without a stay. stay_id is what the database says of it, else
        the hospital stay, else the one that the emergency stay led to, else the emergency stay.

    Notes
    -----
    The stays of the ECG's own patient are joined and those kept that contain it: the work grows with the patient's
    recordings times stays, a few, and not with the tables.
    """
    COHORT.check(cohort)
    recordings = cohort.lazy().select("recording_id", "patient_id", "recorded_at")
    of_patient = STAYS.check(stays).lazy().with_row_index("_place")
    at = pl.col("recorded_at")
    closed: Literal["both", "none"] = "both" if rule == "sound" else "none"
    inside = (
        recordings.join(of_patient, on="patient_id")
        .filter(at.is_between("start", "end", closed=closed))
        .sort(*(("start", "stay_id") if rule == "sound" else ("_place",)))
        .unique(["recording_id", "kind"], keep="first", maintain_order=True)
        .collect()
    )
    hospital = inside.filter(pl.col("kind") == "hospital").select("recording_id", hospital_stay_id="stay_id")
    emergency = inside.filter(pl.col("kind") == "emergency").select(
        "recording_id", led_to_stay_id="hospital_stay_id", emergency_stay_id="stay_id"
    )
    linked = cohort.drop(*LINKS, "n_within_stay", strict=False)
    for part in (hospital, emergency):
        linked = linked.join(part, on="recording_id", how="left", validate="1:1", maintain_order="left")
    linked = linked.with_columns(stay_id=pl.coalesce("stay_id", *LINKS))
    return COHORT.check(_number(linked))


def _number(linked: pl.DataFrame) -> pl.DataFrame:
    """Count the recordings of each stay in the order of time."""
    stay = pl.coalesce("hospital_stay_id", "emergency_stay_id")
    ordered = linked.select("recording_id", "recorded_at", stay=stay).drop_nulls("stay")
    ordered = ordered.sort("recorded_at", "recording_id")
    numbers = ordered.select("recording_id", n_within_stay=pl.int_range(pl.len(), dtype=pl.Int32).over("stay"))
    return linked.join(numbers, on="recording_id", how="left", validate="1:1", maintain_order="left")
