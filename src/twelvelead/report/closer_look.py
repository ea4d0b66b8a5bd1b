"""Beside the performance of all targets: whether people and places differ, and what mending the risks would gain."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from twelvelead.report.hypotheses_table import tabulate_subgroup_differences
from twelvelead.report.overview import Arrangement
from twelvelead.report.performance_table import order_sets
from twelvelead.report.reasons import summarize_agreement, tabulate_agreement
from twelvelead.report.wording import first_capital, name_set, write_number

METHODS = ("none", "intercept", "logistic")
_SHOWN = (("oe_ratio", METHODS), ("calibration_slope", ("none", "logistic")), ("ici", METHODS))
_SHIFTED = ("as it is", "new intercept", "new intercept and slope")
_FIGURES = {"oe_ratio": "O:E", "calibration_slope": "slope", "ici": "ICI"}


def describe_closer(
    closer: Mapping[str, pl.DataFrame], arranged: Arrangement, *, rate: float
) -> dict[str, dict[str, Any] | None]:
    """Gather what the page says beside the performance.

    Parameters
    ----------
    closer : mapping of name to DataFrame
        reason_agreement, subgroups and recalibration, each keeping its contract; any may be absent.
    arranged : Arrangement
        Which targets, in which order.
    rate : float
        False discovery rate.

    Returns
    -------
    dict with agreement, interactions and recalibration
        None where there is nothing to show.
    """
    return {
        "agreement": _show_agreement(closer.get("reason_agreement"), arranged),
        "interactions": show_interactions(closer.get("subgroups"), arranged, rate=rate),
        "recalibration": show_recalibration(closer.get("recalibration"), arranged),
    }


def _show_agreement(agreement: pl.DataFrame | None, arranged: Arrangement) -> dict[str, Any] | None:
    if agreement is None or agreement.is_empty():
        return None
    return {"rows": tabulate_agreement(agreement, arranged.detailed), "lead": summarize_agreement(agreement)}


def show_interactions(subgroups: pl.DataFrame | None, arranged: Arrangement, *, rate: float) -> dict[str, Any] | None:
    """Count the interactions that were tested and hold, and write those of the targets shown in full.

    Parameters
    ----------
    subgroups : DataFrame keeping `terms.SUBGROUPS`, or None
        Of all targets.
    arranged : Arrangement
        Which targets are shown in full.
    rate : float
        False discovery rate at which an adjusted p value is taken for a finding.

    Returns
    -------
    dict or None
        counts: set, grouping, tested, not testable, holding; rows: as `tabulate_subgroup_differences` writes them.
    """
    if subgroups is None or subgroups.is_empty():
        return None
    tests = subgroups.unique(["target", "set", "model", "grouping", "metric"], maintain_order=True)
    counted = tests.group_by("set", "grouping", maintain_order=True).agg(
        n=pl.len(), untested=pl.col("p_value").null_count(), found=(pl.col("p_bh") <= rate).sum()
    )
    counts = [
        (first_capital(name_set(row["set"])), str(row["grouping"]).replace("_", " "),
         *(write_number(row[name], 0) for name in ("n", "untested", "found")))
        for set_ in order_sets(counted["set"])
        for row in counted.filter(pl.col("set") == set_).iter_rows(named=True)
    ]  # fmt: skip
    rows = []
    for target, title in arranged.detailed.items():
        for set_ in order_sets(subgroups["set"]):
            mine = subgroups.filter((pl.col("target") == target) & (pl.col("set") == set_))
            for row in tabulate_subgroup_differences(mine, rate=rate)["rows"]:
                cells = [title if row["first"] else "", *row["cells"][1:]]
                cells[5] = cells[5].partition(":")[0]  # of a note the gist; why stands below the table
                rows.append({**row, "cells": cells})
    return {"counts": counts, "rows": rows}


def show_recalibration(table: pl.DataFrame | None, arranged: Arrangement) -> dict[str, Any] | None:
    """Write what a new intercept, and a new slope, would mend in the external database.

    Parameters
    ----------
    table : DataFrame keeping `terms.RECALIBRATION`, or None
        Of all targets.
    arranged : Arrangement
        Which targets are shown in full.

    Returns
    -------
    dict or None
        names: of the columns; rows: title, events of recordings, and a number per column, or a note in place of all;
        median: the same over all targets, if there are several.
    """
    if table is None or table.is_empty():
        return None
    found = {(row["target"], row["method"]): row for row in table.iter_rows(named=True)}
    columns = [(figure, method) for figure, methods in _SHOWN for method in methods]
    words = dict(zip(METHODS, _SHIFTED, strict=True))
    rows = []
    for target, title in arranged.detailed.items():
        mine = {method: found[target, method] for method in METHODS if (target, method) in found}
        if not mine:
            continue
        one = next(iter(mine.values()))
        size = f"{write_number(one['n_events'], 0)} of {write_number(one['n'], 0)}" if one["n"] is not None else "< 10"
        note = one["note"] or ""
        cells = [write_number(mine.get(method, {}).get(figure), _digits(figure)) for figure, method in columns]
        rows.append({"title": title, "size": size, "cells": cells, "note": note})
    return {
        "names": [f"{_FIGURES[figure]}, {words[method]}" for figure, method in columns],
        "rows": rows,
        "median": [
            write_number(_median(table, figure, method), _digits(figure)) for figure, method in columns
        ] if table["target"].n_unique() > 1 else [],
        "n_targets": table["target"].n_unique(),
    }  # fmt: skip


def _digits(figure: str) -> int:
    return 3 if figure == "ici" else 2


def _median(table: pl.DataFrame, figure: str, method: str) -> float | None:
    """Take the middle over the targets that have the figure by every method: the same ones before and after."""
    known = table.filter(pl.col(figure).is_not_null().all().over("target") & (pl.col("method") == method))
    middle = known[figure].median()
    return float(str(middle)) if middle is not None else None
