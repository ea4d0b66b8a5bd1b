"""Fiducials and intervals under an ECG: where waves begin and end, and how long they last."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from twelvelead.report.ecg_caption import text_width
from twelvelead.report.ecg_sheet import Cell, Paper
from twelvelead.report.svg import INK, Attributes, Point, line, path, text
from twelvelead.report.wording import write_number

BAND_MM = 20.0
"""Room under the last row's trace."""

_LANE_MM = 4.0
# Okabe and Ito's colours, each with its own dashes and letter.
_WAVES = (
    ("p", ("P", "#0072B2", "0.5 0.7")),
    ("qrs", ("QRS", "#000", "1.6 0.7")),
    ("t", ("T", "#D55E00", "0.5 0.7 1.6 0.7")),
)
_INTERVALS = (
    ("PR", "p_onset_s", "qrs_onset_s", "pr_interval_ms"),
    ("QRS", "qrs_onset_s", "qrs_offset_s", "qrs_duration_ms"),
    ("QT", "qrs_onset_s", "t_offset_s", "qt_interval_ms"),
)
_LABEL: Attributes = {"font-size": 2.6, "font-weight": "600", "fill": INK, "stroke-width": 0.7, "paint-order": "stroke"}


class Band(NamedTuple):
    """Where the marks go: under the cells of the last row.

    Parameters
    ----------
    cells : sequence of Cell
        Of the last row.
    baseline, top : float
        The row's line, and where its trace leaves off; mm from the upper edge.
    right : float
        The paper's right edge, mm.
    colour : str
        Of the paper, for the halo of letters.
    """

    cells: Sequence[Cell]
    baseline: float
    top: float
    right: float
    colour: str


def draw_marks(fiducials: pl.DataFrame, band: Band, paper: Paper, *, measurements: Mapping[str, object]) -> str:
    """Draw onset and offset of P, QRS and T of every beat, and PR, QRS and QT of one with their durations.

    Parameters
    ----------
    fiducials : DataFrame keeping `terms.FIDUCIALS`
        Its rows of `global`.
    band : Band
        Where.
    paper : Paper
        Its speed.
    measurements : mapping of str to float
        The beat whose intervals are drawn is that of the commonest shape that comes closest to these.

    Returns
    -------
    str
        Markup. The lines go up to the trace, so they belong under it; a wave that begins in one cell and ends in
        another has none.
    """
    beats = fiducials.filter(pl.col("lead") == "global").sort("beat")
    parts: list[str] = []
    taken: list[tuple[float, float]] = []
    for wave, style in _WAVES:
        parts += _draw_wave(beats, wave, band, paper, style=style, taken=taken)
    chosen = _choose_beat(beats, band.cells, measurements)
    if chosen is not None:
        parts += _draw_intervals(*chosen, band=band, paper=paper)
    return "".join(parts)


def _draw_wave(
    beats: pl.DataFrame,
    wave: str,
    band: Band,
    paper: Paper,
    *,
    style: tuple[str, str, str],
    taken: list[tuple[float, float]],
) -> list[str]:
    """Draw a bar from onset to offset of every beat, dashed lines up from its ends, and the wave's letter once.

    The letter stands under the first beat where it meets none of those that have `taken` a place.
    """
    letter, colour, dashes = style
    y = band.top + 2.0
    label: Attributes = {**_LABEL, "font-size": 2.3, "stroke": band.colour, "text-anchor": "middle"}
    half = 0.5 * text_width(letter, label) + 0.3
    parts, named = [], False
    for onset, offset in beats.select(f"{wave}_onset_s", f"{wave}_offset_s").iter_rows():
        cell = _cell_of((onset, offset), band.cells)
        if cell is None:
            continue
        ends = [_x(s, cell, paper) for s in (onset, offset) if s is not None]
        tick: Attributes = {"class": f"mark-{wave}", "stroke": colour, "stroke-width": 0.25, "stroke-dasharray": dashes}
        parts += [line((x, band.baseline - 3), (x, y), tick) for x in ends]
        if len(ends) == 2:
            parts.append(line((ends[0], y), (ends[1], y), {"stroke": colour, "stroke-width": 0.9}))
            middle = sum(ends) / 2
            if not named and all(middle + half <= left or right <= middle - half for left, right in taken):
                parts.append(text((middle, y + 3.2), letter, label))
                taken.append((middle - half, middle + half))
                named = True
    return parts


def _draw_intervals(beat: Mapping[str, float | None], cell: Cell, *, band: Band, paper: Paper) -> list[str]:
    """Draw one bracket above another, each with its name and duration beside it."""
    parts = []
    for lane, (name, first, last, _) in enumerate(_INTERVALS):
        begin, end = beat[first], beat[last]
        if begin is None or end is None:
            continue
        left, right = _x(begin, cell, paper), _x(end, cell, paper)
        y = band.top + 8.0 + lane * _LANE_MM
        ends: list[Point] = [(left, y - 1.2), (left, y), (right, y), (right, y - 1.2)]
        parts.append(path(ends, {"class": "interval", "stroke": INK, "stroke-width": 0.35}))
        content = f"{name} {write_number(1000 * (end - begin), 0)} ms"
        beside = right + 1 + text_width(content, _LABEL) <= band.right
        style = {**_LABEL, "stroke": band.colour, "text-anchor": "start" if beside else "end"}
        parts.append(text((right + 1 if beside else left - 1, y + 0.2), content, style))
    return parts


def _choose_beat(
    beats: pl.DataFrame, cells: Sequence[Cell], measurements: Mapping[str, object]
) -> tuple[dict[str, float | None], Cell] | None:
    """Choose the beat that stands for the others: of the commonest kind, whole, nearest to what was measured."""
    found: list[tuple[tuple[bool, int, float], dict[str, float | None], Cell]] = []
    for beat in beats.iter_rows(named=True):
        ends = [beat[name] for _, first, last, _ in _INTERVALS for name in (first, last)]
        cell = _cell_of(ends, cells)
        if cell is not None:
            absent = sum(end is None for end in ends)
            found.append(((beat["kind"] != "dominant", absent, _distance(beat, measurements)), beat, cell))
    if not found:
        return None
    _, beat, cell = min(found, key=lambda candidate: candidate[0])
    return beat, cell


def _distance(beat: Mapping[str, float | None], measurements: Mapping[str, object]) -> float:
    """Add up how far a beat's intervals are from the measured ones, ms."""
    total = 0.0
    for _, first, last, name in _INTERVALS:
        begin, end, measured = beat[first], beat[last], measurements.get(name)
        if begin is not None and end is not None and isinstance(measured, int | float):
            total += abs(1000 * (end - begin) - measured)
    return total


def _cell_of(times: Sequence[float | None], cells: Sequence[Cell]) -> Cell | None:
    """Find the cell that shows all of some times; None if there is none, or no time."""
    known = [time for time in times if time is not None]
    if not known:
        return None
    for cell in cells:
        if cell.begin_s <= min(known) and max(known) <= cell.begin_s + cell.length_s:
            return cell
    return None


def _x(time: float, cell: Cell, paper: Paper) -> float:
    return cell.left_mm + paper.speed * (time - cell.begin_s)
