"""The performance of every target, model and set, as rows of text."""

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from twelvelead.report.axes import MODEL_STYLES
from twelvelead.report.wording import METRICS, name_model, write_interval, write_level, write_number

Row = dict[str, Any]

MAIN = ("auroc", "delta_auroc", "delta_auroc_embedding", "auprc", "brier", "calibration_intercept",
        "calibration_slope")  # fmt: skip
SUBGROUP = ("auroc", "oe_ratio", "calibration_slope")
SETS = ("internal", "external")
_DIGITS = {"brier": 3, "scaled_brier": 3, "ici": 3, "delta_auroc": 3, "delta_auroc_embedding": 3,
           "net_benefit": 3}  # fmt: skip


def main_metrics(performance: pl.DataFrame) -> tuple[str, ...]:
    """Return the metrics of `MAIN` that a table has; those of every study whether it has them or not.

    Examples
    --------
    >>> main_metrics(pl.DataFrame({"metric": ["auroc", "delta_auroc_embedding"]}))[:3]
    ('auroc', 'delta_auroc', 'delta_auroc_embedding')
    """
    there = set(performance["metric"])
    return tuple(metric for metric in MAIN if metric in there or metric != "delta_auroc_embedding")


def order_models(models: Iterable[str]) -> list[str]:
    """Order models: age and sex, ECG, both without and with an embedding, then any others by name."""
    there = set(models)
    return [m for m in MODEL_STYLES if m in there] + sorted(there - set(MODEL_STYLES))


def order_sets(sets: Iterable[str]) -> list[str]:
    """Order sets: internal, external, then any others by name."""
    there = set(sets)
    return [s for s in SETS if s in there] + sorted(there - set(SETS))


def full_model(models: Iterable[str]) -> str:
    """Return the model that is explained and drawn in full: the one with most predictors; empty if there is none."""
    ordered = order_models(models)
    return "ecg_age_sex" if "ecg_age_sex" in ordered else ordered[-1] if ordered else ""


def name_metric(metric: str) -> str:
    """Write a metric in words.

    Examples
    --------
    >>> name_metric("net_benefit@0.1"), name_metric("ppv@0.2"), name_metric("oe_ratio")
    ('net benefit at risk ≥ 0.1', 'PPV at risk ≥ 0.2', 'observed : expected')
    """
    if "@" not in metric:
        return METRICS.get(metric, metric.replace("_", " "))
    name, threshold = metric.split("@", 1)
    words = {"ppv": "PPV", "npv": "NPV"}.get(name, name.replace("_", " "))
    return f"{words} at risk ≥ {threshold}"


def write_estimate(row: Mapping[str, Any] | None) -> str:
    """Write one row of the performance table as estimate and interval, with the digits that its metric needs."""
    if row is None:
        return ""
    return write_interval(row, _DIGITS.get(str(row["metric"]).split("@", maxsplit=1)[0], 2))


def tabulate_performance(performance: pl.DataFrame, *, titles: Mapping[str, str]) -> list[Row]:
    """Return one row per set, target and model, with the metrics of `main_metrics` as text.

    Returns
    -------
    list of dict
        set, target, title, model (in words), n, n_patients,
        n_events, prevalence, and cells: one text per metric.
    """
    metrics = main_metrics(performance)
    found = _index(performance.filter(pl.col("stratum") == "all"))
    rows = []
    for set_ in order_sets(performance["set"]):
        for target, title in titles.items():
            for model in order_models(performance["model"]):
                cells = [found.get((target, model, set_, metric)) for metric in metrics]
                size = next((cell for cell in cells if cell is not None), None)
                if size is not None:
                    texts = [write_estimate(cell) for cell in cells]
                    rows.append({"set": set_, "target": target, "title": title, "cells": texts, **_size(size, model)})
    return rows


def tabulate_target(performance: pl.DataFrame, target: str) -> list[Row]:
    """Return every metric of one target: one row per set and metric, one text per model.

    Returns
    -------
    list of dict
        set, metric (in words), cells: model to text.
    """
    rows = performance.filter((pl.col("target") == target) & (pl.col("stratum") == "all"))
    found = _index(rows)
    metrics = [*dict.fromkeys(rows["metric"])]
    return [
        {
            "set": set_,
            "metric": name_metric(metric),
            "cells": [write_estimate(found.get((target, m, set_, metric))) for m in order_models(rows["model"])],
        }
        for set_ in order_sets(rows["set"])
        for metric in metrics
    ]


def tabulate_subgroups(performance: pl.DataFrame, *, titles: Mapping[str, str], model: str) -> list[Row]:
    """Return one row per set, target and subgroup, for one model.

    Returns
    -------
    list of dict
        set, target, title, stratum (in words), n, n_patients, n_events, cells for AUROC, O:E and calibration slope.

    Notes
    -----
    Where no figure can be given, since fewer than 10 patients have, or have not, the event, neither are counts; nor
    those of the smallest other subgroup, where what one hides could be had as the whole less the others.
    """
    mine = performance.filter((pl.col("model") == model) & pl.col("metric").is_in(SUBGROUP))
    found: dict[tuple[str, str], dict[str, dict[str, Row]]] = {}
    for row in mine.iter_rows(named=True):
        found.setdefault((row["set"], row["target"]), {}).setdefault(row["stratum"], {})[row["metric"]] = row
    rows = []
    for set_ in order_sets(mine["set"]):
        for target, title in titles.items():
            strata = found.get((set_, target), {})
            hidden = _hide(strata)
            for stratum in _order_strata(strata):
                by_metric = strata[stratum]
                size = _size(next(iter(by_metric.values())), model)
                if stratum in hidden:
                    size |= dict.fromkeys(("n", "n_patients", "n_events"), "–")
                texts = [write_estimate(by_metric.get(metric)) for metric in SUBGROUP]
                named = {"set": set_, "target": target, "title": title, "stratum": name_stratum(stratum)}
                rows.append({**named, "cells": texts, **size})
    return rows


def _order_strata(strata: Iterable[str]) -> list[str]:
    """Keep subgroups as they come, but for ages “under …”, which the alphabet puts last.

    Examples
    --------
    >>> _order_strata(["sex=female", "age=40–54 years", "age=under 40 years"])
    ['sex=female', 'age=under 40 years', 'age=40–54 years']
    """
    ordered = list(strata)
    place = {stratum.partition("=")[0]: n for n, stratum in reversed(list(enumerate(ordered)))}
    return sorted(ordered, key=lambda s: (place[s.partition("=")[0]], not s.partition("=")[2].startswith("under ")))


def _hide(strata: Mapping[str, Mapping[str, Row]]) -> set[str]:
    """Name the subgroups whose counts are not shown."""
    hidden: set[str] = set()
    by_grouping: dict[str, list[str]] = {}
    for stratum in strata:
        by_grouping.setdefault(stratum.partition("=")[0], []).append(stratum)
    for members in by_grouping.values():
        small = [s for s in members if all(row["estimate"] is None for row in strata[s].values())]
        others = [s for s in members if s not in small]
        hidden.update(small)
        if len(small) == 1 and others:
            hidden.add(min(others, key=lambda s: (next(iter(strata[s].values()))["n_patients"], s)))
    return hidden


def name_stratum(stratum: str) -> str:
    """Write a subgroup in words.

    Examples
    --------
    >>> name_stratum("all"), name_stratum("sex=female"), name_stratum("age_band=40-55")
    ('all recordings', 'sex: female', 'age band: 40-55')
    """
    if stratum == "all":
        return "all recordings"
    name, _, value = stratum.partition("=")
    return f"{name.replace('_', ' ')}: {value}" if value else name


def describe_intervals(performance: pl.DataFrame, declaration: Mapping[str, Any]) -> str:
    """Say in one sentence what the intervals of a table are: level, resamples, unit, and what was discarded."""
    levels = [write_level(v) for v in sorted(set(performance["level"].drop_nulls()))]
    level = ", ".join(levels) or write_level(declaration["validation"]["level"])
    resamples = write_number(declaration["validation"]["n_resamples"], 0)
    unit = "patients" if declaration["validation"]["unit"] == "patient" else "recordings"
    if "n_resamples" in performance.columns:
        counted = sorted({n for n in performance["n_resamples"].drop_nulls() if n})  # closed forms need none
        resamples = ", ".join(write_number(n, 0) for n in counted) or resamples
    sentence = f"In brackets: {level} interval from {resamples} bootstrap resamples of {unit}"
    if "n_discarded" in performance.columns:
        most = int(str(performance.filter(pl.col("lower").is_not_null())["n_discarded"].max() or 0))
        sentence += (
            f"; those in which a figure is undefined were left out of it, at most {write_number(most, 0)}"
            if most
            else "; none left out"
        )
    made = set(performance["interval"].drop_nulls()) if "interval" in performance.columns else set()
    if {"studentised bootstrap", "percentile bootstrap"} <= made:
        sentence += "; studentised for AUROC and ΔAUROC, percentiles for the rest"
    if "Wilson" in made:
        sentence += "; shares at thresholds have Wilson limits with the design effect"
    return sentence + "."


def _size(row: Mapping[str, Any], model: str) -> Row:
    n, n_events = row["n"], row["n_events"]
    return {
        "model": name_model(model),
        "n": write_number(n, 0),
        "n_patients": write_number(row["n_patients"], 0),
        "n_events": write_number(n_events, 0),
        "prevalence": f"{100 * n_events / n:.1f} %" if n else "–",
    }


def _index(performance: pl.DataFrame) -> dict[tuple[str, str, str, str], Row]:
    return {(r["target"], r["model"], r["set"], r["metric"]): r for r in performance.iter_rows(named=True)}
