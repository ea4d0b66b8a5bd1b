"""A finished study's models in another database: risks, their reasons, and the risks at other ages."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.io import read_model
from twelvelead.io.tables import write_table
from twelvelead.predict import Forest, calibrated, from_spline_card, margins, shapley_values, single, sum_reasons
from twelvelead.study.application import load_forest
from twelvelead.study.declaration import DatabaseUse, Study
from twelvelead.study.finished import Finished
from twelvelead.study.fitting import FULL, is_spline
from twelvelead.study.modelling import draw_recordings, read_rows
from twelvelead.study.progress import Progress
from twelvelead.study.sample import Sample
from twelvelead.study.sensitivities import AGE, judge_redrawn, redraw_ages, tabulate
from twelvelead.terms import PREDICTIONS, SHAP

AT_ONCE = 50
"""Targets whose models are in memory together."""


@dataclass(frozen=True)
class Elsewhere:
    """A finished study in another database.

    Parameters
    ----------
    finished : Finished
        The study.
    use : DatabaseUse
        How the database is read.
    sample : Sample
        The database made ready.
    table : Path
        Its modelling table.
    out, work : Path
        Folders of the results, and of what is needed on the way.
    share : float
        Share of the patients that recalibration is fitted on.
    workers : int
        Threads; the result does not depend on it.
    """

    finished: Finished
    use: DatabaseUse
    sample: Sample
    table: Path
    out: Path
    work: Path
    share: float
    workers: int

    @property
    def study(self) -> Study:
        """Its declaration."""
        return self.finished.study

    def read(self, target: str) -> pl.DataFrame:
        """Read all predictions of one target in the other database."""
        return pl.read_parquet(self.work / "targets" / target / "predictions.parquet")


def predict_elsewhere(place: Elsewhere, targets: Sequence[str], *, progress: Progress) -> tuple[str, ...]:
    """Write every model's predictions, the full one's reasons, and what its risks at other ages are worth.

    Returns
    -------
    tuple of str
        The targets of which something is known there.
    """
    known: list[str] = []
    precision = place.sample.database.age_precision_years
    for first in range(0, len(targets), AT_ONCE):
        batch = targets[first : first + AT_ONCE]
        forests = {
            model: load_forest(
                [place.finished.place(target, model) for target in batch], predictors, workers=place.workers
            )
            for model, predictors in place.finished.models.items()
            if not is_spline(place.study, model)
        }
        smooth = [model for model in place.finished.models if is_spline(place.study, model)]
        for k, target in enumerate(batch):
            rows = read_rows(place.table, target, tuple(forests[FULL].features))
            if rows.is_empty():
                continue
            known.append(target)
            folder = place.work / "targets" / target
            alone = {model: forest.select(k) for model, forest in forests.items()}
            parts = [_predict_model(alone[model], rows, target=target, model=model) for model in alone]
            parts += [_predict_smoothly(place.finished.place(target, model), rows, model=model) for model in smooth]
            write_table(PREDICTIONS.check(pl.concat(parts)), folder / "predictions.parquet")
            write_table(_explain(place, alone[FULL], rows, target=target), folder / "shap.parquet")
            if precision and AGE in alone[FULL].features:
                drawn = redraw_ages(alone[FULL], rows, precision_years=precision, seed=place.study.seed)
                row = judge_redrawn(rows, drawn[:, :, 0], precision_years=precision)
                write_table(tabulate([row], target), folder / "ages.parquet")
        progress("predicting", first + len(batch), len(targets))
    return tuple(known)


def _predict_model(forest: Forest, rows: pl.DataFrame, *, target: str, model: str) -> pl.DataFrame:
    x = single(forest, rows.select(forest.features).to_numpy())
    return _tabulate(rows, calibrated(forest, margins(forest, x))[:, 0], target=target, model=model)


def _predict_smoothly(folder: Path, rows: pl.DataFrame, *, model: str) -> pl.DataFrame:
    """Predict by the regression that lies in a folder."""
    _, card = read_model(folder)
    regression = from_spline_card(card)
    p = regression.predict_proba(rows.select(regression.feature_names_))[:, 1]
    return _tabulate(rows, p, target=str(card["target"]), model=model)


def _tabulate(rows: pl.DataFrame, p: NDArray[np.float64], *, target: str, model: str) -> pl.DataFrame:
    named = {"target": pl.lit(target), "model": pl.lit(model), "set": pl.lit("external")}
    return rows.with_columns(**named, p=pl.Series(p, dtype=pl.Float64)).select(list(PREDICTIONS.schema))


def _explain(place: Elsewhere, forest: Forest, rows: pl.DataFrame, *, target: str) -> pl.DataFrame:
    """Give the Shapley values of recordings drawn by lot, keeping `terms.SHAP`."""
    study = place.study
    drawn = draw_recordings(place.table, rows["recording_id"], most=study.validation.explained, seed=study.seed)
    chosen = rows.filter(pl.col("recording_id").is_in(drawn.implode()))
    x = single(forest, chosen.select(forest.features).to_numpy())
    shap, used = shapley_values(forest, x, n_jobs=place.workers)
    names = [forest.features[i] for i in used]
    n = len(names)
    table = pl.DataFrame(
        {
            "recording_id": chosen["recording_id"].gather(np.repeat(np.arange(chosen.height), n)),
            "feature": pl.Series(names * chosen.height, dtype=pl.String),
            "value": pl.Series(x[:, used].astype(np.float64).ravel(), dtype=pl.Float64).fill_nan(None),
            "shap": pl.Series(shap.ravel(), dtype=pl.Float64),
        }
    )
    named = table.with_columns(target=pl.lit(target), model=pl.lit(FULL), set=pl.lit("external"))
    return SHAP.check(sum_reasons(named).select(list(SHAP.schema)))
