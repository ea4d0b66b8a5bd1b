"""A long recording measured window by window, in memory that does not grow with it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.measure.catalogue import CATALOGUE, evaluate, pool, tabulate_values
from twelvelead.measure.condense import condense, gather
from twelvelead.measure.fiducials import tabulate_fiducials
from twelvelead.measure.heartbeat import Fact, Heartbeat, Quantity
from twelvelead.measure.observe import observe
from twelvelead.measure.rhythm import find_rhythm
from twelvelead.measure.row import Rows, list_findings
from twelvelead.signal import Quality, assess
from twelvelead.signal.recording import Recording
from twelvelead.terms import FAILURES, FIDUCIALS, FINDINGS, LEADS, Unmeasurable

Floats = NDArray[np.float64]

LONG_S = 60.0
"""A recording of more than a minute is measured in windows."""
PIECE_S = 30.0
"""What each window is measured for …"""
OVERLAP_S = 2.0
"""… and how far it reaches over that on either side, so that no beat is cut."""


class _Piece(NamedTuple):
    """One window, its beginning, and the span in which its beats count; s from the start of the recording."""

    window: Recording
    offset: float
    first: float
    last: float


def measure_windows(
    windows: Iterable[tuple[float, Recording]], *, recording_id: str, fiducials: bool = True, refine: bool = True
) -> Rows:
    """Measure one long recording.

    Parameters
    ----------
    windows : iterable of (float, Recording)
        Each window's beginning in s from the start of the recording, and its samples. Successive windows overlap; a
        beat counts in the one whose middle is nearer.
    recording_id : str
        The key of its rows.
    fiducials : bool
        Whether the marks of every beat are wanted.
    refine : bool
        As for `measure`.

    Returns
    -------
    Rows
        One row of features, or of failures where no window can be measured: then with the first window's reason. A
        finding that several windows share is told once.

    Notes
    -----
    What follows from the times of the beats alone (rate, RR variability, counts) is found from all beats together
    where every window could be measured; anything else in each window, then pooled as the CATALOGUE says (`pooled`).
    """
    values: list[Floats] = []
    times: list[Floats] = []
    classes: list[NDArray[np.intp]] = []
    tables: list[pl.DataFrame] = []
    refused: list[Unmeasurable] = []
    findings: dict[tuple[str | None, str | None], dict[str, str | None]] = {}
    n_beats = 0
    for piece in _pieces(windows):
        try:
            heartbeat, found = _beats_of(piece, refine=refine)
        except Unmeasurable as error:
            refused.append(error)
            continue
        for row in list_findings(recording_id, found):
            findings.setdefault((row["lead"], row["reason"]), row)
        if not heartbeat.times_s.size:
            continue
        values.append(evaluate(gather([condense(heartbeat)]))[:, 0])
        times.append(heartbeat.times_s)
        classes.append(heartbeat.shape_class)
        if fiducials:
            marks = tabulate_fiducials([heartbeat])
            tables.append(marks.with_columns(pl.lit(recording_id).alias("recording_id"), pl.col("beat") + n_beats))
        n_beats += heartbeat.times_s.size
    if not values:
        return _refuse(recording_id, refused)
    pooled = pool(np.stack(values, axis=1))
    if not refused:
        exact = _evaluate_times(np.concatenate(times), np.concatenate(classes))
        pooled = np.where(np.isfinite(exact), exact, pooled)
    return Rows(
        tabulate_values([recording_id], pooled[:, None]),
        pl.concat([FIDUCIALS.empty(), *tables]),
        FAILURES.empty(),
        FINDINGS.select(list(findings.values())),
    )


def _pieces(windows: Iterable[tuple[float, Recording]]) -> Iterator[_Piece]:
    """Tell each window which beats are its own: from the middle of one overlap to the middle of the next."""
    first, waiting = -np.inf, None
    for offset, window in windows:
        if waiting is not None:
            border = 0.5 * (waiting[0] + waiting[1].duration + offset)
            yield _Piece(waiting[1], waiting[0], first, border)
            first = border
        waiting = (offset, window)
    if waiting is not None:
        yield _Piece(waiting[1], waiting[0], first, np.inf)


def _beats_of(piece: _Piece, *, refine: bool) -> tuple[Heartbeat, Quality]:
    """Find the heartbeat of a window, of its beats those that are its own; times from the recording's start."""
    quality = assess(piece.window)
    if quality.refusal is not None:
        raise Unmeasurable(quality.refusal.reason, quality.refusal.message)
    whole = observe(piece.window, quality.usable, refine=refine)
    times = whole.times_s + piece.offset
    own = (times >= piece.first) & (times < piece.last)
    spikes = whole.spikes_s + piece.offset
    own_beats = replace(
        whole,
        times_s=times[own],
        shape_class=whole.shape_class[own],
        beat_marks_s=whole.beat_marks_s[own] + piece.offset,
        global_marks_s=whole.global_marks_s[own] + piece.offset,
        spikes_s=spikes[(spikes >= piece.first) & (spikes < piece.last)],
    )
    return own_beats, quality


def _evaluate_times(times_s: Floats, shape_class: NDArray[np.intp]) -> Floats:
    """Evaluate the CATALOGUE from the times of the beats alone; NaN for what needs more; shape (n_measurements,)."""
    facts = np.full(len(Fact), np.nan)
    find_rhythm(times_s, shape_class, facts)
    return evaluate(gather([(facts, np.full((len(Quantity), len(LEADS)), np.nan))]))[:, 0]


def _refuse(recording_id: str, refused: list[Unmeasurable]) -> Rows:
    row = {"recording_id": recording_id, "reason": refused[0].reason.value, "message": str(refused[0])}
    nothing = tabulate_values([], np.empty((len(CATALOGUE), 0)))
    return Rows(nothing, FIDUCIALS.empty(), FAILURES.select([row]), FINDINGS.empty())
