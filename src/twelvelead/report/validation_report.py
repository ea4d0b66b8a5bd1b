"""The judgement of anyone's predictions as one page of HTML that needs nothing else."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from twelvelead.report.axes import style_models
from twelvelead.report.curves import draw_calibration, draw_decision, draw_roc
from twelvelead.report.forest import draw_forest
from twelvelead.report.hypotheses_table import tabulate_hypotheses, tabulate_subgroup_differences
from twelvelead.report.pages import render
from twelvelead.report.performance_table import (
    MAIN,
    SUBGROUP,
    describe_intervals,
    full_model,
    main_metrics,
    name_metric,
    order_models,
    order_sets,
    tabulate_performance,
    tabulate_subgroups,
    tabulate_target,
    write_estimate,
)
from twelvelead.report.probast import answer_questions, checked_codes
from twelvelead.report.wording import name_model, name_set, write_interval, write_level, write_number
from twelvelead.terms import PERFORMANCE, PREDICTIONS, RESEARCH_ONLY
from twelvelead.validate import RULES, Objection, calibration_curve, roc_curve

MOST_CALIBRATIONS = 4
"""Calibration plots of a target and set; of more models the table tells."""

MOST_TARGETS = 60
"""Targets and sets whose figures are drawn, so that the page stays one that a browser opens."""

READING = (
    ("AUROC", "The chance that a recording with the event is given a higher risk than one without. It says nothing of "
     "whether the risks are right, and does not change if all are halved."),
    ("ΔAUROC", "The same recordings, two models. The figure to believe when a model is said to add something."),
    ("Calibration intercept and slope", "0 and 1 are ideal. An intercept above 0: risks too low on the whole; a slope "
     "below 1: too extreme, as after overfitting."),
    ("Integrated calibration index (ICI)", "How far risk and smoothed share are apart on average. It depends on the "
     "smoother, here a restricted cubic spline, and is above 0 even for perfect risks."),
    ("Brier score", "Mean squared error of the risks: ranking and calibration in one. The scaled one is 0 for the bare "
     "prevalence and 1 for certainty."),
    ("Net benefit", "True positives less false ones, at the exchange rate that the threshold implies. A model is of "
     "use only where its curve is above acting on all, on none, and on age and sex alone."),
    ("PPV and number needed to screen", "Of those called positive, how many have the event; and how many must be "
     "looked at to find one. Both move with the prevalence."),
)  # fmt: skip
"""What each figure says, and what it does not."""


@dataclass(frozen=True)
class Given:
    """What was given to the judge, as the page says it.

    Parameters
    ----------
    title : str
        Of the page.
    n_resamples : int
        Bootstrap resamples of patients.
    level : float
        Confidence level.
    cuts : sequence of float
        Limits of the strata of risk.
    known : collection of str
        Codes of the rules whose needs were met, beside those that need predictions only.
    notes : sequence of str
        What has to be said once: rows left out, defaults taken.
    provenance : sequence of (str, str)
        Name and value: input, hash, choices, versions.
    simulated : bool
        Whether the patients are made up.
    """

    title: str
    n_resamples: int
    level: float
    cuts: Sequence[float]
    known: Sequence[str] = ()
    notes: Sequence[str] = ()
    provenance: Sequence[tuple[str, str]] = ()
    simulated: bool = False


def validation_report(
    predictions: pl.DataFrame, tables: Mapping[str, pl.DataFrame], objections: Sequence[Objection], *, given: Given
) -> str:
    """Write the page.

    Parameters
    ----------
    predictions : DataFrame keeping `terms.PREDICTIONS`
        What was judged.
    tables : mapping of str to DataFrame
        performance (keeping `terms.PERFORMANCE`), calibration, decision, strata and recalibration, each with the
        columns target, set and model; and, where there are any, hypotheses and subgroups (keeping theirs).
    objections : sequence of Objection
        What a methods reviewer would object to.
    given : Given
        What was given to the judge.

    Returns
    -------
    str
        One HTML document: style and drawings inline, no script, nothing fetched.
    """
    PREDICTIONS.check(predictions)
    performance = PERFORMANCE.check(tables["performance"])
    titles = {target: target for target in performance["target"].unique().sort()}
    declared = {"validation": {"level": given.level, "n_resamples": given.n_resamples, "unit": "patient"}}
    overall = performance.filter(pl.col("stratum") == "all")
    model = full_model(performance["model"])
    hypotheses = tabulate_hypotheses(tables.get("hypotheses"))
    subgroups = by_set(tabulate_subgroups(performance, titles=titles, model=model)) if _has_strata(performance) else []
    places = _places(performance)
    contents = [("summary", "Summary"), ("performance", "Performance"), ("targets", "Targets")]
    contents += [("hypotheses", "Hypotheses")] if hypotheses else []
    contents += [("subgroups", "Subgroups")] if subgroups else []
    return render(
        "validation.html",
        **frame(given, objections, contents=contents),
        facts=count_facts(predictions),
        lead="Anyone’s predictions, judged by outcome and risk alone: the judge does not know the model.",
        headline=_headline(overall),
        alerts=_alerts(objections),
        intervals=describe_intervals(overall.filter(pl.col("metric").is_in(MAIN)), declared),
        forests=_forests(performance, titles=titles, level=given.level),
        metrics=[name_metric(m) for m in main_metrics(performance)],
        performance=by_set(tabulate_performance(performance, titles=titles)),
        targets=[
            {"anchor": f"target-{n}", **_describe(tables, predictions, place=place)}
            for n, place in enumerate(places[:MOST_TARGETS])
        ],
        more_targets=f"The first {MOST_TARGETS} of {len(places)}; the tables beside this page hold all of them."
        if len(places) > MOST_TARGETS
        else "",
        level=write_level(given.level),
        cuts=" and ".join(f"{cut:g}" for cut in given.cuts),
        hypotheses=hypotheses,
        subgroups=subgroups,
        differences=tabulate_subgroup_differences(tables.get("subgroups")),
        reading=READING,
    )


def frame(given: Given, objections: Sequence[Objection], *, contents: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Gather what every page of the judge has: banner, objections, PROBAST+AI, provenance."""
    checked = checked_codes(given.known)
    return {
        "title": given.title,
        "research_only": RESEARCH_ONLY,
        "simulated": given.simulated,
        "contents": [*contents, ("reviewer", "Objections"), ("reading", "How to read"), ("provenance", "Provenance")],
        "objections": objections,
        "unchecked": [rule for rule in RULES if rule.code not in checked],
        "n_rules": len(RULES),
        "probast": answer_questions(objections, checked=checked),
        "provenance": given.provenance,
        "notes": given.notes,
    }


def count_facts(predictions: pl.DataFrame) -> list[tuple[str, str]]:
    """Count what the first screen says: number and what of."""
    counts = [(predictions[name].n_unique(), one) for name, one in (
        ("recording_id", "recording"), ("patient_id", "patient"), ("target", "target"), ("model", "model"),
    )]  # fmt: skip
    return [(write_number(n, 0), one if n == 1 else f"{one}s") for n, one in counts]


def by_set(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Part rows by set, and mark where a new target begins."""
    parts: dict[str, list[dict[str, Any]]] = {}
    spans = Counter((row["set"], row["target"]) for row in rows)
    for row in rows:
        part = parts.setdefault(row["set"], [])
        first = not part or part[-1]["target"] != row["target"]
        part.append({**row, "first": first, "rowspan": spans[row["set"], row["target"]]})
    return [{"name": name_set(set_), "rows": part} for set_, part in parts.items()]


def _has_strata(performance: pl.DataFrame) -> bool:
    return bool((performance["stratum"] != "all").any()) and bool(performance["metric"].is_in(SUBGROUP).any())


def _headline(overall: pl.DataFrame) -> str:
    """Say how many targets could be judged, and what the models with most predictors reached."""
    model = full_model(overall["model"])
    rows = overall.filter((pl.col("metric") == "auroc") & (pl.col("model") == model))
    judged = rows.drop_nulls("estimate")
    if judged.is_empty():
        return "Nothing could be estimated: fewer than 10 patients have the event, or none do not have it."
    words = [
        f"{row['target']} ({name_set(row['set'])}) {write_estimate(row)}"
        for row in judged.sort("estimate", descending=True).head(5).iter_rows(named=True)
    ]
    rest = judged.height - len(words)
    more = f", and {rest} more" if rest > 0 else ""
    lost = rows.height - judged.height
    left = f" {lost} could not be estimated: too few patients with the event." if lost else ""
    return f"AUROC of {name_model(model)}: {'; '.join(words)}{more}.{left}"


def _alerts(objections: Sequence[Objection]) -> list[str]:
    if not objections:
        return []
    codes = ", ".join(dict.fromkeys(o.code for o in objections))
    n = len(objections)
    return [f"{n} objection{'s' if n > 1 else ''} of a methods reviewer ({codes}): read them before the figures."]


def _forests(performance: pl.DataFrame, *, titles: Mapping[str, str], level: float) -> list[dict[str, str]]:
    drawn = []
    for set_ in order_sets(performance["set"]):
        rows = performance.filter(pl.col("set") == set_)
        if rows.filter((pl.col("metric") == "auroc") & pl.col("estimate").is_not_null()).height:
            axis = f"AUROC with {write_level(level)} interval, {name_set(set_)}"
            here = {t: title for t, title in titles.items() if t in set(rows["target"])}
            chart = draw_forest(rows, titles=here, metric="auroc", axis_title=axis, reference=0.5)
            drawn.append({"name": name_set(set_), "chart": chart})
    return drawn


def _places(performance: pl.DataFrame) -> list[tuple[str, str]]:
    """List each target with each of its sets."""
    return [
        (target, set_)
        for target in performance["target"].unique().sort()
        for set_ in order_sets(performance.filter(pl.col("target") == target)["set"])
    ]


def _describe(
    tables: Mapping[str, pl.DataFrame], predictions: pl.DataFrame, *, place: tuple[str, str]
) -> dict[str, Any]:
    """Gather figures and tables of one target and set."""
    target, set_ = place
    here = (pl.col("target") == target) & (pl.col("set") == set_)
    mine = {name: table.filter(here) for name, table in tables.items() if {"target", "set"} <= set(table.columns)}
    measured = mine["performance"].filter(pl.col("stratum") == "all")
    return {
        "title": f"{target}, {name_set(set_)}",
        "figures": draw_figures(mine, predictions.filter(here), subject=f"{target}, {name_set(set_)}"),
        "why": "Fewer than 10 patients have the event, or a recording without it: not estimable.",
        "strata": tabulate_strata(mine.get("strata")),
        "recalibration": _recalibration(mine.get("recalibration")),
        "models": [name_model(m) for m in order_models(measured["model"])],
        "metrics": tabulate_target(measured, target),
    }


def draw_figures(
    mine: Mapping[str, pl.DataFrame], predictions: pl.DataFrame, *, subject: str, models: Sequence[str] = ()
) -> list[str]:
    """Draw ROC, calibration and decision curves of one target and set.

    Parameters
    ----------
    mine : mapping of str to DataFrame
        Its performance, calibration (the smooth curves) and decision.
    predictions : DataFrame keeping `terms.PREDICTIONS`
        Its predictions.
    subject : str
        What is predicted, and in whom.
    models : sequence of str
        In the order in which they are drawn. Empty: all, as in the tables.
    """
    decision = mine.get("decision")
    if decision is None or decision.is_empty():
        return []
    overall = mine["performance"].filter(pl.col("stratum") == "all")
    estimates = {(r["model"], r["metric"]): r for r in overall.iter_rows(named=True)}
    models = list(models) or order_models(predictions["model"])
    parts = {m: predictions.filter(pl.col("model") == m).sort("recording_id") for m in models}
    looks = style_models(models)
    aurocs = {m: write_estimate(estimates.get((m, "auroc"))) for m in models}
    drawn = [draw_roc({m: roc_curve(p["y"], p["p"]) for m, p in parts.items()}, aurocs=aurocs, subject=subject)]
    for model in models[-MOST_CALIBRATIONS:]:
        rows = parts[model]
        summary = [name_model(model)] + [
            f"{label} {write_estimate(estimates[model, metric])}"
            for label, metric in (("intercept", "calibration_intercept"), ("slope", "calibration_slope"))
            if (model, metric) in estimates
        ]
        drawn.append(
            draw_calibration(
                calibration_curve(rows["y"], rows["p"], patients=rows["patient_id"]),
                risks=rows["p"].to_list(),
                model=model,
                summary=summary,
                subject=f"{name_model(model)}: {subject}",
                flexible=mine["calibration"].filter(pl.col("model") == model),
                style=looks[model],
            )
        )
    drawn.append(draw_decision(_decision(decision, models), subject=subject))
    return drawn


def _decision(decision: pl.DataFrame, models: Sequence[str]) -> dict[str, pl.DataFrame]:
    everyone = decision.filter(pl.col("model") == "all").select("threshold", all="net_benefit")
    return {
        m: decision.filter(pl.col("model") == m)
        .select("threshold", "lower", "upper", model="net_benefit")
        .join(everyone, on="threshold", validate="1:1", maintain_order="left")
        for m in models
    }


def tabulate_strata(strata: pl.DataFrame | None, models: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Write the strata of each model as rows of text, the models in the given order or as in the tables."""
    if strata is None or strata.is_empty():
        return []
    rows = []
    for model in models or order_models(strata["model"]):
        for i, row in enumerate(strata.filter(pl.col("model") == model).iter_rows(named=True)):
            limits = {"estimate": row["observed"], "lower": row["lower"], "upper": row["upper"]}
            rows.append(
                {
                    "first": i == 0,
                    "model": name_model(model) if i == 0 else "",
                    "stratum": f"{row['stratum']}: {row['from']:g} to {row['below']:g}",
                    "n": f"{write_number(row['n'], 0)} ({write_number(row['n_patients'], 0)})",
                    "n_events": write_number(row["n_events"], 0),
                    "predicted": write_number(row["predicted"], 3),
                    "observed": write_interval(limits, 3) if row["observed"] is not None else "–",
                    "share": f"{100 * row['share_of_events']:.1f} %" if row["share_of_events"] is not None else "–",
                }
            )
    return rows


_MENDED = {"none": "nothing", "intercept": "intercept", "logistic": "intercept and slope", "isotonic": "isotonic curve"}


def _recalibration(ladder: pl.DataFrame | None) -> list[dict[str, Any]]:
    if ladder is None or ladder.is_empty():
        return []
    digits = {"oe_ratio": 2, "calibration_intercept": 2, "calibration_slope": 2, "ici": 4, "brier": 4}
    rows = []
    for model in order_models(ladder["model"]):
        for i, row in enumerate(ladder.filter(pl.col("model") == model).iter_rows(named=True)):
            cells = [write_number(row[name], d) for name, d in digits.items()]
            named = {"first": i == 0, "model": name_model(model) if i == 0 else "", "method": _MENDED[row["method"]]}
            rows.append({**named, "cells": cells})
    return rows
