"""External validation done otherwise: without recordings that lack a measurement, and with ages redrawn."""

import fnmatch
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.predict import Forest, calibrated, margins, single
from twelvelead.terms import SENSITIVITY
from twelvelead.validate import Bootstrap, auroc, auroc_interval
from twelvelead.validate.resample import enough_patients, units
from twelvelead.validate.studentised import TOO_FEW

P_WAVE = ("p_*", "pr_*")
"""Measurements that there are of a P wave only."""

AGE = "age_years"
REDRAWS = 20
OLDEST_YEARS = 90.0
"""Databases say 90 of everybody above 89."""

DECIMALS = 10

Floats = NDArray[np.float64]


def list_subsets(predictors: pl.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """List the recordings that each analysis keeps.

    Parameters
    ----------
    predictors : DataFrame
        recording_id and the predictors of the external recordings, null or NaN where missing.

    Returns
    -------
    dict of str to ndarray of bool, shape (n_recordings,)
        All; those with every measurement of a P wave; those with every predictor. Predictors that no recording has
        are not asked for.
    """
    numbers = predictors.select(pl.exclude("recording_id").cast(pl.Float64).fill_null(float("nan")))
    there = {name: numbers[name].is_not_nan().to_numpy() for name in numbers.columns}
    there = {name: known for name, known in there.items() if known.any()}
    p_wave = [known for name, known in there.items() if any(fnmatch.fnmatchcase(name, p) for p in P_WAVE)]
    subsets = {"as declared": np.ones(predictors.height, dtype=bool)}
    if p_wave:
        subsets["with a P wave"] = np.all(p_wave, axis=0)
    if there:
        subsets["nothing missing"] = np.all(list(there.values()), axis=0)
    return subsets


def judge_subsets(
    predictions: pl.DataFrame, predictors: pl.DataFrame, *, bootstrap: Bootstrap
) -> list[dict[str, object]]:
    """Return the AUROC of each analysis, as rows of `terms.SENSITIVITY`.

    Parameters
    ----------
    predictions : DataFrame keeping `terms.PREDICTIONS`
        The full model's of one target.
    predictors : DataFrame
        recording_id and the predictors of all external recordings.
    bootstrap : Bootstrap
        Resamples of patients.
    """
    ids = predictors["recording_id"]
    return [
        {
            "analysis": name,
            **_auroc(predictions.filter(pl.col("recording_id").is_in(ids.filter(kept).implode())), bootstrap),
        }
        for name, kept in list_subsets(predictors).items()
    ]


def _auroc(rows: pl.DataFrame, bootstrap: Bootstrap) -> dict[str, object]:
    rows = rows.sort("recording_id")
    size = {"n": rows.height, "n_patients": rows["patient_id"].n_unique(), "n_events": int(rows["y"].sum())}
    if rows.is_empty():
        return {**size, "note": TOO_FEW}
    found = auroc_interval(
        rows["y"], rows["p"], patients=rows["patient_id"], level=bootstrap.level, n_resamples=bootstrap.n_resamples,
        seed=bootstrap.seed,
    )  # fmt: skip
    return {"estimate": found.estimate, "lower": found.lower, "upper": found.upper, "note": found.note, **size}


def redraw_ages(forest: Forest, table: pl.DataFrame, *, precision_years: float, seed: int) -> Floats:
    """Return every model's risks with ages redrawn within the group that they were published in.

    Parameters
    ----------
    forest : Forest
        The full models of n targets.
    table : DataFrame
        recording_id, patient_id and the forest's features.
    precision_years : float
        Ages are right to so much either way.
    seed : int
        Of the draws: one for each patient, since it is the year of birth that is grouped.

    Returns
    -------
    ndarray of shape (n_draws, n_recordings, n_targets)
    """
    x = single(forest, table.select(forest.features).to_numpy())
    column, unit = forest.features.index(AGE), units(table["patient_id"])
    rng = np.random.default_rng(seed)
    out = np.empty((REDRAWS, len(x), forest.n_models))
    for draw in out:
        moved = x.copy()
        shift = rng.uniform(-precision_years, precision_years, size=int(unit.max()) + 1)[unit]
        moved[:, column] = np.clip(x[:, column] + shift, 0.0, OLDEST_YEARS)
        draw[:] = calibrated(forest, margins(forest, moved))
    return out


def judge_redrawn(rows: pl.DataFrame, drawn: Floats, *, precision_years: float) -> dict[str, object]:
    """Return the range of the AUROC over redrawn ages, as a row of `terms.SENSITIVITY`.

    Parameters
    ----------
    rows : DataFrame keeping `terms.PREDICTIONS`
        The full model's of one target.
    drawn : ndarray of shape (n_draws, n_recordings)
        Risks of the same recordings.
    precision_years : float
        As `redraw_ages` takes it.
    """
    size = {"n": rows.height, "n_patients": rows["patient_id"].n_unique(), "n_events": int(rows["y"].sum())}
    row = {"analysis": f"ages redrawn within ± {precision_years:g} years", **size}
    y = rows["y"].to_numpy().astype(float)
    if rows.is_empty() or not enough_patients(y, units(rows["patient_id"])):
        return {**row, "note": TOO_FEW}
    found = [auroc(y, p) for p in drawn]
    note = f"Lower and upper are the lowest and the highest of {len(found)} draws, not a confidence interval."
    return {**row, "estimate": float(np.median(found)), "lower": min(found), "upper": max(found), "note": note}


def tabulate(rows: Sequence[dict[str, object]], target: str) -> pl.DataFrame:
    """Put the rows of one target together, keeping `terms.SENSITIVITY`."""
    table = pl.DataFrame([{"target": target, **row} for row in rows], schema=SENSITIVITY.schema)
    return SENSITIVITY.check(table.with_columns(pl.col(pl.Float64).round(DECIMALS)))
