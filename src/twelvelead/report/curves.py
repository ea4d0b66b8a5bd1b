"""ROC, calibration and decision curves, one series per model."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from twelvelead.report.axes import (
    LINE,
    MODEL_STYLES,
    OTHER_STYLE,
    Panel,
    Style,
    choose_ticks,
    draw_axes,
    draw_legend,
    style_models,
)
from twelvelead.report.svg import INK, MUTED, Attributes, Point, document, element, line, marker, path, text
from twelvelead.report.wording import name_model, write_number

SIZE = (318.0, 370.0)  # three stand side by side on a page of 1280 px, one on a page of 400 px
_UNIT_TICKS = (0, 0.2, 0.4, 0.6, 0.8, 1)
_LEGEND = (52.0, 326.0)
_MAX_POINTS = 240


def style_of(model: str) -> Style:
    """Return how a model's series looks in every chart of a report."""
    return MODEL_STYLES.get(model, OTHER_STYLE)


def draw_roc(curves: Mapping[str, pl.DataFrame], *, aurocs: Mapping[str, str], subject: str) -> str:
    """Draw ROC curves: how many events are found for how many false alarms.

    Parameters
    ----------
    curves : mapping of model to DataFrame with columns sensitivity, specificity
        Points from nobody to everybody called positive, as `validate.roc_curve` gives them.
    aurocs : mapping of model to str
        AUROC with its interval, as it stands in the legend.
    subject : str
        What is predicted, and in whom.

    Returns
    -------
    str
        One SVG document.
    """
    panel = Panel((0, 1), (0, 1), left=52, top=12, width=256, height=256)
    parts = [
        draw_axes(panel, x_title="1 − specificity", y_title="sensitivity", x_ticks=_UNIT_TICKS, y_ticks=_UNIT_TICKS),
        line(panel.at(0, 0), panel.at(1, 1), {"stroke": MUTED, "stroke-width": 0.8, "stroke-dasharray": "1 3"}),
    ]
    looks = style_models(curves)
    for model, curve in curves.items():
        rows = curve.select(1 - pl.col("specificity"), "sensitivity").iter_rows()
        points = thin([panel.at(x, y) for x, y in rows])
        parts.append(_series(points, looks[model]))
    entries = [(f"{name_model(m)} {aurocs.get(m, '')}".strip(), looks[m]) for m in curves]
    parts.append(draw_legend(entries, _LEGEND))
    desc = f"ROC curves. AUROC: {'; '.join(label for label, _ in entries)}. The dotted line is chance."
    return document(_size(len(entries)), *parts, title=f"ROC curves, {subject}", desc=desc)


def draw_calibration(
    curve: pl.DataFrame,
    *,
    risks: Sequence[float],
    model: str,
    summary: Sequence[str],
    subject: str,
    flexible: pl.DataFrame | None = None,
    style: Style | None = None,
) -> str:
    """Draw the calibration curve: how often the outcome occurred where a given risk was predicted.

    Parameters
    ----------
    curve : DataFrame with columns predicted, observed, lower, upper, smoothed
        One row per group of predicted risk; lower, upper and smoothed may be null.
    risks : sequence of float
        Every predicted risk, for the histogram below.
    model : str
        Whose curve it is.
    summary : sequence of str
        Lines printed in the upper left corner: intercept, slope.
    subject : str
        What is predicted, and in whom.
    flexible : DataFrame with columns predicted, observed, lower, upper, or None
        The smooth curve at many risks with its pointwise limits, drawn as a band instead of the groups' `smoothed`.
    style : Style or None
        Look of the series; None: the model's own.

    Returns
    -------
    str
        One SVG document.

    Notes
    -----
    Both axes end at the same risk, 1 or less where every predicted and observed risk is small, so that the diagonal
    stays the diagonal.
    """
    rows = curve.select("predicted", "observed", "lower", "upper").rows()
    smooth = curve.select("predicted", "smoothed").drop_nulls().rows()
    band: list[tuple[float, ...]] = []
    if flexible is not None:
        band = flexible.select("predicted", "observed", "lower", "upper").drop_nulls().rows()
        smooth = [(x, y) for x, y, _, _ in band]
    top = _upper_limit([v for row in rows for v in row if v is not None])
    panel = Panel((0, top), (0, top), left=52, top=12, width=256, height=256)
    histogram = Panel((0, top), (0, 1), left=52, top=276, width=256, height=46)
    style = style or style_of(model)
    ticks = choose_ticks(0, top)
    band = [row for row in band if row[0] <= top]
    smooth = [row for row in smooth if row[0] <= top]
    parts = [
        draw_axes(panel, x_title="", y_title="observed proportion", x_ticks=[], y_ticks=ticks),
        _band(panel, [(x, lower, upper) for x, _, lower, upper in band], style),
        line(panel.at(0, 0), panel.at(top, top), {"stroke": MUTED, "stroke-width": 0.8, "stroke-dasharray": "1 3"}),
        path([panel.at(x, min(y, top)) for x, y in smooth], {"stroke": style.colour, "stroke-width": 1.6}),
    ]
    for x, y, lower, upper in rows:
        if lower is not None and upper is not None:
            limits = panel.at(x, max(0.0, lower)), panel.at(x, min(top, upper))
            parts.append(line(*limits, {"stroke": style.colour, "stroke-width": 1.2}))
        parts.append(marker(panel.at(x, y), style.marker, style.colour))
    parts += [text((62, 28 + 16 * i), words, {"font-size": 11.5, "fill": INK}) for i, words in enumerate(summary)]
    parts.append(_histogram(histogram, risks))
    parts.append(draw_axes(histogram, x_title="predicted risk", y_title="", x_ticks=ticks, y_ticks=[]))
    groups = "; ".join(f"{write_number(x)} predicted, {write_number(y)} observed" for x, y, *_ in rows)
    desc = f"Calibration curve with a histogram of {len(risks)} predicted risks. {groups}. {' '.join(summary)}"
    return document(SIZE, *parts, title=f"Calibration, {subject}", desc=desc)


def draw_decision(curves: Mapping[str, pl.DataFrame], *, subject: str) -> str:
    """Draw decision curves: the net benefit of acting on a predicted risk, against acting on all or on none.

    Parameters
    ----------
    curves : mapping of model to DataFrame with columns threshold, model, all
        Net benefit of the model and of acting on everybody, as `validate.decision_curve` gives them; with columns lower
        and upper, its limits are drawn as a band.
    subject : str
        What is predicted, and in whom.

    Returns
    -------
    str
        One SVG document.

    Notes
    -----
    The frame ends a little below 0: how harmful it is to act on everybody at a high threshold needs no more room.
    """
    by_model = {m: c.sort("threshold").select("threshold", "model").rows() for m, c in curves.items()}
    treat_all = next((c.sort("threshold").select("threshold", "all").rows() for c in curves.values()), [])
    thresholds = (0.0, max((t for t, _ in treat_all), default=1.0))
    best = max([y for rows in (treat_all, *by_model.values()) for _, y in rows] + [0.01])
    panel = Panel(thresholds, (-0.25 * best, 1.05 * best), left=52, top=12, width=256, height=256)
    ticks = choose_ticks(*thresholds), choose_ticks(*panel.y_range)
    parts = [draw_axes(panel, x_title="threshold risk", y_title="net benefit", x_ticks=ticks[0], y_ticks=ticks[1])]
    looks = style_models(by_model)
    for model, curve in curves.items():
        if "lower" in curve.columns:
            limits = curve.sort("threshold").select("threshold", "lower", "upper").drop_nulls().rows()
            parts.append(_band(panel, limits, looks[model]))
    # Drawn in a nested viewport, which cuts what falls below the frame.
    inside = [_inside(panel, treat_all, Style("#5a5a5a", "1 2", ""))]
    inside += [_inside(panel, rows, looks[model]) for model, rows in by_model.items()]
    view: Attributes = {"x": panel.left, "y": panel.top, "width": panel.width, "height": panel.height}
    parts.append(element("svg", {**view, "overflow": "hidden"}, *inside))
    none = panel.y(0)
    parts.append(line((panel.left, none), (panel.left + panel.width, none), {"stroke": INK, "stroke-width": 1}))
    entries = [(name_model(m), looks[m]) for m in by_model]
    bounds = [("act on all", Style("#5a5a5a", "1 2", "")), ("act on none", Style(INK, "", ""))]
    parts += [draw_legend(entries, _LEGEND), draw_legend(bounds, (_LEGEND[0] + 150, _LEGEND[1]))]
    desc = "Net benefit against the threshold risk, compared with acting on every patient and on none."
    return document(_size(len(entries)), *parts, title=f"Decision curves, {subject}", desc=desc)


def _size(n_models: int) -> tuple[float, float]:
    """Give room to a legend of more than three lines."""
    return SIZE[0], SIZE[1] + LINE * max(0, n_models - 3)


def thin(points: Sequence[Point], most: int = _MAX_POINTS) -> list[Point]:
    """Keep at most `most` points of a line, evenly by position, first and last included.

    Examples
    --------
    >>> thin([(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (3.0, 3.0), (4.0, 4.0)], 3)
    [(0.0, 0.0), (2.0, 2.0), (4.0, 4.0)]
    """
    if len(points) <= most:
        return list(points)
    return [points[i] for i in np.linspace(0, len(points) - 1, most).round().astype(int).tolist()]


def _series(points: Sequence[Point], style: Style) -> str:
    pen: Attributes = {"stroke": style.colour, "stroke-width": 1.8, "stroke-linejoin": "round"}
    return path(points, {**pen, "stroke-dasharray": style.dash or "none"})


def _band(panel: Panel, rows: Sequence[tuple[float, ...]], style: Style) -> str:
    """Fill what lies between lower and upper limits, cut at the frame."""
    low, high = panel.y_range

    def at(x: float, y: float) -> Point:
        return panel.at(x, min(max(y, low), high))

    there = [at(x, lower) for x, lower, _ in rows] + [at(x, upper) for x, _, upper in reversed(rows)]
    return path(there, {"fill": style.colour, "fill-opacity": 0.13, "stroke": "none"})


def _inside(panel: Panel, rows: Sequence[tuple[float, float]], style: Style) -> str:
    """Draw a series in coordinates relative to the frame."""
    points = [(panel.x(x) - panel.left, panel.y(y) - panel.top) for x, y in rows]
    return _series(thin(points), style)


def _histogram(panel: Panel, risks: Sequence[float], n_bins: int = 40) -> str:
    counts, edges = np.histogram(np.asarray(risks, dtype=float), bins=n_bins, range=panel.x_range)
    tallest = max(int(counts.max()), 1)
    bars = []
    for count, left in zip(counts.tolist(), edges.tolist(), strict=False):
        if count:
            corner = panel.at(left, count / tallest)
            size: Attributes = {"width": panel.width / n_bins - 0.6, "height": panel.height * count / tallest}
            bars.append(element("rect", {"x": corner[0], "y": corner[1], **size, "fill": "#9a9a9a"}))
    return "".join(bars)


def _upper_limit(values: Sequence[float]) -> float:
    top = max(values, default=1.0)
    return next(limit for limit in (0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0) if limit >= min(top, 1.0))
