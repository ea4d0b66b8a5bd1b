"""Participant flow: boxes downwards, what was taken away at the side."""

import polars as pl

from twelvelead.report.svg import INK, MUTED, Attributes, document, element, line, path, text, wrap
from twelvelead.report.wording import first_capital, write_number
from twelvelead.terms import FLOW

_BOX, _SIDE, _GAP = 285.0, 190.0, 34.0
_LINE = 16.0


def draw_flow(flow: pl.DataFrame, *, subject: str) -> str:
    """Draw how many recordings and patients were left after each requirement, and how many each took away.

    Parameters
    ----------
    flow : DataFrame keeping `terms.FLOW`
        One row per requirement.
    subject : str
        Which database.

    Returns
    -------
    str
        One SVG document.
    """
    FLOW.check(flow)
    parts: list[str] = []
    y, described = 8.0, []
    for i, (step, n_recordings, n_patients, excluded) in enumerate(flow.select(*FLOW.schema).iter_rows()):
        counts = f"{_count(n_recordings)} recordings, {_count(n_patients)} patients"
        lines = [*wrap(first_capital(step), 40), counts]
        height = _LINE * len(lines) + 14
        if i:
            parts.append(_arrow(y, y + _GAP))
            if excluded:
                parts.append(_aside(y + _GAP / 2, f"excluded: {_count(excluded)} recordings"))
            y += _GAP
        box: Attributes = {"x": 1, "y": y, "width": _BOX, "height": height, "fill": "#f7f7f5", "stroke": MUTED}
        parts.append(element("rect", box))
        for k, words in enumerate(lines):
            weight = "600" if k == len(lines) - 1 else "400"
            style: Attributes = {"font-size": 12.5, "fill": INK, "text-anchor": "middle", "font-weight": weight}
            parts.append(text((1 + _BOX / 2, y + 19 + _LINE * k), words, style))
        y += height
        described.append(f"{step}: {counts}, {_count(excluded)} excluded")
    size = (_BOX + _SIDE, y + 4)
    return document(size, *parts, title=f"Participant flow, {subject}", desc="; ".join(described))


def _count(n: int) -> str:
    return write_number(float(n), 0)


def _arrow(top: float, bottom: float) -> str:
    x = 1 + _BOX / 2
    return line((x, top), (x, bottom - 5), {"stroke": MUTED}) + path(
        [(x - 4, bottom - 7), (x + 4, bottom - 7), (x, bottom)], {"fill": MUTED}
    )


def _aside(y: float, words: str) -> str:
    x, end = 1 + _BOX / 2, _BOX + 14
    return (
        line((x, y), (end - 5, y), {"stroke": MUTED})
        + path([(end - 7, y - 4), (end - 7, y + 4), (end, y)], {"fill": MUTED})
        + text((end + 5, y + 4), words, {"font-size": 12.0, "fill": INK})
    )
