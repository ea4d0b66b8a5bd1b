"""What is added up for 64 resamples at once, compiled: ranks, average precision, and patients' deviations."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twelvelead.signal.kernel import kernel
from twelvelead.validate.ranking import Ranking
from twelvelead.validate.resample import Counts

Floats = NDArray[np.float64]
Ints = NDArray[Any]
"""Integers of 32 or 64 bits."""

LANES = 64
"""Resamples that are gone through together: one byte of counts each, so that a patient's are a line of the cache.

All code that is compiled with it stands in this file: compiled code is kept until its own file changes.
"""


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


@kernel
def add_up(counts: Counts, sums: Floats, totals: Floats) -> None:
    """Add to `totals`, shape (n_columns, LANES), what the drawn patients' sums, shape (n_units, n_columns), come to."""
    for unit in range(counts.shape[0]):
        for column in range(sums.shape[1]):
            value = sums[unit, column]
            if value != 0:
                for lane in range(LANES):
                    totals[column, lane] += counts[unit, lane] * value


@kernel
def climb(runs: NDArray[np.uint32], sums: Floats, ladder: Ints, room: Ints) -> None:
    """Add up the steps of each patient: of its recordings without the event, then of those with it."""
    place = 0
    for unit in range(room.shape[1]):
        for event in range(2):
            n = int(sums[unit, event])
            if n > 0:
                for lane in range(LANES):
                    room[event, unit, lane] = 0
            for _ in range(n):
                run = runs[place]
                place += 1
                for lane in range(LANES):
                    room[event, unit, lane] += ladder[event, run, lane]


@kernel
def scatter(counts: Counts, sums: Floats, room: Ints, known: tuple[Floats, Floats], products: Floats) -> None:
    """Add up, patient by patient, products of the patients' deviations: others, events, and others with events.

    A deviation is the sum over a patient's recordings without the event of the share of events above them, less the
    AUROC; or over its events of the share of the others below them, less the AUROC.
    """
    auroc, halves = known
    n_models = auroc.shape[0]
    deviation = np.zeros((2, n_models, LANES))
    for unit in range(counts.shape[0]):
        rest, events = sums[unit, 0], sums[unit, 1]
        for model in range(n_models):
            if rest > 0:
                for lane in range(LANES):
                    above = rest - room[model, 0, unit, lane] * halves[1, lane]
                    deviation[0, model, lane] = above - rest * auroc[model, lane]
            if events > 0:
                for lane in range(LANES):
                    below = room[model, 1, unit, lane] * halves[0, lane]
                    deviation[1, model, lane] = below - events * auroc[model, lane]
        if rest > 0:
            _add_squares(counts[unit], deviation[0], products[0])
        if events > 0:
            _add_squares(counts[unit], deviation[1], products[1])
        if rest > 0 and events > 0:
            _add_products(counts[unit], deviation, products[2])


@kernel
def _add_squares(counts: Counts, deviation: Floats, into: Floats) -> None:
    for i in range(deviation.shape[0]):
        for j in range(i + 1):
            for lane in range(LANES):
                into[i, j, lane] += counts[lane] * (deviation[i, lane] * deviation[j, lane])


@kernel
def _add_products(counts: Counts, deviation: Floats, into: Floats) -> None:
    for i in range(deviation.shape[1]):
        for j in range(deviation.shape[1]):
            for lane in range(LANES):
                into[i, j, lane] += counts[lane] * deviation[0, i, lane] * deviation[1, j, lane]
