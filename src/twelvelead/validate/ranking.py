"""Recordings in order of their risk, gone through once for many resamples: AUROC, average precision, counts at cuts."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twelvelead.signal.kernel import kernel
from twelvelead.validate.resample import Counts

Floats = NDArray[np.float64]
Ints = NDArray[Any]
"""Integers of 32 or 64 bits."""

LANES = 16
"""Resamples that are walked together: one byte of counts each, so that a patient's are within a line of the cache."""


class Ranking(NamedTuple):
    """Recordings in ascending order of risk, cut into runs. A NamedTuple since compiled code knows no dataclass.

    A run is recordings without the event, then recordings with it. Where it has both, all their risks are equal;
    without events it is everybody up to the next event or cut.

    Parameters
    ----------
    unit : ndarray of uint32, shape (n_recordings,)
        Number of each recording's patient.
    starts : ndarray of int64, shape (n_runs + 1,)
        Where each run starts; the last is the number of recordings.
    middles : ndarray of int64, shape (n_runs,)
        Where the events of each run start.
    cuts : ndarray of int64, shape (n_cuts,)
        Runs before which the counts are taken; ascending.
    runs : ndarray of uint32, shape (n_recordings,)
        The run of each recording, patient by patient, each patient's recordings without the event first.
    """

    unit: NDArray[np.uint32]
    starts: Ints
    middles: Ints
    cuts: Ints
    runs: NDArray[np.uint32]


class Walk(NamedTuple):
    """What a walk finds in each of `LANES` resamples; see `new_walk`.

    Parameters
    ----------
    running : ndarray of an integer type, shape (4, LANES)
        Recordings without the event so far, the same before the present run; events so far, and before the run.
    wins : ndarray of int64, shape (LANES,)
        Twice the pairs in which the event has the higher risk, plus once those that are tied.
    precision : ndarray of float64, shape (LANES,)
        Sum over events of the share of events among those at least as risky.
    at_cuts : ndarray of int64, shape (2, n_cuts, LANES)
        Recordings without the event, and events, below each cut.
    ladder : ndarray of an integer type, shape (2, n_runs, LANES), or (2, 0, LANES) where no variance is asked
        For each run twice the events below it, and twice the recordings without the event below it; a tie counts half.
    """

    running: Ints
    wins: Ints
    precision: Floats
    at_cuts: Ints
    ladder: Ints


def rank(outcome: Floats, p: Floats, *, unit: NDArray[np.intp], cuts: Floats | None = None) -> Ranking:
    """Sort recordings by risk, once for all resamples.

    Parameters
    ----------
    outcome, p : ndarray of shape (n_recordings,)
        1 event, 0 none; and risk, or any score, compared as float64, infinities too.
    unit : ndarray of int, shape (n_recordings,)
        Number of each recording's patient, from 0.
    cuts : ndarray of shape (n_cuts,) or None
        Risks, ascending; a risk at a cut is above it.

    Examples
    --------
    Sorted they are no, no, then no and yes at one risk.

    >>> found = rank(np.array([0.0, 1.0, 0.0, 0.0]), np.array([0.1, 0.4, 0.4, 0.2]), unit=np.arange(4))
    >>> found.unit.tolist(), found.starts.tolist(), found.middles.tolist()
    ([0, 3, 2, 1], [0, 2, 4], [2, 3])
    """
    rest_first = np.argsort(outcome, kind="stable")
    order = rest_first[np.argsort(p[rest_first], kind="stable")]
    y, p = outcome[order], p[order]
    at = np.searchsorted(p, np.empty(0) if cuts is None else cuts, side="left")
    new = np.append(True, p[1:] != p[:-1])
    groups = np.flatnonzero(new)
    with_events = np.maximum.reduceat(y, groups) > 0
    # A group without events goes on with the one before, unless that has events or a cut lies between.
    kept = with_events | np.append(True, with_events[:-1]) | np.isin(groups, at)
    starts = np.append(groups[kept], len(y))
    n_events = np.add.reduceat(y, starts[:-1]).astype(np.int64)
    runs = np.empty(len(y), dtype=np.uint32)
    runs[order] = np.repeat(np.arange(len(n_events)), np.diff(starts))
    by_patient = np.argsort(2 * unit + (outcome > 0), kind="stable")
    return Ranking(
        unit=unit[order].astype(np.uint32),
        starts=starts.astype(np.int64),
        middles=starts[1:] - n_events,
        cuts=np.searchsorted(starts, at).astype(np.int64),
        runs=runs[by_patient],
    )


def new_walk(ranking: Ranking, *, ladder: Ints) -> Walk:
    """Return a walk's empty results around the array `ladder`."""
    return Walk(
        running=np.zeros((4, LANES), dtype=ladder.dtype),
        wins=np.zeros(LANES, dtype=np.int64),
        precision=np.zeros(LANES),
        at_cuts=np.zeros((2, len(ranking.cuts), LANES), dtype=np.int64),
        ladder=ladder,
    )


@kernel
def walk(ranking: Ranking, counts: Counts, sizes: Ints, found: Walk) -> None:
    """Go through the recordings from the lowest risk to the highest, in `LANES` resamples at once.

    Parameters
    ----------
    ranking : Ranking
    counts : ndarray of uint8, shape (n_units, LANES)
        How often each patient was drawn.
    sizes : ndarray of int64, shape (2, LANES)
        Recordings without the event, and events, in each resample.
    found : Walk
        Filled in.
    """
    found.running[:] = 0
    found.wins[:] = 0
    found.precision[:] = 0
    rest, events = found.running[:2], found.running[2:]
    with_ladder = found.ladder.shape[1] > 0
    cut = 0
    n_runs = ranking.middles.size
    for run in range(n_runs + 1):
        while cut < ranking.cuts.size and ranking.cuts[cut] == run:
            found.at_cuts[0, cut] = rest[0]
            found.at_cuts[1, cut] = events[0]
            cut += 1
        if run == n_runs:
            break
        start, middle, end = ranking.starts[run], ranking.middles[run], ranking.starts[run + 1]
        _pass(ranking.unit, (start, middle), counts, rest)
        _pass(ranking.unit, (middle, end), counts, events)
        if end > middle:
            _win(sizes, found)
        if with_ladder:
            for lane in range(LANES):
                found.ladder[0, run, lane] = events[0, lane] + events[1, lane]
                found.ladder[1, run, lane] = rest[0, lane] + rest[1, lane]


@kernel
def _pass(unit: NDArray[np.uint32], span: tuple[int, int], counts: Counts, running: Ints) -> None:
    """Count the recordings of a span; the second row is what there was before."""
    for lane in range(LANES):
        running[1, lane] = running[0, lane]
    for place in range(span[0], span[1]):
        drawn = unit[place]
        for lane in range(LANES):
            running[0, lane] += counts[drawn, lane]


@kernel
def _win(sizes: Ints, found: Walk) -> None:
    """Add what a run's events give."""
    running, wins, precision = found.running, found.wins, found.precision
    for lane in range(LANES):
        gained = np.int64(running[2, lane]) - np.int64(running[3, lane])
        wins[lane] += gained * (np.int64(running[0, lane]) + np.int64(running[1, lane]))
        positive = sizes[1, lane] - np.int64(running[3, lane])
        called = positive + sizes[0, lane] - np.int64(running[1, lane])
        precision[lane] += gained * (positive / max(called, 1))
