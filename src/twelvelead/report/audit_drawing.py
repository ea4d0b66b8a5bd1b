"""The drawings of an audit: the frontier of risk against use, and the share picked out in galleries of any size."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import polars as pl

from twelvelead.report.axes import SMALL, Panel, Style, choose_ticks, draw_axes, draw_legend
from twelvelead.report.svg import INK, MUTED, Attributes, Point, document, line, marker, path, text

SIGNALS = Style("#0072B2", "", "circle")
NUMBERS = Style("#B34700", "2 3", "square")
_FRONTIER = "#007A59"
_SIZE = (720.0, 476.0)
_LABEL = (13.0, 11.0)  # room that a number takes, px
_AROUND: tuple[Point, ...] = ((6, -4), (6, 11), (-17, -4), (-17, 11), (-4, -9), (-4, 18))


def draw_frontier(what_ifs: pl.DataFrame, *, numbers: Mapping[str, int]) -> str:
    """Draw every what-if: how many people are picked out, against how many findings are kept.

    Parameters
    ----------
    what_ifs : DataFrame keeping `terms.WHAT_IFS`
        Those without a risk or a use are left out.
    numbers : mapping of what-if to int
        By which the table calls them.

    Returns
    -------
    str
        One SVG document. Signals are circles, numbers squares; the line joins those that no other one beats.
    """
    rows = what_ifs.drop_nulls(["risk", "kept"]).to_dicts()
    low = min([0.0, *(row["kept_lower"] or row["kept"] for row in rows)])
    panel = Panel((-0.02, 1.02), (math.floor(low * 5) / 5 - 0.02, 1.04), left=58, top=14, width=640, height=380)
    parts = [
        draw_axes(
            panel,
            x_title="share of people picked out by the strongest attack",
            y_title="findings kept (κ)",
            x_ticks=choose_ticks(0, 1),
            y_ticks=choose_ticks(math.floor(low * 5) / 5, 1),
        ),
        text((panel.left + 8, panel.top + 16), "safe and useful", {**SMALL, "font-style": "italic"}),
    ]
    for row in rows:
        parts += _limits(panel, row)
    best = sorted(((row["risk"], row["kept"]) for row in rows if row["pareto"]), key=lambda point: point)
    corners = [best[:1], *([(after[0], before[1]), after] for before, after in pairwise(best))]
    parts.append(path([panel.at(*p) for turn in corners for p in turn], {"stroke": _FRONTIER, "stroke-width": 1.4}))
    parts += [marker(panel.at(row["risk"], row["kept"]), _look(row).marker, _look(row).colour) for row in rows]
    parts += _labels(panel, rows, numbers)
    entries = [("signals given away", SIGNALS), ("only numbers given away", NUMBERS)]
    parts.append(draw_legend(entries, (58, 452), with_line=False))
    chance = max((1 / row["gallery"] for row in rows if row["gallery"]), default=0.0)
    foot: Attributes = {"stroke": MUTED, "stroke-width": 0.8, "stroke-dasharray": "1 3"}
    parts.append(line(panel.at(chance, panel.y_range[0]), panel.at(chance, panel.y_range[1]), foot))
    parts.append(text((300, 452), "Thin lines: 95 % limits. Dotted: chance. Green: not beaten by any other.", SMALL))
    told = "; ".join(f"{row['title']}: {row['risk']:.2f} picked out, kappa {row['kept']:.2f}" for row in rows)
    return document(_SIZE, *parts, title="Risk against use", desc=f"Each what-if. {told}.")


def _look(row: Mapping[str, Any]) -> Style:
    return SIGNALS if row["gives"] == "signals" else NUMBERS


def _limits(panel: Panel, row: Mapping[str, Any]) -> list[str]:
    """Draw both intervals as thin lines."""
    pen: Attributes = {"stroke": _look(row).colour, "stroke-width": 0.8, "stroke-opacity": 0.45}
    parts = []
    if row["risk_lower"] is not None and row["risk_upper"] is not None:
        parts.append(line(panel.at(row["risk_lower"], row["kept"]), panel.at(row["risk_upper"], row["kept"]), pen))
    if row["kept_lower"] is not None and row["kept_upper"] is not None:
        parts.append(line(panel.at(row["risk"], row["kept_lower"]), panel.at(row["risk"], row["kept_upper"]), pen))
    return parts


def _labels(panel: Panel, rows: Sequence[Mapping[str, Any]], numbers: Mapping[str, int]) -> list[str]:
    """Write each point's number where there is room beside it; those of the frontier first."""
    taken = [panel.at(row["risk"], row["kept"]) for row in rows]
    taken = [(x - 4, y + 4) for x, y in taken]
    parts = []
    for row in sorted(rows, key=lambda row: not row["pareto"]):
        x, y = panel.at(row["risk"], row["kept"])
        free = next((p for dx, dy in _AROUND if _is_free(p := (x + dx, y + dy), taken)), None)
        if free is not None:
            taken.append(free)
            look: Attributes = {"font-size": 10.5, "fill": INK, "font-weight": "600" if row["pareto"] else "400"}
            parts.append(text(free, numbers[row["what_if"]], look))
    return parts


def _is_free(at: Point, taken: Sequence[Point]) -> bool:
    return all(abs(at[0] - x) > _LABEL[0] or abs(at[1] - y) > _LABEL[1] for x, y in taken)


def draw_gallery(gallery: pl.DataFrame) -> str:
    """Draw the share picked out against the number of people enrolled; what is extrapolated is dashed.

    Parameters
    ----------
    gallery : DataFrame keeping `terms.AUDIT_GALLERY`
        With at least one row that is not extrapolated.
    """
    rows = [(math.log10(g), share, far) for g, share, far in gallery.sort("gallery").iter_rows()]
    top = math.ceil(rows[-1][0])
    panel = Panel((0, top), (0, 1.02), left=58, top=14, width=320, height=230)
    pen: Attributes = {"stroke": SIGNALS.colour, "stroke-width": 1.8}
    seen = [panel.at(x, y) for x, y, far in rows if not far]
    beyond = [seen[-1], *(panel.at(x, y) for x, y, far in rows if far)]
    parts = [
        draw_axes(panel, x_title="people enrolled", y_title="share picked out", x_ticks=[], y_ticks=choose_ticks(0, 1)),
        *(
            text((panel.x(k), panel.top + panel.height + 16), f"{10**k:,}".replace(",", "\u202f"),
                 {**SMALL, "text-anchor": "middle"})
            for k in range(top + 1)
        ),
        path(seen, pen),
        path(beyond, {**pen, "stroke-dasharray": "4 4"}),
        *(marker(point, "circle", SIGNALS.colour) for point in seen),
    ]  # fmt: skip
    told = "; ".join(f"{share:.2f} among {round(10**x)}{' (extrapolated)' if far else ''}" for x, share, far in rows)
    return document((400, 290), *parts, title="Share picked out by gallery size", desc=told)


def draw_cmc(cmc: pl.DataFrame, *, most: int = 20) -> str:
    """Draw the cumulative match characteristic: the share of people among the first names, for up to `most` names."""
    rows = cmc.sort("rank").head(most).select("rank", "share").rows()
    panel = Panel((0.5, rows[-1][0] + 0.5), (0, 1.02), left=58, top=14, width=320, height=230)
    n = cmc.height
    parts = [
        draw_axes(
            panel,
            x_title="names allowed",
            y_title="share found",
            x_ticks=[tick for tick in choose_ticks(1, rows[-1][0]) if tick >= 1 and tick == int(tick)],
            y_ticks=choose_ticks(0, 1),
        ),
        path([panel.at(rank, rank / n) for rank, _ in rows], {"stroke": MUTED, "stroke-dasharray": "1 3"}),
        path([panel.at(*row) for row in rows], {"stroke": SIGNALS.colour, "stroke-width": 1.8}),
        *(marker(panel.at(*row), "circle", SIGNALS.colour) for row in rows),
    ]
    told = "; ".join(f"{share:.2f} within {rank}" for rank, share in rows)
    return document((400, 290), *parts, title="Cumulative match characteristic", desc=f"{told}. Dotted: chance.")
