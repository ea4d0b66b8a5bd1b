"""Judge a study's predictions, target by target, on several processes."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import polars as pl

from twelvelead.io.tables import read_json, write_json, write_table
from twelvelead.study.closer import CLOSER, look_closer
from twelvelead.study.declaration import Study
from twelvelead.study.fitting import FULL, GAINS, FitTask
from twelvelead.study.groupings import group
from twelvelead.study.modelling import read_outcome
from twelvelead.study.pool import run_tasks
from twelvelead.study.progress import Progress
from twelvelead.terms import PERFORMANCE, PREDICTIONS, SELECTION, SHAP
from twelvelead.validate import Dossier, Objection, adjust_interactions, check, hypotheses, performance, refuse
from twelvelead.validate.performance import BASELINE

DECIMALS = 10
"""The last bits of a matrix product depend on where its arrays lie in memory; the same run must give the same bytes."""

PUBLISHED_FAULTS = ("V009", "V016")
"""Errors that mode "paper" repeats and names: predictors known after the ECG, recordings resampled for patients."""

CHECKED = ("V001", "V002", "V009", "V010", "V012", "V016", "V017", "V018", "V019")
"""Rules for which a study knows what they need."""


def object_to(
    predictions: pl.DataFrame,
    folds: pl.DataFrame,
    *,
    dossier: Dossier | None = None,
    on_purpose: Collection[str] = (),
) -> tuple[Objection, ...]:
    """List what a methods reviewer would object to, and refuse to go on where figures would be wrong.

    Parameters
    ----------
    predictions : DataFrame keeping `terms.PREDICTIONS`
        Of all sets.
    folds : DataFrame with columns recording_id, patient_id, fold
        Of the development database.
    dossier : Dossier or None
        What else is known of the study.
    on_purpose : collection of str
        Codes of errors that are made to repeat a publication.

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
        # Of those that made the model only whoever is judged by it can be objected to.
        made_by = folds.filter(pl.col("fold") != fold)
        objections = check(
            part.drop("fold"),
            development_patients=made_by.join(part, on="patient_id", how="semi")["patient_id"].to_list(),
            selection_recordings=made_by.join(part, on="recording_id", how="semi")["recording_id"].to_list(),
        )
        refuse(objections)
    objections = check(predictions, development_patients=(), dossier=dossier)
    refuse(objections, declared=on_purpose)
    return objections


@dataclass(frozen=True)
class Judgement:
    """What came of judging.

    Parameters
    ----------
    performance : DataFrame keeping `terms.PERFORMANCE`
        Every metric of every target, model and set.
    objections : tuple of Objection
        What a methods reviewer would object to.
    tables : dict of str to DataFrame
        The same of what else was said of every target, by the names of `CLOSER`.
    folders : tuple of Path
        One per target, by name: predictions.parquet and shap.parquet of all its fits, sorted.
    """

    performance: pl.DataFrame
    objections: tuple[Objection, ...]
    tables: dict[str, pl.DataFrame]
    folders: tuple[Path, ...]


@dataclass(frozen=True)
class _JudgeTask:
    """One target; `fits` are the folders of its fits, `of_full` those of the full model; `folder` gets the rest."""

    study: Study
    target: str
    fits: tuple[Path, ...]
    of_full: tuple[Path, ...]
    table: Path
    predictors: tuple[str, ...]
    folds: Path
    people: Path
    folder: Path

    @property
    def result(self) -> Path:
        """The table that is written last."""
        return self.folder / "performance.parquet"


def judge(
    study: Study, fits: Sequence[FitTask], *, folds: Path, people: Path, workers: int | str, progress: Progress
) -> Judgement:
    """Gather the predictions of every target, and estimate every metric of every model and set with its interval.

    Parameters
    ----------
    study : Study
        Says how to resample, at which level, and the thresholds.
    fits : sequence of FitTask
        All done, none refused.
    folds, people : Path
        Parquet: recording_id, patient_id and fold of the development database; recording_id, age_years, sex and set of
        all, for the subgroups.
    workers : int or str
        Processes, or `dask=ADDRESS`.
    progress : Progress
        Told after each target.

    Raises
    ------
    StudyError
        If a patient or recording that helped to make a model is judged by it.
    """
    of_target: dict[str, list[FitTask]] = {}
    for fit in fits:
        of_target.setdefault(fit.target, []).append(fit)
    tasks = [
        _JudgeTask(
            study=study,
            target=target,
            fits=tuple(f.folder for f in its),
            of_full=tuple(f.folder for f in its if f.model == FULL),
            table=its[-1].table,
            predictors=its[-1].predictors,
            folds=folds,
            people=people,
            folder=its[0].folder.parents[1],
        )
        for target, its in sorted(of_target.items())
    ]
    todo = [task for task in tasks if not task.result.is_file()]
    run_tasks(
        _judge_target, todo, workers=workers, stage="validating", progress=progress,
        needs=lambda task: [str(task.folds), str(task.people), *map(str, task.fits)],
    )  # fmt: skip
    objections = [Objection(**said) for task in tasks for said in read_json(task.folder / "objections.json")]
    tables = {
        table.name: table.check(pl.concat([pl.read_parquet(task.folder / f"{table.name}.parquet") for task in tasks]))
        for table in CLOSER
    }
    return Judgement(
        performance=PERFORMANCE.check(pl.concat([pl.read_parquet(task.result) for task in tasks])),
        objections=tuple(sorted(objections, key=lambda o: (o.severity, o.code))),
        tables=tables | {"subgroups": adjust_interactions(tables["subgroups"])},
        folders=tuple(task.folder for task in tasks),
    )


def _judge_target(task: _JudgeTask) -> None:
    predictions = _gather(task.fits, "predictions", PREDICTIONS.empty()).sort("target", "model", "set", "recording_id")
    shap = _gather(task.fits, "shap", SHAP.empty()).sort("target", "model", "set", "recording_id", "feature")
    declared, paper = task.study.validation, task.study.mode == "paper"
    objections = object_to(
        PREDICTIONS.check(predictions),
        _read(task.folds),
        dossier=_describe(task),
        on_purpose=PUBLISHED_FAULTS if paper else (),
    )
    judged = _read(task.people).join(predictions, on="recording_id", how="semi", maintain_order="left")
    groupings = group(judged, task.study.split.age_bands_years)
    table = performance(
        predictions,
        n_resamples=declared.n_resamples,
        level=declared.level,
        seed=task.study.seed,
        unit=declared.unit,
        thresholds=declared.thresholds,
        strata=groupings,
        method=declared.method,
        gains=GAINS,
    )
    beside = look_closer(
        task.study,
        predictions.filter(model=FULL),
        shap=shap,
        selection=_gather(task.of_full, "selection", SELECTION.empty()),
        groupings=groupings,
    )
    for name, made in beside.items():
        write_table(made.with_columns(pl.col(pl.Float64).round(DECIMALS)), task.folder / f"{name}.parquet")
    write_table(predictions, task.folder / "predictions.parquet")
    write_table(SHAP.check(shap), task.folder / "shap.parquet")
    write_json([asdict(objection) for objection in objections], task.folder / "objections.json")
    write_table(table.with_columns(pl.col("estimate", "lower", "upper").round(DECIMALS)), task.result)


def _describe(task: _JudgeTask) -> Dossier:
    """Say what else is known of a study, for what a reviewer would ask."""
    study, of_target = task.study, pl.lit(task.target).alias("target")
    development = read_outcome(task.table, task.target).drop_nulls("y")
    if study.split.method == "holdout":
        development = development.filter(pl.col("fold") != 0)
    return Dossier(
        predictors=task.predictors,
        development=development.select(of_target, "y"),
        n_parameters=len(task.predictors),
        thresholds=study.validation.thresholds,
        thresholds_declared=True,
        unit=study.validation.unit,
        level=study.validation.level,
        chosen_on="development",
        reweighted=False,
    )


def judge_together(study: Study, folders: Sequence[Path]) -> pl.DataFrame:
    """Test over all targets whether the full model predicts at all, well, and better than age and sex.

    Parameters
    ----------
    study : Study
        The declaration, with all targets that were to be tested.
    folders : sequence of Path
        Of `Judgement`; the predictions of one target at a time are read.

    Returns
    -------
    DataFrame keeping `terms.HYPOTHESES`
    """
    columns, models = pl.col(list(PREDICTIONS.schema)), [FULL, BASELINE]
    each = (
        pl.scan_parquet(folder / "predictions.parquet")
        .filter(pl.col("model").is_in(models))
        .select(columns)
        .collect(engine="streaming")
        for folder in folders
    )
    tested = hypotheses(
        each,
        model=FULL,
        base=BASELINE if study.predictors.demographics else None,
        rate=study.validation.false_discovery_rate,
        declared=[target.name for target in study.targets],
    )
    return tested.with_columns(pl.col(pl.Float64).round(DECIMALS))


def _gather(fits: Sequence[Path], name: str, empty: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([empty, *(pl.read_parquet(folder / f"{name}.parquet") for folder in fits)])


@lru_cache(maxsize=2)
def _read(path: Path) -> pl.DataFrame:
    """Read a table that every target needs."""
    return pl.read_parquet(path)
