"""Every figure of every model on every set, each with an interval: the table that a reader checks first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.terms import PERFORMANCE, PREDICTIONS, StudyError
from twelvelead.validate.figures import estimate, resampled
from twelvelead.validate.resample import Interval, enough_patients, interval, resamples, units

Floats = NDArray[np.float64]

ALL = "all"
"""The stratum of all recordings."""

BASELINE = "age_sex"
"""The model that every other is compared with: what age and sex alone would have told."""

UNITS = ("patient", "recording")

TOO_FEW = "fewer than 10 patients with, or without, the event: no interval"
UNSTABLE = "undefined in more than 5 % of resamples: no interval"
UNDEFINED = "not defined for these recordings"


@dataclass(frozen=True)
class _Rows:
    """Recordings of one target and set, sorted by id; `p` has a risk per model."""

    target: str
    set: str
    stratum: str
    y: Floats
    patient: NDArray[np.object_]
    unit: NDArray[np.intp]
    p: dict[str, Floats]


def performance(
    predictions: pl.DataFrame,
    *,
    n_resamples: int,
    level: float,
    seed: int,
    unit: str = "patient",
    strata: pl.DataFrame | None = None,
    thresholds: Sequence[float] = (0.05, 0.1, 0.2),
) -> pl.DataFrame:
    """Judge predicted risks: ranking, calibration and usefulness, with intervals that know who the patients are.

    Parameters
    ----------
    predictions : DataFrame keeping `terms.PREDICTIONS`
        One row per recording, target, model and set. Models of one target and set must have the same recordings.
    n_resamples : int
        Bootstrap resamples, 1000 or more for a report.
    level : float
        Confidence level, e.g. 0.95.
    seed : int
        Seed of the resamples. All models of a target see the same ones, so differences are paired.
    unit : {"patient", "recording"}
        What is drawn. "recording" repeats published practice and is too narrow where patients have several.
    strata : DataFrame with recording_id and one column per grouping, or None
        Subgroups: a column `sex` with `female` gives the stratum `sex=female`. Null is in none.
    thresholds : sequence of float
        Risks from which one would act, for net benefit, sensitivity, specificity and predictive values.

    Returns
    -------
    DataFrame keeping `terms.PERFORMANCE`
        And beside it n_resamples, n_discarded, and note: why a figure or its interval is missing, else null.
        Metrics: auroc, auprc, brier, scaled_brier, oe_ratio, calibration_intercept, calibration_slope, ici,
        net_benefit@t, sensitivity@t, specificity@t, ppv@t, npv@t; delta_auroc for models other than age_sex.

    Raises
    ------
    ContractError
        If `predictions` breaks its contract.
    StudyError
        If models of one target have different recordings, a recording's outcome or patient depends on the model, or a
        choice can't be carried out.

    Examples
    --------
    >>> n = 40
    >>> table = pl.DataFrame({
    ...     "recording_id": [f"r{i:02d}" for i in range(n)], "patient_id": [f"p{i:02d}" for i in range(n)],
    ...     "target": "mi", "model": "ecg", "set": "internal",
    ...     "y": pl.Series([i % 2 for i in range(n)], dtype=pl.Int8), "p": [0.3 + 0.4 * (i % 2) for i in range(n)],
    ... })
    >>> found = performance(table, n_resamples=50, level=0.95, seed=0)
    >>> found.filter(metric="auroc").select("estimate", "lower", "upper", "n", "n_events").row(0)
    (1.0, 1.0, 1.0, 40, 20)
    """
    PREDICTIONS.check(predictions)
    if unit not in UNITS:
        msg = f"unit must be one of {', '.join(UNITS)}; got {unit!r}. Use patient."
        raise StudyError(msg)
    found: list[dict[str, object]] = []
    for rows in _groups(predictions, strata, unit):
        found += _judge(rows, n_resamples=n_resamples, level=level, seed=seed, thresholds=thresholds)
    schema = {**PERFORMANCE.schema, "n_resamples": pl.Int64, "n_discarded": pl.Int64, "note": pl.String}
    return PERFORMANCE.check(pl.DataFrame(found, schema=schema))


def _judge(
    rows: _Rows, *, n_resamples: int, level: float, seed: int, thresholds: Sequence[float]
) -> list[dict[str, object]]:
    """All rows of the table for one target, set and stratum."""
    subgroup = rows.stratum != ALL
    choices: dict[str, Any] = {"thresholds": () if subgroup else tuple(thresholds), "subgroup": subgroup}
    estimates = {model: estimate(rows.y, p, **choices) for model, p in rows.p.items()}
    enough = enough_patients(rows.y, rows.unit)
    replicates = _replicate(rows, n_resamples=n_resamples if enough else 0, seed=seed, choices=choices)
    if not subgroup and BASELINE in estimates:
        for model in estimates.keys() - {BASELINE}:
            estimates[model]["delta_auroc"] = estimates[model]["auroc"] - estimates[BASELINE]["auroc"]
            if enough:
                replicates[model]["delta_auroc"] = replicates[model]["auroc"] - replicates[BASELINE]["auroc"]
    out = []
    for model, figures in estimates.items():
        for metric, value in figures.items():
            limits = interval(replicates[model][metric], level=level) if enough else None
            out.append(_row(rows, (model, metric), estimate=value, limits=limits, level=level))
    return out


def _replicate(rows: _Rows, *, n_resamples: int, seed: int, choices: dict[str, Any]) -> dict[str, dict[str, Floats]]:
    """Every figure of every model in every resample; all models see the same resamples."""
    if not n_resamples:
        return {}
    functions = {model: resampled(rows.y, p, **choices) for model, p in rows.p.items()}
    chunks: dict[str, list[dict[str, Floats]]] = {model: [] for model in functions}
    for weights in resamples(rows.unit, n_resamples=n_resamples, seed=seed):
        for model, figures in functions.items():
            chunks[model].append(figures(weights))
    return {model: {name: np.concatenate([c[name] for c in cs]) for name in cs[0]} for model, cs in chunks.items()}


def _row(
    rows: _Rows, of: tuple[str, str], *, estimate: float, limits: Interval | None, level: float
) -> dict[str, object]:
    real = bool(np.isfinite(estimate))
    given = limits is not None and limits.lower is not None
    note = UNDEFINED if not real else TOO_FEW if limits is None else None if given else UNSTABLE
    return {
        "target": rows.target,
        "model": of[0],
        "set": rows.set,
        "metric": of[1],
        "stratum": rows.stratum,
        "estimate": estimate if real else None,
        "lower": limits.lower if limits and real else None,
        "upper": limits.upper if limits and real else None,
        "level": level,
        "n": len(rows.y),
        "n_patients": int(np.unique(rows.patient).size),
        "n_events": int(rows.y.sum()),
        "n_resamples": limits.n_resamples if limits else 0,
        "n_discarded": limits.n_discarded if limits else 0,
        "note": note,
    }


# --- the rows of one target, set and stratum --------------------------------------------------------------------------


def _groups(predictions: pl.DataFrame, strata: pl.DataFrame | None, unit: str) -> Iterator[_Rows]:
    for (target, where), part in sorted(
        predictions.partition_by("target", "set", as_dict=True).items(), key=lambda item: item[0]
    ):
        wide = _side_by_side(part, str(target), str(where))
        for stratum, chosen in _strata(wide, strata):
            patient = chosen["patient_id"].to_numpy()
            yield _Rows(
                target=str(target),
                set=str(where),
                stratum=stratum,
                y=chosen["y"].to_numpy().astype(float),
                patient=patient,
                unit=units(patient) if unit == "patient" else np.arange(len(patient)),
                p={m: chosen[m].to_numpy() for m in wide.columns[3:]},
            )


def _side_by_side(part: pl.DataFrame, target: str, where: str) -> pl.DataFrame:
    """One row per recording: recording_id, patient_id, y, then a column of risks per model, sorted."""
    bad = part.filter(~pl.col("p").is_between(0, 1) | pl.col("p").is_nan() | ~pl.col("y").is_in([0, 1]))
    if bad.height:
        first = bad.sort("recording_id").row(0, named=True)
        msg = (
            f"p must be a risk in [0, 1] and y 0 or 1; got p = {first['p']}, y = {first['y']} "
            f"in recording {first['recording_id']!r}, {target}, {where}. Drop or mend these rows."
        )
        raise StudyError(msg)
    models = sorted(part["model"].unique())
    n = part["recording_id"].n_unique()
    keys = part.select("recording_id", "patient_id", "y").unique()
    if keys.height != n:
        msg = (
            f"a recording's patient and outcome must be the same for every model; got {keys.height} for {n} "
            f"recordings of {target}, {where}. Join predictions to one table of outcomes."
        )
        raise StudyError(msg)
    if part.height != n * len(models):
        counts = {m: part.filter(model=m).height for m in models}
        msg = (
            f"models must be judged on the same recordings; got {counts} of {n} in {target}, {where}. "
            "Predict every recording with every model."
        )
        raise StudyError(msg)
    wide = keys.sort("recording_id")
    for model in models:
        risks = part.filter(model=model).select("recording_id", pl.col("p").alias(model))
        wide = wide.join(risks, on="recording_id", how="left", validate="1:1", maintain_order="left")
    return wide


def _strata(wide: pl.DataFrame, strata: pl.DataFrame | None) -> Iterator[tuple[str, pl.DataFrame]]:
    yield ALL, wide
    if strata is None:
        return
    for column in strata.columns:
        if column == "recording_id":
            continue
        for value in sorted(strata[column].drop_nulls().unique(), key=str):
            ids = strata.filter(pl.col(column) == value).select("recording_id")
            chosen = wide.join(ids, on="recording_id", how="semi", maintain_order="left")
            if chosen.height:
                yield f"{column}={value}", chosen
