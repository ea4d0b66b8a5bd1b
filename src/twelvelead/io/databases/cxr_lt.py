"""CXR-LT 2024 (doi:10.13026/ryj9-x506): 45 findings of each image of MIMIC-CXR-JPG, present or absent."""

from pathlib import Path

import polars as pl

from twelvelead.io.databases.events import SOURCE, EventTable, as_events
from twelvelead.io.databases.mimic_cxr import study
from twelvelead.io.databases.published import Table, scan

_ID = pl.String

LABELS = Table(
    "labels",
    {"dicom_id": _ID, "subject_id": _ID, "study_id": _ID, "Atelectasis": pl.Float64, "Osteopenia": pl.Float64},
    part="CXR-LT",
)
"""Osteopenia is not among the findings of 2023, whose table may lie in a neighbouring folder."""

TABLES = (LABELS,)
FRONTAL = ("AP", "PA")
NO_FINDING = {
    "dicom_id", "subject_id", "study_id", "fpath", "path", "split", "fold", "ViewPosition", "view", "Rows", "Columns",
    "StudyDate", "StudyTime",
}  # fmt: skip
"""Columns that say what image it is, and not what is seen on it."""


def labels(path: Path, images: pl.DataFrame | None) -> EventTable:
    """Give the findings of each image (`chest_xray`; `chest_xray_lateral` where it is not frontal).

    Parameters
    ----------
    path : Path
        `labels`.
    images : DataFrame or None
        As `mimic_cxr.read_images` gives them. Without them there is no time, and all images count as frontal.

    Notes
    -----
    One event per image and finding, of value 1 or 0. `source_id` is study and image, `s50414267/02aa804e-…`, so that an
    image or a study can be the unit.
    """
    rows = scan(LABELS, path)
    findings = [name for name in rows.collect_schema() if name not in NO_FINDING and not name.startswith("Unnamed")]
    table = rows.select(
        "dicom_id",
        patient_id="subject_id",
        source_id=study("study_id") + "/" + pl.col("dicom_id"),
        **{name: pl.col(name).cast(pl.Float64, strict=False) for name in findings},
    )
    if images is None:
        table = table.with_columns(time=pl.lit(None, pl.Datetime("us")), system=pl.lit("chest_xray"))
    else:
        is_frontal = pl.col("view").is_in(FRONTAL).fill_null(value=False)
        system = pl.when(is_frontal).then(pl.lit("chest_xray")).otherwise(pl.lit("chest_xray_lateral"))
        taken = images.lazy().select("dicom_id", "time", system=system)
        table = table.join(taken, on="dicom_id", how="left", maintain_order="left").with_columns(
            pl.col("system").fill_null("chest_xray_lateral")
        )
    index = ["patient_id", SOURCE, "time", "system"]
    long = table.select(*index, *findings).unpivot(on=findings, index=index, variable_name="code", value_name="value")
    return as_events(long.filter(pl.col("value").is_not_null()), "chest_xray", "chest_xray_lateral")
