"""What was tested of all targets together, and which subgroups differ, as rows of text."""

from typing import Any

import polars as pl

from twelvelead.report.wording import join_words, name_model, name_set, write_interval, write_number

FALSE_DISCOVERIES = 0.05
"""The rate at which an adjusted p value is taken for a finding."""

SHOWN = {"auroc > 0.5": "AUROC above 0.5", "auroc > 0.7": "AUROC above 0.7", "delta_auroc > 0": "adds to age + sex"}
MEASURES = {
    "auroc": "AUROC",
    "calibration_intercept": "calibration intercept",
    "calibration_slope": "calibration slope",
}


def write_p(p_value: float | None) -> str:
    """Write a p value as journals do.

    Examples
    --------
    >>> write_p(0.0271), write_p(0.2), write_p(1e-9), write_p(None)
    ('0.027', '0.20', '< 0.001', '')
    """
    if p_value is None:
        return ""
    if p_value < 0.001:
        return "< 0.001"
    return write_number(p_value, 3 if p_value < 0.1 else 2)


def tabulate_hypotheses(table: pl.DataFrame | None) -> dict[str, Any] | None:
    """Write the tests of all targets: how many there were, and each with its adjusted p values.

    Parameters
    ----------
    table : DataFrame keeping `terms.HYPOTHESES`, or None
        What was tested.

    Returns
    -------
    dict or None
        lead: a sentence; rows: lists of cells. None where nothing was tested.
    """
    if table is None or table.is_empty():
        return None
    counts = table.group_by("set", "model", "hypothesis", maintain_order=True).agg(
        pl.col("rejected").sum(), pl.col("n_tested").first(), pl.col("n_families").first()
    )
    sizes = sorted(set(counts.select("n_tested", "n_families").rows()))
    said = join_words([f"{n} target{'s' if n > 1 else ''} ({k} not within another)" for n, k in sizes])
    lead = (
        f"Each hypothesis is one family of tests over {said}, one-sided, with patient-clustered errors; targets that "
        "could not be tested count as tests. BH: adjusted after Benjamini and Hochberg; BY: after Benjamini and "
        "Yekutieli, which holds under any dependence."
    )
    rows = [
        [
            row["target"],
            name_set(row["set"]),
            name_model(row["model"]),
            SHOWN.get(row["hypothesis"], row["hypothesis"]),
            write_number(row["estimate"], 3),
            write_p(row["p_value"]),
            write_p(row["p_bh"]),
            write_p(row["p_by"]),
            "holds" if row["rejected"] else row["note"] or "not shown",
        ]
        for row in table.sort("target", "set", "model", "hypothesis").iter_rows(named=True)
    ]
    return {"lead": lead, "rows": rows}


def tabulate_subgroup_differences(table: pl.DataFrame | None, *, rate: float = FALSE_DISCOVERIES) -> dict[str, Any]:
    """Write the differences between subgroups, with the test whether there is any.

    Parameters
    ----------
    table : DataFrame keeping `terms.SUBGROUPS`, or None
        What was compared.
    rate : float
        At which an adjusted p value is taken for a finding.

    Returns
    -------
    dict
        lead: how many interactions were tested and found; rows: of each subgroup but the reference its cells, first,
        whether a new interaction begins, and differs, whether it holds after adjustment.
    """
    if table is None or table.is_empty():
        return {"lead": "", "rows": []}
    keys = ["target", "set", "model", "grouping", "metric"]
    rows, found, tested = [], 0, 0
    for place, part in table.group_by(keys, maintain_order=True):
        others = part.filter(pl.col("subgroup") != pl.col("reference"))
        differs = bool((others["p_bh"] <= rate).any())
        tested += 1
        found += differs
        for i, row in enumerate(others.iter_rows(named=True)):
            named = [str(place[0]), name_set(str(place[1])), str(place[3]).replace("_", " "), MEASURES[str(place[4])]]
            difference = write_interval({**row, "estimate": row["difference"]}, 3)
            rows.append(
                {
                    "first": i == 0,
                    "differs": differs,
                    "cells": [
                        *(named if i == 0 else [""] * 4),
                        f"{row['subgroup']} minus {row['reference']}",
                        difference if row["difference"] is not None else row["note"] or "–",
                        *([write_p(row["p_value"]), write_p(row["p_bh"])] if i == 0 else ["", ""]),
                    ],
                }
            )
    declared = "1 interaction was" if tested == 1 else f"{tested} interactions were"
    lead = (
        f"{declared} declared: whether subgroups differ at all in AUROC, calibration intercept or slope. "
        f"{found or 'None'} held after adjustment for their number (Benjamini and Hochberg)."
    )
    return {"lead": lead, "rows": rows}
