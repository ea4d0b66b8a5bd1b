"""What a new model adds to a base model, by every figure that is asked for, those first that can be believed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from math import ceil
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.terms import PREDICTIONS, StudyError
from twelvelead.validate.bootstrap import Bootstrap
from twelvelead.validate.decision import decision_curves, delta_net_benefit
from twelvelead.validate.improvement import idi
from twelvelead.validate.paired import TOO_FEW, Pair, figures, patient_sums
from twelvelead.validate.reclassification import categorical_nri, continuous_nri, reclassification_table
from twelvelead.validate.resample import enough_patients, units
from twelvelead.validate.strata import risk_strata, strata_difference
from twelvelead.validate.studentised import delta_auroc_interval

Floats = NDArray[np.float64]
Row = dict[str, Any]

POINTS = 41
"""Thresholds of a decision curve."""

DIFFERENCES = {
    **dict.fromkeys(("target", "set", "new", "base", "measure"), pl.String),
    **dict.fromkeys(("estimate", "lower", "upper", "p_value"), pl.Float64),
    **dict.fromkeys(("method", "note"), pl.String),
}


@dataclass(frozen=True)
class Contrast:
    """What is compared, and how; all of it declared before the outcomes are looked at.

    Parameters
    ----------
    new, base : str
        The model in question, and the one it is to improve on.
    null : str or None
        A model whose new block was permuted: what the new model would gain by chance alone.
    cuts : sequence of float
        Limits of the classes of risk, ascending; a risk equal to a cut is in the upper class.
    thresholds : sequence of float
        Risks from which one would act.
    bootstrap : Bootstrap
        Of all intervals.
    """

    new: str
    base: str
    null: str | None
    cuts: Sequence[float]
    thresholds: Sequence[float]
    bootstrap: Bootstrap


@dataclass(frozen=True)
class NestedComparison:
    """The tables of a comparison; each has the columns target and set.

    Parameters
    ----------
    differences : DataFrame with new, base, measure, estimate, lower, upper, p_value, method, note
        ΔAUROC, Δ net benefit, Δ Brier score, IDI and NRI of the new model, then of the null model.
    reclassification : DataFrame with y, base, new, n, n_patients
        Who goes from which class of risk to which.
    strata : DataFrame with model, stratum, from, below, n, n_patients, n_events, predicted, observed, lower, upper, …
        What became of each stratum of each model.
    strata_differences : DataFrame with stratum, new, base, difference, lower, upper, n_resamples, n_discarded
        Differences of positive predictive value.
    decision : DataFrame with model, threshold, net_benefit, lower, upper, …
        Decision curves.
    """

    differences: pl.DataFrame
    reclassification: pl.DataFrame
    strata: pl.DataFrame
    strata_differences: pl.DataFrame
    decision: pl.DataFrame


def compare_nested(predictions: pl.DataFrame, contrast: Contrast) -> NestedComparison:
    """Compare two models, one of which knows what the other knows and more, on the same recordings.

    Parameters
    ----------
    predictions : DataFrame keeping `terms.PREDICTIONS`
        Of evaluated recordings, which had no part in either model.
    contrast : Contrast
        What is compared, and how.

    Returns
    -------
    NestedComparison
        Where fewer than 10 patients have the event, or a recording without it, there is no figure: the one row of
        `differences` says so.

    Raises
    ------
    StudyError
        If a model is absent, the models have different recordings, or a choice can't be carried out.
    """
    PREDICTIONS.check(predictions)
    tables: dict[str, list[pl.DataFrame]] = {field.name: [] for field in fields(NestedComparison)}
    for place, wide in _side_by_side(predictions, contrast):
        y, unit = wide["y"].to_numpy().astype(float), units(wide["patient_id"])
        if not enough_patients(y, unit):
            row = {**place, "new": contrast.new, "base": contrast.base, "note": TOO_FEW}
            tables["differences"].append(pl.DataFrame([row], schema=DIFFERENCES))
            continue
        for name, table in _compare(wide, contrast).items():
            constants = [pl.lit(value).alias(key) for key, value in place.items()]
            tables[name].append(table.select(*constants, *(c for c in table.columns if c not in place)))
    return NestedComparison(**{name: pl.concat(parts) if parts else pl.DataFrame() for name, parts in tables.items()})


def _side_by_side(predictions: pl.DataFrame, contrast: Contrast) -> Iterator[tuple[dict[str, str], pl.DataFrame]]:
    """Yield target and set, and one row per recording with a column of risks per model."""
    models = [m for m in (contrast.base, contrast.new, contrast.null) if m is not None]
    there = predictions["model"].unique().sort().to_list()
    absent = sorted(set(models) - set(there))
    if absent or len(set(models)) < len(models):
        msg = (
            f"base, new and null must be different models that are there; got {', '.join(models)}, "
            f"there are {', '.join(there)}. Name these."
        )
        raise StudyError(msg)
    chosen = predictions.filter(pl.col("model").is_in(models))
    for (target, where), part in sorted(
        chosen.partition_by("target", "set", as_dict=True).items(), key=lambda item: item[0]
    ):
        wide = part.pivot(on="model", index=["recording_id", "patient_id", "y"], values="p", sort_columns=True)
        lacking = [m for m in models if m not in wide.columns or wide[m].null_count()]
        if lacking or wide["recording_id"].is_duplicated().any():
            msg = (
                f"all models must have the same recordings, patients and outcomes; got others for "
                f"{', '.join(lacking) or 'some'} in {target}, {where}. Predict every recording with every model."
            )
            raise StudyError(msg)
        yield {"target": str(target), "set": str(where)}, wide.sort("recording_id")


def _compare(wide: pl.DataFrame, contrast: Contrast) -> dict[str, pl.DataFrame]:
    y = wide["y"].to_numpy().astype(float)
    patients = wide["patient_id"].to_numpy()
    risks = {m: wide[m].to_numpy() for m in (contrast.base, contrast.new, contrast.null) if m is not None}
    base, new = risks[contrast.base], risks[contrast.new]
    rows = []
    for model in [contrast.new] if contrast.null is None else [contrast.new, contrast.null]:
        named = {"new": model, "base": contrast.base}
        pair = Pair(y, new=risks[model], base=base, patients=patients)
        rows += [{**named, **row} for row in _differences(pair, contrast)]
    drawn = contrast.bootstrap
    strata = [
        risk_strata(y, p, cuts=contrast.cuts, level=drawn.level, patients=patients).select(
            pl.lit(model).alias("model"), pl.all()
        )
        for model, p in risks.items()
    ]
    return {
        "differences": pl.DataFrame(rows, schema=DIFFERENCES),
        "reclassification": reclassification_table(Pair(y, new=new, base=base, patients=patients), cuts=contrast.cuts),
        "strata": pl.concat(strata),
        "strata_differences": strata_difference(y, new, base, cuts=contrast.cuts, patients=patients, bootstrap=drawn),
        "decision": decision_curves(y, risks, decision_grid(risks), patients=patients, bootstrap=drawn),
    }


def decision_grid(risks: Mapping[str, Floats]) -> list[float]:
    """Return the thresholds of a decision curve: evenly from 0 to the next tenth above 99 % of the risks.

    Examples
    --------
    >>> grid = decision_grid({"m": np.repeat([0.02, 0.31], 50)})
    >>> grid[0], grid[1], grid[-1], len(grid)
    (0.0, 0.01, 0.39, 40)
    """
    highest = max(float(np.quantile(p, 0.99)) for p in risks.values())
    end = min(1.0, max(0.1, ceil(highest * 10) / 10))
    return [float(threshold) for threshold in np.linspace(0, end, POINTS).round(4)[:-1]]


def _differences(pair: Pair, contrast: Contrast) -> Iterator[Row]:
    """Yield the figures of one contrast: those to believe, then those to print with a warning."""
    drawn = contrast.bootstrap
    how: Any = {"level": drawn.level, "n_resamples": drawn.n_resamples, "seed": drawn.seed}
    ranked = delta_auroc_interval(pair.y, pair.new, pair.base, patients=pair.patients, **how)
    yield {
        "measure": "delta_auroc", "estimate": ranked.estimate, "lower": ranked.lower, "upper": ranked.upper,
        "method": "studentised bootstrap", "note": ranked.note,
    }  # fmt: skip
    yield {
        "measure": "delta_auroc_delong", "estimate": ranked.estimate, "lower": ranked.delong_lower,
        "upper": ranked.delong_upper, "p_value": ranked.p_value, "method": "clustered DeLong",
    }  # fmt: skip
    gained = delta_net_benefit(
        pair.y, pair.new, pair.base, thresholds=contrast.thresholds, patients=_patients(pair), bootstrap=drawn
    )
    for row in gained.iter_rows(named=True):
        yield {
            "measure": f"delta_net_benefit@{row['threshold']:g}", "estimate": row["difference"],
            "lower": row["lower"], "upper": row["upper"], "method": "percentile bootstrap",
        }  # fmt: skip
    yield {"measure": "delta_brier", **_brier(pair, drawn)}
    for name, found in (
        ("idi", idi(pair, **how)),
        ("nri", categorical_nri(pair, cuts=contrast.cuts, **how)),
        ("continuous_nri", continuous_nri(pair, **how)),
    ):
        for part in ("events", "nonevents", "total"):
            figure = getattr(found, part)
            measure = name if part == "total" else f"{name}_{part}"
            yield {
                "measure": measure, "estimate": figure.estimate, "lower": figure.lower, "upper": figure.upper,
                "p_value": figure.p_value, "method": "percentile bootstrap; p in closed form", "note": found.warning,
            }  # fmt: skip


def _brier(pair: Pair, choices: Bootstrap) -> Row:
    """By how much the mean squared error of the new model is above that of the base model; below 0 is better."""
    y, new, base = (np.asarray(a, dtype=float) for a in (pair.y, pair.new, pair.base))
    unit = units(_patients(pair))
    sums = patient_sums(unit, (y - new) ** 2 - (y - base) ** 2, np.ones_like(y))
    (found,), _ = figures(lambda s: (s[0] / s[1])[None], sums, [None], enough=True, choices=choices)
    limits = {"lower": found.lower, "upper": found.upper}
    return {"estimate": found.estimate, **limits, "method": "percentile bootstrap"}


def _patients(pair: Pair) -> Any:  # noqa: ANN401 - an array-like that is there
    return np.arange(len(np.asarray(pair.y))) if pair.patients is None else pair.patients
