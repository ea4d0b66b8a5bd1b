"""The report's section on what differs between two databases."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from twelvelead.report.wording import name_feature, write_interval, write_number
from twelvelead.terms import CODES_USED, DOMAIN, SHIFT, TRANSPORT, TRAPS

MOST_ROWS = 25
MOST_CODES = 4

ALIKE = (
    (0.6, "they are much alike"),
    (0.8, "they differ"),
    (float("inf"), "they differ greatly, and this is a validation in another population"),
)
"""What is said of an AUROC below each limit."""

Cells = list[str]

_SIDES = {"internal": "development", "external": "external"}


PARTS = ("internal", "reweighted", "external", "case_mix", "rest")


def describe_transport(
    shift: pl.DataFrame,
    traps: pl.DataFrame,
    codes: pl.DataFrame,
    *,
    domain: pl.DataFrame | None = None,
    transport: pl.DataFrame | None = None,
) -> dict[str, Any]:
    """Choose what a reader has to see of the transport to another database; the tables hold the rest.

    Parameters
    ----------
    shift : DataFrame keeping `terms.SHIFT`
        How predictors differ.
    traps : DataFrame keeping `terms.TRAPS`
        What the absence of a measurement says.
    codes : DataFrame keeping `terms.CODES_USED`
        Which codes stand behind the diagnoses.
    domain : DataFrame keeping `terms.DOMAIN`, or None
        Whether the databases can be told apart.
    transport : DataFrame keeping `terms.TRANSPORT`, or None
        What the mix of patients explains.

    Returns
    -------
    dict
        Rows of cells for the tables shift, traps, codes, case_mix; how many traps there are; and sentences on the
        databases, domain, and on what the mix of patients was weighted with, weighing.
    """
    return {
        "shift": _shift(SHIFT.check(shift)),
        "traps": _traps(TRAPS.check(traps)),
        "n_traps": traps["trap"].sum(),
        "codes": _codes(CODES_USED.check(codes)),
        "domain": [] if domain is None else _domain(DOMAIN.check(domain).row(0, named=True)),
        "case_mix": [] if transport is None else _case_mix(TRANSPORT.check(transport)),
    }


def _domain(row: Mapping[str, Any]) -> list[str]:
    """Say how well the databases can be told apart, and what that means."""
    absent = ", ".join(name_feature(name) for name in row["absent"])
    left = [f"Left out, since one database has none of them: {absent}."] if absent else []
    if row["estimate"] is None:
        return [
            "Whether the databases can be told apart is not estimable: too few patients or shared predictors.",
            *left,
        ]
    word = next(word for limit, word in ALIKE if row["estimate"] < limit)
    n, here, there = len(row["predictors"]), write_number(row["n_internal"], 0), write_number(row["n_external"], 0)
    return [
        f"A model of {n} predictor{'s' if n > 1 else ''} tells recordings of the external database from those of the "
        f"development one, of patients it has not seen, with an AUROC of {write_interval(row)} "
        f"({here} and {there} recordings; 0.5 would be alike, 1 apart): {word}.",
        *left,
    ]


def _case_mix(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Write each target's three AUROCs and their two differences; why a figure is missing stands below."""
    rows = []
    for (target,), part in table.group_by("target", maintain_order=True):
        of = {row["quantity"]: row for row in part.iter_rows(named=True)}
        cells = [write_interval(of[name], 3 if name in {"case_mix", "rest"} else 2) for name in PARTS]
        effective = write_number(of["reweighted"]["effective_n"], 0)
        notes = {row["note"] for row in of.values()} - {None}
        rows.append({"target": target, "cells": cells, "effective": effective, "note": "; ".join(sorted(notes))})
    return rows


def _shift(table: pl.DataFrame) -> list[Cells]:
    """Choose the predictors that differ most, in missingness or mean."""
    gap = pl.max_horizontal(
        5 * (pl.col("external_missing") - pl.col("internal_missing")).abs(),
        pl.col("standardised_difference").abs().fill_null(0),
    )
    ranked = _fold_embedding(table.sort(gap, "predictor", descending=[True, False]), [])
    return [
        [
            row["predictor"],
            *(f"{write_number(100 * row[f'{side}_missing'], 1)} %" for side in ("internal", "external")),
            *(_range(row[f"{side}_lowest"], row[f"{side}_highest"]) for side in ("internal", "external")),
            _number(row["standardised_difference"]),
        ]
        for row in ranked.head(MOST_ROWS).iter_rows(named=True)
    ]


def _fold_embedding(ranked: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Leave of an embedding's numbers, which have no names, the first: that which differs most.

    Examples
    --------
    >>> table = pl.DataFrame({"predictor": ["embedding_7", "rr_mean_ms", "embedding_1"]})
    >>> _fold_embedding(table, [])["predictor"].to_list()
    ['embedding, where it differs most', 'rr_mean_ms']
    """
    whole = "embedding, where it differs most"
    named = pl.when(pl.col("predictor").str.starts_with("embedding_")).then(pl.lit(whole)).otherwise("predictor")
    folded = ranked.with_columns(predictor=named)
    return folded.unique([*keys, "predictor"], keep="first", maintain_order=True)


def _traps(table: pl.DataFrame) -> list[Cells]:
    worst = (pl.col("internal") - pl.col("external")).abs()
    found = table.filter("trap").sort(worst, "target", "predictor", descending=[True, False, False])
    found = _fold_embedding(found, ["target"])
    return [
        [row["target"], row["predictor"], _number(row["internal"]), _number(row["external"])]
        for row in found.head(MOST_ROWS).iter_rows(named=True)
    ]


def _codes(table: pl.DataFrame) -> list[Cells]:
    """For each target and set the commonest codes, and how many more."""
    rows = []
    for (target, side), part in table.group_by("target", "set", maintain_order=True):
        named = [
            f"{s} {c} ({n})" for s, c, n in part.select("system", "code", "n_patients").head(MOST_CODES).iter_rows()
        ]
        more = part.height - len(named)
        rows.append([str(target), _SIDES[str(side)], ", ".join(named) + (f", and {more} more" if more else "")])
    return rows


def _range(lowest: float | None, highest: float | None) -> str:
    if lowest is None or highest is None:
        return "–"
    decimals = 2 if max(abs(lowest), abs(highest)) < 10 else 0
    return f"{write_number(lowest, decimals)} to {write_number(highest, decimals)}"


def _number(value: float | None) -> str:
    return "–" if value is None else write_number(value, 2)
