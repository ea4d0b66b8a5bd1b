"""How good a probe's predictions are, and by how much better than those of an untrained encoder: by patients."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.validate import Bootstrap, auroc_interval, delta_auroc_interval, interval, resamples, units

Floats = NDArray[np.float64]

Row = dict[str, Any]

LEVEL = 0.95
OURS = "pretrained"
TOO_LITTLE = "too few patients to learn from"

FIGURES = {
    "task": pl.String,
    "way": pl.String,
    "draw": pl.Int32,
    "encoder": pl.String,
    "metric": pl.String,
    "estimate": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "n": pl.Int64,
    "n_events": pl.Int64,
    "n_patients": pl.Int64,
    "note": pl.String,
}
"""Columns of the table: `encoder` is pretrained, untrained, mean, or a difference "pretrained - untrained" of the
metric; `metric` is auroc, or mae, the mean absolute error in the task's unit, of which less is better."""


@dataclass(frozen=True)
class Predicted:
    """What probes of several encoders say of one task.

    Parameters
    ----------
    task : str
        Name.
    kind : {"event", "number"}
        What it is.
    way : str
        Linear, low-shot or fine-tuned.
    draw : int
        Which draw of patients, from 0.
    y : ndarray of shape (n_recordings,)
        What is so; NaN where unknown.
    scores : mapping of str to ndarray of shape (n_recordings,) or None
        By the encoder's name; NaN where not predicted, None where there was too little to learn from.
    """

    task: str
    kind: Literal["event", "number"]
    way: str
    draw: int
    y: Floats
    scores: Mapping[str, Floats | None]


def figures(predicted: list[Predicted], patients: NDArray[np.str_], *, n_resamples: int, seed: int) -> pl.DataFrame:
    """Judge predictions, with intervals over resampled patients.

    Parameters
    ----------
    predicted : list of Predicted
        All that is to be judged.
    patients : ndarray of str, shape (n_recordings,)
        Whose recordings they are.
    n_resamples, seed : int
        Of the bootstrap. All figures see the same patients drawn, so differences are paired.

    Returns
    -------
    DataFrame with the columns of `FIGURES`

    Notes
    -----
    AUROC: studentised intervals; differences too. Mean absolute error: percentile intervals.
    """
    rows = []
    for one in predicted:
        known = ~np.isnan(one.y)
        for score in one.scores.values():
            known &= True if score is None else ~np.isnan(score)
        of = patients[known]
        fixed = {
            "task": one.task, "way": one.way, "draw": one.draw, "metric": "auroc" if one.kind == "event" else "mae",
            "n": int(known.sum()), "n_events": int(one.y[known].sum()) if one.kind == "event" else None,
            "n_patients": len(np.unique(of)),
        }  # fmt: skip
        there = {name: score[known] for name, score in one.scores.items() if score is not None}
        judge = _aurocs if one.kind == "event" else _errors
        judged = [] if not len(of) else judge(one.y[known], there, of, Bootstrap(n_resamples, seed, LEVEL))
        absent = [_row(name, None, None, None, note=TOO_LITTLE) for name in one.scores if name not in there]
        rows += [fixed | row for row in (*judged, *absent)]
    return pl.DataFrame(rows, schema=FIGURES, orient="row")


def _aurocs(y: Floats, scores: Mapping[str, Floats], patients: NDArray[np.str_], how: Bootstrap) -> Iterator[Row]:
    for name, score in scores.items():
        found = auroc_interval(y, score, patients=patients, level=how.level, n_resamples=how.n_resamples, seed=how.seed)
        yield _row(name, found.estimate, found.lower, found.upper, note=found.note)
    for name, other in _others(scores):
        found = delta_auroc_interval(
            y, scores[OURS], other, patients=patients, level=how.level, n_resamples=how.n_resamples, seed=how.seed
        )
        yield _row(f"{OURS} - {name}", found.estimate, found.lower, found.upper, note=found.note)


def _errors(y: Floats, scores: Mapping[str, Floats], patients: NDArray[np.str_], how: Bootstrap) -> Iterator[Row]:
    """Mean absolute errors: in each resample the sum over the recordings of the patients drawn, by their number."""
    errors = {name: np.abs(y - score) for name, score in scores.items()}
    more = {f"{OURS} - {name}": errors[OURS] - other for name, other in _others(errors)}
    unit = units(patients)
    for name, error in (errors | more).items():
        drawn = [
            (weights * error).sum(axis=1) / weights.sum(axis=1)
            for weights in resamples(unit, n_resamples=how.n_resamples, seed=how.seed)
        ]
        limits = interval(np.concatenate(drawn), level=how.level)
        yield _row(name, float(error.mean()), limits.lower, limits.upper)


def _others(values: Mapping[str, Floats]) -> list[tuple[str, Floats]]:
    """Give what the pre-trained encoder can be compared with."""
    return [(name, value) for name, value in values.items() if name != OURS] if OURS in values else []


def _row(
    encoder: str, estimate: float | None, lower: float | None, upper: float | None, *, note: str | None = None
) -> Row:
    return {"encoder": encoder, "estimate": estimate, "lower": lower, "upper": upper, "note": note}
