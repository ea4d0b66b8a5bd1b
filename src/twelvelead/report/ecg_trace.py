"""The trace of an ECG on paper: no more points than the eye can tell apart, and no peak lost."""

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from twelvelead.report.ecg_sheet import PAGE_S, Cell, Paper, up_to_five
from twelvelead.report.svg import number
from twelvelead.signal.recording import Recording

Trace = NDArray[np.float64]

_MAX_POINTS = 16_000
_COLUMN_MM = 0.4
_REACH_MV = 6.0  # a row makes room for deflections up to so much; beyond that neighbours may touch
_LEAST_MM = 7.5  # room above the first row


def trace_lead(recording: Recording, cell: Cell, paper: Paper) -> Trace:
    """Return one lead's stretch in mm, shape (2, n): x from the paper's edge, y upwards from its line; n may be 0.

    The line is the lead's median over what the sheet shows, which removes the electrode offset and nothing else.
    """
    if cell.lead not in recording.leads:
        return np.empty((2, 0))
    first, last = (round(s * recording.fs) for s in (cell.begin_s, cell.begin_s + cell.length_s))
    y = recording[cell.lead].astype(np.float64)
    if not np.isfinite(y[first:last]).any():
        return np.empty((2, 0))
    page = slice(round(paper.start_s * recording.fs), round((paper.start_s + PAGE_S) * recording.fs) + 1)
    level = float(np.nanmedian(y[page]))
    # One sample more than the stretch, so that it reaches its right edge.
    at = np.arange(first, min(last + 1, y.size))
    seconds = at / recording.fs - cell.begin_s
    return np.vstack([cell.left_mm + paper.speed * seconds, paper.gain * cell.sign * (y[at] - level)])


def space_rows(traces: list[list[Trace]], paper: Paper, *, top: float) -> tuple[list[float], float]:
    """Place each row's line on a thick grid line, as far from its neighbours as their deflections need.

    Returns
    -------
    baselines : list of float
        mm from the upper edge of the paper.
    reach : float
        How far the last row's trace goes below its line, mm; at least 5.
    """
    most = _REACH_MV * paper.gain
    reach = [
        (
            min(max((float(np.nanmax(t[1])) for t in row if t.size), default=5.0), most),
            min(max((-float(np.nanmin(t[1])) for t in row if t.size), default=5.0), most),
        )
        for row in traces
    ]
    least = max(20.0 if len(traces) < 12 else 15.0, paper.gain + 5)  # the calibration pulses stand one above another
    baselines = [top + up_to_five(max(reach[0][0], _LEAST_MM, paper.gain) + 2)]
    for (_, below), (above, _) in pairwise(reach):
        baselines.append(baselines[-1] + max(least, up_to_five(below + above + 1)))
    return baselines, max(reach[-1][1], 5.0)


def choose_tolerance(traces: list[list[Trace]]) -> float | None:
    """Find the smallest tolerance in mm, from 0.02 up, that keeps the drawing small; None where noise forbids any."""
    pieces = [piece for row in traces for trace in row for piece in unbroken(trace)]
    for tolerance in (0.02, 0.04, 0.08, 0.16):
        if sum(len(simplify(piece, tolerance)) for piece in pieces) <= _MAX_POINTS:
            return tolerance
    return None


def unbroken(trace: Trace) -> list[Trace]:
    """Split a trace where samples are missing."""
    finite = np.isfinite(trace[1])
    edges = np.flatnonzero(np.diff(finite)) + 1
    pieces = np.split(trace, edges, axis=1)
    return [piece for piece in pieces if piece.shape[1] and np.isfinite(piece[1, 0])]


def write_path(piece: Trace, baseline: float, *, tolerance: float | None) -> str:
    """Write the path data of a trace without gaps, in mm of the paper."""
    kept = simplify(piece, tolerance) if tolerance is not None else envelope(piece, _COLUMN_MM)
    if len(kept) == 1:
        return f"M{number(piece[0, 0])} {number(baseline - piece[1, 0])}h0"
    points = zip(piece[0, kept].tolist(), piece[1, kept].tolist(), strict=True)
    return "".join(f"{'L' if i else 'M'}{x:.2f} {baseline - y:.2f}" for i, (x, y) in enumerate(points))


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
