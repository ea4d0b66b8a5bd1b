"""The report's section on what differs between two databases."""

from typing import Any

import polars as pl

from twelvelead.report.wording import write_number
from twelvelead.terms import CODES_USED, SHIFT, TRAPS

MOST_ROWS = 25
MOST_CODES = 4

Cells = list[str]

_SIDES = {"internal": "development", "external": "external"}


def describe_transport(shift: pl.DataFrame, traps: pl.DataFrame, codes: pl.DataFrame) -> dict[str, Any]:
    """Choose what a reader has to see of the transport to another database; the tables hold the rest.

    Parameters
    ----------
    shift : DataFrame keeping `terms.SHIFT`
        How predictors differ.
    traps : DataFrame keeping `terms.TRAPS`
        What the absence of a measurement says.
    codes : DataFrame keeping `terms.CODES_USED`
        Which codes stand behind the diagnoses.

    Returns
    -------
    dict
        Rows of cells for three tables: shift, traps, codes; and how many traps there are.
    """
    return {
        "shift": _shift(SHIFT.check(shift)),
        "traps": _traps(TRAPS.check(traps)),
        "n_traps": traps["trap"].sum(),
        "codes": _codes(CODES_USED.check(codes)),
    }


def _shift(table: pl.DataFrame) -> list[Cells]:
    """Choose the predictors that differ most, in missingness or mean."""
    gap = pl.max_horizontal(
        5 * (pl.col("external_missing") - pl.col("internal_missing")).abs(),
        pl.col("standardised_difference").abs().fill_null(0),
    )
    return [
        [
            row["predictor"],
            *(f"{write_number(100 * row[f'{side}_missing'], 1)} %" for side in ("internal", "external")),
            *(_range(row[f"{side}_lowest"], row[f"{side}_highest"]) for side in ("internal", "external")),
            _number(row["standardised_difference"]),
        ]
        for row in table.sort(gap, "predictor", descending=[True, False]).head(MOST_ROWS).iter_rows(named=True)
    ]


def _traps(table: pl.DataFrame) -> list[Cells]:
    worst = (pl.col("internal") - pl.col("external")).abs()
    found = table.filter("trap").sort(worst, "target", "predictor", descending=[True, False, False])
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
