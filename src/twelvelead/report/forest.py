"""Forest plot: one metric of every target and model, with its interval."""

from collections.abc import Mapping

import polars as pl

from twelvelead.report.axes import (
    LABEL,
    MODEL_STYLES,
    SMALL,
    Panel,
    Style,
    choose_ticks,
    draw_axes,
    draw_legend,
    style_models,
)
from twelvelead.report.svg import INK, MUTED, Attributes, document, element, line, marker, text, wrap
from twelvelead.report.wording import name_model, write_interval

_NAMES, _PLOT, _NUMBERS = 190.0, 330.0, 150.0
_TOP, _STEP, _GAP = 34.0, 17.0, 15.0
_LEGEND = 3  # models that find room above the plot


def draw_forest(
    performance: pl.DataFrame,
    *,
    titles: Mapping[str, str],
    metric: str,
    axis_title: str,
    reference: float,
    optimum: Mapping[str, float] | None = None,
) -> str:
    """Draw estimate and interval of one metric per target and model, one below the other.

    Parameters
    ----------
    performance : DataFrame keeping `terms.PERFORMANCE`
        Rows of one set; those of `metric` in the stratum "all" are drawn.
    titles : mapping of target to str
        Targets in the order in which they are drawn, and what they are called.
    metric : str
        Which metric.
    axis_title : str
        What the axis measures, with level and set.
    reference : float
        Where no discrimination, or no difference, lies: the vertical line.
    optimum : mapping of target to float, optional
        Best reachable value, known for simulated data only.

    Returns
    -------
    str
        One SVG document.
    """
    rows = performance.filter((pl.col("metric") == metric) & (pl.col("stratum") == "all"))
    models = [m for m in MODEL_STYLES if m in rows["model"]] + sorted(set(rows["model"]) - set(MODEL_STYLES))
    looks = style_models(models)
    best = optimum or {}
    block = _STEP * max(len(models), 3) + _GAP
    x_range = _limits(rows, reference, best)
    area = Panel(x_range, (0, 1), left=_NAMES, top=_TOP, width=_PLOT, height=block * max(len(titles), 1))
    parts = [draw_axes(area, x_title=axis_title, y_title="", x_ticks=choose_ticks(*x_range, 7), y_ticks=[])]
    foot = area.top + area.height
    parts.append(line((area.x(reference), area.top), (area.x(reference), foot), {"stroke": MUTED}))
    for i, (target, title) in enumerate(titles.items()):
        top = area.top + i * block
        parts += _names(target, title, top)
        for j, model in enumerate(models):
            found = rows.filter((pl.col("target") == target) & (pl.col("model") == model)).to_dicts()
            y = top + _GAP / 2 + _STEP * (j + 0.5)
            parts.append(_row(area, found[0] if found else {}, y=y, style=looks[model]))
        if target in best:
            parts.append(_optimum(area, best[target], top=top + 4, height=block - 8))
    legend = [(name_model(m), looks[m]) for m in models]
    start, step = (_NAMES, 150.0) if len(legend) <= _LEGEND else (0.0, (_NAMES + _PLOT + _NUMBERS) / len(legend))
    parts += [draw_legend([e], (start + step * k, 18), with_line=False) for k, e in enumerate(legend)]
    desc = "; ".join(
        f"{titles[r['target']]}, {name_model(r['model'])}: {write_interval(r)}"
        for r in rows.sort("target", "model").to_dicts()
        if r["target"] in titles
    )
    width = _NAMES + _PLOT + _NUMBERS
    return document((width, foot + 42), *parts, title=f"Forest plot: {axis_title}", desc=desc)


def _limits(rows: pl.DataFrame, reference: float, best: Mapping[str, float]) -> tuple[float, float]:
    values = [reference, *best.values()]
    for name in ("estimate", "lower", "upper"):
        values += [v for v in rows[name].to_list() if v is not None]
    low, high = min(values), max(values)
    pad = max(0.04 * (high - low), 0.01)
    return low - pad, high + pad


def _names(target: str, title: str, top: float) -> list[str]:
    lines = wrap(title, 27)
    if len(lines) > 3:
        lines = [*lines[:2], f"{lines[2]} …"]
    parts = [text((0, top + 16 + 15 * k), words, {**LABEL, "font-size": 12.5}) for k, words in enumerate(lines)]
    if target != title and len(lines) < 3:
        parts.append(text((0, top + 16 + 15 * len(lines)), target, SMALL))
    return parts


def _row(area: Panel, row: Mapping[str, float | None], *, y: float, style: Style) -> str:
    """Draw one model's interval, marker and number."""
    estimate, lower, upper = (row.get(key) for key in ("estimate", "lower", "upper"))
    parts = []
    if lower is not None and upper is not None:
        parts.append(line((area.x(lower), y), (area.x(upper), y), {"stroke": style.colour, "stroke-width": 1.6}))
    if estimate is not None:
        parts.append(marker((area.x(estimate), y), style.marker, style.colour))
    words = write_interval(row) if row else ""
    right = area.left + area.width + 8
    parts.append(text((right, y + 4), words.replace("interval ", ""), {"font-size": 11.0, "fill": INK}))
    return "".join(parts)


def _optimum(area: Panel, value: float, *, top: float, height: float) -> str:
    x = area.x(value)
    pen: Attributes = {"stroke": "#1a1a1a", "stroke-width": 1.4, "stroke-dasharray": "1 2"}
    tip: Attributes = {"d": f"M{x - 4:.2f} {top:.2f}h8l-4 6z", "fill": INK}
    return line((x, top), (x, top + height), {**pen, "class": "optimum"}) + element("path", tip)
