"""Chest X-rays: the tables of MIMIC-CXR-JPG 2.1.0, and the labels of CXR-LT 2024."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.simulate.published.findings import CHEXPERT, FINDINGS, NORMAL, PUBLISHED_ORDER
from twelvelead.simulate.published.identifiers import hexadecimal_ids, scattered_ids, subject_ids
from twelvelead.simulate.published.outcomes import Fate
from twelvelead.simulate.published.population import Block

_HOUR, _DAY = 60, 1440  # in minutes
_TAKEN = {"index": 0.5, "before": 0.2, "later": 0.2}
_TWICE = 0.06  # share of the X-rays that are repeated within the hour
_OTHERWISE = 0.15  # share that has a finding in X-rays far from any ECG
_UNCERTAIN, _DENIED = 0.08, 0.12


def draw_studies(block: Block, visits: pl.DataFrame, fate: Fate) -> pl.DataFrame:
    """Draw X-ray studies and what they show.

    Returns
    -------
    polars.DataFrame
        One row per study: `recording`, `subject_id`, `study_id`, `time`, and a column of 0 and 1 for each finding.

    Notes
    -----
    Half of the ECGs of a stay have an X-ray within 20 h after them and before the patient's next ECG ("index"): it
    shows what the truth says. Others lie before the first or more than a day after the last ECG of a visit, and show
    what they show.
    """
    truth = block.recordings
    stay = (visits["kind"] != "none").to_numpy()[truth["visit"].to_numpy()]
    until = np.minimum(20 * _HOUR, truth["minutes_to_next"].to_numpy() - 2)
    tables = []
    for name, start, end, of in (
        ("index", np.ones(truth.height), until, np.ones(truth.height, dtype=bool)),
        ("before", np.full(truth.height, -30 * _HOUR), np.full(truth.height, -_HOUR), truth["is_first"].to_numpy()),
        ("later", np.full(truth.height, 26 * _HOUR), np.full(truth.height, 8 * _DAY), truth["is_last"].to_numpy()),
    ):
        chance, place, twice = block.uniform(f"xray/{name}", truth.height, 3).T
        rows = np.flatnonzero(stay & of & (chance < _TAKEN[name]))
        seconds = np.floor((start + (end - start) * place)[rows] * 60).astype(np.int64)
        table = _studies(block, rows, seconds, shown=_shown(block, name, rows, fate))
        again = (twice[rows] < _TWICE) & (until[rows] == 20 * _HOUR) & (seconds < 19 * 3600)
        tables += [table, table.filter(pl.Series(again)).with_columns(pl.col("time") + pl.duration(minutes=40))]
    studies = pl.concat(tables)
    return studies.with_columns(
        study_id=pl.Series(scattered_ids(block, 50_000_000, studies.height)),
        subject_id=pl.Series(subject_ids(block)[truth["patient"].to_numpy()])[studies["recording"]],
    ).sort("subject_id", "time")


def _shown(block: Block, name: str, rows: NDArray[np.int64], fate: Fate) -> dict[str, NDArray[np.bool_]]:
    if name == "index":
        return {finding: fate.findings[finding][rows] for finding in PUBLISHED_ORDER}
    n = block.recordings.height
    by_chance = block.uniform(f"xray/{name}/shown", n, len(FINDINGS))[rows] < _OTHERWISE
    shown = {f.name: by_chance[:, j] for j, f in enumerate(FINDINGS)}
    shown[NORMAL] = np.logical_not(np.any(by_chance, axis=1))
    return shown


def _studies(
    block: Block, rows: NDArray[np.int64], seconds: NDArray[np.int64], *, shown: dict[str, NDArray[np.bool_]]
) -> pl.DataFrame:
    shift = pl.Series(seconds * 1_000_000).cast(pl.Duration("us"))
    columns: dict[str, Any] = {"recording": rows, "time": block.recordings["recorded_at"][rows] + shift}
    return pl.DataFrame(columns | {f: shown[f].astype(np.int8) for f in PUBLISHED_ORDER})


def draw_images(block: Block, studies: pl.DataFrame) -> pl.DataFrame:
    """Draw the images of each study: one or two from the front of a patient in bed, or one standing and one lateral."""
    view, second = block.uniform("view", studies.height, 2).T
    in_bed, more = pl.Series(view < 0.55), pl.Series(second < 0.15)
    front = pl.when(in_bed).then(pl.lit("AP")).otherwise(pl.lit("PA"))
    first = studies.with_columns(view=front)
    other = studies.with_columns(
        view=pl.when(in_bed).then(pl.lit("AP")).otherwise(pl.lit("LATERAL")),
        time=pl.col("time") + pl.duration(seconds=35),
    ).filter(~in_bed | more)
    images = pl.concat([first, other]).sort("subject_id", "time")
    thousandths = np.floor(1000 * block.uniform("image_time", images.height)).astype(np.int64) * 1000
    return images.with_columns(
        dicom_id=hexadecimal_ids(block, "dicom", images.height),
        time=pl.col("time") + pl.Series(thousandths).cast(pl.Duration("us")),
    )


def metadata(images: pl.DataFrame) -> pl.DataFrame:
    """Return `mimic-cxr-2.0.0-metadata.csv.gz`: date and time of day as numbers, 20180506 and 213014.531."""
    time = pl.col("time").dt
    clock = time.hour().cast(pl.Int64) * 10_000 + time.minute().cast(pl.Int64) * 100 + time.second()
    portable = pl.lit("CHEST (PORTABLE AP)")
    procedure = pl.when(pl.col("view") == "AP").then(portable).otherwise(pl.lit("CHEST (PA AND LAT)"))
    return images.select(
        "dicom_id",
        "subject_id",
        "study_id",
        PerformedProcedureStepDescription=procedure,
        ViewPosition="view",
        Rows=pl.lit(3056),
        Columns=pl.lit(2544),
        StudyDate=time.strftime("%Y%m%d").cast(pl.Int64),
        StudyTime=clock + time.millisecond() / 1000,
        ProcedureCodeSequence_CodeMeaning=procedure,
        ViewCodeSequence_CodeMeaning=pl.col("view").replace_strict(
            {"AP": "antero-posterior", "PA": "postero-anterior", "LATERAL": "lateral"}
        ),
        PatientOrientationCodeSequence_CodeMeaning=pl.lit("Erect"),
    )  # fmt: skip


def split(images: pl.DataFrame) -> pl.DataFrame:
    """Return `mimic-cxr-2.0.0-split.csv.gz`; every 50th patient is for the test, another for validation."""
    part = pl.col("subject_id") // 24 % 50
    name = pl.when(part == 0).then(pl.lit("test")).when(part == 1).then(pl.lit("validate")).otherwise(pl.lit("train"))
    return images.select("dicom_id", "study_id", "subject_id", split=name)


def cxr_lt_labels(images: pl.DataFrame) -> pl.DataFrame:
    """Return CXR-LT's `labels.csv`: 45 findings of every image."""
    return images.select(
        "dicom_id", "subject_id", study_id=pl.format("s{}", "study_id"), **{f: pl.col(f) for f in PUBLISHED_ORDER}
    )


def program_labels(block: Block, studies: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return what a program read in the reports: 1 present, −1 uncertain, 0 denied, or nothing.

    Parameters
    ----------
    block : Block
        Patients and ECGs.
    studies : polars.DataFrame
        As `draw_studies` returns them.
    name : {"chexpert", "negbio"}
        The program; the two disagree in what is uncertain or denied.
    """
    chance = block.uniform(f"labels/{name}", studies.height, len(CHEXPERT))
    columns = []
    for j, label in enumerate(CHEXPERT):
        if label == "No Finding":
            columns.append(pl.when(pl.col(NORMAL) == 1).then(1.0).alias(label))
            continue
        place = pl.Series(chance[:, j])
        mentioned = pl.when(place < _UNCERTAIN).then(-1.0).otherwise(1.0)
        absent = pl.when(place < _DENIED).then(0.0).when(place > 1 - _UNCERTAIN / 4).then(-1.0)
        columns.append(pl.when(pl.col(label) == 1).then(mentioned).otherwise(absent).alias(label))
    return studies.select("subject_id", "study_id", *columns)
