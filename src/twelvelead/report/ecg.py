"""An ECG on paper: true millimetres, at 25 or 50 mm/s and 5, 10 or 20 mm/mV."""

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl

from twelvelead.report.ecg_caption import Caption, draw_foot, draw_head, list_faults, sentence, text_width
from twelvelead.report.ecg_marks import BAND_MM, Band, draw_marks
from twelvelead.report.ecg_sheet import Cell, Paper, arrange, has_signal, shown_s, up_to_five
from twelvelead.report.ecg_trace import Trace, choose_tolerance, space_rows, trace_lead, unbroken, write_path
from twelvelead.report.svg import Attributes, Point, document, element, line, number, text
from twelvelead.signal import assess
from twelvelead.signal.recording import Recording
from twelvelead.terms import CHEST_LEADS, LEADS

_RIGHT = 5.0
_NARROWEST = 150.0  # so that the printed lines have room even above a short recording
_PAPER, _THIN, _THICK, _TRACE, _MISSING = "#fffdfb", "#f6d9d2", "#e9ada1", "#000", "#5a5a5a"
_HALO: Attributes = {
    "font-size": 3.6, "font-weight": "600", "stroke": _PAPER, "stroke-width": 0.9, "paint-order": "stroke",
}  # fmt: skip
_HEIGHTS = (-6.0, -7.5, -9.0, -4.5, -11.0, 6.5, 8.0)  # of a lead's name above (−) or below its line, in mm


class _Box(NamedTuple):
    """A rectangle of the paper, mm."""

    left: float
    top: float
    right: float
    bottom: float


def draw_ecg(
    recording: Recording,
    *,
    paper: Paper = Paper(),  # noqa: B008 - frozen
    caption: Caption = Caption(),  # noqa: B008 - frozen
    fiducials: pl.DataFrame | None = None,
    measurements: Mapping[str, object] | None = None,
    machine: Mapping[str, float] | None = None,
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
    rows = arrange(recording, paper)
    traces = [[trace_lead(recording, cell, paper) for cell in row] for row in rows]
    span = max((cell.left_mm + cell.length_s * paper.speed for row in rows for cell in row), default=0.0)
    width = max(up_to_five(span + _RIGHT), _NARROWEST)
    room = {"left": paper.left_mm, "width": width - paper.left_mm - _RIGHT}
    title = Caption(caption.title or recording.id, caption.subject)
    head, head_bottom = draw_head(title, ours, machine or {}, **room)
    top = up_to_five(head_bottom + 1)
    baselines, reach = space_rows(traces, paper, top=top) if rows else ([top + 10.0], 5.0)
    lowest = baselines[-1] + reach
    bottom = up_to_five(lowest + (BAND_MM if fiducials is not None else 6))
    cut_off = _cut_off(rows, traces, baselines, edges=(top, bottom))
    parts = [element("rect", {"width": width, "height": bottom, "fill": _PAPER}), _grid(width, top, bottom)]
    if fiducials is not None and rows:
        band = Band(rows[-1], baselines[-1], lowest, width - 1, _PAPER)
        parts.append(draw_marks(fiducials, band, paper, measurements=ours))  # under the traces, never over them
    parts.append(_draw_rows(rows, traces, baselines, paper=paper))
    told = _tell(recording, rows, cut_off)
    remarks = [_describe_sheet(recording, rows, paper, caption.filter_text), " · ".join([*told, *caption.remarks])]
    foot, height = draw_foot(remarks, top=bottom, **room)
    ground = element("rect", {"width": width, "height": height, "fill": _PAPER})
    faults = f"{'; '.join(told)}. " if told else "All leads have signal. "
    desc = f"{paper.layout} layout, {paper.scale}, {caption.filter_text}. {faults}{sentence(ours)}"
    kind = "12-lead ECG" if paper.layout != "rows" else "ECG"
    name = f"{kind} {title.title}".strip()
    return document((width, height), ground, *parts[1:], head, foot, title=name, desc=desc.strip(), unit="mm")
