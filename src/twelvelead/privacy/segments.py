"""Which part of the heartbeat each sample of a beat belongs to, by our own delineation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure import Heartbeat, Mark, observe
from twelvelead.measure.amplitudes import LEAST_MV
from twelvelead.privacy.attacker import mean_of
from twelvelead.privacy.people import Release
from twelvelead.privacy.protocols import NotEstimable
from twelvelead.privacy.units import Units
from twelvelead.terms import InputError, Unmeasurable

Floats = NDArray[np.float64]

SEGMENTS = ("P", "PR", "Q", "R", "S", "ST", "T", "TP")
"""The parts that make up a beat; each sample belongs to one. PR is from the end of P to the QRS complex, ST from
its end to the beginning of T, TP whatever lies before P and after T."""

WHOLES = {"QRS": ("Q", "R", "S")}
"""Parts of parts that have a name of their own."""

RR = NotEstimable("a beat in a window of fixed length, aligned at its QRS complex, holds no rhythm")
"""What can be said of the RR interval from beats: nothing but what PR, ST and T tell of the rate."""

DELINEATOR = "twelvelead.measure.observe"


@dataclass(frozen=True, eq=False)
class Segmented:
    """Beats, and the part of the heartbeat that each of their samples belongs to.

    Parameters
    ----------
    units : Units
        Beats; those of recordings that could not be delineated are left out.
    of_sample : ndarray of int, shape (n_beats, n_samples)
        Places in `SEGMENTS`.
    delineator : str
        What set the marks.
    unsegmented : tuple of (str, str)
        Recordings that have beats and no marks, and why.
    without_p : tuple of str
        Recordings in which no P wave stands out of the noise.

    Raises
    ------
    InputError
        If the units are not beats, or the places do not fit them.
    """

    units: Units
    of_sample: NDArray[np.int8]
    delineator: str
    unsegmented: tuple[tuple[str, str], ...] = ()
    without_p: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wanted = (len(self.units), self.units.x.shape[-1])
        if self.units.view != "beats" or self.of_sample.shape != wanted:
            msg = f"each sample of each beat must have a segment; got {self.of_sample.shape} for {self.units.x.shape}. "
            msg += "Give one place for each."
            raise InputError(msg)

    def shares(self, width: int) -> Floats:
        """Return how much of each run of `width` samples belongs to each segment.

        Parameters
        ----------
        width : int
            Samples, of which a beat must have a whole number of runs; all of a beat for its durations.

        Returns
        -------
        ndarray, shape (n_beats, n_runs, n_segments)
            Sums to 1 over segments.
        """
        runs = self.of_sample.reshape(len(self.of_sample), -1, width)
        return np.stack([(runs == k).mean(axis=2) for k in range(len(SEGMENTS))], axis=2)


def segment_beats(release: Release, units: Units) -> Segmented:
    """Say of each sample of each beat which part of the heartbeat it belongs to.

    Parameters
    ----------
    release : Release
        Recordings.
    units : Units
        Their beats, from `beat_units`.

    Returns
    -------
    Segmented

    Raises
    ------
    InputError
        If no recording can be delineated.

    Notes
    -----
    One set of marks for each recording: the median, over its beats, of where the marks of all leads together stand.
    R is the tallest positive wave of the median beat, in that lead of the units whose QRS complex is largest; what
    precedes it in the complex is Q, what follows S. A QS complex is all Q. Where no P wave stands out of the noise,
    P is where it stands in the middle of the other recordings, from QRS onset: a wave that a delineator misses may
    still tell people apart. At fast rates the next P wave, where the window reaches it, counts as TP.
    """
    edges_s: dict[int, Floats] = {}
    unsegmented = []
    for number in np.unique(units.recording):
        sample = release.samples[number]
        try:
            found = _edges(observe(sample.recording, units.names), units.at_s[units.recording == number], units.names)
        except Unmeasurable as error:
            unsegmented.append((sample.recording.id, str(error)))
            continue
        if np.isnan(found[2:]).any():
            unsegmented.append((sample.recording.id, "its median beat has no QRS complex or no T wave"))
            continue
        edges_s[int(number)] = found
    if not edges_s:
        msg = f"at least one recording must be delineated; got none of {len(unsegmented)} ({unsegmented[0][1]}). "
        msg += "Look at the recordings."
        raise InputError(msg)
    without = _assume_p(edges_s)
    kept = np.isin(units.recording, list(edges_s))
    time_s = np.arange(units.x.shape[-1]) / units.fs - units.at_r_s
    places = np.stack([lay_out(edges_s[int(number)], time_s) for number in units.recording[kept]])
    names = tuple(release.samples[number].recording.id for number in without)
    return Segmented(units.take(kept), places, DELINEATOR, tuple(unsegmented), names)


def _assume_p(edges_s: dict[int, Floats]) -> list[int]:
    """Put P, where none is seen, to its usual distance from QRS; return which recordings that concerns."""
    without = [number for number, edges in edges_s.items() if np.isnan(edges[:2]).any()]
    seen = [edges[:2] - edges[2] for edges in edges_s.values() if not np.isnan(edges[:2]).any()]
    for number in without if seen else ():
        edges_s[number][:2] = edges_s[number][2] + np.median(seen, axis=0)
    return without


def lay_out(edges_s: Sequence[float] | Floats, time_s: Floats) -> NDArray[np.int8]:
    """Return the segment of each sample of a beat.

    Parameters
    ----------
    edges_s : sequence of 8 floats
        Beginning and end of P, beginning of QRS, ends of Q and of R, end of QRS, beginning and end of T; s from R.
        P may be NaN. An edge that lies before an earlier one stands where that does.
    time_s : ndarray, shape (n_samples,)
        Of the samples, s from R, ascending.

    Returns
    -------
    ndarray of int, shape (n_samples,)
        Places in `SEGMENTS`.

    Examples
    --------
    >>> edges = [-0.2, -0.1, -0.05, -0.04, 0.03, 0.05, 0.2, 0.4]
    >>> [SEGMENTS[k] for k in lay_out(edges, np.array([-0.25, -0.2, -0.07, -0.045, 0.0, 0.04, 0.1, 0.3, 0.4]))]
    ['TP', 'P', 'PR', 'Q', 'R', 'S', 'ST', 'T', 'TP']
    """
    edges = np.array(edges_s, dtype=float)
    if np.isnan(edges[:2]).any():
        edges[:2] = edges[2]
    # Number of edges at or before each sample: 0 is TP, then P, PR, Q, R, S, ST, T, and TP again.
    past = np.searchsorted(np.maximum.accumulate(edges), time_s + 1e-9, side="right")
    return ((past - 1) % len(SEGMENTS)).astype(np.int8)


def mean_beat(segmented: Segmented) -> Floats:
    """Return the mean beat of all people, each counting once; shape (n_leads, n_samples), mV."""
    beats: Floats = mean_of(segmented.units.x.astype(float), segmented.units.subject).mean(axis=0)
    return beats


def _edges(heartbeat: Heartbeat, at_s: Floats, leads: Sequence[str]) -> Floats:
    """Return the edges of `lay_out` for the beats of a recording; NaN for what is not there."""
    nearest = np.abs(heartbeat.times_s[:, None] - at_s).argmin(axis=0)
    from_r = heartbeat.global_marks_s[nearest] - at_s[:, None]
    middle = np.full(len(Mark), np.nan)
    often = 2 * np.isfinite(from_r).sum(axis=0) >= len(at_s)
    middle[often] = np.nanmedian(from_r[:, often], axis=0)
    first, last = middle[Mark.QRS_ONSET], middle[Mark.QRS_OFFSET]
    ends = np.minimum(first + np.cumsum(_q_and_r(heartbeat, leads)), last)
    edges: Floats = np.r_[
        middle[[Mark.P_ONSET, Mark.P_OFFSET]], first, ends, last, middle[[Mark.T_ONSET, Mark.T_OFFSET]]
    ]
    return edges


def _q_and_r(heartbeat: Heartbeat, leads: Sequence[str]) -> tuple[float, float]:
    """Return how long Q and R last, s, in the lead with the largest QRS complex."""
    largest, found = -1.0, (0.0, np.inf)
    for lead in leads:
        k = heartbeat.leads.index(lead)
        on, off = heartbeat.marks[[Mark.QRS_ONSET, Mark.QRS_OFFSET], k]
        if np.isnan(on) or np.isnan(off) or off <= on:
            continue
        complex_mv = heartbeat.beat[k, round(on) : round(off) + 1]
        if np.ptp(complex_mv) > largest:
            largest = float(np.ptp(complex_mv))
            first, last = split_qrs(complex_mv)
            found = first / heartbeat.fs, (last - first) / heartbeat.fs
    return found


def split_qrs(complex_mv: Floats) -> tuple[int, int]:
    """Return where R begins and where it ends: round the tallest positive sample, as far as the lead is above onset.

    Parameters
    ----------
    complex_mv : ndarray, shape (n_samples,)
        From QRS onset to offset, mV from the level at onset.

    Returns
    -------
    first, last : int
        First sample of R, and the one after its last; both the length where there is no positive wave: all is Q.

    Examples
    --------
    >>> split_qrs(np.array([0.0, -0.1, 0.4, 0.9, 0.2, -0.3, -0.1]))
    (2, 5)
    >>> split_qrs(np.array([0.0, -0.9, -0.2, 0.01]))
    (4, 4)
    """
    peak = int(complex_mv.argmax())
    if complex_mv[peak] < LEAST_MV:
        return len(complex_mv), len(complex_mv)
    down = np.flatnonzero(complex_mv <= 0)
    before, after = down[down < peak], down[down > peak]
    return int(before[-1]) + 1 if len(before) else 0, int(after[0]) if len(after) else len(complex_mv)
