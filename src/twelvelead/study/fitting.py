"""Fit one model of a study: one target, one set of predictors, one part of the patients."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from twelvelead.io.models import write_model
from twelvelead.io.tables import write_json, write_table
from twelvelead.predict import RiskClassifier, eliminated_stumps, explain, to_parts, xgboost_defaults
from twelvelead.study.declaration import Model, Study
from twelvelead.terms import PREDICTIONS, SELECTION, SHAP, StudyError

PAPER_FOLDS = 19
EVENTS_PER_FOLD = 6
GROWTH: dict[str, dict[str, Any]] = {
    "shallow": {"elimination_rounds": 75, "elimination_learning_rate": 0.1},  # half the time for the same ranking
    "forest": {
        "trees_per_round": 8,
        "max_depth": 5,
        "learning_rate": 0.2,
        "rounds": 60,
        "early_stopping": 10,
        "elimination_rounds": 15,
        "elimination_learning_rate": 0.2,
        "elimination_max_depth": 5,
    },
}
FULL = "ecg_age_sex"
REFUSAL = "refusal.json"
FINAL = "final"


@dataclass(frozen=True)
class FitTask:
    """One fit, and where its result goes.

    Parameters
    ----------
    study : Study
        The declaration.
    target, model : str
        What is predicted, and from which set of predictors.
    fold : int or None
        The fold held out; None for the model that is kept, fitted on every development patient.
    predictors : tuple of str
        Columns of the table that the model may know.
    table : Path
        Parquet: recording_id, patient_id, fold, `y <target>` and the predictors.
    external : Path or None
        The same of the external database, which the kept model predicts.
    folder : Path
        Made whole at the end, or not at all.
    """

    study: Study
    target: str
    model: str
    fold: int | None
    predictors: tuple[str, ...]
    table: Path
    external: Path | None
    folder: Path

    @property
    def label(self) -> str:
        """What the fit is called in the selection table."""
        return FINAL if self.fold is None else f"fold {self.fold}"


def run_fit(task: FitTask) -> None:
    """Fit, predict the held-out patients, explain the full model's predictions, and write all of it.

    Where the patients with the event are too few for the model's folds, the fit's folder says so instead.
    """
    columns = ["recording_id", "patient_id", "fold", f"y {task.target}", *task.predictors]
    table = pl.read_parquet(task.table, columns=columns).drop_nulls(f"y {task.target}")
    held_out = pl.lit(value=False) if task.fold is None else pl.col("fold") == task.fold
    development = table.filter(~held_out)
    y = development[f"y {task.target}"].to_numpy()
    rarer = int(min(y.sum(), len(y) - y.sum()))
    estimator = make_estimator(task.study, paper_folds=max(3, min(PAPER_FOLDS, rarer // EVENTS_PER_FOLD)))
    scratch = task.folder.with_name(f".{task.folder.name}.unfinished")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        estimator.fit(development.select(task.predictors), y, groups=development["patient_id"].to_numpy())
    except StudyError as error:
        write_json({"message": f"target {task.target}, {task.label}: {error}"}, scratch / REFUSAL)
        scratch.rename(task.folder)
        return
    judged = [("internal", table.filter(held_out))]
    if task.external is not None:
        external = pl.read_parquet(task.external, columns=[c for c in columns if c != "fold"])
        judged.append(("external", external.drop_nulls(f"y {task.target}")))
    parts, card = to_parts(estimator)
    write_model(scratch / "model", parts, {**card, "target": task.target, "model": task.model, "fit": task.label})
    write_table(_selection(task, estimator), scratch / "selection.parquet")
    write_table(_predictions(task, estimator, judged), scratch / "predictions.parquet")
    write_table(_explanations(task, estimator, judged), scratch / "shap.parquet")
    scratch.rename(task.folder)


def make_estimator(study: Study, *, paper_folds: int = PAPER_FOLDS) -> RiskClassifier:
    """Make the unfitted model that a study declares.

    Parameters
    ----------
    study : Study
        The declaration.
    paper_folds : int
        For the models of publications, the folds of which one validates: 19 there, fewer where the rarer class is so
        small that such a fold would hold hardly any.
    """
    model: Model = study.model
    if model.preset == "eliminated_stumps":
        return eliminated_stumps(n_folds=paper_folds, random_state=study.seed)
    if model.preset == "xgboost_defaults":
        return xgboost_defaults(n_folds=paper_folds, random_state=study.seed)
    return RiskClassifier(
        n_members=model.n_members,
        elimination=model.elimination,
        smallest=model.smallest,
        calibration=model.calibration,
        random_state=study.seed,
        **GROWTH[model.growth],
    )


def _predictions(task: FitTask, estimator: RiskClassifier, judged: list[tuple[str, pl.DataFrame]]) -> pl.DataFrame:
    tables = [PREDICTIONS.empty()]
    for name, rows in judged:
        if rows.is_empty():
            continue
        p = estimator.predict_proba(rows.select(task.predictors))[:, 1]
        tables.append(
            rows.select("recording_id", "patient_id", pl.col(f"y {task.target}").alias("y")).with_columns(
                target=pl.lit(task.target), model=pl.lit(task.model), set=pl.lit(name), p=pl.Series(p, dtype=pl.Float64)
            )
        )
    return PREDICTIONS.check(pl.concat([t.select(list(PREDICTIONS.schema)) for t in tables]))


def _explanations(task: FitTask, estimator: RiskClassifier, judged: list[tuple[str, pl.DataFrame]]) -> pl.DataFrame:
    tables = [SHAP.empty()]
    for name, rows in judged:
        if rows.is_empty() or task.model != FULL:
            continue
        reasons = explain(estimator, rows.select(task.predictors), recording_ids=rows["recording_id"].to_list())
        tables.append(
            reasons.with_columns(target=pl.lit(task.target), model=pl.lit(task.model), set=pl.lit(name)).select(
                list(SHAP.schema)
            )
        )
    return SHAP.check(pl.concat(tables))


def _selection(task: FitTask, estimator: RiskClassifier) -> pl.DataFrame:
    return SELECTION.select(
        [
            {**step, "target": task.target, "model": task.model, "fit": f"{task.label} {step['fit']}"}
            for step in estimator.selection_
        ]
    )
