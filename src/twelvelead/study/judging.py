"""Judge a study's predictions, target by target, on several processes."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import polars as pl

from twelvelead.io.tables import write_table
from twelvelead.study.declaration import Study
from twelvelead.study.pool import Progress, run_tasks
from twelvelead.terms import PERFORMANCE
from twelvelead.validate import performance


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
    write_table(table, task.result)


def subgroups(people: pl.DataFrame, age_bands_years: tuple[float, ...]) -> pl.DataFrame:
    """Name each recording's sex and age band, for performance within them.

    Examples
    --------
    >>> subgroups(pl.DataFrame({"recording_id": ["a"], "age_years": [40.0], "sex": ["male"]}), (40, 55)).row(0)
    ('a', 'male', '40–54 years')
    """
    age = pl.col("age_years")
    band = pl.when(age < age_bands_years[0]).then(pl.lit(f"under {age_bands_years[0]:g} years"))
    for low, high in pairwise(age_bands_years):
        band = band.when(age.is_between(low, high, closed="left")).then(pl.lit(f"{low:g}–{high - 1:g} years"))
    named = band.when(age >= age_bands_years[-1]).then(pl.lit(f"{age_bands_years[-1]:g} years and over"))
    return people.select("recording_id", sex="sex", age=named.otherwise(None))
