"""An ECG on paper: true millimetres, at 25 or 50 mm/s and 5, 10 or 20 mm/mV."""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import polars as pl

from twelvelead.report.ecg_caption import Caption, draw_foot, draw_head, list_faults, sentence, text_width
from twelvelead.report.ecg_marks import BAND_MM, Band, draw_marks
from twelvelead.report.ecg_sheet import Cell, Paper, arrange, choose_layout, has_signal, shown_s, up_to_five
from twelvelead.report.ecg_trace import Trace, choose_tolerance, space_rows, trace_lead, unbroken, write_path
from twelvelead.report.svg import Attributes, Point, document, element, line, number, text
from twelvelead.signal.recording import Recording

_RIGHT = 5.0
_NARROWEST = 150.0  # so that the printed lines have room even above a short recording
_PAPER, _THIN, _THICK, _TRACE = "#fffdfb", "#f6d9d2", "#e9ada1", "#000"
_HALO: Attributes = {
    "font-size": 3.6, "font-weight": "600", "stroke": _PAPER, "stroke-width": 0.9, "paint-order": "stroke",
}  # fmt: skip
_PEN: Attributes = {
    "stroke": _TRACE, "stroke-width": 0.28, "stroke-linejoin": "round", "stroke-linecap": "round", "fill": "none",
}  # fmt: skip
_DASH: Attributes = {"stroke": "#5a5a5a", "stroke-width": 0.25, "stroke-dasharray": "1.5 1.5"}
_HEIGHTS = (-6.0, -7.5, -9.0, -4.5, -11.0, -13.0)  # of a lead's name, in mm from its line
_SHIFTS = (1.2, 5.0, 9.0, 13.0, 17.0, 21.0, 25.0)  # and from where its trace begins
_LONGEST_NAME = 20


class _Box(NamedTuple):
    """A rectangle of the paper, mm."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "_Box") -> bool:
        """Whether two rectangles share a point."""
        beside = self.right <= other.left or other.right <= self.left
        return not (beside or self.bottom <= other.top or other.bottom <= self.top)

    def is_crossed_by(self, trace: Trace) -> int:
        """Count the pieces of a line through points, shape (2, n), x rising, that run through the rectangle."""
        first, last = np.searchsorted(trace[0], (self.left - 0.3, self.right + 0.3))
        y = trace[1, first : last + 1]
        high, low = np.minimum(y[:-1], y[1:]), np.maximum(y[:-1], y[1:])
        return int(np.count_nonzero((high <= self.bottom + 0.3) & (low >= self.top - 0.3)))


class Sheet(NamedTuple):
    """Where everything stands on the paper, in mm from its upper left corner.

    Parameters
    ----------
    paper : Paper
        Its layout chosen.
    rows : list of list of Cell
        The leads, from top to bottom and from left to right.
    traces : list of list of Trace
        Of each of them, y upwards from its line.
    baselines : list of float
        The line of each row.
    head : str
        What is printed above.
    width, top, bottom, lowest : float
        Of the paper; the grid's edges; the lowest point of the last row.
    """

    paper: Paper
    rows: list[list[Cell]]
    traces: list[list[Trace]]
    baselines: list[float]
    head: str
    width: float
    top: float
    bottom: float
    lowest: float


def lay_out(
    recording: Recording,
    *,
    paper: Paper = Paper(),  # noqa: B008 - frozen
    caption: Caption = Caption(),  # noqa: B008 - frozen
    marked: bool = False,
    values: tuple[Mapping[str, object], Mapping[str, object]] = ({}, {}),
) -> Sheet:
    """Say where everything stands on the sheet that `draw_ecg` draws of the same.

    Parameters
    ----------
    recording, paper, caption
        As there.
    marked : bool
        Whether marks are drawn under the last row.
    values : (mapping, mapping)
        Measurements, ours and the device's.

    Raises
    ------
    InputError
        If the sheet begins outside the recording.
    """
    paper = choose_layout(recording, paper)
    rows = arrange(recording, paper)
    traces = [[trace_lead(recording, cell, paper) for cell in row] for row in rows]
    span = max(cell.left_mm + cell.length_s * paper.speed for row in rows for cell in row)
    width = max(up_to_five(span + _RIGHT), _NARROWEST)
    title = caption.title or recording.id
    room = {"left": paper.left_mm, "width": width - paper.left_mm - _RIGHT}
    head, head_bottom = draw_head(title or "ECG", caption.subject, values, **room)
    top = up_to_five(head_bottom + 1)
    baselines, reach = space_rows(traces, paper, top=top)
    lowest = baselines[-1] + reach
    bottom = up_to_five(lowest + (BAND_MM if marked else 6))
    return Sheet(paper, rows, traces, baselines, head, width, top, bottom, lowest)


def draw_ecg(
    recording: Recording,
    *,
    paper: Paper = Paper(),  # noqa: B008 - frozen
    caption: Caption = Caption(),  # noqa: B008 - frozen
    fiducials: pl.DataFrame | None = None,
    measurements: Mapping[str, object] | None = None,
    machine: Mapping[str, float] | None = None,
    above: Callable[[Sheet], str] | None = None,
) -> str:
    """Draw an ECG on millimetre paper at true scale.

    Parameters
    ----------
    recording : Recording
        What is drawn: 10 s, or what there is. Leads are found by name; an absent or empty one is drawn as "no signal".
    paper : Paper
        Layout, order of the limb leads, speed, gain and the first second.
    caption : Caption
        Whose it is and what was done to it.
    fiducials : DataFrame keeping `terms.FIDUCIALS`, optional
        The `global` marks of P, QRS and T are drawn under the last row, and the intervals of one beat with their
        durations; in s from the start of the recording.
    measurements, machine : mapping of str to float, optional
        One row of the CATALOGUE and what the device measured; rate, PR, QRS, QT, QTc and axes are printed.
    above : callable, optional
        Takes the sheet and gives markup that is drawn above everything, in mm.

    Returns
    -------
    str
        One SVG document, width and height in mm, one user unit = 1 mm.

    Raises
    ------
    InputError
        If the sheet begins outside the recording.

    Notes
    -----
    Columns follow one another in time, as on a cart's print: the second column of "3x4+1" begins 2.5 s after the first.
    Each lead is shifted so that its median lies on its line, which removes the electrode offset and nothing else. The
    trace leaves out samples that a straight line replaces within 0.02 mm (2 µV), in a noisy recording within up to 0.16
    mm, always less than the width of the pen. Where noise forbids even that, it goes through the highest and the lowest
    sample of every 0.4 mm. A deflection that leaves the grid is cut off there, which the foot of the sheet says.

    Examples
    --------
    >>> flat = Recording(np.zeros((1, 5000)), ("II",), 500, id="r1")
    >>> draw_ecg(flat)[:160].count('width="270mm"')
    1
    """
    ours = measurements or {}
    sheet = lay_out(recording, paper=paper, caption=caption, marked=fiducials is not None, values=(ours, machine or {}))
    paper, rows, traces, baselines, head, width, top, bottom, lowest = sheet
    room = {"left": paper.left_mm, "width": width - paper.left_mm - _RIGHT}
    title = caption.title or recording.id
    parts = [_grid(width, top, bottom)]
    if fiducials is not None:  # under the traces, never over them
        band = Band(rows[-1], baselines[-1], lowest, width - 1, _PAPER)
        parts.append(draw_marks(fiducials, band, paper, measurements=ours))
    parts.append(_draw_rows(rows, traces, baselines, paper=paper, edges=(top, bottom)))
    told = [*_list_empty(recording, rows), *_list_cut_off(rows, traces, baselines, edges=(top, bottom))]
    if caption.quality is not None:
        told += list_faults(caption.quality, [lead for lead in recording.leads if has_signal(recording, lead)])
    remarks = (_describe_sheet(recording, rows, paper, caption.filter_text), " · ".join([*told, *caption.remarks]))
    foot, height = draw_foot(remarks, top=bottom, **room)
    ground = element("rect", {"width": width, "height": height, "fill": _PAPER})
    scale = f"{paper.speed:g} mm per second, {paper.gain:g} mm per millivolt"
    faults = f"{'; '.join(told)}. " if told else "All leads have signal. "
    desc = f"{paper.layout} layout, {scale}, {caption.filter_text}. {faults}{sentence(ours)}".strip()
    name = f"{'ECG' if paper.layout == 'rows' else '12-lead ECG'} {title}".strip()
    over = above(sheet) if above is not None else ""
    return document((width, height), ground, *parts, head, foot, over, title=name, desc=desc, unit="mm")


def _grid(width: float, top: float, bottom: float) -> str:
    """Draw the 1 mm and 5 mm grid, thick lines on multiples of 5 mm."""
    d: dict[bool, list[str]] = {False: [], True: []}
    for x in range(int(width) + 1):
        d[x % 5 == 0].append(f"M{x} {number(top)}V{number(bottom)}")
    for y in range(int(top), int(bottom) + 1):
        d[y % 5 == 0].append(f"M0 {y}H{number(width)}")
    return "".join(
        element("path", {"class": name, "d": "".join(lines), "stroke": colour, "stroke-width": pen, "fill": "none"})
        for name, lines, colour, pen in (("mm1", d[False], _THIN, 0.1), ("mm5", d[True], _THICK, 0.2))
    )


def _draw_rows(
    rows: list[list[Cell]],
    traces: list[list[Trace]],
    baselines: list[float],
    *,
    paper: Paper,
    edges: tuple[float, float],
) -> str:
    """Draw calibration pulses, separators and traces, then the leads' names where they hide the least of them."""
    tolerance = choose_tolerance(traces)
    parts, names, drawn = [], [], []
    for row, row_traces, baseline in zip(rows, traces, baselines, strict=True):
        parts.append(_calibration(baseline, paper))
        for cell, trace in zip(row, row_traces, strict=True):
            names.append((cell, baseline))
            if cell is not row[0]:
                parts.append(_separator(cell.left_mm, baseline))
            if not trace.size:
                parts.append(_no_signal(cell, baseline, paper))
                continue
            kept = np.vstack([trace[0], np.clip(trace[1], baseline - edges[1], baseline - edges[0])])
            drawn.append(np.vstack([kept[0], baseline - kept[1]]))
            d = "".join(write_path(piece, baseline, tolerance=tolerance) for piece in unbroken(kept))
            parts.append(element("path", {"class": "trace", "data-lead": cell.lead, "d": d, **_PEN}))
    return "".join([*_draw_names(names, drawn, paper, top=edges[0]), *parts])  # no name hides a trace


def _no_signal(cell: Cell, baseline: float, paper: Paper) -> str:
    """Say where a trace should be that there is none."""
    right = cell.left_mm + cell.length_s * paper.speed
    at = (0.5 * (cell.left_mm + right), baseline - 2)
    dash = line((cell.left_mm, baseline), (right, baseline), _DASH)
    return dash + text(at, "no signal", {**_HALO, "text-anchor": "middle"})


def _separator(x: float, baseline: float) -> str:
    """Draw the two strokes between columns."""
    strokes = ((-9.0, -5.0), (5.0, 7.0))
    return "".join(line((x, baseline + a), (x, baseline + b), {"stroke-width": 0.3}) for a, b in strokes)


def _calibration(baseline: float, paper: Paper) -> str:
    """Draw the pulse of 1 mV and 0.2 s that shows the scale."""
    wide, high = 0.2 * paper.speed, paper.gain
    pulse: list[Point] = [(4, 0), (6, 0), (6, high), (6 + wide, high), (6 + wide, 0), (8 + wide, 0)]
    d = "".join(f"{'L' if i else 'M'}{number(x)} {number(baseline - y)}" for i, (x, y) in enumerate(pulse))
    return element("path", {"class": "calibration", "d": d, "stroke": _TRACE, "stroke-width": 0.3, "fill": "none"})


def _draw_names(names: list[tuple[Cell, float]], drawn: list[Trace], paper: Paper, *, top: float) -> list[str]:
    """Name each lead near its trace's beginning where no trace and no other name is, or where least of them is."""
    parts: list[str] = []
    taken: list[_Box] = []
    for cell, baseline in names:
        label = cell.label if len(cell.label) <= _LONGEST_NAME else f"{cell.label[: _LONGEST_NAME - 1]}…"
        wide = text_width(label, _HALO)
        room = cell.length_s * paper.speed - wide - 1
        places = [(cell.left_mm + dx, baseline + dy) for dx in _SHIFTS for dy in _HEIGHTS if dx == 1.2 or dx < room]
        if cell.left_mm == paper.left_mm and wide < paper.left_mm - 2:
            places.insert(len(_HEIGHTS), (1.5, baseline + 4.6))  # in the margin, under the calibration pulse
        places = [place for place in places if place[1] > top + 3.5]
        best, least = places[0], math.inf
        for x, y in places:
            box = _Box(x, y - 3.0, x + wide, y + 0.4)
            cost = 1000 * sum(map(box.meets, taken)) + sum(map(box.is_crossed_by, drawn))
            if cost < least:
                best, least = (x, y), cost
            if not cost:
                break
        taken.append(_Box(best[0], best[1] - 3.0, best[0] + wide, best[1] + 0.4))
        parts.append(text(best, label, _HALO))
    return parts


def _list_empty(recording: Recording, rows: list[list[Cell]]) -> list[str]:
    """Name the leads of the sheet, or in rows of the twelve, that are not there or hold no sample."""
    here = dict.fromkeys(cell.lead for row in rows for cell in row)
    empty = [lead for lead in here if not has_signal(recording, lead)]
    return [f"No signal in {', '.join(empty)}"] if empty else []


def _list_cut_off(
    rows: list[list[Cell]], traces: list[list[Trace]], baselines: list[float], *, edges: tuple[float, float]
) -> list[str]:
    """Name the leads that leave the grid."""
    top, bottom = edges
    leads: dict[str, None] = {}
    for row, row_traces, baseline in zip(rows, traces, baselines, strict=True):
        for cell, trace in zip(row, row_traces, strict=True):
            if trace.size and not (top <= baseline - np.nanmax(trace[1]) and baseline - np.nanmin(trace[1]) <= bottom):
                leads[cell.label] = None
    return [f"{', '.join(leads)} cut off at the edge of the grid"] if leads else []


def _describe_sheet(recording: Recording, rows: list[list[Cell]], paper: Paper, filter_text: str) -> str:
    """Say speed, gain, filter, layout, and how the columns lie in time."""
    strip = f", rhythm strip {rows[-1][0].label}" if paper.layout == "3x4+1" else ""
    said = [paper.scale, filter_text, "one row per lead" if paper.layout == "rows" else paper.layout + strip]
    if paper.cabrera:
        said.append("Cabrera order")
    shown = shown_s(recording, paper)
    if paper.start_s > 0 or shown < recording.duration - 0.05:
        said.append(f"{shown:.4g} s from {paper.start_s:g} s of {recording.duration:.6g} s")
    return f"{' · '.join(said)}{_describe_columns(rows[0])}"


def _describe_columns(row: list[Cell]) -> str:
    if len(row) == 1:
        return ""
    step = row[1].begin_s - row[0].begin_s
    if step >= row[0].length_s - 1e-9:
        return "; columns follow one another in time"
    return "; columns overlap in time" if step > 0 else "; columns show the same time"
