"""Plot area, ticks, axes and legend: what every chart stands on."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from twelvelead.report.svg import HAIRLINE, INK, MUTED, Attributes, Point, line, marker, path, text

LABEL: Attributes = {"font-size": 12.0, "fill": INK}
LINE = 17.0
"""Height of a line of a legend, px."""

SMALL: Attributes = {"font-size": 11.0, "fill": MUTED}


@dataclass(frozen=True)
class Style:
    """How one series looks: never told apart by colour alone."""

    colour: str
    dash: str
    marker: str


MODEL_STYLES = {
    "age_sex": Style("#B34700", "2 3", "triangle"),
    "ecg": Style("#007A59", "8 3", "square"),
    "measured_age_sex": Style("#7A5C00", "10 2 2 2", "wedge"),
    "ecg_age_sex": Style("#0072B2", "", "circle"),
}
"""Okabe-Ito orange, green and blue, the first two darkened until thin lines reach a contrast of 4.5 on white."""

OTHER_STYLE = Style("#CC79A7", "6 2 1 2", "diamond")

_SPARE = (
    Style("#0072B2", "", "circle"),
    Style("#B34700", "2 3", "triangle"),
    Style("#007A59", "8 3", "square"),
    Style("#8F4A78", "6 2 1 2", "diamond"),
    Style("#5A5A5A", "1 2", "circle"),
)


def style_models(models: Iterable[str]) -> dict[str, Style]:
    """Give each model of one drawing its look: those of a study theirs, others the next that is not taken.

    Examples
    --------
    >>> looks = style_models(["age_sex", "A", "B"])
    >>> looks["age_sex"].marker, looks["A"].marker, looks["B"].marker
    ('triangle', 'circle', 'square')
    """
    names = list(models)
    looks = {name: MODEL_STYLES[name] for name in names if name in MODEL_STYLES}
    spare = [style for style in _SPARE if style not in looks.values()]
    others = [name for name in names if name not in looks]
    return looks | {name: spare[k % len(spare)] for k, name in enumerate(others)}


@dataclass(frozen=True)
class Panel:
    """A plot area: which values lie at its edges, and where it stands on the drawing.

    Parameters
    ----------
    x_range, y_range : (float, float)
        Values at the left and right edge, and at the lower and upper edge.
    left, top, width, height : float
        The area, in px from the upper left corner of the drawing.

    Examples
    --------
    >>> panel = Panel((0, 1), (0, 1), left=50, top=10, width=200, height=100)
    >>> panel.at(0.5, 1.0)
    (150.0, 10.0)
    """

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    left: float
    top: float
    width: float
    height: float

    def at(self, x: float, y: float) -> Point:
        """Return the point of the drawing where a pair of values lies."""
        return self.x(x), self.y(y)

    def x(self, value: float) -> float:
        """Return the horizontal place of a value."""
        low, high = self.x_range
        return self.left + self.width * (value - low) / (high - low)

    def y(self, value: float) -> float:
        """Return the vertical place of a value."""
        low, high = self.y_range
        return self.top + self.height * (high - value) / (high - low)


def choose_ticks(lower: float, upper: float, n: int = 5) -> list[float]:
    """Choose about `n` round values between two limits.

    Examples
    --------
    >>> choose_ticks(0, 1)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    >>> choose_ticks(-1.2, 0.7, 4)
    [-1.0, -0.5, 0.0, 0.5]
    """
    if not upper > lower:
        return [lower]
    raw = (upper - lower) / n
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.9999)
    first, last = math.ceil(lower / step - 1e-9), math.floor(upper / step + 1e-9)
    return [round(k * step, 12) + 0.0 for k in range(first, last + 1)]


def draw_axes(
    panel: Panel,
    *,
    x_title: str,
    y_title: str,
    x_ticks: Sequence[float],
    y_ticks: Sequence[float],
) -> str:
    """Draw a frame with ticks, faint grid lines and the titles of both axes."""
    bottom, right = panel.top + panel.height, panel.left + panel.width
    parts = []
    faint: Attributes = {"stroke": HAIRLINE, "stroke-width": 0.7}
    for tick in x_ticks:
        x = panel.x(tick)
        parts.append(line((x, panel.top), (x, bottom), faint))
        parts.append(text((x, bottom + 16), write_tick(tick), {**SMALL, "text-anchor": "middle"}))
    for tick in y_ticks:
        y = panel.y(tick)
        parts.append(line((panel.left, y), (right, y), faint))
        parts.append(text((panel.left - 6, y + 4), write_tick(tick), {**SMALL, "text-anchor": "end"}))
    parts.append(path([(panel.left, panel.top), (panel.left, bottom), (right, bottom)], {"stroke": MUTED}))
    middle = (panel.left + panel.width / 2, bottom + 34)
    parts.append(text(middle, x_title, {**LABEL, "text-anchor": "middle"}))
    x, y = panel.left - 40, panel.top + panel.height / 2
    turned: Attributes = {**LABEL, "text-anchor": "middle", "transform": f"rotate(-90 {x:.2f} {y:.2f})"}
    parts.append(text((x, y), y_title, turned))
    return "".join(parts)


def write_tick(value: float) -> str:
    """Write a tick's value as short as it goes, with a true minus sign.

    Examples
    --------
    >>> write_tick(-0.50), write_tick(1200.0)
    ('−0.5', '1200')
    """
    return f"{value:.10g}".replace("-", "−")


def draw_legend(entries: Sequence[tuple[str, Style]], at: Point, *, with_line: bool = True) -> str:
    """Draw one line of text per series beside its line and marker, downwards from a point."""
    parts = []
    for i, (label, style) in enumerate(entries):
        x, y = at[0], at[1] + LINE * i
        if with_line:
            pen: Attributes = {"stroke": style.colour, "stroke-width": 2, "stroke-dasharray": style.dash or "none"}
            parts.append(line((x, y - 4), (x + 26, y - 4), pen))
        else:
            parts.append(marker((x + 13, y - 4), style.marker, style.colour))
        parts.append(text((x + 32, y), label, {**LABEL, "font-size": 11.0}))
    return "".join(parts)
