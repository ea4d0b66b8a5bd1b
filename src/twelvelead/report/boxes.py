"""Where a stretch of the signal lies on our drawing of it: boxes in millimetres of the paper and in pixels."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from twelvelead.interpret.proof import Span
from twelvelead.report.ecg import Sheet
from twelvelead.report.ecg_sheet import Cell
from twelvelead.report.ecg_trace import Trace
from twelvelead.report.printing import MM_PER_INCH

_AROUND_MM = 1.0
_LEAST_MM = 4.0


class _Place(NamedTuple):
    """A lead's stretch on the sheet, its trace and the height of its line."""

    cell: Cell
    trace: Trace
    line: float


class Box(NamedTuple):
    """A rectangle on the sheet, mm from its upper left corner.

    Parameters
    ----------
    lead : str or None
        Whose trace it is drawn around; None if around those of several.
    left, top, right, bottom : float
        Its edges.
    """

    lead: str | None
    left: float
    top: float
    right: float
    bottom: float

    def pixels(self, dpi: float) -> tuple[int, int, int, int]:
        """Give x and y of the upper left and of the lower right corner in a picture of so many pixels per inch.

        Examples
        --------
        >>> Box("II", 25.4, 50.8, 38.1, 63.5).pixels(100)
        (100, 200, 150, 250)
        """
        scale = dpi / MM_PER_INCH
        left, top = math.floor(self.left * scale + 1e-9), math.floor(self.top * scale + 1e-9)
        return left, top, math.ceil(self.right * scale - 1e-9), math.ceil(self.bottom * scale - 1e-9)


def find_boxes(span: Span, sheet: Sheet) -> tuple[Box, ...]:
    """Find a stretch of the signal on the sheet.

    Parameters
    ----------
    span : Span
        From and to in s, and the lead.
    sheet : Sheet
        As `lay_out` gives it for the recording; `draw_ecg` draws the same.

    Returns
    -------
    tuple of Box
        One for each time that the lead stands on the sheet; for all leads together one for each column, around all
        traces in it. Nothing where the sheet shows another time. x is exact; up and down the box holds the trace and
        1 mm around it.
    """
    if span.lead is not None:
        return tuple(box for place in _shown(sheet, span.lead) if (box := _box(span, place, sheet)) is not None)
    columns: dict[tuple[float, float], list[Box]] = {}
    for place in _shown(sheet, None):
        box = _box(span, place, sheet)
        if box is not None:
            columns.setdefault((box.left, box.right), []).append(box)
    return tuple(
        Box(None, left, min(box.top for box in column), right, max(box.bottom for box in column))
        for (left, right), column in columns.items()
    )


def _shown(sheet: Sheet, lead: str | None) -> Iterator[_Place]:
    """Go through the cells of one lead, or of all, that have a trace."""
    for row, traces, line in zip(sheet.rows, sheet.traces, sheet.baselines, strict=True):
        for cell, trace in zip(row, traces, strict=True):
            if trace.size and lead in (None, cell.lead):
                yield _Place(cell, trace, line)


def _box(span: Span, place: _Place, sheet: Sheet) -> Box | None:
    """Draw a box around a stretch of one trace; None where it is not shown."""
    cell, trace, line = place
    start, end = max(span.start_s, cell.begin_s), min(span.end_s, cell.begin_s + cell.length_s)
    if start > end or (start == end and span.start_s < span.end_s):
        return None
    left, right = (cell.left_mm + sheet.paper.speed * (time - cell.begin_s) for time in (start, end))
    first, last = np.searchsorted(trace[0], (left - 1e-9, right + 1e-9))
    y = trace[1, max(first - 1, 0) : last + 1]
    y = y[np.isfinite(y)]
    high, low = (float(y.max()), float(y.min())) if y.size else (0.0, 0.0)
    more = _AROUND_MM + max(0.0, _LEAST_MM - 2 * _AROUND_MM - (high - low)) / 2
    top, bottom = (min(max(edge, sheet.top), sheet.bottom) for edge in (line - high - more, line - low + more))
    return Box(cell.lead, left, top, right, bottom)
