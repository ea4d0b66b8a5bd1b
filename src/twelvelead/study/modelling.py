"""The table that a study's models are fitted on: written once, read by every fit in the parts that it needs."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.predict import Bins, bin_once
from twelvelead.study.sample import Sample

Y = "y "
"""An outcome's column is called by this and its target."""

PEOPLE = ("recording_id", "patient_id", "fold")


def modelling_table(sample: Sample, targets: Sequence[str], folds: pl.DataFrame | None = None) -> pl.DataFrame:
    """Put together who, which fold, every predictor and every outcome, a row per recording.

    Parameters
    ----------
    sample : Sample
        A database made ready.
    targets : sequence of str
        Outcomes that are modelled.
    folds : DataFrame with columns recording_id, fold, or None
        Of the development database.

    Returns
    -------
    DataFrame with columns recording_id, patient_id, fold where there are folds, the predictors (Float32), and `y
    <target>` (Int8, null where unknown)
        Sorted by recording_id.
    """
    order = sample.cohort["recording_id"].arg_sort()
    table = sample.cohort.select("recording_id", "patient_id")[order]
    if folds is not None:
        table = _join(table, folds.select("recording_id", "fold"))
    place = {rule.name: n for n, rule in enumerate(sample.answers.rules)}
    outcomes = [_outcome(sample.answers.of(place[target])[order.to_numpy()], target) for target in targets]
    return pl.concat([_join(table, sample.predictors), pl.DataFrame(outcomes)], how="horizontal")


def _join(table: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    return table.join(other, on="recording_id", how="left", validate="1:1", maintain_order="left")


def _outcome(y: NDArray[np.int8], target: str) -> pl.Series:
    series = pl.Series(Y + target, y, dtype=pl.Int8)
    return series.set(series < 0, None)


@lru_cache(maxsize=2)
def read_people(path: Path) -> pl.DataFrame:
    """Read who the rows are: recording_id, patient_id, and fold where there are folds."""
    columns = pl.scan_parquet(path).collect_schema().names()
    return pl.read_parquet(path, columns=[name for name in PEOPLE if name in columns])


@lru_cache(maxsize=2)
def read_predictors(path: Path, predictors: tuple[str, ...]) -> pl.DataFrame:
    """Read some predictors of all recordings, Float32. The next fit of the same process finds them in memory."""
    return pl.read_parquet(path, columns=list(predictors))


@lru_cache(maxsize=1)
def read_bins(path: Path, predictors: tuple[str, ...], fold: int | None) -> Bins:
    """Cut the predictors of all recordings outside a fold into bins, for every target that this process fits."""
    table = read_predictors(path, predictors)
    return bin_once(table if fold is None else table.filter(read_people(path)["fold"] != fold))


def read_outcome(path: Path, target: str) -> pl.DataFrame:
    """Read who the rows are and a target's outcome, `y` (Int8), null where unknown."""
    y = pl.read_parquet(path, columns=[Y + target]).rename({Y + target: "y"})
    return pl.concat([read_people(path), y], how="horizontal")


def read_rows(path: Path, target: str, predictors: tuple[str, ...]) -> pl.DataFrame:
    """Read the recordings of which a target's outcome is known.

    Parameters
    ----------
    path : Path
        Parquet, as `modelling_table` makes it.
    target : str
        The outcome.
    predictors : tuple of str
        Columns besides.

    Returns
    -------
    DataFrame with columns recording_id, patient_id, fold where there are folds, y (Int8), and the predictors
        In the order of the file.
    """
    parts = [read_outcome(path, target), read_predictors(path, predictors)]
    return pl.concat(parts, how="horizontal").filter(pl.col("y").is_not_null())


@lru_cache(maxsize=2)
def _lots(path: Path, seed: int) -> pl.DataFrame:
    """Draw a number for every recording of a table by its id, whatever else is in the table."""
    ids = read_people(path)["recording_id"]
    lots = [hashlib.blake2b(f"{seed} {name}".encode(), digest_size=8).digest() for name in ids]
    return pl.DataFrame({"recording_id": ids, "lot": np.frombuffer(b"".join(lots), dtype=">u8").astype(np.uint64)})


def draw_recordings(path: Path, among: pl.Series, *, most: int, seed: int) -> pl.Series:
    """Draw recordings by lot: by the hash of seed and recording_id, so that nothing else can change who is drawn.

    Parameters
    ----------
    path : Path
        The table.
    among : Series of str
        Recordings of it.
    most : int
        How many at most.
    seed : int
        Another seed draws others.

    Returns
    -------
    Series of str
        All of `among` where they are no more than `most`.
    """
    if among.len() <= most:
        return among
    drawn = _lots(path, seed).filter(pl.col("recording_id").is_in(among.implode()))
    return drawn.sort("lot", "recording_id").head(most)["recording_id"]
