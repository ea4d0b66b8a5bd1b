"""MIMIC-CXR-JPG 2.0 (doi:10.13026/8360-t248): chest X-rays, and findings that two programs read in their reports."""

from pathlib import Path

import polars as pl

from twelvelead.io.databases.events import EventTable, as_events
from twelvelead.io.databases.published import Table, collect, scan

_ID = pl.String
_PART = "MIMIC-CXR-JPG"

FINDINGS = (
    "Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Enlarged Cardiomediastinum", "Fracture", "Lung Lesion",
    "Lung Opacity", "No Finding", "Pleural Effusion", "Pleural Other", "Pneumonia", "Pneumothorax", "Support Devices",
)  # fmt: skip
_LABELS = {"subject_id": _ID, "study_id": _ID, **dict.fromkeys(FINDINGS, pl.Float64)}

CHEXPERT = Table("mimic-cxr-2.0.0-chexpert", _LABELS, rows={227_827: "2.0.0"}, part=_PART)
NEGBIO = Table("mimic-cxr-2.0.0-negbio", _LABELS, rows={227_827: "2.0.0"}, part=_PART)
METADATA = Table(
    "mimic-cxr-2.0.0-metadata",
    {"dicom_id": _ID, "subject_id": _ID, "study_id": _ID, "ViewPosition": pl.String, "StudyDate": _ID,
     "StudyTime": pl.Float64},
    rows={377_110: "2.0.0"},
    part=_PART,
)  # fmt: skip
SPLIT = Table(
    "mimic-cxr-2.0.0-split",
    {"dicom_id": _ID, "study_id": _ID, "subject_id": _ID, "split": pl.String},
    rows={377_110: "2.0.0"},
    part=_PART,
)

TABLES = (CHEXPERT, NEGBIO, METADATA, SPLIT)

CHEXPERT_SYSTEM, NEGBIO_SYSTEM = "chest_xray_chexpert", "chest_xray_negbio"
_LABELLERS = {CHEXPERT_SYSTEM: CHEXPERT, NEGBIO_SYSTEM: NEGBIO}


def read_images(path: Path) -> pl.DataFrame:
    """Read when each image was taken: columns dicom_id, study_id (`s50414267`), view, time.

    Notes
    -----
    Times are published as numbers: 20180506 and 213014.531, or 3014.5 for half past midnight.
    """
    date, clock = pl.col("StudyDate").str.slice(0, 8), pl.col("StudyTime")
    day = date.str.to_date("%Y%m%d").cast(pl.Datetime("us"))
    seconds = (clock // 10_000) * 3600 + (clock % 10_000 // 100) * 60 + clock % 100
    rows = scan(METADATA, path).select(
        "dicom_id",
        study_id=study("study_id"),
        view=pl.col("ViewPosition").str.to_uppercase(),
        time=day + pl.duration(microseconds=(seconds * 1e6).round().cast(pl.Int64)),
    )
    return collect(rows, path)


def study(column: str) -> pl.Expr:
    """Name an X-ray study as CXR-LT and the image folders do: `s50414267`."""
    return pl.lit("s") + pl.col(column).str.strip_prefix("s")


def labels(path: Path, images: pl.DataFrame | None, *, system: str) -> EventTable:
    """Give a labeller's findings, one event per study and finding that the report mentions.

    Parameters
    ----------
    path : Path
        The labeller's table.
    images : DataFrame or None
        As `read_images` gives them; without them events have no time.
    system : {"chest_xray_chexpert", "chest_xray_negbio"}
        Whose findings they are.

    Notes
    -----
    The value is as published: 1 present, 0 absent, −1 uncertain; what the report does not mention makes no event. The
    time is that of the study's first image, `source_id` is the study.
    """
    long = (
        scan(_LABELLERS[system], path)
        .select("subject_id", source_id=study("study_id"), **{name: pl.col(name) for name in FINDINGS})
        .unpivot(on=list(FINDINGS), index=["subject_id", "source_id"], variable_name="code", value_name="value")
        .filter(pl.col("value").is_not_null())
        .rename({"subject_id": "patient_id"})
    )
    if images is not None:
        first = images.lazy().group_by("study_id").agg(pl.col("time").min())
        long = long.join(first, left_on="source_id", right_on="study_id", how="left", maintain_order="left")
    return as_events(long, system)


def read_split(path: Path) -> pl.DataFrame:
    """Read the published split of patients: columns patient_id, cxr_split (train, validate or test)."""
    rows = scan(SPLIT, path).select(patient_id="subject_id", cxr_split="split").unique().sort("patient_id")
    return collect(rows, path)
