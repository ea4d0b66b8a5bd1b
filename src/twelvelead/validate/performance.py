"""Every figure of every model on every set, each with an interval: the table that a reader checks first."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.terms import PERFORMANCE, PREDICTIONS, StudyError
from twelvelead.validate.clustered import Replicates, patient_sums, replicate
from twelvelead.validate.discrimination import auroc_covariance
from twelvelead.validate.figures import SCREENED, estimate, prepare, resampled
from twelvelead.validate.proportions import shares
from twelvelead.validate.resample import Interval, enough_patients, interval
from twelvelead.validate.studentised import (
    METHODS,
    NO_ERROR,
    TOO_FEW,
    UNSTABLE,
    count_patients,
    delong_auroc,
    delong_difference,
    studentised_auroc,
    studentised_difference,
    variance_of_difference,
)

Floats = NDArray[np.float64]

ALL = "all"
"""The stratum of all recordings."""

BASELINE = "age_sex"
"""The model that every other is compared with: what age and sex alone would have told."""

UNITS = ("patient", "recording")

UNDEFINED = "not defined for these recordings"

STUDENTISED, PERCENTILE, WILSON = "studentised bootstrap", "percentile bootstrap", "Wilson"


@dataclass(frozen=True)
class _Rows:
    """Recordings of one target and set, sorted by id; `p` has a risk per model."""

    target: str
    set: str
    stratum: str
    y: Floats
    n_patients: int
    unit: NDArray[np.intp]
    p: dict[str, Floats]


@dataclass(frozen=True)
class _Limits:
    """An interval, what made it, and DeLong's beside it."""

    limits: Interval
    made_by: str
    delong: tuple[float, float] | tuple[None, None] = (None, None)
    note: str = UNSTABLE


class _Gain(NamedTuple):
    """A difference of AUROC: what it is called, of which model, and from which."""

    metric: str
    model: str
    base: str


@dataclass(frozen=True)
class _Choices:
    n_resamples: int
    level: float
    seed: int
    method: str
    thresholds: tuple[float, ...]
    gains: Mapping[str, tuple[str, str]]

    def compared(self, models: Collection[str]) -> list[_Gain]:
        """List the differences of AUROC between models that are there: from age and sex, and those asked for."""
        from_base = [_Gain("delta_auroc", model, BASELINE) for model in sorted(set(models) - {BASELINE})]
        asked = [_Gain(metric, *pair) for metric, pair in self.gains.items()]
        return [gain for gain in [*from_base, *asked] if {gain.model, gain.base} <= set(models)]


def performance(  # noqa: PLR0913 (every choice is an argument)
    predictions: pl.DataFrame,
    *,
    n_resamples: int,
    level: float,
    seed: int,
    unit: str = "patient",
    strata: pl.DataFrame | None = None,
    thresholds: Sequence[float] = (0.05, 0.1, 0.2),
    method: str = "studentised",
    gains: Mapping[str, tuple[str, str]] = MappingProxyType({}),
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
        Risks from which one would act, declared beforehand: for net benefit, sensitivity, specificity, predictive
        values and the number needed to screen.
    method : {"studentised", "percentile"}
        "studentised": AUROC and its differences by the studentised bootstrap (`auroc_interval`), shares at thresholds
        by Wilson with the design effect (`proportions.shares`), the rest by the percentile bootstrap. "percentile":
        everything by the percentile bootstrap, as most publications have it.
    gains : mapping of str to (str, str)
        Further differences of AUROC: what each is called, the model, and the one whose AUROC is taken from its; for
        targets and sets that have both.

    Returns
    -------
    DataFrame keeping `terms.PERFORMANCE`
        And beside it n_resamples, n_discarded (null where no resample was used), and note: why a figure or its
        interval is missing, else null. With fewer than 10 patients who have the event, or a recording without it,
        no figure is given.
        Metrics: auroc, auprc, brier, scaled_brier, oe_ratio, calibration_intercept, calibration_slope, ici,
        net_benefit@t, sensitivity@t, specificity@t, ppv@t, npv@t, number_needed_to_screen@t; delta_auroc for models
        other than age_sex.

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
    ...     "y": pl.Series([i % 2 for i in range(n)], dtype=pl.Int8), "p": [0.3 + 0.4 * (i % 4 > 1) for i in range(n)],
    ... })
    >>> found = performance(table, n_resamples=50, level=0.95, seed=0)
    >>> found.filter(metric="auroc").select("estimate", "n", "n_events", "interval").row(0)
    (0.5, 40, 20, 'studentised bootstrap')
    """
    PREDICTIONS.check(predictions)
    for name, value, allowed in (("unit", unit, UNITS), ("method", method, METHODS)):
        if value not in allowed:
            msg = f"{name} must be one of {', '.join(allowed)}; got {value!r}. Use {allowed[0]}."
            raise StudyError(msg)
    choices = _Choices(n_resamples, level, seed, method, tuple(thresholds), gains)
    found: list[dict[str, object]] = []
    for rows in _groups(predictions, strata, unit):
        found += _judge(rows, choices if rows.stratum == ALL else replace(choices, thresholds=()))
    schema = {**PERFORMANCE.schema, "n_resamples": pl.Int64, "n_discarded": pl.Int64, "note": pl.String}
    return PERFORMANCE.check(pl.DataFrame(found, schema=schema))


def _judge(rows: _Rows, choices: _Choices) -> list[dict[str, object]]:
    """All rows of the table for one target, set and stratum."""
    subgroup = rows.stratum != ALL
    given: dict[str, Any] = {"thresholds": choices.thresholds, "subgroup": subgroup}
    estimates = {model: estimate(rows.y, p, **given) for model, p in rows.p.items()}
    compared = [] if subgroup else choices.compared(estimates)
    for metric, model, base in compared:
        estimates[model][metric] = estimates[model]["auroc"] - estimates[base]["auroc"]
    limits: dict[tuple[str, str], _Limits] = {}
    if enough_patients(rows.y, rows.unit):
        limits = _by_bootstrap(rows, choices, subgroup=subgroup, compared=compared)
        if choices.method == "studentised":
            for model, p in rows.p.items():
                limits |= {(model, name): found for name, found in _by_wilson(rows, p, choices=choices).items()}
    return [
        _row(rows, (model, metric), estimate=value, found=limits.get((model, metric)), level=choices.level)
        for model, figures in estimates.items()
        for metric, value in figures.items()
    ]


def _by_bootstrap(
    rows: _Rows, choices: _Choices, *, subgroup: bool, compared: Sequence[_Gain]
) -> dict[tuple[str, str], _Limits]:
    """Return the limits of every figure by model and metric; all models see the same resamples."""
    given: dict[str, Any] = {"unit": rows.unit, "thresholds": choices.thresholds, "subgroup": subgroup}
    models = {model: prepare(rows.y, p, **given) for model, p in rows.p.items()}
    found = replicate(
        [m.ranking for m in models.values()],
        patient_sums(rows.y, unit=rows.unit, columns=[c for m in models.values() for c in m.columns]),
        n_resamples=choices.n_resamples,
        seed=choices.seed,
        with_covariance=choices.method == "studentised",
    )
    out: dict[tuple[str, str], _Limits] = {}
    for k, (name, model) in enumerate(models.items()):
        for metric, values in resampled(model, found, k, thresholds=choices.thresholds).items():
            out[name, metric] = _Limits(interval(values, level=choices.level), PERCENTILE)
    return out | _of_aurocs(rows, choices, found=found, compared=compared)


def _of_aurocs(
    rows: _Rows, choices: _Choices, *, found: Replicates, compared: Sequence[_Gain]
) -> dict[tuple[str, str], _Limits]:
    """Return the limits of AUROCs and of their differences, with DeLong's beside them."""
    level, studentised = choices.level, choices.method == "studentised"
    names = list(rows.p)
    auroc, covariance = auroc_covariance(rows.y, np.array(list(rows.p.values())), patients=rows.unit)
    n_patients = count_patients(rows.y, rows.unit)
    out = {}
    for k, name in enumerate(names):
        known, values = (float(auroc[k]), float(covariance[k, k])), found.auroc[:, k]
        if studentised:
            errors = np.sqrt(found.covariance[:, k, k])
            limits = studentised_auroc(known, (values, errors), level=level, n_patients=n_patients)
        else:
            limits = interval(values, level=level)
        beside = delong_auroc(*known, level=level)
        note = UNSTABLE if beside[0] is not None else NO_ERROR
        out[name, "auroc"] = _Limits(limits, STUDENTISED if studentised else PERCENTILE, beside, note)
    for metric, name, base in compared:
        pair = names.index(name), names.index(base)
        known = float(auroc[pair[0]] - auroc[pair[1]]), variance_of_difference(covariance, of=pair).item()
        values = found.auroc[:, pair[0]] - found.auroc[:, pair[1]]
        if studentised:
            errors = np.sqrt(variance_of_difference(found.covariance, of=pair))
            limits = studentised_difference(known, (values, errors), level=level, n_patients=n_patients)
        else:
            limits = interval(values, level=level)
        beside = delong_difference(*known, level=level)
        out[name, metric] = _Limits(limits, STUDENTISED if studentised else PERCENTILE, beside)
    return out


def _by_wilson(rows: _Rows, p: Floats, *, choices: _Choices) -> dict[str, _Limits]:
    """Return the limits of shares at thresholds, by metric."""
    out = {}
    for threshold in choices.thresholds:
        positive = ((p >= threshold) & (p > 0)).astype(np.intp)
        right = (positive == rows.y).astype(float)
        # Those right among the events, and among those called positive; and the same among the others.
        for of, names in ((rows.y.astype(np.intp), ("specificity", "sensitivity")), (positive, ("npv", "ppv"))):
            table = shares(right, of, rows.unit, level=choices.level)
            for which, lower, upper in table.select("group", "lower", "upper").iter_rows():
                out[f"{names[which]}@{threshold:g}"] = _Limits(Interval(lower, upper, 0, 0), WILSON)
        ppv = out.get(f"ppv@{threshold:g}")
        if ppv and ppv.limits.lower and ppv.limits.upper:
            screened = Interval(1 / ppv.limits.upper, 1 / ppv.limits.lower, 0, 0)
            out[f"{SCREENED}@{threshold:g}"] = _Limits(screened, WILSON)
    return out


def _row(
    rows: _Rows, of: tuple[str, str], *, estimate: float, found: _Limits | None, level: float
) -> dict[str, object]:
    defined = bool(np.isfinite(estimate))
    limits = found.limits if found else Interval(None, None, 0, 0)
    given = defined and limits.lower is not None
    if given:
        note = None
    elif found is None:
        note = UNDEFINED if rows.y.min() == rows.y.max() else TOO_FEW
    else:
        note = found.note if defined else UNDEFINED
    return {
        "target": rows.target,
        "model": of[0],
        "set": rows.set,
        "metric": of[1],
        "stratum": rows.stratum,
        "estimate": estimate if defined and found else None,
        "lower": limits.lower if given else None,
        "upper": limits.upper if given else None,
        "level": level,
        "n": len(rows.y),
        "n_patients": rows.n_patients,
        "n_events": int(rows.y.sum()),
        "delong_lower": found.delong[0] if found else None,
        "delong_upper": found.delong[1] if found else None,
        "interval": found.made_by if found and given else None,
        "n_resamples": limits.n_resamples or None,
        "n_discarded": limits.n_discarded if limits.n_resamples else None,
        "note": note,
    }


# --- the rows of one target, set and stratum --------------------------------------------------------------------------


def _groups(predictions: pl.DataFrame, strata: pl.DataFrame | None, unit: str) -> Iterator[_Rows]:
    for (target, where), part in sorted(
        predictions.partition_by("target", "set", as_dict=True).items(), key=lambda item: item[0]
    ):
        wide = _side_by_side(part, str(target), str(where))
        for stratum, chosen in _strata(wide, strata):
            patient, number = np.unique(chosen["patient"].to_numpy(), return_inverse=True)
            yield _Rows(
                target=str(target),
                set=str(where),
                stratum=stratum,
                y=chosen["y"].to_numpy().astype(float),
                n_patients=len(patient),
                unit=number if unit == "patient" else np.arange(len(number)),
                p={m: chosen[m].to_numpy() for m in wide.columns[3:]},
            )


def _side_by_side(part: pl.DataFrame, target: str, where: str) -> pl.DataFrame:
    """One row per recording: its id, number of its patient, y, then a column of risks per model, sorted."""
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
    # Numbers in the order of the ids: a patient's draws must not depend on the order of rows.
    numbered = keys.select("recording_id", patient=pl.col("patient_id").rank("dense"), y="y")
    wide = numbered.sort("recording_id")
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
