"""How a pre-training went: its losses, and whether its embeddings kept apart."""

import math
from collections.abc import Sequence

import polars as pl

from twelvelead.report.axes import LABEL, Panel, Style, choose_ticks, draw_axes, draw_legend
from twelvelead.report.svg import Attributes, document, path, text

SIZE = (660.0, 400.0)
TRAINED, HELD_OUT = Style("#B34700", "2 3", "triangle"), Style("#0072B2", "", "circle")
_LEAST = 1e-12  # so that an axis has a length where all is 0


def draw_training(log: pl.DataFrame) -> str:
    """Draw losses, spread and effective rank of the embeddings against the number of steps.

    Parameters
    ----------
    log : DataFrame with columns step, loss, held_out_loss, embedding_std, effective_rank
        One row or more.

    Returns
    -------
    str
        One SVG document.
    """
    log = log.with_columns(pl.col("loss").fill_null(math.nan))  # before the first step there is none
    steps = log["step"].to_list()
    last = max(1, *steps)
    losses = {"in training": (log["loss"].to_list(), TRAINED), "held out": (log["held_out_loss"].to_list(), HELD_OUT)}
    left = Panel((0, last), _limits([v for values, _ in losses.values() for v in values]), 56, 16, 330, 290)
    parts = [_axes(left, "loss")]
    parts += [_curve(left, steps, values, style) for values, style in losses.values()]
    parts.append(
        draw_legend([(f"{name} {_last(values)}", style) for name, (values, style) in losses.items()], (56, 366))
    )
    for top, column, title in ((16, "embedding_std", "spread (SD)"), (176, "effective_rank", "effective rank")):
        values = log[column].to_list()
        panel = Panel((0, last), _limits(values), 466, top, 180, 130)
        parts += [_axes(panel, title, x_title=top > 100), _curve(panel, steps, values, HELD_OUT)]
    parts.append(text((466, 366), "of recordings held out; 0: collapsed", {**LABEL, "font-size": 11.0}))
    desc = f"After {max(steps)} steps the loss was {_last(log['loss'].to_list())} in training and "
    desc += (
        f"{_last(log['held_out_loss'].to_list())} on recordings held out, whose embeddings had a standard deviation "
    )
    desc += (
        f"of {_last(log['embedding_std'].to_list())} and an effective rank of {_last(log['effective_rank'].to_list())}."
    )
    return document(SIZE, *parts, title="Pre-training", desc=desc)


def _limits(values: Sequence[float]) -> tuple[float, float]:
    """Let an axis begin at 0, and end above the highest value there is."""
    most = max((v for v in values if math.isfinite(v)), default=1.0)
    return 0.0, 1.05 * max(most, _LEAST)


def _axes(panel: Panel, y_title: str, *, x_title: bool = True) -> str:
    x_ticks, y_ticks = choose_ticks(*panel.x_range, 4), choose_ticks(*panel.y_range, 4)
    return draw_axes(panel, x_title="step" if x_title else "", y_title=y_title, x_ticks=x_ticks, y_ticks=y_ticks)


def _curve(panel: Panel, steps: Sequence[float], values: Sequence[float], style: Style) -> str:
    points = [panel.at(x, y) for x, y in zip(steps, values, strict=True) if math.isfinite(y)]
    pen: Attributes = {"stroke": style.colour, "stroke-width": 1.6, "stroke-dasharray": style.dash or "none"}
    return path(points, pen)


def _last(values: Sequence[float]) -> str:
    return f"{values[-1]:.3g}"
