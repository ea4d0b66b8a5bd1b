"""What the model answers to: the beeswarm of Shapley values, and their dependence on one measurement."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.report.axes import LABEL, SMALL, Panel, choose_ticks, draw_axes
from twelvelead.report.svg import INK, MUTED, Point, document, dots, element, line, text, wrap
from twelvelead.report.wording import name_feature, write_number

LOW, MIDDLE, HIGH = (0, 114, 178), (150, 150, 150), (213, 94, 0)  # Okabe-Ito blue, grey, vermillion
_N_SHADES = 9
_DOT = 4.0
_BLOCK = "embedding"  # predictors taken together
_ROW = 34.0
_NAMES, _PLOT, _TREND = 200.0, 400.0, 132.0


def draw_beeswarm(shap: pl.DataFrame, *, subject: str, n_features: int = 12, n_points: int = 300) -> str:
    """Draw the Shapley values of the strongest predictors, one dot per recording, coloured by the predictor's value.

    Parameters
    ----------
    shap : DataFrame keeping `terms.SHAP`
        Rows of one target, model and set.
    subject : str
        What is predicted, and in whom.
    n_features : int
        How many predictors, by mean |SHAP| over all recordings.
    n_points : int
        Most dots per predictor: every k-th recording in the order of ids.

    Returns
    -------
    str
        One SVG document.

    Notes
    -----
    A predictor that the model doesn't use in a recording has no row there and counts as 0 in the mean. At the right the
    direction stands in words too, by Spearman's correlation of value and SHAP value (|rho| below 0.3: mixed).
    """
    strongest = rank_features(shap).head(n_features)
    kept = _every(shap["recording_id"].unique().sort(), n_points)
    limits = _limits(shap.filter(pl.col("feature").is_in(strongest["feature"].implode()))["shap"].to_list())
    area = Panel(limits, (0, 1), left=_NAMES, top=28, width=_PLOT, height=_ROW * max(strongest.height, 1))
    foot = area.top + area.height
    parts = [
        draw_axes(area, x_title="SHAP value (log-odds)", y_title="", x_ticks=choose_ticks(*limits), y_ticks=[]),
        line((area.x(0), area.top), (area.x(0), foot), {"stroke": MUTED}),
        _scale_bar((_NAMES, 6)),
        text((_NAMES + _PLOT + 12, 18), "higher value", SMALL),
    ]
    described = []
    for i, (feature, mean) in enumerate(strongest.select("feature", "mean_abs_shap").iter_rows()):
        of_feature = shap.filter(pl.col("feature") == feature).sort("recording_id")
        shade = shade_of(of_feature["value"])
        shown = of_feature.with_columns(shade=shade).filter(pl.col("recording_id").is_in(kept.implode()))
        middle = area.top + _ROW * (i + 0.5)
        trend = describe_trend(of_feature)
        lines = wrap(name_feature(feature), 30)[:2]
        first = middle + (4 if len(lines) == 1 else -3)
        parts += [
            text((_NAMES - 10, first + 14 * k), words, {**LABEL, "text-anchor": "end"}) for k, words in enumerate(lines)
        ]
        parts.append(_swarm(shown, area, middle))
        parts.append(text((_NAMES + _PLOT + 12, middle + 4), trend, LABEL))
        described.append(f"{name_feature(feature)}: mean |SHAP| {write_number(mean, 3)}, {trend[2:]}")
    size = (_NAMES + _PLOT + _TREND, foot + 42)
    desc = "Strongest predictors first. A dot right of 0 raises the predicted risk. " + "; ".join(described)
    return document(size, *parts, title=f"SHAP beeswarm, {subject}", desc=desc)


def draw_dependence(shap: pl.DataFrame, *, feature: str, subject: str, n_points: int = 400) -> str:
    """Draw how one predictor's Shapley value goes with its value, one dot per recording.

    Parameters
    ----------
    shap : DataFrame keeping `terms.SHAP`
        Rows of one target, model and set.
    feature : str
        The predictor.
    subject : str
        What is predicted, and in whom.
    n_points : int
        Most dots: every k-th recording in the order of ids.

    Returns
    -------
    str
        One SVG document; recordings in which the value is missing are counted in words.
    """
    rows = shap.filter(pl.col("feature") == feature).sort("recording_id")
    present = rows.drop_nulls("value")
    values = np.asarray(present["value"].to_list(), dtype=float)
    low, high = (float(v) for v in np.quantile(values, [0.005, 0.995])) if values.size else (0.0, 1.0)
    x_range = (low, high) if high > low else (low - 1, low + 1)
    pad = 0.04 * (x_range[1] - x_range[0])
    y_range = _limits(rows["shap"].to_list())
    panel = Panel((x_range[0] - pad, x_range[1] + pad), y_range, left=52, top=12, width=256, height=220)
    ticks = choose_ticks(*panel.x_range), choose_ticks(*y_range)
    parts = [
        draw_axes(
            panel, x_title=name_feature(feature), y_title="SHAP value (log-odds)", x_ticks=ticks[0], y_ticks=ticks[1]
        ),
        line((panel.left, panel.y(0)), (panel.left + panel.width, panel.y(0)), {"stroke": MUTED}),
    ]
    shown = _every(present["recording_id"], n_points)
    inside = present.filter(pl.col("recording_id").is_in(shown.implode()) & pl.col("value").is_between(*panel.x_range))
    points = [panel.at(x, y) for x, y in inside.select("value", "shap").iter_rows()]
    parts.append(dots(points, diameter=_DOT, colour="#0072B2", opacity=0.55))
    missing = rows.height - present.height
    note = f"{missing} of {rows.height} missing" if missing else ""
    parts.append(text((panel.left + panel.width, 24), note, {**SMALL, "text-anchor": "end"}))
    desc = f"{len(points)} recordings; {describe_trend(rows)[2:]} as the value rises. {note}"
    return document((318, 278), *parts, title=f"SHAP dependence on {name_feature(feature)}, {subject}", desc=desc)


def rank_features(shap: pl.DataFrame) -> pl.DataFrame:
    """Rank predictors by their mean |SHAP| over all recordings; ties by name.

    Examples
    --------
    >>> shap = pl.DataFrame({"recording_id": ["a", "b", "a"], "feature": ["x", "x", "y"], "shap": [1.0, -1.0, 3.0]})
    >>> rank_features(shap).rows()
    [('y', 1.5), ('x', 1.0)]
    """
    n = max(shap["recording_id"].n_unique(), 1)
    mean = pl.col("shap").abs().sum() / n
    ranked = shap.group_by("feature").agg(mean_abs_shap=mean)
    return ranked.sort(["mean_abs_shap", "feature"], descending=[True, False])


def describe_trend(rows: pl.DataFrame) -> str:
    """Say in two words which way a predictor works, from rows with columns value and shap; an embedding has no value.

    Examples
    --------
    >>> describe_trend(pl.DataFrame({"value": [1.0, 2.0, 3.0], "shap": [-1.0, 0.0, 2.0]}))
    '↑ risk higher'
    """
    if _is_block(rows):
        return "∼ no one value"
    known = rows.drop_nulls("value").select(pl.col("value").rank(), pl.col("shap").rank())
    spread = known.select(pl.all().std()).row(0) if known.height > 2 else (None, None)
    if not all(spread):
        return "∼ no trend"
    rho = float(np.corrcoef(known.to_numpy().T)[0, 1])
    return "↑ risk higher" if rho >= 0.3 else "↓ risk lower" if rho <= -0.3 else "∼ mixed"


def shade_of(values: pl.Series) -> pl.Series:
    """Grade values by rank into shades 0 (lowest) to 8 (highest); null where missing."""
    n = values.len() - values.null_count()
    share = (values.rank("average") - 1) / max(n - 1, 1)
    return (share * (_N_SHADES - 1)).round(0).cast(pl.Int32)


def colour_of(shade: int) -> str:
    """Return a shade's colour, from blue (low) by grey to vermillion (high).

    Examples
    --------
    >>> colour_of(0), colour_of(8)
    ('#0072b2', '#d55e00')
    """
    half = (_N_SHADES - 1) / 2
    start, end, part = (LOW, MIDDLE, shade / half) if shade <= half else (MIDDLE, HIGH, shade / half - 1)
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(start, end, strict=True))


def pile(x: Sequence[float], *, diameter: float, most: float) -> NDArray[np.float64]:
    """Move dots off their line so that those at one place lie side by side.

    Parameters
    ----------
    x : sequence of float
        Places along the line, in px.
    diameter : float
        Width of a dot.
    most : float
        Farthest a dot may lie from the line; a fuller place is packed tighter.

    Returns
    -------
    ndarray, shape (n,)
        Distance of each dot from the line: 0, +, −, + … in the order given.

    Examples
    --------
    >>> pile([10.0, 10.1, 10.2, 50.0], diameter=4, most=12).tolist()
    [0.0, 4.0, -4.0, 0.0]
    """
    bins = np.floor(np.asarray(x, dtype=float) / diameter).astype(int)
    offsets = np.zeros(len(bins))
    for b in np.unique(bins):
        members = np.flatnonzero(bins == b)
        rank = np.arange(members.size)
        steps = np.where(rank % 2, (rank + 1) // 2, -(rank // 2)).astype(float)
        tightest = min(diameter, most / max(float(np.abs(steps).max()), 1.0))
        offsets[members] = steps * tightest
    return offsets


def _swarm(rows: pl.DataFrame, area: Panel, middle: float) -> str:
    x = [area.x(v) for v in rows["shap"].to_list()]
    offsets = pile(x, diameter=_DOT * 0.8, most=_ROW / 2 - 3)
    by_shade: dict[int | None, list[Point]] = {}
    for place, offset, shade in zip(x, offsets.tolist(), rows["shade"].to_list(), strict=True):
        by_shade.setdefault(shade, []).append((place, middle + offset))
    look = (_DOT, colour_of((_N_SHADES - 1) // 2)) if _is_block(rows) else (1.6, INK)
    missing = dots(by_shade.pop(None, []), diameter=look[0], colour=look[1])
    shades: Mapping[int, list[Point]] = {k: v for k, v in by_shade.items() if k is not None}
    return missing + "".join(dots(shades[s], diameter=_DOT, colour=colour_of(s)) for s in sorted(shades))


def _is_block(rows: pl.DataFrame) -> bool:
    """Whether rows are of predictors taken together, which have no value; not of one that is missing everywhere."""
    return "feature" in rows.columns and rows.height > 0 and rows["feature"][0] == _BLOCK


def _scale_bar(at: Point) -> str:
    """Draw the legend: lowest to highest value, and the small black dot of a missing one."""
    x, y = at[0] + 62, at[1]
    cells = [
        element("rect", {"x": x + 12 * k, "y": y + 3, "width": 12.0, "height": 9.0, "fill": colour_of(k)})
        for k in range(_N_SHADES)
    ]
    return (
        text((at[0], y + 12), "value: low", SMALL)
        + "".join(cells)
        + text((x + 12 * _N_SHADES + 6, y + 12), "high", SMALL)
        + dots([(x + 12 * _N_SHADES + 52, y + 8)], diameter=1.6, colour=INK)
        + text((x + 12 * _N_SHADES + 58, y + 12), "missing", SMALL)
    )


def _limits(values: Sequence[float]) -> tuple[float, float]:
    low, high = min([*values, 0.0]), max([*values, 0.0])
    pad = max(0.05 * (high - low), 0.02)
    return low - pad, high + pad


def _every(ids: pl.Series, most: int) -> pl.Series:
    step = max(1, -(-ids.len() // most))
    return ids.gather_every(step)
