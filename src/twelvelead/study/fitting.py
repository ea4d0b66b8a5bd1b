"""Fit one model of a study: one target, one set of predictors, one part of the patients."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple

import polars as pl

from twelvelead.io.models import write_model
from twelvelead.io.tables import write_json, write_table
from twelvelead.predict import (
    EMBEDDING,
    Bins,
    RiskClassifier,
    SplineLogistic,
    block_of,
    eliminated_stumps,
    explain,
    spline_card,
    suited,
    sum_reasons,
    to_parts,
    xgboost_defaults,
)
from twelvelead.predict.thin import MANY
from twelvelead.study.declaration import Model, Predictors, Study
from twelvelead.study.modelling import draw_recordings, read_bins, read_outcome, read_rows
from twelvelead.study.sample import DEMOGRAPHICS
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
BASE = "age_sex"
ECG_ONLY = "ecg"
MEASURED = "measured_age_sex"
"""All but the embedding, where the full model knows measurements and an embedding."""
FULL = "ecg_age_sex"
GAINS = {"delta_auroc_embedding": (FULL, MEASURED)}
"""Differences of AUROC that are reported beside those from age and sex: of which model, and from which."""
REFUSAL = "refusal.json"
FINAL = "final"


def predictors_of(declared: Predictors, ecg: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Name a study's models, and what each may know; the full model comes last.

    Parameters
    ----------
    declared : Predictors
        The declaration.
    ecg : sequence of str
        Names of the measurements and columns of embeddings.

    Examples
    --------
    >>> both = Predictors(features="measured + embedded", demographics=("age_years",))
    >>> for name, predictors in predictors_of(both, ("qrs_duration_ms", "embedding_000")).items():
    ...     print(name, *predictors)
    age_sex age_years
    ecg qrs_duration_ms embedding_000
    measured_age_sex qrs_duration_ms age_years
    ecg_age_sex qrs_duration_ms embedding_000 age_years
    """
    demographics = tuple(name for name in DEMOGRAPHICS if name in declared.demographics)
    beside = (*demographics, *declared.others)
    models = {BASE: demographics, ECG_ONLY: tuple(ecg)}
    if declared.measured and declared.embedded:
        models[MEASURED] = (*(name for name in ecg if block_of(name) != EMBEDDING), *beside)
    models[FULL] = (*ecg, *beside)
    return {name: predictors for name, predictors in models.items() if predictors}


@dataclass(frozen=True)
class FitTask:
    """One fit, and where its result goes.

    Parameters
    ----------
    study : Study
        The declaration; its targets and faults are not needed here, and left out of what is sent to a worker.
    target, model : str
        What is predicted, and from which set of predictors.
    fold : int or None
        The fold held out; None for the model that is kept, fitted on every development patient.
    predictors : tuple of str
        Columns of the table that the model may know.
    table : Path
        Parquet, as `modelling_table` makes it.
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


class _Judged(NamedTuple):
    """Recordings that a fit predicts, and those among them that it explains."""

    set: str
    rows: pl.DataFrame
    explained: pl.DataFrame


def run_fit(task: FitTask) -> None:
    """Fit, predict the held-out patients, explain some of the full model's predictions, and write all of it.

    Where the patients with the event are too few for the model's folds, the fit's folder says so instead.
    """
    outside = pl.lit(value=True) if task.fold is None else pl.col("fold") != task.fold
    people = read_outcome(task.table, task.target).filter(outside)
    known = people["y"].is_not_null()
    development = people.filter(known)
    y = development["y"].to_numpy()
    rarer = int(min(y.sum(), len(y) - y.sum()))
    folds = max(3, min(PAPER_FOLDS, rarer // EVENTS_PER_FOLD))
    smooth = is_spline(task.study, task.model)
    estimator = SplineLogistic() if smooth else make_estimator(task.study, n_recordings=len(y), paper_folds=folds)
    predictors: Any = _read_development(task, outside, known)  # a regression is given no bins
    scratch = _begin(task.folder)
    try:
        estimator.fit(predictors, y, groups=development["patient_id"].to_numpy())
    except StudyError as error:
        write_json({"message": f"target {task.target}, {task.label}: {error}"}, scratch / REFUSAL)
        _finish(scratch, task.folder)
        return
    judged = _judged(task)
    parts, card = ({}, spline_card(estimator)) if isinstance(estimator, SplineLogistic) else to_parts(estimator)
    write_model(scratch / "model", parts, {**card, "target": task.target, "model": task.model, "fit": task.label})
    write_table(_selection(task, estimator), scratch / "selection.parquet")
    write_table(_predictions(task, estimator, judged), scratch / "predictions.parquet")
    write_table(_explanations(task, estimator, judged), scratch / "shap.parquet")
    _finish(scratch, task.folder)


def _read_development(task: FitTask, outside: pl.Expr, known: pl.Series) -> pl.DataFrame | Bins:
    """Read the predictors that a fit learns from: cut into bins together with those of other targets, if many."""
    if known.sum() > MANY and task.model != BASE:
        return read_bins(task.table, task.predictors, task.fold).take(known.to_numpy())
    rows = read_rows(task.table, task.target, task.predictors)
    return rows.filter(outside).select(task.predictors)


def _begin(folder: Path) -> Path:
    """Make a folder beside `folder` for what is not finished; a name of its own, should two do the same work."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".unfinished"))
    scratch.chmod(0o755)
    return scratch


def _finish(scratch: Path, folder: Path) -> None:
    """Give what is finished its name; or drop it where another has finished the same."""
    try:
        scratch.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        shutil.rmtree(scratch)


def _judged(task: FitTask) -> list[_Judged]:
    """Gather whom a fit predicts: the patients held out, and those of the other hospital."""
    table = read_rows(task.table, task.target, task.predictors)
    held_out = table.clear() if task.fold is None else table.filter(pl.col("fold") == task.fold)
    # Of all that any fold of this target predicts, so that together no more are explained than declared.
    everybody = table if task.study.split.method == "cross_fit" else held_out
    sets = [("internal", held_out, everybody, task.table)]
    if task.external is not None:
        there = read_rows(task.external, task.target, task.predictors)
        sets.append(("external", there, there, task.external))
    judged = []
    for name, rows, among, path in sets:
        explained = rows.clear()
        if task.model == FULL:
            declared = task.study.validation.explained
            drawn = draw_recordings(path, among["recording_id"], most=declared, seed=task.study.seed)
            explained = rows.filter(pl.col("recording_id").is_in(drawn.implode()))
        judged.append(_Judged(name, rows, explained))
    return judged


def is_spline(study: Study, model: str) -> bool:
    """Whether a model is a logistic regression on splines: that of age and sex is, but for repeated publications."""
    return model == BASE and study.model.preset == "sound"


def make_estimator(study: Study, *, n_recordings: int, paper_folds: int = PAPER_FOLDS) -> RiskClassifier:
    """Make the unfitted model that a study declares.

    Parameters
    ----------
    study : Study
        The declaration.
    n_recordings : int
        Recordings that it will be fitted on: with very many, a sound model learns in larger steps.
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
        **GROWTH[model.growth] | suited(n_recordings),
    )


def _predictions(task: FitTask, estimator: RiskClassifier | SplineLogistic, judged: list[_Judged]) -> pl.DataFrame:
    tables = [PREDICTIONS.empty()]
    for name, rows, _ in judged:
        if rows.is_empty():
            continue
        p = estimator.predict_proba(rows.select(task.predictors))[:, 1]
        named = {"target": pl.lit(task.target), "model": pl.lit(task.model), "set": pl.lit(name)}
        whole = rows.with_columns(**named, p=pl.Series(p, dtype=pl.Float64))
        tables.append(whole.select(list(PREDICTIONS.schema)))
    return PREDICTIONS.check(pl.concat(tables))


def _explanations(task: FitTask, estimator: RiskClassifier | SplineLogistic, judged: list[_Judged]) -> pl.DataFrame:
    tables = [SHAP.empty()]
    for name, _, rows in judged:
        if rows.is_empty() or isinstance(estimator, SplineLogistic):  # what age and sex alone say needs no reasons
            continue
        each = explain(estimator, rows.select(task.predictors), recording_ids=rows["recording_id"].to_list())
        tables.append(
            sum_reasons(each)
            .with_columns(target=pl.lit(task.target), model=pl.lit(task.model), set=pl.lit(name))
            .select(list(SHAP.schema))
        )
    return SHAP.check(pl.concat(tables))


def _selection(task: FitTask, estimator: RiskClassifier | SplineLogistic) -> pl.DataFrame:
    return SELECTION.select(
        [
            {**step, "target": task.target, "model": task.model, "fit": f"{task.label} {step['fit']}"}
            for step in estimator.selection_
        ]
    )
