"""An ECG on paper: true millimetres, 25 mm/s and 10 mm/mV."""

import math
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.report.svg import Attributes, Point, document, element, line, number, text
from twelvelead.report.wording import write_number
from twelvelead.signal.recording import Recording
from twelvelead.terms import LEADS, InputError

MM_PER_S = 25.0
MM_PER_MV = 10.0
PAGE_S = 10.0

_SIX = (("I", "V1"), ("II", "V2"), ("III", "V3"), ("aVR", "V4"), ("aVL", "V5"), ("aVF", "V6"))
_THREE = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"))
LAYOUTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "3x4+1": (*_THREE, ("II",)),
    "6x2": _SIX,
    "12x1": tuple((lead,) for lead in LEADS),
}
"""Leads of each row from left to right; a row's columns follow one another in time and share the 10 s."""

_LEFT, _RIGHT, _HEAD, _FOOT = 15.0, 5.0, 15.0, 10.0
_MAX_POINTS = 16_000
_COLUMN_MM = 0.4
_REACH_MM = 35.0  # a row makes room for deflections up to 3.5 mV; beyond that neighbours may touch
_PAPER, _THIN, _THICK, _TRACE = "#fffdfb", "#f6d9d2", "#e9ada1", "#000"
_MARKS = (("p", "P", "#0072B2"), ("qrs", "QRS", "#1a1a1a"), ("t", "T", "#B34700"))
_PRINTED = (
    ("heart_rate_bpm", "Rate", "/min"),
    ("pr_interval_ms", "PR", "ms"),
    ("qrs_duration_ms", "QRS", "ms"),
    ("qt_interval_ms", "QT", "ms"),
    ("qtc_fridericia_ms", "QTc (Fridericia)", "ms"),
    ("p_axis_deg", "P axis", "°"),
    ("qrs_axis_deg", "QRS axis", "°"),
    ("t_axis_deg", "T axis", "°"),
)


def draw_ecg(
    recording: Recording,
    *,
    fiducials: pl.DataFrame | None = None,
    measurements: Mapping[str, object] | None = None,
    layout: str = "3x4+1",
    start_s: float = 0.0,
    filter_text: str = "no filter applied",
) -> str:
    """Draw a 12-lead ECG on millimetre paper at true scale.

    Parameters
    ----------
    recording : Recording
        What is drawn: 10 s from `start_s`. Leads are found by name; an absent or empty one is drawn as "no signal".
    fiducials : DataFrame keeping `terms.FIDUCIALS`, optional
        The `global` marks of P, QRS and T are drawn under the last row, in s from the start of the recording.
    measurements : mapping, optional
        One row of the CATALOGUE; rate, PR, QRS, QT, QTc and axes are printed where it has them.
    layout : {"3x4+1", "6x2", "12x1"}
        Rows × columns; "+1" is the rhythm strip, lead II over the whole 10 s.
    start_s : float
        First second drawn.
    filter_text : str
        What was done to the trace before, printed beside speed and gain.

    Returns
    -------
    str
        One SVG document, width and height in mm, one user unit = 1 mm.

    Raises
    ------
    InputError
        If the layout is unknown or `start_s` lies outside the recording.

    Notes
    -----
    Columns follow one another in time, as on a cart's print: the second column of "3x4+1" begins 2.5 s after the first.
    Each lead is shifted so that its median lies on its line, which removes the electrode offset and nothing else. The
    trace leaves out samples that a straight line replaces within 0.02 mm (2 µV), in a noisy recording within up to 0.16
    mm, always less than the width of the pen. Where noise forbids even that, it goes through the highest and the lowest
    sample of every 0.4 mm.

    Examples
    --------
    >>> flat = Recording(np.zeros((1, 5000)), ("II",), 500, id="r1")
    >>> draw_ecg(flat)[:160].count('width="270mm"')
    1
    """
    rows = LAYOUTS.get(layout)
    if rows is None:
        msg = f"layout must be one of {', '.join(LAYOUTS)}; got {layout!r} in recording {recording.id!r}. Choose one."
        raise InputError(msg)
    if not 0 <= start_s < max(recording.duration, 1e-9):
        msg = (
            f"start_s must lie within the recording; got {start_s:g} s of {recording.duration:g} s in recording "
            f"{recording.id!r}. Start earlier."
        )
        raise InputError(msg)
    traces = [
        [_trace(recording, lead, _window(row, column, start_s)) for column, lead in enumerate(row)] for row in rows
    ]
    baselines, bottom = _space_rows(traces)
    tolerance = _tolerance(traces)
    width, height = _LEFT + PAGE_S * MM_PER_S + _RIGHT, bottom + _FOOT
    parts = [_grid(width, bottom)]
    for row, row_traces, baseline in zip(rows, traces, baselines, strict=True):
        parts.append(_row(row, row_traces, baseline=baseline, tolerance=tolerance))
    # The marks lie in their own band under the last row, so that they never hide a trace.
    if fiducials is not None:
        parts.append(_marks(fiducials, baseline=baselines[-1], bottom=bottom, start_s=start_s))
    parts.append(_print(recording, measurements or {}, filter_text=filter_text, bottom=bottom, layout=layout))
    empty = [lead for lead in dict.fromkeys(sum(rows, ())) if not _has_signal(recording, lead)]
    desc = (
        f"{layout} layout, 25 mm per second, 10 mm per millivolt, {filter_text}. "
        + (f"No signal in {', '.join(empty)}. " if empty else "All leads have signal. ")
        + _sentence(measurements or {})
    )
    paper = element("rect", {"width": width, "height": height, "fill": _PAPER})
    title = f"12-lead ECG {recording.id}".strip()
    return document((width, height), paper, *parts, title=title, desc=desc.strip(), unit="mm")


def _window(row: tuple[str, ...], column: int, start_s: float) -> tuple[float, float, float]:
    """Return where a column begins in the recording and on the paper, and how long it is, in s."""
    length = PAGE_S / len(row)
    return start_s + column * length, column * length, length


def _has_signal(recording: Recording, lead: str) -> bool:
    return lead in recording.leads and bool(np.isfinite(recording[lead]).any())


def _trace(recording: Recording, lead: str, window: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return one lead's stretch in mm, shape (2, n): x from the left edge, y upwards from its line; n may be 0."""
    begin, left, length = window
    if lead not in recording.leads:
        return np.empty((2, 0))
    first, last = round(begin * recording.fs), round((begin + length) * recording.fs)
    y = recording[lead].astype(np.float64)
    if not np.isfinite(y[first:last]).any():
        return np.empty((2, 0))
    y = y - np.nanmedian(np.where(np.isfinite(y), y, np.nan))
    # One sample more than the stretch, so that it reaches its right edge.
    seconds = np.arange(first, min(last + 1, y.size)) / recording.fs - begin + left
    return np.vstack([_LEFT + MM_PER_S * seconds, MM_PER_MV * y[first : last + 1]])


def _space_rows(traces: list[list[NDArray[np.float64]]]) -> tuple[list[float], float]:
    """Place each row's line on a thick grid line, as far from its neighbours as their deflections need, in mm."""
    reach = [
        (
            min(max((float(np.nanmax(t[1])) for t in row if t.size), default=5.0), _REACH_MM),
            min(max((-float(np.nanmin(t[1])) for t in row if t.size), default=5.0), _REACH_MM),
        )
        for row in traces
    ]
    baselines = [_HEAD + _up_to_five(max(reach[0][0], 7.5) + 2)]
    for (_, below), (above, _) in pairwise(reach):
        baselines.append(baselines[-1] + max(20.0 if len(traces) < 12 else 15.0, _up_to_five(below + above + 1)))
    return baselines, baselines[-1] + _up_to_five(max(reach[-1][1], 5.0) + 6)


def _up_to_five(mm: float) -> float:
    return 5.0 * math.ceil(mm / 5.0)


def _tolerance(traces: list[list[NDArray[np.float64]]]) -> float | None:
    """Find the smallest tolerance in mm, from 0.02 up, that keeps the drawing small; None where noise forbids any."""
    pieces = [piece for row in traces for trace in row for piece in _unbroken(trace)]
    for tolerance in (0.02, 0.04, 0.08, 0.16):
        if sum(len(simplify(piece, tolerance)) for piece in pieces) <= _MAX_POINTS:
            return tolerance
    return None


def _unbroken(trace: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Split a trace where samples are missing."""
    finite = np.isfinite(trace[1])
    edges = np.flatnonzero(np.diff(finite)) + 1
    pieces = np.split(trace, edges, axis=1)
    return [piece for piece in pieces if piece.shape[1] and np.isfinite(piece[1, 0])]


def simplify(trace: NDArray[np.float64], tolerance: float) -> list[int]:
    """Choose the samples that a line must go through to stay within `tolerance` of all of them.

    Parameters
    ----------
    trace : ndarray, shape (2, n)
        x, rising, and y.
    tolerance : float
        Largest vertical distance, in the unit of y.

    Returns
    -------
    list of int
        Indices into the trace, first and last included.

    Examples
    --------
    >>> simplify(np.array([[0.0, 1, 2, 3, 4], [0.0, 1, 2, 1, 0]]), 0.01)
    [0, 2, 4]
    """
    x, y = trace.tolist()
    kept, anchor = [0], 0
    low, high = -math.inf, math.inf
    for i in range(1, len(x)):
        rise, run = y[i] - y[anchor], x[i] - x[anchor]
        if not low <= rise / run <= high:
            anchor = i - 1
            kept.append(anchor)
            low, high = -math.inf, math.inf
            rise, run = y[i] - y[anchor], x[i] - x[anchor]
        low, high = max(low, (rise - tolerance) / run), min(high, (rise + tolerance) / run)
    return kept if len(x) == 1 else [*kept, len(x) - 1]


def envelope(trace: NDArray[np.float64], width: float) -> list[int]:
    """Choose the highest and the lowest sample of every column of the paper.

    Parameters
    ----------
    trace : ndarray, shape (2, n)
        x, rising, and y.
    width : float
        Width of a column, in the unit of x.

    Returns
    -------
    list of int
        Indices into the trace, rising; no peak is lost.

    Examples
    --------
    >>> envelope(np.array([[0.0, 1, 2, 3, 4, 5], [0.0, 5, 1, 2, 1, -3]]), 3)
    [0, 1, 3, 5]
    """
    column = np.floor(trace[0] / width).astype(int)
    starts = np.flatnonzero(np.diff(column, prepend=column[0] - 1))
    kept: set[int] = set()
    for begin, end in zip(starts, np.append(starts[1:], column.size), strict=True):
        kept |= {int(begin + trace[1, begin:end].argmin()), int(begin + trace[1, begin:end].argmax())}
    return sorted(kept)


def _grid(width: float, bottom: float) -> str:
    """Draw the 1 mm and 5 mm grid, thick lines on multiples of 5 mm."""
    d: dict[bool, list[str]] = {False: [], True: []}
    for x in range(int(width) + 1):
        d[x % 5 == 0].append(f"M{x} {number(_HEAD)}V{number(bottom)}")
    for y in range(int(_HEAD), int(bottom) + 1):
        d[y % 5 == 0].append(f"M0 {y}H{number(width)}")
    return "".join(
        element("path", {"class": name, "d": "".join(lines), "stroke": colour, "stroke-width": pen, "fill": "none"})
        for name, lines, colour, pen in (("mm1", d[False], _THIN, 0.1), ("mm5", d[True], _THICK, 0.2))
    )


def _row(row: tuple[str, ...], traces: list[NDArray[np.float64]], *, baseline: float, tolerance: float | None) -> str:
    """Draw one row: calibration pulse, labels, separators and traces."""
    pulse: list[Point] = [(4, 0), (6, 0), (6, 10), (11, 10), (11, 0), (13, 0)]
    d = "".join(f"{'L' if i else 'M'}{number(x)} {number(baseline - y)}" for i, (x, y) in enumerate(pulse))
    parts = [element("path", {"class": "calibration", "d": d, "stroke": _TRACE, "stroke-width": 0.3, "fill": "none"})]
    span = PAGE_S * MM_PER_S / len(row)
    halo: Attributes = {
        "font-size": 3.6,
        "font-weight": "600",
        "stroke": _PAPER,
        "stroke-width": 0.9,
        "paint-order": "stroke",
    }
    for column, (lead, trace) in enumerate(zip(row, traces, strict=True)):
        left = _LEFT + column * span
        if trace.size:
            d = "".join(_path_data(piece, baseline, tolerance) for piece in _unbroken(trace))
            pen: Attributes = {"stroke": _TRACE, "stroke-width": 0.28, "stroke-linejoin": "round", "fill": "none"}
            parts.append(element("path", {"class": "trace", "data-lead": lead, "d": d, **pen}))
        else:
            dash: Attributes = {"stroke": "#5a5a5a", "stroke-width": 0.25, "stroke-dasharray": "1.5 1.5"}
            parts.append(line((left, baseline), (left + span, baseline), dash))
            parts.append(text((left + span / 2, baseline - 2), "no signal", {**halo, "text-anchor": "middle"}))
        if column:
            parts.append(line((left, baseline - 9), (left, baseline - 5), {"stroke-width": 0.3}))
            parts.append(line((left, baseline + 5), (left, baseline + 7), {"stroke-width": 0.3}))
        parts.append(text((left + 1.2, baseline - 6), lead, halo))
    return "".join(parts)


def _path_data(piece: NDArray[np.float64], baseline: float, tolerance: float | None) -> str:
    kept = simplify(piece, tolerance) if tolerance is not None else envelope(piece, _COLUMN_MM)
    if len(kept) == 1:
        return f"M{number(piece[0, 0])} {number(baseline - piece[1, 0])}h0"
    points = zip(piece[0, kept].tolist(), piece[1, kept].tolist(), strict=True)
    return "".join(f"{'L' if i else 'M'}{x:.2f} {baseline - y:.2f}" for i, (x, y) in enumerate(points))


def _marks(fiducials: pl.DataFrame, *, baseline: float, bottom: float, start_s: float) -> str:
    """Draw onset and offset of P, QRS and T: a bar with two ends under the last row, its letter on the first beats."""
    parts = []
    height = bottom - 2.5
    beats = fiducials.filter(pl.col("lead") == "global").sort("beat")
    for wave, label, colour in _MARKS:
        named = False
        for onset, offset in beats.select(f"{wave}_onset_s", f"{wave}_offset_s").iter_rows():
            ends = [_LEFT + MM_PER_S * (s - start_s) for s in (onset, offset) if s is not None]
            if not ends or min(ends) < _LEFT or max(ends) > _LEFT + PAGE_S * MM_PER_S:
                continue
            pen: Attributes = {"stroke": colour, "stroke-width": 0.3}
            tick: Attributes = {"class": f"mark-{wave}", **pen}
            parts += [line((x, baseline + 1.5), (x, height), {**tick, "stroke-dasharray": "0.5 0.7"}) for x in ends]
            if len(ends) == 2:
                parts.append(line((ends[0], height), (ends[1], height), {"stroke": colour, "stroke-width": 0.8}))
                if not named:
                    anchor = {"p": "end", "qrs": "start", "t": "middle"}[wave]
                    at = ({"p": ends[1], "qrs": ends[0], "t": sum(ends) / 2}[wave], height + 2.3)
                    style: Attributes = {"font-size": 2.4, "font-weight": "600", "fill": colour, "text-anchor": anchor}
                    parts.append(text(at, label, style))
                    named = True
    return "".join(parts)


def _print(
    recording: Recording, measurements: Mapping[str, object], *, filter_text: str, bottom: float, layout: str
) -> str:
    """Print what the sheet must say: recording, measured values, speed, gain, filter and layout."""
    small: Attributes = {"font-size": 3.2, "fill": "#1a1a1a"}
    rhythm = ", rhythm strip II" if layout == "3x4+1" else ""
    sheet = f"25 mm/s · 10 mm/mV · {filter_text} · {layout}{rhythm}; columns follow one another in time"
    return (
        text((_LEFT, 6), recording.id or "ECG", {**small, "font-size": 4.2, "font-weight": "600"})
        + text((_LEFT, 12), _sentence(measurements), small)
        + text((_LEFT, bottom + 6), sheet, small)
    )


def _sentence(measurements: Mapping[str, object]) -> str:
    """Name the measured values that a reader looks for first."""
    known = ((label, unit, measurements.get(name)) for name, label, unit in _PRINTED)
    return " · ".join(
        f"{label} {write_number(value, 0)}{'' if unit in {'°', '/min'} else ' '}{unit}"
        for label, unit, value in known
        if isinstance(value, int | float) and math.isfinite(value)
    )
