"""What a reviewer may be told beside the predictions; each fact allows one more check."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from twelvelead.validate.discrimination import auroc
from twelvelead.validate.near_duplicates import MEASURED, near_duplicates
from twelvelead.validate.rules import Objection
from twelvelead.validate.sample_size import anticipated_r2, minimum_sample_size

LATER = ("delay", "hours_after", "days_after", "time_to", "length_of_stay", "los_", "discharge", "follow_up")
"""What a predictor's name begins with, or has after an underscore, where it is known only after the ECG."""

CALIBRATION = ("calibration_slope", "calibration_intercept", "oe_ratio", "ici")
"""Measures of calibration; one of them beside the AUROC is the least."""

AS_GOOD = 0.01
"""A site that is no more than so much of AUROC behind the model knows the outcome as well."""

WORTH_ASKING = 0.6
"""Below this AUROC a site tells too little to be a rival."""

MODEST = 0.6
"""The least AUROC that is anticipated: for a model that tells next to nothing no sample is enough."""

ALONE = 0.98
"""An AUROC that no single measurement of an ECG has, unless it is the outcome in another form."""


@dataclass(frozen=True)
class Dossier:
    """Facts about a study that its predictions do not show. What is left out is not checked.

    Parameters
    ----------
    predictors : collection of str
        Names of the predictors offered to any model.
    predictor_times_h : mapping of str to float
        Hours from the index ECG until each predictor is known; above 0 it is known too late.
    development : DataFrame with columns target, y, or None
        Outcomes of the recordings that the models were developed on.
    n_parameters : int or None
        Candidate parameters: everything that was tried, not only what was kept.
    reported : collection of str or None
        Names of the measures that are reported.
    thresholds : collection of float
        Risks from which the study would act.
    thresholds_declared : bool or None
        Whether they were fixed before the evaluation data were seen.
    sites : DataFrame with columns recording_id, site, or None
        Where each evaluated recording comes from.
    measurements : DataFrame with recording_id and numbers, or None
        Predictors of the evaluated recordings.
    development_measurements : DataFrame with the same columns, or None
        Those of the development recordings.
    unit : {"patient", "recording"} or None
        What was resampled for the intervals.
    level : float or None
        Confidence level of the intervals.
    chosen_on : {"development", "evaluation"} or None
        On which data predictors, model or tuning were chosen.
    reweighted, recalibrated : bool or None
        Whether classes were weighted or resampled, and whether the risks were calibrated afterwards.
    """

    predictors: Collection[str] = ()
    predictor_times_h: Mapping[str, float] = field(default_factory=dict)
    development: pl.DataFrame | None = None
    n_parameters: int | None = None
    reported: Collection[str] | None = None
    thresholds: Sequence[float] = ()
    thresholds_declared: bool | None = None
    sites: pl.DataFrame | None = None
    measurements: pl.DataFrame | None = None
    development_measurements: pl.DataFrame | None = None
    unit: str | None = None
    level: float | None = None
    chosen_on: str | None = None
    reweighted: bool | None = None
    recalibrated: bool | None = None


def examine_dossier(predictions: pl.DataFrame, dossier: Dossier) -> list[Objection]:
    """List the objections that need more than the predictions.

    Parameters
    ----------
    predictions : DataFrame keeping the columns of `terms.PREDICTIONS`
        What is judged.
    dossier : Dossier
        What is known beside them.

    Examples
    --------
    >>> rows = pl.DataFrame({"recording_id": ["a", "b"], "patient_id": ["p", "p"], "target": "mi", "model": "m",
    ...                      "set": "internal", "y": [0, 1], "p": [0.1, 0.2]})
    >>> [o.code for o in examine_dossier(rows, Dossier(predictors=["qrs_duration_ms", "delay_h"], unit="recording"))]
    ['V009', 'V016']
    """
    return [
        *_later(dossier),
        *_sample_size(predictions, dossier),
        *_said(predictions, dossier),
        *_thresholds(predictions, dossier),
        *_sites(predictions, dossier),
        *_twice(predictions, dossier),
        *_alone(predictions, dossier),
    ]


def _later(dossier: Dossier) -> list[Objection]:
    late = {name: f"{name} ({hours:g} h)" for name, hours in dossier.predictor_times_h.items() if hours > 0}
    known = set(dossier.predictor_times_h)
    late |= {
        name: name
        for name in dossier.predictors
        if name not in known and any(name.startswith(word) or f"_{word}" in name for word in LATER)
    }
    if not late:
        return []
    msg = (
        f"a predictor must be known at the index ECG; got {len(late)} that by time or name are not: "
        f"{some(sorted(late.values()))}. Leave them out and fit again, or declare when they are known."
    )
    return [Objection("V009", msg)]


def _sample_size(predictions: pl.DataFrame, dossier: Dossier) -> list[Objection]:
    if dossier.development is None or dossier.n_parameters is None:
        return []
    found = []
    for (target,), rows in sorted(dossier.development.group_by("target"), key=lambda item: str(item[0])):
        n, events = rows.height, int(rows["y"].sum())
        best = _best_auroc(predictions.filter(pl.col("target") == target))
        if not 0 < events < n or best is None or best == 1:
            continue
        share, best = events / n, max(best, MODEST)
        r2 = anticipated_r2(auroc=best, prevalence=share)
        least = minimum_sample_size(n_parameters=dossier.n_parameters, prevalence=share, r2=r2).n
        if n < least:
            msg = (
                f"{dossier.n_parameters} parameters at a prevalence of {share:.3g} and an AUROC of {best:.2f} need "
                f"{least} recordings; got {n} with {events} events ({events / dossier.n_parameters:.1f} per parameter) "
                f"to develop {target}. Offer fewer predictors, penalise, or collect more."
            )
            found.append(Objection("V010", msg))
    return found


def _best_auroc(rows: pl.DataFrame) -> float | None:
    found = [
        auroc(part["y"], part["p"])
        for part in rows.partition_by("model", "set")
        if 0 < part["y"].sum() < part.height and part["p"].is_not_nan().all()
    ]
    return max(found, default=None)


def _said(predictions: pl.DataFrame, dossier: Dossier) -> list[Objection]:
    """Object to what is said of the analysis itself."""
    found = []
    if dossier.reported is not None and not set(dossier.reported) & set(CALIBRATION):
        msg = (
            f"calibration must be reported beside discrimination; got {some(sorted(dossier.reported)) or 'nothing'}. "
            "Add intercept, slope and the curve."
        )
        found.append(Objection("V011", msg))
    several = predictions["recording_id"].n_unique() > predictions["patient_id"].n_unique()
    if dossier.unit == "recording" and several:
        msg = (
            "patients must be resampled where they have several recordings; got recordings as the unit for "
            f"{predictions['recording_id'].n_unique()} of {predictions['patient_id'].n_unique()} patients. "
            "The intervals are too narrow: resample patients."
        )
        found.append(Objection("V016", msg))
    if dossier.level is not None and abs(dossier.level - 0.95) > 1e-9:
        msg = f"intervals must have a level of 0.95; got {dossier.level:g}. Take 0.95, or write the level beside each."
        found.append(Objection("V017", msg))
    if dossier.chosen_on == "evaluation":
        msg = (
            "predictors, model and tuning must be chosen on development data; got a choice on the evaluation data. "
            "The best of 20 useless predictors has there an AUROC of .56: choose again, then evaluate once."
        )
        found.append(Objection("V018", msg))
    if dossier.reweighted and not dossier.recalibrated:
        msg = (
            "risks must be calibrated after classes were weighted or resampled; got weights without it. "
            "Calibrate on development data, or fit without weights."
        )
        found.append(Objection("V019", msg))
    return found


def _thresholds(predictions: pl.DataFrame, dossier: Dossier) -> list[Objection]:
    found = []
    if dossier.thresholds and dossier.thresholds_declared is False:
        given = some([f"{t:g}" for t in dossier.thresholds])
        found.append(Objection("V012", f"thresholds must be declared beforehand; got {given}, which were not. Do so."))
    if dossier.thresholds_declared:
        return found
    for (target, model, where), rows in each(predictions):
        optima = read_off(rows)
        for threshold in dossier.thresholds:
            names = [name for name, value in optima.items() if abs(value - threshold) <= 1e-9]
            if names:
                msg = (
                    f"a threshold must not be read off the evaluation data; got {threshold:g}, its {names[0]} in "
                    f"{target}, {model}, {where}. Declare it on development data."
                )
                found.append(Objection("V012", msg))
    return found


def read_off(rows: pl.DataFrame) -> dict[str, float]:
    """Return the thresholds that are commonly read off evaluation data: Youden's optimum and high percentiles.

    Parameters
    ----------
    rows : DataFrame with columns y, p
        Of one target, model and set.

    Returns
    -------
    dict of str to float
        By name. Empty where fewer than 50 different risks occur: a round threshold then equals one by chance.

    References
    ----------
    Youden WJ. Index for rating diagnostic tests.
    doi:10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3
    """
    y, p = rows["y"].to_numpy().astype(float), rows["p"].to_numpy()
    if not 0 < y.sum() < len(y) or np.isnan(p).any():
        return {}
    values, place = np.unique(p, return_inverse=True)
    if len(values) < 50:
        return {}
    events = np.cumsum(np.bincount(place, weights=y)[::-1])[::-1] / y.sum()
    rest = np.cumsum(np.bincount(place, weights=1 - y)[::-1])[::-1] / (1 - y).sum()
    percentiles = {f"{q}th percentile": float(np.quantile(p, q / 100)) for q in (50, 75, 80, 90, 95, 99)}
    return {"Youden optimum": float(values[np.argmax(events - rest)]), **percentiles}


def _sites(predictions: pl.DataFrame, dossier: Dossier) -> list[Objection]:
    """Predict each half of the patients by their sites' shares in the other half, and compare with the model."""
    if dossier.sites is None:
        return []
    found = []
    for (target, model, where), rows in each(predictions):
        joined = rows.join(dossier.sites.select("recording_id", "site"), on="recording_id", how="left", validate="m:1")
        if joined["site"].n_unique() < 2 or not _enough(rows["y"]) or rows["p"].is_nan().any():
            continue
        half = pl.col("patient_id").rank("dense") % 2
        counted = joined.with_columns(_half=half, site=pl.col("site").cast(pl.String).fill_null("unknown"))
        sums = counted.group_by("site", "_half").agg(pl.col("y").sum().cast(pl.Float64).alias("k"), pl.len().alias("n"))
        other = sums.with_columns((1 - pl.col("_half")).alias("_half")).select("site", "_half", share=_share())
        scored = counted.join(other, on=["site", "_half"], how="left").with_columns(
            pl.col("share").fill_null(pl.col("y").mean())
        )
        by_site, by_model = auroc(scored["y"], scored["share"]), auroc(rows["y"], rows["p"])
        if by_site >= max(WORTH_ASKING, by_model - AS_GOOD):
            msg = (
                f"the model must know more than the site; got an AUROC of {by_site:.2f} from the site alone, "
                f"{by_model:.2f} from {model} in {target}, {where}. Judge within sites, and at a new one."
            )
            found.append(Objection("V013", msg))
    return found


def _enough(y: pl.Series) -> bool:
    """Whether an AUROC is more than chance: 20 recordings with the event, and 20 without."""
    return 20 <= int(y.sum()) <= len(y) - 20


def _share() -> pl.Expr:
    return pl.col("k") / pl.col("n")


def _twice(predictions: pl.DataFrame, dossier: Dossier) -> list[Objection]:
    if dossier.measurements is None:
        return []
    patients = predictions.select("recording_id", "patient_id").unique("recording_id")
    twins = near_duplicates(dossier.measurements, dossier.development_measurements, patients=patients)
    if twins.is_empty():
        return []
    first = twins.row(0, named=True)
    msg = (
        f"a recording must not be there twice; got {twins.height} pairs with the same {MEASURED} or more measurements, "
        f"first {first['recording_id']!r} and {first['twin']!r} ({first['where']}). Look whether they are one."
    )
    return [Objection("V014", msg)]


def _alone(predictions: pl.DataFrame, dossier: Dossier) -> list[Objection]:
    """Look for a single measurement that is the outcome in another form."""
    if dossier.measurements is None:
        return []
    found = []
    numbers = [
        name for name, kind in dossier.measurements.schema.items() if kind.is_numeric() and name != "recording_id"
    ]
    outcomes = predictions.select("recording_id", "target", "set", "y").unique()
    for (target, where), rows in sorted(
        outcomes.partition_by("target", "set", as_dict=True).items(), key=lambda item: item[0]
    ):
        joined = rows.join(dossier.measurements, on="recording_id", how="inner")
        for name in numbers:
            known = joined.select("y", p=pl.col(name).cast(pl.Float64).fill_nan(None)).drop_nulls()
            if not _enough(known["y"]):
                continue
            value = auroc(known["y"], known["p"])
            if max(value, 1 - value) > ALONE:
                msg = (
                    f"no single predictor should have an AUROC above {ALONE}; got {max(value, 1 - value):.3f} for "
                    f"{name} in {target}, {where}. Look whether it is part of the outcome."
                )
                found.append(Objection("V015", msg))
    return found


def each(predictions: pl.DataFrame) -> list[tuple[tuple[object, ...], pl.DataFrame]]:
    """Return the rows of each target, model and set, in this order."""
    parts = predictions.partition_by("target", "model", "set", as_dict=True)
    return sorted(parts.items(), key=lambda item: item[0])


def some(names: Sequence[str]) -> str:
    """Write the first five of some names.

    Examples
    --------
    >>> some(list("abcdef"))
    'a, b, c, d, e, …'
    """
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
