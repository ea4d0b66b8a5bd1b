"""Judge a study's predictions, target by target, on several processes."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import polars as pl

from twelvelead.io.tables import write_table
from twelvelead.study.declaration import Study
from twelvelead.study.pool import run_tasks
from twelvelead.study.progress import Progress
from twelvelead.terms import PERFORMANCE
from twelvelead.validate import Objection, check, performance, refuse

DECIMALS = 10
"""The last bits of a matrix product depend on where its arrays lie in memory; the same run must give the same bytes."""


def object_to(predictions: pl.DataFrame, folds: pl.DataFrame) -> tuple[Objection, ...]:
    """List what a methods reviewer would object to, and refuse to go on where figures would be wrong.

    Parameters
    ----------
    predictions : DataFrame keeping `terms.PREDICTIONS`
        Of all sets.
    folds : DataFrame with columns recording_id, patient_id, fold
        Of the development database.

    Returns
    -------
    tuple of Objection
        The weaknesses.

    Raises
    ------
    StudyError
        If a patient or recording that helped to make a model is judged by it.
    """
    internal = predictions.filter(pl.col("set") == "internal").join(
        folds.select("recording_id", "fold"), on="recording_id", how="left"
    )
    for (fold,), part in internal.partition_by("fold", as_dict=True).items():
        made_by = folds.filter(pl.col("fold") != fold)
        objections = check(
            part.drop("fold"),
            development_patients=made_by["patient_id"].to_list(),
            selection_recordings=made_by["recording_id"].to_list(),
        )
        refuse(objections)
    objections = check(predictions, development_patients=())
    refuse(objections)
    return objections


@dataclass(frozen=True)
class _JudgeTask:
    study: Study
    predictions: Path
    people: Path
    target: str
    result: Path


def judge(
    study: Study, predictions: pl.DataFrame, *, people: pl.DataFrame, work: Path, workers: int, progress: Progress
) -> pl.DataFrame:
    """Estimate every metric of every target, model and set, with its interval.

    Parameters
    ----------
    study : Study
        Says how to resample, at which level, and the thresholds.
    predictions : DataFrame keeping `terms.PREDICTIONS`
        Held-out predictions.
    people : DataFrame with columns recording_id, age_years, sex, set
        For the subgroups.
    work : Path
        Folder of this run.
    workers : int
        Processes.
    progress : Progress
        Told after each target.

    Returns
    -------
    DataFrame keeping `terms.PERFORMANCE`
    """
    write_table(predictions, work / "predictions.parquet")
    write_table(people, work / "people.parquet")
    tasks = [
        _JudgeTask(study, work / "predictions.parquet", work / "people.parquet", t, work / t / "performance.parquet")
        for t in predictions["target"].unique().sort()
    ]
    todo = [task for task in tasks if not task.result.is_file()]
    run_tasks(_judge_target, todo, workers=workers, stage="validating", progress=progress)
    return PERFORMANCE.check(pl.concat([pl.read_parquet(task.result) for task in tasks]))


def _judge_target(task: _JudgeTask) -> None:
    predictions = pl.read_parquet(task.predictions).filter(pl.col("target") == task.target)
    declared = task.study.validation
    table = performance(
        predictions,
        n_resamples=declared.n_resamples,
        level=declared.level,
        seed=task.study.seed,
        unit=declared.unit,
        thresholds=declared.thresholds,
        strata=subgroups(pl.read_parquet(task.people), task.study.split.age_bands_years),
    )
    write_table(table.with_columns(pl.col("estimate", "lower", "upper").round(DECIMALS)), task.result)


def subgroups(people: pl.DataFrame, age_bands_years: tuple[float, ...]) -> pl.DataFrame:
    """Name each recording's sex and age band, for performance within them.

    Examples
    --------
    >>> subgroups(pl.DataFrame({"recording_id": ["a"], "age_years": [40.0], "sex": ["male"]}), (40, 55)).row(0)
    ('a', 'male', '40–54 years')
    """
    limits = [0.0, *age_bands_years, float("inf")]
    bands = [
        pl.when(pl.col("age_years").is_between(low, high, closed="left")).then(pl.lit(_name_band(low, high)))
        for low, high in pairwise(limits)
    ]
    return people.select("recording_id", sex="sex", age=pl.coalesce(bands))


def _name_band(low: float, high: float) -> str:
    if low == 0:
        return f"under {high:g} years"
    return f"{low:g} years and over" if high == float("inf") else f"{low:g}–{high - 1:g} years"
