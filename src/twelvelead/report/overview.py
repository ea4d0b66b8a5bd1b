"""What a study found over all of its targets: the tables and forest plots, arranged so that many can be read."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from twelvelead.report.chapters import name_chapter, place_chapter
from twelvelead.report.forest import draw_forest
from twelvelead.report.hypotheses_table import SHOWN, tabulate_hypotheses
from twelvelead.report.performance_table import (
    MAIN,
    SUBGROUP,
    describe_intervals,
    full_model,
    main_metrics,
    name_metric,
    order_sets,
    tabulate_performance,
    tabulate_subgroups,
)
from twelvelead.report.ranking import choose_detailed, rank_targets
from twelvelead.report.summary import EMBEDDING_GAIN, describe_gap, summarize, summarize_embedding, tabulate_gains
from twelvelead.report.wording import name_model, name_set, write_level
from twelvelead.validate import discoveries

PAGE = 40
"""Targets of one forest plot."""

_CHARTS = {"auroc": 0.5, "delta_auroc": 0.0, EMBEDDING_GAIN: 0.0}
"""Metrics that are drawn, and where no discrimination, or no difference, lies."""

Titles = Mapping[str, str]
Optimum = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Arrangement:
    """In which order the targets stand on a page.

    Parameters
    ----------
    ranked : mapping of target to str
        All targets and their titles: the best first where they are many, else as declared.
    grouped : mapping of target to str
        The same by chapter, the best of each first; or as declared.
    chapters : mapping of target to str
        Where they are many, the chapter of each.
    detailed : mapping of target to str
        Those shown in full, in the order of `grouped`.
    """

    ranked: Titles
    grouped: Titles
    chapters: Titles
    detailed: Titles


def arrange(
    performance: pl.DataFrame, declaration: Mapping[str, Any], *, first: Sequence[str], detailed: int
) -> Arrangement:
    """Arrange the targets that were modelled.

    Parameters
    ----------
    performance : DataFrame keeping `terms.PERFORMANCE`
        The study's performance.
    declaration : mapping
        The declared study.
    first : sequence of str
        Targets that are shown in full before others.
    detailed : int
        Most targets that are shown in full; no more than these are "few", and stay as declared.
    """
    there = set(performance["target"])
    targets = [target for target in declaration["targets"] if target["name"] in there]
    titles = {target["name"]: target["title"] for target in targets}
    if len(titles) <= detailed:
        return Arrangement(titles, titles, {}, titles)
    chapters = {target["name"]: name_chapter(target) for target in targets}
    ranked = rank_targets(performance, titles)
    grouped = sorted(ranked, key=lambda target: place_chapter(chapters[target]))
    shown = set(choose_detailed(ranked, first, detailed))
    return Arrangement(
        ranked={target: titles[target] for target in ranked},
        grouped={target: titles[target] for target in grouped},
        chapters=chapters,
        detailed={target: titles[target] for target in grouped if target in shown},
    )


def show_performance(
    performance: pl.DataFrame, arranged: Arrangement, *, declaration: Mapping[str, Any], optimum: Optimum
) -> dict[str, Any]:
    """Gather summary, tables and forest plots, each table with the sentence that says what its intervals are.

    Parameters
    ----------
    performance : DataFrame keeping `terms.PERFORMANCE`
        The study's performance.
    arranged : Arrangement
        Which targets, in which order.
    declaration : mapping
        The declared study.
    optimum : mapping of set to target to float
        Best reachable AUROC, known for simulated patients.

    Returns
    -------
    dict
        What the page's template asks for.
    """
    model = full_model(performance["model"])
    overall, metric = pl.col("stratum") == "all", pl.col("metric")
    shown = {
        "intervals": overall & metric.is_in(MAIN),
        "all_intervals": overall,
        "subgroup_intervals": metric.is_in(SUBGROUP),
    }
    subgroups = tabulate_subgroups(performance, titles=arranged.detailed, model=model)
    return {
        "headline": summarize(performance, titles=arranged.ranked),
        "gains": tabulate_gains(performance, titles=arranged.ranked),
        "embedding_headline": summarize_embedding(performance, titles=arranged.ranked),
        "embedding_gains": tabulate_gains(performance, titles=arranged.ranked, metric=EMBEDDING_GAIN),
        "gap": describe_gap(performance, optimum),
        "forests": _draw_forests(performance, arranged, optimum=optimum),
        "metrics": [name_metric(m) for m in main_metrics(performance)],
        "performance": _by_set(tabulate_performance(performance, titles=arranged.grouped), arranged.chapters),
        "subgroups": _by_set(subgroups, {}),
        "full_model": name_model(model),
        "n_modelled": len(arranged.ranked),
        "n_detailed": len(arranged.detailed),
        **{name: describe_intervals(performance.filter(rows), declaration) for name, rows in shown.items()},
    }


def show_hypotheses(tested: pl.DataFrame | None, arranged: Arrangement) -> dict[str, Any] | None:
    """Count what was found over all targets, and give the tests of those shown in full.

    Parameters
    ----------
    tested : DataFrame keeping `terms.HYPOTHESES`, or None
        What was tested.
    arranged : Arrangement
        Which targets are shown in full.

    Returns
    -------
    dict or None
        lead and rows, as `tabulate_hypotheses` gives them; counts: set and hypothesis in words, targets tested, found,
        and found when nested codes are taken for one.
    """
    table = tabulate_hypotheses(tested)
    if tested is None or table is None:
        return None
    counts = [
        (name_set(row["set"]), SHOWN.get(row["hypothesis"], row["hypothesis"]), row["n_tested"], row["n_rejected"],
         row["n_families_rejected"])
        for row in discoveries(tested).iter_rows(named=True)
    ]  # fmt: skip
    shown = tabulate_hypotheses(tested.filter(pl.col("target").is_in(list(arranged.detailed))))
    return {"lead": table["lead"], "counts": counts, "rows": shown["rows"] if shown else []}


def _draw_forests(performance: pl.DataFrame, arranged: Arrangement, *, optimum: Optimum) -> list[dict[str, Any]]:
    """Draw AUROC and its gains for each set, in pages; of many targets the full model only.

    The very first chart stands in the page's summary (`top`), the others in figures of one page of targets each.
    """
    rows = performance.filter(pl.col("metric").is_in(list(_CHARTS)) & (pl.col("stratum") == "all"))
    if arranged.chapters:
        rows = rows.filter(pl.col("model") == full_model(rows["model"]))
    drawn: list[dict[str, Any]] = []
    for set_ in order_sets(rows["set"]):
        of_set = rows.filter(pl.col("set") == set_)
        figures = [_draw_page(of_set, titles, best=optimum.get(set_)) for titles in _pages(arranged.ranked)]
        top = [] if drawn else [figures[0].pop(0)]
        drawn.append({"name": name_set(set_), "top": top, "figures": [charts for charts in figures if charts]})
    return drawn


def _draw_page(rows: pl.DataFrame, titles: Titles, *, best: Mapping[str, float] | None) -> list[str]:
    """Draw the charts of some targets in one set."""
    mine = rows.filter(pl.col("target").is_in(list(titles)))
    level, where = write_level(rows["level"][0]), name_set(rows["set"][0])
    charts = []
    for metric, reference in _CHARTS.items():
        if metric in mine["metric"]:
            axis = f"{name_metric(metric)} with {level} interval, {where}"
            optimum = {t: best[t] for t in titles if t in best} if best and metric == "auroc" else None
            chart = draw_forest(
                mine, titles=titles, metric=metric, axis_title=axis, reference=reference, optimum=optimum
            )
            charts.append(chart)
    return charts


def _pages(titles: Titles) -> list[Titles]:
    items = list(titles.items())
    return [dict(items[start : start + PAGE]) for start in range(0, len(items), PAGE)]


def _by_set(rows: Sequence[Mapping[str, Any]], chapters: Titles) -> list[dict[str, Any]]:
    """Part rows by set, and mark where a new target and a new chapter begin."""
    parts: dict[str, list[dict[str, Any]]] = {}
    spans = Counter((row["set"], row["target"]) for row in rows)
    for row in rows:
        part = parts.setdefault(row["set"], [])
        before = part[-1]["target"] if part else None
        chapter = chapters.get(row["target"], "")
        begins = chapter if before is None or chapters.get(before) != chapter else ""
        part.append(
            {**row, "first": before != row["target"], "rowspan": spans[row["set"], row["target"]], "chapter": begins}
        )
    return [{"name": name_set(set_), "rows": part} for set_, part in parts.items()]
