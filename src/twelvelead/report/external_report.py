"""An external validation as one page of HTML that needs nothing else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from twelvelead.report.flow_diagram import draw_flow
from twelvelead.report.forest import draw_forest
from twelvelead.report.hypotheses_table import tabulate_hypotheses
from twelvelead.report.pages import render
from twelvelead.report.performance_table import (
    MAIN,
    describe_intervals,
    full_model,
    main_metrics,
    name_metric,
    order_models,
    tabulate_performance,
    tabulate_target,
    write_estimate,
)
from twelvelead.report.reasons import summarize_agreement, tabulate_agreement
from twelvelead.report.transport_section import describe_transport
from twelvelead.report.validation_report import READING, Given, by_set, draw_figures, frame
from twelvelead.report.wording import name_model, write_interval, write_level, write_number
from twelvelead.terms import PERFORMANCE, SENSITIVITY, TRANSPORT
from twelvelead.validate import Objection

DETAILED = 30
"""Targets whose curves are drawn, so that the page stays one that a browser opens."""

TRANSPORTED = ("shift", "traps", "codes", "domain", "transport")
"""Tables on what differs between two databases."""

MENDED = {"none": "nothing", "intercept": "intercept", "logistic": "intercept and slope", "isotonic": "isotonic curve"}
MEASURES = ("oe_ratio", "calibration_intercept", "calibration_slope", "ici", "brier")

NEW = (
    ("Reweighted AUROC", "What the model would reach among patients here if their mix were that of there. From "
     "the internal to the reweighted figure: what other patients explain; from that to the external one: the rest."),
    ("Domain AUROC", "How well the two databases can be told apart by what the models know. Near 0.5 the validation is "
     "a repetition; near 1 it is about another population."),
    ("Recalibration", "Ranking may hold elsewhere while the risks do not: the outcome is rarer, or coded otherwise. A "
     "new intercept mends the level, a slope the spread; both are judged on patients who did not help to fit them."),
)  # fmt: skip
"""What the figures of this page say, beside those of every page of the judge."""


@dataclass(frozen=True)
class Place:
    """Where the models were applied.

    Parameters
    ----------
    name, kind : str
        The database.
    rule : mapping
        What is different in the rules of the outcomes there.
    share : float
        Share of its patients that recalibration was fitted on.
    unknown : sequence of str
        Targets of which nothing is known there.
    simulated : bool
        Whether anybody is made up.
    """

    name: str
    kind: str
    rule: Mapping[str, Any]
    share: float
    unknown: Sequence[str] = ()
    simulated: bool = False


def external_report(
    declaration: Mapping[str, Any],
    tables: Mapping[str, pl.DataFrame],
    objections: Sequence[Objection],
    *,
    place: Place,
    predictions: Callable[[str], pl.DataFrame],
    checked: Sequence[str],
    provenance: Sequence[tuple[str, str]],
) -> str:
    """Write the page.

    Parameters
    ----------
    declaration : mapping
        The declared study, as `model_dump()` gives it.
    tables : mapping of str to DataFrame
        performance, recalibrated, hypotheses, transport, domain, shift, traps, codes, sensitivity, reason_agreement and
        flow, each keeping its contract; and calibration and decision of the targets that are drawn, with the
        columns target, set and model.
    objections : sequence of Objection
        What a methods reviewer would object to.
    place : Place
        Where the models were applied.
    predictions : callable
        Target to its external predictions, keeping `terms.PREDICTIONS`.
    checked : sequence of str
        Codes of the rules for which enough was known.
    provenance : sequence of (str, str)
        Name and value: study, database, choices, versions.

    Returns
    -------
    str
        One HTML document: style and drawings inline, no script, nothing fetched.
    """
    performance = PERFORMANCE.check(tables["performance"])
    there = set(performance["target"])
    titles = {t["name"]: t["title"] for t in declaration["targets"] if t["name"] in there}
    overall = performance.filter(pl.col("stratum") == "all")
    given = Given(
        title=f"External validation: {declaration['title']}",
        n_resamples=declaration["validation"]["n_resamples"],
        level=declaration["validation"]["level"],
        cuts=(),
        known=checked,
        notes=_note_unknown(place.unknown),
        provenance=provenance,
        simulated=place.simulated,
    )
    level = write_level(declaration["validation"]["level"])
    last = tables["flow"].row(-1, named=True)
    agreement = tables["reason_agreement"]
    drawn = dict(list(titles.items())[:DETAILED])
    context = {
        "lead": f"The models of the study “{declaration['name']}”, unchanged, on {place.name} ({place.kind}).",
        "facts": [(write_number(last["n_recordings"], 0), "recordings"),
                  (write_number(last["n_patients"], 0), "patients"),
                  (str(len(titles)), "target judged" if len(titles) == 1 else "targets judged")],
        "headline": _headline(TRANSPORT.check(tables["transport"])),
        "mode": declaration["mode"],
        "rule": ", ".join(f"{key} = {_plain(value)}" for key, value in place.rule.items()),
        "flow": draw_flow(tables["flow"], subject=f"External database ({place.kind})"),
        "forest": draw_forest(
            overall, titles=drawn, metric="auroc", axis_title=f"AUROC with {level} interval, external", reference=0.5
        ),
        "intervals": describe_intervals(overall.filter(pl.col("metric").is_in(MAIN)), declaration),
        "metrics": [name_metric(metric) for metric in main_metrics(performance)],
        "performance": by_set(tabulate_performance(performance, titles=titles)),
        "transport": describe_transport(**{name: tables[name] for name in TRANSPORTED}),
        "measures": [name_metric(metric) for metric in MEASURES],
        "recalibrated": _tabulate_mended(tables["recalibrated"], titles),
        "shares": (f"{100 * place.share:g} %", f"{100 * (1 - place.share):g} %"),
        "sensitivity": _tabulate_sensitivity(SENSITIVITY.check(tables["sensitivity"]), titles),
        "agreement": {"rows": tabulate_agreement(agreement, titles), "lead": summarize_agreement(agreement)},
        "crossed": declaration["split"]["method"] == "cross_fit",
        "hypotheses": tabulate_hypotheses(tables["hypotheses"]),
        "targets": [_describe(tables, predictions(name), title=title, anchor=f"target-{n}")
                    for n, (name, title) in enumerate(drawn.items())],
        "more_targets": _say_more(len(titles)),
        "level": level,
        "reading": (*NEW, *READING),
    }  # fmt: skip
    contents = [("summary", "Summary"), ("transport", "What differs"), ("performance", "Performance"),
                ("recalibration", "Recalibration"), ("sensitivity", "Done otherwise"), ("agreement", "Reasons"),
                ("hypotheses", "Hypotheses"), ("targets", "Targets")]  # fmt: skip
    there_is = context | {"summary": True, "recalibration": context["recalibrated"], "agreement": agreement.height}
    shown = [(anchor, words) for anchor, words in contents if there_is[anchor]]
    return render("external.html", **frame(given, objections, contents=shown), **context)


def _say_more(n: int) -> str:
    return f"The first {DETAILED} of {n}; the tables hold all." if n > DETAILED else ""


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return " to ".join(_plain(one) for one in value)
    return f"{value:g}".replace("-", "−") if isinstance(value, int | float) else str(value)


def _note_unknown(unknown: Sequence[str]) -> tuple[str, ...]:
    if not unknown:
        return ()
    return (f"Nothing is known in the external database of {len(unknown)} target(s): {', '.join(unknown[:20])}.",)


def _headline(transport: pl.DataFrame) -> str:
    """Say what became of the AUROC of the targets that are ranked best here."""
    wide = {
        str(target): {row["quantity"]: row["estimate"] for row in part.iter_rows(named=True)}
        for (target,), part in transport.group_by("target", maintain_order=True)
    }
    known = {name: of for name, of in wide.items() if of["internal"] is not None and of["external"] is not None}
    if not known:
        return "No target could be judged in both databases."
    best = sorted(known, key=lambda name: (-known[name]["internal"], name))[:5]
    words = [
        f"{name} {write_number(known[name]['internal'])} → {write_number(known[name]['external'])}"
        + (f" ({write_number(known[name]['reweighted'])} by the mix of patients alone)"
           if known[name]["reweighted"] is not None else "")
        for name in best
    ]  # fmt: skip
    more = f", and {len(known) - len(best)} more" if len(known) > len(best) else ""
    return f"AUROC of {name_model('ecg_age_sex')}, held-out patients here → external: {'; '.join(words)}{more}."


def _tabulate_mended(table: pl.DataFrame, titles: Mapping[str, str]) -> list[dict[str, Any]]:
    """Write calibration before and after, a row per target and method."""
    overall = PERFORMANCE.check(table).filter(pl.col("stratum") == "all")
    found = {(r["target"], r["model"], r["metric"]): r for r in overall.iter_rows(named=True)}
    sizes = {r["target"]: r for r in overall.iter_rows(named=True)}
    rows = []
    for target, title in titles.items():
        methods = [method for method in MENDED if (target, method, MEASURES[0]) in found]
        for i, method in enumerate(methods):
            size = sizes[target]
            rows.append(
                {
                    "first": i == 0,
                    "span": len(methods),
                    "title": title,
                    "size": f"{write_number(size['n_events'], 0)} of {write_number(size['n'], 0)}",
                    "method": MENDED[method],
                    "cells": [write_estimate(found[target, method, metric]) for metric in MEASURES],
                }
            )
    return rows


def _tabulate_sensitivity(table: pl.DataFrame, titles: Mapping[str, str]) -> list[dict[str, Any]]:
    rows = []
    for target, title in titles.items():
        for i, row in enumerate(table.filter(pl.col("target") == target).iter_rows(named=True)):
            size = f"{write_number(row['n_events'], 0)} of {write_number(row['n'], 0)}"
            cell = write_interval(row, 3)
            rows.append(
                {"first": i == 0, "title": title if i == 0 else "", "analysis": row["analysis"], "size": size,
                 "cell": cell, "note": row["note"] or ""}
            )  # fmt: skip
    return rows


def _describe(
    tables: Mapping[str, pl.DataFrame], predictions: pl.DataFrame, *, title: str, anchor: str
) -> dict[str, Any]:
    """Gather the figures and tables of one target."""
    here = pl.col("target") == predictions["target"][0]
    mine = {name: tables[name].filter(here) for name in ("performance", "calibration", "decision")
            if name in tables}  # fmt: skip
    measured = mine["performance"].filter(pl.col("stratum") == "all")
    full = full_model(predictions["model"])
    models = [model for model in order_models(predictions["model"]) if model in {"age_sex", full}]
    shown = predictions.filter(pl.col("model").is_in(models))
    return {
        "anchor": anchor,
        "title": title,
        "figures": draw_figures(mine, shown, subject=f"{title}, external", models=models),
        "models": [name_model(model) for model in order_models(measured["model"])],
        "metrics": tabulate_target(measured, str(predictions["target"][0])),
    }
