"""What the full model answers to: a bar chart of concepts, the ranks of predictors, and whether they agree."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from twelvelead.report.axes import LABEL, SMALL, Panel, choose_ticks, draw_axes
from twelvelead.report.performance_table import order_sets
from twelvelead.report.svg import INK, Attributes, document, element, text
from twelvelead.report.wording import (
    first_capital,
    join_words,
    name_feature,
    name_set,
    write_interval,
    write_number,
)

RANKED = 12
"""Predictors whose ranks are shown: as many as the beeswarm has."""

BARS: dict[str, Attributes] = {
    "internal": {"fill": "#0072B2"},
    "external": {"fill": "#ffffff", "stroke": "#B34700", "stroke-width": 1.4},
}
"""Filled and hollow: told apart without colours, too."""

_OTHER: Attributes = {"fill": "#5a5a5a"}
_NAMES, _PLOT, _NUMBERS = 172.0, 170.0, 128.0
_BAR, _GAP, _TOP = 12.0, 10.0, 26.0


def draw_concepts(concepts: pl.DataFrame, *, subject: str) -> str:
    """Draw how much each concept moves the log-odds: a bar for each set, with the limits of its rank.

    Parameters
    ----------
    concepts : DataFrame keeping `terms.REASON_CONCEPTS`
        Of one target.
    subject : str
        What is predicted.

    Returns
    -------
    str
        One SVG document; the concept that is strongest in the first set is uppermost.
    """
    sets = order_sets(concepts["set"])
    found = {(row["concept"], row["set"]): row for row in concepts.iter_rows(named=True)}
    order = sorted({concept for concept, _ in found}, key=lambda c: (-_strength(found.get((c, sets[0]))), c))
    block = _BAR * max(len(sets), 2) + _GAP
    highest = max(float(str(concepts["mean_abs_shap"].max())), 1e-9)
    area = Panel((0, 1.04 * highest), (0, 1), left=_NAMES, top=_TOP, width=_PLOT, height=block * len(order))
    ticks = choose_ticks(0, highest, 3)
    parts = [draw_axes(area, x_title="mean |sum of SHAP| (log-odds)", y_title="", x_ticks=ticks, y_ticks=[])]
    for k, set_ in enumerate(sets):
        parts.append(element("rect", {"x": 150.0 * k, "y": 4.0, "width": 18.0, "height": 9.0, **_look(set_)}))
        parts.append(text((150.0 * k + 24, 13), first_capital(name_set(set_)), SMALL))
    parts.append(text((_NAMES + _PLOT + 10, 13), "mean, rank (limits)", SMALL))
    described = []
    for i, concept in enumerate(order):
        top = area.top + block * i + _GAP / 2
        size = next(found[concept, set_]["n_predictors"] for set_ in sets if (concept, set_) in found)
        parts.append(text((0, top + _BAR + 3), first_capital(concept), LABEL))
        parts.append(text((118, top + _BAR + 3), f"{size} pred.", SMALL))
        for k, set_ in enumerate(sets):
            row = found.get((concept, set_))
            if row is None:
                continue
            y, width = top + _BAR * k, area.x(row["mean_abs_shap"]) - area.left
            parts.append(
                element("rect", {"x": area.left, "y": y + 1.5, "width": width, "height": _BAR - 3, **_look(set_)})
            )
            words = f"{write_number(row['mean_abs_shap'])}, {write_rank(row)}"
            parts.append(text((_NAMES + _PLOT + 10, y + 10), words, {"font-size": 11.0, "fill": INK}))
            described.append(f"{concept}, {name_set(set_)}: {words}")
    size_ = (_NAMES + _PLOT + _NUMBERS, area.top + area.height + 42)
    return document(size_, *parts, title=f"Importance by concept, {subject}", desc="; ".join(described))


def tabulate_ranks(reasons: pl.DataFrame) -> dict[str, Any]:
    """Write the ranks of one target's strongest predictors in each set.

    Parameters
    ----------
    reasons : DataFrame keeping `terms.REASONS`
        Of one target.

    Returns
    -------
    dict
        sets: their names; rows: predictor, concept, a text per set, and the share of the fits that chose it. The
        strongest of the first set first.
    """
    sets = order_sets(reasons["set"])
    found = {(row["feature"], row["set"]): row for row in reasons.iter_rows(named=True)}
    first = reasons.filter(pl.col("set") == sets[0]).sort("rank", "feature").head(RANKED)
    rows = [
        [
            name_feature(row["feature"]),
            row["concept"],
            *(write_rank(found.get((row["feature"], set_))) for set_ in sets),
            f"{100 * row['chosen_share']:.0f}\u00a0%",
        ]
        for row in first.iter_rows(named=True)
    ]
    return {"sets": [name_set(set_) for set_ in sets], "rows": rows}


def tabulate_agreement(agreement: pl.DataFrame, titles: Mapping[str, str]) -> list[list[str]]:
    """Write how far the reasons have the same ranks in the external database, a row per target.

    Parameters
    ----------
    agreement : DataFrame keeping `terms.REASON_AGREEMENT`
        Of all targets.
    titles : mapping of target to str
        Those shown, in their order.

    Returns
    -------
    list of list of str
        Title, number of predictors, then Spearman's and Kendall's coefficients and the overlap, with limits.
    """
    found = {(row["target"], row["measure"]): row for row in agreement.iter_rows(named=True)}
    rows = []
    for target, title in titles.items():
        cells = [found.get((target, measure)) for measure in ("spearman", "kendall", "top_overlap")]
        if cells[0] is not None:
            texts = [write_interval(cell) if cell else "" for cell in cells]
            rows.append([title, str(cells[0]["n_predictors"]), *texts])
    return rows


def summarize_agreement(agreement: pl.DataFrame) -> str:
    """Say how far the ranks agree over all targets.

    Examples
    --------
    >>> rows = [{"measure": "spearman", "estimate": r} for r in (0.2, 0.7, 0.9)]
    >>> summarize_agreement(pl.DataFrame(rows))
    'Over 3 targets Spearman’s coefficient has a median of 0.70 (from 0.20 to 0.90).'
    """
    known = agreement.filter(pl.col("measure") == "spearman")["estimate"].drop_nulls()
    if known.len() < 2:
        return ""
    middle, low, high = (write_number(v) for v in known.to_frame("e").select(
        pl.col("e").median(), low=pl.col("e").min(), high=pl.col("e").max()
    ).row(0))  # fmt: skip
    return f"Over {known.len()} targets Spearman’s coefficient has a median of {middle} (from {low} to {high})."


def describe_concepts(concepts: pl.DataFrame) -> str:
    """Name the strongest concepts of the first set.

    Examples
    --------
    >>> rows = {"set": ["internal"] * 2, "concept": ["rate", "axis"], "mean_abs_shap": [0.3, 0.5], "rank": [2.0, 1.0]}
    >>> describe_concepts(pl.DataFrame(rows))
    'Strongest concepts, held-out (internal), in log-odds: axis (0.50) and rate (0.30).'
    """
    first = order_sets(concepts["set"])[0]
    strongest = concepts.filter(pl.col("set") == first).sort("rank", "concept").head(3)
    named = [f"{row['concept']} ({write_number(row['mean_abs_shap'])})" for row in strongest.to_dicts()]
    return f"Strongest concepts, {name_set(first)}, in log-odds: {join_words(named)}."


def write_rank(row: Mapping[str, Any] | None) -> str:
    """Write a rank with its limits; ranks that are shared may be halves.

    Examples
    --------
    >>> write_rank({"rank": 2.0, "rank_lower": 1.0, "rank_upper": 3.5}), write_rank(None)
    ('2 (1–3.5)', 'not used')
    """
    if row is None or not row.get("mean_abs_shap", 1.0):
        return "not used"
    return f"{row['rank']:g} ({row['rank_lower']:.3g}–{row['rank_upper']:.3g})"


def _strength(row: Mapping[str, Any] | None) -> float:
    return float(row["mean_abs_shap"]) if row is not None else 0.0


def _look(set_: str) -> Attributes:
    return BARS.get(set_, _OTHER)
