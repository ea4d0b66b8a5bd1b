"""Recordings in order of their risk, sorted once for all resamples."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


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
