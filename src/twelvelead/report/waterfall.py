"""One patient's reasons: from the average prediction to this one, step by step."""

from collections.abc import Mapping, Sequence

from twelvelead.report.axes import LABEL, SMALL, Panel, choose_ticks, draw_axes
from twelvelead.report.svg import INK, MUTED, Attributes, document, element, line, text, wrap
from twelvelead.report.wording import name_feature, write_number

UP, DOWN = "#B34700", "#0072B2"
_ROW = 26.0
_NAMES, _PLOT, _NUMBERS = 290.0, 340.0, 20.0

Step = tuple[str, float]


def draw_waterfall(reasons: Sequence[Mapping[str, object]], *, base: float, risk: float, subject: str) -> str:
    """Draw how each predictor moves one prediction away from the model's base value.

    Parameters
    ----------
    reasons : sequence of mappings with keys feature, value, shap
        Every predictor that the model used for this recording; shap in log-odds.
    base : float
        The model's base value in log-odds: its expected margin over the training recordings.
    risk : float
        Predicted risk after calibration, printed only.
    subject : str
        What is predicted, and for which recording.

    Returns
    -------
    str
        One SVG document: the ten strongest predictors, then all others together; the bars add up exactly from the base
        value to the margin.
    """
    steps = choose_steps(reasons)
    edges = [base]
    for _, shap in steps:
        edges.append(edges[-1] + shap)
    margin = edges[-1]
    low, high = min(edges), max(edges)
    pad = max(0.18 * (high - low), 0.05)
    area = Panel((low - pad, high + pad), (0, 1), left=_NAMES, top=24, width=_PLOT, height=_ROW * (len(steps) + 1))
    foot = area.top + area.height
    parts = [
        draw_axes(
            area, x_title="log-odds before calibration", y_title="", x_ticks=choose_ticks(*area.x_range), y_ticks=[]
        ),
        line((area.x(base), area.top), (area.x(base), foot), {"stroke": MUTED, "stroke-dasharray": "2 3"}),
        text((area.x(base), 16), f"base value {write_number(base)}", {**SMALL, "text-anchor": "middle"}),
    ]
    for i, ((label, shap), before, after) in enumerate(zip(steps, edges, edges[1:], strict=False)):
        parts.append(_bar(area, (before, after), y=area.top + _ROW * i + 5, label=label, shap=shap))
    y = area.top + _ROW * len(steps) + 17
    parts.append(line((area.x(margin), y - 12 - _ROW * 0.3), (area.x(margin), foot), {"stroke-width": 1.2}))
    total = f"margin {write_number(margin)} → predicted risk {write_number(risk)}"
    parts.append(text((_NAMES - 10, y), total, {**LABEL, "text-anchor": "end", "font-weight": "600"}))
    desc = f"Base value {write_number(base)}; " + "; ".join(f"{label}: {write_number(v)}" for label, v in steps)
    size = (_NAMES + _PLOT + _NUMBERS, foot + 42)
    return document(size, *parts, title=f"Reasons for one prediction, {subject}", desc=f"{desc}; {total}.")


def choose_steps(reasons: Sequence[Mapping[str, object]], most: int = 10) -> list[Step]:
    """Order reasons by strength, and add up those beyond the first `most`.

    Examples
    --------
    >>> choose_steps([{"feature": "age_years", "value": 70, "shap": 0.2}, {"feature": "x", "value": None, "shap": -1}])
    [('x = missing', -1.0), ('age (years) = 70', 0.2)]
    """
    steps = []
    for reason in reasons:
        value, shap = reason["value"], reason["shap"]
        written = f"{value:.4g}".replace("-", "−") if isinstance(value, int | float) else "missing"
        name = name_feature(str(reason["feature"]))
        whole = reason["feature"] == "embedding"  # which has many values, and none to show
        steps.append((name if whole else f"{name} = {written}", float(str(shap))))
    steps.sort(key=lambda step: (-abs(step[1]), step[0]))
    rest = steps[most:]
    return steps[:most] + ([(f"{len(rest)} other predictors", sum(v for _, v in rest))] if rest else [])


def _bar(area: Panel, edges: tuple[float, float], *, y: float, label: str, shap: float) -> str:
    """Draw one step as an arrow-shaped bar, so that its direction shows without colour."""
    start, end = area.x(edges[0]), area.x(edges[1])
    tip = max(-6.0, min(6.0, end - start))
    shape = f"M{start:.2f} {y:.2f}H{end - tip:.2f}L{end:.2f} {y + 8:.2f}L{end - tip:.2f} {y + 16:.2f}H{start:.2f}z"
    side = 1 if shap >= 0 else -1
    at = (end + 5 * side, y + 12)
    sign = "+" if shap >= 0 else ""
    style: Attributes = {"font-size": 11.5, "fill": INK, "text-anchor": "start" if side > 0 else "end"}
    name = wrap(label, 40)[0] if len(label) <= 40 else label[:39] + "…"
    return (
        text((_NAMES - 10, y + 12), name, {**LABEL, "text-anchor": "end"})
        + element("path", {"d": shape, "fill": UP if shap >= 0 else DOWN})
        + text(at, f"{sign}{write_number(shap)}", style)
    )
