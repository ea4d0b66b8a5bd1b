"""A study as it was published beside the sound one, as one page of HTML."""

from collections.abc import Sequence
from statistics import median

import polars as pl

from twelvelead.report.pages import render
from twelvelead.report.wording import name_set, write_number
from twelvelead.terms import COMPARISON, RESEARCH_ONLY


def comparison_report(
    *, title: str, publication: str, faults: Sequence[tuple[str, str]], comparison: pl.DataFrame, simulated: bool
) -> str:
    """Write the page.

    Parameters
    ----------
    title : str
        Of the study.
    publication : str
        Whose method is repeated; empty if nobody's in particular.
    faults : sequence of (str, str)
        What is wrong with it: in a few words, and what it does.
    comparison : DataFrame keeping `terms.COMPARISON`
        The figures.
    simulated : bool
        Whether the patients are made up.

    Returns
    -------
    str
        One HTML document that needs nothing else.
    """
    rows = [_row(row) for row in COMPARISON.check(comparison).iter_rows(named=True)]
    ratios = comparison["width_ratio"].drop_nulls().to_list()
    return render(
        "comparison.html",
        title=title,
        publication=publication,
        faults=list(faults),
        rows=rows,
        median_ratio=write_number(median(ratios), 0) if ratios else "",
        simulated=simulated,
        research_only=RESEARCH_ONLY,
    )


def _row(row: dict[str, object]) -> dict[str, str]:
    """Write one row's figures."""
    return {
        "target": str(row["target"]),
        "set": name_set(str(row["set"])),
        **{mode: _estimate(row, mode) for mode in ("sound", "paper")},
        **{f"{mode}_counts": _counts(row, mode) for mode in ("sound", "paper")},
        "ratio": write_number(row["width_ratio"], 0) if isinstance(row["width_ratio"], float) else "–",
    }


def _estimate(row: dict[str, object], mode: str) -> str:
    estimate, lower, upper = (row[f"{mode}_{name}"] for name in ("estimate", "lower", "upper"))
    if not isinstance(estimate, float):
        return "–"
    text = write_number(estimate, 3)
    if isinstance(lower, float) and isinstance(upper, float):
        decimals = 4 if mode == "paper" else 3  # published intervals are so narrow
        text += f" ({write_number(lower, decimals)} to {write_number(upper, decimals)})"
    return text


def _counts(row: dict[str, object], mode: str) -> str:
    events, n, patients = (row[f"{mode}_{name}"] for name in ("n_events", "n", "n_patients"))
    return "not modelled" if n is None else f"{events} of {n} in {patients} patients"
